/*
 * The definitions that come next after ours, looked up once a name and kept. Called by next.c for
 * every wrapper, also before the constructor and where the shim is off.
 */
#include "host/libc/functions.h"

#include "base/memory.h"
#include "host/libc/first_look.h"
#include "names/definitions.h"
#include "names/modules.h"

void *_Atomic functions_next[NSD_FUNCTIONS];

static const char *const function_names[NSD_FUNCTIONS] = {
#define X(result, name, parameters, row, stand_in) #name,
    NSD_FUNCTION_TABLE(X)
#undef X
};

void *functions__definition(enum nsd_function function) {
    void *next = atomic_load_explicit(&functions_next[function], memory_order_relaxed);

    if (next != NULL)
        return next;
    if (modules__count() != 0)
        next = definitions__next(function_names[function]);
    if (next == NULL)
        next = first_look__definition(function_names[function]);
    if (next != NULL)
        atomic_store_explicit(&functions_next[function], next, memory_order_relaxed);
    return next;
}

enum nsd_function functions__by_name(const char *name) {
    for (unsigned i = 0; i < NSD_FUNCTIONS; i++) {
        const char *known = function_names[i];

        if (known[0] == name[0] && string__equal(known, name))
            return (enum nsd_function) i;
    }
    return NSD_FUNCTIONS;
}

unsigned functions__count(void) {
    return NSD_FUNCTIONS;
}
