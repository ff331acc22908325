/*
 * A program counter's name: Go code by its pclntab, other code by the symbol tables that
 * elf_symbols.c reads, else module and offset alone. Called by the report; reads files that were
 * mapped earlier, makes no system call but for modules that are new, allocates nothing.
 */
#include "names/naming.h"

#include "base/memory.h"
#include "names/elf_symbols.h"
#include "names/pclntab.h"
#include "names/recorded.h"

#include <stdatomic.h>

/*
 * Names that were looked up: a report asks for the same frames again and again, and a symbol table
 * is read from one end to the other. A thread that finds the cache in use does without it.
 */
#define REMEMBERED 128u
#define NAME_MOST 120u

static struct {
    uint64_t pc;
    const struct nsd_module *module; /* another one may have come to the same address */
    const uint8_t *file;             /* and a file may have been mapped since */
    char name[NAME_MOST];
} remembered[REMEMBERED];
/* Acquired by exchange and released by a store, like any lock: guards `remembered`. */
static _Atomic bool in_use;

static void name_of(const struct nsd_module *module, uint64_t pc, char *name, size_t size) {
    unsigned slot = (unsigned) (pc ^ pc >> 7) % REMEMBERED;
    bool mine = !atomic_exchange_explicit(&in_use, true, memory_order_acquire);
    const uint8_t *file = module__file(module);
    size_t length;

    if (mine && remembered[slot].pc == pc && remembered[slot].module == module &&
        remembered[slot].file == file) {
        memory__copy(name, remembered[slot].name, NAME_MOST);
    } else {
        if (!elf_symbols__name_at(module, pc, name, size))
            name[0] = '\0';
        length = string__length(name);
        if (mine && length < NAME_MOST) {
            memory__copy(remembered[slot].name, name, length + 1);
            remembered[slot].pc = pc;
            remembered[slot].module = module;
            remembered[slot].file = file;
        }
    }
    if (mine)
        atomic_store_explicit(&in_use, false, memory_order_release);
}

/* NULL in a host. */
static const struct nsd_recorded_names *recorded;

void naming__use_recorded(const struct nsd_recorded_names *names) {
    recorded = names;
}

bool naming__uses_recorded(void) {
    return recorded != NULL;
}

static void put_string(char *to, size_t size, const char *string) {
    size_t length = string == NULL ? 0 : string__length(string);

    if (length >= size)
        length = size - 1;
    if (length > 0)
        memory__copy(to, string, length);
    to[length] = '\0';
}

static void place_of_recording(uint64_t pc, struct nsd_place *place) {
    const struct nsd_recorded_place *known = recorded_names__find(recorded, pc);

    place->module = known == NULL ? NULL : known->module;
    place->offset = known == NULL ? pc : known->offset;
    place->line = known == NULL ? 0 : known->line;
    place->is_go = known != NULL && known->is_go;
    put_string(place->function, sizeof place->function, known == NULL ? NULL : known->function);
    put_string(place->file, sizeof place->file, known == NULL ? NULL : known->file);
}

void naming__place(uint64_t pc, bool exact, struct nsd_place *place) {
    uint64_t inside = exact || pc == 0 ? pc : pc - 1;
    const struct nsd_pclntab *table;
    uint64_t entry;

    if (recorded != NULL) {
        place_of_recording(pc, place);
        return;
    }
    table = pclntab__of(inside);

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
    if (place->module != NULL)
        name_of(place->module, inside, place->function, sizeof(place->function));
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
