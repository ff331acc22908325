/*
 * What the intake's lock guards, and what its owner is in the middle of. For the files of this room
 * alone; the lock itself is taken by inside.h.
 */
#ifndef NSD_INTAKE_GUARDED_H
#define NSD_INTAKE_GUARDED_H

#include "base/lock.h"
#include "ledger/ledger.h"
#include "rules/rules.h"

/*
 * What the lock's owner is in the middle of, for those who find that it has left or that they have
 * interrupted it:
 *
 *     idle      the ledger is whole, and nobody holds a pointer into it
 *     changing  recording, ledger or rules are half-changed
 *     printing  the report's buffers and its stack are in use; the ledger is whole
 */
enum nsd_work { NSD_WORK_IDLE, NSD_WORK_CHANGING, NSD_WORK_PRINTING };

struct nsd_intake {
    struct nsd_lock lock;
    struct nsd_ledger ledger;     /* guarded by the lock */
    struct nsd_findings findings; /* guarded by the lock */
    bool has_ended;               /* the image's last report is made; guarded by the lock */
    /*
     * An owner left in the middle of a change: events still go into the recording, the ledger and
     * the rules are left alone. Guarded by the lock.
     */
    bool is_damaged;
    /* enum nsd_work. Relaxed: a handler on the owner's own thread reads it, or the next owner. */
    _Atomic uint8_t work;
    /* Events that could not be recorded. Relaxed: a counter, nothing is published by it. */
    _Atomic uint64_t lost;
};
extern struct nsd_intake intake;

static inline enum nsd_work guarded__work(void) {
    return (enum nsd_work) atomic_load_explicit(&intake.work, memory_order_relaxed);
}

/*
 * Returns what was set before. The fences keep the compiler from moving a change out of its mark.
 */
static inline enum nsd_work guarded__set_work(enum nsd_work work) {
    enum nsd_work before = guarded__work();

    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&intake.work, (uint8_t) work, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    return before;
}

/*
 * The stacks on which reports are made. The second one serves a signal handler that interrupts a
 * report and asks for one: the interrupted report still stands on the first, and the handler may.
 */
#define NSD_REPORT_STACKS 2u
#define NSD_REPORT_STACK (96u * 1024u)
extern char nsd_report_stack[NSD_REPORT_STACKS][NSD_REPORT_STACK];

static inline bool guarded__is_report_stack(uintptr_t address) {
    return address - (uintptr_t) nsd_report_stack < sizeof nsd_report_stack;
}

static inline void guarded__count_lost(void) {
    atomic_fetch_add_explicit(&intake.lost, 1, memory_order_relaxed);
}
/* All that was lost in this image, by whichever part of the guest. */
uint64_t guarded__lost(void);

#endif
