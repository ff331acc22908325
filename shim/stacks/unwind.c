/*
 * From a call outwards, frame by frame. libunwind computes each step by the module's tables; every
 * address that it would read and every answer is checked, because libunwind itself reads wherever a
 * register points. A module without tables is passed by the frame-pointer chain. Reached from hooks:
 * bounded, no lock, nothing allocated.
 */
#include "stacks/unwind.h"

#include "base/memory.h"
#include "base/syscall.h"
#include "names/modules.h"
#include "stacks/libunwind_needs.h"
#include "stacks/step_check.h"
#include "stacks/unwind_tables.h"

#include "stacks_machine.h"
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

/* Whether the bytes of [from, to) are code of a module that can be read. */
static bool readable_code(uintptr_t from, uintptr_t to) {
    const struct nsd_module *module = modules__of(from);

    if (!module__is_loaded(module))
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
static bool follows_a_call(uintptr_t pc) {
    return readable_code(pc - NSD_CALL_SIZE_MOST, pc) && machine__ends_call((const uint8_t *) pc);
}

/* The code that a signal handler returns to. */
static bool is_signal_trampoline(uintptr_t pc) {
    return readable_code(pc, pc + NSD_SIGNAL_RETURN_SIZE) &&
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

static enum step step_by_tables(struct walker *walker) {
    struct nsd_module *module = modules__of(walker->exact ? walker->now.pc : walker->now.pc - 1);
    unw_word_t pc, stack_pointer, frame_pointer;
    unw_proc_info_t procedure;
    uintptr_t cfa, place;

    if (!walker->tables)
        return STEP_NO_TABLE;
    unwind_tables__prepare(module);
    if (unwind_tables__of(module) == NULL)
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
    if (!step_check__allows(&walker->cursor, &procedure, module, &walker->extent, &cfa, &place) ||
        cfa <= walker->now.stack_pointer || unw_step(&walker->cursor) < 0 ||
        unw_get_reg(&walker->cursor, UNW_REG_IP, &pc) != 0 ||
        unw_get_reg(&walker->cursor, UNW_REG_SP, &stack_pointer) != 0 ||
        unw_get_reg(&walker->cursor, NSD_UNWIND_FRAME_POINTER, &frame_pointer) != 0)
        return STEP_END;
    if (stack_pointer != cfa || word_at(place) != pc)
        return STEP_END;
    walker->now.pc = pc;
    walker->now.stack_pointer = stack_pointer;
    walker->now.frame_pointer = frame_pointer;
    walker->place = place;
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

        if (!walker->exact && is_signal_trampoline(walker->now.pc)) {
            step = step_over_signal(walker);
        } else {
            step = step_by_tables(walker);
            if (step == STEP_NO_TABLE)
                step = step_by_frame_pointer(walker);
        }
        if (step != STEP_DONE)
            return;
        if (!walker->exact && !follows_a_call(walker->now.pc) &&
            !is_signal_trampoline(walker->now.pc))
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
