/*
 * Where the runtime keeps the fields of g and m that tell which goroutine runs on a thread. Called
 * once by go__begin after runtime__find. The runtime's own instructions are believed first, because
 * patch releases and vendors move fields; the release's row of releases.h is compared with them, and
 * serves where an instruction is not as expected. A field that neither tells stays unknown.
 */
#include "base/memory.h"
#include "goruntime/instructions.h"
#include "goruntime/releases.h"
#include "goruntime/runtime.h"

static const struct nsd_go_release releases[] = {
#define X(minor, first, last, ...) {minor, first, last, {__VA_ARGS__}},
    NSD_GO_RELEASE_TABLE(X)
#undef X
};
#define RELEASES (sizeof releases / sizeof releases[0])

enum {
    OFFSETS = 0
#define X(field, words) +1
    NSD_GO_OFFSET_TABLE(X)
#undef X
};

/* The pclntab of 1.16 and 1.17. */
#define MAGIC_16 0xfffffffau

static const struct nsd_go_release *row_of(const struct nsd_go_runtime *runtime) {
    for (unsigned i = 0; i < RELEASES; i++)
        if (releases[i].minor == runtime->minor && runtime->patch >= releases[i].first_patch &&
            runtime->patch <= releases[i].last_patch)
            return &releases[i];
    return NULL;
}

/* Takes the decoded value, else the row's. False if there is neither. */
static bool settle(uint16_t *into, uint16_t decoded, uint16_t row, bool *agrees, unsigned *read) {
    if (decoded != 0 && row != 0 && decoded != row)
        *agrees = false;
    if (decoded != 0)
        ++*read;
    *into = decoded != 0 ? decoded : row;
    return *into != 0;
}

static bool has_calls(const struct nsd_go_runtime *runtime) {
    for (unsigned i = 0; i < NSD_GO_SITES; i++)
        if (runtime->site[i].syscall != 0 && runtime->site[i].kind == NSD_GO_SITE_SYSCALL6)
            return true;
    return false;
}

bool runtime__decode(struct nsd_go_runtime *runtime) {
    struct nsd_go_offsets decoded = {0}, none = {0};
    const struct nsd_go_offsets *row;
    const char *missing = NULL;

    if (!runtime->found || runtime->why != NULL)
        return false;
    instructions__read(runtime, &decoded);
    runtime->row = row_of(runtime);
    runtime->newer = runtime->minor > releases[RELEASES - 1].minor;
    runtime->row_agrees = runtime->row != NULL;
    row = runtime->row ? &runtime->row->offsets : &none;
    /* A program without cgocall has no C calls to tell apart. */
    if (runtime->function.cgocall.entry == 0 && runtime->row == NULL)
        decoded.m_ncgocall = decoded.m_incgo = NSD_GO_OFFSET_NONE;
    if (runtime->function.cgocallbackg.entry == 0 && runtime->row == NULL)
        decoded.m_extra_in_c = NSD_GO_OFFSET_NONE;
#define X(field, words)                                                                            \
    if (!settle(&runtime->offsets.field, decoded.field, row->field, &runtime->row_agrees,          \
                &runtime->offsets_read))                                                           \
        missing = "where the runtime keeps " words " could not be read";
    NSD_GO_OFFSET_TABLE(X)
#undef X
    /*
     * 1.17 brought a register for g (abi-internal.md) with the pclntab of 1.16, so that the two
     * cannot be told apart by it; the word in TLS is right in all releases.
     */
    runtime->g_is_in_tls = runtime->table.magic == MAGIC_16;
    /* A row that is wrong in one field may be wrong in the others too. */
    if (runtime->row != NULL && !runtime->row_agrees && runtime->offsets_read < OFFSETS)
        missing = "it is not laid out like its release, and not all of that could be read";
    if (runtime->g_is_in_tls && runtime->tls_g == 0)
        missing = "where the runtime keeps g could not be read";
    /* Up to 1.18 a program that imports neither os nor syscall has no such function. */
    if (!has_calls(runtime) && (runtime->minor == 0 || runtime->minor > 18))
        missing = "no system call function of a known kind was found";
    runtime->why = missing;
    atomic_store_explicit(&runtime->decoded, missing == NULL, memory_order_release);
    return missing == NULL;
}
