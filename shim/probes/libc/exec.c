/*
 * Wrappers of the exec family. Libc searches the path, checks the arguments and sets the errors. If
 * the list of variables must change, the variant of the function that takes such a list is called
 * (execv: execve). Called by the host, also in vfork children.
 */
#include "base/memory.h"
#include "base/syscall.h"
#include "host/libc/errno.h"
#include "probes/libc/entrance.h"
#include "probes/libc/search.h"

#include <asm/errno.h>
#include <stdarg.h>

/*
 * Before an exec of `path` (NULL: not known). Returns the environment to exec with.
 */
static char **begin(struct nsd_ongoing *ongoing, struct nsd_site *site, const char *path,
                    char *const list[], char *const environment[]) {
    NSD_BEGIN(ongoing, execve, site, path, list, environment);
    calls__before(ongoing);
    return (char **) ongoing->argument[2];
}

/*
 * Whether the call is to be made again with the host's own list, because the changed one, at this
 * place of the arguments, was too long.
 */
static bool was_too_long(struct nsd_ongoing *ongoing, unsigned place, int result,
                         char *const given[]) {
    uint64_t *changed = &ongoing->argument[place];

    if (result != -1 || !environment__was_too_long(-(long) host__errno(), given,
                                                   (char *const *) (uintptr_t) *changed))
        return false;
    /* Tells calls__after_exec that it has been made again. */
    *changed = (uint64_t) given;
    return true;
}

typedef int exec_function(const char *, char *const[], char *const[]);

static int make(struct nsd_ongoing *ongoing, exec_function *next, const char *path,
                char *const list[], char *const given[], char *const changed[]) {
    int result = next(path, list, changed);

    if (was_too_long(ongoing, 2, result, given))
        result = next(path, list, given);
    return (int) entrance__after(ongoing, result);
}

int execve(const char *path, char *const list[], char *const environment[]) {
    struct nsd_ongoing ongoing;
    char **changed;

    if (!nsd_on)
        return NEXT(execve)(path, list, environment);
    changed = begin(&ongoing, NSD_SITE(), path, list, environment);
    return make(&ongoing, NEXT(execve), path, list, environment, changed);
}

int execvpe(const char *file, char *const list[], char *const environment[]) {
    char found[NSD_FOUND_MOST];
    struct nsd_ongoing ongoing;
    char **changed;

    if (!nsd_on)
        return NEXT(execvpe)(file, list, environment);
    changed = begin(&ongoing, NSD_SITE(), search__program(file, found), list, environment);
    return make(&ongoing, NEXT(execvpe), file, list, environment, changed);
}

int execveat(int folder, const char *path, char *const list[], char *const environment[],
             int flags) {
    struct nsd_ongoing ongoing;
    char **changed;
    int result;

    if (!nsd_on)
        return NEXT(execveat)(folder, path, list, environment, flags);
    NSD_BEGIN(&ongoing, execveat, NSD_SITE(), folder, path, list, environment, flags);
    calls__before(&ongoing);
    changed = (char **) ongoing.argument[3];
    result = NEXT(execveat)(folder, path, list, changed, flags);
    if (was_too_long(&ongoing, 3, result, environment))
        result = NEXT(execveat)(folder, path, list, environment, flags);
    return (int) entrance__after(&ongoing, result);
}

int fexecve(int fd, char *const list[], char *const environment[]) {
    struct nsd_ongoing ongoing;
    char **changed;
    int result;

    if (!nsd_on)
        return NEXT(fexecve)(fd, list, environment);
    changed = begin(&ongoing, NSD_SITE(), NULL, list, environment);
    result = NEXT(fexecve)(fd, list, changed);
    if (was_too_long(&ongoing, 2, result, environment))
        result = NEXT(fexecve)(fd, list, environment);
    return (int) entrance__after(&ongoing, result);
}

/* With the process's own environment: execv and execl. */
static int exec_path(struct nsd_site *site, const char *path, char *const list[]) {
    char **own = search__own_environment(), **changed;
    struct nsd_ongoing ongoing;

    changed = begin(&ongoing, site, path, list, own);
    if (changed != own)
        return make(&ongoing, NEXT(execve), path, list, own, changed);
    return (int) entrance__after(&ongoing, NEXT(execv)(path, list));
}

static int exec_file(struct nsd_site *site, const char *file, char *const list[]) {
    char **own = search__own_environment(), **changed;
    char found[NSD_FOUND_MOST];
    struct nsd_ongoing ongoing;

    changed = begin(&ongoing, site, search__program(file, found), list, own);
    if (changed != own)
        return make(&ongoing, NEXT(execvpe), file, list, own, changed);
    return (int) entrance__after(&ongoing, NEXT(execvp)(file, list));
}

int execv(const char *path, char *const list[]) {
    return nsd_on ? exec_path(NSD_SITE(), path, list) : NEXT(execv)(path, list);
}

int execvp(const char *file, char *const list[]) {
    return nsd_on ? exec_file(NSD_SITE(), file, list) : NEXT(execvp)(file, list);
}

/*
 * execl and its kin take the arguments one by one. As libc does (posix/execl.c), we count them and
 * build the array on the stack, because a vfork child must not allocate; then the variant with an
 * array is called. If there are more than the kernel takes, the call fails with libc's error.
 */
#define ARGUMENTS_MOST 0x7ffffffeu

static size_t count_arguments(const char *first, va_list *rest) {
    size_t count = 0;

    for (const char *argument = first; argument != NULL; argument = va_arg(*rest, const char *))
        count++;
    return count;
}

static void fill_arguments(char **list, size_t count, const char *first, va_list *rest) {
    list[0] = (char *) (uintptr_t) first;
    for (size_t i = 1; i <= count; i++)
        list[i] = va_arg(*rest, char *);
}

/*
 * Used in the exported function itself, because the array must live in its frame. Leaves `rest`
 * behind the NULL that ends the arguments.
 */
#define NSD_ARGUMENT_LIST(list, first, rest)                                                       \
    do {                                                                                           \
        size_t count_;                                                                             \
                                                                                                   \
        va_start(rest, first);                                                                     \
        count_ = count_arguments(first, &rest);                                                    \
        va_end(rest);                                                                              \
        if (count_ > ARGUMENTS_MOST) {                                                             \
            host__set_errno(E2BIG);                                                                \
            return -1;                                                                             \
        }                                                                                          \
        list = __builtin_alloca((count_ + 1) * sizeof(char *));                                    \
        va_start(rest, first);                                                                     \
        fill_arguments(list, count_, first, &rest);                                                \
    } while (0)

int execl(const char *path, const char *first, ...) {
    va_list rest;
    char **list;

    NSD_ARGUMENT_LIST(list, first, rest);
    va_end(rest);
    return nsd_on ? exec_path(NSD_SITE(), path, list) : NEXT(execv)(path, list);
}

int execlp(const char *file, const char *first, ...) {
    va_list rest;
    char **list;

    NSD_ARGUMENT_LIST(list, first, rest);
    va_end(rest);
    return nsd_on ? exec_file(NSD_SITE(), file, list) : NEXT(execvp)(file, list);
}

int execle(const char *path, const char *first, ...) {
    char *const *environment;
    struct nsd_ongoing ongoing;
    va_list rest;
    char **list, **changed;

    NSD_ARGUMENT_LIST(list, first, rest);
    environment = va_arg(rest, char *const *);
    va_end(rest);
    if (!nsd_on)
        return NEXT(execve)(path, list, environment);
    changed = begin(&ongoing, NSD_SITE(), path, list, environment);
    return make(&ongoing, NEXT(execve), path, list, environment, changed);
}
