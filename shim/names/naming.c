/*
 * A program counter's name: Go code by its pclntab, other code by the symbol tables that
 * elf_symbols.c reads, else module and offset alone. Called by the report; reads files that were
 * mapped earlier, makes no system call but for modules that are new, allocates nothing.
 */
#include "names/naming.h"

#include "base/memory.h"
#include "names/elf_symbols.h"
#include "names/pclntab.h"

void naming__place(uint64_t pc, bool exact, struct nsd_place *place) {
    uint64_t inside = exact || pc == 0 ? pc : pc - 1;
    const struct nsd_pclntab *table = pclntab__of(inside);
    uint64_t entry;

    place->function[0] = '\0';
    place->file[0] = '\0';
    place->line = 0;
    place->is_go = false;
    place->module = modules__of(inside);
    place->offset = place->module == NULL ? pc : pc - place->module->base;
    if (table != NULL && pclntab__line(table, inside, place->function, sizeof(place->function),
                                       place->file, sizeof(place->file), &place->line, &entry)) {
        place->is_go = true;
        return;
    }
    place->function[0] = '\0';
    place->file[0] = '\0';
    place->line = 0;
    if (place->module != NULL &&
        !elf_symbols__name_at(place->module, inside, place->function, sizeof(place->function)))
        place->function[0] = '\0';
}

/* Go packages whose functions stand between a program's own line and the system call. */
static const char *const plumbing_packages[] = {"runtime.", "runtime/", "syscall.", "internal/"};
/* Also as a copy under some vendor folder. */
static const char unix_package[] = "golang.org/x/sys/unix.";

bool naming__is_plumbing(const struct nsd_place *place) {
    if (place->module != NULL && place->module->is_shim)
        return true;
    if (!place->is_go)
        return false;
    for (unsigned i = 0; i < sizeof(plumbing_packages) / sizeof(plumbing_packages[0]); i++) {
        if (string__begins(place->function, plumbing_packages[i]))
            return true;
    }
    return memory__find(place->function, string__length(place->function), unix_package,
                        sizeof(unix_package) - 1) != NULL;
}
