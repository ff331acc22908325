/*
 * Reading what the loader keeps, while another thread may be inside dlclose: by copies that cannot
 * fault, or by plain loads where the kernel has no process_vm_readv. Called by the module table.
 */
#ifndef NSD_NAMES_LOADER_MEMORY_H
#define NSD_NAMES_LOADER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Tries whether such copies can be had. Once, at start. */
void loader_memory__begin(void);
/* They can: memory that is not there may be asked for. */
bool loader_memory__is_safe(void);
/* False for NULL and for memory that is not there. */
bool loader_memory__read(void *to, const void *from, size_t size);
/* At most size-1 characters and a NUL. */
bool loader_memory__read_string(char *to, size_t size, const char *from);

#endif
