/*
 * Puts the library into a static Go program between its exec and its first instruction, see
 * nsdrift-static(7). Called for the program that child.c starts, and by follow.c for each program
 * that is executed after it. An injector serves one start at a time.
 */
#ifndef NSD_CLI_INJECT_INJECT_H
#define NSD_CLI_INJECT_INJECT_H

#include "cli/inject/refusal.h"
#include "cli/inject/remote.h"
#include "cli/watch/child.h"
#include "cli/watch/elf_image.h"
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
    NSD_LEFT_ALONE,   /* the program runs as if nothing had been tried; the refusal says why */
    NSD_BROUGHT_DOWN, /* the program has ended without having run an instruction */
};

/*
 * Opens the library. False if it cannot; the refusal says why. Both strings must stay. Call
 * inject__end in any case.
 */
bool inject__begin(struct nsd_injector *injector, const char *library, const char *options);
/* The next program: its name for messages, and the ELF file that runs. False with a refusal. */
bool inject__program(struct nsd_injector *injector, const char *name, const char *file);
/*
 * For the start of that program by child__run: traces it, waits for its exec, puts the library in,
 * lets it go. A child that ends meanwhile has not run an instruction of the program; the refusal
 * says why, or is empty if the child ended by itself.
 */
void inject__holder(struct nsd_injector *injector, struct nsd_holder *holder);
/* For a program that we trace already and that is stopped at its exec; it stays traced. */
enum nsd_injection_end inject__followed(struct nsd_injector *injector, pid_t pid, bool or_kill);
void inject__end(struct nsd_injector *injector);

#endif
