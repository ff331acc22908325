/*
 * Symbols, see elf_symbols.h. The tables in memory are those that the loader itself uses, so they
 * are as sound as the program; what comes out of a file is checked against the file's size. Called
 * in hooks and in the report.
 */
#include "names/elf_symbols.h"

#include "base/memory.h"

#define VERSION_HIDDEN 0x8000u
#define DYNAMIC_MOST 4096u

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

/* glibc writes run-time addresses over these, musl and read-only sections leave them as linked. */
static const void *at_run_time(const struct nsd_elf_symbols *table, uint64_t pointer) {
    uintptr_t address = pointer;

    if (address < table->start || address >= table->end)
        address += table->base;
    return pointer != 0 && address >= table->start && address < table->end ? (const void *) address
                                                                         : NULL;
}

bool elf_symbols__open(struct nsd_elf_symbols *table, const Elf64_Dyn *dynamic, uintptr_t base,
                       uintptr_t start, uintptr_t end) {
    struct nsd_elf_dynamic found;
    size_t room;

    if (dynamic == NULL)
        return false;
    elf__read_dynamic(dynamic, DYNAMIC_MOST, &found);
    table->base = base;
    table->start = start;
    table->end = end;
    table->symbols = at_run_time(table, found.symbols);
    table->strings = at_run_time(table, found.strings);
    table->gnu_hash = at_run_time(table, found.gnu_hash);
    table->sysv_hash = at_run_time(table, found.sysv_hash);
    table->versions = at_run_time(table, found.versions);
    room = end - (uintptr_t) table->strings;
    table->strings_size = found.strings_size < room ? found.strings_size : room;
    return table->symbols != NULL && table->strings != NULL;
}

/* ---- by name ---- */

/* The definition that an unversioned look-up gets: present, global, and not a hidden version. */
static bool is_default_definition(const struct nsd_elf_symbols *table, uint32_t index,
                                  const char *name) {
    const Elf64_Sym *symbol = &table->symbols[index];
    unsigned type = ELF64_ST_TYPE(symbol->st_info), bind = ELF64_ST_BIND(symbol->st_info);

    if (symbol->st_shndx == SHN_UNDEF || symbol->st_value == 0 ||
        symbol->st_name >= table->strings_size || type == STT_TLS || bind == STB_LOCAL)
        return false;
    if (table->versions != NULL &&
        ((table->versions[index] & VERSION_HIDDEN) != 0 || table->versions[index] == 0))
        return false;
    return string__equal(table->strings + symbol->st_name, name);
}

/* Index of the symbol by DT_GNU_HASH: a Bloom filter, buckets, and chains whose last hash is odd.
 */
static uint32_t by_gnu_hash(const struct nsd_elf_symbols *table,
                            const struct nsd_elf_name *wanted) {
    uint32_t buckets = table->gnu_hash[0], first = table->gnu_hash[1];
    uint32_t words = table->gnu_hash[2], shift = table->gnu_hash[3] & 31u;
    const uint64_t *bloom = (const uint64_t *) (table->gnu_hash + 4);
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

        if ((other | 1u) == (hash | 1u) && is_default_definition(table, i, wanted->name))
            return i;
        if (other & 1u)
            break;
    }
    return 0;
}

static uint32_t by_sysv_hash(const struct nsd_elf_symbols *table,
                             const struct nsd_elf_name *wanted) {
    uint32_t buckets = table->sysv_hash[0], count = table->sysv_hash[1];
    const uint32_t *bucket = table->sysv_hash + 2, *chain = bucket + buckets;
    uint32_t steps = 0;

    if (buckets == 0)
        return 0;
    for (uint32_t i = bucket[wanted->sysv_hash % buckets]; i != 0 && i < count && steps++ < count;
         i = chain[i]) {
        if (is_default_definition(table, i, wanted->name))
            return i;
    }
    return 0;
}

void *elf_symbols__find(const struct nsd_elf_symbols *table, const struct nsd_elf_name *wanted) {
    uint32_t index = 0;
    uintptr_t address;

    if (table->gnu_hash != NULL)
        index = by_gnu_hash(table, wanted);
    else if (table->sysv_hash != NULL)
        index = by_sysv_hash(table, wanted);
    if (index == 0)
        return NULL;
    address = table->symbols[index].st_value;
    if (table->symbols[index].st_shndx != SHN_ABS)
        address += table->base;
    if (ELF64_ST_TYPE(table->symbols[index].st_info) == STT_GNU_IFUNC)
        return ((void *(*) (void) ) address)();
    return (void *) address;
}

static bool open_module(struct nsd_elf_symbols *table, const struct nsd_module *module) {
    return module__is_loaded(module) && elf_symbols__open(table, module->dynamic, module->base,
                                                          module->start, module->end);
}

void *elf_symbols__definition(const struct nsd_module *module, const struct nsd_elf_name *wanted) {
    struct nsd_elf_symbols table;

    return open_module(&table, module) ? elf_symbols__find(&table, wanted) : NULL;
}

/* ---- by address ---- */

/* How many symbols the dynamic table has: its hash tables know, no section header is needed. */
static uint32_t count_of(const struct nsd_elf_symbols *table) {
    uint32_t last = 0;

    if (table->sysv_hash != NULL)
        return table->sysv_hash[1];
    if (table->gnu_hash == NULL || table->gnu_hash[0] == 0 || table->gnu_hash[2] == 0)
        return 0;
    const uint32_t *bucket = table->gnu_hash + 4 + 2u * table->gnu_hash[2];
    const uint32_t *chain = bucket + table->gnu_hash[0];
    for (uint32_t i = 0; i < table->gnu_hash[0]; i++)
        last = bucket[i] > last ? bucket[i] : last;
    if (last < table->gnu_hash[1])
        return table->gnu_hash[1];
    while ((uintptr_t) &chain[last - table->gnu_hash[1]] < table->end &&
           (chain[last - table->gnu_hash[1]] & 1u) == 0)
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

static bool name_in_file(const struct nsd_module *module, uint64_t address, char *name,
                         size_t size) {
    const uint8_t *file = module__file(module);
    struct nsd_elf_sections sections;

    if (file == NULL || !elf_sections__open(&sections, file, module->file_size))
        return false;
    for (unsigned i = 0; i < sections.count; i++) {
        const Elf64_Shdr *section = &sections.section[i], *strings;
        struct candidate best = {0};
        const uint8_t *symbols, *names;

        if (section->sh_type != SHT_SYMTAB || section->sh_entsize != sizeof(Elf64_Sym) ||
            section->sh_offset % 8 != 0 || section->sh_link >= sections.count)
            continue;
        strings = &sections.section[section->sh_link];
        symbols = elf_sections__bytes(&sections, section);
        names = elf_sections__bytes(&sections, strings);
        if (symbols == NULL || names == NULL || strings->sh_type != SHT_STRTAB)
            continue;
        for (uint64_t k = 0; k < section->sh_size / sizeof(Elf64_Sym); k++)
            consider(&best, (const Elf64_Sym *) symbols + k, address);
        if (best.name != 0 &&
            put_name((const char *) names, strings->sh_size, best.name, name, size))
            return true;
    }
    return false;
}

static bool name_in_memory(const struct nsd_module *module, uint64_t address, char *name,
                           size_t size) {
    struct nsd_elf_symbols table;
    struct candidate best = {0};
    uint32_t count;

    if (!open_module(&table, module))
        return false;
    count = count_of(&table);
    for (uint32_t i = 1; i < count && (uintptr_t) &table.symbols[i + 1] <= table.end; i++)
        consider(&best, &table.symbols[i], address);
    /* An exported neighbour is no name for what is not exported. */
    if (best.name == 0 || best.size == 0)
        return false;
    return put_name(table.strings, table.strings_size, best.name, name, size);
}

bool elf_symbols__name_at(const struct nsd_module *module, uint64_t address, char *name,
                          size_t size) {
    uint64_t linked = address - module->base;

    return name_in_file(module, linked, name, size) || name_in_memory(module, linked, name, size);
}
