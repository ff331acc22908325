/*
 * The module table in an ordinary program: what the loader has is in it, addresses lead to their
 * module, the next definition of a name is the one that dlsym gives, and a library that was opened
 * and closed keeps its name. The program itself stands where the shim stands in a host.
 */
#include "names/definitions.h"
#include "names/module_file.h"
#include "names/modules.h"

#include "names/elf_symbols.h"

#include <dlfcn.h>
#include <link.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static int failures;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

static int count_one(struct dl_phdr_info *info, size_t size, void *context) {
    struct nsd_module *module;

    (void) size;
    (*(unsigned *) context)++;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            module = modules__of(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
            CHECK(module != NULL && module->base == info->dlpi_addr);
            CHECK(module != NULL && module->header_count == info->dlpi_phnum);
        }
    }
    return 0;
}

static void next_definitions(void) {
    static const char *const names[] = {
        "setns",
        "unshare",
        "clone",
        "mount",
        "umount2",
        "chroot",
        "syscall",
        "open",
        "openat",
        "pthread_exit",
        "pthread_create",
        "fork",
        "vfork",
        "execve",
        "execvpe",
        "_exit",
        "exit",
        "sigaction",
        "signal",
        "prctl",
        "socket",
        "close",
        "dup2",
        "fcntl",
        "posix_spawn",
        "dlsym",
        "memcpy",
        "strlen",
        "time",
        "thrd_create",
        "no_such_function_anywhere",
    };

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        void *ours = definitions__next(names[i]);
        void *theirs = dlsym(RTLD_NEXT, names[i]);

        if (ours != theirs)
            printf("%s: %p, dlsym says %p\n", names[i], ours, theirs);
        CHECK(ours == theirs);
    }
}

static void opened_and_closed(void) {
    unsigned before = modules__count();
    void *library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
    char name[64];

#ifndef __GLIBC__
    return; /* musl has its mathematics in libc, and closes nothing */
#endif
    uintptr_t address = (uintptr_t) dlsym(library, "nearbyintl");
    struct nsd_module *module = modules__of(address);
    CHECK(module != NULL && strstr(module->path, "libm.so.6") != NULL);
    CHECK(module != NULL && module->build_id_size == 20);
    CHECK(modules__count() >= before + 1);
    CHECK(module != NULL && elf_symbols__name_at(module, address + 1, name, sizeof(name)) &&
          strstr(name, "nearbyintl") != NULL);
    module_file__map(module);
    CHECK(module != NULL && module->file != NULL);
    dlclose(library);
    CHECK(modules__refresh());
    CHECK(modules__of(address) == module);
    CHECK(!module__is_loaded(module));
    library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
    CHECK(modules__refresh());
    module = modules__of((uintptr_t) dlsym(library, "nearbyintl"));
    CHECK(module__is_loaded(module));
    unsigned many = modules__count();
    for (int i = 0; i < 2000; i++) {
        dlclose(library);
        library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
        modules__refresh();
    }
    /* The same library at the same place is the same module. */
    CHECK(modules__count() <= many + 100);
}

/*
 * A library that is closed in the middle of the loader's list: the end of the list is as it was, so
 * that a refresh notices nothing, but whoever asks about the module itself is told.
 */
static void closed_in_the_middle(void) {
#ifdef __GLIBC__
    void *library = dlopen("libresolv.so.2", RTLD_NOW), *behind = dlopen("libutil.so.1", RTLD_NOW);
    void *last = dlopen("libanl.so.1", RTLD_NOW);
    struct nsd_module *module;
    uint32_t changes;
    uintptr_t address;

    if (library == NULL || behind == NULL || last == NULL) {
        printf("no libraries to be opened here\n");
        return;
    }
    address = (uintptr_t) dlsym(library, "ns_sprintrr");
    module = modules__of(address);
    CHECK(modules__refresh() && modules__is_still_there(module));
    changes = modules__changes();
    dlclose(library);
    CHECK(!modules__is_still_there(module) && !module__is_loaded(module));
    CHECK(modules__changes() != changes && modules__refresh());
    CHECK(modules__of(address) == module && !modules__is_still_there(module));
    library = dlopen("libresolv.so.2", RTLD_NOW);
    address = (uintptr_t) dlsym(library, "ns_sprintrr");
    module = modules__of(address);
    CHECK(modules__refresh() && modules__is_still_there(modules__of(address)));
    CHECK(modules__is_still_there(modules__at(0)) && !modules__is_still_there(NULL));
    dlclose(library);
    dlclose(behind);
    dlclose(last);
#endif
}

/* One thread opens and closes while others ask. */
static volatile int stop;

static void *open_and_close(void *unused) {
    (void) unused;
    for (int i = 0; i < 300; i++) {
        void *library = dlopen("libresolv.so.2", RTLD_NOW);

        if (library != NULL)
            dlclose(library);
    }
    stop = 1;
    return NULL;
}

static void *ask(void *unused) {
    (void) unused;
    while (!stop)
        modules__of(4096 * 3);
    return NULL;
}

static void threads(void) {
    pthread_t thread[3];

    pthread_create(&thread[0], NULL, ask, NULL);
    pthread_create(&thread[1], NULL, ask, NULL);
    pthread_create(&thread[2], NULL, open_and_close, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
}

int main(int count, char **arguments) {
    unsigned loaded = 0;
    char name[64];

    if (count > 1 && strcmp(arguments[1], "given") == 0)
        modules__set_start(getauxval(AT_PHDR), (unsigned) getauxval(AT_PHNUM), arguments[0]);
    modules__begin();
    dl_iterate_phdr(count_one, &loaded);
    CHECK(loaded >= 2 && modules__count() >= loaded);
    struct nsd_module *program = modules__of((uintptr_t) &main);
    CHECK(program != NULL && program->is_executable && program->is_shim);
    CHECK(program != NULL && strstr(program->path, "modules_test") != NULL);
    CHECK(program == modules__at(modules__number(program) - 1));
    CHECK(modules__of(16) == NULL);
    module_file__map(program);
    CHECK(program != NULL && program->file != NULL);
    CHECK(elf_symbols__name_at(program, (uintptr_t) &opened_and_closed + 4, name, sizeof(name)) &&
          strcmp(name, "opened_and_closed") == 0);
    next_definitions();
    opened_and_closed();
    closed_in_the_middle();
    threads();
    printf("%d failures\n", failures);
    return failures != 0;
}
