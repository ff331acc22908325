/*
 * The environment of the next image (environment.h). Remembers the options that this image was
 * started with. Where the host's own list has lost the preload, a new list with it is built in a
 * mapping; where the next image cannot load the library, a list without it, because ld.so would
 * complain on the program's stderr.
 */
#include "host/environment.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/syscall.h"
#include "host/host_list.h"
#include "host/library.h"
#include "host/preload_value.h"
#include "record/writer.h"
#include "report/coverage.h"
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/mman.h>
#include <stdatomic.h>

static const char *options_entry; /* "NSDRIFT_OPTIONS=..." as it was at start, NULL */

const char *environment__of(char **list, const char *name) {
    size_t length = string__length(name);

    for (; list != NULL && *list != NULL; list++) {
        if (string__begins(*list, name) && (*list)[length] == '=')
            return *list + length + 1;
    }
    return NULL;
}

/* A copy, because the host may overwrite its environment's memory (setproctitle does). */
static const char *keep(const char *entry) {
    size_t size = string__length(entry) + 1;
    long at = sys__mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (SYS_IS_ERROR(at))
        return NULL;
    memory__copy((void *) at, entry, size);
    return (const char *) at;
}

const char *environment__options_entry(char **list) {
    for (; list != NULL && *list != NULL; list++) {
        if (string__begins(*list, host_list__name(NSD_VARIABLE_OPTIONS)))
            return *list;
    }
    return NULL;
}

void environment__begin(const char *options) {
    library__learn();
    if (options != NULL)
        options_entry = keep(options);
}

/* ---- the next image ---- */

static bool follows_no_more;
/* library__refusal() as it was before the host's first filter. Relaxed: it points to constants. */
static const char *_Atomic refusal_before_filter;

void environment__end_following(void) {
    follows_no_more = true;
}

void environment__before_filter(void) {
    if (!sys__is_forbidden())
        atomic_store_explicit(&refusal_before_filter, library__refusal(), memory_order_relaxed);
}

static bool follows(void) {
    return nsd_options.follow.number != 0 && !follows_no_more;
}

/*
 * Under a seccomp filter of the host nothing is looked at: the answer from before the filter holds,
 * because sandboxes change their root first and set the filter last.
 */
void environment__look(int folder, const char *path, struct nsd_next_image *next) {
    *next = (struct nsd_next_image){
        .refusal = atomic_load_explicit(&refusal_before_filter, memory_order_relaxed)};
    if (sys__is_forbidden())
        return;
    /* Only the list of unwatched programs wants to know about rights. */
    program_file__look(folder, path, record__has_index(), &next->program);
    next->refusal = !follows()                 ? NULL
                    : next->program.is_foreign ? "a program of another class or machine than the "
                                                 "library was executed, and is not watched"
                                               : library__refusal();
    if (next->refusal != NULL)
        coverage__missing("exec", next->refusal);
}

bool environment__was_too_long(int64_t result, char *const *given, char *const *changed) {
    if (result != -E2BIG || given == changed)
        return false;
    coverage__missing("exec", "a program was executed with as long a list of arguments as the "
                              "kernel takes: it left no room for the preload, so that the program "
                              "is not watched");
    return true;
}

/* ---- what has to change ---- */

/* Whether the library's path can be an element of LD_PRELOAD. */
static bool can_be_named(void) {
    for (const char *at = library__path(); *at != '\0'; at++) {
        if (preload_value__is_separator(*at)) {
            coverage__missing("exec", "the library's path has a blank or a colon, which LD_PRELOAD "
                                      "cannot name, so what comes after exec is not watched");
            return false;
        }
    }
    return true;
}

#define ASAN_ORDER "verify_asan_link_order=0"

/* An ASAN_OPTIONS value: its length, and whether it ends with the option that we would add. */
struct asan_value {
    const char *value; /* NULL: there is none */
    size_t length;
    bool has_order;
};

static bool read_asan(struct asan_value *asan) {
    struct nsd_host_string string;
    char end[sizeof ASAN_ORDER - 1];

    host_string__begin(&string, asan->value);
    for (asan->length = 0; host_string__next(&string) != '\0';)
        asan->length++;
    if (string.has_failed)
        return false;
    asan->has_order = asan->length >= sizeof end &&
                      host_list__copy(end, asan->value + asan->length - sizeof end, sizeof end) &&
                      memory__equal(end, ASAN_ORDER, sizeof end);
    return true;
}

/* The changes that the host's list needs. */
struct plan {
    bool add_switch, add_options, add_preload, add_order;
    bool strip_ours;  /* follow=0: remove all three variables of ours */
    bool cut_preload; /* our element of LD_PRELOAD is to be removed */
    struct nsd_preload_value preload;
    struct asan_value asan;
    size_t entries;
};

/* Which of our variables the host's list has. */
struct present {
    bool has[NSD_VARIABLES];
};

/* Reads the host's list. False where the kernel would answer EFAULT. */
static bool read_entries(char *const *given, struct plan *plan, struct present *present) {
    struct nsd_list_piece piece;

    do {
        if (!host_list__read(given, &piece))
            return false;
        for (unsigned i = 0; i < piece.count; i++) {
            enum nsd_variable variable = piece.variable[i];
            const char *value = piece.entry[i] + host_list__name_length(variable);

            present->has[variable] = true;
            if (variable == NSD_VARIABLE_PRELOAD)
                plan->preload.value = value;
            else if (variable == NSD_VARIABLE_ASAN)
                plan->asan.value = value;
        }
        plan->entries += piece.count;
        given += piece.count;
    } while (!piece.is_last);
    return true;
}

/*
 * Under a seccomp filter that can kill, the next image gets no preload: our calls there might kill
 * it.
 */
static bool make_plan(char *const *given, const struct nsd_next_image *next, struct plan *plan) {
    struct present present = {{false}};
    bool has_ours;

    memory__fill(plan, 0, sizeof *plan);
    if (!read_entries(given, plan, &present) ||
        (plan->preload.value != NULL && !preload_value__read(&plan->preload)))
        return false;
    has_ours = plan->preload.has_ours;
    if (!follows() || next->refusal != NULL) {
        plan->cut_preload = has_ours;
        plan->strip_ours =
            nsd_options.follow.number == 0 &&
            (present.has[NSD_VARIABLE_SWITCH] || present.has[NSD_VARIABLE_OPTIONS] || has_ours);
        return true;
    }
    plan->add_switch = !present.has[NSD_VARIABLE_SWITCH];
    plan->add_options = !present.has[NSD_VARIABLE_OPTIONS] && options_entry != NULL;
    /* AddressSanitizer's runtime refuses to run behind another library (asan_linux.cpp). */
    plan->cut_preload = has_ours && (plan->preload.ours_is_before_asan ||
                                     preload_value__leads_nowhere(&plan->preload));
    plan->add_preload = (!has_ours || plan->cut_preload) && can_be_named();
    if (!next->program.needs_asan || plan->preload.has_asan)
        return true;
    if (plan->asan.value != NULL && !read_asan(&plan->asan))
        return false;
    plan->add_order = !plan->asan.has_order;
    return true;
}

static bool plan_changes(const struct plan *plan) {
    return plan->add_switch || plan->add_options || plan->add_preload || plan->add_order ||
           plan->strip_ours || plan->cut_preload;
}

/* ---- the new list ---- */

/* Where strings are put, behind the new list. */
struct writer {
    char *at;
    bool has_failed; /* what was to be copied from the host is gone */
};

static void put(struct writer *writer, const char *from, size_t size) {
    memory__copy(writer->at, from, size);
    writer->at += size;
}

static void put_host(struct writer *writer, const char *from, size_t size) {
    if (!host_list__copy(writer->at, from, size))
        writer->has_failed = true;
    writer->at += size;
}

static void put_name(struct writer *writer, enum nsd_variable variable) {
    put(writer, host_list__name(variable), host_list__name_length(variable));
}

static char character_at(const struct nsd_preload_value *preload, size_t at) {
    char c = '\0';

    host_list__copy(&c, preload->value + at, 1);
    return c;
}

/* The host's elements, without ours where that is to be cut out. True if there is one. */
static bool put_elements(struct writer *writer, const struct plan *plan) {
    const struct nsd_preload_value *preload = &plan->preload;
    size_t before = preload->length, after = preload->length;

    if (preload->value == NULL)
        return false;
    if (plan->cut_preload) {
        before = preload->from;
        after = preload->end;
        while (after < preload->length && preload_value__is_separator(character_at(preload, after)))
            after++;
        while (after == preload->length && before > 0 &&
               preload_value__is_separator(character_at(preload, before - 1)))
            before--;
    }
    put_host(writer, preload->value, before);
    put_host(writer, preload->value + after, preload->length - after);
    return before > 0 || after < preload->length;
}

static void put_library(struct writer *writer) {
    put(writer, library__path(), string__length(library__path()));
}

/*
 * "LD_PRELOAD=" with the library put in front, or behind AddressSanitizer's runtime, or with its
 * element cut out. NULL: no element is left.
 */
static char *write_preload(struct writer *writer, const struct plan *plan) {
    bool is_last = plan->add_preload && plan->preload.has_asan;
    bool is_first = plan->add_preload && !is_last, has_others;
    char *begin = writer->at, *separator;

    put_name(writer, NSD_VARIABLE_PRELOAD);
    if (is_first)
        put_library(writer);
    separator = writer->at;
    if (is_first)
        put(writer, ":", 1);
    has_others = put_elements(writer, plan);
    if (!has_others)
        writer->at = separator;
    if (is_last) {
        put(writer, ":", 1);
        put_library(writer);
    }
    if (!has_others && !plan->add_preload) {
        writer->at = begin;
        return NULL;
    }
    put(writer, "", 1);
    return begin;
}

/* "ASAN_OPTIONS=" with the option that lets us stand before the runtime (see cli/watch/preload.c).
 */
static char *write_asan(struct writer *writer, const struct plan *plan) {
    char *begin = writer->at;

    put_name(writer, NSD_VARIABLE_ASAN);
    if (plan->asan.length > 0) {
        put_host(writer, plan->asan.value, plan->asan.length);
        put(writer, ":", 1);
    }
    put(writer, ASAN_ORDER, sizeof ASAN_ORDER);
    return begin;
}

/* Each variable's new entry, and whether the host's own entries of it go. */
struct replacement {
    char *entry[NSD_VARIABLES]; /* NULL: none is put in */
    bool goes[NSD_VARIABLES];
};

/*
 * Copies the host's entries. A new one takes the first place of its variable, so that the order of
 * the host's variables stays. The host may be changing its list: no more than `plan->entries` are
 * taken. Returns their number.
 */
static size_t copy_list(char *const *given, const struct plan *plan, struct replacement *by,
                        char **list, struct writer *writer) {
    size_t seen = 0, count = 0;
    struct nsd_list_piece piece;

    do {
        if (!host_list__read(given + seen, &piece)) {
            writer->has_failed = true;
            return 0;
        }
        for (unsigned i = 0; i < piece.count && seen < plan->entries; i++, seen++) {
            enum nsd_variable variable = piece.variable[i];

            if (!by->goes[variable]) {
                list[count++] = (char *) piece.entry[i];
            } else if (by->entry[variable] != NULL) {
                list[count++] = by->entry[variable];
                by->entry[variable] = NULL;
            }
        }
    } while (!piece.is_last && seen < plan->entries);
    return count;
}

/*
 * Lists that vfork children mapped and left behind by their exec, by the key of their parent's
 * mark. The key claims the slot and is therefore written first. Only the parent with this key reads
 * the rest of the slot, and it runs on only when its child is gone: the kernel orders the two.
 */
#define LEFT_MOST 64u
static struct left_mapping {
    _Atomic uintptr_t key;
    struct nsd_environment environment;
} left[LEFT_MOST];
static _Atomic uint32_t left_count;

static void leave(uintptr_t key, const struct nsd_environment *environment) {
    for (unsigned i = 0; i < LEFT_MOST; i++) {
        uintptr_t empty = 0;

        if (atomic_compare_exchange_strong(&left[i].key, &empty, key)) {
            left[i].environment = *environment;
            atomic_fetch_add(&left_count, 1);
            return;
        }
    }
}

void environment__reclaim(uintptr_t vfork_key) {
    if (atomic_load_explicit(&left_count, memory_order_acquire) == 0)
        return;
    for (unsigned i = 0; i < LEFT_MOST; i++) {
        if (atomic_load(&left[i].key) != vfork_key)
            continue;
        environment__release(&left[i].environment);
        atomic_store(&left[i].key, 0);
        atomic_fetch_sub(&left_count, 1);
    }
}

/*
 * Memory for the new list. One static list serves where nothing may be mapped, under a seccomp
 * filter, and where the kernel refuses a mapping. It is never given back: a failed exec is rare.
 */
static char **take_room(size_t size, struct nsd_environment *out) {
    static char *room[4096];
    static _Atomic bool is_taken;
    long at;

    at = sys__is_forbidden()
             ? -EPERM
             : sys__mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (SYS_IS_ERROR(at))
        return size <= sizeof room && !atomic_exchange(&is_taken, true) ? room : NULL;
    out->mapping = (void *) at;
    out->size = size;
    return (char **) at;
}

/* Builds the list that the plan asks for. False: a part of the host's is gone by now. */
static bool build(char *const *given, const struct plan *plan, char **list) {
    struct writer writer = {(char *) (list + plan->entries + NSD_VARIABLES), false};
    struct replacement by = {{NULL}, {false}};
    size_t count;

    by.goes[NSD_VARIABLE_SWITCH] = by.goes[NSD_VARIABLE_OPTIONS] = plan->strip_ours;
    by.goes[NSD_VARIABLE_PRELOAD] = plan->add_preload || plan->cut_preload;
    by.goes[NSD_VARIABLE_ASAN] = plan->add_order;
    if (by.goes[NSD_VARIABLE_PRELOAD])
        by.entry[NSD_VARIABLE_PRELOAD] = write_preload(&writer, plan);
    if (by.goes[NSD_VARIABLE_ASAN])
        by.entry[NSD_VARIABLE_ASAN] = write_asan(&writer, plan);
    count = copy_list(given, plan, &by, list, &writer);
    if (by.entry[NSD_VARIABLE_PRELOAD] != NULL)
        list[count++] = by.entry[NSD_VARIABLE_PRELOAD];
    if (by.entry[NSD_VARIABLE_ASAN] != NULL)
        list[count++] = by.entry[NSD_VARIABLE_ASAN];
    if (plan->add_switch)
        list[count++] = (char *) "NSDRIFT=1";
    if (plan->add_options)
        list[count++] = (char *) options_entry;
    list[count] = NULL;
    return !writer.has_failed;
}

static size_t size_of(const struct plan *plan) {
    return (plan->entries + NSD_VARIABLES) * sizeof(char *) + sizeof "LD_PRELOAD=" + PATH_MAX + 1 +
           plan->preload.length + sizeof "ASAN_OPTIONS=:" ASAN_ORDER + plan->asan.length;
}

void environment__for_exec(char *const *given, uintptr_t vfork_key,
                           const struct nsd_next_image *next, struct nsd_environment *out) {
    struct plan plan;
    char **list;

    *out =
        (struct nsd_environment){.list = (char **) given, .given = (char **) given, .next = *next};
    if (library__path()[0] == '\0' || !make_plan(given, next, &plan) || !plan_changes(&plan))
        return;
    list = take_room(size_of(&plan), out);
    if (list == NULL)
        return;
    if (!build(given, &plan, list)) {
        environment__release(out);
        return;
    }
    out->list = list;
    if (vfork_key != 0 && out->mapping != NULL) {
        leave(vfork_key, out);
        /* The parent unmaps it (environment__reclaim), also after a failed exec. */
        out->mapping = NULL;
    }
}

void environment__release(struct nsd_environment *environment) {
    if (environment->mapping != NULL)
        sys__munmap(environment->mapping, environment->size);
    environment->mapping = NULL;
}
