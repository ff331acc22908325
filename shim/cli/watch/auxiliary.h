/*
 * The auxiliary vector that the kernel gave another process at its exec. Called where a program is
 * put under watch and where a running one is looked at.
 */
#ifndef NSD_CLI_WATCH_AUXILIARY_H
#define NSD_CLI_WATCH_AUXILIARY_H

#include <stdint.h>
#include <sys/types.h>

/* The value of an entry (AT_PHDR, ...); 0 if it is not there or cannot be read. */
uint64_t auxiliary__value(pid_t pid, uint64_t type);

#endif
