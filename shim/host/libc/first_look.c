/*
 * The next definition of a name straight out of the loader's list, see first_look.h. Called by
 * functions.c alone: no lock, no memory, no system call. Reads by plain loads, because what stood
 * in the list when the program started stays loaded.
 */
#include "host/libc/first_look.h"

#include "names/elf_symbols.h"
#include "names/link_map.h"

extern const Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

/* The vdso stands in the list too, but its names are others. */
void *first_look__definition(const char *name) {
    struct nsd_link_walk walk;
    struct nsd_elf_name wanted;
    bool is_behind = false;

    if (!link_walk__begin(&walk, link_map__of_loader(), link_map__load))
        return NULL;
    elf_symbols__prepare(&wanted, name);
    while (link_walk__step(&walk)) {
        const struct nsd_link *node = &walk.node;
        struct nsd_elf_symbols table;
        void *definition;

        if (node->dynamic == _DYNAMIC) {
            is_behind = true;
            continue;
        }
        if (!is_behind ||
            !elf_symbols__open(&table, node->dynamic, node->base, node->base, UINTPTR_MAX))
            continue;
        definition = elf_symbols__find(&table, &wanted);
        if (definition != NULL)
            return definition;
    }
    return NULL;
}
