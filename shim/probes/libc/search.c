/* Searches PATH as libc does, see search.h. One stat for each folder. */
#include "probes/libc/search.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "host/environment.h"
#include <stdbool.h>

#define NAME_MOST 256u
#define ANY_EXECUTES 0111u

extern char **environ __attribute__((weak));

char **search__own_environment(void) {
    return &environ != NULL ? environ : NULL;
}

static bool is_program(const char *path) {
    struct sys_stat stat;

    return sys__stat(path, &stat) == 0 && (stat.mode & SYS_MODE_TYPE) == SYS_MODE_REGULAR &&
           (stat.mode & ANY_EXECUTES) != 0;
}

/* False if they are too long together. An empty folder is the working directory. */
static bool join(char room[NSD_FOUND_MOST], const char *folder, size_t length, const char *name) {
    size_t size = string__length(name) + 1;

    if (length + 1 + size > NSD_FOUND_MOST)
        return false;
    memory__copy(room, folder, length);
    if (length > 0)
        room[length++] = '/';
    memory__copy(room + length, name, size);
    return true;
}

const char *search__program(const char *name, char room[NSD_FOUND_MOST]) {
    char copy[NAME_MOST];
    const char *at, *end;

    if (!memory__try_string(copy, sizeof copy, name))
        return NULL;
    if (memory__find(copy, string__length(copy), "/", 1) != NULL)
        return name;
    if (copy[0] == '\0' || sys__is_forbidden())
        return NULL;
    at = environment__of(search__own_environment(), "PATH");
    if (at == NULL)
        at = "/bin:/usr/bin"; /* glibc, posix/execvpe.c; musl has these and one more */
    for (;; at = end + 1) {
        for (end = at; *end != '\0' && *end != ':';)
            end++;
        if (join(room, at, (size_t) (end - at), copy) && is_program(room))
            return room;
        if (*end == '\0')
            return NULL;
    }
}
