/*
 * A thread that the program makes by an instruction of its own, without libc, as runtimes of other
 * languages do: its thread pointer leads to a block of the program's, 64 bytes before a page that
 * is not mapped. It visits a uts namespace by libc's functions. Must not be reported, and must not
 * be taken for a thread of libc's.
 */
#include "host.h"
#include <sys/mman.h>

#define STACK_SIZE (256u << 10)

static int home;
static volatile int result = -1;
static _Atomic int over;

static long instruction(long number, long a, long b, long c, long d, long e) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
    long value;
    __asm__ volatile("syscall"
                     : "=a"(value)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return value;
}

static KEEP void visit(void) {
    result = unshare(CLONE_NEWUTS) == 0 && setns(home, CLONE_NEWUTS) == 0 ? 0 : 1;
    STAY();
}

__attribute__((noreturn, used)) static void thread(void) {
    visit();
    over = 1;
    for (;;)
        instruction(SYS_exit, 0, 0, 0, 0, 0);
}

/* The child begins in thread() on its own stack; the parent goes on. */
static long clone_thread(char *stack_top, void *block) {
    register long r10 __asm__("r10") = 0;
    register void *r8 __asm__("r8") = block;
    long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                 CLONE_SETTLS;
    long value;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "call thread\n"
                     "1:"
                     : "=a"(value)
                     : "a"((long) SYS_clone), "D"(flags), "S"(stack_top), "d"(0L), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return value;
}

int main(void) {
    size_t page = (size_t) sysconf(_SC_PAGESIZE);
    char *stack =
        mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void **block = (void **) (pages + page - 64);

    must(stack != MAP_FAILED && pages != MAP_FAILED, "mmap");
    must(mprotect(pages + page, page, PROT_NONE) == 0, "mprotect");
    block[0] = block;
    home = own_namespace("uts");
    /* The offset of the tid is known, and believed, before such a thread comes. */
    must(setns(home, CLONE_NEWUTS) == 0, "setns");
    for (int i = 0; i < 3; i++) {
        over = 0;
        must(clone_thread(stack + STACK_SIZE - 64, block) > 0, "clone");
        while (!over)
            usleep(1000);
        usleep(1000);
        printf("%d\n", result);
    }
    return 0;
}
