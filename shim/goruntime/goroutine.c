/*
 * Which goroutine runs on a thread, read from the runtime's own g and m: goroutine id, lock state,
 * stack bounds. Called by the Go hooks and by libc wrappers under cgo for the calling thread (plain
 * loads: the runtime keeps the caller's g and m alive), and by the look at the report for other
 * threads (copies that cannot fault). Fields that contradict each other are reported as unknown.
 */
#include "base/memory.h"
#include "base/syscall.h"
#include "base_machine.h"
#include "goruntime/runtime.h"
#include <stdatomic.h>

/*
 * runtime/runtime2.go: _Gdead, and _Gdeadextra, which is new in 1.26 and no status before: the
 * goroutine of an M that is lent to a C thread.
 */
#define STATUS_DEAD 6u
#define STATUS_DEAD_EXTRA 11u
#define STATUS_SCAN 0x1000u

/* A list of Ms that is longer than this is no list. */
#define MS_MOST 200000u
/* Looks at an M of another thread until two agree. */
#define LOOKS_MOST 3

/* How memory of the runtime is read. */
typedef bool load_function(void *to, uint64_t from, size_t size);

static inline bool load_own(void *to, uint64_t from, size_t size) {
    if (from < NSD_PAGE_SIZE)
        return false;
    if (size == 8)
        *(uint64_t *) to = *(const volatile uint64_t *) (uintptr_t) from;
    else if (size == 4)
        *(uint32_t *) to = *(const volatile uint32_t *) (uintptr_t) from;
    else
        *(uint8_t *) to = *(const volatile uint8_t *) (uintptr_t) from;
    return true;
}

/*
 * Under a seccomp filter plain loads are used, because the copy that cannot fault is a system call.
 * An M in allm is alive, and Go's heap stays mapped: a load could only fault if the M ended, a
 * whole collection ran and its memory was given back between two loads.
 */
static bool load_any(void *to, uint64_t from, size_t size) {
    if (from < 65536 || from >> NSD_ADDRESS_BITS != 0)
        return false;
    if (sys__is_forbidden())
        return load_own(to, from, size);
    return memory__try_copy(to, (const void *) (uintptr_t) from, size) == size;
}

/* The fields of one M and of the goroutine that it runs or waits for. */
struct m_fields {
    uint64_t procid, curg, lockedg, ncgocall;
    uint32_t external, internal;
    uint8_t incgo, extra_in_c;
    /* of lockedg, else of curg */
    uint64_t g, g_m, g_lockedm, stack_low, stack_high;
    int64_t goid;
    uint32_t status;
};

/* Inlined into its two users, and the loads into it: it runs for each event of a goroutine. */
static inline __attribute__((always_inline)) bool
read_by(load_function *load, const struct nsd_go_runtime *runtime, uint64_t m, struct m_fields *f) {
    const struct nsd_go_offsets *at = &runtime->offsets;

    *f = (struct m_fields){0};
    if (!load(&f->procid, m + at->m_procid, 8) || !load(&f->curg, m + at->m_curg, 8) ||
        !load(&f->lockedg, m + at->m_lockedg, 8) || !load(&f->external, m + at->m_locked_ext, 4) ||
        !load(&f->internal, m + at->m_locked_int, 4))
        return false;
    if (at->m_incgo != NSD_GO_OFFSET_NONE &&
        (!load(&f->incgo, m + at->m_incgo, 1) || !load(&f->ncgocall, m + at->m_ncgocall, 8)))
        return false;
    if (at->m_extra_in_c != NSD_GO_OFFSET_NONE && !load(&f->extra_in_c, m + at->m_extra_in_c, 1))
        return false;
    f->g = f->lockedg != 0 ? f->lockedg : f->curg;
    if (f->g == 0)
        return true;
    return load(&f->g_m, f->g + NSD_GO_G_M, 8) && load(&f->g_lockedm, f->g + at->g_lockedm, 8) &&
           load(&f->goid, f->g + at->g_goid, 8) && load(&f->status, f->g + at->g_status, 4) &&
           load(&f->stack_low, f->g + NSD_GO_G_STACK_LOW, 8) &&
           load(&f->stack_high, f->g + NSD_GO_G_STACK_HIGH, 8);
}

static bool read_own(const struct nsd_go_runtime *runtime, uint64_t m, struct m_fields *f) {
    return read_by(load_own, runtime, m, f);
}

static bool read_any(const struct nsd_go_runtime *runtime, uint64_t m, struct m_fields *f) {
    return read_by(load_any, runtime, m, f);
}

/*
 * The counts and the two pointers change one after the other (runtime/proc.go, dolockOSThread and
 * dounlockOSThread): while they contradict each other the state is unknown.
 */
static enum nsd_lock_state lock_state(const struct m_fields *f, uint64_t m) {
    bool counted = (f->external | f->internal) != 0;

    if (f->external != 0 && f->lockedg == 0)
        return NSD_LOCK_WEDGED;
    if (counted != (f->lockedg != 0))
        return NSD_LOCK_UNKNOWN;
    if (f->lockedg != 0 && f->g_lockedm != m)
        return NSD_LOCK_UNKNOWN;
    /* A locked goroutine that waits leaves the M without one; never with another. */
    if (f->lockedg != 0 && f->curg != 0 && f->curg != f->lockedg)
        return NSD_LOCK_UNKNOWN;
    if (!counted && f->g != 0 && f->g_lockedm != 0)
        return NSD_LOCK_UNKNOWN;
    if (f->external != 0)
        return NSD_LOCK_EXTERNAL;
    if (f->internal != 0)
        return NSD_LOCK_INTERNAL;
    return f->incgo ? NSD_LOCK_CGO : NSD_LOCK_UNLOCKED;
}

/*
 * The M is lent to a C thread: a thread that called back into Go keeps its M for the next callback
 * (from 1.21 on, runtime/cgocall.go). Its calls are C's, no goroutine runs on it.
 */
static bool is_lent(const struct m_fields *f) {
    uint32_t status = f->status & ~STATUS_SCAN;

    return f->extra_in_c != 0 ||
           (f->g != 0 && (status == STATUS_DEAD || status == STATUS_DEAD_EXTRA));
}

static bool conclude(const struct m_fields *f, uint64_t m, int32_t tid, struct nsd_goroutine *out) {
    *out = (struct nsd_goroutine){0};
    if ((tid != 0 && f->procid != (uint64_t) (uint32_t) tid) || is_lent(f))
        return false;
    out->m = m;
    out->lock = lock_state(f, m);
    out->in_c = f->incgo != 0;
    if (out->lock == NSD_LOCK_CGO)
        out->lock_epoch = f->ncgocall;
    if (f->g == 0)
        return true;
    if (f->g_m != m && f->curg == f->g)
        return false;
    out->g = f->g;
    out->id = f->goid;
    out->stack_low = f->stack_low;
    out->stack_high = f->stack_high;
    return f->goid > 0 && f->stack_low < f->stack_high;
}

bool goroutine__of_g(const struct nsd_go_runtime *runtime, uint64_t g, int32_t tid,
                     struct nsd_goroutine *out) {
    struct m_fields fields;
    uint64_t m, back;

    *out = (struct nsd_goroutine){0};
    if (!runtime__is_decoded(runtime) || !load_own(&m, g + NSD_GO_G_M, 8) ||
        !load_own(&back, m + NSD_GO_M_G0, 8) || !load_own(&back, back + NSD_GO_G_M, 8) || back != m)
        return false;
    return read_own(runtime, m, &fields) && conclude(&fields, m, tid, out);
}

uint64_t goroutine__of_caller(const struct nsd_go_runtime *runtime) {
    return runtime->tls_g != 0 ? machine__thread_word(runtime->tls_g) : 0;
}

static uint64_t m_of_caller(const struct nsd_go_runtime *runtime) {
    uint64_t g = goroutine__of_caller(runtime), m;

    return g != 0 && load_own(&m, g + NSD_GO_G_M, 8) ? m : 0;
}

bool goroutine__of_m(const struct nsd_go_runtime *runtime, uint64_t m, int32_t tid,
                     struct nsd_goroutine *out) {
    bool is_own = m == m_of_caller(runtime);
    struct m_fields fields;
    bool concluded = false;

    memory__fill(out, 0, sizeof *out);
    if (!runtime__is_decoded(runtime))
        return false;
    for (unsigned look = 0; look < LOOKS_MOST; look++) {
        if (is_own ? !read_own(runtime, m, &fields) : !read_any(runtime, m, &fields))
            return false;
        concluded = conclude(&fields, m, tid, out);
        if (concluded && out->lock != NSD_LOCK_UNKNOWN)
            return true;
    }
    return concluded;
}

int32_t goroutine__tid_of_g(const struct nsd_go_runtime *runtime, uint64_t g) {
    uint64_t m, procid;

    if (!load_own(&m, g + NSD_GO_G_M, 8) || !load_own(&procid, m + runtime->offsets.m_procid, 8))
        return 0;
    return (int32_t) procid;
}

/*
 * runtime.asmcgocall leaves in g.sched.sp where its own return address stands (from 1.21 on the
 * caller's frame pointer is below it), before it goes to the stack of g0; the frame of
 * runtime.cgocall above it is as large as pclntab says, its saved frame pointer the last word of
 * it. While m.incgo is set the goroutine's stack stays where it is.
 */
bool goroutine__call_of_c(const struct nsd_go_runtime *runtime, uint64_t m,
                          struct nsd_go_call_of_c *out) {
    const struct nsd_go_function *cgocall = &runtime->function.cgocall;
    uint64_t g, at, pc;
    uint8_t incgo;
    int32_t size;

    if (runtime->offsets.m_incgo == NSD_GO_OFFSET_NONE || cgocall->entry == 0 ||
        !load_own(&incgo, m + runtime->offsets.m_incgo, 1) || incgo == 0 ||
        !load_own(&g, m + runtime->offsets.m_curg, 8) || g == 0 ||
        !load_own(&out->stack_low, g + NSD_GO_G_STACK_LOW, 8) ||
        !load_own(&out->stack_high, g + NSD_GO_G_STACK_HIGH, 8) ||
        !load_own(&at, g + NSD_GO_G_SCHED_SP, 8))
        return false;
    if (at % 8 != 0 || at < out->stack_low || at >= out->stack_high || out->stack_high - at < 64)
        return false;
    pc = *(const uint64_t *) at;
    if (pc <= cgocall->entry || pc > cgocall->end)
        pc = *(const uint64_t *) (at += 8);
    if (pc <= cgocall->entry || pc > cgocall->end)
        return false;
    size = pclntab__stack_size(&runtime->table, pc - 1);
    if (size < 8 || size % 8 != 0 || out->stack_high - at < (uint64_t) (uint32_t) size + 24)
        return false;
    out->frame_pointer = *(const uint64_t *) (at + (uint32_t) size);
    out->pc = *(const uint64_t *) (at + 8 + (uint32_t) size);
    return out->pc >= runtime->text_start && out->pc < runtime->text_end;
}

/* ---- from a tid to its M ---- */

/*
 * What the last walk of allm found, so that a look at all threads walks it once and not once for
 * each. Several threads may walk at once. An entry is only a hint, because its M is asked again, so
 * that relaxed order would be right; release and acquire on `tid` make a wrong hint rarer.
 */
#define SEEN_MOST 4096u /* a power of two */

static struct {
    _Atomic int32_t tid; /* 0: none, or being changed */
    _Atomic uint64_t m;
} seen[SEEN_MOST];

static unsigned seen_slot(int32_t tid) {
    return ((uint32_t) tid * 0x9e3779b9u) >> 20;
}

/* One M: its procid and the next one. */
static bool read_link(const struct nsd_go_runtime *runtime, uint64_t m, uint64_t *procid,
                      uint64_t *next) {
    return load_any(procid, m + runtime->offsets.m_procid, 8) &&
           load_any(next, m + runtime->offsets.m_alllink, 8);
}

static uint64_t walk_to(const struct nsd_go_runtime *runtime, int32_t tid) {
    uint64_t m, procid, next, found = 0;

    if (load_own(&m, runtime->allm, 8)) {
        for (unsigned i = 0; i < MS_MOST && m != 0 && read_link(runtime, m, &procid, &next); i++) {
            unsigned slot = seen_slot((int32_t) procid);

            if (procid == (uint64_t) (uint32_t) tid)
                found = m;
            atomic_store_explicit(&seen[slot].tid, 0, memory_order_relaxed);
            atomic_store_explicit(&seen[slot].m, m, memory_order_release);
            atomic_store_explicit(&seen[slot].tid, (int32_t) procid, memory_order_release);
            m = next;
        }
    }
    return found;
}

uint64_t goroutine__m_of_thread(const struct nsd_go_runtime *runtime, int32_t tid) {
    uint64_t m, procid, next;
    struct m_fields fields;

    if (!runtime__is_decoded(runtime) || tid <= 0)
        return 0;
    m = m_of_caller(runtime);
    if (m != 0 && load_own(&procid, m + runtime->offsets.m_procid, 8) &&
        procid == (uint64_t) (uint32_t) tid)
        return read_own(runtime, m, &fields) && !is_lent(&fields) ? m : 0;
    if (runtime->allm == 0)
        return 0;
    m = 0;
    if (atomic_load_explicit(&seen[seen_slot(tid)].tid, memory_order_acquire) == tid)
        m = atomic_load_explicit(&seen[seen_slot(tid)].m, memory_order_relaxed);
    if (m == 0 || !read_link(runtime, m, &procid, &next) || procid != (uint64_t) (uint32_t) tid)
        m = walk_to(runtime, tid);
    return m != 0 && read_any(runtime, m, &fields) && !is_lent(&fields) ? m : 0;
}

void goroutine__into_event(const struct nsd_goroutine *goroutine, struct nsd_event *event) {
    event->runtime = NSD_RUNTIME_GO;
    event->goroutine = goroutine->id;
    event->lock = (uint8_t) goroutine->lock;
    event->lock_epoch = goroutine->lock_epoch;
}
