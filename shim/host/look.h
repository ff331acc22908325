/*
 * Comparing the ledger with the kernel at a report: every thread's namespaces under
 * /proc/self/task. And reading a word of another thread's stack, from which the ledger sees whether
 * a visiting function has returned. Called by the intake under its lock.
 */
#ifndef NSD_HOST_LOOK_H
#define NSD_HOST_LOOK_H

#include "report/report.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Compares all threads in all kinds; the ledger learns identities that it did not know. Threads
 * switch during the look: a difference counts when many looks in a row see the same. `between` is
 * called between two looks at a thread that differs, and takes in what the threads have done
 * meanwhile.
 */
enum nsd_cross_check look__cross_check(struct nsd_ledger *ledger, void (*between)(void));

/*
 * The word at `address` of thread `tid`'s stack. False below `stack_pointer`, where the frames have
 * returned, and for memory that is not mapped. See nsd_read_word in the ledger.
 */
bool look__read_word(void *context, int32_t tid, uint64_t address, uint64_t stack_pointer,
                     uint64_t *value);

#endif
