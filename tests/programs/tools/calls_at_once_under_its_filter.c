/*
 * A library whose prctl makes a watched call between the kernel's answer and its own return, as a
 * signal handler or another thread may at that moment. Preloaded behind nsdrift, in front of libc.
 * Not a host: a tool of the tests.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/prctl.h>

int prctl(int option, ...) {
    int (*libc)(int, ...) = (int (*)(int, ...)) dlsym(RTLD_NEXT, "prctl");
    long word[4];
    int result;
    va_list rest;

    va_start(rest, option);
    for (int i = 0; i < 4; i++)
        word[i] = va_arg(rest, long);
    va_end(rest);
    result = libc(option, word[0], word[1], word[2], word[3]);
    if (option == PR_SET_SECCOMP && result == 0)
        unshare(CLONE_NEWUTS);
    return result;
}
