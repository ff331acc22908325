/*
 * Makes every system call of the guest in a copy of the process, where a filter may kill, see
 * filter_probe.h. The calls that the probe itself makes are those by which a loader or a runtime
 * starts, or starts a process: no library function, no memory of the host.
 */
#include "start/filter_probe.h"
#include "base/memory.h"
#include "base/syscall.h"
#include <linux/errno.h>
#include <stdint.h>

/*
 * X(name): every system call that the guest makes on its own account. Each is made with -1 for all
 * arguments: no descriptor, no address and no size is that, so that the kernel refuses it or does
 * nothing. The end of the copy is exit_group, so that stands here without being made.
 */
#define CALLS(X)                                                                                   \
    X(write)                                                                                       \
    X(clock_gettime)                                                                               \
    X(close)                                                                                       \
    X(faccessat)                                                                                   \
    X(fallocate)                                                                                   \
    X(fgetxattr)                                                                                   \
    X(fstat)                                                                                       \
    X(fstatfs)                                                                                     \
    X(getcwd)                                                                                      \
    X(getdents64)                                                                                  \
    X(getegid)                                                                                     \
    X(geteuid)                                                                                     \
    X(getpid)                                                                                      \
    X(getppid)                                                                                     \
    X(getrandom)                                                                                   \
    X(gettid)                                                                                      \
    X(ioctl)                                                                                       \
    X(madvise)                                                                                     \
    X(mmap)                                                                                        \
    X(mprotect)                                                                                    \
    X(mremap)                                                                                      \
    X(munmap)                                                                                      \
    X(nanosleep)                                                                                   \
    X(newfstatat)                                                                                  \
    X(openat)                                                                                      \
    X(ppoll)                                                                                       \
    X(prctl)                                                                                       \
    X(pread64)                                                                                     \
    X(prlimit64)                                                                                   \
    X(process_vm_readv)                                                                            \
    X(pwrite64)                                                                                    \
    X(read)                                                                                        \
    X(readlinkat)                                                                                  \
    X(renameat)                                                                                    \
    X(renameat2)                                                                                   \
    X(rt_sigaction)                                                                                \
    X(rt_sigpending)                                                                               \
    X(rt_sigprocmask)                                                                              \
    X(rt_sigtimedwait)                                                                             \
    X(sched_yield)                                                                                 \
    X(sigaltstack)                                                                                 \
    X(tgkill)                                                                                      \
    X(tkill)                                                                                       \
    X(uname)                                                                                       \
    X(unlinkat)

static const uint16_t calls[] = {
#define X(name) __NR_##name,
    CALLS(X)
#undef X
};

#define WAIT_ALL 0x40000000 /* __WALL: also for a child that sends no signal at its end */
#define RESOURCE_CORE 4     /* RLIMIT_CORE */
#define STDERR 2
#define MODE_FILTER '2' /* SECCOMP_MODE_FILTER */

/* ---- whether there is a filter ---- */

/* A static buffer: the stack at a constructor may be small, and nothing else runs. */
static char status[4096];

#define FIELD "Seccomp:"
#define FIELD_SIZE (sizeof FIELD - 1)

static bool occurs_in_field(char character) {
    switch (character) {
    case 'S':
    case 'e':
    case 'c':
    case 'o':
    case 'm':
    case 'p':
    case ':':
        return true;
    default:
        return false;
    }
}

/*
 * The character behind "Seccomp:" and a tab. Each start pays for this, so most characters are never
 * looked at: where the last one of the field would stand and another one does, that does not occur
 * in the field, the search goes on behind it (Boyer, Moore, Horspool).
 */
static char mode_in(size_t size) {
    for (size_t end = FIELD_SIZE; end + 1 < size;) {
        if (status[end] == '\t' && memory__equal(status + end - FIELD_SIZE, FIELD, FIELD_SIZE))
            return status[end + 1];
        end += status[end] == '\t' || occurs_in_field(status[end]) ? 1 : FIELD_SIZE + 1;
    }
    return '\0';
}

/* Without /proc nothing is known, and the start goes on. */
static bool has_filter(void) {
    long fd = sys__openat(AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC, 0), size;

    if (SYS_IS_ERROR(fd))
        return false;
    size = sys__read((int) fd, status, sizeof status);
    sys__close((int) fd);
    return !SYS_IS_ERROR(size) && mode_in((size_t) size) == MODE_FILTER;
}

/* ---- copies of the process ---- */

static void make_calls(void) {
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++)
        SYS6(calls[i], -1, -1, -1, -1, -1, -1);
}

static void say(void) {
    static const char line[] = "nsdrift: not watched: the seccomp filter that this program was "
                               "started under kills for a system call of nsdrift's\n";

    sys__write(STDERR, line, sizeof line - 1);
}

/*
 * Does it in a copy of the process, and returns how that ended (wait4's status), or a negative
 * errno. The copy sends no signal at its end, leaves no core, and is waited for here, so that the
 * host meets nothing of it.
 */
static long in_a_copy(void (*work)(void)) {
    long child = SYS5(__NR_clone, 0, 0, 0, 0, 0), result;
    int ended = 0;

    if (child == 0) {
        const uint64_t none[2] = {0, 0};

        SYS4(__NR_prlimit64, 0, RESOURCE_CORE, none, NULL);
        work();
        SYS1(__NR_exit_group, 0);
        __builtin_trap();
    }
    if (SYS_IS_ERROR(child))
        return child;
    do {
        result = SYS4(__NR_wait4, child, &ended, WAIT_ALL, NULL);
    } while (result == -EINTR);
    return SYS_IS_ERROR(result) ? result : ended;
}

/*
 * Whether a copy would be the first process of a new pid namespace (`unshare -p` without -f): that
 * place is for the host's first child, and nobody can be born there after the copy has ended. The
 * kernel has nothing to open for a namespace without a process (pidns_for_children_get in
 * kernel/pid_namespace.c).
 */
static bool copy_would_be_init(void) {
    long fd = sys__openat(AT_FDCWD, "/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC, 0);

    if (!SYS_IS_ERROR(fd))
        sys__close((int) fd);
    return fd == -ENOENT;
}

bool filter_probe__permits(void) {
    if (!has_filter() || copy_would_be_init() || in_a_copy(make_calls) <= 0)
        return true;
    in_a_copy(say);
    return false;
}
