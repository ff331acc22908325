/*
 * Every libc function that is wrapped, as one table. From it come the prototypes, the slots of the
 * next definitions, the number of functions in the closing line, the stand-ins and the export map
 * (nsdrift.map.in). The file holds macros alone, because the preprocessor makes the export map.
 */
#ifndef NSD_HOST_LIBC_FUNCTION_TABLE_H
#define NSD_HOST_LIBC_FUNCTION_TABLE_H

/*
 * X(result, name, parameters, row, stand-in). Prototypes are our own, with the argument passing of
 * the real ones: libc's headers would bring its macros, aliases and structs, and there are two
 * libcs.
 *
 * row       the row of shim/calls/table.h that gives the call its meaning; NONE: there is no row
 * stand-in  what is called in a libc without this function (an older glibc, musl). CALL: the system
 *           call of the same name, because the function does nothing else; OWN: stand_in_NAME in
 *           stand_ins.c; NONE: every libc has the function, or the call fails with ENOSYS
 */
#define NSD_FUNCTION_TABLE(X)                                                                      \
    X(int, setns, (int fd, int type), setns, CALL)                                                 \
    X(int, unshare, (int flags), unshare, CALL)                                                    \
    X(int, mount,                                                                                  \
      (const char *source, const char *target, const char *type, unsigned long flags,              \
       const void *data),                                                                          \
      mount, NONE)                                                                                 \
    X(int, umount, (const char *target), umount, NONE)                                             \
    X(int, umount2, (const char *target, int flags), umount2, NONE)                                \
    X(int, pivot_root, (const char *root, const char *old), pivot_root, CALL)                      \
    X(int, chroot, (const char *path), chroot, NONE)                                               \
    X(int, open_tree, (int folder, const char *path, unsigned flags), open_tree, CALL)             \
    X(int, move_mount,                                                                             \
      (int from_folder, const char *from, int to_folder, const char *to, unsigned flags),          \
      move_mount, CALL)                                                                            \
    X(int, fsmount, (int fd, unsigned flags, unsigned attributes), fsmount, CALL)                  \
    X(int, mount_setattr,                                                                          \
      (int folder, const char *path, unsigned flags, void *attributes, size_t size),               \
      mount_setattr, CALL)                                                                         \
    X(int, socket, (int family, int type, int protocol), socket, NONE)                             \
    X(int, sethostname, (const char *name, size_t length), sethostname, NONE)                      \
    X(int, setdomainname, (const char *name, size_t length), setdomainname, NONE)                  \
    X(int, shmget, (int key, size_t size, int flags), shmget, NONE)                                \
    X(int, semget, (int key, int count, int flags), semget, NONE)                                  \
    X(int, msgget, (int key, int flags), msgget, NONE)                                             \
    X(int, mq_open, (const char *name, int flags, ...), mq_open, NONE)                             \
    X(int, __mq_open_2, (const char *name, int flags), mq_open, OWN)                               \
    /* pthread_t and thrd_t are a word each */                                                     \
    X(int, pthread_create,                                                                         \
      (unsigned long *thread, const void *attributes, void *(*routine)(void *), void *argument),   \
      pthread_create, OWN)                                                                         \
    X(_Noreturn void, pthread_exit, (void *value), pthread_exit, OWN)                              \
    X(int, thrd_create, (unsigned long *thread, int (*routine)(void *), void *argument),           \
      pthread_create, OWN)                                                                         \
    X(_Noreturn void, thrd_exit, (int value), pthread_exit, OWN)                                   \
    X(int, fork, (void), fork, NONE)                                                               \
    X(int, _Fork, (void), fork, OWN)                                                               \
    X(__attribute__((returns_twice)) int, vfork, (void), vfork, NONE)                              \
    X(int, clone, (int (*function)(void *), void *stack, int flags, void *argument, ...), clone,   \
      NONE)                                                                                        \
    X(int, posix_spawn,                                                                            \
      (int *pid, const char *path, const void *actions, const void *attributes,                    \
       char *const list[], char *const environment[]),                                             \
      posix_spawn, OWN)                                                                            \
    X(int, posix_spawnp,                                                                           \
      (int *pid, const char *file, const void *actions, const void *attributes,                    \
       char *const list[], char *const environment[]),                                             \
      posix_spawn, OWN)                                                                            \
    X(int, system, (const char *command), system, NONE)                                            \
    X(void *, popen, (const char *command, const char *mode), popen, NONE)                         \
    X(int, execl, (const char *path, const char *first, ...), execve, NONE)                        \
    X(int, execle, (const char *path, const char *first, ...), execve, NONE)                       \
    X(int, execlp, (const char *file, const char *first, ...), execve, NONE)                       \
    X(int, execv, (const char *path, char *const list[]), execve, NONE)                            \
    X(int, execve, (const char *path, char *const list[], char *const environment[]), execve,      \
      NONE)                                                                                        \
    X(int, execvp, (const char *file, char *const list[]), execve, NONE)                           \
    X(int, execvpe, (const char *file, char *const list[], char *const environment[]), execve,     \
      NONE)                                                                                        \
    X(int, execveat,                                                                               \
      (int folder, const char *path, char *const list[], char *const environment[], int flags),    \
      execveat, CALL)                                                                              \
    X(int, fexecve, (int fd, char *const list[], char *const environment[]), execve, NONE)         \
    X(_Noreturn void, exit, (int status), exit_by_handlers, OWN)                                   \
    X(_Noreturn void, _exit, (int status), exit_group, OWN)                                        \
    X(_Noreturn void, _Exit, (int status), exit_group, OWN)                                        \
    X(_Noreturn void, quick_exit, (int status), quick_exit, OWN)                                   \
    X(long, syscall, (long number, ...), NONE, NONE)                                               \
    X(int, open, (const char *path, int flags, ...), open, NONE)                                   \
    X(int, open64, (const char *path, int flags, ...), open, OWN)                                  \
    X(int, __open_2, (const char *path, int flags), open, OWN)                                     \
    X(int, __open64_2, (const char *path, int flags), open, OWN)                                   \
    X(int, openat, (int folder, const char *path, int flags, ...), openat, NONE)                   \
    X(int, openat64, (int folder, const char *path, int flags, ...), openat, OWN)                  \
    X(int, __openat_2, (int folder, const char *path, int flags), openat, OWN)                     \
    X(int, __openat64_2, (int folder, const char *path, int flags), openat, OWN)                   \
    X(int, openat2, (int folder, const char *path, const void *how, size_t size), openat2, CALL)   \
    X(int, dup, (int fd), dup, NONE)                                                               \
    X(int, dup2, (int fd, int as), dup2, NONE)                                                     \
    X(int, dup3, (int fd, int as, int flags), dup3, CALL)                                          \
    X(int, fcntl, (int fd, int command, ...), fcntl, NONE)                                         \
    X(int, fcntl64, (int fd, int command, ...), fcntl, OWN)                                        \
    X(int, close, (int fd), close, NONE)                                                           \
    X(int, close_range, (unsigned first, unsigned last, int flags), close_range, CALL)             \
    X(int, sigaction, (int number, const struct nsd_action *set, struct nsd_action *old),          \
      rt_sigaction, NONE)                                                                          \
    X(int, __sigaction, (int number, const struct nsd_action *set, struct nsd_action *old),        \
      rt_sigaction, OWN)                                                                           \
    X(nsd_handler *, signal, (int number, nsd_handler *handler), rt_sigaction, NONE)               \
    X(nsd_handler *, bsd_signal, (int number, nsd_handler *handler), rt_sigaction, OWN)            \
    X(nsd_handler *, ssignal, (int number, nsd_handler *handler), rt_sigaction, OWN)               \
    X(nsd_handler *, sysv_signal, (int number, nsd_handler *handler), rt_sigaction, NONE)          \
    X(nsd_handler *, __sysv_signal, (int number, nsd_handler *handler), rt_sigaction, NONE)        \
    X(int, prctl, (int option, ...), prctl, NONE)                                                  \
    X(void *, dlsym, (void *handle, const char *name), NONE, OWN)                                  \
    X(void *, dlvsym, (void *handle, const char *name, const char *version), NONE, OWN)

#endif
