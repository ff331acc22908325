/*
 * A recorded image over time: its threads with their lives, and each event with the namespaces that
 * its thread was in. Filled by replayed.c during the replay; read by the table of threads and the
 * trace.
 */
#ifndef NSD_CLI_READ_TIMELINE_H
#define NSD_CLI_READ_TIMELINE_H

#include "base/text.h"
#include "ledger/ledger.h"
#include <stdbool.h>
#include <stdint.h>

/* Times are nanoseconds since 1970. */

#define NSD_MOMENT_KINDS (NSD_KINDS + 2) /* kinds, and the marks private fs and private files */

struct nsd_life {
    int32_t tid;
    int32_t parent_tid; /* 0 unknown */
    uint32_t parent;    /* 1 + index of its creator's life, 0 unknown */
    uint32_t first;     /* 1 + index of its first moment, 0: none */
    uint32_t moments;   /* how many */
    uint64_t created;   /* when the creator made its call; 0 unknown */
    uint64_t began, ended;
    bool main_thread;
    bool seen_born, seen_dying;
};

struct nsd_moment {
    uint64_t time;
    int64_t goroutine;         /* 0 none or unknown */
    const char *what;          /* "unshare(CLONE_NEWNS) = 0" */
    const char *at;            /* "launcher.go:35", NULL unknown */
    uint32_t label[NSD_KINDS]; /* of the kinds in `away` and `moved`: see timeline__put_namespace */
    uint32_t life;             /* index */
    uint32_t next;             /* 1 + index of the same life's next moment, 0: none */
    int32_t other_tid;         /* 0 none */
    nsd_kinds away;            /* kinds (and marks) in which the thread is away from home */
    nsd_kinds moved;           /* kinds in which the only thread took the whole process along */
    uint16_t call;             /* enum nsd_call */
    uint8_t lock;              /* enum nsd_lock_state */
    uint8_t runtime;           /* enum nsd_runtime */
    bool failed;
    bool after_gap; /* events were overwritten before this one */
};

/* A finding, at the time when it was made. */
struct nsd_timeline_finding {
    uint64_t time;
    const char *rule, *severity, *message;
    int32_t tid;
};

struct nsd_timeline {
    struct nsd_timeline *next;
    int32_t pid;
    uint64_t pid_ns;
    char *program; /* owned, and so is what the pointers above lead to */
    uint64_t began, ended;
    const char *end; /* "exit", "exec", "killed" */
    bool has_locks;  /* some event tells of a goroutine or a lock */
    uint64_t overwritten;
    struct nsd_life *life;
    uint32_t lives;
    struct nsd_moment *moment; /* in the order in which they were seen */
    uint32_t moments;
    struct nsd_timeline_finding *finding;
    uint32_t findings;
    /* while it is filled */
    uint32_t lives_room, moments_room, findings_room;
    uint64_t *inode; /* by label number */
    uint32_t inodes;
    struct nsd_timeline_work *work;
};

struct nsd_timeline *timeline__begin(int32_t pid, uint64_t pid_ns, const char *program,
                                     uint64_t began);
/* `what` and `at` are copied; `at` may be NULL. `after_gap`: see nsd_moment. */
void timeline__event(struct nsd_timeline *timeline, const struct nsd_ledger *ledger,
                     const struct nsd_event *event, const struct nsd_change *change, uint64_t time,
                     const char *what, const char *at, bool after_gap);
void timeline__finding(struct nsd_timeline *timeline, uint64_t time, int32_t tid, const char *rule,
                       const char *severity, const char *message);
/*
 * After the last event: takes over the inodes that the ledger knows by now, and ends the lives that
 * have no end.
 */
void timeline__finish(struct nsd_timeline *timeline, struct nsd_ledger *ledger, uint64_t ended,
                      const char *end);
void timeline__free(struct nsd_timeline *timeline);

/*
 * "4026531836" for a namespace whose inode is known; "#3" for one that was never looked up, by the
 * ledger's own number; "?" for none.
 */
void timeline__put_namespace(struct nsd_text *text, const struct nsd_timeline *timeline,
                             uint32_t label);
/* "locked", "unlocked", ...: NULL where the thread's runtime has no such thing. */
const char *timeline__lock_word(uint8_t lock);
/* "mnt", ... "private files" of bit 0..NSD_MOMENT_KINDS-1. */
const char *timeline__kind_word(unsigned kind);

#endif
