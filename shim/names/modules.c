/*
 * The module table: a walk of the loader's list, from the main program's DT_DEBUG on, into a table
 * of our own that only grows. Called by the constructor once, then by hooks and the report whenever
 * an address is in no module that is known. May take no lock of the loader and follow no pointer of
 * its list unchecked: another thread may be inside dlclose.
 */
#include "names/modules.h"

#include "base/memory.h"
#include "base/syscall.h"
#include "names/link_map.h"
#include "names/loader_memory.h"
#include "names/main_program.h"

#include <linux/mman.h>

#define MODULES_MOST 512u
#define PATH_MOST 1024u
#define NAMES_CHUNK (64u * 1024u)
#define LIST_LOSES 2 /* RT_DELETE of <link.h>: a library's memory is being taken away */

/* What the walk knows of a module beyond what everyone may see. */
struct sighting {
    /*
     * Its entry in the loader's list; NULL for what the loader does not list. Relaxed: a reader
     * checks what it finds there.
     */
    _Atomic(const struct nsd_link *) link;
    const Elf64_Dyn *dynamic;
    uintptr_t address;
};

static struct nsd_module module_table[MODULES_MOST];
static struct sighting sightings[MODULES_MOST];
/*
 * How many modules stand in the table. Stored with release when a module is filled in, loaded with
 * acquire by readers without a lock; relaxed for the thread that walks, which wrote it.
 */
static _Atomic unsigned module_count;
static unsigned start_count; /* modules that were there at the first walk: the global scope */
/*
 * Pid of the process in which a thread walks the list, 0: none. Sequentially consistent: it is a
 * lock around the sightings and the room below, taken rarely.
 */
static _Atomic int32_t walking;
static struct nsd_link last_seen; /* contents of the list's last node at the last walk */
static const struct nsd_link *last_seen_at;
/*
 * How often a module was added or has gone. Relaxed: a reader that sees the old number believes
 * what it remembers a moment longer, as if it had asked before the change.
 */
static _Atomic uint32_t changes;
/* A module has gone whose end the last walk did not see. Relaxed: the next refresh walks. */
static _Atomic bool is_stale;

static struct nsd_main_program program;
static const char *shim_path;
static const struct nsd_link_list *list;

static char *names_chunk;
static size_t names_left;

/* Room to work in, for the thread that walks: hooks run on small stacks. */
static struct {
    Elf64_Phdr headers[NSD_MODULE_HEADERS_MOST];
    char path[PATH_MOST];
    char other_path[PATH_MOST];
    bool seen[MODULES_MOST];
} room;

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

/* Memory for names and headers that is never given back. Only by the thread that walks. */
static void *keep(const void *bytes, size_t size) {
    size_t taken = (size + 15u) & ~(size_t) 15u;
    void *kept;

    if (taken > NAMES_CHUNK)
        return NULL;
    if (taken > names_left) {
        if (sys__is_forbidden())
            return NULL;
        long chunk = sys__mmap(NULL, NAMES_CHUNK, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (SYS_IS_ERROR(chunk))
            return NULL;
        names_chunk = (char *) chunk;
        names_left = NAMES_CHUNK;
    }
    kept = names_chunk;
    names_chunk += taken;
    names_left -= taken;
    memory__copy(kept, bytes, size);
    return kept;
}

static struct nsd_module *next_free(unsigned *index) {
    *index = atomic_load_explicit(&module_count, memory_order_relaxed);
    if (*index == MODULES_MOST)
        return NULL;
    memory__fill(&module_table[*index], 0, sizeof(module_table[0]));
    return &module_table[*index];
}

static bool publish(struct nsd_module *module, unsigned index, const Elf64_Phdr *headers,
                    const char *path, const struct nsd_link *link, const struct nsd_link *node) {
    uintptr_t self = (uintptr_t) &__ehdr_start;

    module->headers = keep(headers, module->header_count * sizeof(Elf64_Phdr));
    module->path = keep(path, string__length(path) + 1);
    if (module->headers == NULL || module->path == NULL || !module__describe(module))
        return false;
    module->is_shim = self >= module->start && self < module->end;
    atomic_store_explicit(&sightings[index].link, link, memory_order_relaxed);
    sightings[index].dynamic = node != NULL ? node->dynamic : NULL;
    sightings[index].address = module->base;
    atomic_store_explicit(&module->loaded, true, memory_order_relaxed);
    atomic_store_explicit(&module_count, index + 1, memory_order_release);
    atomic_fetch_add_explicit(&changes, 1, memory_order_relaxed);
    return true;
}

static bool add_program(const struct nsd_link *link, const struct nsd_link *node) {
    unsigned index;
    struct nsd_module *module = next_free(&index);

    if (module == NULL || program.headers == 0 || program.header_count > NSD_MODULE_HEADERS_MOST)
        return false;
    module->base = node != NULL ? node->base : main_program__base(&program);
    module->header_count = program.header_count;
    module->is_executable = true;
    main_program__path(&program, room.path, sizeof room.path);
    return publish(module, index, (const Elf64_Phdr *) program.headers, room.path, link, node);
}

static void add_shim(void) {
    unsigned index;
    struct nsd_module *module = next_free(&index);

    if (module == NULL)
        return;
    module->base = (uintptr_t) &__ehdr_start;
    if (module__read_headers(module, module->base, NULL, room.headers))
        publish(module, index, room.headers, shim_path != NULL ? shim_path : "libnsdrift.so", NULL,
                NULL);
}

static void add_library(const struct nsd_link *link, const struct nsd_link *node) {
    unsigned index;
    struct nsd_module *module = next_free(&index);

    if (module == NULL)
        return;
    module->base = node->base;
    if (!loader_memory__read_string(room.path, sizeof room.path, node->path))
        room.path[0] = '\0';
    if (module__find_headers(module, node->dynamic, room.headers))
        publish(module, index, room.headers, room.path, link, node);
}

/* The module of this node if it is in the table: same place, same dynamic section, same name. */
static int known(const struct nsd_link *node) {
    unsigned count = atomic_load_explicit(&module_count, memory_order_relaxed);

    for (unsigned i = 0; i < count; i++) {
        if (sightings[i].dynamic != node->dynamic || sightings[i].address != node->base)
            continue;
        if (module_table[i].is_executable || module_table[i].is_shim)
            return (int) i;
        if (loader_memory__read_string(room.other_path, sizeof room.other_path, node->path) &&
            string__equal(room.other_path, module_table[i].path))
            return (int) i;
    }
    return -1;
}

/* The shim's own row and a program without a loader have no entry, and keep none. */
static void note_reopened(unsigned index, const struct nsd_link *link) {
    if (module_table[index].is_executable || module_table[index].is_shim)
        return;
    atomic_store_explicit(&sightings[index].link, link, memory_order_relaxed);
    atomic_fetch_add_explicit(&changes, 1, memory_order_relaxed);
}

static void set_loaded(struct nsd_module *module, bool loaded) {
    if (atomic_exchange_explicit(&module->loaded, loaded, memory_order_relaxed) != loaded)
        atomic_fetch_add_explicit(&changes, 1, memory_order_relaxed);
}

/* The whole list once. False if it broke off because another thread changes it. */
static bool walk(void) {
    struct nsd_link_walk walk;
    unsigned count;

    if (!link_walk__begin(&walk, list, loader_memory__read))
        return false;
    memory__fill(room.seen, 0, sizeof room.seen);
    while (link_walk__step(&walk)) {
        int index = known(&walk.node);

        if (index < 0) {
            unsigned before = atomic_load_explicit(&module_count, memory_order_relaxed);

            if (walk.length == 1 && before == 0)
                add_program(walk.at, &walk.node);
            else
                add_library(walk.at, &walk.node);
            if (atomic_load_explicit(&module_count, memory_order_relaxed) > before)
                index = (int) before;
        }
        if (index >= 0) {
            room.seen[index] = true;
            /* A library that was closed and opened again has another entry. */
            if (atomic_load_explicit(&sightings[index].link, memory_order_relaxed) != walk.at)
                note_reopened((unsigned) index, walk.at);
        }
        last_seen = walk.node;
        last_seen_at = walk.at;
    }
    if (walk.broken)
        return false;
    count = atomic_load_explicit(&module_count, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++)
        set_loaded(&module_table[i], room.seen[i] || sightings[i].link == NULL);
    return true;
}

/*
 * Whether the end of the list is as the last walk left it: glibc and musl append what is opened.
 * One system call, because this is asked before every unwinding.
 */
static bool unchanged(void) {
    const struct nsd_link *at = last_seen_at, *previous = last_seen.previous;
    struct {
        struct nsd_link node;
        const struct nsd_link *back;
        int state;
    } now;
    struct nsd_memory_part here[] = {
        {&now.node, sizeof now.node}, {&now.state, sizeof now.state}, {&now.back, sizeof now.back}};
    struct nsd_memory_part there[] = {{at, sizeof now.node},
                                      {&list->state, sizeof now.state},
                                      {previous == NULL ? NULL : &previous->next, sizeof now.back}};
    unsigned parts = previous == NULL ? 2 : 3;
    size_t wanted = here[0].size + here[1].size + (parts == 3 ? here[2].size : 0);

    if (!loader_memory__is_safe() || at == NULL ||
        memory__try_parts(here, parts, there, parts) != wanted)
        return false;
    return now.state == 0 && now.node.next == NULL && now.node.previous == previous &&
           now.node.base == last_seen.base && now.node.dynamic == last_seen.dynamic &&
           now.node.path == last_seen.path && (previous == NULL || now.back == at);
}

void modules__set_start(uintptr_t program_headers, unsigned count, const char *path) {
    program = (struct nsd_main_program){program_headers, count, path};
}

void modules__set_shim(const char *path) {
    shim_path = path;
}

/* One thread walks at a time. A walk that a fork cut off in the parent's copy is nobody's. */
static bool begin_walk(void) {
    int32_t pid = sys__getpid(), other = atomic_load(&walking);

    return other != pid && atomic_compare_exchange_strong(&walking, &other, pid);
}

static void end_walk(void) {
    atomic_store(&walking, 0);
}

void modules__begin(void) {
    bool shim_found = false;

    if (atomic_load_explicit(&module_count, memory_order_acquire) != 0 || !begin_walk())
        return;
    loader_memory__begin();
    if (program.headers == 0)
        main_program__ask_kernel(&program);
    list = link_map__of_program((const Elf64_Phdr *) program.headers, program.header_count,
                                main_program__base(&program));
    if ((list == NULL || !walk()) && modules__count() == 0)
        add_program(NULL, NULL);
    for (unsigned i = 0; i < modules__count(); i++)
        shim_found |= module_table[i].is_shim;
    if (!shim_found)
        add_shim();
    start_count = modules__count();
    end_walk();
}

bool modules__refresh(void) {
    int state;
    bool done;

    if (list == NULL || sys__is_forbidden())
        return false;
    if (!atomic_load_explicit(&is_stale, memory_order_relaxed) && unchanged())
        return true;
    if (!begin_walk())
        return false;
    atomic_store_explicit(&is_stale, false, memory_order_relaxed);
    done = loader_memory__read(&state, &list->state, sizeof state) && state == 0 && walk();
    end_walk();
    return done;
}

static struct nsd_module *find(uintptr_t address) {
    struct nsd_module *closed = NULL;

    for (unsigned i = modules__count(); i-- > 0;) {
        struct nsd_module *module = &module_table[i];

        if (address < module->start || address >= module->end)
            continue;
        if (module__is_loaded(&module_table[i]))
            return module;
        if (closed == NULL)
            closed = module;
    }
    return closed;
}

struct nsd_module *modules__of(uintptr_t address) {
    struct nsd_module *module = find(address);

    if (module == NULL && modules__refresh())
        module = find(address);
    return module;
}

bool modules__is_still_there(struct nsd_module *module) {
    uint32_t number = modules__number(module);
    const struct nsd_link *link, *back;
    struct nsd_link now;
    int state = 0;
    struct nsd_memory_part here[] = {{&now, sizeof now}, {&state, sizeof state}};

    if (!module__is_loaded(module))
        return false;
    link = atomic_load_explicit(&sightings[number - 1].link, memory_order_relaxed);
    if (link == NULL || module->is_executable || module->is_shim || !loader_memory__is_safe() ||
        sys__is_forbidden())
        return true;
    if (memory__try_parts(
            here, 2, (struct nsd_memory_part[]){{link, sizeof now}, {&list->state, sizeof state}},
            2) == sizeof now + sizeof state &&
        now.base == module->base && now.dynamic == sightings[number - 1].dynamic &&
        (now.previous == NULL ||
         (loader_memory__read(&back, &now.previous->next, sizeof back) && back == link)))
        return state != LIST_LOSES;
    set_loaded(module, false);
    atomic_store_explicit(&is_stale, true, memory_order_relaxed);
    return false;
}

uint32_t modules__changes(void) {
    return atomic_load_explicit(&changes, memory_order_relaxed);
}

unsigned modules__at_start(void) {
    return start_count;
}

unsigned modules__count(void) {
    return atomic_load_explicit(&module_count, memory_order_acquire);
}

struct nsd_module *modules__at(unsigned index) {
    return index < modules__count() ? &module_table[index] : NULL;
}

uint32_t modules__number(const struct nsd_module *module) {
    return module == NULL ? 0 : (uint32_t) (module - module_table) + 1;
}
