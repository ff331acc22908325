/*
 * File and line of C frames by the debug information of their modules, through elfutils' libdw.
 * Called by the subcommands that read recordings; opens the modules' files and the separate debug
 * files beside them or under /usr/lib/debug. It asks a server only where the user's environment
 * names one (DEBUGINFOD_URLS, which libdw itself looks at), and trusts no path: what has another
 * build id than the module that was recorded is left alone.
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
 * What stands at this place of a module, innermost first; at most NSD_SOURCE_CALLS, where the last
 * is the function that has the frame. `offset` is a return address less the module's base;
 * `build_id` is in hex, NULL or empty where it has none. 0: nothing is known of it. The strings
 * stay until source_lines__end.
 */
unsigned source_lines__find(const char *module, const char *build_id, uint64_t offset,
                            struct nsd_source_call *calls);

/*
 * First of all, and again when something changes: more folders to search, separated by colons,
 * before the usual ones (NULL: none); whether servers may be asked, if the environment names any.
 */
void source_lines__begin(const char *folders, bool ask_servers);
void source_lines__end(void);

#endif
