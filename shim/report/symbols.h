/*
 * Names of the kernel's constants: flags of the calls that are watched, address families, errno,
 * signals. Called by compose.c, to show a call as a person would write it. Tables only; no libc.
 */
#ifndef NSD_REPORT_SYMBOLS_H
#define NSD_REPORT_SYMBOLS_H

#include "base/text.h"
#include "ledger/calls.h"

/* "EINVAL" for 22 and for -22; NULL if Linux has no such number. */
const char *symbols__errno(int64_t error);
/*
 * Puts the arguments as they stand between the parentheses: "CLONE_NEWNS|CLONE_FS", "5,
 * CLONE_NEWNET", "MS_BIND|MS_REC".
 */
void symbols__arguments(struct nsd_text *text, enum nsd_call call, const uint64_t arguments[5]);

#endif
