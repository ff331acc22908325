/*
 * The wrapped functions (function_table.h) as C sees them: numbers, our own prototypes, and the
 * next definition of each. Read by the wrappers, by what stands in for functions, and by the
 * constructor. Safe everywhere: no libc, no lock.
 */
#ifndef NSD_HOST_LIBC_FUNCTIONS_H
#define NSD_HOST_LIBC_FUNCTIONS_H

#include "host/libc/function_table.h"
#include <stdatomic.h>
#include <stddef.h>

/* struct sigaction of glibc and of musl on 64-bit machines. */
struct nsd_action {
    void (*handler)(int);
    unsigned long mask[16];
    int flags;
    void (*restorer)(void);
};
typedef void nsd_handler(int);

/* Everything that the host may see of us is marked by this. */
#define NSD_EXPORT __attribute__((visibility("default")))

#define X(result, name, parameters, row, stand_in) NSD_EXPORT result name parameters;
NSD_FUNCTION_TABLE(X)
#undef X

enum nsd_function {
#define X(result, name, parameters, row, stand_in) NSD_FUNCTION_##name,
    NSD_FUNCTION_TABLE(X)
#undef X
        NSD_FUNCTIONS
};

/* Next definitions found so far. Relaxed: each store is the same address, found by anybody. */
extern void *_Atomic functions_next[NSD_FUNCTIONS] __attribute__((visibility("hidden")));

/* The next definition, looked up once and kept; NULL if none is known or can be found. */
void *functions__definition(enum nsd_function function);
/* NSD_FUNCTIONS if the name is not wrapped. */
enum nsd_function functions__by_name(const char *name);
/* How many there are, for the coverage line. */
unsigned functions__count(void);

#endif
