/*
 * The next definition of a name straight out of the loader's list (first_look.h). The tables in
 * memory are those that the loader itself uses, so they are as sound as the program. Called by
 * functions.c alone: no libc, no lock, no memory.
 */
#include "host/libc/first_look.h"

#include "base/memory.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

/* <link.h>, the part that debuggers rely on: the same in glibc and musl. */
struct loaded {
    uintptr_t base;
    const char *path;
    const Elf64_Dyn *dynamic;
    const struct loaded *next, *previous;
};

struct debugger_view {
    int version;
    const struct loaded *first;
};

/* glibc's ld.so exports the one, musl's the other. */
extern const struct debugger_view _r_debug __attribute__((weak));
extern const struct debugger_view *const _dl_debug_addr __attribute__((weak));
extern const Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

struct symbols {
    uintptr_t base;
    const Elf64_Sym *table;
    const char *strings;
    const uint32_t *gnu_hash;
    const uint32_t *sysv_hash;
    const uint16_t *versions;
};

/* glibc writes run-time addresses into the dynamic section, musl leaves them as linked. */
static const void *at_run_time(const struct loaded *module, uint64_t pointer) {
    return (const void *) (pointer < module->base ? pointer + module->base : pointer);
}

static bool read_dynamic(const struct loaded *module, struct symbols *symbols) {
    memory__fill(symbols, 0, sizeof(*symbols));
    symbols->base = module->base;
    for (const Elf64_Dyn *entry = module->dynamic; entry != NULL && entry->d_tag != DT_NULL;
         entry++) {
        const void *value = at_run_time(module, entry->d_un.d_ptr);

        if (entry->d_tag == DT_SYMTAB)
            symbols->table = value;
        else if (entry->d_tag == DT_STRTAB)
            symbols->strings = value;
        else if (entry->d_tag == DT_GNU_HASH)
            symbols->gnu_hash = value;
        else if (entry->d_tag == DT_HASH)
            symbols->sysv_hash = value;
        else if (entry->d_tag == DT_VERSYM)
            symbols->versions = value;
    }
    return symbols->table != NULL && symbols->strings != NULL;
}

#define HIDDEN_VERSION 0x8000u

static bool is_definition(const struct symbols *symbols, uint32_t index, const char *name) {
    const Elf64_Sym *symbol = &symbols->table[index];

    return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
           ELF64_ST_BIND(symbol->st_info) != STB_LOCAL &&
           (symbols->versions == NULL || (symbols->versions[index] & HIDDEN_VERSION) == 0) &&
           string__equal(symbols->strings + symbol->st_name, name);
}

static uint32_t by_gnu_hash(const struct symbols *symbols, const char *name) {
    const uint32_t *header = symbols->gnu_hash;
    const uint32_t *buckets = header + 4 + 2u * header[2], *chain = buckets + header[0];
    uint32_t hash = 5381;

    for (const unsigned char *c = (const unsigned char *) name; *c != '\0'; c++)
        hash = hash * 33u + *c;
    if (header[0] == 0)
        return 0;
    for (uint32_t i = buckets[hash % header[0]]; i != 0 && i >= header[1]; i++) {
        uint32_t other = chain[i - header[1]];

        if ((other | 1u) == (hash | 1u) && is_definition(symbols, i, name))
            return i;
        if ((other & 1u) != 0)
            break;
    }
    return 0;
}

static uint32_t by_sysv_hash(const struct symbols *symbols, const char *name) {
    /* Slow and simple: in use where a loader has no GNU hash, which is next to nowhere. */
    for (uint32_t i = 1; i < symbols->sysv_hash[1]; i++) {
        if (is_definition(symbols, i, name))
            return i;
    }
    return 0;
}

static void *definition_in(const struct loaded *module, const char *name) {
    struct symbols symbols;
    uint32_t index = 0;
    uintptr_t address;

    if (!read_dynamic(module, &symbols))
        return NULL;
    if (symbols.gnu_hash != NULL)
        index = by_gnu_hash(&symbols, name);
    else if (symbols.sysv_hash != NULL)
        index = by_sysv_hash(&symbols, name);
    if (index == 0)
        return NULL;
    address = symbols.base + symbols.table[index].st_value;
    if (ELF64_ST_TYPE(symbols.table[index].st_info) == STT_GNU_IFUNC)
        return ((void *(*) (void) ) address)();
    return (void *) address;
}

/*
 * Before the module table stands and where the shim is off for good: the loader's list as it is.
 * What is found there was loaded at start and stays; the vdso, which has names of its own, has none
 * of these.
 */
void *first_look__definition(const char *name) {
    const struct debugger_view *view = &_r_debug;
    const struct loaded *module;

    if (view == NULL && &_dl_debug_addr != NULL)
        view = _dl_debug_addr;
    if (view == NULL)
        return NULL;
    module = view->first;
    while (module != NULL && module->dynamic != _DYNAMIC)
        module = module->next;
    if (module == NULL)
        return NULL;
    for (module = module->next; module != NULL; module = module->next) {
        void *definition = definition_in(module, name);

        if (definition != NULL)
            return definition;
    }
    return NULL;
}
