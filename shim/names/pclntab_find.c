/*
 * From names to addresses: one pass over the name table, one over the rows that may bear the names.
 * Called by the Go probe at start, in the host's time: a program of 100,000 functions costs no more
 * than one of 3,000, because the runtime comes first in both tables.
 */
#include "base/memory.h"
#include "base_machine.h"
#include "names/pclntab_form.h"

/* How far beyond the last thing that must be found the optional ones are looked for. */
#define NAMES_BEYOND (64u * 1024)
#define FUNCTIONS_BEYOND 2048u

/* A few bits for each thing that is wanted: nearly all others are turned away by one test. */
struct sieve {
    uint64_t bits[32];
};

static uint32_t sieve_place(uint32_t key) {
    return (key * 0x9e3779b9u) >> 21;
}

static void sieve__add(struct sieve *sieve, uint32_t key) {
    uint32_t place = sieve_place(key);

    sieve->bits[place / 64] |= 1ull << (place % 64);
}

static bool sieve__lets_through(const struct sieve *sieve, uint32_t key) {
    uint32_t place = sieve_place(key);

    return sieve->bits[place / 64] & (1ull << (place % 64));
}

/* Of a name of at least four bytes: its end, where names of one package differ, and its length. */
static uint32_t name_key(const uint8_t *name, size_t length) {
    return pclntab__load32(name + length - 4) + (uint32_t) length;
}

/* How many of those that must be found are not yet: in the name table, or in the records. */
static unsigned open_wishes(const struct nsd_pclntab_wish *wishes, unsigned count, bool records) {
    unsigned open = 0;

    for (unsigned i = 0; i < count; i++)
        if (!wishes[i].optional &&
            (records ? wishes[i].names != 0 && wishes[i].count == 0 : wishes[i].names == 0))
            open++;
    return open;
}

static void take_name(const struct nsd_pclntab *table, const uint8_t *at, size_t length,
                      struct nsd_pclntab_wish *wishes, unsigned count, const uint8_t **stop) {
    const uint8_t *end = table->names.start + table->names.size;

    for (unsigned i = 0; i < count; i++) {
        struct nsd_pclntab_wish *wish = &wishes[i];

        if (wish->name_length != length || wish->names == NSD_PCLNTAB_ENTRIES ||
            !memory__equal(wish->name, at, length))
            continue;
        wish->name_offset[wish->names++] = (uint32_t) (at - table->names.start);
        if (open_wishes(wishes, count, false) == 0)
            *stop = end - at > NAMES_BEYOND ? at + NAMES_BEYOND : end;
        return;
    }
}

/*
 * Fills name_offset of every wish whose name stands in the name table. The linker writes names in
 * the order of the text, where the runtime comes early: in 100,000 functions they lie in the first
 * fiftieth. Names of three bytes or less are in no package.
 */
static void find_names(const struct nsd_pclntab *table, struct nsd_pclntab_wish *wishes,
                       unsigned count) {
    const uint8_t *name = table->names.start, *end = name + table->names.size, *stop = end;
    struct sieve sieve = {{0}};

    for (unsigned i = 0; i < count; i++)
        if (wishes[i].name_length >= 4)
            sieve__add(&sieve, name_key((const uint8_t *) wishes[i].name, wishes[i].name_length));
    for (const uint8_t *at = name; at < stop; at += 16) {
        uint8_t rest[16];
        unsigned zeros;

        if (end - at < 16) {
            memory__fill(rest, 1, sizeof rest);
            memory__copy(rest, at, (size_t) (end - at));
            zeros = machine__zero_bytes(rest);
        } else {
            zeros = machine__zero_bytes(at);
        }
        for (; zeros != 0; zeros &= zeros - 1) {
            const uint8_t *nul = at + __builtin_ctz(zeros);
            size_t length = (size_t) (nul - name);

            if (length >= 4 && sieve__lets_through(&sieve, name_key(name, length)))
                take_name(table, name, length, wishes, count, &stop);
            name = nul + 1;
        }
    }
}

static bool is_named(const struct nsd_pclntab_wish *wish, uint32_t name) {
    for (unsigned i = 0; i < wish->names; i++)
        if (wish->name_offset[i] == name)
            return true;
    return false;
}

/* Takes the row if its name is wanted. */
static bool take_row(const struct nsd_pclntab *table, uint64_t row, uint32_t name,
                     struct nsd_pclntab_wish *wishes, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        struct nsd_pclntab_wish *wish = &wishes[i];

        if (!is_named(wish, name))
            continue;
        if (wish->count < NSD_PCLNTAB_ENTRIES)
            wish->entry[wish->count++] = pclntab_row__entry(table, row);
        return true;
    }
    return false;
}

/*
 * The row at which the names up to `offset` have been used up, less a margin: names are numbered
 * in the order of the functions, but one that was inlined earlier has its number from there.
 */
static uint64_t first_row_for(const struct nsd_pclntab *table, uint32_t offset) {
    uint64_t low = 0, high = table->functions;

    while (high - low > 1024) {
        uint64_t middle = low + (high - low) / 2;
        uint32_t most = 0;

        for (uint64_t i = middle; i < middle + 16 && i < high; i++) {
            uint32_t name = pclntab_row__name(table, i);

            if (name != UINT32_MAX && name > most)
                most = name;
        }
        if (most < offset)
            low = middle;
        else
            high = middle;
    }
    return low > 1024 ? low - 1024 : 0;
}

static void find_rows(const struct nsd_pclntab *table, struct nsd_pclntab_wish *wishes,
                      unsigned count) {
    struct sieve sieve = {{0}};
    uint64_t row, last;
    uint32_t first = UINT32_MAX;
    unsigned open = open_wishes(wishes, count, true);

    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < wishes[i].names; k++) {
            sieve__add(&sieve, wishes[i].name_offset[k]);
            if (wishes[i].name_offset[k] < first)
                first = wishes[i].name_offset[k];
        }
    }
    if (first == UINT32_MAX)
        return;
    row = last = first_row_for(table, first);
    for (; row < table->functions; row++) {
        uint32_t name = pclntab_row__name(table, row);

        if (sieve__lets_through(&sieve, name) && take_row(table, row, name, wishes, count)) {
            last = row;
            open = open_wishes(wishes, count, true);
        }
        /* A name without a function (inlined everywhere) must not lead to the table's end. */
        if (row - last > (open ? 16 : 1) * FUNCTIONS_BEYOND)
            break;
    }
}

unsigned pclntab__find_all(const struct nsd_pclntab *table, struct nsd_pclntab_wish *wishes,
                           unsigned count) {
    unsigned found = 0;

    if (count > 64)
        count = 64;
    for (unsigned i = 0; i < count; i++) {
        wishes[i].name_length = (uint32_t) string__length(wishes[i].name);
        wishes[i].names = 0;
        wishes[i].count = 0;
    }
    find_names(table, wishes, count);
    find_rows(table, wishes, count);
    for (unsigned i = 0; i < count; i++)
        found += wishes[i].count != 0;
    return found;
}

unsigned pclntab__find(const struct nsd_pclntab *table, const char *name, uint64_t *entries,
                       unsigned most) {
    struct nsd_pclntab_wish wish = {.name = name};
    unsigned count;

    pclntab__find_all(table, &wish, 1);
    count = wish.count < most ? wish.count : most;
    for (unsigned i = 0; i < count; i++)
        entries[i] = wish.entry[i];
    return count;
}
