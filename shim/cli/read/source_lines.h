/*
 * Files and lines of C frames by the debug information of their modules, through elfutils' libdw.
 * Called by replayed.c. Opens the modules' files and the debug files beside them or under
 * /usr/lib/debug. Asks a server only if the user's environment names one (DEBUGINFOD_URLS, which
 * libdw itself reads). Trusts no path: a file with another build id than the recorded module is not
 * used.
 */
#ifndef NSD_CLI_READ_SOURCE_LINES_H
#define NSD_CLI_READ_SOURCE_LINES_H

#include "report/view.h"
#include <stdint.h>

/* One function that a frame stands for: the frame's own, or one that was inlined into it. */
struct nsd_source_call {
    const char *function; /* NULL: unknown */
    const char *file;     /* NULL: unknown */
    uint32_t line;        /* 0: unknown */
};

#define NSD_SOURCE_CALLS 32

/*
 * The functions at this place of a module, innermost first, at most NSD_SOURCE_CALLS; the last one
 * has the frame. `offset` is a return address less the module's base; `build_id` is in hex, NULL or
 * empty if there is none. Returns their number; 0 if nothing is known. The strings stay until
 * source_lines__end.
 */
unsigned source_lines__find(const char *module, const char *build_id, uint64_t offset,
                            struct nsd_source_call *calls);

/*
 * Called first. `folders`: more folders to search before the usual ones, separated by colons; NULL:
 * none. `ask_servers`: servers may be asked, if the environment names any.
 */
void source_lines__begin(const char *folders, bool ask_servers);
void source_lines__end(void);

#endif
