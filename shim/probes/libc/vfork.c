/*
 * What surrounds a vfork (the machine's vfork.S): the child runs on the parent's stack and in its
 * memory, so the way back and the event are kept in a block of the pool, and the thread is marked
 * until the parent runs on. Called by that assembly alone.
 */
#include "base/syscall.h"
#include "host/libc/next.h"
#include "calls/observe.h"
#include "base/pool.h"

/* The first three words are known to the assembly. */
struct vfork_block {
    uintptr_t return_address;
    uintptr_t saved_register;
    void *next;
    uintptr_t thread_pointer;
    struct nsd_event event;
} __attribute__((aligned(16)));

#define BLOCKS 64u

static struct vfork_block block_memory[BLOCKS];
static struct nsd_pool blocks = {
    .memory = block_memory, .count = BLOCKS, .size = sizeof(struct vfork_block)};

struct vfork_block *vfork__before(uintptr_t return_address, uintptr_t stack_pointer,
                                  uintptr_t frame_pointer, uintptr_t saved_register)
    __attribute__((visibility("hidden")));
int vfork__after(struct vfork_block *block, int result) __attribute__((visibility("hidden")));
void *vfork__next(void) __attribute__((visibility("hidden")));

/* Of whom nothing is to be recorded. */
void *vfork__next(void) {
    return next__of(NSD_FUNCTION_vfork);
}

/* NULL: the caller is a vfork child itself or a stranger, and jumps to the next definition. */
struct vfork_block *vfork__before(uintptr_t return_address, uintptr_t stack_pointer,
                                  uintptr_t frame_pointer, uintptr_t saved_register) {
    const struct nsd_site site = {return_address, stack_pointer, frame_pointer};
    struct vfork_block *block = pool__take(&blocks);

    if (block == NULL) {
        submit__count_lost();
        return NULL;
    }
    block->return_address = return_address;
    block->saved_register = saved_register;
    block->next = next__of(NSD_FUNCTION_vfork);
    block->thread_pointer = machine__thread_pointer();
    if (!observe__begin(&block->event, NSD_CALL_VFORK, &site) ||
        !caller__mark_vfork(block->event.tid, block->thread_pointer)) {
        pool__give(&blocks, block);
        return NULL;
    }
    return block;
}

/* In the parent, when the child has exec'd or is gone. */
int vfork__after(struct vfork_block *block, int result) {
    caller__clear_vfork(block->event.tid, block->thread_pointer);
    block->event.other_tid = result > 0 ? result : 0;
    observe__end(&block->event, result);
    pool__give(&blocks, block);
    return result;
}
