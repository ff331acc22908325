/*
 * The base room: what every other room of the guest needs and libc would otherwise give.
 *
 *     memory.h    bytes, strings, hashes, copies from memory that may be unmapped (this file)
 *     syscall.h   raw system calls; the instruction itself is in the folder of each machine
 *     forbidden.h whether they may be made
 *     arena.h     the heap, under the ledger's lock        pool.h   small blocks without a lock
 *     lock.h      the ledger's lock                        clock.h  ticks now, wall time later
 *     text.h      formatting into a bounded buffer         options.h  NSDRIFT_OPTIONS
 *
 * In: bytes, numbers and addresses of the caller. Out: the same, or a negative errno. Every room
 * and the command may call it; it calls no other room. It must not use libc, thread-local storage
 * or errno, must not start a thread, wait without a bound, or end the process.
 *
 * The functions of this file may be called anywhere: in a signal handler, in a fork or vfork child
 * and on a Go stack. They allocate nothing and keep no pointer of the caller.
 */
#ifndef NSD_BASE_MEMORY_H
#define NSD_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The two ranges may overlap. */
void memory__copy(void *to, const void *from, size_t size);
void memory__fill(void *to, int byte, size_t size);
bool memory__equal(const void *a, const void *b, size_t size);
/* The first occurrence of `needle` in `haystack`; NULL if there is none. */
const void *memory__find(const void *haystack, size_t haystack_size, const void *needle,
                         size_t needle_size);

size_t string__length(const char *string);
bool string__equal(const char *a, const char *b);
bool string__begins(const char *string, const char *prefix);
/* The part after the last slash; points into `path`. */
const char *string__base_name(const char *path);

/* A stretch of memory: struct iovec without its header. */
struct nsd_memory_part {
    const void *at;
    size_t size;
};

/*
 * Copies from memory of this process that may be unmapped, by process_vm_readv on ourselves, which
 * fails instead of raising SIGSEGV: from the `sources` parts of `from`, in order, into the
 * `targets` parts of `to`. Stops at the first part of `from` that cannot be read wholly. Returns
 * the number of bytes that were copied; 0 without a system call where sys__is_forbidden().
 */
size_t memory__try_parts(const struct nsd_memory_part *to, unsigned targets,
                         const struct nsd_memory_part *from, unsigned sources);
/* The same for one part each. */
size_t memory__try_copy(void *to, const void *from, size_t size);
/*
 * The same for a string: copies at most size-1 characters and a NUL. False if unreadable memory
 * comes before the string's end.
 */
bool memory__try_string(char *to, size_t size, const char *from);
/*
 * Whether a byte can be read at every one of `count` addresses (at most MEMORY_PLACES), by one
 * system call. Always true where sys__is_forbidden().
 */
#define MEMORY_PLACES 64u
bool memory__can_read(const void *const *places, unsigned count);

/*
 * 64-bit FNV-1a, for fingerprints and tables. `hash` is HASH_START for the first piece, then the
 * result for the piece before.
 */
#define HASH_START 0xcbf29ce484222325ull
uint64_t hash__bytes(uint64_t hash, const void *bytes, size_t size);

#endif
