/*
 * Whether the Go runtime has parked the first thread of a program for good ("wedged"), read from
 * the memory of the running program without stopping it. Called by `nsdrift scan` for a process
 * whose leader is in another namespace than its siblings.
 */
#ifndef NSD_CLI_SCAN_WEDGE_H
#define NSD_CLI_SCAN_WEDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum nsd_wedge_state {
    NSD_WEDGE_NOT_GO,
    NSD_WEDGE_UNKNOWN, /* Go, but its m0 cannot be read or not be understood: see why */
    NSD_WEDGE_CERTAIN, /* its goroutine ended locked to it: it never runs one again */
    NSD_WEDGE_LOCKED,  /* a goroutine is locked to it */
    NSD_WEDGE_FREE,    /* no goroutine is locked to it: the scheduler uses it as any other */
};

struct nsd_wedge {
    enum nsd_wedge_state state;
    char version[64];  /* "" unknown */
    char why[128];     /* for UNKNOWN */
    int64_t goroutine; /* for LOCKED; 0 unknown */
};

/* A child process reads, because that may crash or be slow. It does not disturb the program. */
void wedge__look(struct nsd_wedge *wedge, pid_t pid);

#endif
