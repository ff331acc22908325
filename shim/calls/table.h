/*
 * The table of calls: what each of them means, one row a call, for all entrances. Only macros stand
 * here, so that C, the preprocessor alone and the tests read the same rows. The functions that rows
 * name are declared in calls/meanings.h; the words of a row are explained below.
 */
#ifndef NSD_CALLS_TABLE_H
#define NSD_CALLS_TABLE_H

/*
 * KERNEL(name, event, arguments, moments, watch, before, after): a system call, __NR_name.
 * LIBRARY(...): a function of a library that is no system call of its own, or more than one.
 * OLD(...): KERNEL on a machine that has this old system call; LIBRARY on a newer one, where libc's
 *     function makes another call (open: openat). calls_machine.h says which (NSD_OLD_CALL).
 *
 * event      NSD_CALL_event (ledger/calls.h): the event of the call, which has its name and kinds
 * arguments  a letter for each argument that the event keeps: d an int (sign-extended), u an
 *            unsigned int, p a pointer, w a word. "": the event keeps none, or `before` or `after`
 *            stores them.
 * moments    when Go's trampolines hand the call over, which keep nothing across it: BEFORE, AFTER,
 *            BOTH; NEVER: they do not see this call. The wrappers of libc keep their struct
 *            nsd_ongoing, and hand every call over before and after it.
 * watch      when the call matters: ALWAYS; SWITCHED: once a thread of this image has switched;
 *            DESCRIPTORS: once a descriptor that leads to a namespace is known;
 *            PATH_1, PATH_2: after a success with a path under /proc or /run as that argument.
 * before,    functions that are called then; NULL: none. The usual pair: calls__prepare_event
 * after      prepares the event before the call if the entrance can keep it; calls__record hands it
 *            in after the call with the result.
 */
#define NSD_TABLE_OF_CALLS(KERNEL, LIBRARY, OLD)                                                   \
    /* namespaces.c */                                                                             \
    KERNEL(setns, SETNS, "du", BOTH, ALWAYS, calls__before_setns, calls__after_setns)              \
    KERNEL(unshare, UNSHARE, "u", BOTH, ALWAYS, calls__before_unshare, calls__after_unshare)       \
    /* calls that depend on the mnt namespace */                                                   \
    KERNEL(mount, MOUNT, "pppwp", AFTER, ALWAYS, calls__prepare_event, calls__record)              \
    LIBRARY(umount, UMOUNT, "p", NEVER, ALWAYS, calls__prepare_event, calls__record)               \
    KERNEL(umount2, UMOUNT2, "pu", AFTER, ALWAYS, calls__prepare_event, calls__record)             \
    KERNEL(pivot_root, PIVOT_ROOT, "pp", AFTER, ALWAYS, calls__prepare_event, calls__record)       \
    KERNEL(chroot, CHROOT, "p", AFTER, ALWAYS, calls__prepare_event, calls__record)                \
    KERNEL(move_mount, MOVE_MOUNT, "dpdpu", AFTER, ALWAYS, calls__prepare_event, calls__record)    \
    KERNEL(mount_setattr, MOUNT_SETATTR, "dpupw", AFTER, ALWAYS, calls__prepare_event,             \
           calls__record)                                                                          \
    KERNEL(open_tree, OPEN_TREE, "dpu", AFTER, ALWAYS, calls__prepare_event,                       \
           calls__after_open_tree)                                                                 \
    KERNEL(fsmount, FSMOUNT, "duu", AFTER, ALWAYS, calls__prepare_event, calls__after_fsmount)     \
    /* calls that depend on the net, uts or ipc namespace */                                       \
    KERNEL(socket, SOCKET, "uuu", AFTER, SWITCHED, calls__before_socket, calls__after_socket)      \
    KERNEL(sethostname, SETHOSTNAME, "pd", AFTER, SWITCHED, calls__prepare_event, calls__record)   \
    KERNEL(setdomainname, SETDOMAINNAME, "pd", AFTER, SWITCHED, calls__prepare_event,              \
           calls__record)                                                                          \
    KERNEL(shmget, SHMGET, "dwd", AFTER, SWITCHED, calls__prepare_event, calls__record)            \
    KERNEL(semget, SEMGET, "ddd", AFTER, SWITCHED, calls__prepare_event, calls__record)            \
    KERNEL(msgget, MSGGET, "dd", AFTER, SWITCHED, calls__prepare_event, calls__record)             \
    KERNEL(mq_open, MQ_OPEN, "pd", AFTER, SWITCHED, calls__prepare_event, calls__record)           \
    /* descriptors that lead to namespaces: opening.c */                                           \
    OLD(open, OPEN, "", AFTER, PATH_1, NULL, calls__after_open)                                    \
    KERNEL(openat, OPEN, "", AFTER, PATH_2, NULL, calls__after_open)                               \
    KERNEL(openat2, OPEN, "", AFTER, PATH_2, NULL, calls__after_open)                              \
    KERNEL(dup, DUP, "d", AFTER, DESCRIPTORS, NULL, calls__after_dup)                              \
    OLD(dup2, DUP, "d", AFTER, DESCRIPTORS, NULL, calls__after_dup)                                \
    KERNEL(dup3, DUP, "d", AFTER, DESCRIPTORS, NULL, calls__after_dup)                             \
    KERNEL(fcntl, DUP, "d", AFTER, DESCRIPTORS, NULL, calls__after_fcntl)                          \
    KERNEL(close, CLOSE, "", BEFORE, DESCRIPTORS, calls__before_close, NULL)                       \
    KERNEL(close_range, CLOSE, "", BEFORE, DESCRIPTORS, calls__before_close_range, NULL)           \
    /* processes.c */                                                                              \
    OLD(fork, FORK, "", BOTH, ALWAYS, calls__before_fork, calls__after_fork)                       \
    OLD(vfork, VFORK, "", BOTH, ALWAYS, calls__before_fork, calls__after_fork)                     \
    KERNEL(clone, CLONE, "", BOTH, ALWAYS, calls__before_fork, calls__after_fork)                  \
    KERNEL(clone3, CLONE3, "", BOTH, ALWAYS, calls__before_fork, calls__after_fork)                \
    LIBRARY(posix_spawn, POSIX_SPAWN, "", NEVER, ALWAYS, calls__before_spawn, calls__after_spawn)  \
    LIBRARY(system, SYSTEM, "", NEVER, ALWAYS, calls__before_system, calls__after_system)          \
    LIBRARY(popen, POPEN, "", NEVER, ALWAYS, calls__prepare_event, calls__record)                  \
    /* exec.c */                                                                                   \
    KERNEL(execve, EXEC, "", BOTH, ALWAYS, calls__before_exec, calls__after_exec)                  \
    KERNEL(execveat, EXEC, "", BOTH, ALWAYS, calls__before_exec, calls__after_exec)                \
    /* exits.c */                                                                                  \
    KERNEL(exit_group, EXIT_GROUP, "d", BEFORE, ALWAYS, calls__before_end, NULL)                   \
    LIBRARY(exit_by_handlers, EXIT, "d", NEVER, ALWAYS, calls__before_handlers, NULL)              \
    LIBRARY(quick_exit, QUICK_EXIT, "d", NEVER, ALWAYS, calls__before_end, NULL)                   \
    LIBRARY(runtime_exit, EXIT, "d", BEFORE, ALWAYS, calls__before_end, NULL)                      \
    LIBRARY(runtime_raise, RAISE, "", BEFORE, ALWAYS, calls__before_raise, NULL)                   \
    KERNEL(exit, THREAD_EXIT, "", BEFORE, ALWAYS, calls__before_thread_end, NULL)                  \
    /* births.c */                                                                                 \
    LIBRARY(pthread_create, THREAD_CREATE, "", NEVER, ALWAYS, calls__before_create,                \
            calls__after_create)                                                                   \
    LIBRARY(pthread_exit, THREAD_EXIT, "", NEVER, ALWAYS, calls__before_thread_exit, NULL)         \
    /* seccomp.c, signals.c */                                                                     \
    KERNEL(prctl, NONE, "", BOTH, ALWAYS, calls__before_filter, calls__after_filter)               \
    KERNEL(seccomp, NONE, "", BOTH, ALWAYS, calls__before_filter, calls__after_filter)             \
    KERNEL(rt_sigaction, NONE, "", NEVER, ALWAYS, calls__before_sigaction, NULL)                   \
    /* include/nsdrift.h */                                                                        \
    LIBRARY(nsdrift_thread_pin, PIN, "", NEVER, ALWAYS, calls__prepare_event, calls__record)       \
    LIBRARY(nsdrift_thread_unpin, UNPIN, "", NEVER, ALWAYS, calls__prepare_event, calls__record)   \
    LIBRARY(nsdrift_report, REPORT, "", NEVER, ALWAYS, calls__before_report, NULL)

#endif
