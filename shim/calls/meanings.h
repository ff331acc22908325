/*
 * The functions that the rows of table.h name, and what they share. For the files of this room
 * alone: each function is declared beside the file that holds it, and is called through its row.
 */
#ifndef NSD_CALLS_MEANINGS_H
#define NSD_CALLS_MEANINGS_H

#include "calls/calls.h"

/* ---- prepare.c ---- */

/* Asks the entrance who calls; the answer is in ongoing->is_ours too. */
static inline bool calls__is_ours(struct nsd_ongoing *ongoing) {
    return ongoing->is_ours = ongoing->entrance->is_ours(ongoing);
}
/* After the call: the answer from before it, where that was kept. */
static inline bool calls__is_still_ours(struct nsd_ongoing *ongoing) {
    return ongoing->entrance->keeps ? ongoing->is_ours : calls__is_ours(ongoing);
}

/*
 * Prepares an event of this kind by the caller: time, arguments, goroutine, lock. False: nothing is
 * to be recorded.
 */
bool calls__prepare(struct nsd_ongoing *ongoing, enum nsd_call call);
/* The same with the row's event and the caller's stack. */
bool calls__prepare_whole(struct nsd_ongoing *ongoing);
/* Before the call: that, where the entrance can keep it. */
void calls__prepare_event(struct nsd_ongoing *ongoing);

/* After the call, where nothing was kept: the whole event, if the call can matter now. */
bool calls__prepare_late(struct nsd_ongoing *ongoing);
/* After the call: true if there is an event, kept or prepared now. */
static inline bool calls__has_event(struct nsd_ongoing *ongoing) {
    return ongoing->entrance->keeps ? ongoing->is_prepared : calls__prepare_late(ongoing);
}
/* Hands the event in with the call's result. */
static inline void calls__hand_in(struct nsd_ongoing *ongoing) {
    ongoing->event.result = ongoing->result;
    submit__event(&ongoing->event);
}
/* The last two in one: all that most rows need. */
void calls__record(struct nsd_ongoing *ongoing);

/* ---- namespaces.c ---- */
void calls__before_setns(struct nsd_ongoing *ongoing);
void calls__after_setns(struct nsd_ongoing *ongoing);
void calls__before_unshare(struct nsd_ongoing *ongoing);
void calls__after_unshare(struct nsd_ongoing *ongoing);
void calls__before_socket(struct nsd_ongoing *ongoing);
void calls__after_socket(struct nsd_ongoing *ongoing);

/* ---- opening.c ---- */
void calls__after_open(struct nsd_ongoing *ongoing);
void calls__after_open_tree(struct nsd_ongoing *ongoing);
void calls__after_fsmount(struct nsd_ongoing *ongoing);
void calls__after_dup(struct nsd_ongoing *ongoing);
void calls__after_fcntl(struct nsd_ongoing *ongoing);
void calls__before_close(struct nsd_ongoing *ongoing);
void calls__before_close_range(struct nsd_ongoing *ongoing);

/* ---- processes.c ---- */
void calls__before_fork(struct nsd_ongoing *ongoing);
void calls__after_fork(struct nsd_ongoing *ongoing);
void calls__before_spawn(struct nsd_ongoing *ongoing);
void calls__after_spawn(struct nsd_ongoing *ongoing);
void calls__before_system(struct nsd_ongoing *ongoing);
void calls__after_system(struct nsd_ongoing *ongoing);

/* ---- exec.c ---- */
void calls__before_exec(struct nsd_ongoing *ongoing);
void calls__after_exec(struct nsd_ongoing *ongoing);
/* A vfork child with this key is gone: what its exec still held is given back. */
void exec__reclaim(uintptr_t key);

/* ---- exits.c ---- */
void calls__before_end(struct nsd_ongoing *ongoing);
void calls__before_raise(struct nsd_ongoing *ongoing);
void calls__before_handlers(struct nsd_ongoing *ongoing);
void calls__before_thread_end(struct nsd_ongoing *ongoing);
void calls__before_report(struct nsd_ongoing *ongoing);

/* ---- births.c ---- */
void calls__before_create(struct nsd_ongoing *ongoing);
void calls__after_create(struct nsd_ongoing *ongoing);
void calls__before_thread_exit(struct nsd_ongoing *ongoing);

/* ---- seccomp.c, signals.c ---- */
void calls__before_filter(struct nsd_ongoing *ongoing);
void calls__after_filter(struct nsd_ongoing *ongoing);
void calls__before_sigaction(struct nsd_ongoing *ongoing);

#endif
