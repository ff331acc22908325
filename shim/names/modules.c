/*
 * The module table: a walk of the loader's link map, from the main program's DT_DEBUG on, into a
 * table of our own that only grows. Called by the constructor once, then by hooks and the report
 * whenever an address is in no module that is known. May take no lock of the loader and follow no
 * pointer of its list unchecked: another thread may be inside dlclose.
 */
#include "names/modules.h"

#include "base/memory.h"
#include "base/syscall.h"
#include "names/elf_symbols.h"

#include <linux/auxvec.h>
#include <linux/mman.h>
#include <stdatomic.h>

#define MODULES_MOST 512u
#define HEADERS_MOST 64u
#define PATH_MOST 1024u
#define NAMES_CHUNK (64u * 1024u)
#define LIST_MOST 4096u /* a list that is longer than this is no list */

/* <link.h> of glibc and musl alike: the part of these that debuggers rely on. */
struct link_map {
    uintptr_t address;
    const char *name;
    const Elf64_Dyn *dynamic;
    const struct link_map *next, *previous;
};

struct debugger_view {
    int version;
    const struct link_map *first;
    uintptr_t breakpoint;
    int state; /* 0: consistent; 1, 2: being added to, being taken from */
    uintptr_t loader;
};

/* What the walk knows of a module beyond what everyone may see. */
struct sighting {
    const struct link_map *link;
    const Elf64_Dyn *dynamic;
    uintptr_t address;
};

static struct nsd_module module_table[MODULES_MOST];
static struct sighting sightings[MODULES_MOST];
static _Atomic unsigned module_count;
static unsigned start_count;      /* modules that were there at the first walk: the global scope */
static _Atomic int32_t walking;   /* pid of the process in which a thread walks the list, 0: none */
static struct link_map last_seen; /* contents of the list's last node at the last walk */
static const struct link_map *last_seen_at;

static struct {
    uintptr_t headers;
    unsigned count;
    const char *program;
    const char *shim;
} start;
static const struct debugger_view *view;
static bool copies_work; /* memory__try_copy does; else the list is read as it is */

static char *names_chunk;
static size_t names_left;

/* Room to work in. It belongs to the one who walks: hooks run on small stacks. */
static struct {
    Elf64_Phdr headers[HEADERS_MOST];
    uint8_t notes[1024];
    char path[PATH_MOST];
    char other_path[PATH_MOST];
    bool seen[MODULES_MOST];
} room;

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

/* Memory for names and headers that is never given back. Only by the one who walks. */
static void *keep(const void *bytes, size_t size) {
    size_t taken = (size + 15u) & ~(size_t) 15u;
    void *kept;

    if (taken > NAMES_CHUNK)
        return NULL;
    if (taken > names_left) {
        if (memory__is_quiet())
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

static bool read_memory(void *to, const void *from, size_t size) {
    if (from == NULL)
        return false;
    if (copies_work)
        return memory__try_copy(to, from, size) == size;
    memory__copy(to, from, size);
    return true;
}

static bool read_string(char *to, size_t size, const char *from) {
    if (from == NULL)
        return false;
    if (copies_work)
        return memory__try_string(to, size, from);
    size_t length = string__length(from);
    if (length >= size)
        length = size - 1;
    memory__copy(to, from, length);
    to[length] = '\0';
    return true;
}

/* Build id, ranges and the unwind table, from the program headers in our own copy. */
static void describe(struct nsd_module *module) {
    uintptr_t low = UINTPTR_MAX, high = 0, text_low = UINTPTR_MAX, text_high = 0;

    for (unsigned i = 0; i < module->header_count; i++) {
        const Elf64_Phdr *header = &module->headers[i];
        uintptr_t from = module->base + header->p_vaddr;
        uintptr_t to = from + header->p_memsz;

        if (header->p_type == PT_LOAD) {
            low = from < low ? from : low;
            high = to > high ? to : high;
            if (header->p_flags & PF_X) {
                text_low = from < text_low ? from : text_low;
                text_high = to > text_high ? to : text_high;
            }
        } else if (header->p_type == PT_DYNAMIC) {
            module->dynamic = (const Elf64_Dyn *) from;
        } else if (header->p_type == PT_GNU_EH_FRAME) {
            module->eh_frame_header = (const uint8_t *) from;
            module->eh_frame_header_size = header->p_memsz;
        }
    }
    if (high == 0)
        return;
    module->start = low;
    module->end = high;
    if (text_high != 0) {
        module->text_start = text_low;
        module->text_end = text_high;
    }
}

static void read_build_id(struct nsd_module *module) {
    for (unsigned i = 0; i < module->header_count; i++) {
        const Elf64_Phdr *header = &module->headers[i];
        size_t size = header->p_filesz < sizeof(room.notes) ? header->p_filesz : sizeof(room.notes);
        uintptr_t from = module->base + header->p_vaddr;

        if (header->p_type != PT_NOTE || from < module->start || from + size > module->end ||
            !read_memory(room.notes, (const void *) from, size))
            continue;
        module->build_id_size = elf_symbols__build_id(room.notes, size, module->build_id);
        if (module->build_id_size != 0)
            return;
    }
}

/* Program headers by the ELF header at `at`; checks that the dynamic section is the one given. */
static bool headers_at(struct nsd_module *module, uintptr_t at, const Elf64_Dyn *dynamic) {
    Elf64_Phdr *headers = room.headers;
    Elf64_Ehdr elf;

    if (!read_memory(&elf, (const void *) at, sizeof(elf)) ||
        !memory__equal(elf.e_ident, ELFMAG, SELFMAG) || elf.e_ident[EI_CLASS] != ELFCLASS64 ||
        elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_phnum == 0 || elf.e_phnum > HEADERS_MOST ||
        !read_memory(headers, (const void *) (at + elf.e_phoff), elf.e_phnum * sizeof(Elf64_Phdr)))
        return false;
    for (unsigned i = 0; dynamic != NULL && i < elf.e_phnum; i++) {
        if (headers[i].p_type == PT_DYNAMIC &&
            module->base + headers[i].p_vaddr != (uintptr_t) dynamic)
            return false;
    }
    module->header_count = elf.e_phnum;
    return true;
}

/*
 * The ELF header of a library stands at its load bias, unless it was linked to a base of its own:
 * then it is looked for downwards from the dynamic section.
 */
static bool find_headers(struct nsd_module *module, const Elf64_Dyn *dynamic) {
    uintptr_t page = (uintptr_t) dynamic & ~(uintptr_t) 4095u;

    if (headers_at(module, module->base, dynamic))
        return true;
    for (unsigned i = 0; copies_work && i < 1024 && page > 4096; i++, page -= 4096) {
        if (headers_at(module, page, dynamic))
            return true;
    }
    return false;
}

static struct nsd_module *next_free(unsigned *index) {
    *index = atomic_load_explicit(&module_count, memory_order_relaxed);
    if (*index == MODULES_MOST)
        return NULL;
    memory__fill(&module_table[*index], 0, sizeof(module_table[0]));
    return &module_table[*index];
}

static bool publish(struct nsd_module *module, unsigned index, const Elf64_Phdr *headers,
                    const char *path, const struct link_map *link, const struct link_map *node) {
    uintptr_t self = (uintptr_t) &__ehdr_start;

    module->headers = keep(headers, module->header_count * sizeof(Elf64_Phdr));
    module->path = keep(path, string__length(path) + 1);
    if (module->headers == NULL || module->path == NULL)
        return false;
    describe(module);
    if (module->end == 0)
        return false;
    read_build_id(module);
    module->is_shim = self >= module->start && self < module->end;
    sightings[index].link = link;
    sightings[index].dynamic = node != NULL ? node->dynamic : NULL;
    sightings[index].address = module->base;
    __atomic_store_n(&module->loaded, true, __ATOMIC_RELAXED);
    atomic_store_explicit(&module_count, index + 1, memory_order_release);
    return true;
}

/* The kernel's own path of the program, or the one it was started by. */
static void program_path(char *path, size_t size) {
    long length = sys__readlinkat(AT_FDCWD, "/proc/self/exe", path, size - 1);

    if (length > 0) {
        path[length] = '\0';
        return;
    }
    path[0] = '\0';
    if (start.program != NULL)
        read_string(path, size, start.program);
}

/* The kernel goes by the segments alone: what is not where one of them has it, it is not. */
static bool is_in_segment(const Elf64_Phdr *headers, const Elf64_Phdr *part) {
    for (unsigned i = 0; i < start.count; i++) {
        if (headers[i].p_type == PT_LOAD && part->p_offset >= headers[i].p_offset &&
            part->p_offset - headers[i].p_offset < headers[i].p_filesz &&
            part->p_vaddr - headers[i].p_vaddr == part->p_offset - headers[i].p_offset)
            return true;
    }
    return false;
}

/*
 * The main program's load bias: PT_PHDR says where its headers were linked to. A static one that
 * moves has no such entry (ld makes it for an interpreter only); there the ELF header stands in
 * front of its program headers, and some segment begins with it.
 */
static uintptr_t program_base(void) {
    const Elf64_Phdr *headers = (const Elf64_Phdr *) start.headers;

    for (unsigned i = 0; i < start.count; i++) {
        if (headers[i].p_type == PT_PHDR && is_in_segment(headers, &headers[i]))
            return start.headers - headers[i].p_vaddr;
    }
    for (unsigned i = 0; i < start.count; i++) {
        if (headers[i].p_type == PT_LOAD && headers[i].p_offset == 0)
            return start.headers - sizeof(Elf64_Ehdr) - headers[i].p_vaddr;
    }
    return 0;
}

static bool add_program(const struct link_map *link, const struct link_map *node) {
    unsigned index;
    struct nsd_module *module = next_free(&index);
    const Elf64_Phdr *headers = (const Elf64_Phdr *) start.headers;

    if (module == NULL || start.headers == 0 || start.count > HEADERS_MOST)
        return false;
    module->base = node != NULL ? node->address : program_base();
    module->header_count = start.count;
    module->is_executable = true;
    program_path(room.path, sizeof(room.path));
    return publish(module, index, headers, room.path, link, node);
}

static void add_shim(void) {
    unsigned index;
    struct nsd_module *module = next_free(&index);

    if (module == NULL)
        return;
    module->base = (uintptr_t) &__ehdr_start;
    if (headers_at(module, module->base, NULL))
        publish(module, index, room.headers, start.shim != NULL ? start.shim : "libnsdrift.so",
                NULL, NULL);
}

static void add_library(const struct link_map *link, const struct link_map *node) {
    unsigned index;
    struct nsd_module *module = next_free(&index);

    if (module == NULL)
        return;
    module->base = node->address;
    if (!read_string(room.path, sizeof(room.path), node->name))
        room.path[0] = '\0';
    if (find_headers(module, node->dynamic))
        publish(module, index, room.headers, room.path, link, node);
}

/* The module of this node if it is in the table: same place, same dynamic section, same name. */
static int known(const struct link_map *node) {
    unsigned count = atomic_load_explicit(&module_count, memory_order_relaxed);

    for (unsigned i = 0; i < count; i++) {
        if (sightings[i].dynamic != node->dynamic || sightings[i].address != node->address)
            continue;
        if (module_table[i].is_executable || module_table[i].is_shim)
            return (int) i;
        if (read_string(room.other_path, sizeof(room.other_path), node->name) &&
            string__equal(room.other_path, module_table[i].path))
            return (int) i;
    }
    return -1;
}

/* The whole list once. False if it broke off: another thread changes it. */
static bool walk(void) {
    const struct link_map *link;
    struct link_map node;
    unsigned length = 0, count;

    if (view == NULL || !read_memory(&link, &view->first, sizeof(link)))
        return false;
    memory__fill(room.seen, 0, sizeof(room.seen));
    while (link != NULL) {
        int index;

        if (length++ == LIST_MOST || !read_memory(&node, link, sizeof(node)))
            return false;
        index = known(&node);
        if (index < 0) {
            unsigned before = atomic_load_explicit(&module_count, memory_order_relaxed);

            if (length == 1 && before == 0)
                add_program(link, &node);
            else
                add_library(link, &node);
            if (atomic_load_explicit(&module_count, memory_order_relaxed) > before)
                index = (int) before;
        }
        if (index >= 0)
            room.seen[index] = true;
        last_seen = node;
        last_seen_at = link;
        link = node.next;
    }
    count = atomic_load_explicit(&module_count, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++) {
        bool loaded = room.seen[i] || sightings[i].link == NULL;

        __atomic_store_n(&module_table[i].loaded, loaded, __ATOMIC_RELAXED);
    }
    return true;
}

struct io_part {
    const void *base;
    size_t size;
};

/*
 * Whether the end of the list is as we left it: glibc and musl append what is opened. One system
 * call, since this is asked before every unwinding.
 */
static bool unchanged(void) {
    const struct link_map *at = last_seen_at, *previous = last_seen.previous;
    struct {
        struct link_map node;
        const struct link_map *back;
        int state;
    } now;
    struct io_part here[] = {{&now.node, sizeof(now.node)},
                             {&now.state, sizeof(now.state)},
                             {&now.back, sizeof(now.back)}};
    struct io_part there[] = {{at, sizeof(now.node)},
                              {&view->state, sizeof(now.state)},
                              {previous == NULL ? NULL : &previous->next, sizeof(now.back)}};
    int parts = previous == NULL ? 2 : 3;
    long wanted = (long) (here[0].size + here[1].size + (parts == 3 ? here[2].size : 0));

    if (!copies_work || at == NULL ||
        SYS6(__NR_process_vm_readv, sys__gettid(), here, parts, there, parts, 0) != wanted)
        return false;
    return now.state == 0 && now.node.next == NULL && now.node.previous == previous &&
           now.node.address == last_seen.address && now.node.dynamic == last_seen.dynamic &&
           now.node.name == last_seen.name && (previous == NULL || now.back == at);
}

/* AT_PHDR and AT_PHNUM from the kernel's own copy, where the start code told us nothing. */
static void read_auxiliary_vector(void) {
    Elf64_auxv_t vector[64];
    long fd = sys__openat(AT_FDCWD, "/proc/self/auxv", O_RDONLY | O_CLOEXEC, 0);
    long size;

    if (fd < 0)
        return;
    size = sys__read((int) fd, vector, sizeof(vector));
    sys__close((int) fd);
    for (long i = 0; (i + 1) * (long) sizeof(vector[0]) <= size; i++) {
        if (vector[i].a_type == AT_PHDR)
            start.headers = vector[i].a_un.a_val;
        if (vector[i].a_type == AT_PHNUM)
            start.count = (unsigned) vector[i].a_un.a_val;
    }
}

static const struct debugger_view *find_view(void) {
    const Elf64_Phdr *headers = (const Elf64_Phdr *) start.headers;
    const Elf64_Dyn *dynamic = NULL;
    uintptr_t base = program_base();

    for (unsigned i = 0; i < start.count; i++) {
        if (headers[i].p_type == PT_DYNAMIC)
            dynamic = (const Elf64_Dyn *) (base + headers[i].p_vaddr);
    }
    for (; dynamic != NULL && dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == DT_DEBUG)
            return (const struct debugger_view *) dynamic->d_un.d_ptr;
    }
    return NULL;
}

void modules__set_start(uintptr_t program_headers, unsigned count, const char *program) {
    start.headers = program_headers;
    start.count = count;
    start.program = program;
}

void modules__set_shim(const char *path) {
    start.shim = path;
}

/* One walks at a time. A walk that a fork cut off in the parent's copy is nobody's. */
static bool begin_walk(void) {
    int32_t pid = sys__getpid(), other = atomic_load(&walking);

    return other != pid && atomic_compare_exchange_strong(&walking, &other, pid);
}

static void end_walk(void) {
    atomic_store(&walking, 0);
}

void modules__begin(void) {
    bool shim_found = false;
    uint64_t probe = 0x6e736472, copy = 0;

    if (atomic_load(&module_count) != 0 || !begin_walk())
        return;
    copies_work = memory__try_copy(&copy, &probe, sizeof(copy)) == sizeof(copy) && copy == probe;
    if (start.headers == 0)
        read_auxiliary_vector();
    view = find_view();
    if (view == NULL || !walk()) {
        if (atomic_load(&module_count) == 0)
            add_program(NULL, NULL);
    }
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

    if (view == NULL || memory__is_quiet())
        return false;
    if (unchanged())
        return true;
    if (!begin_walk())
        return false;
    done = read_memory(&state, &view->state, sizeof(state)) && state == 0 && walk();
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
