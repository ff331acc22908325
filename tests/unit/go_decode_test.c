/*
 * Each executable given is found to be Go, its version is read, every offset is told by its
 * instructions and is the one of its release's row, and each call site is there once. Programs with
 * symbols (.symtab) also have their addresses held against them. Prints the row of each: that is
 * how a new release gets into releases.h. An argument -VERSION is what the next file must be.
 * A file after --not-go must be told apart; one after --unknown must be Go that is refused; one
 * after --by-row has instructions that are not as expected (-gcflags 'all=-N -l'); one after
 * --no-version has no build information, and so no row.
 */
#include "elf_image.h"
#include "goruntime/runtime.h"

#include <stdio.h>

static int failures;
static const char *subject;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s: %s:%d: %s\n", subject, __FILE__, __LINE__, #condition);                    \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

static void check_against_symbols(const struct elf_image *image,
                                  const struct nsd_go_runtime *runtime) {
    static const char *const names[] = {
#define X(field, name) name,
        NSD_GO_FUNCTION_TABLE(X)
#undef X
    };
    const struct nsd_go_function *functions[] = {
#define X(field, name) &runtime->function.field,
        NSD_GO_FUNCTION_TABLE(X)
#undef X
    };

    CHECK(elf_image__symbol(image, "runtime.allm") == runtime->allm);
    CHECK(elf_image__symbol(image, "runtime.m0") == runtime->m0);
    CHECK(runtime->function.cgocall.entry == 0 ||
          elf_image__symbol(image, "runtime.iscgo") == runtime->iscgo);
    CHECK(elf_image__symbol(image, "runtime.text") == runtime->text_start);
    CHECK(elf_image__symbol(image, "runtime.etext") == runtime->text_end);
    CHECK(elf_image__symbol(image, "runtime.firstmoduledata") == runtime->moduledata);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint64_t symbol = elf_image__symbol(image, names[i]);

        if (symbol != functions[i]->entry) {
            printf("%s: %s is at %#lx, not %#lx\n", subject, names[i], (unsigned long) symbol,
                   (unsigned long) functions[i]->entry);
            failures++;
        }
    }
    for (unsigned i = 0; i < NSD_GO_SITES; i++) {
        const struct nsd_go_site *site = &runtime->site[i];
        char name[128];
        uint64_t symbol;

        if (site->syscall == 0)
            continue;
        snprintf(name, sizeof name, "%s.abi0", site->function);
        symbol = elf_image__symbol(image, name);
        CHECK(site->entry == elf_image__symbol(image, site->function) || site->entry == symbol);
    }
}

static void print_row(const struct nsd_go_runtime *runtime) {
    printf("%-24s X(%u, %u, 255", runtime->version[0] ? runtime->version : "?", runtime->minor,
           runtime->patch);
#define X(field, words) printf(", 0x%x", runtime->offsets.field);
    NSD_GO_OFFSET_TABLE(X)
#undef X
    printf(")  %u read, row %s, tls %d, sites", runtime->offsets_read,
           runtime->row == NULL  ? "none"
           : runtime->row_agrees ? "agrees"
                                 : "differs",
           runtime->tls_g);
    for (unsigned i = 0; i < NSD_GO_SITES; i++)
        if (runtime->site[i].syscall != 0)
            printf(" %s", strrchr(runtime->site[i].function, '.') + 1);
    printf("\n");
}

static uint64_t random_state = 0x2545f4914f6cdd1dull;
static uint64_t draw(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Bytes flipped where the finder looks: it may say anything, but must come back. */
static void check_broken(struct elf_image *image, const struct nsd_go_runtime *whole) {
    const struct nsd_pclntab *table = &whole->table;
    const struct {
        uint64_t start;
        size_t size;
    } places[] = {
        {whole->moduledata, 0x150},
        {(uintptr_t) table->start, 0x60},
        {(uintptr_t) table->names.start, table->names.size},
        {(uintptr_t) table->records.start, 4096},
        {(uintptr_t) table->records.start, table->records.size},
        {whole->function.execute.entry, 256},
        {whole->function.mcommoninit.entry, 512},
        {whole->site[NSD_GO_SITE_NAME_clone].entry, 160},
        {image->module.start, 1024},
    };

    for (unsigned round = 0; round < 400; round++) {
        struct nsd_go_runtime runtime;
        uint8_t *at[6], was[6];

        for (unsigned i = 0; i < 6; i++) {
            unsigned place = (unsigned) (draw() % (sizeof places / sizeof places[0]));

            at[i] = (uint8_t *) places[place].start + draw() % places[place].size;
            was[i] = *at[i];
            if (i <= round % 6)
                *at[i] = draw() % 2 ? (uint8_t) draw() : draw() % 2 ? 0xff : 0;
        }
        if (runtime__find(&image->module, &runtime) && runtime.found)
            runtime__decode(&runtime);
        for (unsigned i = 6; i-- > 0;)
            *at[i] = was[i];
    }
}

static void check(struct elf_image *image, const char *version, bool by_row, bool no_row) {
    struct nsd_go_runtime runtime;
    unsigned offsets = 0, calls = 0;

    CHECK(runtime__find(&image->module, &runtime));
    CHECK(runtime.found);
    CHECK(runtime__decode(&runtime));
    if (!runtime.decoded) {
        printf("%s: %s\n", subject, runtime.why);
        return;
    }
    print_row(&runtime);
    if (version != NULL)
        CHECK(strcmp(runtime.version, version) == 0);
#define X(field, words) offsets++;
    NSD_GO_OFFSET_TABLE(X)
#undef X
    /* Without cgo the linker leaves out what C would call. */
    offsets -= runtime.function.cgocallbackg.entry == 0 && runtime.minor > 20;
    /* 1.16 keeps g in memory: its instructions are others, and the row serves. */
    CHECK(by_row || runtime.minor == 16 || runtime.offsets_read == offsets);
    CHECK(no_row ? runtime.row == NULL : runtime.row != NULL && runtime.row_agrees);
    CHECK(runtime.tls_g < 0 && runtime.allm != 0 && runtime.m0 != 0);
    for (unsigned i = 0; i < NSD_GO_SITES; i++) {
        const struct nsd_go_site *site = &runtime.site[i];

        if (site->syscall == 0)
            continue;
        calls += site->kind == NSD_GO_SITE_SYSCALL6;
        CHECK(memcmp((void *) site->syscall, "\x0f\x05", 2) == 0);
        CHECK(site->syscall >= site->entry && site->syscall + site->movable <= site->end);
    }
    CHECK(calls >= 1);
    CHECK(runtime.site[NSD_GO_SITE_NAME_exit].syscall != 0);
    CHECK(runtime.site[NSD_GO_SITE_NAME_clone].syscall != 0);
    CHECK(runtime.map_start <= runtime.text_start && runtime.text_end <= runtime.map_end);
    if (elf_image__symbol(image, "runtime.m0") != 0)
        check_against_symbols(image, &runtime);
    check_broken(image, &runtime);
}

int main(int count, char **arguments) {
    const char *version = NULL;
    enum { IS_GO, BY_ROW, NO_VERSION, NOT_GO, UNKNOWN } expect = IS_GO;

    if (count < 2) {
        printf("no executables were given\n");
        return 77;
    }
    for (int i = 1; i < count; i++) {
        struct elf_image image;
        struct nsd_go_runtime runtime;

        subject = arguments[i];
        if (strcmp(subject, "--not-go") == 0) {
            expect = NOT_GO;
        } else if (strcmp(subject, "--by-row") == 0) {
            expect = BY_ROW;
        } else if (strcmp(subject, "--no-version") == 0) {
            expect = NO_VERSION;
        } else if (strcmp(subject, "--unknown") == 0) {
            expect = UNKNOWN;
        } else if (subject[0] == '-') {
            version = subject + 1;
        } else if (elf_image__load(&image, subject) != 0) {
            printf("%s cannot be mapped\n", subject);
            failures++;
        } else {
            if (expect <= NO_VERSION) {
                check(&image, version, expect == BY_ROW, expect == NO_VERSION);
            } else if (expect == NOT_GO) {
                CHECK(!runtime__find(&image.module, &runtime));
            } else {
                CHECK(runtime__find(&image.module, &runtime));
                CHECK(!runtime__decode(&runtime) && runtime.why != NULL);
                printf("%s: %s\n", subject, runtime.why);
            }
            elf_image__drop(&image);
            expect = IS_GO;
            version = NULL;
        }
    }
    return failures != 0;
}
