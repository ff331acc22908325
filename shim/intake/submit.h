/*
 * The one door through which probes hand in events: lock, ledger, rules; or, if the lock cannot be
 * had, a bounded queue that the next holder empties. Called from every hook and wrapper, also in
 * signal handlers; never in a vfork child.
 */
#ifndef NSD_INTAKE_SUBMIT_H
#define NSD_INTAKE_SUBMIT_H

#include "ledger/event.h"
#include "rules/rules.h"
#include <stddef.h>

struct nsdrift_drift;

/* Fills what every event has (time, tid, call, runtime THREADS); everything else is zero. */
void submit__prepare(struct nsd_event *event, enum nsd_call call, int32_t tid);
void submit__event(const struct nsd_event *event);
/*
 * As submit__event, for the event that ends the image or occasions a report: then judges, and
 * writes the report. May be called from a hook of exec, exit, exit_group or a signal handler.
 */
void submit__report(const struct nsd_event *event, enum nsd_occasion occasion);
/* The exec of the last submit__report(EXEC) came back with this negative errno. */
void submit__exec_failed(int32_t tid, int64_t error);

/*
 * Before a setns or unshare of these kinds by thread `tid` (the caller): looks up and hands in the
 * identities of the namespaces it stands in, where the ledger has none yet. Costs nothing once they
 * are known; call it on every one.
 */
void submit__observe(int32_t tid, nsd_kinds kinds);
/* That was done for these kinds, and still holds; one load. */
bool submit__is_observed(int32_t tid, nsd_kinds kinds);

/*
 * An unshare by a flag that is not known has succeeded: event->identity[] says where its thread stands
 * now, in every kind that could be read. Adds to event->kinds those in which the ledger has it
 * elsewhere, and empties identity[].
 */
void submit__add_changed(struct nsd_event *event);

/*
 * What a probe may ask of the ledger without the lock (plain reads of words that only grow):
 */
/* Any thread ever switched in this image: before that most probes have nothing to do. */
bool submit__any_switch(void);
/* A descriptor that leads to a namespace is known: close and dup matter now. */
bool submit__any_descriptor(void);
/*
 * A runtime above threads, as far as the door must know one: made known by its probe at start,
 * while the process has one thread.
 */
struct nsd_language {
    /* Fills runtime, goroutine, lock and lock_epoch of what runs on this thread now; false: it is
     * none of this runtime's. */
    bool (*identify)(int32_t tid, struct nsd_event *event);
    /* Descriptors that lead to namespaces are known: close and dup matter from now on. */
    void (*watch_descriptors)(void);
    /* A stack of C code with that behind it of the language which called C; itself, if none did. */
    const struct nsd_frames *(*behind_c)(int32_t tid, const struct nsd_frames *frames);
};
void submit__set_language(const struct nsd_language *language);
/* identify of the language that is known; false without one. */
bool submit__identify(int32_t tid, struct nsd_event *event);
bool submit__has_language(void);
/* behind_c of the language that is known. */
const struct nsd_frames *submit__behind_c(int32_t tid, const struct nsd_frames *frames);

/* Something has been found in this image. */
bool submit__has_findings(void);
/* For the recording, which keeps them; under the lock, or before there is a second thread. */
const struct nsd_findings *submit__findings(void);
/* A birth token for a THREAD_CREATE/THREAD_BORN pair. */
uint32_t submit__new_token(void);
/* An event could not be recorded (no hook stack, no memory). */
void submit__count_lost(void);

/* nsdrift_check: see include/nsdrift.h. */
size_t submit__drift(struct nsdrift_drift *drift, size_t room);

/* At start, and in a fork child: an empty ledger with the caller as its only thread. */
void submit__begin(int32_t pid, int32_t tid);
/* Before the host forbids system calls of ours: memory for what comes later. */
void submit__reserve(int32_t tid);

#endif
