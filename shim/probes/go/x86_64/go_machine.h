/*
 * The sizes of a patched place in a Go runtime on amd64. Included by stub.h. Another machine has a
 * go_machine.h with the same names.
 */
#ifndef NSD_PROBES_GO_MACHINE_H
#define NSD_PROBES_GO_MACHINE_H

/* Bytes that a stub may take with its nsd_go_patch: 16 of that, 37 of the filter, 12 of the rest.
 */
#define NSD_GO_STUB_MOST 80
/* Bytes of the runtime that one place may have replaced. */
#define NSD_GO_REPLACED_MOST 16
/* How far from the text a stub may be: what a jmp rel32 reaches, less some room. */
#define NSD_GO_STUB_REACH 0x7ff00000u

#endif
