/*
 * Definition of the table of kinds (kinds.h): names, and the kinds that flags of unshare and setns
 * stand for.
 */
#include "ledger/kinds.h"
#include <stddef.h>

static const struct {
    const char *name;
    uint32_t flag;
} kind_table[NSD_KINDS] = {
#define X(name, link, flag) {link, flag},
    NSD_KIND_TABLE(X)
#undef X
};

const char *kinds__name(enum nsd_kind kind) {
    return kind < NSD_KINDS ? kind_table[kind].name : "unknown";
}

enum nsd_kind kinds__by_name(const char *name, unsigned length) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        const char *known = kind_table[kind].name;
        unsigned i = 0;

        while (i < length && known[i] != '\0' && known[i] == name[i])
            i++;
        if (i == length && known[i] == '\0')
            return (enum nsd_kind) kind;
    }
    return NSD_KINDS;
}

/*
 * kinds__of_flags() looks up each bit of the flags in a table: row n is the kind of the flag 2^n.
 * Kinds without a flag are put into rows from 32 on, which are never looked up.
 */
#define FLAG_ROW(kind, flag) ((flag) != 0 ? __builtin_ctzll((flag) | 1ull << 32) : 32 + (kind))
enum {
    ALL_FLAGS = 0u
#define X(name, link, flag) | (flag)
    NSD_KIND_TABLE(X)
#undef X
};

nsd_kinds kinds__of_flags(uint64_t flags) {
    static const uint8_t kind_of[32 + NSD_KINDS] = {
#define X(name, link, flag) [FLAG_ROW(NSD_KIND_##name, flag)] = NSD_KIND_##name,
        NSD_KIND_TABLE(X)
#undef X
    };
    uint32_t rest = (uint32_t) flags & ALL_FLAGS;
    nsd_kinds kinds = 0;

    for (; rest != 0; rest &= rest - 1)
        kinds = (nsd_kinds) (kinds | NSD_KIND_BIT(kind_of[__builtin_ctz(rest)]));
    return kinds;
}

nsd_kinds kinds__of_unshare(uint64_t flags) {
    nsd_kinds kinds = kinds__of_flags(flags);

    if ((flags & NSD_FLAG_EMPTY_MNTNS) != 0)
        kinds = (nsd_kinds) (kinds | NSD_KIND_BIT(NSD_KIND_MNT));
    if ((flags & NSD_FLAG_FS) != 0 ||
        (kinds & (NSD_KIND_BIT(NSD_KIND_MNT) | NSD_KIND_BIT(NSD_KIND_USER))) != 0)
        kinds = (nsd_kinds) (kinds | NSD_PRIVATE_FS);
    if ((flags & NSD_FLAG_FILES) != 0)
        kinds = (nsd_kinds) (kinds | NSD_PRIVATE_FILES);
    return kinds;
}
