/*
 * The look at what the kernel says: every thread's namespaces under /proc/self/task, held against
 * the ledger at a report; and a word of another thread's stack, for visits. Called by submit.c
 * under the ledger's lock.
 */
#ifndef NSD_HOST_LOOK_H
#define NSD_HOST_LOOK_H

#include "report/report.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Compares all threads and kinds, and lets the ledger learn identities that it did not know. What
 * differs is looked at three times before it counts: threads move while one looks.
 */
enum nsd_cross_check look__cross_check(struct nsd_ledger *ledger);

/*
 * The word at `address` of thread `tid`'s stack; its own thread's below `stack_pointer` is gone and
 * answers false, as does memory that is not there. See nsd_read_word in the ledger.
 */
bool look__read_word(void *context, int32_t tid, uint64_t address, uint64_t stack_pointer,
                     uint64_t *value);

#endif
