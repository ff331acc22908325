/*
 * The ledger room: which thread is in which namespace, since when, by which call.
 *
 * In: events (event.h), one at a time, in the order in which the intake applies them. Out: the
 * records (state.h), which rules and reports read, and for each event what it changed (struct
 * nsd_change). One unshare of a thread, step by step:
 *
 *     ledger.c       finds or registers the thread, dispatches by the call's effect (calls.h)
 *     lives.c        births and deaths of threads           threads.h      the records of threads
 *     targets.c      the namespace that the call leads to   labels.h       names of namespaces
 *     switching.c    puts the thread there, or moves home   home.h         where threads belong
 *     switches.c     opens or closes a record of type struct nsd_switch for the departure
 *     visits.c       one-to-one threads: was a departure meant to end, and is its function over?
 *     dependence.c   calls on other threads that a rule will pair with a departure
 *     opening.c      descriptors of namespaces              descriptors.h  the records of them
 *     frames.c       stacks, each kept once, lock-free: the only part that is called without the
 *                    ledger's lock
 *
 * The ledger is a state machine over events. It makes no system call (the heap and frames.c map
 * memory) and follows no pointer of the host; visits read the host's stacks through a function that
 * the caller sets. So it gives the same answers in the host and over a recording.
 *
 * Called by the intake, the rules, the reports and the replay of recordings, by the owner of the
 * ledger's lock. A signal handler may call it if it got the lock; a vfork child must not; a fork
 * child begins a new ledger. It must not know how an event was seen.
 */
#ifndef NSD_LEDGER_LEDGER_H
#define NSD_LEDGER_LEDGER_H

#include "ledger/state.h"

/*
 * Begins a process image whose thread `tid` runs; `pid` is the leader. The struct must be all zero
 * at its first use. Records of an earlier image are forgotten and not given back to the arena: in
 * a fork child they may be half written. To give them back, call ledger__end first.
 */
void ledger__begin(struct nsd_ledger *ledger, int32_t pid, int32_t tid, enum nsd_runtime runtime);
/* Gives all records back to the arena; the struct is then all zero. */
void ledger__end(struct nsd_ledger *ledger);
/* Sets the function that visits read stacks with (visits.h). NULL: over a recording. */
void ledger__set_reader(struct nsd_ledger *ledger, nsd_read_word read_word, void *context);
/* Applies one event. `change` is filled, and valid until the next event. */
void ledger__apply(struct nsd_ledger *ledger, const struct nsd_event *event,
                   struct nsd_change *change);

#endif
