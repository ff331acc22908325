/*
 * The environment of the next image (environment.h). Remembers the library's path and the options
 * that this image was started with. Where the host's own list has lost the preload, a new list with
 * it is built in a mapping; where the library cannot be reached from the caller's root, a list
 * without it, because ld.so would complain on the program's stderr.
 */
#include "host/environment.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/syscall.h"
#include "names/modules.h"
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/mman.h>
#include <stdatomic.h>

#define SWITCH "NSDRIFT="
#define OPTIONS "NSDRIFT_OPTIONS="
#define PRELOAD "LD_PRELOAD="

static char library[PATH_MAX]; /* absolute path for LD_PRELOAD; empty: unknown */
static uint64_t library_device, library_inode;
static const char *options_entry; /* "NSDRIFT_OPTIONS=..." as it was at start, NULL */

static bool entry_is(const char *entry, const char *name) {
    return string__begins(entry, name);
}

const char *environment__of(char **list, const char *name) {
    size_t length = string__length(name);

    for (; list != NULL && *list != NULL; list++) {
        if (string__begins(*list, name) && (*list)[length] == '=')
            return *list + length + 1;
    }
    return NULL;
}

/*
 * The library's path as the loader opened it, made absolute now, while the working directory is
 * still the one of the start.
 */
static void learn_library(void) {
    for (unsigned i = 0; i < modules__count(); i++) {
        const struct nsd_module *module = modules__at(i);
        struct sys_stat stat;
        size_t length, before = 0;

        if (!module->is_shim || module->path == NULL)
            continue;
        length = string__length(module->path);
        if (module->path[0] != '/') {
            long got = SYS2(__NR_getcwd, library, sizeof library);

            if (got <= 0)
                return;
            before = (size_t) got; /* counts the NUL, which becomes the slash */
            library[before - 1] = '/';
        }
        if (before + length + 1 > sizeof library || sys__stat(module->path, &stat) != 0) {
            library[0] = '\0';
            return;
        }
        memory__copy(library + before, module->path, length + 1);
        library_device = stat.device;
        library_inode = stat.inode;
        return;
    }
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
        if (entry_is(*list, OPTIONS))
            return *list;
    }
    return NULL;
}

void environment__begin(const char *options) {
    learn_library();
    if (options != NULL)
        options_entry = keep(options);
}

static bool follows_no_more;

void environment__end_following(void) {
    follows_no_more = true;
}

bool environment__reaches_library(void) {
    struct sys_stat stat;

    return library[0] != '\0' && sys__stat(library, &stat) == 0 && stat.device == library_device &&
           stat.inode == library_inode;
}

static bool reached_before_filter = true;

void environment__before_filter(void) {
    if (!sys__is_forbidden())
        reached_before_filter = environment__reaches_library();
}

static bool reaches_library_now(void) {
    return sys__is_forbidden() ? reached_before_filter : environment__reaches_library();
}

static bool is_separator(char c) {
    return c == ':' || c == ' ';
}

/* Our element of an LD_PRELOAD value: [*from, *end) in `value`. False if there is none. */
static bool find_element(const char *value, const char **from, const char **end) {
    const char *base = string__base_name(library);
    size_t base_length = string__length(base);

    while (*value != '\0') {
        const char *start, *stop;

        while (is_separator(*value))
            value++;
        start = value;
        while (*value != '\0' && !is_separator(*value))
            value++;
        stop = value;
        /* Compared by file name: the user may have written the folder in another way. */
        if ((size_t) (stop - start) >= base_length &&
            memory__equal(stop - base_length, base, base_length) &&
            ((size_t) (stop - start) == base_length || stop[-(ptrdiff_t) base_length - 1] == '/')) {
            *from = start;
            *end = stop;
            return true;
        }
    }
    return false;
}

/* The changes that the host's list needs. */
struct plan {
    bool add_switch, add_options, add_preload;
    bool strip_ours;                /* follow=0: remove all three variables of ours */
    const char *cut_from, *cut_end; /* our element of the LD_PRELOAD value, to be removed */
    const char *preload;            /* the LD_PRELOAD value, NULL for none */
    size_t entries;
};

/* Which of our variables the host's list has. */
struct present {
    bool is_switched, has_options;
};

/* Notes an entry that is one of our variables. Its first byte is known to be readable. */
static void note_entry(struct plan *plan, const char *entry, struct present *present) {
    if (entry[0] != 'N' && entry[0] != 'L')
        return;
    if (entry_is(entry, SWITCH))
        present->is_switched = true;
    else if (entry_is(entry, OPTIONS))
        present->has_options = true;
    else if (entry_is(entry, PRELOAD))
        plan->preload = entry + sizeof PRELOAD - 1;
}

/* Reads the host's list. False, and no crash, where the kernel would answer EFAULT. */
static bool read_entries(char *const *given, struct plan *plan, struct present *present) {
    const void *part[MEMORY_PLACES];

    while (given != NULL) {
        unsigned count = 0, room = MEMORY_PLACES;

        if (!sys__is_forbidden()) {
            size_t in_page = NSD_PAGE_SIZE - ((uintptr_t) given & (NSD_PAGE_SIZE - 1));
            size_t size = sizeof part < in_page ? sizeof part : in_page;

            /* A pointer that crosses into the next page is read alone. */
            if (size < sizeof part[0])
                size = sizeof part[0];
            room = (unsigned) (memory__try_copy(part, given, size) / sizeof part[0]);
            if (room == 0)
                return false;
        }
        while (count < room && given[count] != NULL)
            count++;
        memory__copy(part, given, count * sizeof part[0]);
        if (!memory__can_read(part, count))
            return false;
        for (unsigned i = 0; i < count; i++)
            note_entry(plan, part[i], present);
        plan->entries += count;
        given += count;
        if (count < room)
            return true;
    }
    return true;
}

/*
 * Under a seccomp filter that can kill, the next image gets no preload: our calls there might kill
 * it. Under any filter the library's file is not looked at again: the answer from before the filter
 * holds, because sandboxes change their root first and set the filter last.
 */
static bool make_plan(char *const *given, struct plan *plan) {
    bool follow = nsd_options.follow.number != 0;
    struct present present = {false, false};
    bool has_ours = false;

    memory__fill(plan, 0, sizeof *plan);
    if (!read_entries(given, plan, &present))
        return false;
    if (plan->preload != NULL)
        has_ours = find_element(plan->preload, &plan->cut_from, &plan->cut_end);
    if (follow && !follows_no_more && reaches_library_now()) {
        plan->add_switch = !present.is_switched;
        plan->add_options = !present.has_options && options_entry != NULL;
        plan->add_preload = !has_ours;
        plan->cut_from = plan->cut_end = NULL;
        return true;
    }
    plan->strip_ours = !follow && (present.is_switched || present.has_options || has_ours);
    return true;
}

static bool plan_changes(const struct plan *plan) {
    return plan->add_switch || plan->add_options || plan->add_preload || plan->strip_ours ||
           plan->cut_from != NULL;
}

/* "LD_PRELOAD=" with the library put in front, or with its element cut out, into `to`. */
static char *write_preload(char *to, const struct plan *plan) {
    const char *value = plan->preload == NULL ? "" : plan->preload;
    char *at = to;
    size_t length = string__length(value);

    memory__copy(at, PRELOAD, sizeof PRELOAD - 1);
    at += sizeof PRELOAD - 1;
    if (plan->add_preload) {
        size_t size = string__length(library);

        memory__copy(at, library, size);
        at += size;
        if (length > 0)
            *at++ = ':';
        memory__copy(at, value, length + 1);
        return at + length + 1;
    }
    {
        const char *rest = plan->cut_end;
        size_t before = (size_t) (plan->cut_from - value);

        while (is_separator(*rest))
            rest++;
        while (*rest == '\0' && before > 0 && is_separator(value[before - 1]))
            before--;
        memory__copy(at, value, before);
        at += before;
        length = string__length(rest);
        memory__copy(at, rest, length + 1);
        at += length;
        if (at == to + sizeof PRELOAD - 1)
            return to; /* the value is empty now: leave the variable out */
        return at + 1;
    }
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
 * Memory for the new list. Under a seccomp filter nothing may be mapped, so one static list serves;
 * it is never given back, because an exec under a filter rarely fails.
 */
static char **take_room(size_t size, struct nsd_environment *out) {
    static char *room[4096];
    static _Atomic bool is_taken;
    long at;

    if (sys__is_forbidden())
        return size <= sizeof room && !atomic_exchange(&is_taken, true) ? room : NULL;
    at = sys__mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (SYS_IS_ERROR(at))
        return NULL;
    out->mapping = (void *) at;
    out->size = size;
    return (char **) at;
}

void environment__for_exec(char *const *given, uintptr_t vfork_key, struct nsd_environment *out) {
    struct plan plan;
    size_t size, count = 0;
    char **list, *strings, *end;
    bool new_preload;

    out->list = (char **) given;
    out->mapping = NULL;
    out->size = 0;
    if (library[0] == '\0' || !make_plan(given, &plan) || !plan_changes(&plan))
        return;
    size = (plan.entries + 4) * sizeof *list + sizeof PRELOAD + sizeof library + 1 +
           (plan.preload == NULL ? 0 : string__length(plan.preload));
    list = take_room(size, out);
    if (list == NULL)
        return;
    strings = (char *) (list + plan.entries + 4);
    new_preload = plan.add_preload || plan.cut_from != NULL;
    end = new_preload ? write_preload(strings, &plan) : strings;
    for (size_t i = 0; i < plan.entries; i++) {
        char *entry = given[i];

        if (plan.strip_ours && (entry_is(entry, SWITCH) || entry_is(entry, OPTIONS)))
            continue;
        if (new_preload && entry_is(entry, PRELOAD)) {
            /* In the same place, so that the order of the host's variables stays. */
            if (end != strings)
                list[count++] = strings;
            end = strings;
            continue;
        }
        list[count++] = entry;
    }
    if (end != strings)
        list[count++] = strings;
    if (plan.add_switch)
        list[count++] = (char *) SWITCH "1";
    if (plan.add_options)
        list[count++] = (char *) options_entry;
    list[count] = NULL;
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
