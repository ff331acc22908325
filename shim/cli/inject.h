/*
 * Puts the library into a static Go program between its exec and its first instruction, see
 * nsdrift-static(7). Called by child.c at its two moments; one injector for one start.
 */
#ifndef NSD_CLI_INJECT_H
#define NSD_CLI_INJECT_H

#include "cli/elf_image.h"
#include "cli/remote.h"
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct nsd_injector {
    const char *library; /* absolute path */
    const char *options; /* of NSDRIFT_OPTIONS */
    const char *program; /* the ELF file that will run */
    struct nsd_elf_image shim, image;
    struct nsd_remote remote;
    char why[PATH_MAX + 256]; /* for the user, where it could not be done */
};

/*
 * Opens both files and looks for what stands in the way. False with `why`. All three strings must
 * stay. To be ended in any case.
 */
bool inject__begin(struct nsd_injector *injector, const char *library, const char *options,
                   const char *program);
/* The child that will exec the program, before it does. False with `why`. */
bool inject__seize(struct nsd_injector *injector, pid_t pid);
/*
 * Waits for the exec, puts the library in, and lets the program go. False: the child has come to
 * its end without having run an instruction of the program (*status), and `why` says why, or is
 * empty where it was the child's own doing.
 */
bool inject__at_exec(struct nsd_injector *injector, int *status);
void inject__end(struct nsd_injector *injector);

#endif
