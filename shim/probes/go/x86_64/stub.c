/*
 * The stubs on x86_64, see stub.h. A site becomes `jmp rel32` to its stub, filled up with nops. A
 * stub of Syscall6 looks the number up in nsd_go_watch and makes an unwatched call itself, with two
 * jumps and a byte's comparison more than the runtime would; everything else goes to the
 * trampolines. rcx and r11 are destroyed by SYSCALL anyway and are all that a stub uses.
 */
#include "probes/go/stub.h"
#include "base/memory.h"
#include "probes/go/hooked_call.h"

#define JUMP_SIZE 5

/*
 * One row a kind: the bytes that must stand there, from the function's entry or from `ahead` bytes
 * before the SYSCALL instruction; how many are replaced (whole instructions, and no jump of the
 * function leads into them); where the trampoline comes back to.
 */
struct form {
    const char *expected;
    uint8_t expected_size;
    uint8_t replaced;
    uint8_t back;
    uint8_t ahead;
    bool at_entry;
    bool filtered;
    void (*trampoline)(void);
};

static const struct form forms[] = {
    /* syscall; cmp rax, -4095; back to the conditional jump */
    [NSD_GO_SITE_SYSCALL6] = {"\x0f\x05\x48\x3d\x01\xf0\xff\xff", 8, 8, 8, 0, false, true,
                              nsd_go_trampoline_syscall},
    /*
     * The same bytes; r10, r8 and r9, which the runtime leaves as they were, are kept and passed to
     * a kernel that does not look at them. What the trampoline uses is free: the function is ABI0.
     */
    [NSD_GO_SITE_SYSCALL3] = {"\x0f\x05\x48\x3d\x01\xf0\xff\xff", 8, 8, 8, 0, false, true,
                              nsd_go_trampoline_syscall},
    /* syscall; push r12; cmp rax, -4095 */
    [NSD_GO_SITE_RAW_VFORK] = {"\x0f\x05\x41\x54\x48\x3d\x01\xf0\xff\xff", 10, 10, 10, 0, false,
                               false, nsd_go_trampoline_vfork},
    /* mov edi, [rsp+8]; mov eax, 231; back to the syscall */
    [NSD_GO_SITE_EXIT] = {"\x8b\x7c\x24\x08\xb8\xe7\x00\x00\x00\x0f\x05", 11, 9, 9, 0, true, false,
                          nsd_go_trampoline_exit},
    /* mov edx, [rsp+8]; mov eax, 234; back to the syscall */
    [NSD_GO_SITE_RAISE] = {"\x8b\x54\x24\x08\xb8\xea\x00\x00\x00\x0f\x05", 11, 9, 9, 9, false,
                           false, nsd_go_trampoline_raise},
    /* mov rax, [rsp+8]; back to movl $0, (rax) */
    [NSD_GO_SITE_EXIT_THREAD] = {"\x48\x8b\x44\x24\x08\xc7\x00\x00\x00\x00\x00", 11, 5, 5, 0, true,
                                 false, nsd_go_trampoline_exit_thread},
    /* syscall; cmp rax, 0; back to the jump of the child */
    [NSD_GO_SITE_CLONE] = {"\x0f\x05\x48\x83\xf8\x00\x74", 7, 6, 6, 0, false, false,
                           nsd_go_trampoline_clone},
    /* syscall; mov [rsp+0x28], eax; back to the return */
    [NSD_GO_SITE_RT_SIGACTION] = {"\x0f\x05\x89\x44\x24\x28\xc3", 7, 6, 6, 0, false, false,
                                  nsd_go_trampoline_sigaction},
};

/* Bytes of a stub in the making. */
struct code {
    uint8_t *at;
};

static void put(struct code *code, const char *bytes, size_t size) {
    memory__copy(code->at, bytes, size);
    code->at += size;
}

static void put_word(struct code *code, uint64_t word) {
    memory__copy(code->at, &word, sizeof word);
    code->at += sizeof word;
}

static bool put_jump(struct code *code, uint64_t runs_at, uint64_t to) {
    int64_t distance = (int64_t) (to - (runs_at + JUMP_SIZE));
    int32_t rel32 = (int32_t) distance;

    if (rel32 != distance)
        return false;
    put(code, "\xe9", 1);
    memory__copy(code->at, &rel32, sizeof rel32);
    code->at += sizeof rel32;
    return true;
}

/* The stub itself; the nsd_go_patch stands at the head of its room. */
static bool put_stub(struct code *code, const struct form *form, const struct nsd_go_patch *patch) {
    if (form->filtered) {
        put(code, "\x48\xb9", 2); /* mov rcx, nsd_go_watch */
        put_word(code, (uintptr_t) nsd_go_watch);
        put(code, "\x48\x3d\xff\x01\x00\x00", 6); /* cmp rax, 511 */
        put(code, "\x77\x06", 2);                 /* ja over the next two */
        put(code, "\x80\x3c\x01\x00", 4);         /* cmp byte [rcx+rax], 0 */
        put(code, "\x75\x0d", 2);                 /* jne over the next three */
        put(code, "\x0f\x05", 2);                 /* syscall */
        put(code, "\x48\x3d\x01\xf0\xff\xff", 6); /* cmp rax, -4095 */
        if (!put_jump(code, (uintptr_t) code->at, patch->back))
            return false;
    }
    put(code, "\x48\xb9", 2); /* mov rcx, patch */
    put_word(code, (uintptr_t) patch);
    put(code, "\xff\x21", 2); /* jmp [rcx] */
    return true;
}

bool stub__write(const struct nsd_go_site *site, uint8_t *room,
                 struct nsd_go_replacement *replacement, const char **why) {
    struct nsd_go_patch *patch = (struct nsd_go_patch *) room;
    struct code stub = {room + sizeof *patch};
    struct code jump = {replacement->after};
    const struct form *form;

    *why = "its machine code is of an unknown form";
    if ((size_t) site->kind >= sizeof forms / sizeof *forms || forms[site->kind].expected == NULL)
        return false;
    form = &forms[site->kind];
    replacement->address = form->at_entry ? site->entry : site->syscall - form->ahead;
    replacement->size = form->replaced;
    if (replacement->address < site->entry ||
        site->end < replacement->address + form->expected_size ||
        !memory__equal((void *) replacement->address, form->expected, form->expected_size))
        return false;
    *why = "no memory was free within reach of it";
    patch->trampoline = (uintptr_t) form->trampoline;
    patch->back = replacement->address + form->back;
    if (!put_stub(&stub, form, patch) ||
        !put_jump(&jump, replacement->address, (uintptr_t) room + sizeof *patch))
        return false;
    memory__copy(replacement->before, form->expected, form->replaced);
    memory__fill(jump.at, 0x90, form->replaced - JUMP_SIZE);
    return true;
}
