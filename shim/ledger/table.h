/*
 * uthash as the guest uses it: memory from the arena, no libc function, and a table that cannot
 * grow says so instead of ending the host. Include this, never uthash.h; after HASH_ADD a record
 * that found no room has hh.tbl == NULL.
 */
#ifndef NSD_LEDGER_TABLE_H
#define NSD_LEDGER_TABLE_H

#include "base/arena.h"
#include "base/memory.h"
#include <stdint.h>

#define uthash_malloc(size) arena__take(size)
#define uthash_free(memory, size) arena__give((memory), (size))
#define uthash_bzero(memory, size) memory__fill((memory), 0, (size))
#define uthash_strlen(string) string__length(string)
/*
 * Every key here is a number of 32 bits (tid, descriptor, token) that the kernel or we count up:
 * spread by one multiplication, compared as what it is. A tid is looked up several times an event.
 */
#define HASH_FUNCTION(key, size, hash)                                                             \
    do {                                                                                           \
        _Static_assert((size) == sizeof(uint32_t), "keys are 32-bit numbers");                     \
        (hash) = *(const uint32_t *) (const void *) (key) *0x9e3779b1u;                            \
        (hash) ^= (hash) >> 15;                                                                    \
    } while (0)
#define HASH_KEYCMP(a, b, size)                                                                    \
    (*(const uint32_t *) (const void *) (a) != *(const uint32_t *) (const void *) (b))
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(record) ((void) (record))

#include <uthash.h>

#endif
