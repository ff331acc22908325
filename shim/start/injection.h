/*
 * The block of memory that `nsdrift run` gives to the library in a static program. It takes the
 * place of the environment variables, because there is no loader that would read LD_PRELOAD.
 * Written by cli/inject/inject.c, read once by start.c of the same build.
 */
#ifndef NSD_START_INJECTION_H
#define NSD_START_INJECTION_H

#include <stdint.h>

#define NSD_INJECTION_MAGIC UINT64_C(0x317473696672644e)

/*
 * The size serves as a version. Addresses are those of the program; the block and its strings stay
 * mapped.
 */
struct nsd_injection {
    uint64_t magic, size;
    uint64_t stack;   /* as the kernel left it: the number of arguments, the arguments, ... */
    uint64_t options; /* "NSDRIFT_OPTIONS=..." */
    uint64_t library; /* absolute path, for the programs that this one will start */
};

/* What the library's entry returns. */
enum nsd_injected {
    NSD_INJECTED = 0,
    NSD_INJECTED_STRANGER, /* the block comes from another version */
    NSD_INJECTED_NO_GO,    /* no Go runtime was found */
    NSD_INJECTED_INERT,    /* a set-uid program, or a kernel that lacks what is needed */
    NSD_INJECTED_UNHEARD,  /* it works, but cannot reach the folder of the recordings */
};

#endif
