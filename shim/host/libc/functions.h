/*
 * Every libc function that is wrapped, as one table: names, slots of the next definitions, their
 * number in the coverage and the export map all go by it. Read by the wrappers of this folder and
 * by the machine's assembly beside it. Safe everywhere: no libc, no lock.
 */
#ifndef NSD_HOST_LIBC_FUNCTIONS_H
#define NSD_HOST_LIBC_FUNCTIONS_H

#include <stdatomic.h>
#include <stddef.h>

/*
 * X(name, group): the group is the file that holds the wrapper. A new row needs a wrapper there, a
 * line in shim/nsdrift.map, and a stand-in (stand_ins.c) where some libc does not have it.
 */
#define NSD_FUNCTION_TABLE(X)                                                                      \
    X(setns, namespaces)                                                                           \
    X(unshare, namespaces)                                                                         \
    X(mount, mounts)                                                                               \
    X(umount, mounts)                                                                              \
    X(umount2, mounts)                                                                             \
    X(pivot_root, mounts)                                                                          \
    X(chroot, mounts)                                                                              \
    X(open_tree, mounts)                                                                           \
    X(move_mount, mounts)                                                                          \
    X(fsmount, mounts)                                                                             \
    X(mount_setattr, mounts)                                                                       \
    X(pthread_create, threads)                                                                     \
    X(pthread_exit, threads)                                                                       \
    X(thrd_create, threads)                                                                        \
    X(thrd_exit, threads)                                                                          \
    X(fork, processes)                                                                             \
    X(_Fork, processes)                                                                            \
    X(vfork, processes)                                                                            \
    X(clone, processes)                                                                            \
    X(posix_spawn, processes)                                                                      \
    X(posix_spawnp, processes)                                                                     \
    X(execl, exec)                                                                                 \
    X(execle, exec)                                                                                \
    X(execlp, exec)                                                                                \
    X(execv, exec)                                                                                 \
    X(execve, exec)                                                                                \
    X(execvp, exec)                                                                                \
    X(execvpe, exec)                                                                               \
    X(execveat, exec)                                                                              \
    X(fexecve, exec)                                                                               \
    X(exit, exits)                                                                                 \
    X(_exit, exits)                                                                                \
    X(_Exit, exits)                                                                                \
    X(quick_exit, exits)                                                                           \
    X(syscall, by_number)                                                                          \
    X(open, descriptors)                                                                           \
    X(open64, descriptors)                                                                         \
    X(__open_2, descriptors)                                                                       \
    X(__open64_2, descriptors)                                                                     \
    X(openat, descriptors)                                                                         \
    X(openat64, descriptors)                                                                       \
    X(__openat_2, descriptors)                                                                     \
    X(__openat64_2, descriptors)                                                                   \
    X(dup, descriptors)                                                                            \
    X(dup2, descriptors)                                                                           \
    X(dup3, descriptors)                                                                           \
    X(fcntl, descriptors)                                                                          \
    X(fcntl64, descriptors)                                                                        \
    X(close, descriptors)                                                                          \
    X(close_range, descriptors)                                                                    \
    X(socket, descriptors)                                                                         \
    X(sigaction, actions)                                                                          \
    X(__sigaction, actions)                                                                        \
    X(signal, actions)                                                                             \
    X(bsd_signal, actions)                                                                         \
    X(ssignal, actions)                                                                            \
    X(sysv_signal, actions)                                                                        \
    X(__sysv_signal, actions)                                                                      \
    X(prctl, filters)                                                                              \
    X(dlsym, lookups)                                                                              \
    X(dlvsym, lookups)

enum nsd_function {
#define X(name, group) NSD_FUNCTION_##name,
    NSD_FUNCTION_TABLE(X)
#undef X
        NSD_FUNCTIONS
};

/* Everything that the host may see of us is marked by this and stands in nsdrift.map. */
#define NSD_EXPORT __attribute__((visibility("default")))

/* Next definitions found so far; also read by the assembly. */
extern void *_Atomic functions_next[NSD_FUNCTIONS] __attribute__((visibility("hidden")));

/* The next definition, looked up once and kept; NULL if none is known or can be found. */
void *functions__definition(enum nsd_function function);
/* NSD_FUNCTIONS if the name is not wrapped. */
enum nsd_function functions__by_name(const char *name);
/* Our wrapper of it, as the loader would give it to others. */
void *functions__wrapper(enum nsd_function function);
/* How many there are, for the coverage line. */
unsigned functions__count(void);

#endif
