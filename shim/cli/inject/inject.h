/*
 * The inject room: puts the library into static Go programs, see nsdrift-static(7). A program that
 * is stopped right after its exec comes in; out it goes with the library mapped, relocated and
 * started, or as it was, with a reason. obstacles.c looks for reasons before the start, remote.c
 * makes system calls in the program, placement.c maps the library, follow.c does this for every
 * program that is executed later, refusal.c keeps the reason.
 * Called by `nsdrift run` and by the repeat room. Must not leave a trace in a program that could
 * not be watched, and must not let it run without the library unless that was asked for. This file:
 * one injection, for the program that child.c starts and for each that follow.c meets. An injector
 * serves one start at a time.
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
