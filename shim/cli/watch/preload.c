/* Finds the library and makes the environment that switches it on, see preload.h. */
#include "cli/watch/preload.h"
#include "base_machine.h"
#include "cli/say.h"
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libnsdrift.so"
#define INSTALLED ("/../" NSD_LIBRARY_FOLDER)

/* Relative to the command's folder. If the build has an absolute library folder, that is used. */
static const char *const folders[] = {
    "/.", INSTALLED, "/../lib", "/../lib64", ("/../lib/" NSD_MULTIARCH),
};

static bool use(const char *candidate, char *path, size_t size) {
    char resolved[PATH_MAX];

    if (realpath(candidate, resolved) == NULL || access(resolved, R_OK) != 0 ||
        strlen(resolved) >= size)
        return false;
    strcpy(path, resolved);
    return true;
}

/* The loader splits LD_PRELOAD at colons and blanks (ld.so(8)), which cannot be quoted. */
static bool can_be_preloaded(const char *path) {
    if (strpbrk(path, ": ") == NULL)
        return true;
    command__say("%s: LD_PRELOAD cannot name a path with a blank or a colon", path);
    return false;
}

bool preload__find_library(char *path, size_t size) {
    const char *given = getenv("NSDRIFT_LIBRARY");
    char self[PATH_MAX], candidate[2 * PATH_MAX];
    ssize_t length;

    if (given != NULL && given[0] != '\0') {
        if (use(given, path, size))
            return can_be_preloaded(path);
        command__say("NSDRIFT_LIBRARY: there is no library %s", given);
        return false;
    }
    length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length > 0) {
        const char *folder;

        self[length] = '\0';
        folder = dirname(self);
        for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
            bool absolute = strncmp(folders[i], "/..//", 5) == 0;

            snprintf(candidate, sizeof candidate, "%s%s/%s", absolute ? "" : folder,
                     absolute ? folders[i] + 4 : folders[i], LIBRARY);
            if (use(candidate, path, size))
                return can_be_preloaded(path);
        }
    }
    command__say("%s is not beside this command nor in its library folder: set NSDRIFT_LIBRARY",
                 LIBRARY);
    return false;
}

static bool is_asan(const char *entry, size_t length) {
    const char *name = entry;

    for (size_t i = 0; i < length; i++) {
        if (entry[i] == '/')
            name = entry + i + 1;
    }
    length -= (size_t) (name - entry);
    return (length >= 10 && strncmp(name, "libasan.so", 10) == 0) ||
           (length >= 16 && strncmp(name, "libclang_rt.asan", 16) == 0);
}

/*
 * The new LD_PRELOAD: AddressSanitizer's runtimes, our library, the rest, each in their old order.
 */
static void put_preloads(FILE *out, const char *library, const char *present) {
    fputs("LD_PRELOAD=", out);
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            fputs(library, out);
        for (const char *at = present; at != NULL && *at != '\0';) {
            size_t length = strcspn(at, ": ");

            if (length > 0 && is_asan(at, length) == (pass == 0) &&
                !(strlen(library) == length && strncmp(at, library, length) == 0)) {
                if (pass == 1)
                    fputc(':', out);
                fwrite(at, 1, length, out);
                if (pass == 0)
                    fputc(':', out);
            }
            at += length;
            if (*at != '\0')
                at++;
        }
    }
}

static bool names(const char *entry, const char *variable) {
    size_t length = strlen(variable);

    return strncmp(entry, variable, length) == 0 && entry[length] == '=';
}

static char *assignment(const char *name, const char *value) {
    char *text;

    return asprintf(&text, "%s=%s", name, value) < 0 ? NULL : text;
}

/*
 * A program that is linked against AddressSanitizer's shared runtime refuses to run if another
 * library is loaded first, unless an option allows it. Preloading that runtime would also do, but
 * every child would then have it.
 */
static char *asan_assignment(void) {
    const char *present = getenv("ASAN_OPTIONS");
    char *text;

    if (present == NULL || present[0] == '\0')
        return assignment("ASAN_OPTIONS", "verify_asan_link_order=0");
    return asprintf(&text, "ASAN_OPTIONS=%s:verify_asan_link_order=0", present) < 0 ? NULL : text;
}

/* NULL without memory; owned. */
static char *preload_assignment(const char *library) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    put_preloads(out, library, getenv("LD_PRELOAD"));
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static bool is_ours(const char *entry) {
    return names(entry, "NSDRIFT") || names(entry, "NSDRIFT_OPTIONS");
}

/* A copy with room for `more` entries; NULL without memory. */
static char **copy_environment(bool (*is_left_out)(const char *), size_t more, size_t *used) {
    size_t count = 0;
    char **environment;

    while (environ[count] != NULL)
        count++;
    environment = calloc(count + more + 1, sizeof *environment);
    *used = 0;
    for (size_t i = 0; environment != NULL && i < count; i++) {
        if (is_left_out(environ[i]))
            continue;
        environment[*used] = strdup(environ[i]);
        if (environment[*used] == NULL) {
            preload__free(environment);
            return NULL;
        }
        ++*used;
    }
    return environment;
}

char **preload__environment_without(void) {
    size_t used;

    return copy_environment(is_ours, 0, &used);
}

static bool is_replaced(const char *entry) {
    return is_ours(entry) || names(entry, "LD_PRELOAD");
}

static bool is_replaced_for_asan(const char *entry) {
    return is_replaced(entry) || names(entry, "ASAN_OPTIONS");
}

char **preload__environment(const char *library, const char *options, bool program_needs_asan) {
    size_t used, wanted;
    char **environment =
        copy_environment(program_needs_asan ? is_replaced_for_asan : is_replaced, 4, &used);

    if (environment == NULL)
        return NULL;
    wanted = used;
    environment[wanted++] = preload_assignment(library);
    environment[wanted++] = assignment("NSDRIFT", "1");
    environment[wanted++] = assignment("NSDRIFT_OPTIONS", options);
    if (program_needs_asan)
        environment[wanted++] = asan_assignment();
    while (used < wanted && environment[used] != NULL)
        used++;
    if (used == wanted)
        return environment;
    for (size_t i = used; i < wanted; i++) {
        free(environment[i]);
        environment[i] = NULL;
    }
    preload__free(environment);
    return NULL;
}

void preload__free(char **environment) {
    for (size_t i = 0; environment != NULL && environment[i] != NULL; i++)
        free(environment[i]);
    free(environment);
}
