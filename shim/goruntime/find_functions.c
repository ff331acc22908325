/*
 * The runtime's functions by their names, and in some of them the instruction that makes a system
 * call, by its bytes. One pass over the tables for all of them. The names stand in the tables of
 * runtime.h, the bytes in the machine's folder.
 */
#include "base/memory.h"
#include "goruntime/find.h"
#include "goruntime/instructions.h"

static bool function_at(const struct nsd_go_runtime *runtime, uint64_t entry,
                        struct nsd_go_function *function) {
    uint64_t end = pclntab__end_of(&runtime->table, entry);

    if (entry < runtime->text_start || end <= entry || end > runtime->text_end)
        return false;
    *function = (struct nsd_go_function){entry, end};
    return true;
}

/* Of a function and a wrapper of the same name: the one that is called by the other. */
static void choose_function(const struct nsd_go_runtime *runtime,
                            const struct nsd_pclntab_wish *wish, struct nsd_go_function *chosen) {
    struct nsd_go_function function[NSD_PCLNTAB_ENTRIES];
    unsigned count = 0;

    for (unsigned i = 0; i < wish->count; i++)
        if (function_at(runtime, wish->entry[i], &function[count]))
            count++;
    if (count == 1) {
        *chosen = function[0];
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        bool called = false, calling = false;

        for (unsigned k = 0; k < count; k++) {
            if (k == i)
                continue;
            called = called || instructions__call(&function[k], function[i].entry);
            calling = calling || instructions__call(&function[i], function[k].entry);
        }
        if (called && !calling)
            *chosen = function[i];
    }
}

/* One row of NSD_GO_SITE_TABLE. */
struct site_row {
    const char *function;
    enum nsd_go_site_kind kind;
    unsigned first, last;
};

static const struct site_row site_rows[NSD_GO_SITES] = {
#define X(name, function, kind, first, last) {function, NSD_GO_SITE_##kind, first, last},
    NSD_GO_SITE_TABLE(X)
#undef X
};

/* Releases that a pclntab of this form comes from, where the version is not known. */
static void possible_minors(const struct nsd_go_runtime *runtime, unsigned *low, unsigned *high) {
    static const struct {
        uint32_t magic;
        unsigned low, high;
    } forms[] = {{0xfffffffa, 16, 17}, {0xfffffff0, 18, 19}, {0xfffffff1, 20, 99}};

    *low = *high = runtime->minor;
    if (runtime->minor != 0)
        return;
    for (unsigned i = 0; i < 3; i++) {
        if (forms[i].magic == runtime->table.magic) {
            *low = forms[i].low;
            *high = forms[i].high;
        }
    }
}

/*
 * The bytes must stand exactly once among all functions of the name. True if a function of the name
 * makes system calls by itself: others are wrappers.
 */
static bool choose_site(struct nsd_go_runtime *runtime, const struct nsd_pclntab_wish *wish,
                        const struct site_row *row, struct nsd_go_site *site) {
    const struct nsd_go_site_bytes *wanted = &nsd_go_site_bytes[row->kind];
    unsigned times = 0;
    bool has_calls = false;

    for (unsigned i = 0; i < wish->count; i++) {
        struct nsd_go_function function;
        const uint8_t *at, *end;

        if (!function_at(runtime, wish->entry[i], &function))
            continue;
        at = segments__address(function.entry);
        end = segments__address(function.end);
        has_calls = has_calls || instructions__make_system_call(at, (size_t) (end - at));
        while ((size_t) (end - at) >= wanted->size &&
               (at = memory__find(at, (size_t) (end - at), wanted->bytes, wanted->size)) != NULL) {
            times++;
            *site = (struct nsd_go_site){.function = row->function,
                                         .syscall = (uintptr_t) at + wanted->inset,
                                         .entry = function.entry,
                                         .end = function.end,
                                         .kind = row->kind,
                                         .movable = (unsigned) (wanted->size - wanted->inset)};
            at += wanted->size;
        }
    }
    if (times != 1)
        memory__fill(site, 0, sizeof *site);
    return has_calls;
}

enum {
    FUNCTION_COUNT = 0
#define X(field, name) +1
    NSD_GO_FUNCTION_TABLE(X)
#undef X
};

void functions__find(struct nsd_go_runtime *runtime) {
    static const char *const names[FUNCTION_COUNT] = {
#define X(field, name) name,
        NSD_GO_FUNCTION_TABLE(X)
#undef X
    };
    struct nsd_pclntab_wish wishes[FUNCTION_COUNT + NSD_GO_SITES];
    struct nsd_go_function *functions[FUNCTION_COUNT] = {
#define X(field, name) &runtime->function.field,
        NSD_GO_FUNCTION_TABLE(X)
#undef X
    };
    unsigned low, high, count = 0, site_of[NSD_GO_SITES], sites = 0;

    possible_minors(runtime, &low, &high);
    for (unsigned i = 0; i < FUNCTION_COUNT; i++)
        wishes[count++] = (struct nsd_pclntab_wish){
            .name = names[i],
            .optional = functions[i] != &runtime->function.execute &&
                        functions[i] != &runtime->function.unlock_os_thread,
        };
    for (unsigned i = 0; i < NSD_GO_SITES; i++) {
        const struct site_row *row = &site_rows[i];

        if (row->first > high || row->last < low)
            continue;
        site_of[sites++] = i;
        /* Only what every program of a known release has may make the search go on for it. */
        wishes[count++] = (struct nsd_pclntab_wish){
            .name = row->function,
            .optional = low != high || row->kind != NSD_GO_SITE_SYSCALL6,
        };
    }
    pclntab__find_all(&runtime->table, wishes, count);
    for (unsigned i = 0; i < FUNCTION_COUNT; i++)
        choose_function(runtime, &wishes[i], functions[i]);
    for (unsigned i = 0; i < sites; i++) {
        const struct nsd_pclntab_wish *wish = &wishes[FUNCTION_COUNT + i];
        struct nsd_go_site *site = &runtime->site[site_of[i]];

        /* Where the release is not known, a name may be that of a mere forwarder. */
        bool is_maker = choose_site(runtime, wish, &site_rows[site_of[i]], site);

        if (wish->count != 0 && site->syscall == 0 && (is_maker || low == high) &&
            site_rows[site_of[i]].kind <= NSD_GO_SITE_RAW_VFORK)
            runtime->why = "a system call function is not made as in any known release";
    }
}
