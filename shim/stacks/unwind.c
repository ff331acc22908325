/*
 * From a call outwards, frame by frame. libunwind computes each step by the module's tables; every
 * address that it would read and every answer is checked, because libunwind itself reads wherever a
 * register points. A module without tables is passed by the frame-pointer chain. Reached from
 * hooks: bounded, no lock, nothing allocated.
 */
#include "stacks/unwind.h"

#include "base/memory.h"
#include "base/syscall.h"
#include "names/modules.h"
#include "stacks/libunwind_needs.h"
#include "stacks/step_check.h"
#include "stacks/unwind_tables.h"

#include "stacks_machine.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum step { STEP_DONE, STEP_END, STEP_NO_TABLE };

struct walker {
    struct nsd_unwind_state now;
    struct nsd_extent extent;
    uintptr_t origin; /* slots are relative to it */
    uintptr_t place;  /* where now.pc was found, 0: in a register */
    bool exact;       /* now.pc is an interrupted instruction, no return address */
    bool started;     /* the cursor stands at `now` */
    bool tables;      /* libunwind may be called */
    /* The last module that was asked whether it is still there; many frames are of one module. */
    const struct nsd_module *asked;
    bool is_there;
    unw_cursor_t cursor;
    struct nsd_frame *frame;
    unsigned depth, most;
};

static bool in_stack(const struct walker *walker, uintptr_t address, size_t size) {
    return address >= walker->extent.low && address <= walker->extent.high &&
           walker->extent.high - address >= size && address % 8 == 0;
}

static uintptr_t word_at(uintptr_t address) {
    return *(const uintptr_t *) address;
}

static bool is_there(struct walker *walker, struct nsd_module *module) {
    if (module != walker->asked) {
        walker->asked = module;
        walker->is_there = modules__is_still_there(module);
    }
    return walker->is_there;
}

/* Whether the bytes of [from, to) are code of a module that can be read. */
static bool readable_code(struct walker *walker, uintptr_t from, uintptr_t to) {
    struct nsd_module *module = modules__of(from);

    if (!is_there(walker, module))
        return false;
    for (unsigned i = 0; i < module->header_count; i++) {
        const Elf64_Phdr *header = &module->headers[i];
        uintptr_t start = module->base + header->p_vaddr;

        if (header->p_type == PT_LOAD && (header->p_flags & (PF_X | PF_R)) == (PF_X | PF_R) &&
            from >= start && to <= start + header->p_memsz)
            return true;
    }
    return false;
}

/* A return address stands behind a call instruction. */
static bool follows_a_call(struct walker *walker, uintptr_t pc) {
    return readable_code(walker, pc - NSD_CALL_SIZE_MOST, pc) &&
           machine__ends_call((const uint8_t *) pc);
}

/* The code that a signal handler returns to. */
static bool is_signal_trampoline(struct walker *walker, uintptr_t pc) {
    return readable_code(walker, pc, pc + NSD_SIGNAL_RETURN_SIZE) &&
           machine__is_signal_return((const uint8_t *) pc);
}

/* Over a signal frame to the interrupted function, which may be on another stack. */
static enum step step_over_signal(struct walker *walker) {
    uintptr_t frame = walker->now.stack_pointer;

    if (!in_stack(walker, frame, NSD_SIGNAL_FRAME_SIZE))
        return STEP_END;
    walker->now.pc = word_at(frame + NSD_SIGNAL_PC);
    walker->now.frame_pointer = word_at(frame + NSD_SIGNAL_FRAME_POINTER);
    walker->now.stack_pointer = word_at(frame + NSD_SIGNAL_STACK_POINTER);
    walker->place = frame + NSD_SIGNAL_PC;
    walker->exact = true;
    walker->started = false;
    if (walker->now.stack_pointer > frame && walker->now.stack_pointer < walker->extent.high)
        return STEP_DONE;
    extent__of(walker->now.stack_pointer, machine__thread_pointer(), &walker->extent);
    return STEP_DONE;
}

/*
 * A cursor that libunwind made at start. Each walk begins with a copy of it: making one takes a
 * context of 1.3 KiB on the stack, which the caller may not have.
 */
static unw_cursor_t first_cursor;
static bool first_cursor_made;

void unwind__begin(void) {
    unw_context_t context;

    first_cursor_made =
        unw_getcontext(&context) == 0 && unw_init_local(&first_cursor, &context) == 0;
}

/* Sets libunwind's cursor to `now`. libunwind looks pc up as it is: a return address is given as
 * pc-1, which lies in the call. */
static bool start_cursor(struct walker *walker) {
    if (!first_cursor_made)
        return false;
    memory__copy(&walker->cursor, &first_cursor, sizeof(first_cursor));
    return unw_set_reg(&walker->cursor, NSD_UNWIND_FRAME_POINTER, walker->now.frame_pointer) == 0 &&
           unw_set_reg(&walker->cursor, UNW_REG_SP, walker->now.stack_pointer) == 0 &&
           unw_set_reg(&walker->cursor, UNW_REG_IP,
                       walker->exact ? walker->now.pc + 1 : walker->now.pc - 1) == 0;
}

/*
 * Steps that were made before, by pc, because a table says the same each time: a step by libunwind
 * costs some 10,000 instructions, a remembered one 50. Example: CFA = rsp + 32, rbp saved at CFA -
 * 16. A step is one word; the other is its key, changed by that word, so that a reader that gets
 * halves of two steps finds neither. Relaxed: nothing else is read because of them.
 */
#define KEPT_STEPS 2048u
static struct { _Atomic uint64_t mixed_key, step; } kept_steps[KEPT_STEPS];

enum { KEPT_IN_USE = 1, KEPT_FROM_FRAME_POINTER = 2, KEPT_SAVES_FRAME_POINTER = 4 };
#define KEPT_CFA_SHIFT 4
#define KEPT_PLACE_SHIFT 24
#define KEPT_OFFSET_MOST (1 << 20)
#define KEPT_CHANGES_SHIFT 44 /* how often the module table had changed: 20 bits */

static uint64_t step_key(const struct walker *walker) {
    return (uint64_t) walker->now.pc << 1 | walker->exact;
}

static unsigned step_index(uint64_t key) {
    return (unsigned) (key * 0x9e3779b97f4a7c15ull >> 53) % KEPT_STEPS;
}

static enum step step_as_before(struct walker *walker) {
    uint64_t key = step_key(walker);
    unsigned index = step_index(key);
    uint64_t step = atomic_load_explicit(&kept_steps[index].step, memory_order_relaxed);
    uint64_t mixed = atomic_load_explicit(&kept_steps[index].mixed_key, memory_order_relaxed);
    uintptr_t cfa, frame_pointer = walker->now.frame_pointer;

    if ((step & KEPT_IN_USE) == 0 || (mixed ^ step) != key ||
        (uint32_t) (step >> KEPT_CHANGES_SHIFT) != (modules__changes() & 0xfffff))
        return STEP_NO_TABLE;
    cfa = ((step & KEPT_FROM_FRAME_POINTER) != 0 ? frame_pointer : walker->now.stack_pointer) +
          (step >> KEPT_CFA_SHIFT) % KEPT_OFFSET_MOST;
    if (cfa <= walker->now.stack_pointer || !in_stack(walker, cfa - 8, 8))
        return STEP_END;
    if ((step & KEPT_SAVES_FRAME_POINTER) != 0) {
        uintptr_t place = cfa - (step >> KEPT_PLACE_SHIFT) % KEPT_OFFSET_MOST;

        if (!in_stack(walker, place, 8))
            return STEP_END;
        frame_pointer = word_at(place);
    }
    walker->now.pc = word_at(cfa - 8);
    walker->now.stack_pointer = cfa;
    walker->now.frame_pointer = frame_pointer;
    walker->place = cfa - 8;
    walker->exact = false;
    walker->started = false;
    return STEP_DONE;
}

static void keep_step(uint64_t key, const struct nsd_step *step) {
    int32_t place = step->saves_frame_pointer ? -step->frame_pointer_place : 0;
    unsigned index = step_index(key);
    uint64_t word;

    if (!step->is_simple || step->cfa_offset < 0 || step->cfa_offset >= KEPT_OFFSET_MOST ||
        place < 0 || place >= KEPT_OFFSET_MOST)
        return;
    word = KEPT_IN_USE | (step->from_frame_pointer ? KEPT_FROM_FRAME_POINTER : 0) |
           (step->saves_frame_pointer ? KEPT_SAVES_FRAME_POINTER : 0) |
           (uint64_t) step->cfa_offset << KEPT_CFA_SHIFT | (uint64_t) place << KEPT_PLACE_SHIFT |
           (uint64_t) (modules__changes() & 0xfffff) << KEPT_CHANGES_SHIFT;
    atomic_store_explicit(&kept_steps[index].step, word, memory_order_relaxed);
    atomic_store_explicit(&kept_steps[index].mixed_key, key ^ word, memory_order_relaxed);
}

/* Whether libunwind may be asked about the walker's pc. */
static bool has_table(struct nsd_module *module, uintptr_t pc) {
    unwind_tables__prepare(module);
    return unwind_tables__of(module) != NULL && unwind_tables__covers(module, pc);
}

static enum step step_by_tables(struct walker *walker) {
    uintptr_t in_function = walker->exact ? walker->now.pc : walker->now.pc - 1;
    struct nsd_module *module = modules__of(in_function);
    unw_word_t pc, stack_pointer, frame_pointer;
    uint64_t key = step_key(walker);
    unw_proc_info_t procedure;
    struct nsd_step step;

    if (!walker->tables || !is_there(walker, module))
        return STEP_NO_TABLE;
    switch (step_as_before(walker)) {
    case STEP_DONE:
        return STEP_DONE;
    case STEP_END:
        return STEP_END;
    default:
        break;
    }
    if (!has_table(module, in_function))
        return STEP_NO_TABLE;
    /* A cursor that came here by a step does not know a table that was made just now. */
    if (walker->started && unw_get_proc_info(&walker->cursor, &procedure) != 0)
        walker->started = false;
    if (!walker->started &&
        (!start_cursor(walker) || unw_get_proc_info(&walker->cursor, &procedure) != 0))
        return STEP_NO_TABLE;
    walker->started = false;
    if (procedure.unwind_info == 0)
        return STEP_NO_TABLE;
    /* unw_step returns UNW_STEP_END already when the new frame has no table: only < 0 fails. */
    if (!step_check__allows(&walker->cursor, &procedure, module, &walker->extent, &step) ||
        step.cfa <= walker->now.stack_pointer || unw_step(&walker->cursor) < 0 ||
        unw_get_reg(&walker->cursor, UNW_REG_IP, &pc) != 0 ||
        unw_get_reg(&walker->cursor, UNW_REG_SP, &stack_pointer) != 0 ||
        unw_get_reg(&walker->cursor, NSD_UNWIND_FRAME_POINTER, &frame_pointer) != 0)
        return STEP_END;
    if (stack_pointer != step.cfa || word_at(step.return_place) != pc)
        return STEP_END;
    keep_step(key, &step);
    walker->now.pc = pc;
    walker->now.stack_pointer = stack_pointer;
    walker->now.frame_pointer = frame_pointer;
    walker->place = step.return_place;
    walker->exact = false;
    walker->started = true;
    return STEP_DONE;
}

static enum step step_by_frame_pointer(struct walker *walker) {
    uintptr_t frame = walker->now.frame_pointer;

    if (frame < walker->now.stack_pointer || !in_stack(walker, frame, 16))
        return STEP_END;
    walker->now.frame_pointer = word_at(frame);
    walker->now.pc = word_at(frame + 8);
    walker->now.stack_pointer = frame + 16;
    walker->place = frame + 8;
    walker->exact = false;
    walker->started = false;
    return STEP_DONE;
}

static void record(struct walker *walker) {
    struct nsd_frame *frame = &walker->frame[walker->depth++];
    uintptr_t distance = walker->place - walker->origin;

    frame->pc = walker->now.pc;
    frame->slot =
        walker->place > walker->origin && distance <= UINT32_MAX ? (uint32_t) distance : 0;
    frame->module = modules__number(modules__of(walker->now.pc));
}

static void walk(struct walker *walker) {
    while (walker->depth < walker->most) {
        enum step step;

        if (!walker->exact && is_signal_trampoline(walker, walker->now.pc)) {
            step = step_over_signal(walker);
        } else {
            step = step_by_tables(walker);
            if (step == STEP_NO_TABLE)
                step = step_by_frame_pointer(walker);
        }
        if (step != STEP_DONE)
            return;
        if (!walker->exact && !follows_a_call(walker, walker->now.pc) &&
            !is_signal_trampoline(walker, walker->now.pc))
            return;
        record(walker);
    }
}

/* Not inlined: __builtin_longjmp comes back to this frame, which must still be there. */
__attribute__((noinline)) static void walk_guarded(struct walker *walker,
                                                   struct nsd_unwind_guard *guard) {
    if (__builtin_setjmp(guard->jump) == 0)
        walk(walker);
}

unsigned unwind__frames(const struct nsd_unwind_state *state, const struct nsd_extent *extent,
                        struct nsd_frame *frame, unsigned most) {
    struct walker walker;
    struct nsd_unwind_guard *guard = libunwind_needs__guard((uintptr_t) &walker);

    walker.now = *state;
    walker.extent = *extent;
    walker.origin = state->stack_pointer;
    walker.place = 0;
    walker.exact = false;
    walker.started = false;
    walker.tables = guard != NULL;
    walker.asked = NULL;
    walker.is_there = false;
    walker.frame = frame;
    walker.depth = 0;
    walker.most = most;
    record(&walker);
    if (guard == NULL) {
        walk(&walker);
        return walker.depth;
    }
    walk_guarded(&walker, guard);
    libunwind_needs__unguard(guard);
    return walker.depth;
}
