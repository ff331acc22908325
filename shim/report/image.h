/*
 * The process image that a report is about. In a host it is filled at start and kept up to date by
 * the intake; in the command it comes from a recording. Data only.
 */
#ifndef NSD_REPORT_IMAGE_H
#define NSD_REPORT_IMAGE_H

#include "base/clock.h"
#include "ledger/image_facts.h"

/* What is known about the image besides its findings. */
struct nsd_image {
    NSD_PROCESS_FACTS(NSD_FACT_IN_MEMORY)
    NSD_PROBE_FACTS(NSD_FACT_IN_MEMORY)
    NSD_COUNT_FACTS(NSD_FACT_IN_MEMORY)
    NSD_STRING_FACTS(NSD_STRING_IN_MEMORY)
    const char *program; /* base name */
    struct nsd_clock clock;
    /* Read together when the present report began; 0: the report reads them. */
    uint64_t now_ticks, now_wall;
    enum nsd_cross_check cross_check;
    const char *ended;  /* "exit", "exec", "killed", "report" */
    bool is_incomplete; /* something was missed in its midst: the closing line is printed unasked */
};

#endif
