/*
 * Visits of another namespace from a coroutine's stack that ends at the end of its mapping, and
 * from handlers on an alternate stack, thousands of times; coroutines' stacks are unmapped and
 * mapped anew in between. Must be reported: nothing.
 */
#include "host.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#define ROUNDS 3000
#define STACK (64ul << 10)

static int home;
static ucontext_t outside, inside;

static KEEP void visit(void) {
    must(unshare(CLONE_NEWUTS) == 0, "unshare");
    must(setns(home, CLONE_NEWUTS) == 0, "setns");
    STAY();
}

static KEEP void deep(int depth) {
    if (depth > 0)
        deep(depth - 1);
    else
        visit();
    STAY();
}

static void coroutine(void) {
    for (int i = 0; i < ROUNDS / 10; i++)
        deep(i % 13);
}

static void on_signal(int number) {
    (void) number;
    visit();
}

int main(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    stack_t alternate = {.ss_sp = malloc(STACK), .ss_size = STACK};

    home = own_namespace("uts");
    for (int i = 0; i < 10; i++) {
        size_t size = i % 2 == 0 ? STACK : STACK / 4;
        char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        must(stack != MAP_FAILED && getcontext(&inside) == 0, "stack");
        inside.uc_stack.ss_sp = stack;
        inside.uc_stack.ss_size = size;
        inside.uc_link = &outside;
        makecontext(&inside, coroutine, 0);
        must(swapcontext(&outside, &inside) == 0, "swapcontext");
        munmap(stack, size);
    }
    must(sigaltstack(&alternate, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0, "signal");
    for (int i = 0; i < ROUNDS; i++)
        raise(SIGUSR1);
    puts("done");
    return 0;
}
