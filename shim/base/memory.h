/*
 * Bytes: copy, fill, compare, strings, and a copy out of memory that may not be there. Called from
 * everywhere; nothing here may use libc, TLS or errno. Safe in a signal handler, in a fork or
 * vfork child and on a Go stack.
 */
#ifndef NSD_BASE_MEMORY_H
#define NSD_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void memory__copy(void *to, const void *from, size_t size);
void memory__fill(void *to, int byte, size_t size);
bool memory__equal(const void *a, const void *b, size_t size);
/* First place of the needle in the hay, NULL if it is not there. */
const void *memory__find(const void *hay, size_t hay_size, const void *needle, size_t needle_size);

size_t string__length(const char *string);
bool string__equal(const char *a, const char *b);
bool string__begins(const char *string, const char *prefix);
const char *string__base_name(const char *path);

/*
 * Copies from memory of this process that may be unmapped (process_vm_readv on ourselves). Returns
 * the number of bytes that could be read, 0 if none; makes no call and returns 0 once
 * memory__only_own_calls() was said (seccomp).
 */
size_t memory__try_copy(void *to, const void *from, size_t size);
/* As above for a string: at most size-1 characters and a NUL. False if its start is unreadable. */
bool memory__try_string(char *to, size_t size, const char *from);
/*
 * Whether a byte can be read at each of these places, at most MEMORY_PLACES of them, by one call;
 * always true where no call may be made.
 */
#define MEMORY_PLACES 64u
bool memory__can_read(const void *const *places, unsigned count);
/* From now on no system call that the host would not make by itself (design.md, section 7). */
void memory__only_own_calls(void);
bool memory__is_quiet(void);

/* 64-bit FNV-1a, for fingerprints and tables. Start with HASH_START. */
#define HASH_START 0xcbf29ce484222325ull
uint64_t hash__bytes(uint64_t hash, const void *bytes, size_t size);

#endif
