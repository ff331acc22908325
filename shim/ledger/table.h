/*
 * uthash, set up for the guest: memory from the arena, no libc function, and no exit() when memory
 * runs out. Include this instead of uthash.h. After HASH_ADD check hh.tbl: it is NULL if there was
 * no memory and the record is not in the table.
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
 * Every key is a 32-bit number that somebody counts up (tid, descriptor, token), so one
 * multiplication spreads it well enough. uthash's own hash and memcmp take longer, and an event
 * looks up its tid several times.
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
