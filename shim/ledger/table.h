/*
 * uthash as the guest uses it: memory from the arena, no libc function, and a table that cannot
 * grow says so instead of ending the host. Include this, never uthash.h; after HASH_ADD a record
 * that found no room has hh.tbl == NULL.
 */
#ifndef NSD_LEDGER_TABLE_H
#define NSD_LEDGER_TABLE_H

#include "base/arena.h"
#include "base/memory.h"

#define uthash_malloc(size) arena__take(size)
#define uthash_free(memory, size) arena__give((memory), (size))
#define uthash_bzero(memory, size) memory__fill((memory), 0, (size))
#define uthash_strlen(string) string__length(string)
#define HASH_KEYCMP(a, b, size) (memory__equal((a), (b), (size)) ? 0 : 1)
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(record) ((void) (record))

#include <uthash.h>

#endif
