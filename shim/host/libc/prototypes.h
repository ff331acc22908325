/*
 * Our own prototypes of the wrapped functions, with the argument passing of the real ones: the
 * libc's headers would bring its macros, its aliases and its struct definitions, and there are two
 * libcs. Included by the wrappers and the stand-ins alone.
 */
#ifndef NSD_HOST_LIBC_PROTOTYPES_H
#define NSD_HOST_LIBC_PROTOTYPES_H

#include "host/libc/functions.h"
#include <stddef.h>

/* struct sigaction of glibc and of musl on 64-bit machines. */
struct nsd_action {
    void (*handler)(int);
    unsigned long mask[16];
    int flags;
    void (*restorer)(void);
};
typedef void nsd_handler(int);

/* namespaces.c */
NSD_EXPORT int setns(int fd, int type);
NSD_EXPORT int unshare(int flags);

/* mounts.c */
NSD_EXPORT int mount(const char *source, const char *target, const char *type, unsigned long flags,
                     const void *data);
NSD_EXPORT int umount(const char *target);
NSD_EXPORT int umount2(const char *target, int flags);
NSD_EXPORT int pivot_root(const char *root, const char *old);
NSD_EXPORT int chroot(const char *path);
NSD_EXPORT int open_tree(int folder, const char *path, unsigned flags);
NSD_EXPORT int move_mount(int from_folder, const char *from, int to_folder, const char *to,
                          unsigned flags);
NSD_EXPORT int fsmount(int fd, unsigned flags, unsigned attributes);
NSD_EXPORT int mount_setattr(int folder, const char *path, unsigned flags, void *attributes,
                             size_t size);

/* threads.c: pthread_t and thrd_t are a word each */
NSD_EXPORT int pthread_create(unsigned long *thread, const void *attributes,
                              void *(*routine)(void *), void *argument);
NSD_EXPORT _Noreturn void pthread_exit(void *value);
NSD_EXPORT int thrd_create(unsigned long *thread, int (*routine)(void *), void *argument);
NSD_EXPORT _Noreturn void thrd_exit(int value);

/* processes.c; vfork is the machine's assembly */
NSD_EXPORT int fork(void);
NSD_EXPORT int _Fork(void);
NSD_EXPORT int vfork(void) __attribute__((returns_twice));
NSD_EXPORT int clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
NSD_EXPORT int posix_spawn(int *pid, const char *path, const void *actions, const void *attributes,
                           char *const list[], char *const environment[]);
NSD_EXPORT int posix_spawnp(int *pid, const char *file, const void *actions, const void *attributes,
                            char *const list[], char *const environment[]);

/* exec.c */
NSD_EXPORT int execl(const char *path, const char *first, ...);
NSD_EXPORT int execle(const char *path, const char *first, ...);
NSD_EXPORT int execlp(const char *file, const char *first, ...);
NSD_EXPORT int execv(const char *path, char *const list[]);
NSD_EXPORT int execve(const char *path, char *const list[], char *const environment[]);
NSD_EXPORT int execvp(const char *file, char *const list[]);
NSD_EXPORT int execvpe(const char *file, char *const list[], char *const environment[]);
NSD_EXPORT int execveat(int folder, const char *path, char *const list[], char *const environment[],
                        int flags);
NSD_EXPORT int fexecve(int fd, char *const list[], char *const environment[]);

/* exits.c */
NSD_EXPORT _Noreturn void exit(int status);
NSD_EXPORT _Noreturn void _exit(int status);
NSD_EXPORT _Noreturn void _Exit(int status);
NSD_EXPORT _Noreturn void quick_exit(int status);

/* by_number.c, entered through the machine's assembly */
NSD_EXPORT long syscall(long number, ...);

/* descriptors.c */
NSD_EXPORT int open(const char *path, int flags, ...);
NSD_EXPORT int open64(const char *path, int flags, ...);
NSD_EXPORT int __open_2(const char *path, int flags);
NSD_EXPORT int __open64_2(const char *path, int flags);
NSD_EXPORT int openat(int folder, const char *path, int flags, ...);
NSD_EXPORT int openat64(int folder, const char *path, int flags, ...);
NSD_EXPORT int __openat_2(int folder, const char *path, int flags);
NSD_EXPORT int __openat64_2(int folder, const char *path, int flags);
NSD_EXPORT int dup(int fd);
NSD_EXPORT int dup2(int fd, int as);
NSD_EXPORT int dup3(int fd, int as, int flags);
NSD_EXPORT int fcntl(int fd, int command, ...);
NSD_EXPORT int fcntl64(int fd, int command, ...);
NSD_EXPORT int close(int fd);
NSD_EXPORT int close_range(unsigned first, unsigned last, int flags);
NSD_EXPORT int socket(int family, int type, int protocol);

/* actions.c */
NSD_EXPORT int sigaction(int number, const struct nsd_action *set, struct nsd_action *old);
NSD_EXPORT int __sigaction(int number, const struct nsd_action *set, struct nsd_action *old);
NSD_EXPORT nsd_handler *signal(int number, nsd_handler *handler);
NSD_EXPORT nsd_handler *bsd_signal(int number, nsd_handler *handler);
NSD_EXPORT nsd_handler *ssignal(int number, nsd_handler *handler);
NSD_EXPORT nsd_handler *sysv_signal(int number, nsd_handler *handler);
NSD_EXPORT nsd_handler *__sysv_signal(int number, nsd_handler *handler);

/* filters.c */
NSD_EXPORT int prctl(int option, ...);

/* lookups.c, entered through the machine's assembly */
NSD_EXPORT void *dlsym(void *handle, const char *name);
NSD_EXPORT void *dlvsym(void *handle, const char *name, const char *version);

#endif
