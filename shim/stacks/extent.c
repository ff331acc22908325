/*
 * The readable extent of a stack, without asking the C library. The initial thread's stack ends at
 * the top that the kernel made; a pthread's ends at its thread control block, which glibc and musl
 * put above the stack in the same mapping. Pages of any other stack (sigaltstack, coroutines, raw
 * clones) are probed one by one. Called by capture.c and unwind.c; no lock, no memory.
 */
#include "stacks/extent.h"

#include "base/memory.h"
#include "base_machine.h"

#include <stdatomic.h>

/* The kernel keeps at least this much below the top free of other mappings (mm/util.c, mmap_base).
 */
#define MAIN_GAP ((uintptr_t) 128 << 20)
#define PROBED_AT_ONCE 32u
#define PROBED_MOST 1024u /* pages of a pthread's stack */
/* No other mapping fits between a stack pointer and a thread control block that are this near. */
#define SURELY_ONE_STACK ((uintptr_t) 16 << 10)

static uintptr_t main_top; /* written once at start, while the process has one thread */

/*
 * Pthread stacks that were probed: a thread pointer (43 bits, divided by 16) and how many pages
 * below it can be read (21 bits), in one word so that no reader sees half of it.
 */
#define REMEMBERED 256u
/* Relaxed: each word is whole by itself, and nothing else is read because of it. */
static _Atomic uint64_t remembered[REMEMBERED];

void extent__main_stack(uintptr_t top) {
    main_top = top;
}

/* How many pages from `page` on can be read, at most `most`: one byte of each is asked for. */
static unsigned readable_pages(uintptr_t page, unsigned most) {
    struct nsd_memory_part there[PROBED_AT_ONCE];
    char bytes[PROBED_AT_ONCE];
    unsigned probed = 0;

    while (probed < most) {
        unsigned now = most - probed < PROBED_AT_ONCE ? most - probed : PROBED_AT_ONCE, got;
        struct nsd_memory_part here = {bytes, now};

        for (unsigned i = 0; i < now; i++)
            there[i] = (struct nsd_memory_part){(void *) (page + (probed + i) * NSD_PAGE_SIZE), 1};
        got = (unsigned) memory__try_parts(&here, 1, there, now);
        probed += got;
        if (got < now)
            break;
    }
    return probed;
}

static _Atomic uint64_t *memory_of(uintptr_t thread_pointer) {
    return &remembered[(thread_pointer >> 12 ^ thread_pointer >> 21) % REMEMBERED];
}

/* Whether everything from the stack pointer up to the thread control block is one stack. */
static bool reaches(uintptr_t stack_pointer, uintptr_t thread_pointer) {
    uintptr_t page = stack_pointer & ~(NSD_PAGE_SIZE - 1);
    uintptr_t pages = (thread_pointer - page + NSD_PAGE_SIZE - 1) / NSD_PAGE_SIZE;
    uint64_t word = atomic_load_explicit(memory_of(thread_pointer), memory_order_relaxed);

    if (word >> 21 == thread_pointer >> 4 && (word & 0x1fffff) >= pages)
        return true;
    if (pages > PROBED_MOST || readable_pages(page, (unsigned) pages) < pages)
        return thread_pointer - stack_pointer <= SURELY_ONE_STACK;
    atomic_store_explicit(memory_of(thread_pointer), (uint64_t) (thread_pointer >> 4) << 21 | pages,
                          memory_order_relaxed);
    return true;
}

void extent__near(uintptr_t stack_pointer, uintptr_t thread_pointer, struct nsd_extent *extent) {
    extent->low = stack_pointer;
    extent->known = true;
    if (stack_pointer < main_top && main_top - stack_pointer < MAIN_GAP) {
        extent->high = main_top;
        return;
    }
    if (thread_pointer > stack_pointer && thread_pointer >> NSD_ADDRESS_BITS == 0 &&
        thread_pointer - stack_pointer < PROBED_MOST * NSD_PAGE_SIZE &&
        reaches(stack_pointer, thread_pointer)) {
        extent->high = thread_pointer;
        return;
    }
    extent->known = false;
    extent->high = (stack_pointer & ~(NSD_PAGE_SIZE - 1)) + NSD_PAGE_SIZE;
}

bool extent__widen(struct nsd_extent *extent, unsigned pages) {
    unsigned readable = readable_pages(extent->high, pages);

    extent->high += readable * NSD_PAGE_SIZE;
    return readable > 0;
}

void extent__of(uintptr_t stack_pointer, uintptr_t thread_pointer, struct nsd_extent *extent) {
    extent__near(stack_pointer, thread_pointer, extent);
    if (!extent->known)
        extent__widen(extent, NSD_EXTENT_PAGES);
}
