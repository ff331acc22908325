/*
 * The stacks that hooks run on, see stackpool.h: 64 of 16 KiB in one mapping of 1 MiB, of which
 * only touched pages cost memory. Reached from hooks and from vfork children, so that it uses
 * nothing but words and atomic operations.
 */
#include "probes/go/stackpool.h"
#include "base/syscall.h"
#include "probes/go/hooked_call.h"
#include <linux/mman.h>
#include <stdatomic.h>

uint64_t nsd_go_stacks;
_Atomic uint64_t nsd_go_without_stack;

/*
 * The M that uses each stack, or 0. Release and acquire: the thread that frees a killed child's
 * stack must see all that the child wrote there before it gives the stack away.
 */
static _Atomic uint64_t owners[NSD_GO_STACKS];

bool stackpool__begin(void) {
    long at = sys__mmap(NULL, (size_t) NSD_GO_STACKS << NSD_GO_STACK_SHIFT, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (SYS_IS_ERROR(at))
        return false;
    nsd_go_stacks = (uint64_t) at;
    return true;
}

void stackpool__own(uint64_t stack, uint64_t m) {
    atomic_store_explicit(&owners[stack], m, memory_order_release);
}

void stackpool__disown(uint64_t stack) {
    atomic_store_explicit(&owners[stack], 0, memory_order_release);
}

static struct nsd_go_call *call_on(uint64_t stack) {
    return (struct nsd_go_call *) (nsd_go_stacks + ((stack + 1) << NSD_GO_STACK_SHIFT)) - 1;
}

void stackpool__reclaim(uint64_t m, uint64_t own) {
    for (uint64_t stack = 0; stack < NSD_GO_STACKS; stack++) {
        if (stack == own || atomic_load_explicit(&owners[stack], memory_order_acquire) != m)
            continue;
        stackpool__disown(stack);
        atomic_store_explicit(&call_on(stack)->busy, 0, memory_order_release);
    }
}

/*
 * The child has one thread. MADV_DONTNEED makes the other stacks zero, and their `busy` bytes with
 * them; under a seccomp filter the bytes are stored one by one.
 */
void stackpool__fork_child(uint64_t own) {
    uint64_t end = (uint64_t) NSD_GO_STACKS << NSD_GO_STACK_SHIFT;
    uint64_t from = own << NSD_GO_STACK_SHIFT, to = (own + 1) << NSD_GO_STACK_SHIFT;

    for (uint64_t stack = 0; stack < NSD_GO_STACKS; stack++) {
        if (stack != own) {
            atomic_store_explicit(&owners[stack], 0, memory_order_relaxed);
            if (sys__is_forbidden())
                atomic_store_explicit(&call_on(stack)->busy, 0, memory_order_relaxed);
        }
    }
    if (sys__is_forbidden())
        return;
    if (from > 0)
        sys__madvise((void *) nsd_go_stacks, from, MADV_DONTNEED);
    if (to < end)
        sys__madvise((void *) (nsd_go_stacks + to), end - to, MADV_DONTNEED);
}
