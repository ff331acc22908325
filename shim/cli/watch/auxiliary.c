/*
 * The auxiliary vector of another process, see auxiliary.h.
 */
#include "cli/watch/auxiliary.h"
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

uint64_t auxiliary__value(pid_t pid, uint64_t type) {
    Elf64_auxv_t vector[64];
    char path[64];
    ssize_t size;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/auxv", (int) pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    size = fd >= 0 ? read(fd, vector, sizeof vector) : -1;
    if (fd >= 0)
        close(fd);
    for (size_t i = 0; size > 0 && i < (size_t) size / sizeof vector[0]; i++) {
        if (vector[i].a_type == type)
            return vector[i].a_un.a_val;
    }
    return 0;
}
