/*
 * What a wrapper calls where the libc has no such function (an older glibc, musl): the system call
 * itself where that is all the function would do, a sister function, or "not implemented". Reached
 * by programs that look for a weak symbol and find ours.
 */
#include "host/libc/stand_ins.h"
#include "base/syscall.h"
#include "host/libc/errno.h"
#include <asm/errno.h>

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

/* ---- functions that are their system call: arguments as they come ---- */

#define DEFINE_CALL(name)                                                                          \
    static long call_##name(long a, long b, long c, long d, long e, long f) {                      \
        return answer(SYS6(__NR_##name, a, b, c, d, e, f));                                        \
    }
#define DEFINE_OWN(name)
#define DEFINE_NONE(name)
#define X(result, name, parameters, row, stand_in) DEFINE_##stand_in(name)
NSD_FUNCTION_TABLE(X)
#undef X

/* ---- functions that return the error itself, or nothing ---- */

static int error_not_implemented(void) {
    return ENOSYS;
}

static void leave(int status) {
    for (;;)
        SYS1(__NR_exit_group, status);
}

static void leave_thread(void) {
    for (;;)
        SYS1(__NR_exit, 0);
}

/* thrd_error */
static int stand_in_thrd_create(void) {
    return 2;
}
static void *stand_in_dlsym(void) {
    return NULL;
}
static int stand_in__Fork(void) {
    return (int) answer(SYS5(__NR_clone, 17 /* SIGCHLD */, 0, 0, 0, 0));
}

/* ---- functions with a sister that every libc has ---- */

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
static int stand_in___mq_open_2(const char *name, int flags) {
    return SISTER(mq_open)(name, flags, 0, NULL);
}
static int stand_in_fcntl64(int fd, int command, long argument) {
    return SISTER(fcntl)(fd, command, argument);
}
static int stand_in___sigaction(int number, const struct nsd_action *set, struct nsd_action *old) {
    return SISTER(sigaction)(number, set, old);
}
static nsd_handler *stand_in_bsd_signal(int number, nsd_handler *handler) {
    return SISTER(signal)(number, handler);
}

#define stand_in_pthread_create error_not_implemented
#define stand_in_posix_spawn error_not_implemented
#define stand_in_posix_spawnp error_not_implemented
#define stand_in_pthread_exit leave_thread
#define stand_in_thrd_exit leave_thread
#define stand_in_exit leave
#define stand_in__exit leave
#define stand_in__Exit leave
#define stand_in_quick_exit leave
#define stand_in___open64_2 stand_in___open_2
#define stand_in___openat64_2 stand_in___openat_2
#define stand_in_ssignal stand_in_bsd_signal
#define stand_in_dlvsym stand_in_dlsym

#define ADDRESS_CALL(name) call_##name
#define ADDRESS_OWN(name) stand_in_##name
#define ADDRESS_NONE(name) not_implemented

static void *const stand_ins[NSD_FUNCTIONS] = {
#define X(result, name, parameters, row, stand_in)                                                 \
    [NSD_FUNCTION_##name] = (void *) (ADDRESS_##stand_in(name)),
    NSD_FUNCTION_TABLE(X)
#undef X
};

void *stand_in__of(enum nsd_function function) {
    return stand_ins[function];
}
