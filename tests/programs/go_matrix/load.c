/*
 * Calls the Go library that it is linked with, or, built with -DLATE, loads it when it has a second
 * thread already.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#ifndef LATE
void Calls(void);
#endif

static void *wait_for_ever(void *nothing) {
    for (;;)
        pause();
    return nothing;
}

int main(int count, char **arguments) {
#ifdef LATE
    pthread_t thread;
    void (*Calls)(void);
    void *library;

    if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
        return 70;
    library = dlopen(arguments[1], RTLD_NOW);
    if (library == NULL || (Calls = (void (*)(void)) dlsym(library, "Calls")) == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 70;
    }
#else
    (void) wait_for_ever;
    (void) arguments;
#endif
    (void) count;
    Calls();
    return 70;
}
