/*
 * The room of the Go runtime: what is known of the Go runtime that is in this program.
 *
 * In: a module whose memory can be read (names). Out: struct nsd_go_runtime (its version, its text,
 * the places where it makes system calls, the offsets of a few fields of g and m), and on request
 * which goroutine runs on a thread. Called by probes/go, and by `nsdrift scan` for a copy of
 * another program's memory. Must not: change the program, call into the runtime, use libc, know of
 * probes. The struct is filled once at start by find.c and decode.c and never changes afterwards,
 * except for `decoded` of a runtime that comes with a library.
 *
 * Order of use, in go__begin():
 *     runtime__find(module, &nsd_go_runtime)    is it Go; pclntab, version, functions, sites
 *     runtime__decode(&nsd_go_runtime)          offsets, table row
 *     ...patch...
 * and afterwards goroutine__of_*() in hooks.
 */
#ifndef NSD_GORUNTIME_RUNTIME_H
#define NSD_GORUNTIME_RUNTIME_H

#include "ledger/event.h"
#include "names/modules.h"
#include "names/pclntab.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* How registers and stack hold a call at the system call instruction of a site. */
enum nsd_go_site_kind {
    /* All six arguments and the number in the kernel's registers. */
    NSD_GO_SITE_SYSCALL6,
    /* As above, but the last three arguments hold anything (1.16-1.18: syscall.RawSyscall). */
    NSD_GO_SITE_SYSCALL3,
    /* syscall.rawVforkSyscall: as SYSCALL6, with the return address kept in a register. */
    NSD_GO_SITE_RAW_VFORK,
    /* runtime.exit: exit_group with the status on the stack, never comes back. */
    NSD_GO_SITE_EXIT,
    /* runtime.raise: tgkill of the own thread, with the signal on the stack. */
    NSD_GO_SITE_RAISE,
    /* runtime.exitThread: exit of a thread whose stack is given away already. */
    NSD_GO_SITE_EXIT_THREAD,
    /* runtime.clone: a new M without libc; both sides come back. */
    NSD_GO_SITE_CLONE,
    /* runtime.rt_sigaction: kernel convention; not used where libc's sigaction is. */
    NSD_GO_SITE_RT_SIGACTION,
    NSD_GO_SITE_KINDS,
};

/*
 * X(name, function, kind, wanted from Go 1.first to 1.last). The bytes of the kind (instructions.h)
 * must stand exactly once in the function.
 */
#define NSD_GO_SITE_TABLE(X)                                                                       \
    X(syscall6_linux, "internal/runtime/syscall/linux.Syscall6", SYSCALL6, 26, 99)                 \
    X(syscall6_internal, "internal/runtime/syscall.Syscall6", SYSCALL6, 23, 25)                    \
    X(syscall6_runtime, "runtime/internal/syscall.Syscall6", SYSCALL6, 18, 22)                     \
    X(syscall, "syscall.Syscall", SYSCALL3, 16, 18)                                                \
    X(raw_syscall, "syscall.RawSyscall", SYSCALL3, 16, 18)                                         \
    X(syscall6, "syscall.Syscall6", SYSCALL6, 16, 18)                                              \
    X(raw_syscall6, "syscall.RawSyscall6", SYSCALL6, 16, 18)                                       \
    X(raw_vfork, "syscall.rawVforkSyscall", RAW_VFORK, 16, 99)                                     \
    X(exit, "runtime.exit", EXIT, 16, 99)                                                          \
    X(raise, "runtime.raise", RAISE, 16, 99)                                                       \
    X(exit_thread, "runtime.exitThread", EXIT_THREAD, 16, 99)                                      \
    X(clone, "runtime.clone", CLONE, 16, 99)                                                       \
    X(rt_sigaction, "runtime.rt_sigaction", RT_SIGACTION, 16, 99)

enum nsd_go_site_name {
#define X(name, function, kind, first, last) NSD_GO_SITE_NAME_##name,
    NSD_GO_SITE_TABLE(X)
#undef X
        NSD_GO_SITES
};

struct nsd_go_site {
    const char *function; /* as pclntab has it */
    uint64_t syscall;     /* address of the system call instruction */
    uint64_t entry, end;  /* of the function that it is in */
    enum nsd_go_site_kind kind;
    /* At least this many bytes from `syscall` on are whole instructions that nothing jumps into. */
    unsigned movable;
};

/*
 * X(field, name): functions of the runtime that are looked up. The code of most shows an offset
 * (instructions.c); hook.c looks for the last three on a stack. The address is 0 where the program
 * has no such function. If two functions have the name, one is a wrapper for the other calling
 * convention, and the wrapped one is taken.
 */
#define NSD_GO_FUNCTION_TABLE(X)                                                                   \
    X(execute, "runtime.execute")                                                                  \
    X(mexit, "runtime.mexit")                                                                      \
    X(unlock_os_thread, "runtime.unlockOSThread")                                                  \
    X(mcommoninit, "runtime.mcommoninit")                                                          \
    X(cgocall, "runtime.cgocall")                                                                  \
    X(cgocallbackg, "runtime.cgocallbackg")                                                        \
    X(casgstatus, "runtime.casgstatus")                                                            \
    X(goroutineheader, "runtime.goroutineheader")                                                  \
    X(do_all_threads, "syscall.runtime_doAllThreadsSyscall")                                       \
    X(all_threads_caller, "syscall.(*allThreadsCaller).doSyscall")                                 \
    X(run_per_thread, "runtime.runPerThreadSyscall")

struct nsd_go_function {
    uint64_t entry, end;
};

/*
 * X(field, words): offsets in bytes. The same everywhere and so not here: g.stack.lo 0,
 * g.stack.hi 8, g.stackguard0 0x10, g.m 0x30, m.g0 0 (NSD_GO_G_M and so on below).
 */
#define NSD_GO_OFFSET_TABLE(X)                                                                     \
    X(g_status, "g.atomicstatus")                                                                  \
    X(g_goid, "g.goid")                                                                            \
    X(g_lockedm, "g.lockedm")                                                                      \
    X(m_procid, "m.procid")                                                                        \
    X(m_curg, "m.curg")                                                                            \
    X(m_alllink, "m.alllink")                                                                      \
    X(m_lockedg, "m.lockedg")                                                                      \
    X(m_locked_ext, "m.lockedExt")                                                                 \
    X(m_locked_int, "m.lockedInt")                                                                 \
    X(m_ncgocall, "m.ncgocall")                                                                    \
    X(m_incgo, "m.incgo")                                                                          \
    X(m_extra_in_c, "m.isExtraInC")

#define NSD_GO_G_STACK_LOW 0
#define NSD_GO_G_STACK_HIGH 8
#define NSD_GO_G_STACKGUARD0 0x10
#define NSD_GO_G_M 0x30
#define NSD_GO_G_SCHED_SP 0x38
#define NSD_GO_M_G0 0

/* The release has no such field, or the program no use for it. */
#define NSD_GO_OFFSET_NONE 0xffff

struct nsd_go_offsets {
#define X(field, words) uint16_t field; /* 0: unknown */
    NSD_GO_OFFSET_TABLE(X)
#undef X
};

/* One row of releases.h: Go 1.minor, from one patch release to another. */
struct nsd_go_release {
    uint8_t minor, first_patch, last_patch; /* last 255: and later */
    struct nsd_go_offsets offsets;
};

struct nsd_go_runtime {
    bool found; /* there is a Go runtime: pclntab and moduledata agree */
    /*
     * Offsets, sites of Syscall6 and rawVforkSyscall are known. Stored with release after all other
     * fields and loaded with acquire, because a runtime that comes with a library is filled in
     * while other threads ask.
     */
    _Atomic bool decoded;
    const char *why; /* not decoded: the reason, a static string for the coverage */

    char version[64];                 /* "1.26.8", "1.24.6 X:loopvar"; empty: unknown */
    unsigned minor, patch;            /* 0: unknown; patch 0 also for 1.19 itself */
    const struct nsd_go_release *row; /* NULL: no row for this release */
    bool row_agrees;                  /* every offset that was decoded is the row's */
    bool newer;                       /* than every row */

    struct nsd_module *module;
    struct nsd_pclntab table;
    uint64_t moduledata;
    uint64_t text_start, text_end; /* Go functions: runtime.text to runtime.etext */
    uint64_t map_start, map_end;   /* the mapping (PT_LOAD, page-aligned) that holds them */

    struct nsd_go_site site[NSD_GO_SITES]; /* syscall 0: not in this program */
    struct {
#define X(field, name) struct nsd_go_function field;
        NSD_GO_FUNCTION_TABLE(X)
#undef X
    } function;

    struct nsd_go_offsets offsets;
    unsigned offsets_read; /* how many of them the instructions told; the others are the row's */
    uint64_t allm;         /* address of runtime.allm, 0 unknown */
    uint64_t m0;           /* address of runtime.m0, 0 unknown */
    uint64_t iscgo;        /* address of the byte runtime.iscgo, 0 unknown */
    int32_t tls_g;    /* g is at thread pointer + tls_g, 0 unknown; valid where Go or libc set it */
    bool g_is_in_tls; /* ask there: before 1.17 no register holds g */
};

/* That of the executable. All zero until go__begin() has run. */
extern struct nsd_go_runtime nsd_go_runtime;

static inline bool runtime__is_decoded(const struct nsd_go_runtime *runtime) {
    return atomic_load_explicit(&runtime->decoded, memory_order_acquire);
}

/*
 * Looks for a Go runtime in a module that is mapped here. False: no Go, at next to no cost. True
 * with runtime->found false: it is Go, and cannot be used, for the reason in `why`.
 */
bool runtime__find(struct nsd_module *module, struct nsd_go_runtime *runtime);
/*
 * Fills offsets, allm, m0, iscgo, tls_g, row. False, with runtime->why, if the runtime must not be
 * used.
 */
bool runtime__decode(struct nsd_go_runtime *runtime);

/* The goroutine that runs on an M. */
struct nsd_goroutine {
    uint64_t m, g;                  /* g: the goroutine's own, never g0; 0 if the M runs none */
    int64_t id;                     /* 0: none */
    uint64_t stack_low, stack_high; /* of g */
    uint64_t lock_epoch;            /* NSD_LOCK_CGO: m.ncgocall */
    enum nsd_lock_state lock;
    bool in_c; /* m.incgo: inside a C call */
};

/*
 * From the g of the calling thread (Go's g register in a hook; g0 and gsignal lead to m.curg).
 * Plain loads: only with a g that the runtime keeps alive, that is, from a hook in Go code. False
 * if g and m do not pass the self-check: then the goroutine is unknown.
 */
bool goroutine__of_g(const struct nsd_go_runtime *runtime, uint64_t g, int32_t tid,
                     struct nsd_goroutine *out);
/*
 * From an M that stands in allm, of any thread; memory that may go away is copied. False if the M
 * does not belong to thread tid, or changed during each of several looks.
 */
bool goroutine__of_m(const struct nsd_go_runtime *runtime, uint64_t m, int32_t tid,
                     struct nsd_goroutine *out);
/*
 * The M with this tid as procid: the caller's own by its thread-local word, another thread's by a
 * bounded walk of allm. 0 if there is none, or if a C thread keeps it for its next callback.
 */
uint64_t goroutine__m_of_thread(const struct nsd_go_runtime *runtime, int32_t tid);
/*
 * The g in the calling thread's thread-local word (in Go code the g register holds the same); 0 on
 * a C thread and where the word is not known. Only on a thread that has a thread pointer, which a
 * raw clone may not have.
 */
uint64_t goroutine__of_caller(const struct nsd_go_runtime *runtime);
/* m.procid: the tid without a system call. For hooks; 0 before the M has run minit. */
int32_t goroutine__tid_of_g(const struct nsd_go_runtime *runtime, uint64_t g);
/* Where a goroutine that is inside a C call made that call: a return address and its frame. */
struct nsd_go_call_of_c {
    uint64_t pc, frame_pointer;
    uint64_t stack_low, stack_high;
};
/* Of the calling thread's M. False if it is in no C call or its stack is not as expected. */
bool goroutine__call_of_c(const struct nsd_go_runtime *runtime, uint64_t m,
                          struct nsd_go_call_of_c *out);
/* runtime, goroutine, lock and lock_epoch of an event, from what goroutine__of_* said. */
void goroutine__into_event(const struct nsd_goroutine *goroutine, struct nsd_event *event);

#endif
