/*
 * Reading the host's lists, see host_list.h. A page is the unit in which memory is there or not, so
 * no copy reads beyond the page that it begins in before that page's bytes have said that the
 * string goes on.
 */
#include "host/host_list.h"
#include "base/memory.h"
#include "base/syscall.h"
#include <stdint.h>

/* As many characters tell the variables apart: the longest name with its equals sign. */
#define BEGINNING (sizeof "NSDRIFT_OPTIONS=" - 1)

static const struct {
    const char *text;
    size_t length;
} names[NSD_VARIABLES] = {
#define NAME(name)                                                                                 \
    { name, sizeof name - 1 }
    [NSD_VARIABLE_SWITCH] = NAME("NSDRIFT="),
    [NSD_VARIABLE_OPTIONS] = NAME("NSDRIFT_OPTIONS="),
    [NSD_VARIABLE_PRELOAD] = NAME("LD_PRELOAD="),
    [NSD_VARIABLE_ASAN] = NAME("ASAN_OPTIONS="),
#undef NAME
};

const char *host_list__name(enum nsd_variable variable) {
    return names[variable].text;
}

size_t host_list__name_length(enum nsd_variable variable) {
    return names[variable].length;
}

bool host_list__copy(void *to, const void *from, size_t size) {
    if (!sys__is_forbidden())
        return size == 0 || memory__try_copy(to, from, size) == size;
    memory__copy(to, from, size);
    return true;
}

static size_t size_in_page(const void *at, size_t most) {
    size_t left = NSD_PAGE_SIZE - ((uintptr_t) at & (NSD_PAGE_SIZE - 1));

    return left < most ? left : most;
}

/* ---- entries ---- */

static enum nsd_variable variable_of(const char beginning[BEGINNING]) {
    for (unsigned i = NSD_VARIABLE_OTHER + 1; i < NSD_VARIABLES; i++) {
        if (beginning[0] == names[i].text[0] &&
            memory__equal(beginning, names[i].text, names[i].length))
            return (enum nsd_variable) i;
    }
    return NSD_VARIABLE_OTHER;
}

static bool has_end(const char *bytes, size_t size) {
    return memory__find(bytes, size, "", 1) != NULL;
}

/* The beginnings of all entries, one after the other, as far as each one's page goes. */
static bool copy_beginnings(const struct nsd_list_piece *piece, char *to) {
    struct nsd_memory_part source[HOST_LIST_PIECE], target = {to, 0};

    for (unsigned i = 0; i < piece->count; i++) {
        source[i] =
            (struct nsd_memory_part){piece->entry[i], size_in_page(piece->entry[i], BEGINNING)};
        target.size += source[i].size;
    }
    if (!sys__is_forbidden())
        return target.size == 0 ||
               memory__try_parts(&target, 1, source, piece->count) == target.size;
    for (unsigned i = 0; i < piece->count; i++) {
        memory__copy(to, source[i].at, source[i].size);
        to += source[i].size;
    }
    return true;
}

static bool tell_variables(struct nsd_list_piece *piece) {
    char room[HOST_LIST_PIECE * BEGINNING], beginning[BEGINNING];
    const char *at = room;

    if (!copy_beginnings(piece, room))
        return false;
    for (unsigned i = 0; i < piece->count; i++) {
        const char *entry = piece->entry[i];
        size_t size = size_in_page(entry, BEGINNING);

        memory__fill(beginning, 0, sizeof beginning);
        memory__copy(beginning, at, size);
        at += size;
        if (size < BEGINNING && !has_end(beginning, size) &&
            !host_list__copy(beginning + size, entry + size, BEGINNING - size))
            return false;
        piece->variable[i] = variable_of(beginning);
    }
    return true;
}

/* Of the entries from `at` on as many as one page holds; 0 if none can be read. */
static unsigned copy_entries(char *const *at, const char *to[HOST_LIST_PIECE]) {
    size_t most = HOST_LIST_PIECE * sizeof to[0], size = size_in_page(at, most);

    /* A pointer that crosses into the next page is read alone. */
    if (size < sizeof to[0])
        size = sizeof to[0];
    size -= size % sizeof to[0];
    return host_list__copy(to, at, size) ? (unsigned) (size / sizeof to[0]) : 0;
}

bool host_list__read(char *const *at, struct nsd_list_piece *piece) {
    unsigned copied;

    piece->count = 0;
    piece->is_last = at == NULL; /* the kernel takes it for an empty list */
    if (piece->is_last)
        return true;
    copied = copy_entries(at, piece->entry);
    if (copied == 0)
        return false;
    while (piece->count < copied && piece->entry[piece->count] != NULL)
        piece->count++;
    piece->is_last = piece->count < copied;
    return tell_variables(piece);
}

/* ---- strings ---- */

void host_string__begin(struct nsd_host_string *string, const char *from) {
    string->next = from;
    string->used = string->have = 0;
    string->has_failed = false;
}

char host_string__next(struct nsd_host_string *string) {
    if (string->used == string->have) {
        size_t size = size_in_page(string->next, sizeof string->piece);

        if (string->has_failed || !host_list__copy(string->piece, string->next, size)) {
            string->has_failed = true;
            return '\0';
        }
        string->next += size;
        string->used = 0;
        string->have = (unsigned) size;
    }
    return string->piece[string->used++];
}
