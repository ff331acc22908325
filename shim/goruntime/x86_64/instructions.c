/*
 * What the instructions of a Go runtime on amd64 tell, see instructions.h. Each decoder looks for
 * a few encodings within one function of the runtime; the function's source is in runtime/proc.go,
 * runtime/cgocall.go or runtime/sys_linux_amd64.s. A decoder that finds something else than it
 * expects leaves the field 0.
 */
#include "goruntime/instructions.h"
#include "base/memory.h"
#include "base_machine.h"
#include "code.h"
#include "goruntime/segments.h"

/* SYSCALL; CMPQ AX, $-4095 */
#define SYSTEM_CALL NSD_SYSTEM_CALL_BYTES "\x48\x3d\x01\xf0\xff\xff"

const struct nsd_go_site_bytes nsd_go_site_bytes[NSD_GO_SITE_KINDS] = {
    [NSD_GO_SITE_SYSCALL6] = {SYSTEM_CALL, 8, 0},
    [NSD_GO_SITE_SYSCALL3] = {SYSTEM_CALL, 8, 0},
    /* SYSCALL; PUSHQ R12; CMPQ AX, $-4095 */
    [NSD_GO_SITE_RAW_VFORK] = {NSD_SYSTEM_CALL_BYTES "\x41\x54\x48\x3d\x01\xf0\xff\xff", 10, 0},
    [NSD_GO_SITE_EXIT] = {NSD_SYSTEM_CALL_BYTES, 2, 0},
    /* MOVL $SYS_tgkill, AX; SYSCALL */
    [NSD_GO_SITE_RAISE] = {"\xb8\xea\x00\x00\x00" NSD_SYSTEM_CALL_BYTES, 7, 5},
    [NSD_GO_SITE_EXIT_THREAD] = {NSD_SYSTEM_CALL_BYTES, 2, 0},
    /* MOVL $SYS_clone, AX; SYSCALL */
    [NSD_GO_SITE_CLONE] = {"\xb8\x38\x00\x00\x00" NSD_SYSTEM_CALL_BYTES, 7, 5},
    [NSD_GO_SITE_RT_SIGACTION] = {NSD_SYSTEM_CALL_BYTES, 2, 0},
};

bool instructions__make_system_call(const uint8_t *code, size_t size) {
    return memory__find(code, size, NSD_SYSTEM_CALL_BYTES, NSD_SYSTEM_CALL_SIZE) != NULL;
}

static bool code_of(const struct nsd_go_function *function, struct nsd_code *code) {
    *code = (struct nsd_code){(const uint8_t *) (uintptr_t) function->entry,
                              function->end - function->entry};
    return function->entry != 0;
}

bool instructions__call(const struct nsd_go_function *function, uint64_t entry) {
    struct nsd_match match;
    struct nsd_code code;

    if (!code_of(function, &code))
        return false;
    for (size_t from = 0; code__next(&code, from, "e8/fe d32", &match); from = match.at + 1)
        if (match.target == entry)
            return true;
    return false;
}

/* No structure of the runtime that has these fields is longer. */
#define OFFSET_MOST 0x1000

static uint16_t offset_of(const struct nsd_match *match, unsigned align) {
    int32_t value = match->value;

    return value > 0 && value < OFFSET_MOST && (unsigned) value % align == 0 ? (uint16_t) value : 0;
}

/*
 * runtime.unlockOSThread: decl of m.lockedInt; then, in the inlined dounlockOSThread, cmpl $0 of
 * both counts, movq $0 to m.lockedg and to g.lockedm.
 */
static void decode_lock(const struct nsd_go_runtime *runtime, struct nsd_go_offsets *offsets) {
    struct nsd_match match;
    struct nsd_code code;
    uint16_t internal, external = 0;

    if (!code_of(&runtime->function.unlock_os_thread, &code) ||
        !code__next(&code, 0, "ff 88/f8 d32", &match))
        return;
    internal = offset_of(&match, 4);
    for (size_t at = 0; code__next(&code, at, "83 b8/f8 d32 00", &match); at = match.after)
        if (offset_of(&match, 4) != internal)
            external = offset_of(&match, 4);
    if (internal == 0 || external == 0 || external > internal + 8 || internal > external + 8)
        return;
    if (!code__next(&code, 0, "48/fe c7 80/f8 d32 00 00 00 00", &match) ||
        (match.byte[0] == 0x49 && match.byte[2] == 0x86))
        return;
    offsets->m_locked_int = internal;
    offsets->m_locked_ext = external;
    offsets->m_lockedg = offset_of(&match, 8);
    if (code__next(&code, match.after, "48/fe c7 80/f8 d32 00 00 00 00", &match))
        offsets->g_lockedm = offset_of(&match, 8);
}

/*
 * runtime.clone, in the child: gettid; m.procid = it (m in r13); g.m = m (g in r9); g to its
 * thread-local word: at a constant from FS, or by way of rcx, which PIE loads from the GOT unless
 * the linker knew better.
 */
static void decode_clone(struct nsd_go_runtime *runtime, struct nsd_go_offsets *offsets) {
    const struct nsd_go_site *site = &runtime->site[NSD_GO_SITE_NAME_clone];
    struct nsd_go_function function = {site->entry, site->end};
    struct nsd_match procid, match;
    struct nsd_code code;

    if (!code_of(&function, &code) ||
        !code__next(&code, 0, "b8 ba 00 00 00 0f 05 49 89 45 d8", &procid))
        return;
    if (procid.after + 32 < code.size)
        code.size = procid.after + 32;
    if (!code__next(&code, procid.after, "4d 89 69 30", &match))
        return;
    offsets->m_procid = offset_of(&procid, 8);
    if (code__next(&code, procid.after, "64 4c 89 0c 25 d32", &match)) {
        runtime->tls_g = match.value;
    } else if (code__next(&code, procid.after, "64 4c 89 09", &match)) {
        if (code__next(&code, procid.after, "48 c7 c1 d32", &match)) {
            runtime->tls_g = match.value;
        } else if (code__next(&code, procid.after, "48 8b 0d d32", &match)) {
            uint64_t slot = segments__variable(runtime->module, match.target, 8);

            if (slot != 0)
                __builtin_memcpy(&runtime->tls_g, (const void *) (uintptr_t) slot,
                                 sizeof runtime->tls_g);
        }
    }
    if (runtime->tls_g >= 0 || runtime->tls_g < -0x100000)
        runtime->tls_g = 0;
}

/*
 * runtime.execute(gp): m.curg = gp, the first far store of the register that holds gp (rax from
 * 1.17 on); then gp.m = m.
 */
static void decode_execute(const struct nsd_go_runtime *runtime, struct nsd_go_offsets *offsets) {
    struct nsd_match match, next;
    struct nsd_code code;

    if (!code_of(&runtime->function.execute, &code))
        return;
    for (size_t at = 0; code__next(&code, at, "48 89 80/c0 d32", &match); at = match.at + 1) {
        unsigned value_register = (match.byte[2] >> 3) & 7;

        /* A base of 4 would be the stack. */
        if ((match.byte[2] & 7) == 4)
            continue;
        for (size_t from = match.after;
             code__next(&code, from, "48 89 40/c0 30", &next) && next.at - match.at < 64;
             from = next.at + 1) {
            if ((next.byte[2] & 7) != value_register)
                continue;
            offsets->m_curg = offset_of(&match, 8);
            return;
        }
    }
}

/* runtime.mcommoninit(mp): mp.alllink = allm; then allm = mp, atomically. */
static void decode_list(struct nsd_go_runtime *runtime, struct nsd_go_offsets *offsets) {
    struct nsd_match load, store, use;
    struct nsd_code code;

    if (!code_of(&runtime->function.mcommoninit, &code))
        return;
    for (size_t at = 0; code__next(&code, at, "48 8b 05/c7 d32", &load); at = load.at + 1) {
        uint64_t variable = segments__variable(runtime->module, load.target, 8);
        unsigned value_register = load.byte[2] & 0x38;

        if (variable == 0)
            continue;
        for (size_t next = load.after;
             code__next(&code, next, "48 89 80/c0 d32", &store) && store.at - load.at < 80;
             next = store.at + 1) {
            if ((store.byte[2] & 0x38) != value_register || (store.byte[2] & 7) == 4)
                continue;
            /* lea of the same variable, for the atomic store. */
            for (size_t from = store.after; code__next(&code, from, "48 8d 05/c7 d32", &use);
                 from = use.at + 1) {
                if (use.target != load.target)
                    continue;
                runtime->allm = variable;
                offsets->m_alllink = offset_of(&store, 8);
                return;
            }
            break;
        }
    }
}

/* runtime.cgocall: a test of iscgo; incq m.ncgocall; movb $1 to m.incgo. */
static void decode_cgocall(struct nsd_go_runtime *runtime, struct nsd_go_offsets *offsets) {
    struct nsd_match match;
    struct nsd_code code;

    if (!code_of(&runtime->function.cgocall, &code))
        return;
    /* The byte behind the displacement belongs to the instruction. */
    if (code__next(&code, 0, "80 3d d32 00", &match))
        runtime->iscgo = segments__variable(runtime->module, match.target, 1);
    if (code__next(&code, 0, "48 ff 80/f8 d32", &match))
        offsets->m_ncgocall = offset_of(&match, 8);
    if (code__next(&code, 0, "c6 80/f8 d32 01", &match))
        offsets->m_incgo = offset_of(&match, 1);
}

/*
 * runtime.cgocallbackg, as it goes back to C: movb $1 to m.incgo and, from 1.21 on, to
 * m.isExtraInC, which is a near neighbour.
 */
static void decode_callback(const struct nsd_go_runtime *runtime, struct nsd_go_offsets *offsets) {
    struct nsd_match match;
    struct nsd_code code;

    if (runtime->minor != 0 && runtime->minor <= 20) {
        offsets->m_extra_in_c = NSD_GO_OFFSET_NONE;
        return;
    }
    if (!code_of(&runtime->function.cgocallbackg, &code) || offsets->m_incgo == 0)
        return;
    for (size_t at = 0; code__next(&code, at, "c6 80/f8 d32 01", &match); at = match.at + 1)
        if (match.value > offsets->m_incgo && match.value <= offsets->m_incgo + 8)
            offsets->m_extra_in_c = offset_of(&match, 1);
    if (runtime->minor == 0 && offsets->m_extra_in_c == 0)
        offsets->m_extra_in_c = NSD_GO_OFFSET_NONE;
}

/*
 * runtime.casgstatus: cmpxchg of g.atomicstatus. The goid stands behind it and stackLock, in all
 * releases; runtime.goroutineheader, which prints both, must load from there.
 */
static void decode_status(const struct nsd_go_runtime *runtime, struct nsd_go_offsets *offsets) {
    struct nsd_match match;
    struct nsd_code code;

    if (!code_of(&runtime->function.casgstatus, &code) ||
        !code__next(&code, 0, "f0 0f b1 80/c0 d32", &match))
        return;
    offsets->g_status = offset_of(&match, 4);
    if (offsets->g_status == 0 || !code_of(&runtime->function.goroutineheader, &code))
        return;
    for (size_t at = 0; code__next(&code, at, "48/fb 8b 80/c0 d32", &match); at = match.at + 1)
        if (match.value == offsets->g_status + 8)
            offsets->g_goid = offset_of(&match, 8);
}

/* runtime.mexit begins with a comparison of m with &m0. */
static void decode_first(struct nsd_go_runtime *runtime) {
    struct nsd_match match, compare;
    struct nsd_code code;

    if (code_of(&runtime->function.mexit, &code) &&
        code__next(&code, 0, "48 8d 05/c7 d32", &match) &&
        code__next(&code, match.after, "48 39 c0/c0", &compare) && compare.at - match.at < 24)
        runtime->m0 = segments__variable(runtime->module, match.target, 0x400);
}

void instructions__read(struct nsd_go_runtime *runtime, struct nsd_go_offsets *offsets) {
    decode_lock(runtime, offsets);
    decode_clone(runtime, offsets);
    decode_execute(runtime, offsets);
    decode_list(runtime, offsets);
    decode_cgocall(runtime, offsets);
    decode_callback(runtime, offsets);
    decode_status(runtime, offsets);
    decode_first(runtime);
}
