/*
 * Source lines by libdw, see source_lines.h. Each module is opened once, by itself and at base 0,
 * so that an offset within the module is an address to libdw.
 */
#include "cli/read/source_lines.h"
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUILD_ID_MOST 64
#define USUAL_FOLDERS ":.debug:/usr/lib/debug"

struct source_module {
    struct source_module *next;
    char *path;
    char *build_id;
    Dwfl *dwfl;          /* NULL: there is nothing to read */
    Dwfl_Module *module; /* of dwfl */
};

struct kept_string {
    struct kept_string *next;
    char text[];
};

static struct source_module *modules;
static struct kept_string *strings;
static char *search_path; /* owned */
static bool may_ask_servers;

/* The servers that libdw asks. */
#define SERVERS "DEBUGINFOD_URLS"

static char *hide_servers(void) {
    const char *servers = may_ask_servers ? NULL : getenv(SERVERS);
    char *hidden = servers != NULL ? strdup(servers) : NULL;

    if (hidden != NULL)
        unsetenv(SERVERS);
    return hidden;
}

static void show_servers(char *hidden) {
    if (hidden != NULL)
        setenv(SERVERS, hidden, 1);
    free(hidden);
}

static int find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
                          const char *file, const char *link, GElf_Word checksum, char **found) {
    char *hidden = hide_servers();
    int fd =
        dwfl_standard_find_debuginfo(module, userdata, name, base, file, link, checksum, found);

    show_servers(hidden);
    return fd;
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = find_debuginfo,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = &search_path,
};

static const char *keep(const char *string) {
    size_t size = strlen(string) + 1;
    struct kept_string *kept;

    for (kept = strings; kept != NULL; kept = kept->next) {
        if (strcmp(kept->text, string) == 0)
            return kept->text;
    }
    kept = malloc(sizeof *kept + size);
    if (kept == NULL)
        return NULL;
    memcpy(kept->text, string, size);
    kept->next = strings;
    strings = kept;
    return kept->text;
}

/* ---- the file of a module ---- */

static size_t parse_build_id(const char *hex, unsigned char *bytes) {
    size_t count = 0;

    while (hex != NULL && count < BUILD_ID_MOST && hex[0] != '\0' && hex[1] != '\0') {
        unsigned byte;

        if (sscanf(hex, "%2x", &byte) != 1)
            return 0;
        bytes[count++] = (unsigned char) byte;
        hex += 2;
    }
    return count;
}

/* A path from a recording may lead anywhere: devices and pipes are not opened. */
static int open_file(const char *path) {
    struct stat status;
    int fd;

    if (path == NULL || path[0] != '/' || stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return -1;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool is_the_one(Dwfl_Module *module, const unsigned char *wanted, size_t size) {
    const unsigned char *found = NULL;
    GElf_Addr bias, address;
    int length;

    if (dwfl_module_getelf(module, &bias) == NULL)
        return false;
    length = dwfl_module_build_id(module, &found, &address);
    if (length < 0)
        length = 0;
    return (size_t) length == size && (size == 0 || memcmp(found, wanted, size) == 0);
}

/* Takes over the descriptor. False if the file is not this module's; dwfl is ended then. */
static bool open_dwfl(struct source_module *module, int fd, const char *path,
                      const unsigned char *build_id, size_t build_id_size) {
    if (fd < 0)
        return false;
    module->dwfl = dwfl_begin(&callbacks);
    if (module->dwfl == NULL) {
        close(fd);
        return false;
    }
    dwfl_report_begin(module->dwfl);
    module->module = dwfl_report_elf(module->dwfl, "module", path, fd, 0, true);
    if (module->module == NULL)
        close(fd);
    dwfl_report_end(module->dwfl, NULL, NULL);
    if (module->module != NULL && is_the_one(module->module, build_id, build_id_size))
        return true;
    dwfl_end(module->dwfl);
    module->dwfl = NULL;
    return false;
}

/*
 * For a module whose file is gone or is another one by now: looks for its build id in the folders
 * of debug files, or asks a server. libdw does that for a module of which it knows nothing else.
 */
static int open_by_build_id(const unsigned char *build_id, size_t size, char **path) {
    Dwfl *dwfl = dwfl_begin(&callbacks);
    Dwfl_Module *module = NULL;
    Elf *elf = NULL;
    int fd = -1;

    if (dwfl == NULL)
        return -1;
    dwfl_report_begin(dwfl);
    module = dwfl_report_module(dwfl, "module", 0, 0x1000);
    dwfl_report_end(dwfl, NULL, NULL);
    if (module != NULL && dwfl_module_report_build_id(module, build_id, size, 0) == 0)
        fd = dwfl_build_id_find_elf(module, NULL, "module", 0, path, &elf);
    if (elf != NULL)
        elf_end(elf);
    dwfl_end(dwfl);
    return fd;
}

/*
 * Opens /usr/lib/debug/.build-id/12/34abcd.debug: line tables are enough, the program itself is not
 * needed.
 */
static int open_debug_file(const char *build_id, char *path, size_t size) {
    const char *folder = search_path;
    int fd = -1;

    while (fd < 0 && folder != NULL && *folder != '\0') {
        size_t length = strcspn(folder, ":");

        if (folder[0] == '/') {
            snprintf(path, size, "%.*s/.build-id/%.2s/%s.debug", (int) length, folder, build_id,
                     build_id + 2);
            fd = open_file(path);
        }
        folder += length;
        folder += *folder == ':';
    }
    return fd;
}

static void open_module(struct source_module *module) {
    unsigned char build_id[BUILD_ID_MOST];
    size_t size = parse_build_id(module->build_id, build_id);
    char path[4096], *found = NULL;

    if (open_dwfl(module, open_file(module->path), module->path, build_id, size) || size < 2)
        return;
    if (!open_dwfl(module, open_debug_file(module->build_id, path, sizeof path), path, build_id,
                   size)) {
        char *hidden = hide_servers();
        int fd = open_by_build_id(build_id, size, &found);

        show_servers(hidden);
        open_dwfl(module, fd, found, build_id, size);
    }
    free(found);
}

static struct source_module *module_of(const char *path, const char *build_id) {
    struct source_module *module;

    if (build_id == NULL)
        build_id = "";
    for (module = modules; module != NULL; module = module->next) {
        if (strcmp(module->path, path) == 0 && strcmp(module->build_id, build_id) == 0)
            return module;
    }
    module = calloc(1, sizeof *module);
    if (module == NULL)
        return NULL;
    module->path = strdup(path);
    module->build_id = strdup(build_id);
    if (module->path == NULL || module->build_id == NULL) {
        free(module->path);
        free(module->build_id);
        free(module);
        return NULL;
    }
    open_module(module);
    module->next = modules;
    modules = module;
    return module;
}

/* ---- a place in it ---- */

/* A line table may name files relative to the compiler's working directory. */
static const char *whole_path(const char *file, const char *folder) {
    char path[4096];

    if (file == NULL || file[0] == '/' || folder == NULL)
        return file == NULL ? NULL : keep(file);
    while (file[0] == '.' && file[1] == '/')
        file += 2;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    return keep(path);
}

static const char *folder_of(Dwarf_Die *unit) {
    Dwarf_Attribute attribute;

    return dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
}

static const char *name_of(Dwarf_Die *die) {
    Dwarf_Attribute attribute;
    const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attribute));

    return name != NULL ? keep(name) : NULL;
}

/* The place of the call that was replaced by the code of the inlined function. */
static void place_of_call(Dwarf_Die *die, Dwarf_Die *unit, struct nsd_source_call *call) {
    Dwarf_Attribute attribute;
    Dwarf_Files *files;
    Dwarf_Word number;
    size_t count;

    call->file = NULL;
    call->line = 0;
    if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &number) == 0 &&
        dwarf_getsrcfiles(unit, &files, &count) == 0 && number < count)
        call->file = whole_path(dwarf_filesrc(files, (size_t) number, NULL, NULL), folder_of(unit));
    if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &number) == 0)
        call->line = (uint32_t) number;
}

#define CHAIN_MOST 64u

/*
 * Functions around this address within `die`, outermost first: the function that has the frame,
 * then those inlined into it. dwarf_getscopes is not used: it gives up if a function's entry is in
 * another unit, as after link-time optimisation.
 */
static unsigned find_chain(Dwarf_Die *die, Dwarf_Addr address, Dwarf_Die chain[CHAIN_MOST],
                           unsigned used, unsigned depth) {
    Dwarf_Die child;

    if (depth == CHAIN_MOST || dwarf_child(die, &child) != 0)
        return used;
    do {
        int tag = dwarf_tag(&child);
        bool is_call = tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;

        if (tag == DW_TAG_namespace || tag == DW_TAG_module) {
            unsigned found = find_chain(&child, address, chain, used, depth + 1);

            if (found > used)
                return found;
        }
        if ((!is_call && tag != DW_TAG_lexical_block) || dwarf_haspc(&child, address) <= 0)
            continue;
        if (is_call)
            chain[used++] = child;
        return find_chain(&child, address, chain, used, depth + 1);
    } while (dwarf_siblingof(&child, &child) == 0);
    return used;
}

/* The entry that holds the unit's functions: with -gsplit-dwarf it is in a file of its own. */
static Dwarf_Die *functions_of(Dwarf_Die *unit, Dwarf_Die *split) {
    uint8_t type;

    if (dwarf_cu_info(unit->cu, NULL, &type, NULL, split, NULL, NULL, NULL) == 0 &&
        type == DW_UT_skeleton && split->cu != NULL)
        return split;
    return unit;
}

/* Fills in the names of the functions around this address, and where they were inlined. */
static unsigned name_calls(Dwarf_Die *unit, Dwarf_Addr address, struct nsd_source_call *calls) {
    struct nsd_source_call next = calls[0];
    Dwarf_Die chain[CHAIN_MOST], split;
    unsigned count = find_chain(functions_of(unit, &split), address, chain, 0, 0), used = 0;

    for (unsigned i = count; i > 0; i--) {
        next.function = name_of(&chain[i - 1]);
        /* If there are too many, the innermost stay, and the function that has the frame. */
        if (used < NSD_SOURCE_CALLS - 1 || i == 1)
            calls[used++] = next;
        place_of_call(&chain[i - 1], unit, &next);
    }
    return used > 0 ? used : 1;
}

/*
 * The compilation unit of the code at this address. clang writes no table of addresses
 * (.debug_aranges), and libdw before 0.191 finds no unit without it: then each unit is asked.
 */
static Dwarf_Die *unit_at(Dwfl_Module *module, Dwarf_Addr address, Dwarf_Addr *bias) {
    Dwarf_Die *unit = dwfl_module_addrdie(module, address, bias);

    if (unit != NULL)
        return unit;
    while ((unit = dwfl_module_nextcu(module, unit, bias)) != NULL) {
        if (dwarf_haspc(unit, address - *bias) > 0)
            return unit;
    }
    return NULL;
}

unsigned source_lines__find(const char *path, const char *build_id, uint64_t offset,
                            struct nsd_source_call *calls) {
    /* The call stands before its return address. */
    Dwarf_Addr address = offset - 1, bias = 0;
    struct source_module *module;
    Dwarf_Die *unit = NULL;
    Dwarf_Line *line;
    int number = 0;

    if (path == NULL || offset == 0)
        return 0;
    module = module_of(path, build_id);
    if (module != NULL && module->dwfl != NULL)
        unit = unit_at(module->module, address, &bias);
    line = unit != NULL ? dwarf_getsrc_die(unit, address - bias) : NULL;
    if (line == NULL || dwarf_lineno(line, &number) != 0 || number <= 0)
        return 0;
    memset(&calls[0], 0, sizeof calls[0]);
    calls[0].file = whole_path(dwarf_linesrc(line, NULL, NULL), folder_of(unit));
    calls[0].line = (uint32_t) number;
    return calls[0].file == NULL ? 0 : name_calls(unit, address - bias, calls);
}

void source_lines__begin(const char *folders, bool ask_servers) {
    may_ask_servers = ask_servers;
    free(search_path);
    if (folders == NULL || folders[0] == '\0')
        search_path = strdup(USUAL_FOLDERS);
    else if (asprintf(&search_path, "%s:%s", folders, USUAL_FOLDERS) < 0)
        search_path = NULL;
}

void source_lines__end(void) {
    while (modules != NULL) {
        struct source_module *next = modules->next;

        if (modules->dwfl != NULL)
            dwfl_end(modules->dwfl);
        free(modules->path);
        free(modules->build_id);
        free(modules);
        modules = next;
    }
    while (strings != NULL) {
        struct kept_string *next = strings->next;

        free(strings);
        strings = next;
    }
    free(search_path);
    search_path = NULL;
}
