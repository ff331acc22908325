/*
 * Wrappers of the calls that start a process. A child of vfork, or of syscall() with
 * CLONE_VM|CLONE_VFORK, runs on its parent's stack: it returns first and overwrites all that lies
 * below the parent's stack pointer. So the machine's assembly (vfork.S, syscall.S) leaves nothing
 * on the stack while the child runs: the return address and the event are kept in a block of a
 * pool. Called by the host and by that assembly.
 */
#include "base/pool.h"
#include "calls/processes.h"
#include "host/libc/errno.h"
#include "probes/libc/entrance.h"
#include "probes/libc/search.h"
#include <linux/sched.h>
#include <stdarg.h>
#include <stddef.h>

/* The assembly reads the first three words. */
struct child_block {
    uintptr_t return_address;
    uintptr_t saved_register;
    void *next;
    struct nsd_site site;
    struct nsd_ongoing ongoing;
} __attribute__((aligned(16)));

#define BLOCKS 64u

static struct child_block block_memory[BLOCKS];
static struct nsd_pool blocks = {
    .memory = block_memory, .count = BLOCKS, .size = sizeof(struct child_block)};

/* The machine's assembly compares with these values as numbers. */
_Static_assert(offsetof(struct child_block, saved_register) == 8 &&
                   offsetof(struct child_block, next) == 16,
               "the block");
_Static_assert(NSD_CHILD_COPIED == 0 && NSD_CHILD_SHARES == 1 && NSD_CHILD_APART == 2,
               "enum nsd_child");
_Static_assert(NSD_CALL_NUMBERS == 512, "the table of calls");

/* The caller's registers at syscall(), as the assembly has pushed them. */
struct registers {
    uint64_t vectors;     /* al of a variadic call */
    uint64_t argument[6]; /* fifth to first, then the number */
    uintptr_t return_address;
};

struct child_block *vfork__before(uintptr_t return_address, uintptr_t stack_pointer,
                                  uintptr_t frame_pointer, uintptr_t saved_register)
    __attribute__((visibility("hidden")));
int vfork__after(struct child_block *block, int result) __attribute__((visibility("hidden")));
void *vfork__next(void) __attribute__((visibility("hidden")));
int syscall__child(const struct registers *registers) __attribute__((visibility("hidden")));
struct child_block *syscall__before_child(const struct registers *registers,
                                          uintptr_t frame_pointer, uintptr_t saved_register)
    __attribute__((visibility("hidden")));
long syscall__after_child(struct child_block *block, long result)
    __attribute__((visibility("hidden")));
long syscall__after_call(struct child_block *block, long result)
    __attribute__((visibility("hidden")));

/* The next definition of vfork; the assembly jumps to it if the call is not recorded. */
void *vfork__next(void) {
    return next__of(NSD_FUNCTION_vfork);
}

/* True if the caller is marked now. */
static bool begin(struct nsd_ongoing *ongoing, enum nsd_row row, struct nsd_site *site,
                  const uint64_t argument[6]) {
    entrance__begin(ongoing, row, site);
    __builtin_memcpy(ongoing->argument, argument, sizeof ongoing->argument);
    calls__before(ongoing);
    return processes__is_marked(ongoing);
}

/*
 * NULL if the caller is a vfork child itself, or if its key could not be marked, so that it could
 * not be told from its child. The assembly then calls the next definition, and nothing is recorded.
 */
static struct child_block *before(enum nsd_row row, enum nsd_function next, struct nsd_site site,
                                  uintptr_t saved_register, const uint64_t argument[6]) {
    struct child_block *block = pool__take(&blocks);

    /* Jumps out of handlers left all blocks behind: the child is marked all the same. */
    if (block == NULL) {
        struct nsd_ongoing unrecorded;

        submit__count_lost();
        begin(&unrecorded, row, &site, argument);
        return NULL;
    }
    block->return_address = site.return_address;
    block->saved_register = saved_register;
    block->next = next__of(next);
    block->site = site;
    if (!begin(&block->ongoing, row, &block->site, argument)) {
        pool__give(&blocks, block);
        return NULL;
    }
    return block;
}

struct child_block *vfork__before(uintptr_t return_address, uintptr_t stack_pointer,
                                  uintptr_t frame_pointer, uintptr_t saved_register) {
    const struct nsd_site site = {return_address, stack_pointer, frame_pointer};

    return before(NSD_ROW_vfork, NSD_FUNCTION_vfork, site, saved_register, (const uint64_t[6]){0});
}

/* In the parent, when the child has exec'd or is gone. */
int vfork__after(struct child_block *block, int result) {
    entrance__after(&block->ongoing, result);
    pool__give(&blocks, block);
    return result;
}

/* ---- syscall() ---- */

static enum nsd_row row_of(const struct registers *registers) {
    return (enum nsd_row) nsd_row_of_number[registers->argument[5]];
}

static void read_arguments(const struct registers *registers, uint64_t argument[6]) {
    for (unsigned i = 0; i < 5; i++)
        argument[i] = registers->argument[4 - i];
    argument[5] = 0;
}

/* The enum nsd_child of a vfork, clone or clone3. */
int syscall__child(const struct registers *registers) {
    uint64_t argument[6];

    read_arguments(registers, argument);
    return (int) processes__child_of(row_of(registers), argument);
}

struct child_block *syscall__before_child(const struct registers *registers,
                                          uintptr_t frame_pointer, uintptr_t saved_register) {
    const struct nsd_site site = {registers->return_address, (uintptr_t) (registers + 1),
                                  frame_pointer};
    uint64_t argument[6];

    read_arguments(registers, argument);
    return before(row_of(registers), NSD_FUNCTION_syscall, site, saved_register, argument);
}

/* After the assembly's own system call: turns the kernel's result into libc's. */
long syscall__after_child(struct child_block *block, long result) {
    block->ongoing.result = result;
    calls__after(&block->ongoing);
    pool__give(&blocks, block);
    if (result >= 0)
        return result;
    host__set_errno((int) -result);
    return -1;
}

/* After a call of the next definition. */
long syscall__after_call(struct child_block *block, long result) {
    entrance__after(&block->ongoing, result);
    pool__give(&blocks, block);
    return result;
}

/* ---- functions ---- */

#define NSD_WRAPPER_OF_FORK(name)                                                                  \
    int name(void) {                                                                               \
        struct nsd_ongoing ongoing;                                                                \
                                                                                                   \
        if (!nsd_on)                                                                               \
            return NEXT(name)();                                                                   \
        NSD_BEGIN(&ongoing, name, NSD_SITE(), 0);                                                  \
        calls__before(&ongoing);                                                                   \
        return (int) entrance__after(&ongoing, NEXT(name)());                                      \
    }
NSD_WRAPPER_OF_FORK(fork)
NSD_WRAPPER_OF_FORK(_Fork)

/*
 * The child begins in its function on a stack of its own, so this frame is intact when the call
 * returns in the parent. The call is handed over even before the constructor has run: a thread that
 * shares its parent's thread pointer must be noticed from the start.
 */
int clone(int (*function)(void *), void *stack, int flags, void *argument, ...) {
    struct nsd_ongoing ongoing;
    int *parent, *child;
    va_list rest;
    void *tls;

    va_start(rest, argument);
    parent = va_arg(rest, int *);
    tls = va_arg(rest, void *);
    child = va_arg(rest, int *);
    va_end(rest);
    entrance__begin(&ongoing, NSD_ROW_clone, NSD_SITE());
    ongoing.argument[NSD_CLONE_FLAGS] = (uint64_t) flags;
    ongoing.argument[NSD_CLONE_STACK] = (uint64_t) stack;
    ongoing.argument[NSD_CLONE_PARENT] = (uint64_t) parent;
    ongoing.argument[NSD_CLONE_CHILD] = (uint64_t) child;
    ongoing.argument[NSD_CLONE_TLS] = (uint64_t) tls;
    calls__before(&ongoing);
    return (int) entrance__after(&ongoing,
                                 NEXT(clone)(function, stack, flags, argument, parent, tls, child));
}

typedef int spawn_function(int *, const char *, const void *, const void *, char *const[],
                           char *const[]);

/* `found` is the program that libc will start for `path`, NULL if that is not known. */
static int spawn(spawn_function *next, struct nsd_site *site, int *pid, const char *path,
                 const char *found, const void *actions, const void *attributes, char *const list[],
                 char *const environment[]) {
    struct nsd_ongoing ongoing;
    int error, child = 0;
    char **changed;

    NSD_BEGIN(&ongoing, posix_spawn, site, &child, found, actions, attributes, list, environment);
    calls__before(&ongoing);
    changed = (char **) ongoing.argument[5];
    error = next(&child, path, actions, attributes, list, changed);
    if (environment__was_too_long(-error, environment, changed))
        error = next(&child, path, actions, attributes, list, environment);
    if (error == 0 && pid != NULL)
        *pid = child;
    return entrance__after_error(&ongoing, error);
}

int posix_spawn(int *pid, const char *path, const void *actions, const void *attributes,
                char *const list[], char *const environment[]) {
    if (!nsd_on)
        return NEXT(posix_spawn)(pid, path, actions, attributes, list, environment);
    return spawn(NEXT(posix_spawn), NSD_SITE(), pid, path, path, actions, attributes, list,
                 environment);
}

int posix_spawnp(int *pid, const char *file, const void *actions, const void *attributes,
                 char *const list[], char *const environment[]) {
    char found[NSD_FOUND_MOST];

    if (!nsd_on)
        return NEXT(posix_spawnp)(pid, file, actions, attributes, list, environment);
    return spawn(NEXT(posix_spawnp), NSD_SITE(), pid, file, search__program(file, found), actions,
                 attributes, list, environment);
}

NSD_WRAPPER(system, (const char *command), command)

/* popen returns a stream: any stream is handed over as 0, NULL as a failure. */
void *popen(const char *command, const char *mode) {
    struct nsd_ongoing ongoing;
    void *stream;

    if (!nsd_on)
        return NEXT(popen)(command, mode);
    NSD_BEGIN(&ongoing, popen, NSD_SITE(), command, mode);
    calls__before(&ongoing);
    stream = NEXT(popen)(command, mode);
    entrance__after(&ongoing, stream != NULL ? 0 : -1);
    return stream;
}
