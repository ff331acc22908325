/* Fills a timeline while its recording is replayed, see timeline.h. */
#include "cli/read/timeline.h"
#include "ledger/labels.h"
#include <stdlib.h>
#include <string.h>

/* A creation of a thread that has not begun yet. */
struct creation {
    uint32_t token;
    uint32_t life;
    uint64_t time;
};

#define CREATIONS 64u

struct kept {
    struct kept *next;
    char text[];
};

struct nsd_timeline_work {
    uint32_t *life_of; /* by the thread's serial: 1 + index, 0 none */
    uint32_t serials;
    uint32_t *last_of; /* by life: 1 + index of its last moment */
    struct creation creation[CREATIONS];
    uint32_t created;
    struct kept *kept[256];
};

/* ---- memory ---- */

/*
 * Makes room for `count` items and zeroes the new ones. `array` points to the pointer to the first.
 */
static bool grow(void *array, uint32_t *room, uint32_t count, size_t size) {
    uint32_t wanted = *room == 0 ? 16 : *room;
    char *first;

    while (wanted < count)
        wanted *= 2;
    if (wanted == *room)
        return true;
    memcpy(&first, array, sizeof first);
    first = reallocarray(first, wanted, size);
    if (first == NULL)
        return false;
    memset(first + *room * size, 0, (wanted - *room) * size);
    memcpy(array, &first, sizeof first);
    *room = wanted;
    return true;
}

/* A recording may come from anywhere, and its names are printed on a terminal. */
static void make_printable(char *string) {
    for (; *string != '\0'; string++) {
        if ((unsigned char) *string < ' ' || *string == 0x7f)
            *string = '?';
    }
}

/* Each string is kept once: the same few come again and again. */
static const char *keep(struct nsd_timeline *timeline, const char *string) {
    struct kept **list, *kept;
    unsigned hash = 5381;
    size_t size;

    if (string == NULL)
        return NULL;
    for (const char *at = string; *at != '\0'; at++)
        hash = hash * 33 + (unsigned char) *at;
    list = &timeline->work->kept[hash % 256];
    for (kept = *list; kept != NULL; kept = kept->next) {
        if (strcmp(kept->text, string) == 0)
            return kept->text;
    }
    size = strlen(string) + 1;
    kept = malloc(sizeof *kept + size);
    if (kept == NULL)
        return NULL;
    memcpy(kept->text, string, size);
    make_printable(kept->text);
    kept->next = *list;
    *list = kept;
    return kept->text;
}

struct nsd_timeline *timeline__begin(int32_t pid, uint64_t pid_ns, const char *program,
                                     uint64_t began) {
    struct nsd_timeline *timeline = calloc(1, sizeof *timeline);

    if (timeline == NULL)
        return NULL;
    timeline->work = calloc(1, sizeof *timeline->work);
    timeline->program = strdup(program != NULL ? program : "?");
    timeline->pid = pid;
    timeline->pid_ns = pid_ns;
    timeline->began = began;
    if (timeline->work == NULL || timeline->program == NULL) {
        timeline__free(timeline);
        return NULL;
    }
    make_printable(timeline->program);
    return timeline;
}

void timeline__free(struct nsd_timeline *timeline) {
    struct nsd_timeline_work *work = timeline->work;

    for (unsigned i = 0; work != NULL && i < 256; i++) {
        while (work->kept[i] != NULL) {
            struct kept *next = work->kept[i]->next;

            free(work->kept[i]);
            work->kept[i] = next;
        }
    }
    if (work != NULL) {
        free(work->life_of);
        free(work->last_of);
    }
    free(work);
    free(timeline->life);
    free(timeline->moment);
    free(timeline->finding);
    free(timeline->inode);
    free(timeline->program);
    free(timeline);
}

/* ---- namespaces ---- */

static void learn_number(struct nsd_timeline *timeline, uint32_t number, uint64_t inode) {
    if (number == 0 || inode == 0)
        return;
    if (grow(&timeline->inode, &timeline->inodes, number + 1, sizeof *timeline->inode))
        timeline->inode[number] = inode;
}

static void learn(struct nsd_timeline *timeline, const struct nsd_label *label) {
    const struct nsd_identity *identity = label__identity(label);

    if (identity == NULL || identity->inode == 0)
        return;
    learn_number(timeline, label->number, identity->inode);
    learn_number(timeline, label__real((struct nsd_label *) label)->number, identity->inode);
}

void timeline__put_namespace(struct nsd_text *text, const struct nsd_timeline *timeline,
                             uint32_t label) {
    if (label < timeline->inodes && timeline->inode[label] != 0) {
        text__unsigned(text, timeline->inode[label]);
    } else if (label != 0) {
        text__put_char(text, '#');
        text__unsigned(text, label);
    } else {
        text__put_char(text, '?');
    }
}

/* ---- lives ---- */

/* The tid is used again, so the thread that had it has ended, even if its end was not recorded. */
static void end_of_namesake(struct nsd_timeline *timeline, int32_t tid, uint64_t time) {
    for (uint32_t i = timeline->lives; i > 0; i--) {
        struct nsd_life *life = &timeline->life[i - 1];

        if (life->tid != tid)
            continue;
        if (!life->seen_dying && life->ended < time)
            life->ended = time;
        life->seen_dying = true;
        return;
    }
}

static struct nsd_life *life_of(struct nsd_timeline *timeline, const struct nsd_ledger *ledger,
                                const struct nsd_thread *thread, uint64_t time, uint32_t *index) {
    struct nsd_timeline_work *work = timeline->work;
    struct nsd_life *life;

    if (!grow(&work->life_of, &work->serials, thread->serial + 1, sizeof *work->life_of))
        return NULL;
    if (work->life_of[thread->serial] == 0) {
        uint32_t room = timeline->lives_room;

        if (!grow(&timeline->life, &timeline->lives_room, timeline->lives + 1,
                  sizeof *timeline->life))
            return NULL;
        if (timeline->lives_room != room) {
            uint32_t *grown =
                reallocarray(work->last_of, timeline->lives_room, sizeof *work->last_of);

            if (grown == NULL)
                return NULL;
            work->last_of = grown;
        }
        end_of_namesake(timeline, thread->tid, time);
        life = &timeline->life[timeline->lives];
        work->last_of[timeline->lives] = 0;
        life->tid = thread->tid;
        life->parent_tid = thread->parent;
        life->main_thread = ledger__is_leader(ledger, thread) || thread->tid == timeline->pid;
        life->began = life->ended = time;
        work->life_of[thread->serial] = ++timeline->lives;
    }
    *index = work->life_of[thread->serial] - 1;
    return &timeline->life[*index];
}

static void note_creation(struct nsd_timeline *timeline, const struct nsd_event *event,
                          uint32_t life, uint64_t time) {
    struct creation *creation = &timeline->work->creation[timeline->work->created++ % CREATIONS];

    creation->token = event->token;
    creation->life = life;
    creation->time = time;
}

/* 1 + the index of the youngest life with this tid; 0 if there is none. */
static uint32_t youngest(const struct nsd_timeline *timeline, int32_t tid) {
    for (uint32_t i = timeline->lives; tid != 0 && i > 0; i--) {
        if (timeline->life[i - 1].tid == tid && !timeline->life[i - 1].seen_dying)
            return i;
    }
    return 0;
}

static void note_birth(struct nsd_timeline *timeline, const struct nsd_event *event,
                       struct nsd_life *life, uint64_t time) {
    life->seen_born = true;
    life->began = time;
    if (event->other_tid != 0)
        life->parent_tid = event->other_tid;
    for (uint32_t i = 0; event->token != 0 && i < CREATIONS; i++) {
        const struct creation *creation = &timeline->work->creation[i];

        if (creation->token == event->token) {
            life->parent = creation->life + 1;
            life->created = creation->time;
            life->parent_tid = timeline->life[creation->life].tid;
            return;
        }
    }
    life->parent = youngest(timeline, life->parent_tid);
}

/* ---- moments ---- */

static nsd_kinds away_of(const struct nsd_ledger *ledger, const struct nsd_thread *thread) {
    nsd_kinds away = ledger__away(ledger, thread);

    if ((thread->marks & NSD_THREAD_PRIVATE_FS) != 0)
        away |= NSD_PRIVATE_FS;
    if ((thread->marks & NSD_THREAD_PRIVATE_FILES) != 0)
        away |= NSD_PRIVATE_FILES;
    return away;
}

static bool is_failure(const struct nsd_event *event) {
    return event->result < 0 && event->result >= -4095;
}

/*
 * Learns the inodes of a thread's namespaces, and gives them to those that its last moment names.
 */
static void learn_identities(struct nsd_timeline *timeline, const struct nsd_ledger *ledger,
                             const struct nsd_event *event) {
    struct nsd_thread *thread = ledger__thread((struct nsd_ledger *) ledger, event->other_tid);
    const struct nsd_timeline_work *work = timeline->work;
    uint32_t life, last;

    if (thread == NULL)
        return;
    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        learn(timeline, thread->label[kind]);
    life = thread->serial < work->serials ? work->life_of[thread->serial] : 0;
    last = life != 0 ? work->last_of[life - 1] : 0;
    for (unsigned i = 0; last != 0 && i < event->identities; i++) {
        const struct nsd_identity *identity = &event->identity[i];

        if (identity->kind < NSD_KINDS)
            learn_number(timeline, timeline->moment[last - 1].label[identity->kind],
                         identity->inode);
    }
}

/* Events that are no rows: looks at /proc, and creations, since the child's birth is one. */
static bool is_silent(const struct nsd_event *event) {
    switch (nsd_call_table[event->call].effect) {
    case NSD_EFFECT_KNOWLEDGE:
    case NSD_EFFECT_DESCRIPTOR:
        return true;
    default:
        return event->call == NSD_CALL_THREAD_CREATE;
    }
}

void timeline__event(struct nsd_timeline *timeline, const struct nsd_ledger *ledger,
                     const struct nsd_event *event, const struct nsd_change *change, uint64_t time,
                     const char *what, const char *at, bool after_gap) {
    const struct nsd_thread *thread = change->thread;
    struct nsd_moment *moment;
    struct nsd_life *life;
    uint32_t index;

    if (event->call == NSD_CALL_IDENTITY)
        learn_identities(timeline, ledger, event);
    if (thread == NULL || nsd_call_table[event->call].effect == NSD_EFFECT_KNOWLEDGE)
        return;
    life = life_of(timeline, ledger, thread, time, &index);
    if (life == NULL)
        return;
    /* Events are recorded in order, but the tick counters of two processors may differ a little. */
    if (time < life->ended)
        time = life->ended;
    life->ended = time;
    if (event->call == NSD_CALL_THREAD_CREATE)
        note_creation(timeline, event, index, time);
    if (event->call == NSD_CALL_THREAD_BORN)
        note_birth(timeline, event, life, time);
    if (event->call == NSD_CALL_THREAD_DIED)
        life->seen_dying = true;
    if (is_silent(event) || !grow(&timeline->moment, &timeline->moments_room, timeline->moments + 1,
                                  sizeof *timeline->moment))
        return;
    moment = &timeline->moment[timeline->moments++];
    life->moments++;
    if (life->first == 0)
        life->first = timeline->moments;
    else
        timeline->moment[timeline->work->last_of[index] - 1].next = timeline->moments;
    timeline->work->last_of[index] = timeline->moments;
    moment->time = time;
    moment->life = index;
    moment->call = event->call;
    moment->goroutine = event->goroutine;
    moment->lock = event->lock;
    moment->runtime = event->runtime;
    moment->other_tid = event->other_tid;
    moment->failed = is_failure(event);
    moment->after_gap = after_gap;
    moment->what = keep(timeline, what);
    moment->at = keep(timeline, at);
    moment->away = away_of(ledger, thread);
    moment->moved = change->moved_process ? (change->changed & NSD_ALL_KINDS) : 0;
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if (((moment->away | moment->moved) & NSD_KIND_BIT(kind)) == 0 ||
            thread->label[kind] == NULL)
            continue;
        moment->label[kind] = thread->label[kind]->number;
        learn(timeline, thread->label[kind]);
    }
    if (event->goroutine != 0 || timeline__lock_word(event->lock) != NULL)
        timeline->has_locks = true;
    if (time > timeline->ended)
        timeline->ended = time;
}

void timeline__finding(struct nsd_timeline *timeline, uint64_t time, int32_t tid, const char *rule,
                       const char *severity, const char *message) {
    struct nsd_timeline_finding *finding;

    if (!grow(&timeline->finding, &timeline->findings_room, timeline->findings + 1,
              sizeof *timeline->finding))
        return;
    finding = &timeline->finding[timeline->findings++];
    finding->time = time;
    finding->tid = tid;
    finding->rule = keep(timeline, rule);
    finding->severity = keep(timeline, severity);
    finding->message = keep(timeline, message);
}

void timeline__finish(struct nsd_timeline *timeline, struct nsd_ledger *ledger, uint64_t ended,
                      const char *end) {
    timeline->end = end;
    if (ended > timeline->ended)
        timeline->ended = ended;
    for (struct nsd_thread *thread = ledger__first_thread(ledger); thread != NULL;
         thread = ledger__next_thread(thread)) {
        for (unsigned kind = 0; kind < NSD_KINDS; kind++)
            learn(timeline, thread->label[kind]);
    }
    for (uint32_t i = 0; i < timeline->lives; i++) {
        struct nsd_life *life = &timeline->life[i];

        if (!life->seen_dying)
            life->ended = timeline->ended;
        /* The first thread of the image lived before its first event. */
        if (life->main_thread && !life->seen_born && timeline->began < life->began)
            life->began = timeline->began;
    }
}

/* ---- words ---- */

const char *timeline__lock_word(uint8_t lock) {
    static const char *const words[] = {
        [NSD_LOCK_UNLOCKED] = "unlocked", [NSD_LOCK_PINNED] = "pinned",
        [NSD_LOCK_EXTERNAL] = "locked",   [NSD_LOCK_INTERNAL] = "locked by runtime",
        [NSD_LOCK_CGO] = "in cgo call",   [NSD_LOCK_WEDGED] = "wedged",
    };

    return lock < sizeof words / sizeof words[0] ? words[lock] : NULL;
}

const char *timeline__kind_word(unsigned kind) {
    if (kind < NSD_KINDS)
        return kinds__name((enum nsd_kind) kind);
    return kind == NSD_KINDS ? "private fs" : "private files";
}
