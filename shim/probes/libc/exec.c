/*
 * The exec family. The image may end here, so the report is made before the call; the environment
 * is completed for the next image (follow=1) also where a vfork child execs. Path search, checks
 * and errors stay libc's own: where the list must change, the sister function that takes one is
 * called.
 */
#include "probes/libc/exec.h"

#include "base/memory.h"
#include "base/syscall.h"
#include "host/libc/next.h"
#include "host/libc/prototypes.h"
#include "calls/signals.h"
#include "host/unwatched.h"
#include "intake/last_words.h"

#include <asm/errno.h>
#include <stdarg.h>

extern char **environ __attribute__((weak));

void exec__begin(struct nsd_exec *exec, const struct nsd_site *site, int folder, const char *path,
                 char *const given[]) {
    uintptr_t key = machine__thread_pointer();
    struct nsd_event event;

    exec->ours = observe__begin(&event, NSD_CALL_EXEC, site) && !caller__is_stranger();
    if (exec->ours) {
        exec->tid = event.tid;
        last_words__report(&event, NSD_OCCASION_EXEC);
    }
    environment__for_exec(given, caller__is_vfork_child(key) ? key : 0, &exec->environment);
    exec->changed = exec->environment.list != (char **) (uintptr_t) given;
    signals__before_exec();
    unwatched__note(folder, path);
}

/* Libc looks through PATH for a name without one; what it will find is not known. */
static const char *with_slash(const char *file) {
    char name[256];

    if (!memory__try_string(name, sizeof name, file))
        return NULL;
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '/')
            return file;
    }
    return NULL;
}

long exec__failed(struct nsd_exec *exec, long result) {
    environment__release(&exec->environment);
    signals__after_exec();
    unwatched__take_back();
    if (exec->ours)
        last_words__exec_failed(exec->tid, observe__kernel_result(result));
    return result;
}

static char **own_environment(void) {
    return &environ != NULL ? environ : NULL;
}

int execve(const char *path, char *const list[], char *const environment[]) {
    struct nsd_exec exec;

    if (!nsd_on)
        return NEXT(execve)(path, list, environment);
    exec__begin(&exec, NSD_SITE(), AT_FDCWD, path, environment);
    return (int) exec__failed(&exec, NEXT(execve)(path, list, exec.environment.list));
}

int execvpe(const char *file, char *const list[], char *const environment[]) {
    struct nsd_exec exec;

    if (!nsd_on)
        return NEXT(execvpe)(file, list, environment);
    exec__begin(&exec, NSD_SITE(), AT_FDCWD, with_slash(file), environment);
    return (int) exec__failed(&exec, NEXT(execvpe)(file, list, exec.environment.list));
}

int execveat(int folder, const char *path, char *const list[], char *const environment[],
             int flags) {
    struct nsd_exec exec;

    if (!nsd_on)
        return NEXT(execveat)(folder, path, list, environment, flags);
    exec__begin(&exec, NSD_SITE(), folder, path, environment);
    return (int) exec__failed(&exec,
                              NEXT(execveat)(folder, path, list, exec.environment.list, flags));
}

int fexecve(int fd, char *const list[], char *const environment[]) {
    struct nsd_exec exec;

    if (!nsd_on)
        return NEXT(fexecve)(fd, list, environment);
    exec__begin(&exec, NSD_SITE(), AT_FDCWD, NULL, environment);
    return (int) exec__failed(&exec, NEXT(fexecve)(fd, list, exec.environment.list));
}

/* With the process's own environment, as execv and execl mean it. */
static int exec_path(const struct nsd_site *site, const char *path, char *const list[]) {
    struct nsd_exec exec;

    exec__begin(&exec, site, AT_FDCWD, path, own_environment());
    if (exec.changed)
        return (int) exec__failed(&exec, NEXT(execve)(path, list, exec.environment.list));
    return (int) exec__failed(&exec, NEXT(execv)(path, list));
}

static int exec_file(const struct nsd_site *site, const char *file, char *const list[]) {
    struct nsd_exec exec;

    exec__begin(&exec, site, AT_FDCWD, with_slash(file), own_environment());
    if (exec.changed)
        return (int) exec__failed(&exec, NEXT(execvpe)(file, list, exec.environment.list));
    return (int) exec__failed(&exec, NEXT(execvp)(file, list));
}

int execv(const char *path, char *const list[]) {
    return nsd_on ? exec_path(NSD_SITE(), path, list) : NEXT(execv)(path, list);
}

int execvp(const char *file, char *const list[]) {
    return nsd_on ? exec_file(NSD_SITE(), file, list) : NEXT(execvp)(file, list);
}

/*
 * The forms with a list of arguments: libc itself counts them and builds the array on the stack
 * (posix/execl.c), where it needs no memory in a vfork child; so do we, and go on as its sisters.
 * More than the kernel could take is left out of the array, with the error that libc gives.
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
 * In the exported function itself: the array must live in its frame. After it `rest` stands behind
 * the NULL that ends the arguments.
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
    struct nsd_exec exec;
    va_list rest;
    char **list;

    NSD_ARGUMENT_LIST(list, first, rest);
    environment = va_arg(rest, char *const *);
    va_end(rest);
    if (!nsd_on)
        return NEXT(execve)(path, list, environment);
    exec__begin(&exec, NSD_SITE(), AT_FDCWD, path, environment);
    return (int) exec__failed(&exec, NEXT(execve)(path, list, exec.environment.list));
}
