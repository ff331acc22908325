/*
 * What a wrapper calls where the libc has no such function (an older glibc, musl): the system call
 * itself where that is all the function would do, a sister function, or "not implemented". Reached
 * by programs that look for a weak symbol and find ours.
 */
#include "host/libc/stand_ins.h"
#include "base/syscall.h"
#include "calls/observe.h"
#include "host/libc/prototypes.h"

#include <asm/errno.h>
#include <linux/sched.h>

static long answer(long result) {
    if (SYS_IS_ERROR(result)) {
        host__set_errno((int) -result);
        return -1;
    }
    return result;
}

static long not_implemented(void) {
    return answer(-ENOSYS);
}

/* Of functions that return the error itself. */
static int error_not_implemented(void) {
    return ENOSYS;
}

/* thrd_error */
static int thread_error(void) {
    return 2;
}

static void *no_symbol(void) {
    return NULL;
}

static void leave(int status) {
    for (;;)
        SYS1(__NR_exit_group, status);
}

static void leave_thread(void) {
    for (;;)
        SYS1(__NR_exit, 0);
}

static int stand_in_setns(int fd, int type) {
    return (int) answer(SYS2(__NR_setns, fd, type));
}
static int stand_in_unshare(int flags) {
    return (int) answer(SYS1(__NR_unshare, flags));
}
static int stand_in_pivot_root(const char *root, const char *old) {
    return (int) answer(SYS2(__NR_pivot_root, root, old));
}
static int stand_in_open_tree(int folder, const char *path, unsigned flags) {
    return (int) answer(SYS3(__NR_open_tree, folder, path, flags));
}
static int stand_in_move_mount(int from_folder, const char *from, int to_folder, const char *to,
                               unsigned flags) {
    return (int) answer(SYS5(__NR_move_mount, from_folder, from, to_folder, to, flags));
}
static int stand_in_fsmount(int fd, unsigned flags, unsigned attributes) {
    return (int) answer(SYS3(__NR_fsmount, fd, flags, attributes));
}
static int stand_in_mount_setattr(int folder, const char *path, unsigned flags, void *attributes,
                                  size_t size) {
#ifdef __NR_mount_setattr
    return (int) answer(SYS5(__NR_mount_setattr, folder, path, flags, attributes, size));
#else
    return (int) not_implemented();
#endif
}
static int stand_in__Fork(void) {
    return (int) answer(SYS5(__NR_clone, 17 /* SIGCHLD */, 0, 0, 0, 0));
}
static int stand_in_execveat(int folder, const char *path, char *const list[],
                             char *const environment[], int flags) {
    return (int) answer(SYS5(__NR_execveat, folder, path, list, environment, flags));
}
static int stand_in_close_range(unsigned first, unsigned last, int flags) {
#ifdef __NR_close_range
    return (int) answer(SYS3(__NR_close_range, first, last, flags));
#else
    return (int) not_implemented();
#endif
}
static int stand_in_dup3(int fd, int as, int flags) {
    return (int) answer(SYS3(__NR_dup3, fd, as, flags));
}
/* A sister that every libc has. */
#define SISTER(name) ((__typeof__(&(name))) functions__definition(NSD_FUNCTION_##name))

/* musl keeps the 64-bit names only for programs that were linked with them long ago, or not at all.
 */
static int stand_in_open64(const char *path, int flags, unsigned mode) {
    return SISTER(open)(path, flags, mode);
}
static int stand_in_openat64(int folder, const char *path, int flags, unsigned mode) {
    return SISTER(openat)(folder, path, flags, mode);
}
static int stand_in___open_2(const char *path, int flags) {
    return SISTER(open)(path, flags, 0);
}
static int stand_in___openat_2(int folder, const char *path, int flags) {
    return SISTER(openat)(folder, path, flags, 0);
}
static int stand_in_fcntl64(int fd, int command, long argument) {
    return SISTER(fcntl)(fd, command, argument);
}
static int stand_in___sigaction(int number, const struct nsd_action *set, struct nsd_action *old) {
    return SISTER(sigaction)(number, set, old);
}
static nsd_handler *stand_in_signal(int number, nsd_handler *handler) {
    return SISTER(signal)(number, handler);
}

#define ROW(name, function) [NSD_FUNCTION_##name] = (void *) (function)

static void *const stand_ins[NSD_FUNCTIONS] = {
    ROW(setns, stand_in_setns),
    ROW(unshare, stand_in_unshare),
    ROW(pivot_root, stand_in_pivot_root),
    ROW(open_tree, stand_in_open_tree),
    ROW(move_mount, stand_in_move_mount),
    ROW(fsmount, stand_in_fsmount),
    ROW(mount_setattr, stand_in_mount_setattr),
    ROW(pthread_create, error_not_implemented),
    ROW(pthread_exit, leave_thread),
    ROW(thrd_create, thread_error),
    ROW(thrd_exit, leave_thread),
    ROW(_Fork, stand_in__Fork),
    ROW(posix_spawn, error_not_implemented),
    ROW(posix_spawnp, error_not_implemented),
    ROW(execveat, stand_in_execveat),
    ROW(exit, leave),
    ROW(_exit, leave),
    ROW(_Exit, leave),
    ROW(quick_exit, leave),
    ROW(open64, stand_in_open64),
    ROW(__open_2, stand_in___open_2),
    ROW(__open64_2, stand_in___open_2),
    ROW(openat64, stand_in_openat64),
    ROW(__openat_2, stand_in___openat_2),
    ROW(__openat64_2, stand_in___openat_2),
    ROW(dup3, stand_in_dup3),
    ROW(fcntl64, stand_in_fcntl64),
    ROW(close_range, stand_in_close_range),
    ROW(__sigaction, stand_in___sigaction),
    ROW(bsd_signal, stand_in_signal),
    ROW(ssignal, stand_in_signal),
    ROW(dlsym, no_symbol),
    ROW(dlvsym, no_symbol),
};

void *stand_in__of(enum nsd_function function) {
    return stand_ins[function] != NULL ? stand_ins[function] : (void *) not_implemented;
}
