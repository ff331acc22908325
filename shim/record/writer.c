/*
 * Writes events into blocks, and decides when a part begins and ends: see writer.h. There is one
 * writer at a time, under the ledger's lock. The host may die at any instruction: a record does not
 * exist until the store of `used` commits it.
 */
#include "record/writer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "record/part.h"
#include "record/slots.h"
#include <linux/mman.h>
#include <stddef.h>

/* Answers kept for one event. Further answers are left out; the replay then knows less. */
#define ANSWERS_MOST 32u

static struct {
    struct nsd_record_mapping own;    /* the file with this image's part */
    struct nsd_record_mapping parent; /* fork copy: the file in which it may claim a slice */
    /* What record__stand_apart found at own.file; NULL: it is there. */
    struct nsd_record_file *shared_file;
    struct nsd_record_part *part; /* NULL: nothing is recorded */
    struct nsd_interned *interned;
    struct nsd_index *index;
    struct nsd_index_slot *slot;
    const struct nsd_findings *findings;
    uint64_t size; /* wished for */
    void (*ask_facts)(struct nsd_record_facts *facts);
    bool waits;      /* a fork copy before its first event */
    bool has_events; /* the program did something other than end */
    bool removed;    /* the file has been taken away */
    uint32_t slice;  /* 0: the main part */
    /* The block being filled. */
    struct nsd_record_block *block;
    uint64_t sequence, records;
    uint64_t next_clock; /* record number at which the clocks are read again */
    uint32_t changes;    /* of the findings, at the last look */
    uint32_t kept_lost;
    bool again; /* the kept findings are to be updated at the next opportunity */
} writer;

static struct { uint64_t value, could_be_read; } answers[ANSWERS_MOST];
static unsigned answer_count;

bool record__is_on(void) {
    return writer.part != NULL || writer.waits;
}

/* ---- slots of the index ---- */

static void fill_slot(const struct nsd_record_facts *facts) {
    struct nsd_index_slot *slot = writer.slot;

    slot->facts = *facts;
    slot->part = writer.slice;
    if (writer.part != NULL && !writer.removed)
        memory__copy(slot->recording, writer.own.name, sizeof slot->recording);
    else
        slot->recording[0] = '\0';
    slots__commit(slot);
}

/* ---- programs that are not watched ---- */

bool record__has_index(void) {
    return writer.index != NULL;
}

bool record__index_is_followed(void) {
    return writer.index != NULL && writer.index->followed != 0;
}

struct nsd_record_facts *record__begin_unwatched(void) {
    return writer.index != NULL ? slots__claim_unwatched(writer.index) : NULL;
}

void record__end_unwatched(struct nsd_record_facts *facts) {
    slots__commit(slots__of(facts));
}

void record__take_back_unwatched(struct nsd_record_facts *facts) {
    slots__give_back(slots__of(facts));
}

/* ---- the beginning ---- */

static void begin_part(struct nsd_record_part *part, uint64_t size,
                       const struct nsd_record_facts *facts) {
    record_part__lay_out(part, size);
    part->facts = *facts;
    writer.part = part;
    writer.block = NULL;
    writer.sequence = writer.records = 0;
    writer.next_clock = 1;
    writer.changes = writer.kept_lost = 0;
    writer.removed = writer.again = writer.has_events = false;
    record__commit(&part->state, NSD_RECORD_MAGIC);
}

static void begin_main_part(const struct nsd_record_facts *facts) {
    begin_part((struct nsd_record_part *) ((char *) writer.own.file + NSD_RECORD_PAGE),
               writer.own.file->main_size, facts);
    record_file__publish(&writer.own);
}

const char *record__begin(const struct nsd_record_wish *wish, const struct nsd_record_facts *facts,
                          int64_t *error) {
    const char *why;

    *error = 0;
    writer.findings = wish->findings;
    writer.size = wish->size;
    if (!record_file__set_folder(wish->folder))
        return "the folder's name is too long";
    writer.index = record_file__map_index();
    if (writer.index != NULL)
        writer.slot = slots__claim(writer.index);
    writer.interned = record_tables__begin(NULL);
    if (writer.interned == NULL)
        why = "there is no memory for it";
    else
        why = record_file__make(&writer.own, wish->size, true, facts, error);
    if (why == NULL)
        begin_main_part(facts);
    else if (writer.index != NULL)
        atomic_fetch_add_explicit(&writer.index->unseen, 1, memory_order_relaxed);
    if (writer.slot != NULL)
        fill_slot(facts);
    return why;
}

void record__stand_apart(void) {
    char *file = (char *) writer.own.file;
    size_t size = writer.own.size;
    long shared, copy;

    if (writer.part == NULL || writer.shared_file != NULL || sys__is_forbidden())
        return;
    /* An old size of 0 maps the same pages a second time (mremap(2)). */
    shared = SYS4(__NR_mremap, file, 0, size, MREMAP_MAYMOVE);
    if (SYS_IS_ERROR(shared))
        return;
    copy = sys__mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!SYS_IS_ERROR(copy)) {
        memory__copy((char *) copy, file, size);
        /* One call takes the old pages away and puts the copy there: an address is always valid. */
        if (!SYS_IS_ERROR(
                SYS5(__NR_mremap, copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, file))) {
            writer.shared_file = (struct nsd_record_file *) shared;
            return;
        }
        sys__munmap((void *) copy, size);
    }
    sys__munmap((void *) shared, size);
}

void record__begin_copy(void (*facts)(struct nsd_record_facts *facts)) {
    if (!record__is_on())
        return;
    /* The copy of a copy that had not begun its part uses the first parent's file. */
    if (writer.part != NULL)
        writer.parent = writer.own;
    if (writer.shared_file != NULL) {
        sys__munmap(writer.own.file, writer.own.size);
        writer.parent.file = writer.shared_file;
        writer.shared_file = NULL;
    }
    memory__fill(&writer.own, 0, sizeof writer.own);
    writer.part = NULL;
    writer.slot = NULL;
    writer.slice = 0;
    writer.ask_facts = facts;
    writer.waits = true;
    answer_count = 0;
}

/* Takes one atomic add: no system call, and no path, which the host may have made unreachable. */
static struct nsd_record_part *claim_slice(void) {
    struct nsd_record_file *file = writer.parent.file;
    uint32_t number;

    if (file == NULL || atomic_load_explicit(&file->claimed, memory_order_relaxed) >= file->slices)
        return NULL;
    number = atomic_fetch_add_explicit(&file->claimed, 1, memory_order_relaxed);
    if (number >= file->slices)
        return NULL;
    writer.own = writer.parent;
    writer.slice = number + 1;
    return (struct nsd_record_part *) ((char *) file + NSD_RECORD_PAGE + file->main_size +
                                       number * file->slice_size);
}

/* The copy's first event: a slice of the parent's file, else a small file of its own. */
static void begin_waiting(void) {
    static struct nsd_record_facts facts; /* a hook's stack is small */
    struct nsd_record_part *part;
    int64_t error;

    writer.waits = false;
    writer.ask_facts(&facts);
    facts.flags |= NSD_RECORD_IS_COPY;
    if (writer.index != NULL)
        writer.slot = slots__claim(writer.index);
    /*
     * The tables of this part are empty: what the parent remembers of its own does not hold here.
     */
    writer.interned = record_tables__begin(writer.interned);
    part = writer.interned == NULL ? NULL : claim_slice();
    if (part != NULL)
        begin_part(part, writer.own.file->slice_size, &facts);
    else if (writer.interned != NULL && !sys__is_forbidden() &&
             record_file__make(&writer.own, NSD_PART_LEAST, false, &facts, &error) == NULL)
        begin_main_part(&facts);
    else if (writer.index != NULL)
        atomic_fetch_add_explicit(&writer.index->unseen, 1, memory_order_relaxed);
    if (writer.slot != NULL)
        fill_slot(&facts);
}

/* The end of a fork copy, and what we looked up ourselves, do not begin its part. */
static bool is_a_beginning(const struct nsd_event *event) {
    return nsd_call_table[event->call].effect != NSD_EFFECT_END && event->call != NSD_CALL_EXEC &&
           event->call != NSD_CALL_EXEC_FAILED;
}

/* ---- blocks ---- */

static struct nsd_record_block *block_of(uint64_t sequence) {
    struct nsd_record_part *part = writer.part;
    uint64_t index = sequence - 1;

    if (index >= part->block_count)
        index = part->head_blocks +
                (index - part->head_blocks) % (part->block_count - part->head_blocks);
    return (struct nsd_record_block *) ((char *) part + part->blocks + index * NSD_RECORD_BLOCK);
}

static void keep_findings(void) {
    uint32_t kept_lost = record_kept__update(writer.part, writer.interned, writer.findings);

    if (kept_lost > writer.kept_lost)
        writer.kept_lost = kept_lost;
    writer.changes = writer.findings->changes;
    writer.again = false;
}

/* An event or a stack is about to be lost. From now on the findings are kept as they are. */
static void begin_keeping(void) {
    if (writer.part->keeping != 0)
        return;
    keep_findings();
    record__commit(&writer.part->keeping, 1);
}

static void next_block(void) {
    struct nsd_record_block *block = block_of(writer.sequence + 1);

    if (block->sequence != 0) {
        begin_keeping();
        writer.part->overwritten += block_of(block->sequence + 1)->first - block->first;
        record__commit(&block->sequence, 0);
    }
    block->first = writer.records;
    record__commit(&block->used, sizeof *block);
    record__commit(&block->sequence, ++writer.sequence);
    writer.block = block;
}

static void *begin_record(enum nsd_record_type type, size_t size, size_t count) {
    struct nsd_record_head *head;

    if (writer.block == NULL || writer.block->used + size > NSD_RECORD_BLOCK)
        next_block();
    head = (struct nsd_record_head *) ((char *) writer.block + writer.block->used);
    head->size = (uint32_t) size;
    head->type = (uint16_t) type;
    head->count = (uint16_t) count;
    return head;
}

static void end_record(size_t size) {
    record__commit(&writer.block->used, writer.block->used + size);
    writer.part->written = ++writer.records;
}

/*
 * Reads a second pair of clocks, which turns ticks into wall-clock time. It is a system call, so
 * the interval doubles each time; a report reads its own pair.
 */
static void read_clocks(void) {
    if (sys__is_forbidden())
        return;
    writer.part->facts.last_ticks = clock__ticks();
    writer.part->facts.last_wall = clock__wall();
    writer.next_clock = 2 * writer.records;
}

#define SAME_PLACE(field)                                                                          \
    _Static_assert(offsetof(struct nsd_record_event, field) - sizeof(struct nsd_record_head) ==    \
                       offsetof(struct nsd_event, field),                                          \
                   "an event's head is copied as it is")
SAME_PLACE(time);
SAME_PLACE(arguments);
SAME_PLACE(result);
SAME_PLACE(goroutine);
SAME_PLACE(lock_epoch);
SAME_PLACE(stack_pointer);
SAME_PLACE(tid);
SAME_PLACE(other_tid);
SAME_PLACE(token);
SAME_PLACE(call);
SAME_PLACE(kinds);
SAME_PLACE(runtime);
SAME_PLACE(lock);
SAME_PLACE(path_owner);
SAME_PLACE(identities);
SAME_PLACE(kernel_threads);
SAME_PLACE(from_descriptor);
SAME_PLACE(explicit_end);
SAME_PLACE(cancelled);
SAME_PLACE(identity);
_Static_assert(sizeof(((struct nsd_event *) NULL)->frames) == sizeof(uint64_t), "stack's place");

void record__event(const struct nsd_event *event) {
    struct nsd_record_event *record;
    uint64_t unnamed;
    uint32_t stack;
    size_t size;

    if (writer.waits && is_a_beginning(event))
        begin_waiting();
    if (writer.part == NULL)
        return;
    if (!writer.has_events && is_a_beginning(event) &&
        nsd_call_table[event->call].effect != NSD_EFFECT_KNOWLEDGE)
        writer.has_events = true;
    unnamed = writer.part->unnamed;
    stack = record_tables__stack(writer.part, writer.interned, event->frames);
    if (writer.part->unnamed != unnamed)
        begin_keeping();
    size = sizeof *record + event->identities * sizeof record->identity[0];
    record = begin_record(NSD_RECORD_EVENT, size, event->identities);
    __builtin_memcpy((char *) record + sizeof record->head, event,
                     offsetof(struct nsd_event, identity));
    record->stack = stack;
    for (unsigned i = 0; i < event->identities; i++)
        record->identity[i] = event->identity[i];
    end_record(size);
    if (writer.records >= writer.next_clock)
        read_clocks();
}

void record__answer(uint64_t value, bool could_be_read) {
    if (writer.part == NULL)
        return;
    if (answer_count == ANSWERS_MOST) {
        begin_keeping();
        return;
    }
    answers[answer_count].value = value;
    answers[answer_count++].could_be_read = could_be_read;
}

static void put_answers(void) {
    struct nsd_record_answers *record;
    size_t size = sizeof *record + answer_count * sizeof answers[0];

    record = begin_record(NSD_RECORD_ANSWERS, size, answer_count);
    for (unsigned i = 0; i < answer_count; i++)
        __builtin_memcpy(&record->answer[i], &answers[i], sizeof answers[i]);
    end_record(size);
    answer_count = 0;
}

void record__event_is_over(uint64_t events, uint64_t lost) {
    /* A loss is told even by a fork copy that has no event to tell. */
    if (writer.waits && lost > 0)
        begin_waiting();
    if (writer.part == NULL)
        return;
    if (answer_count > 0)
        put_answers();
    writer.part->facts.events = events;
    writer.part->facts.lost = lost + writer.kept_lost;
    if (writer.part->keeping != 0 && (writer.again || writer.findings->changes != writer.changes))
        keep_findings();
}

void record__learnt(int32_t tid, enum nsd_kind kind, const struct nsd_identity *identity) {
    struct nsd_record_learnt *record;

    if (writer.part == NULL)
        return;
    record = begin_record(NSD_RECORD_LEARNT, sizeof *record, 0);
    record->tid = tid;
    record->kind = (uint32_t) kind;
    record->identity = *identity;
    end_record(sizeof *record);
    writer.again = true;
}

void record__judged(const struct nsd_event *event, enum nsd_occasion occasion, uint64_t ticks,
                    uint64_t wall) {
    struct nsd_record_judged *record;

    if (writer.part == NULL)
        return;
    record = begin_record(NSD_RECORD_JUDGED, sizeof *record, 0);
    record->occasion = (uint32_t) occasion;
    record->ticks = ticks;
    record->wall = wall;
    record->call = event->call;
    record->tid = event->tid;
    end_record(sizeof *record);
    writer.again = true;
}

void record__facts(const struct nsd_record_facts *facts) {
    if (writer.part != NULL) {
        const uint64_t ticks = writer.part->facts.last_ticks, wall = writer.part->facts.last_wall;
        const uint32_t copy = writer.part->facts.flags & NSD_RECORD_IS_COPY;

        writer.part->facts = *facts;
        writer.part->facts.flags |= copy;
        writer.part->facts.lost += writer.kept_lost;
        if (facts->last_ticks == 0) {
            writer.part->facts.last_ticks = ticks;
            writer.part->facts.last_wall = wall;
        }
    }
    if (writer.slot != NULL)
        fill_slot(writer.part != NULL ? &writer.part->facts : facts);
}

/* ---- the end ---- */

/*
 * In a run's folder the index keeps the facts, so a recording stays only if it has findings. In
 * other folders that holds for the small files of fork copies, of which there may be any number.
 */
static bool wants_findings_alone(void) {
    if (writer.index != NULL)
        return writer.index->keeps_all == 0;
    return writer.slice == 0 && (writer.part->facts.flags & NSD_RECORD_IS_COPY) != 0;
}

static bool has_nothing_to_say(bool for_good) {
    if (writer.part->facts.lost != 0)
        return false;
    return !writer.has_events || (for_good && wants_findings_alone() &&
                                  writer.findings->first == NULL && writer.findings->lost == 0);
}

/* Prevents fork copies from claiming slices in the file. False if one has claimed one already. */
static bool close_slices(void) {
    uint32_t none = 0;

    return atomic_compare_exchange_strong_explicit(&writer.own.file->claimed, &none, UINT32_MAX / 2,
                                                   memory_order_relaxed, memory_order_relaxed);
}

static bool has_missing_probes(const struct nsd_record_facts *facts) {
    const char *at = facts->words;

    while (*at != '\0')
        at += string__length(at) + 1;
    return at[1] != '\0';
}

static void give_slot_back(_Atomic uint32_t *counter) {
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    slots__give_back(writer.slot);
    writer.slot = NULL;
}

/* False: the last look at the threads was wanted, and disagreed or could not be made. */
static bool end_was_judged(const struct nsd_record_facts *facts) {
    return facts->cross_check != NSD_CROSS_DIFFERS && facts->cross_check != NSD_CROSS_IMPOSSIBLE;
}

/*
 * Gives the slot back if the image had nothing to say: a hundred thousand fork copies, or the tools
 * that a script executes, must not fill the index.
 */
static void make_room(void) {
    const struct nsd_record_facts *facts = &writer.part->facts;

    if (!end_was_judged(facts))
        return;
    if ((facts->flags & NSD_RECORD_IS_COPY) != 0)
        give_slot_back(&writer.index->given_back);
    else if (writer.index->keeps_all == 0 && slots__is_wanted_back(writer.index, writer.slot) &&
             facts->go_unknown == 0 && !has_missing_probes(facts))
        give_slot_back(&writer.index->silent);
}

void record__end(bool for_good, bool calls) {
    if (writer.part == NULL || writer.removed || !has_nothing_to_say(for_good))
        return;
    if (for_good && writer.slot != NULL)
        make_room();
    if (writer.slice != 0 || !calls || !close_slices())
        return;
    record_file__remove(&writer.own);
    writer.removed = true;
    if (writer.slot != NULL)
        writer.slot->recording[0] = '\0';
}

void record__resume(const struct nsd_record_facts *facts, bool calls) {
    int64_t error;

    if (writer.part != NULL && writer.removed) {
        /* The removed recording held no event, so nothing is lost. */
        sys__munmap(writer.own.file, writer.own.size);
        writer.part = NULL;
        writer.interned = calls ? record_tables__begin(writer.interned) : NULL;
        if (writer.interned != NULL &&
            record_file__make(&writer.own, writer.size, true, facts, &error) == NULL)
            begin_main_part(facts);
    }
    record__facts(facts);
}
