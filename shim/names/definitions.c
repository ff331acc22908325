/*
 * The search for a definition, see definitions.h.
 */
#include "names/definitions.h"
#include "base/memory.h"
#include "names/elf_symbols.h"
#include "names/modules.h"

void *definitions__next(const char *name) {
    struct nsd_elf_name wanted;
    unsigned count = modules__count(), first = 1;

    elf_symbols__prepare(&wanted, name);
    for (unsigned i = 0; i < modules__at_start(); i++) {
        if (modules__at(i)->is_shim)
            first = i + 1;
    }
    /* Modules that were opened later come last: among them may be an older glibc's libpthread. */
    for (unsigned i = first; i < count; i++) {
        const struct nsd_module *module = modules__at(i);
        void *definition;

        if (module->is_shim || !module__is_loaded(module) ||
            string__begins(module->path, "linux-vdso") ||
            string__begins(module->path, "linux-gate"))
            continue;
        definition = elf_symbols__definition(module, &wanted);
        if (definition != NULL)
            return definition;
    }
    return NULL;
}
