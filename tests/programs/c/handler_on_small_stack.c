/*
 * A handler that visits another namespace and starts a process, on an alternative stack that leaves
 * it 5 KiB (SIGSTKSZ, as programs have it written down, leaves about that), with memory of the
 * program right below it. Must be clean, and that memory as it was.
 */
#include "host.h"

#include <signal.h>

#define BELOW 32768
#define LEFT 5120

static int other, home;
static unsigned char memory[BELOW + 65536];
static size_t frame;

/* How much the kernel puts there depends on the machine's registers. */
static void measure(int number) {
    frame = (size_t) (memory + sizeof memory - (unsigned char *) &number);
}

static void visit(int number) {
    (void) number;
    int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    close(fd);
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(socket(AF_INET, SOCK_DGRAM, 0));
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
}

static void handle_on(void (*handler)(int), size_t size) {
    stack_t stack = {.ss_sp = memory + BELOW, .ss_size = size};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

    must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
    must(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
    raise(SIGUSR1);
}

int main(void) {
    other = other_network();
    home = own_namespace("net");
    handle_on(measure, sizeof memory - BELOW);
    memset(memory, 0x55, sizeof memory);
    handle_on(visit, frame + LEFT);
    for (size_t i = 0; i < BELOW; i++) {
        if (memory[i] != 0x55) {
            printf("written below the handler's stack: %zu bytes\n", BELOW - i);
            return 1;
        }
    }
    puts("done");
    return 0;
}
