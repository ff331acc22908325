/*
 * dlsym and dlvsym. If a program looks up a wrapped name by a library's handle
 * (ctypes.CDLL("libc.so.6").setns) and the loader finds the function that our wrapper calls, the
 * program gets our wrapper. Called by the machine's assembly, which jumps to the next dlsym for
 * every other look-up, so that the loader sees the true caller. Calls inside libc (daemon; the
 * children of system, popen and posix_spawn) need no look-up and are not seen.
 */
#include "base/memory.h"
#include "host/libc/functions.h"
#include "host/libc/next.h"
#include "names/modules.h"

#define DEFAULT_SCOPE ((void *) 0)
#define NEXT_SCOPE ((void *) -1l)

int lookups__wanted(void *handle, const char *name, uintptr_t caller)
    __attribute__((visibility("hidden")));
void *lookups__symbol(void *handle, const char *name, int function)
    __attribute__((visibility("hidden")));
void *lookups__versioned(void *handle, const char *name, const char *version, int function)
    __attribute__((visibility("hidden")));
void *lookups__next_dlsym(void) __attribute__((visibility("hidden")));
void *lookups__next_dlvsym(void) __attribute__((visibility("hidden")));

#define X(result, name, parameters, row, stand_in) extern char wrapper_##name[] __asm__(#name);
NSD_FUNCTION_TABLE(X)
#undef X

/* Addresses of our wrappers, as the loader binds other modules to them. */
static void *const wrappers[NSD_FUNCTIONS] = {
#define X(result, name, parameters, row, stand_in) wrapper_##name,
    NSD_FUNCTION_TABLE(X)
#undef X
};

/*
 * Whether RTLD_NEXT from this caller finds the function that our wrapper calls. True for a library
 * that the loader searches after the shim and before that function's library. A library before the
 * shim finds our wrapper without help.
 */
static bool next_is_ours(uintptr_t caller, const void *next) {
    const struct nsd_module *module = modules__of(caller), *holder = modules__of((uintptr_t) next);
    uint32_t shim = 0, number = modules__number(module);

    for (unsigned i = 0; i < modules__count(); i++) {
        if (modules__at(i)->is_shim)
            shim = i + 1;
    }
    return shim < number && number < modules__number(holder);
}

/* The function whose wrapper may be the answer; -1 if the loader's answer must stand. */
int lookups__wanted(void *handle, const char *name, uintptr_t caller) {
    enum nsd_function function;
    void *next;

    if (handle == DEFAULT_SCOPE || name == NULL)
        return -1;
    function = functions__by_name(name);
    if (function == NSD_FUNCTIONS || (next = functions__definition(function)) == NULL)
        return -1;
    if (handle == NEXT_SCOPE && !next_is_ours(caller, next))
        return -1;
    return (int) function;
}

static void *in_place_of(void *found, int function) {
    return found != NULL && found == functions__definition((enum nsd_function) function)
               ? wrappers[function]
               : found;
}

void *lookups__symbol(void *handle, const char *name, int function) {
    /* RTLD_NEXT from here means "behind the shim": the caller's own look-up would end there too. */
    return in_place_of(NEXT(dlsym)(handle, name), function);
}

void *lookups__versioned(void *handle, const char *name, const char *version, int function) {
    return in_place_of(NEXT(dlvsym)(handle, name, version), function);
}

void *lookups__next_dlsym(void) {
    return next__of(NSD_FUNCTION_dlsym);
}

void *lookups__next_dlvsym(void) {
    return next__of(NSD_FUNCTION_dlvsym);
}
