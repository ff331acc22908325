/*
 * The loader's memory, see loader_memory.h.
 */
#include "names/loader_memory.h"

#include "base/memory.h"

#include <stdint.h>

static bool copies_work;

void loader_memory__begin(void) {
    uint64_t probe = 0x6e736472, copy = 0;

    copies_work = memory__try_copy(&copy, &probe, sizeof copy) == sizeof copy && copy == probe;
}

bool loader_memory__is_safe(void) {
    return copies_work;
}

bool loader_memory__read(void *to, const void *from, size_t size) {
    if (from == NULL)
        return false;
    if (copies_work)
        return memory__try_copy(to, from, size) == size;
    memory__copy(to, from, size);
    return true;
}

bool loader_memory__read_string(char *to, size_t size, const char *from) {
    size_t length;

    if (from == NULL)
        return false;
    if (copies_work)
        return memory__try_string(to, size, from);
    length = string__length(from);
    if (length >= size)
        length = size - 1;
    memory__copy(to, from, length);
    to[length] = '\0';
    return true;
}
