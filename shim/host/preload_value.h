/*
 * The value of an LD_PRELOAD that the host hands to an exec: which of its elements is the library,
 * and whether AddressSanitizer's runtime is among the others. Called by environment.c, also in
 * vfork children and on hook stacks. Every byte is read by the copy that cannot fault
 * (host_list.h).
 */
#ifndef NSD_HOST_PRELOAD_VALUE_H
#define NSD_HOST_PRELOAD_VALUE_H

#include <stdbool.h>
#include <stddef.h>

struct nsd_preload_value {
    const char *value; /* set by the caller; NULL: there is no LD_PRELOAD */
    size_t length;
    size_t from, end; /* our element, [from, end), if has_ours */
    bool has_ours;
    bool is_relative; /* our element begins without a slash */
    bool has_asan;    /* an element is AddressSanitizer's runtime */
    bool ours_is_before_asan;
};

/* Elements of LD_PRELOAD are separated by these (ld.so(8)), which cannot be quoted. */
bool preload_value__is_separator(char c);
/* Reads value->value once. False if it cannot be read. */
bool preload_value__read(struct nsd_preload_value *value);
/*
 * Our element is a path from the working directory (LD_PRELOAD=./libnsdrift.so), and the host has
 * gone to another one.
 */
bool preload_value__leads_nowhere(const struct nsd_preload_value *value);

#endif
