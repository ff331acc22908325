/*
 * The stacks that hooks run on, see stackpool.h. 64 of 16 KiB in one mapping of 1 MiB, of which
 * only what is touched costs memory. Reached from hooks and from vfork children: words and atomic
 * operations alone.
 */
#include "probes/go/stackpool.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "probes/go/x86_64/trampoline.h"
#include <linux/mman.h>

uint64_t nsd_go_stacks;
uint64_t nsd_go_without_stack;

static uint64_t owners[NSD_GO_STACKS]; /* M, or 0 */

bool stackpool__begin(void) {
    long at = sys__mmap(NULL, (size_t) NSD_GO_STACKS << NSD_GO_STACK_SHIFT, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (SYS_IS_ERROR(at))
        return false;
    nsd_go_stacks = (uint64_t) at;
    return true;
}

void stackpool__own(uint64_t stack, uint64_t m) {
    __atomic_store_n(&owners[stack], m, __ATOMIC_RELEASE);
}

void stackpool__disown(uint64_t stack) {
    __atomic_store_n(&owners[stack], 0, __ATOMIC_RELEASE);
}

static struct nsd_go_call *call_on(uint64_t stack) {
    return (struct nsd_go_call *) (nsd_go_stacks + ((stack + 1) << NSD_GO_STACK_SHIFT)) - 1;
}

void stackpool__reclaim(uint64_t m, uint64_t own) {
    for (uint64_t stack = 0; stack < NSD_GO_STACKS; stack++) {
        if (stack == own || __atomic_load_n(&owners[stack], __ATOMIC_ACQUIRE) != m)
            continue;
        stackpool__disown(stack);
        __atomic_store_n(&call_on(stack)->busy, 0, __ATOMIC_RELEASE);
    }
}

/* The kernel forgets what stands on them, the bytes `busy` with it. */
void stackpool__fork_child(uint64_t own) {
    uint64_t end = (uint64_t) NSD_GO_STACKS << NSD_GO_STACK_SHIFT;
    uint64_t from = own << NSD_GO_STACK_SHIFT, to = (own + 1) << NSD_GO_STACK_SHIFT;

    for (uint64_t stack = 0; stack < NSD_GO_STACKS; stack++) {
        if (stack != own) {
            owners[stack] = 0;
            if (memory__is_quiet())
                call_on(stack)->busy = 0;
        }
    }
    if (memory__is_quiet())
        return;
    if (from > 0)
        sys__madvise((void *) nsd_go_stacks, from, MADV_DONTNEED);
    if (to < end)
        sys__madvise((void *) (nsd_go_stacks + to), end - to, MADV_DONTNEED);
}
