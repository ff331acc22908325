/*
 * What is known of a process image besides its events, as one table: a new fact is one row here.
 * From it come the fields of struct nsd_image (in a host), of struct nsd_record_facts (in a
 * recording) and of struct nsd_view_coverage (in a report), and the copying between them. Data
 * only.
 */
#ifndef NSD_LEDGER_IMAGE_FACTS_H
#define NSD_LEDGER_IMAGE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* How the last look at the threads under /proc compared with the ledger. */
enum nsd_cross_check {
    NSD_CROSS_NOT_NEEDED, /* nothing had switched: no look was made, or it does not matter */
    NSD_CROSS_AGREES,
    NSD_CROSS_DIFFERS,
    NSD_CROSS_IMPOSSIBLE,
};

/* clang-format off */
/* X(type in memory, type in a recording, name) */

/* Which process it is: views have these elsewhere (struct nsd_view_image). */
#define NSD_PROCESS_FACTS(X)                                                                       \
    X(uint64_t, uint64_t, pid_ns)                                 /* inode, 0 unknown */           \
    X(int32_t, int32_t, pid)                                                                       \
    X(int32_t, int32_t, leader)                                   /* tid */                        \
    X(bool, uint32_t, is_go)                                      /* a Go runtime was seen */

/* What of it is watched. */
#define NSD_PROBE_FACTS(X)                                                                         \
    X(bool, uint32_t, go_unknown)           /* that Go runtime could not be decoded */             \
    X(bool, uint32_t, go_newer)             /* than every release that nsdrift was tested with */  \
    X(uint32_t, uint32_t, go_sites)         /* that make system calls */                           \
    X(uint32_t, uint32_t, go_sites_watched)                                                        \
    X(uint32_t, uint32_t, libc_functions)

/* What was seen. */
#define NSD_COUNT_FACTS(X)                                                                         \
    X(uint64_t, uint64_t, events)           /* of the program's */                                 \
    X(uint64_t, uint64_t, lost)             /* records that found no room */                       \
    X(uint32_t, uint32_t, threads)          /* in all */

/*
 * X(name, bytes in a recording, what of a longer string is kept there: its start or its end). NULL
 * or empty: unknown.
 */
#define NSD_STRING_FACTS(X)                                                                        \
    X(path, 256, end)                       /* of the executable; ends with the program's name */  \
    X(go, 32, start)                        /* version */

/* clang-format on */

#define NSD_FACT_IN_MEMORY(type, recorded, name) type name;
#define NSD_FACT_IN_RECORDING(type, recorded, name) recorded name;
#define NSD_STRING_IN_MEMORY(name, size, kept) const char *name;
#define NSD_STRING_IN_RECORDING(name, size, kept) char name[size];

/* In a function with `from` and `to`: the fact of one struct to the other. */
#define NSD_FACT_FROM_RECORDING(type, recorded, name) to->name = (type) from->name;
#define NSD_FACT_TO_RECORDING(type, recorded, name) to->name = (recorded) from->name;
#define NSD_FACT_COPY(type, recorded, name) to->name = from->name;
#define NSD_STRING_FROM_RECORDING(name, size, kept)                                                \
    to->name = from->name[0] != '\0' ? from->name : NULL;
#define NSD_STRING_COPY(name, size, kept) to->name = from->name;

#endif
