/*
 * What the machine's trampolines (assembly), its stub writer and the hooks agree on: the picture of
 * a call that a hook gets, where its fields stand, and the bits of the table of watched numbers.
 * Included by C and by assembly, the same on every machine.
 */
#ifndef NSD_PROBES_GO_HOOKED_CALL_H
#define NSD_PROBES_GO_HOOKED_CALL_H

/*
 * Bits of nsd_go_watch[number]: the hook looks before the call; after it; and after it only if it
 * succeeded and its first or second argument is a path that begins with /p, /run/ or /var/run/.
 */
#define NSD_GO_BEFORE 1
#define NSD_GO_AFTER 2
#define NSD_GO_PATH_1 4
#define NSD_GO_PATH_2 8

#define NSD_GO_NUMBERS 512 /* system call numbers from here on are never watched */

#define NSD_GO_STACKS 64 /* a power of two */
#define NSD_GO_STACK_SHIFT 14

/* Offsets in struct nsd_go_call. */
#define NSD_GO_CALL_NUMBER 0
#define NSD_GO_CALL_ARGUMENTS 8 /* six, in the order of the kernel's registers */
#define NSD_GO_CALL_RESULT 56
#define NSD_GO_CALL_G 64
#define NSD_GO_CALL_STACK_POINTER 72
#define NSD_GO_CALL_FRAME_POINTER 80
#define NSD_GO_CALL_PC 88
#define NSD_GO_CALL_STACK 96
#define NSD_GO_CALL_BUSY 104
#define NSD_GO_CALL_SIZE 112 /* keeps the stack 16-aligned */

/* Offsets in struct nsd_go_patch. */
#define NSD_GO_PATCH_TRAMPOLINE 0
#define NSD_GO_PATCH_BACK 8

#ifndef __ASSEMBLER__
#include <stdatomic.h>
#include <stdint.h>

/* A call as a hook sees it, at the top of the stack that the hook runs on. */
struct nsd_go_call {
    uint64_t number;
    uint64_t arguments[6]; /* what the hook stores here before the call is what the kernel gets */
    int64_t result;        /* after the call: the kernel's answer */
    uint64_t g;            /* Go's g register; 1.16: what moment__find_g found instead */
    uint64_t stack_pointer, frame_pointer;
    uint64_t pc;    /* where the function that holds the system call instruction returns to */
    uint64_t stack; /* number of the stack in the pool */
    /*
     * The stack is in use. Taken by an exchange of the trampolines and given back by their release
     * store, so that the next user sees what the last one left; stackpool.c stores with release for
     * a user that was killed.
     */
    _Atomic uint8_t busy;
};

/*
 * A patched place: where its stub goes for a watched call, and where the trampoline goes back to.
 */
struct nsd_go_patch {
    uint64_t trampoline;
    uint64_t back;
};

/*
 * By system call number: the bits above. Relaxed: the trampolines read a byte by itself, and one
 * that reads the old byte misses a call that was made at the same time as the change.
 */
extern _Atomic uint8_t nsd_go_watch[NSD_GO_NUMBERS];

/* The pool (stackpool.c): the lowest address of the first stack. Written before the patch. */
extern uint64_t nsd_go_stacks;
/*
 * Hooks that found no stack even after waiting for the others: events lost. A mere counter, added
 * to by the trampolines in one instruction: relaxed.
 */
extern _Atomic uint64_t nsd_go_without_stack;

/* runtime.rt_sigaction: the signal that signals.c keeps for itself; written before the patch. */
extern uint32_t nsd_go_signal;

/* Entered by a jump from a stub that hands over its nsd_go_patch; never called from C. */
void nsd_go_trampoline_syscall(void);
void nsd_go_trampoline_vfork(void);
void nsd_go_trampoline_exit(void);
void nsd_go_trampoline_raise(void);
void nsd_go_trampoline_exit_thread(void);
void nsd_go_trampoline_clone(void);
void nsd_go_trampoline_sigaction(void);

/* Called by the trampolines, on a stack of the pool. */
void nsd_go_before(struct nsd_go_call *call);
void nsd_go_after(struct nsd_go_call *call);
void nsd_go_exit(struct nsd_go_call *call);
void nsd_go_raise(struct nsd_go_call *call);
void nsd_go_exit_thread(struct nsd_go_call *call);
/* Before runtime.clone: `result` is the new m, and on return the token of the birth, 0 for none. */
void nsd_go_clone_before(struct nsd_go_call *call);
/* After it in the child, with the token as `number`. The g is still the parent's. */
void nsd_go_clone_born(struct nsd_go_call *call);
/* After it in the parent where it failed, with the token as `number`. */
void nsd_go_clone_failed(struct nsd_go_call *call);
void nsd_go_sigaction(struct nsd_go_call *call);
#endif
#endif
