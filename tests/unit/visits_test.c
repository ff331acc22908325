/*
 * Visits by themselves: which function visits, as two stacks show it; what the thread's own event,
 * its memory or nothing at all says about whether that function still runs; and what is remembered
 * of the visits that came home.
 */
#include "story.h"

static struct nsd_visits visits;

/* A switch that was begun at this place of the thread's stack. */
static struct nsd_switch begun(int32_t tid, uint64_t time, const uint64_t *places) {
    struct nsd_switch change = {.runtime = NSD_RUNTIME_THREADS, .kinds = NSD_KIND_BIT(NET)};

    change.began.tid = tid;
    change.began.time = time;
    change.began.frames = stack_of(tid, places, &change.began.stack_pointer, true);
    return change;
}

static struct nsd_event at(int32_t tid, const uint64_t *places) {
    struct nsd_event event = event_of(thread(tid), NSD_CALL_SETNS, places);

    event.time = 100;
    return event;
}

static const struct nsd_visit *known(const struct nsd_switch *change) {
    uint64_t hash = change->began.frames->hash;

    for (unsigned way = 0; way < NSD_VISIT_WAYS; way++) {
        const struct nsd_visit *visit = &visits.visit[hash % NSD_VISIT_SETS][way];

        if (visit->hash == hash)
            return visit;
    }
    return NULL;
}

static void learn(const struct nsd_switch *change, const struct nsd_event *restore) {
    visits__learn(&visits, change, restore);
}

static void forget(void) {
    memset(&visits, 0, sizeof visits);
    visits.read_word = story_read_word;
}

/* ---- which function visits ---- */

SCENE(the_innermost_function_of_both_stacks) {
    static const uint64_t in_visit[] = {WORKER(1), VISIT(1), 0}, back[] = {WORKER(1), VISIT(3), 0},
                          elsewhere[] = {WORKER(2), VISIT(3), 0}, tail[] = {WORKER(1), 0},
                          entered[] = {WORKER(1), JOB(1), ENTER(1), 0},
                          left[] = {WORKER(1), JOB(3), LEAVE(1), 0},
                          deeper[] = {WORKER(1), VISIT(3), LIBRARY(1), LIBRARY(2), 0},
                          other_start[] = {FUNCTION(40, 1), 0};
    static const struct {
        const uint64_t *began, *ended;
        int32_t tid;
        unsigned frame;
    } rows[] = {
        {in_visit, back, 2, 1},   {in_visit, elsewhere, 2, 2}, {in_visit, tail, 2, 1},
        {in_visit, deeper, 2, 1}, {entered, left, 2, 2},       {in_visit, other_start, 2, 2},
        {in_visit, NULL, 2, 0},   {in_visit, back, 3, 0},      {deeper, in_visit, 2, 3},
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct nsd_switch change = begun(2, 10, rows[i].began);
        struct nsd_event restore = at(rows[i].tid, rows[i].ended);

        forget();
        learn(&change, &restore);
        CHECK(known(&change) != NULL);
        if (known(&change) != NULL && known(&change)->frame != rows[i].frame)
            FAIL("row %u: frame %u", i, known(&change)->frame);
        visits__learn_of_switch(&change, &restore);
        CHECK(change.visit_frame == rows[i].frame);
    }
}

/* Without slots (Go's stacks move) nothing can be told, and in part by those that are known. */
SCENE(stacks_without_slots) {
    struct nsd_switch change = begun(2, 10, AT(WORKER(1), VISIT(1)));
    struct nsd_event restore = at(2, AT(WORKER(1), VISIT(3)));

    forget();
    restore.stack_pointer = 0;
    learn(&change, &restore);
    CHECK(known(&change)->frame == 0);
    forget();
    restore = at(2, AT(WORKER(1), VISIT(3)));
    change.began.stack_pointer = 0;
    learn(&change, &restore);
    CHECK(known(&change)->frame == 0);
}

/* Of several ways home the outermost function counts, and none that could not be told. */
SCENE(several_ways_home) {
    struct nsd_switch change = begun(2, 10, AT(WORKER(1), JOB(1), VISIT(1)));
    struct nsd_event near = at(2, AT(WORKER(1), JOB(1), VISIT(3)));
    struct nsd_event far = at(2, AT(WORKER(1), JOB(2)));
    struct nsd_event nowhere = at(2, NOWHERE), farther = at(2, AT(WORKER(2)));

    forget();
    learn(&change, &near);
    CHECK(known(&change)->frame == 1);
    learn(&change, &far);
    CHECK(known(&change)->frame == 2);
    learn(&change, &near);
    CHECK(known(&change)->frame == 2);
    learn(&change, &nowhere);
    CHECK(known(&change)->frame == 2 && known(&change)->used == 4);
    learn(&change, &farther);
    CHECK(known(&change)->frame == 3);
    far.stack_pointer = 0;
    learn(&change, &far);
    CHECK(known(&change)->frame == 0);
    learn(&change, &near);
    CHECK(known(&change)->frame == 0);
    /* A switch of its own remembers the outermost, too. */
    visits__learn_of_switch(&change, &farther);
    visits__learn_of_switch(&change, &near);
    CHECK(change.visit_frame == 3);
}

/* ---- what is learnt, and which frames teach nothing ---- */

SCENE(of_whom_nothing_is_learnt) {
    struct nsd_switch change = begun(2, 10, AT(WORKER(1), VISIT(1)));
    struct nsd_event restore = at(2, AT(WORKER(1), VISIT(3)));
    struct nsd_event same_place = at(2, AT(WORKER(1), VISIT(1)));
    struct nsd_switch go = change, nowhere = change;

    forget();
    go.runtime = NSD_RUNTIME_GO;
    learn(&go, &restore);
    visits__learn_of_switch(&go, &restore);
    nowhere.began.frames = NULL;
    learn(&nowhere, &restore);
    learn(&change, &same_place); /* a worker that goes wherever it is told */
    visits__learn_of_switch(&change, &same_place);
    frames__mark_shared(change.began.frames);
    learn(&change, &restore); /* an interpreter's way into any call */
    CHECK(visits.uses == 0 && known(&change) == NULL && go.visit_frame == 0 &&
          change.visit_frame == 0);
    ((struct nsd_frames *) (uintptr_t) change.began.frames)->is_shared = 0;
    same_place.stack_pointer += 64; /* by recursion: not the same call */
    learn(&change, &same_place);
    CHECK(visits.uses == 1);
}

SCENE(meant_to_come_back) {
    struct nsd_switch first = begun(2, 10, AT(WORKER(1), VISIT(1)));
    struct nsd_switch later = begun(3, 20, AT(WORKER(1), VISIT(1))), earlier = later, go = later;
    struct nsd_switch other = begun(3, 20, AT(WORKER(1), VISIT(2)));
    struct nsd_event restore = at(2, AT(WORKER(1), VISIT(3)));

    forget();
    earlier.began.time = 10;
    go.runtime = NSD_RUNTIME_GO;
    CHECK(!visits__is_meant_to_come_back(&visits, &later));
    learn(&first, &restore);
    CHECK(visits__is_meant_to_come_back(&visits, &later));
    CHECK(!visits__is_meant_to_come_back(&visits, &earlier));
    CHECK(!visits__is_meant_to_come_back(&visits, &other) &&
          !visits__is_meant_to_come_back(&visits, &go));
    other.came_home = NSD_KIND_BIT(UTS);
    CHECK(visits__is_meant_to_come_back(&visits, &other));
    other.came_home = 0;
    other.restore_failed = true;
    CHECK(visits__is_meant_to_come_back(&visits, &other));
    first.began.time = 5; /* an older one comes home later */
    learn(&first, &restore);
    CHECK(known(&first)->earliest == 5 && visits__is_meant_to_come_back(&visits, &earlier));
    first.began.time = 50;
    learn(&first, &restore);
    CHECK(known(&first)->earliest == 5);
}

/* More places than there is room for: of a set the one that was used longest ago goes. */
SCENE(room_for_visits) {
    struct nsd_frames frames[NSD_VISIT_WAYS + 1] = {{.id = 0}};
    struct nsd_switch change = {.runtime = NSD_RUNTIME_THREADS};
    struct nsd_event restore = {.time = 1};

    forget();
    for (unsigned i = 0; i <= NSD_VISIT_WAYS; i++) {
        frames[i].hash = 7 + i * NSD_VISIT_SETS;
        change.began.frames = &frames[i];
        if (i == NSD_VISIT_WAYS) {
            change.began.frames = &frames[0];
            learn(&change, &restore);
            change.began.frames = &frames[i];
        }
        learn(&change, &restore);
    }
    for (unsigned i = 0; i <= NSD_VISIT_WAYS; i++) {
        change.began.frames = &frames[i];
        CHECK((known(&change) != NULL) == (i != 1));
    }
}

/* ---- the same call once more ---- */

SCENE(a_call_that_is_made_again) {
    struct nsd_switch first = begun(2, 10, AT(WORKER(1), VISIT(1))), change;
    struct nsd_event restore = at(2, AT(WORKER(1), VISIT(3))), again;

    for (unsigned i = 0; i < 5; i++) {
        bool changed = i == 1, learnt = i != 2, is_go = i == 4;

        forget();
        if (learnt)
            learn(&first, &restore);
        change = begun(2, 20, AT(WORKER(1), VISIT(1)));
        again = at(2, AT(WORKER(1), i == 3 ? VISIT(2) : VISIT(1)));
        change.runtime = is_go ? NSD_RUNTIME_GO : NSD_RUNTIME_THREADS;
        visits__note_repetition(&visits, &change, &again, changed);
        CHECK(change.visit_over == (i == 0)); /* it has forgotten that it did not go home */
        CHECK(change.over_since == 0 && change.repeated == (i < 3));
    }
    /* A loop over namespaces is used to it. */
    forget();
    first.repeated = true;
    learn(&first, &restore);
    CHECK(known(&first)->repeated);
    first.repeated = false;
    learn(&first, &restore);
    CHECK(known(&first)->repeated);
    change = begun(2, 20, AT(WORKER(1), VISIT(1)));
    again = at(2, AT(WORKER(1), VISIT(1)));
    visits__note_repetition(&visits, &change, &again, false);
    CHECK(!change.visit_over && change.repeated);
    visits__note_repetition(&visits, &change, &again, false);
    CHECK(!change.visit_over);
    change.began.time = 10;
    change.repeated = false;
    forget();
    learn(&first, &restore);
    visits__note_repetition(&visits, &change, &again, false);
    CHECK(!change.visit_over); /* none that was before it */
}

SCENE(a_restore_that_forgives) {
    struct nsd_switch first = begun(2, 10, AT(WORKER(1), VISIT(1))), change;
    struct nsd_event restore = at(2, AT(WORKER(1), VISIT(3)));

    for (unsigned i = 0; i < 5; i++) {
        forget();
        change = begun(2, 20, AT(WORKER(1), VISIT(1)));
        change.visit_over = i != 4;
        change.over_since = i == 1 ? 99 : restore.time; /* it was over before this event */
        change.restore_failed = i == 3;
        if (i >= 2)
            learn(&first, &restore);
        visits__clear_over(&visits, &change, &restore);
        CHECK(change.visit_over == (i == 1 || i == 2));
    }
}

/* ---- whether it still runs ---- */

#define GOES_ON NSD_VISIT_GOES_ON
#define OVER NSD_VISIT_OVER
#define UNKNOWN NSD_VISIT_UNKNOWN

static struct nsd_switch visiting(const uint64_t *began, const uint64_t *ended) {
    struct nsd_switch first = begun(2, 10, began);
    struct nsd_event restore = at(2, ended);

    forget();
    learn(&first, &restore);
    return begun(2, 20, began);
}

#define IN_VISIT AT(WORKER(1), VISIT(1))
#define BACK AT(WORKER(1), VISIT(3))

SCENE(by_the_thread_s_own_event) {
    struct nsd_switch change = visiting(IN_VISIT, BACK);
    struct nsd_event event = at(2, AT(WORKER(1), VISIT(2)));

    visits.read_word = NULL; /* by the event alone */
    CHECK(visits__state(&visits, &change, &event) == GOES_ON);
    event = at(2, AT(WORKER(1), VISIT(2), LIBRARY(1)));
    CHECK(visits__state(&visits, &change, &event) == GOES_ON);
    event = at(2, AT(WORKER(2), JOB(1)));
    CHECK(visits__state(&visits, &change, &event) == OVER);
    event = at(2, AT(WORKER(2))); /* its slot is the direct call's now */
    CHECK(visits__state(&visits, &change, &event) == OVER);
    event = at(2, AT(FUNCTION(98, 1)) + 1); /* nothing but the thread's first function */
    CHECK(visits__state(&visits, &change, &event) == OVER);
    event = at(2, NOWHERE);
    CHECK(visits__state(&visits, &change, &event) == UNKNOWN);
    event = at(2, AT(WORKER(2), JOB(1)));
    event.stack_pointer = 0;
    CHECK(visits__state(&visits, &change, &event) == UNKNOWN);
    event = at(3, AT(WORKER(2), JOB(1))); /* another thread's event says nothing of this one */
    CHECK(visits__state(&visits, &change, &event) == UNKNOWN);
    event = at(2, AT(WORKER(2), JOB(1)));
    event.tid = 3;
    CHECK(visits__state(&visits, &change, &event) == UNKNOWN);
    CHECK(visits__state(&visits, &change, NULL) == UNKNOWN);
    change.visit_over = true;
    CHECK(visits__state(&visits, &change, NULL) == OVER);
}

SCENE(by_memory) {
    struct nsd_switch change = visiting(IN_VISIT, BACK);

    waits(2, AT(WORKER(1), VISIT(2)));
    CHECK(visits__state(&visits, &change, NULL) == GOES_ON);
    waits(2, AT(WORKER(2), VISIT(2)));
    CHECK(visits__state(&visits, &change, NULL) == OVER);
    waits(2, AT(WORKER(1), VISIT(2)));
    story_is_recording = true;
    CHECK(visits__state(&visits, &change, NULL) == UNKNOWN);
    story_is_recording = false;
    /* The inner slot still holds its old value, but the function further out has returned. */
    change = visiting(AT(WORKER(1), JOB(1), VISIT(1)), AT(WORKER(1), JOB(1), VISIT(3)));
    waits(2, AT(WORKER(1), JOB(1), VISIT(2)));
    CHECK(visits__state(&visits, &change, NULL) == GOES_ON);
    waits(2, AT(WORKER(2)));
    CHECK(visits__state(&visits, &change, NULL) == OVER);
}

SCENE(nothing_is_known_of_it) {
    struct nsd_switch change = begun(2, 20, IN_VISIT), nowhere = change;

    forget();
    waits(2, AT(WORKER(2)));
    CHECK(visits__state(&visits, &change, NULL) == UNKNOWN); /* nobody came home from there */
    change.visit_frame = 1; /* but its own failed restore shows which function it is */
    CHECK(visits__state(&visits, &change, NULL) == OVER);
    nowhere.began.frames = NULL;
    nowhere.visit_frame = 1;
    CHECK(visits__state(&visits, &nowhere, NULL) == UNKNOWN);
    change.began.stack_pointer = 0;
    CHECK(visits__state(&visits, &change, NULL) == UNKNOWN);
}

/* A frame in the middle whose slot is not known is passed over. */
SCENE(a_slot_that_is_not_known) {
    struct nsd_switch change = begun(2, 20, AT(WORKER(1), JOB(1), VISIT(1)));
    size_t size = sizeof *change.began.frames + 4 * sizeof change.began.frames->frame[0];
    struct nsd_frames *frames = malloc(size);

    forget();
    memcpy(frames, change.began.frames, size);
    frames->frame[1].slot = 0;
    change.began.frames = frames;
    change.visit_frame = 1;
    waits(2, AT(WORKER(1), JOB(1), VISIT(2)));
    CHECK(visits__state(&visits, &change, NULL) == GOES_ON);
    waits(2, AT(WORKER(2)));
    CHECK(visits__state(&visits, &change, NULL) == OVER);
    free(frames);
}

/* ---- who called whom ---- */

SCENE(callers) {
    struct nsd_switch change = begun(2, 10, AT(WORKER(1), JOB(1), VISIT(1)));
    struct nsd_event visitor = at(2, AT(WORKER(1), JOB(1), VISIT(2)));
    struct nsd_event library = at(2, AT(WORKER(1), JOB(1), VISIT(2), LIBRARY(1)));
    struct nsd_event caller = at(2, AT(WORKER(1), JOB(2)));
    struct nsd_event start = at(2, AT(FUNCTION(98, 1)) + 1);
    struct nsd_switch nowhere = change;

    nowhere.began.frames = NULL;
    CHECK(visits__is_caller_of(&change.began, visitor.frames, visitor.stack_pointer));
    CHECK(!visits__is_caller_of(&change.began, library.frames, library.stack_pointer));
    CHECK(visits__is_caller_of(&change.began, caller.frames, caller.stack_pointer));
    CHECK(visits__is_caller_of(&change.began, start.frames, start.stack_pointer));
    CHECK(visits__is_caller_of(&change.began, NULL, 0));
    CHECK(visits__is_caller_of(&nowhere.began, library.frames, library.stack_pointer));
    /* The same address in another slot is another run; where no slot is known, it is the same. */
    CHECK(!visits__is_caller_of(&change.began, visitor.frames, visitor.stack_pointer + 64));
    CHECK(visits__is_caller_of(&change.began, visitor.frames, 0));
    change.began.stack_pointer = 0;
    CHECK(visits__is_caller_of(&change.began, visitor.frames, visitor.stack_pointer + 64));
}
