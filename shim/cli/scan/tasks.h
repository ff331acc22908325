/*
 * The threads of one process and the namespaces that each is in, as /proc has them at this moment.
 * Called by `nsdrift scan`. Threads come and go meanwhile: what ended before it could be read is
 * left out and counted, what may not be read is kept with its error.
 */
#ifndef NSD_CLI_SCAN_TASKS_H
#define NSD_CLI_SCAN_TASKS_H

#include "ledger/kinds.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * In the place of an inode. NEW: of the kind pid_for_children, when it was made by this thread and
 * no process is in it yet; the kernel shows it to nobody until then (pidns_for_children_get in
 * kernel/pid_namespace.c).
 */
#define NSD_TASK_UNKNOWN 0u
#define NSD_TASK_NEW 1u

struct nsd_task {
    pid_t tid;
    int error;        /* errno of the first link that could not be read, 0 if none */
    nsd_kinds unread; /* the kinds that it kept from us */
    uint64_t inode[NSD_KINDS];
};

struct nsd_tasks {
    pid_t pid;
    char name[64];         /* the program's file, else what the leader is called */
    struct nsd_task *task; /* by tid, the leader first where it lives; owned */
    size_t count, room;
    size_t ended;    /* listed, but gone or a zombie before it could be read */
    bool has_leader; /* false: it has ended, and the others live on */
    bool unsettled;  /* the leader was somewhere else each time we looked */
    nsd_kinds kinds; /* that this kernel has and anybody could read */
};

/*
 * 0, else an errno: ESRCH no such process, EACCES nothing of it may be read. Also then the name is
 * filled where it can be, and tasks__free is to be called.
 */
int tasks__read(struct nsd_tasks *tasks, pid_t pid);
void tasks__free(struct nsd_tasks *tasks);

/* What the thread is called; "" if it is gone. */
void tasks__name(pid_t pid, pid_t tid, char *name, size_t size);
/* The process that a number of a thread belongs to; 0 if there is none. */
pid_t tasks__process_of(pid_t tid);

/* What the leader calls itself in its own pid namespace, as gettid tells it. */
uint64_t tasks__own_number(pid_t pid);

/* What threads are held against: the leader's, or where it has ended what most of them have. */
void tasks__reference(const struct nsd_tasks *tasks, uint64_t *inode);
/* The kinds in which this thread is elsewhere; unread ones are not among them. */
nsd_kinds tasks__difference(const struct nsd_tasks *tasks, const struct nsd_task *task,
                            const uint64_t *reference);
/* The kinds in which the leader is alone, while most of the others agree with each other. */
nsd_kinds tasks__odd_leader(const struct nsd_tasks *tasks);

#endif
