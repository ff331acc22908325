/*
 * The intake: the one door through which every event enters.
 *
 * In come events that the entrances have seen (shim/calls fills them) and the request for the last
 * report (last_words.h). Each event goes, under one lock, into the recording, the ledger and the
 * rules. Out comes the report. Callers may ask two cheap questions: did any thread ever switch,
 * does any descriptor lead to a namespace? As long as the answer is no, most calls need no event.
 *
 * Called from every hook and wrapper, also in signal handlers and on hook stacks; never in a vfork
 * child. No wait: a thread that cannot have the lock leaves its event in a queue (queue.h), and the
 * lock's owner takes it in. The intake knows no entrance.
 */
#ifndef NSD_INTAKE_SUBMIT_H
#define NSD_INTAKE_SUBMIT_H

#include "ledger/event.h"
#include "rules/rules.h"
#include <stddef.h>

struct nsdrift_drift;

/*
 * Fills what every event has: time, tid, call, the call's kinds, runtime THREADS; the rest is zero.
 */
void submit__prepare(struct nsd_event *event, enum nsd_call call, int32_t tid);
void submit__event(const struct nsd_event *event);

/*
 * Called by thread `tid` before its setns or unshare of these kinds. Asks the kernel which
 * namespaces the thread is in, in the kinds that the ledger does not know yet, and hands the answer
 * in. May be called each time: one load if all are known.
 */
void submit__observe(int32_t tid, nsd_kinds kinds);

/*
 * An unshare with a flag that is not known has succeeded: event->identity[] holds the namespaces
 * that its thread is in now, in every kind that could be read. Adds to event->kinds those kinds in
 * which the ledger has the thread elsewhere, and empties identity[].
 */
void submit__add_changed(struct nsd_event *event);

/* Any thread ever switched in this image. One load. */
bool submit__any_switch(void);
/* A descriptor that leads to a namespace is known: close and dup matter now. One load. */
bool submit__any_descriptor(void);
/* Something has been found in this image. */
bool submit__has_findings(void);
/* For the recording, which keeps them; under the lock, or before there is a second thread. */
const struct nsd_findings *submit__findings(void);
/* A birth token for a THREAD_CREATE/THREAD_BORN pair; never 0. */
uint32_t submit__new_token(void);
/* An event could not be recorded (no hook stack, no memory, a full queue). */
void submit__count_lost(void);

/*
 * nsdrift_check (include/nsdrift.h): how many threads are away from home (ledger/home.h), the first
 * `room` of them in `drift`. `tid` is the caller's. 0 where the lock is not free.
 */
size_t submit__drift(int32_t tid, struct nsdrift_drift *drift, size_t room);

/* At start, and in a fork child: an empty ledger with the caller as its only thread. */
void submit__begin(int32_t pid, int32_t tid);
/* The lock was not to be had: puts the event into the queue, or counts it as lost. */
void submit__leave(const struct nsd_event *event);

/* Before the host's filter forbids our system calls: maps the memory that later events may need. */
void submit__reserve(int32_t tid);

#endif
