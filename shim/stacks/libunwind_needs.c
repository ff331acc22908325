/*
 * A C library for libunwind.a alone. It finds unwind tables in our module table, never under the
 * loader's lock; malloc fails (libunwind wants memory for a table that is never filled); nothing is
 * printed or locked; abort() goes back to unwind.c. Reached from hooks and handlers.
 */
#include "stacks/libunwind_needs.h"

#include "base/memory.h"
#include "names/modules.h"
#include "stacks/unwind_tables.h"

#include <stddef.h>

#define GUARDS 64u

static struct nsd_unwind_guard guards[GUARDS];

struct nsd_unwind_guard *libunwind_needs__guard(uintptr_t stack) {
    for (unsigned i = 0; i < GUARDS; i++) {
        uintptr_t none = 0;

        if (atomic_compare_exchange_strong(&guards[i].stack, &none, stack))
            return &guards[i];
    }
    return NULL;
}

void libunwind_needs__unguard(struct nsd_unwind_guard *guard) {
    atomic_store(&guard->stack, 0);
}

/* There is no thread-local state: the caller's guard is the nearest one further out on its stack.
 */
_Noreturn static void give_up(void) {
    uintptr_t here = (uintptr_t) __builtin_frame_address(0), nearest = UINTPTR_MAX;
    struct nsd_unwind_guard *guard = NULL;

    for (unsigned i = 0; i < GUARDS; i++) {
        uintptr_t stack = atomic_load(&guards[i].stack);

        if (stack > here && stack < nearest) {
            nearest = stack;
            guard = &guards[i];
        }
    }
    if (guard != NULL)
        __builtin_longjmp(guard->jump, 1);
    __builtin_trap(); /* not reached: libunwind is only called under a guard */
}

_Noreturn void nsd_libunwind_abort(void);
_Noreturn void nsd_libunwind_abort(void) {
    give_up();
}

_Noreturn void nsd_libunwind_assert_fail(const char *what, const char *file, unsigned line,
                                         const char *function);
_Noreturn void nsd_libunwind_assert_fail(const char *what, const char *file, unsigned line,
                                         const char *function) {
    (void) what;
    (void) file;
    (void) line;
    (void) function;
    give_up();
}

_Noreturn void nsd_libunwind_stack_chk_fail(void);
_Noreturn void nsd_libunwind_stack_chk_fail(void) {
    give_up();
}

/* struct dl_find_object of glibc's <dlfcn.h>, 2.35. */
struct found_object {
    unsigned long long flags;
    void *map_start, *map_end;
    void *link_map;
    const void *eh_frame_header;
    unsigned long long reserved[7];
};

int nsd_libunwind_find_object(void *pc, struct found_object *found);
int nsd_libunwind_find_object(void *pc, struct found_object *found) {
    struct nsd_module *module = modules__of((uintptr_t) pc);
    const uint8_t *header = unwind_tables__of(module);

    if (header == NULL)
        return -1;
    memory__fill(found, 0, sizeof(*found));
    found->map_start = (void *) module->start;
    found->map_end = (void *) module->end;
    found->eh_frame_header = header;
    return 0;
}

/* libunwind looks up glibc's _dl_find_object by dlsym, and nothing else. */
void *nsd_libunwind_dlsym(void *handle, const char *name);
void *nsd_libunwind_dlsym(void *handle, const char *name) {
    (void) handle;
    if (string__equal(name, "_dl_find_object"))
        return (void *) &nsd_libunwind_find_object;
    return NULL;
}

/* <link.h>, as glibc and musl have it. */
struct iterated_object {
    uintptr_t base;
    const char *name;
    const Elf64_Phdr *headers;
    uint16_t header_count;
    unsigned long long adds, subs;
    size_t tls_module;
    void *tls_data;
};

/* The older way, for releases of libunwind that know no _dl_find_object. */
int nsd_libunwind_dl_iterate_phdr(int (*each)(struct iterated_object *, size_t, void *),
                                  void *context);
int nsd_libunwind_dl_iterate_phdr(int (*each)(struct iterated_object *, size_t, void *),
                                  void *context) {
    unsigned count = modules__count();

    for (unsigned i = 0; i < count; i++) {
        const struct nsd_module *module = modules__at(i);
        struct iterated_object object = {0};
        int answer;

        if (!module__is_loaded(module))
            continue;
        object.base = module->base;
        object.name = module->path;
        object.headers = module->headers;
        object.header_count = (uint16_t) module->header_count;
        object.adds = count;
        answer = each(&object, sizeof(object), context);
        if (answer != 0)
            return answer;
    }
    return 0;
}

int nsd_libunwind_dladdr(const void *address, void *info);
int nsd_libunwind_dladdr(const void *address, void *info) {
    (void) address;
    (void) info;
    return 0;
}

void *nsd_libunwind_malloc(size_t size);
void *nsd_libunwind_malloc(size_t size) {
    (void) size;
    return NULL;
}

void nsd_libunwind_free(void *memory);
void nsd_libunwind_free(void *memory) {
    (void) memory;
}

char *nsd_libunwind_getenv(const char *name);
char *nsd_libunwind_getenv(const char *name) {
    (void) name;
    return NULL;
}

extern void *nsd_libunwind_stderr;
void *nsd_libunwind_stderr;

int nsd_libunwind_fflush(void *stream);
int nsd_libunwind_fflush(void *stream) {
    (void) stream;
    return 0;
}

size_t nsd_libunwind_fwrite(const void *from, size_t size, size_t count, void *stream);
size_t nsd_libunwind_fwrite(const void *from, size_t size, size_t count, void *stream) {
    (void) from;
    (void) size;
    (void) stream;
    return count;
}

/* Diagnostics and locks: nothing is printed, and what the locks guard is never filled. */
#define DOES_NOTHING(name)                                                                         \
    int nsd_libunwind_##name(void *first, ...);                                                    \
    int nsd_libunwind_##name(void *first, ...) {                                                   \
        (void) first;                                                                              \
        return 0;                                                                                  \
    }

DOES_NOTHING(fprintf)
DOES_NOTHING(fprintf_chk)
DOES_NOTHING(snprintf)
DOES_NOTHING(snprintf_chk)
DOES_NOTHING(pthread_rwlock_rdlock)
DOES_NOTHING(pthread_rwlock_wrlock)
DOES_NOTHING(pthread_rwlock_unlock)
DOES_NOTHING(pthread_mutex_lock)
DOES_NOTHING(pthread_mutex_unlock)
