/*
 * The threads of one process and their namespaces, as /proc shows them at this moment. Called by
 * `nsdrift scan`. Threads may begin and end during the reading: a thread that ends before it is
 * read is only counted; one that must not be read is kept with its error.
 */
#ifndef NSD_CLI_SCAN_TASKS_H
#define NSD_CLI_SCAN_TASKS_H

#include "ledger/kinds.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Values in the place of an inode. NEW: a pid_for_children that this thread has made and that has
 * no process yet; the kernel does not show its inode before it has one (pidns_for_children_get in
 * kernel/pid_namespace.c).
 */
#define NSD_TASK_UNKNOWN 0u
#define NSD_TASK_NEW 1u

struct nsd_task {
    pid_t tid;
    int error;        /* errno of the first link that could not be read, 0 if none */
    nsd_kinds unread; /* the kinds whose links could not be read */
    uint64_t inode[NSD_KINDS];
};

struct nsd_tasks {
    pid_t pid;
    char name[64];         /* the base name of the program, else the leader's name */
    struct nsd_task *task; /* by tid, the leader first where it lives; owned */
    size_t count, room;
    size_t ended;    /* threads that were listed, but had ended before they could be read */
    bool has_leader; /* false: the leader has ended, and the others live on */
    bool unsettled;  /* the leader moved between all our looks */
    nsd_kinds kinds; /* kinds that this kernel has and that could be read of some thread */
};

/*
 * 0, or an errno: ESRCH if there is no such process, EACCES if nothing of it may be read. In any
 * case the name is filled in if it can be read, and tasks__free must be called.
 */
int tasks__read(struct nsd_tasks *tasks, pid_t pid);
void tasks__free(struct nsd_tasks *tasks);

/* The thread's name; "" if it is gone. */
void tasks__name(pid_t pid, pid_t tid, char *name, size_t size);
/* The process that the thread belongs to; 0 if there is none. */
pid_t tasks__process_of(pid_t tid);

/* The leader's tid in its own pid namespace. */
uint64_t tasks__own_number(pid_t pid);

/*
 * The inodes that threads are compared with: the leader's, or, if it has ended, those of most
 * threads.
 */
void tasks__reference(const struct nsd_tasks *tasks, uint64_t *inode);
/* The kinds in which this thread differs. Kinds that could not be read are left out. */
nsd_kinds tasks__difference(const struct nsd_tasks *tasks, const struct nsd_task *task,
                            const uint64_t *reference);
/* The kinds in which the leader differs from most of the others, which agree with each other. */
nsd_kinds tasks__odd_leader(const struct nsd_tasks *tasks);

#endif
