/*
 * What the machine instructions of a Go runtime tell: where it makes system calls, which function
 * calls which, where it keeps its fields. Implemented in the machine's folder; called by the finder
 * and by decode.c at start. Reads code of the program that is mapped, writes nothing.
 */
#ifndef NSD_GORUNTIME_INSTRUCTIONS_H
#define NSD_GORUNTIME_INSTRUCTIONS_H

#include "goruntime/runtime.h"

/* The bytes by which a place of this kind is known. */
struct nsd_go_site_bytes {
    const char *bytes;
    uint8_t size;
    uint8_t inset; /* where the system call instruction stands in them */
};
extern const struct nsd_go_site_bytes nsd_go_site_bytes[NSD_GO_SITE_KINDS];

/* The code holds a system call instruction. */
bool instructions__make_system_call(const uint8_t *code, size_t size);
/* The function calls, or ends in a jump to, the one that begins at `entry`. */
bool instructions__call(const struct nsd_go_function *function, uint64_t entry);
/*
 * Fills the offsets that the runtime's functions tell, and allm, m0, iscgo and tls_g of the runtime;
 * leaves 0 what they do not tell.
 */
void instructions__read(struct nsd_go_runtime *runtime, struct nsd_go_offsets *offsets);

#endif
