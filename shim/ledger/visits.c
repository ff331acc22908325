/*
 * Visits, see visits.h for what is learnt and how. One run of a function is identified by its
 * return address and the stack slot that holds it: two stacks that share both were captured during
 * the same run, and a slot that holds something else now means that the function has returned.
 */
#include "ledger/visits.h"
#include "base_machine.h"
#include <stddef.h>

/* Address of the slot that holds frame i's return address; 0: not known. */
static uint64_t slot_of(const struct nsd_frames *frames, unsigned i, uint64_t stack_pointer) {
    if (stack_pointer == 0)
        return 0;
    if (frames->frame[i].slot != 0)
        return stack_pointer + frames->frame[i].slot;
    /* Frame 0 is the captured call: CALL pushed its address right below the caller's stack. */
    if (i == 0 && NSD_CALL_SLOT != 0)
        return stack_pointer - NSD_CALL_SLOT;
    return 0;
}

/* Drops the outermost of `count` frames while their slots are unknown; returns how many stay. */
static unsigned known_slots(const struct nsd_frames *frames, unsigned count,
                            uint64_t stack_pointer) {
    while (count > 0 && slot_of(frames, count - 1, stack_pointer) == 0)
        count--;
    return count;
}

/*
 * Index of the innermost frame of `began` that `later` shares, its frame 0 excepted; 0 if there is
 * none. The function that this frame called was running at both.
 *
 * The stacks are compared from the outermost frame inwards, and the comparison stops at the first
 * difference: if main calls a() and then b(), and both call visit() with frames of equal size, the
 * frames of visit() may look equal although they belong to two runs; main's frame shows it.
 */
static unsigned innermost_common(const struct nsd_witness *began, const struct nsd_frames *later,
                                 uint64_t stack_pointer) {
    const struct nsd_frames *frames = began->frames;
    unsigned i, j, common = 0;

    if (frames == NULL || later == NULL)
        return 0;
    i = known_slots(frames, frames->depth, began->stack_pointer);
    j = known_slots(later, later->depth, stack_pointer);
    while (i > 1 && j > 0) {
        uint64_t slot = slot_of(frames, i - 1, began->stack_pointer);
        uint64_t other = slot_of(later, j - 1, stack_pointer);
        bool same = slot == other && frames->frame[i - 1].pc == later->frame[j - 1].pc;

        if (!same && (common != 0 || slot == other))
            break;
        if (same)
            common = i - 1;
        /* Different slots: in the stack whose slot is further out, go one frame inwards. */
        if (slot >= other)
            i = known_slots(frames, i - 1, began->stack_pointer);
        if (same || slot < other)
            j = known_slots(later, j - 1, stack_pointer);
    }
    return common;
}

static const struct nsd_visit *find(const struct nsd_visits *visits,
                                    const struct nsd_frames *frames) {
    const struct nsd_visit *set;

    if (frames == NULL)
        return NULL;
    set = visits->visit[frames->hash % NSD_VISIT_SETS];
    for (unsigned way = 0; way < NSD_VISIT_WAYS; way++) {
        if (set[way].hash == frames->hash)
            return &set[way];
    }
    return NULL;
}

static struct nsd_visit *find_or_make(struct nsd_visits *visits, const struct nsd_frames *frames) {
    struct nsd_visit *set = visits->visit[frames->hash % NSD_VISIT_SETS], *oldest = set;

    for (unsigned way = 0; way < NSD_VISIT_WAYS; way++) {
        if (set[way].hash == frames->hash)
            return &set[way];
        if (set[way].used < oldest->used)
            oldest = &set[way];
    }
    *oldest = (struct nsd_visit){.hash = frames->hash};
    return oldest;
}

/*
 * Whether the event is the same call, from the same frames, as the one that opened the departure.
 * Nothing is learnt from such an event: a worker that enters the namespace of each job by one call
 * also comes home by it, and that is no restore.
 */
static bool is_same_place(const struct nsd_switch *departure, const struct nsd_event *event) {
    return departure->began.frames != NULL && event->frames != NULL &&
           event->frames->hash == departure->began.frames->hash &&
           event->stack_pointer == departure->began.stack_pointer;
}

void visits__learn(struct nsd_visits *visits, const struct nsd_switch *departure,
                   const struct nsd_event *restore) {
    struct nsd_visit *visit;
    bool is_new;

    if (departure->runtime != NSD_RUNTIME_THREADS || departure->began.frames == NULL ||
        frames__is_shared(departure->began.frames) || is_same_place(departure, restore))
        return;
    visit = find_or_make(visits, departure->began.frames);
    is_new = visit->used == 0;
    visit->used = ++visits->uses;
    visit->repeated = visit->repeated || departure->repeated;
    if (is_new || departure->began.time < visit->earliest)
        visit->earliest = departure->began.time;
    if (restore->frames == NULL)
        return;
    /* These two stacks were compared before. */
    if (visit->restore_hash == restore->frames->hash)
        return;
    visit->restore_hash = restore->frames->hash;
    /* Of several restores the one with the outermost visiting function counts: it returns last. */
    {
        unsigned frame =
            innermost_common(&departure->began, restore->frames, restore->stack_pointer);

        if (is_new || (visit->frame != 0 && (frame == 0 || frame > visit->frame)))
            visit->frame = (uint8_t) frame;
    }
}

void visits__learn_of_switch(struct nsd_switch *departure, const struct nsd_event *restore) {
    unsigned frame;

    if (departure->runtime != NSD_RUNTIME_THREADS || is_same_place(departure, restore))
        return;
    frame = innermost_common(&departure->began, restore->frames, restore->stack_pointer);
    if (frame > departure->visit_frame)
        departure->visit_frame = (uint8_t) frame;
}

/*
 * A visiting function that returned without a restore and is called again from the same place has
 * the same return address in the same slot: the first run seems to go on, in a loop. A loop over
 * namespaces enters another one each time. So a call that enters the namespace where the thread is
 * already, from a stack that never needed two calls before, is a second run: the first is over.
 */
void visits__note_repetition(const struct nsd_visits *visits, struct nsd_switch *departure,
                             const struct nsd_event *event, bool changed) {
    const struct nsd_visit *visit;

    if (departure->runtime != NSD_RUNTIME_THREADS || !is_same_place(departure, event))
        return;
    visit = find(visits, departure->began.frames);
    if (!changed && visit != NULL && visit->earliest < departure->began.time && !visit->repeated &&
        !departure->repeated)
        departure->visit_over = true; /* over_since stays 0: visits__clear_over never clears it */
    departure->repeated = true;
}

/* What was learnt from this stack before the departure was opened; NULL: nothing. */
static const struct nsd_visit *earlier_visit(const struct nsd_visits *visits,
                                             const struct nsd_switch *departure) {
    const struct nsd_visit *visit = find(visits, departure->began.frames);

    return visit != NULL && visit->earliest < departure->began.time ? visit : NULL;
}

void visits__clear_over(const struct nsd_visits *visits, struct nsd_switch *departure,
                        const struct nsd_event *restore) {
    if (departure->visit_over && departure->over_since == restore->time &&
        (departure->restore_failed || earlier_visit(visits, departure) == NULL))
        departure->visit_over = false;
}

bool visits__is_meant_to_come_back(const struct nsd_visits *visits,
                                   const struct nsd_switch *departure) {
    return departure->runtime == NSD_RUNTIME_THREADS &&
           (departure->came_home != 0 || departure->restore_failed ||
            earlier_visit(visits, departure) != NULL);
}

/* Looks for the slot in the stack that was captured with an event of the same thread. */
static enum nsd_visit_state slot_by_event(const struct nsd_event *event, uint64_t slot,
                                          uint64_t pc) {
    if (event->stack_pointer == 0)
        return NSD_VISIT_UNKNOWN;
    if (event->frames != NULL) {
        for (unsigned i = 0; i < event->frames->depth; i++) {
            if (slot_of(event->frames, i, event->stack_pointer) == slot)
                return event->frames->frame[i].pc == pc ? NSD_VISIT_GOES_ON : NSD_VISIT_OVER;
        }
    }
    return NSD_VISIT_UNKNOWN;
}

/*
 * Whether the event was captured on the same stack as the departure, and not on a signal's or a
 * coroutine's: they share a caller. Then a slot below the event's stack pointer is free memory.
 */
static bool is_on_same_stack(const struct nsd_switch *departure, const struct nsd_event *event) {
    return event->stack_pointer != 0 &&
           innermost_common(&departure->began, event->frames, event->stack_pointer) != 0;
}

static enum nsd_visit_state slot_by_memory(const struct nsd_visits *visits, int32_t tid,
                                           uint64_t slot, uint64_t pc, uint64_t stack_pointer) {
    uint64_t value;

    if (visits->read_word == NULL ||
        !visits->read_word(visits->read_context, tid, slot, stack_pointer, &value))
        return NSD_VISIT_UNKNOWN;
    return value == pc ? NSD_VISIT_GOES_ON : NSD_VISIT_OVER;
}

enum nsd_visit_state visits__state(const struct nsd_visits *visits,
                                   const struct nsd_switch *departure,
                                   const struct nsd_event *event) {
    const struct nsd_frames *frames = departure->began.frames;
    const struct nsd_visit *visit = earlier_visit(visits, departure);
    enum nsd_visit_state state = NSD_VISIT_UNKNOWN;
    unsigned first = departure->visit_frame;
    bool unsure = false, compared = false, same_stack = false;

    if (departure->visit_over)
        return NSD_VISIT_OVER;
    if (first == 0 && visit != NULL)
        first = visit->frame;
    if (frames == NULL || first == 0)
        return NSD_VISIT_UNKNOWN;
    if (event != NULL && event->tid != departure->began.tid)
        event = NULL;
    /*
     * The slot of a function that has returned may keep its old value for a while. So the frames
     * further out are read, too: if one of those functions has returned, so has the visiting one.
     */
    for (unsigned i = first; i < frames->depth; i++) {
        uint64_t slot = slot_of(frames, i, departure->began.stack_pointer);
        uint64_t pc = frames->frame[i].pc;

        if (slot == 0)
            continue;
        state = event == NULL ? NSD_VISIT_UNKNOWN : slot_by_event(event, slot, pc);
        if (state == NSD_VISIT_GOES_ON && i == first)
            return NSD_VISIT_GOES_ON;
        /* Compares two whole stacks, so only when the cheap look gave no answer. */
        if (state == NSD_VISIT_UNKNOWN && !compared) {
            compared = true;
            same_stack = event != NULL && is_on_same_stack(departure, event);
        }
        /* The slot lies below the stack in use: its function has returned. */
        if (state == NSD_VISIT_UNKNOWN && same_stack && slot < event->stack_pointer)
            return NSD_VISIT_OVER;
        if (state == NSD_VISIT_UNKNOWN)
            state = slot_by_memory(visits, departure->began.tid, slot, pc,
                                   same_stack ? event->stack_pointer : 0);
        if (state == NSD_VISIT_OVER)
            return NSD_VISIT_OVER;
        unsure = unsure || state == NSD_VISIT_UNKNOWN;
    }
    return unsure ? NSD_VISIT_UNKNOWN : state;
}

bool visits__is_caller_of(const struct nsd_witness *began, const struct nsd_frames *frames,
                          uint64_t stack_pointer) {
    uint64_t slot;

    if (began->frames == NULL || frames == NULL || frames->depth < 2)
        return true;
    /* Frame 1 is where the function that made the call of `frames` was called from. */
    slot = slot_of(frames, 1, stack_pointer);
    for (unsigned i = 1; i < began->frames->depth; i++) {
        uint64_t other = slot_of(began->frames, i, began->stack_pointer);

        if (began->frames->frame[i].pc == frames->frame[1].pc &&
            (slot == other || slot == 0 || other == 0))
            return true;
    }
    return false;
}
