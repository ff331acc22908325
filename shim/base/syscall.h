/*
 * Raw system calls under names of our own: no libc, no errno. Every function returns the kernel's
 * answer, a negative errno on failure. Safe in a signal handler, in a fork or vfork child and on a
 * Go stack.
 */
#ifndef NSD_BASE_SYSCALL_H
#define NSD_BASE_SYSCALL_H

#include "base/forbidden.h"
#include "base_machine.h"
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <stddef.h>
#include <stdint.h>

/* Newer numbers than the headers of the build machine may have. */
#ifndef __NR_openat2
#define __NR_openat2 437
#endif
#ifndef __NR_mount_setattr
#define __NR_mount_setattr 442
#endif
#ifndef __NR_close_range
#define __NR_close_range 436
#endif

#define SYS0(n) sys__call6((n), 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) sys__call6((n), (long) (a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) sys__call6((n), (long) (a), (long) (b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) sys__call6((n), (long) (a), (long) (b), (long) (c), 0, 0, 0)
#define SYS4(n, a, b, c, d) sys__call6((n), (long) (a), (long) (b), (long) (c), (long) (d), 0, 0)
#define SYS5(n, a, b, c, d, e)                                                                     \
    sys__call6((n), (long) (a), (long) (b), (long) (c), (long) (d), (long) (e), 0)
#define SYS6(n, a, b, c, d, e, f)                                                                  \
    sys__call6((n), (long) (a), (long) (b), (long) (c), (long) (d), (long) (e), (long) (f))

struct sys_timespec {
    int64_t seconds;
    int64_t nanoseconds;
};

#define SYS_MODE_TYPE 0170000u
#define SYS_MODE_REGULAR 0100000u
#define SYS_MODE_FOLDER 0040000u
#define SYS_MODE_LINK 0120000u
#define SYS_MODE_SET_UID 04000u
#define SYS_MODE_SET_GID 02000u
#define SYS_MODE_GROUP_EXECUTES 0010u

/* The kernel's struct statfs (asm-generic/statfs.h), the same on all 64-bit machines. */
struct sys_statfs {
    int64_t rest[10];
    int64_t flags; /* SYS_MOUNT_... */
    int64_t spare[4];
};
#define SYS_MOUNT_NOSUID 2 /* ST_NOSUID (linux/statfs.h) */

static inline int32_t sys__gettid(void) {
    return (int32_t) SYS0(__NR_gettid);
}
static inline int32_t sys__getpid(void) {
    return (int32_t) SYS0(__NR_getpid);
}
static inline long sys__openat(int folder, const char *path, int flags, int mode) {
    return SYS4(__NR_openat, folder, path, flags, mode);
}
static inline long sys__close(int fd) {
    return SYS1(__NR_close, fd);
}
static inline long sys__read(int fd, void *to, size_t size) {
    return SYS3(__NR_read, fd, to, size);
}
static inline long sys__pread(int fd, void *to, size_t size, uint64_t offset) {
    return SYS4(__NR_pread64, fd, to, size, offset);
}
static inline long sys__write(int fd, const void *from, size_t size) {
    return SYS3(__NR_write, fd, from, size);
}
static inline uint32_t sys__geteuid(void) {
    return (uint32_t) SYS0(__NR_geteuid);
}
static inline uint32_t sys__getegid(void) {
    return (uint32_t) SYS0(__NR_getegid);
}
/* PR_GET_NO_NEW_PRIVS (linux/prctl.h): 1 after PR_SET_NO_NEW_PRIVS. */
static inline long sys__no_new_privileges(void) {
    return SYS5(__NR_prctl, 39, 0, 0, 0, 0);
}
static inline long sys__fgetxattr(int fd, const char *name, void *to, size_t size) {
    return SYS4(__NR_fgetxattr, fd, name, to, size);
}
static inline long sys__fstatfs(int fd, struct sys_statfs *to) {
    return SYS2(__NR_fstatfs, fd, to);
}
static inline long sys__fstat(int fd, struct sys_stat *stat) {
    return SYS2(__NR_fstat, fd, stat);
}
static inline long sys__stat(const char *path, struct sys_stat *stat) {
    return SYS4(__NR_newfstatat, AT_FDCWD, path, stat, 0);
}
static inline long sys__statat(int folder, const char *path, struct sys_stat *stat) {
    return SYS4(__NR_newfstatat, folder, path, stat, 0);
}
static inline long sys__readlinkat(int folder, const char *path, char *to, size_t size) {
    return SYS4(__NR_readlinkat, folder, path, to, size);
}
static inline long sys__getdents64(int fd, void *to, size_t size) {
    return SYS3(__NR_getdents64, fd, to, size);
}
static inline long sys__ioctl(int fd, unsigned long request, void *argument) {
    return SYS3(__NR_ioctl, fd, request, argument);
}
static inline long sys__mmap(void *at, size_t size, int protection, int flags, int fd,
                             uint64_t offset) {
    return SYS6(__NR_mmap, at, size, protection, flags, fd, offset);
}
static inline long sys__munmap(void *at, size_t size) {
    return SYS2(__NR_munmap, at, size);
}
static inline long sys__mprotect(void *at, size_t size, int protection) {
    return SYS3(__NR_mprotect, at, size, protection);
}
static inline long sys__madvise(void *at, size_t size, int advice) {
    return SYS3(__NR_madvise, at, size, advice);
}
static inline long sys__clock_gettime(int clock, struct sys_timespec *time) {
    return SYS2(__NR_clock_gettime, clock, time);
}
/* Comes back early at a signal. */
static inline long sys__nanosleep(const struct sys_timespec *time) {
    return SYS2(__NR_nanosleep, time, NULL);
}
static inline long sys__sched_yield(void) {
    return SYS0(__NR_sched_yield);
}

#define SYS_IS_ERROR(result) ((unsigned long) (result) >= (unsigned long) -4095L)

#endif
