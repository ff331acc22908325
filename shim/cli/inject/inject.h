/*
 * Puts the library into a static Go program between its exec and its first instruction, see
 * nsdrift-static(7). Called for the program that child.c starts, and by follow.c for each one that
 * is executed after it; one injector for one start at a time.
 */
#ifndef NSD_CLI_INJECT_INJECT_H
#define NSD_CLI_INJECT_INJECT_H

#include "cli/watch/child.h"
#include "cli/watch/elf_image.h"
#include "cli/inject/refusal.h"
#include "cli/inject/remote.h"
#include <stdbool.h>
#include <sys/types.h>

struct nsd_injector {
    const char *library; /* absolute path */
    const char *options; /* of NSDRIFT_OPTIONS */
    struct nsd_elf_image shim, image;
    struct nsd_remote remote;
    struct nsd_refusal refusal;
};

enum nsd_injection_end {
    NSD_PUT_IN,
    NSD_LEFT_ALONE,   /* it runs as if nothing had been tried; the refusal says why */
    NSD_BROUGHT_DOWN, /* it has come to its end without having run an instruction */
};

/* Opens the library. False after the reason. Both strings must stay. To be ended in any case. */
bool inject__begin(struct nsd_injector *injector, const char *library, const char *options);
/* The next program: its name for messages, and the ELF file that runs. False after the reason. */
bool inject__program(struct nsd_injector *injector, const char *name, const char *file);
/*
 * For the start of that program by child__run: seizes it, waits for its exec, puts the library in,
 * lets it go. A child that comes to its end over this has not run an instruction of the program;
 * the refusal says why, or is empty where it was the child's own doing.
 */
void inject__holder(struct nsd_injector *injector, struct nsd_holder *holder);
/* A program that we trace and that stands at its exec; it stays traced. */
enum nsd_injection_end inject__followed(struct nsd_injector *injector, pid_t pid, bool or_kill);
void inject__end(struct nsd_injector *injector);

#endif
