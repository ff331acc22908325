/*
 * Reading ELF symbol tables. The tables in memory are those that the loader itself uses, so they
 * are as sound as the program; what comes out of a file is checked against the file's size at
 * every step. Called by modules.c and naming.c, in hooks and in the report: no libc, no memory of
 * its own.
 */
#include "names/elf_symbols.h"

#include "base/memory.h"

/* The dynamic section turned into pointers. */
struct dynamic_view {
    const Elf64_Sym *symbols;
    const char *strings;
    size_t strings_size;
    const uint32_t *gnu_hash;
    const uint32_t *sysv_hash;
    const uint16_t *versions;
};

#define VERSION_HIDDEN 0x8000u
#define DYNAMIC_MOST 4096u

/* glibc writes run-time addresses over these, musl and read-only sections leave them as linked. */
static const void *at_run_time(const struct nsd_module *module, uint64_t pointer) {
    uintptr_t address = pointer;

    if (address < module->start || address >= module->end)
        address += module->base;
    return address >= module->start && address < module->end ? (const void *) address : NULL;
}

static bool view_dynamic(const struct nsd_module *module, struct dynamic_view *view) {
    memory__fill(view, 0, sizeof(*view));
    if (module->dynamic == NULL || !module__is_loaded(module))
        return false;
    for (unsigned i = 0; i < DYNAMIC_MOST && module->dynamic[i].d_tag != DT_NULL; i++) {
        const Elf64_Dyn *entry = &module->dynamic[i];

        switch (entry->d_tag) {
        case DT_SYMTAB:
            view->symbols = at_run_time(module, entry->d_un.d_ptr);
            break;
        case DT_STRTAB:
            view->strings = at_run_time(module, entry->d_un.d_ptr);
            break;
        case DT_STRSZ:
            view->strings_size = entry->d_un.d_val;
            break;
        case DT_GNU_HASH:
            view->gnu_hash = at_run_time(module, entry->d_un.d_ptr);
            break;
        case DT_HASH:
            view->sysv_hash = at_run_time(module, entry->d_un.d_ptr);
            break;
        case DT_VERSYM:
            view->versions = at_run_time(module, entry->d_un.d_ptr);
            break;
        default:
            break;
        }
    }
    if (view->strings != NULL) {
        size_t room = module->end - (uintptr_t) view->strings;
        view->strings_size = view->strings_size < room ? view->strings_size : room;
    }
    return view->symbols != NULL && view->strings != NULL;
}

void elf_symbols__prepare(struct nsd_elf_name *wanted, const char *name) {
    uint32_t gnu = 5381, sysv = 0;

    for (const unsigned char *c = (const unsigned char *) name; *c != '\0'; c++) {
        gnu = gnu * 33u + *c;
        sysv = (sysv << 4) + *c;
        sysv ^= (sysv >> 24) & 0xf0u;
    }
    wanted->name = name;
    wanted->gnu_hash = gnu;
    wanted->sysv_hash = sysv & 0x0fffffffu;
}

/* The definition that an unversioned look-up gets: present, global, and not a hidden version. */
static bool is_default_definition(const struct dynamic_view *view, uint32_t index,
                                  const char *name) {
    const Elf64_Sym *symbol = &view->symbols[index];
    unsigned type = ELF64_ST_TYPE(symbol->st_info), bind = ELF64_ST_BIND(symbol->st_info);

    if (symbol->st_shndx == SHN_UNDEF || symbol->st_value == 0 ||
        symbol->st_name >= view->strings_size || type == STT_TLS || bind == STB_LOCAL)
        return false;
    if (view->versions != NULL &&
        ((view->versions[index] & VERSION_HIDDEN) != 0 || view->versions[index] == 0))
        return false;
    return string__equal(view->strings + symbol->st_name, name);
}

/* Index of the symbol by DT_GNU_HASH: a Bloom filter, buckets, and chains whose last hash is odd.
 */
static uint32_t by_gnu_hash(const struct dynamic_view *view, const struct nsd_elf_name *wanted) {
    uint32_t buckets = view->gnu_hash[0], first = view->gnu_hash[1];
    uint32_t words = view->gnu_hash[2], shift = view->gnu_hash[3] & 31u;
    const uint64_t *bloom = (const uint64_t *) (view->gnu_hash + 4);
    const uint32_t *bucket = (const uint32_t *) (bloom + words), *chain = bucket + buckets;
    uint32_t hash = wanted->gnu_hash;
    uint64_t word;

    if (buckets == 0 || words == 0)
        return 0;
    word = bloom[(hash / 64u) % words];
    if (((word >> (hash % 64u)) & (word >> ((hash >> shift) % 64u)) & 1u) == 0)
        return 0;
    for (uint32_t i = bucket[hash % buckets]; i >= first && i != 0; i++) {
        uint32_t other = chain[i - first];

        if ((other | 1u) == (hash | 1u) && is_default_definition(view, i, wanted->name))
            return i;
        if (other & 1u)
            break;
    }
    return 0;
}

static uint32_t by_sysv_hash(const struct dynamic_view *view, const struct nsd_elf_name *wanted) {
    uint32_t buckets = view->sysv_hash[0], count = view->sysv_hash[1];
    const uint32_t *bucket = view->sysv_hash + 2, *chain = bucket + buckets;
    uint32_t steps = 0;

    if (buckets == 0)
        return 0;
    for (uint32_t i = bucket[wanted->sysv_hash % buckets]; i != 0 && i < count && steps++ < count;
         i = chain[i]) {
        if (is_default_definition(view, i, wanted->name))
            return i;
    }
    return 0;
}

void *elf_symbols__definition(const struct nsd_module *module, const struct nsd_elf_name *wanted) {
    struct dynamic_view view;
    uint32_t index = 0;
    uintptr_t address;

    if (!view_dynamic(module, &view))
        return NULL;
    if (view.gnu_hash != NULL)
        index = by_gnu_hash(&view, wanted);
    else if (view.sysv_hash != NULL)
        index = by_sysv_hash(&view, wanted);
    if (index == 0)
        return NULL;
    address = view.symbols[index].st_value;
    if (view.symbols[index].st_shndx != SHN_ABS)
        address += module->base;
    if (ELF64_ST_TYPE(view.symbols[index].st_info) == STT_GNU_IFUNC)
        return ((void *(*) (void) ) address)();
    return (void *) address;
}

/* How many symbols the dynamic table has: its hash tables know, no section header is needed. */
static uint32_t dynamic_count(const struct nsd_module *module, const struct dynamic_view *view) {
    uint32_t last = 0;

    if (view->sysv_hash != NULL)
        return view->sysv_hash[1];
    if (view->gnu_hash == NULL || view->gnu_hash[0] == 0 || view->gnu_hash[2] == 0)
        return 0;
    const uint32_t *bucket = view->gnu_hash + 4 + 2u * view->gnu_hash[2];
    const uint32_t *chain = bucket + view->gnu_hash[0];
    for (uint32_t i = 0; i < view->gnu_hash[0]; i++)
        last = bucket[i] > last ? bucket[i] : last;
    if (last < view->gnu_hash[1])
        return view->gnu_hash[1];
    while ((uintptr_t) &chain[last - view->gnu_hash[1]] < module->end &&
           (chain[last - view->gnu_hash[1]] & 1u) == 0)
        last++;
    return last + 1;
}

/* The best symbol for an address so far: nearest start, and a sized one before an unsized. */
struct candidate {
    uint64_t start;
    uint64_t size;
    uint32_t name;
    uint8_t bind;
};

static inline void consider(struct candidate *best, const Elf64_Sym *symbol, uint64_t address) {
    /* First what rules out nearly all of a large table. */
    if (symbol->st_value > address || symbol->st_value < best->start ||
        (symbol->st_size != 0 && address - symbol->st_value >= symbol->st_size))
        return;

    unsigned type = ELF64_ST_TYPE(symbol->st_info), bind = ELF64_ST_BIND(symbol->st_info);
    if ((type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) ||
        symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS || symbol->st_name == 0)
        return;
    if (symbol->st_size == 0 && type == STT_NOTYPE && bind == STB_LOCAL)
        return; /* a label inside something */
    /* Aliases: the global name is the one that people know. */
    if (best->name != 0 && symbol->st_value == best->start &&
        (best->bind == STB_GLOBAL || (bind == STB_LOCAL && best->bind != STB_LOCAL)))
        return;
    best->start = symbol->st_value;
    best->size = symbol->st_size;
    best->name = symbol->st_name;
    best->bind = (uint8_t) bind;
}

static bool put_name(const char *strings, size_t strings_size, uint32_t offset, char *name,
                     size_t size) {
    size_t length = 0;

    if (offset >= strings_size || size == 0)
        return false;
    while (length + 1 < size && offset + length < strings_size && strings[offset + length] != '\0')
        length++;
    memory__copy(name, strings + offset, length);
    name[length] = '\0';
    return length != 0;
}

/* True if `size` bytes from `offset` on are in the file. */
static bool in_file(const struct nsd_module *module, uint64_t offset, uint64_t size) {
    return offset <= module->file_size && size <= module->file_size - offset;
}

static bool name_in_file(const struct nsd_module *module, uint64_t address, char *name,
                         size_t size) {
    const uint8_t *file = __atomic_load_n(&module->file, __ATOMIC_ACQUIRE);
    const Elf64_Ehdr *elf = (const Elf64_Ehdr *) file;

    if (file == NULL || !in_file(module, 0, sizeof(*elf)) || elf->e_shoff == 0 ||
        elf->e_shoff % 8 != 0 || elf->e_shentsize != sizeof(Elf64_Shdr) ||
        !in_file(module, elf->e_shoff, (uint64_t) elf->e_shnum * sizeof(Elf64_Shdr)))
        return false;
    const Elf64_Shdr *sections = (const Elf64_Shdr *) (file + elf->e_shoff);
    for (unsigned i = 0; i < elf->e_shnum; i++) {
        const Elf64_Shdr *table = &sections[i];
        struct candidate best = {0};

        if (table->sh_type != SHT_SYMTAB || table->sh_entsize != sizeof(Elf64_Sym) ||
            table->sh_offset % 8 != 0 || table->sh_link >= elf->e_shnum ||
            !in_file(module, table->sh_offset, table->sh_size))
            continue;
        const Elf64_Shdr *strings = &sections[table->sh_link];
        if (strings->sh_type != SHT_STRTAB ||
            !in_file(module, strings->sh_offset, strings->sh_size))
            continue;
        const Elf64_Sym *symbols = (const Elf64_Sym *) (file + table->sh_offset);
        for (uint64_t k = 0; k < table->sh_size / sizeof(Elf64_Sym); k++)
            consider(&best, &symbols[k], address);
        if (best.name != 0 && put_name((const char *) file + strings->sh_offset, strings->sh_size,
                                       best.name, name, size))
            return true;
    }
    return false;
}

static bool name_in_memory(const struct nsd_module *module, uint64_t address, char *name,
                           size_t size) {
    struct dynamic_view view;
    struct candidate best = {0};
    uint32_t count;

    if (!view_dynamic(module, &view))
        return false;
    count = dynamic_count(module, &view);
    for (uint32_t i = 1; i < count && (uintptr_t) &view.symbols[i + 1] <= module->end; i++)
        consider(&best, &view.symbols[i], address);
    /* An exported neighbour is no name for what is not exported. */
    if (best.name == 0 || best.size == 0)
        return false;
    return put_name(view.strings, view.strings_size, best.name, name, size);
}

bool elf_symbols__name_at(const struct nsd_module *module, uint64_t address, char *name,
                          size_t size) {
    uint64_t linked = address - module->base;

    return name_in_file(module, linked, name, size) || name_in_memory(module, linked, name, size);
}

uint8_t elf_symbols__build_id(const uint8_t *notes, size_t size, uint8_t *build_id) {
    size_t at = 0;

    while (at + sizeof(Elf64_Nhdr) <= size) {
        Elf64_Nhdr note;
        size_t name, content, next;

        memory__copy(&note, notes + at, sizeof(note));
        name = at + sizeof(note);
        content = name + (((size_t) note.n_namesz + 3u) & ~(size_t) 3u);
        next = content + (((size_t) note.n_descsz + 3u) & ~(size_t) 3u);
        if (next > size || next <= at)
            return 0;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memory__equal(notes + name, "GNU", 4)) {
            uint8_t length =
                note.n_descsz < NSD_BUILD_ID_MOST ? (uint8_t) note.n_descsz : NSD_BUILD_ID_MOST;
            memory__copy(build_id, notes + content, length);
            return length;
        }
        at = next;
    }
    return 0;
}
