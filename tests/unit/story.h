/*
 * Stories for the ledger and the rules: threads and goroutines make calls from stacks that are made
 * up, and the findings are held against a line of text. There is no process, no namespace and no
 * thread; memory comes from malloc here, and what a story took it must have given back at its end.
 *
 *     SCENE(round_trip) {
 *         born(MAIN_THREAD, 2, AT(MAIN(1)));
 *         enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
 *         goes_home(thread(2), NET, AT(WORKER(1), VISIT(2)));
 *         ends(thread(2));
 *         at_exit(MAIN_THREAD, AT(MAIN(9)));
 *         found("");
 *     }
 */
#ifndef STORY_H
#define STORY_H

#include "story_stage.h"

/* ---- who ---- */

struct who {
    int32_t tid;
    int64_t goroutine;
    uint8_t runtime, lock;
    uint64_t epoch;
};

UNUSED static struct who thread(int32_t tid) {
    return (struct who){.tid = tid};
}
#define MAIN_THREAD thread(LEADER)

UNUSED static struct who locked(int64_t goroutine, int32_t tid) {
    return (struct who){tid, goroutine, NSD_RUNTIME_GO, NSD_LOCK_EXTERNAL, 0};
}
UNUSED static struct who unlocked(int64_t goroutine, int32_t tid) {
    return (struct who){tid, goroutine, NSD_RUNTIME_GO, NSD_LOCK_UNLOCKED, 0};
}
UNUSED static struct who in_init(int64_t goroutine, int32_t tid) {
    return (struct who){tid, goroutine, NSD_RUNTIME_GO, NSD_LOCK_INTERNAL, 0};
}
UNUSED static struct who in_cgo(int64_t goroutine, int32_t tid, uint64_t epoch) {
    return (struct who){tid, goroutine, NSD_RUNTIME_GO, NSD_LOCK_CGO, epoch};
}
UNUSED static struct who wedged(int32_t tid) {
    return (struct who){tid, 0, NSD_RUNTIME_GO, NSD_LOCK_WEDGED, 0};
}
UNUSED static struct who of_unknown_go(int32_t tid) {
    return (struct who){tid, 0, NSD_RUNTIME_GO, NSD_LOCK_UNKNOWN, 0};
}

/* ---- events ---- */

static struct nsd_event event_of(struct who who, enum nsd_call call, const uint64_t *places) {
    struct nsd_event event = {0};
    /* Go: stacks move, so nothing is known of slots; C under cgo is on a stack that stays. */
    bool has_slots = who.runtime == NSD_RUNTIME_THREADS || who.lock == NSD_LOCK_CGO;

    event.call = (uint16_t) call;
    event.tid = who.tid;
    event.goroutine = who.goroutine;
    event.runtime = who.runtime;
    event.lock = who.lock;
    event.lock_epoch = who.epoch;
    event.kinds = nsd_call_table[call].kinds;
    event.frames = stack_of(who.tid, places, &event.stack_pointer, has_slots);
    return event;
}

static void tell(struct nsd_event *event) {
    event->time = ++story_clock;
    if (story_onlooker.before != NULL)
        story_onlooker.before(event);
    ledger__apply(&ledger, event, &last_change);
    rules__on_event(&ledger, &findings, event, &last_change);
    if (story_onlooker.after != NULL)
        story_onlooker.after();
}

static struct nsd_identity identity_of(unsigned kind, uint64_t inode) {
    return (struct nsd_identity){
        .id = story_shared_by_id ? inode + 77000u : 0, .inode = inode, .device = 4, .kind = kind};
}

/* The probe looks where the thread is, as it does before a first switch. */
UNUSED static void looked_at(int32_t tid, unsigned kind, uint64_t inode) {
    struct nsd_event event = event_of(thread(tid), NSD_CALL_IDENTITY, NOWHERE);

    event.other_tid = tid;
    event.identities = 1;
    event.identity[0] = identity_of(kind, inode);
    event.identity[0].id = 0; /* /proc says no id */
    tell(&event);
}

UNUSED static void creates_with_token(struct who parent, uint32_t token, const uint64_t *places) {
    struct nsd_event event = event_of(parent, NSD_CALL_THREAD_CREATE, places);

    event.token = token;
    tell(&event);
}

UNUSED static void born_with_token(int32_t tid, uint32_t token, uint8_t runtime) {
    struct nsd_event event = event_of(thread(tid), NSD_CALL_THREAD_BORN, NOWHERE);

    event.token = token;
    event.runtime = runtime;
    tell(&event);
}

UNUSED static void born(struct who parent, int32_t tid, const uint64_t *places) {
    uint32_t token = ++story_token;

    creates_with_token(parent, token, places);
    born_with_token(tid, token, NSD_RUNTIME_THREADS);
}

/* Made by the Go runtime for itself. */
UNUSED static void m_born(struct who parent, int32_t tid) {
    uint32_t token = ++story_token;

    creates_with_token(parent, token, AT(FUNCTION(50, 1)));
    born_with_token(tid, token, NSD_RUNTIME_GO);
}

UNUSED static void ends(struct who who) {
    struct nsd_event event = event_of(who, NSD_CALL_THREAD_DIED, NOWHERE);

    tell(&event);
}

UNUSED static void is_cancelled(struct who who) {
    struct nsd_event event = event_of(who, NSD_CALL_THREAD_DIED, NOWHERE);

    event.cancelled = true;
    tell(&event);
}

UNUSED static void pthread_exits(struct who who, const uint64_t *places) {
    struct nsd_event event = event_of(who, NSD_CALL_THREAD_EXIT, places);

    tell(&event);
    event = event_of(who, NSD_CALL_THREAD_DIED, NOWHERE);
    event.explicit_end = true;
    tell(&event);
}

UNUSED static void unshares(struct who who, uint32_t flags, const uint64_t *places) {
    struct nsd_event event = event_of(who, NSD_CALL_UNSHARE, places);

    event.arguments[0] = flags;
    event.kinds = kinds__of_unshare(flags);
    tell(&event);
}

/* As the kernel counts threads, where ours could be wrong. */
UNUSED static void unshares_among(struct who who, uint32_t flags, uint32_t threads,
                                  const uint64_t *places) {
    struct nsd_event event = event_of(who, NSD_CALL_UNSHARE, places);

    event.arguments[0] = flags;
    event.kinds = kinds__of_unshare(flags);
    event.kernel_threads = threads;
    tell(&event);
}

static void setns_event(struct who who, int fd, unsigned kind, uint64_t inode, int64_t result,
                        const uint64_t *places) {
    struct nsd_event event = event_of(who, NSD_CALL_SETNS, places);

    event.arguments[0] = (uint64_t) (int64_t) fd;
    event.kinds = NSD_KIND_BIT(kind);
    event.result = result;
    if (inode != 0) {
        event.identities = 1;
        event.from_descriptor = true;
        event.identity[0] = identity_of(kind, inode);
    }
    tell(&event);
}

/* By a descriptor that nobody saw opened. */
UNUSED static void enters(struct who who, unsigned kind, uint64_t inode, const uint64_t *places) {
    setns_event(who, 900, kind, inode, 0, places);
}
UNUSED static void goes_home(struct who who, unsigned kind, const uint64_t *places) {
    setns_event(who, HOME_FD + (int) kind, kind, HOME_INODE + kind, 0, places);
}
UNUSED static void fails_to_go_home(struct who who, unsigned kind, int error,
                                    const uint64_t *places) {
    setns_event(who, HOME_FD + (int) kind, kind, error == 9 ? 0 : HOME_INODE + kind, -error,
                places);
}
UNUSED static void fails_to_enter(struct who who, unsigned kind, uint64_t inode, int error,
                                  const uint64_t *places) {
    setns_event(who, 900, kind, inode, -error, places);
}
/* By a known descriptor; inode 0: the descriptor alone tells where it leads. */
UNUSED static void setns_by(struct who who, int fd, unsigned kind, uint64_t inode,
                            const uint64_t *places) {
    setns_event(who, fd, kind, inode, 0, places);
}

UNUSED static void opens_own(struct who who, int fd, unsigned kind, const uint64_t *places) {
    struct nsd_event event = event_of(who, NSD_CALL_OPEN, places);

    event.result = fd;
    event.kinds = NSD_KIND_BIT(kind);
    event.path_owner = NSD_PATH_THREAD_SELF;
    event.other_tid = who.tid;
    tell(&event);
}

UNUSED static void closes(struct who who, int fd) {
    struct nsd_event event = event_of(who, NSD_CALL_CLOSE, NOWHERE);

    event.arguments[0] = (uint64_t) fd;
    tell(&event);
}

UNUSED static void calls(struct who who, enum nsd_call call, const uint64_t *places) {
    struct nsd_event event = event_of(who, call, places);

    if (call == NSD_CALL_SOCKET)
        event.kinds = NSD_KIND_BIT(NET);
    tell(&event);
}
UNUSED static void mounts(struct who who, const uint64_t *places) {
    calls(who, NSD_CALL_MOUNT, places);
}
UNUSED static void opens_socket(struct who who, const uint64_t *places) {
    calls(who, NSD_CALL_SOCKET, places);
}
UNUSED static void pins(struct who who) {
    calls(who, NSD_CALL_PIN, NOWHERE);
}
UNUSED static void unpins(struct who who) {
    calls(who, NSD_CALL_UNPIN, NOWHERE);
}
/* What the probe sees of an M at a report. */
UNUSED static void is_seen(struct who who) {
    calls(who, NSD_CALL_LOCK_STATE, NOWHERE);
}
/* It does something of no interest from here, so this is what its stack looks like now. */
UNUSED static void waits(int32_t tid, const uint64_t *places) {
    uint64_t stack_pointer;

    stack_of(tid, places, &stack_pointer, true);
}

/* A library's thread that does nothing: then main's switches are its own. */
UNUSED static void idle_sibling(int32_t tid) {
    born(MAIN_THREAD, tid, AT(MAIN(1), LIBRARY(1)));
}

UNUSED static void visit(struct who who, const uint64_t *there, const uint64_t *back) {
    enters(who, NET, 7, there);
    goes_home(who, NET, back);
}

/* main's M and two more; goroutine 1 runs on main. */
UNUSED static void go_starts(void) {
    m_born(unlocked(1, LEADER), 2);
    m_born(unlocked(1, LEADER), 3);
}

/* ---- reports ---- */

static void report(struct who who, enum nsd_call call, enum nsd_occasion occasion,
                   const uint64_t *places) {
    struct nsd_event event = event_of(who, call, places);

    tell(&event);
    if (story_onlooker.judged != NULL)
        story_onlooker.judged(&event, occasion);
    rules__on_report(&ledger, &findings, &event, occasion);
    if (story_onlooker.after != NULL)
        story_onlooker.after();
    for (struct nsd_finding *finding = findings.first; finding != NULL; finding = finding->next)
        finding->printed = true;
}
UNUSED static void at_exit(struct who who, const uint64_t *places) {
    report(who, NSD_CALL_EXIT, NSD_OCCASION_EXIT, places);
}
UNUSED static void at_signal(struct who who, const uint64_t *places) {
    report(who, NSD_CALL_REPORT, NSD_OCCASION_SIGNAL, places);
}
UNUSED static void execs(struct who who, const uint64_t *places) {
    report(who, NSD_CALL_EXEC, NSD_OCCASION_EXEC, places);
}
UNUSED static void exec_fails(struct who who) {
    calls(who, NSD_CALL_EXEC_FAILED, NOWHERE);
}

/* "error unlocked-switch x3 > split-sequence exec-discards; note died-switched" */
UNUSED static const char *story_so_far(char *text, size_t size) {
    size_t used = 0;

    text[0] = '\0';
    for (const struct nsd_finding *finding = findings.first; finding != NULL;
         finding = finding->next) {
        bool first = true;

        if (finding->withdrawn)
            continue;
        used += (size_t) snprintf(text + used, size - used, "%s%s %s", used > 0 ? "; " : "",
                                  severity__name(finding__severity(finding)),
                                  rules__name(finding->rule));
        if (finding->count > 1)
            used += (size_t) snprintf(text + used, size - used, " x%u", finding->count);
        for (const struct nsd_finding *then = finding->consequences; then != NULL;
             then = then->next) {
            if (then->withdrawn)
                continue;
            used += (size_t) snprintf(text + used, size - used, "%s %s", first ? " >" : "",
                                      rules__name(then->rule));
            first = false;
        }
    }
    return text;
}

#define found(expected)                                                                            \
    do {                                                                                           \
        char text_[4096];                                                                          \
        if (strcmp(story_so_far(text_, sizeof text_), (expected)) != 0)                            \
            FAIL("found \"%s\", not \"%s\"", text_, (expected));                                   \
    } while (0)

/* No error and no warning. */
#define found_clean()                                                                              \
    do {                                                                                           \
        char text_[4096];                                                                          \
        story_so_far(text_, sizeof text_);                                                         \
        if (strstr(text_, "error") != NULL || strstr(text_, "warning") != NULL)                    \
            FAIL("found \"%s\", not clean", text_);                                                \
    } while (0)

/* ---- scenes ---- */

struct scene {
    const char *name;
    void (*play)(void);
    struct scene *next;
};
static struct scene *story_scenes, **story_last_scene = &story_scenes;

#define SCENE(name)                                                                                \
    static void play_##name(void);                                                                 \
    static struct scene scene_##name = {#name, play_##name, NULL};                                 \
    __attribute__((constructor)) static void add_##name(void) {                                    \
        *story_last_scene = &scene_##name;                                                         \
        story_last_scene = &scene_##name.next;                                                     \
    }                                                                                              \
    static void play_##name(void)

/* Every second round is one on a kernel with namespace ids. */
static int story_rounds = 2, story_round;
static void (*story_begins)(void), (*story_ends)(void); /* of a test's own; may be NULL */

static void begin_image(void) {
    if (story_begins != NULL)
        story_begins();
    ledger__begin(&ledger, LEADER, LEADER, NSD_RUNTIME_THREADS);
    ledger__set_reader(&ledger, story_read_word, NULL);
    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        looked_at(LEADER, kind, HOME_INODE + kind);
    /* As programs do that mean to come back. */
    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        opens_own(MAIN_THREAD, HOME_FD + (int) kind, kind, NOWHERE);
}

static void end_image(void) {
    rules__reset(&ledger, &findings);
    ledger__end(&ledger);
    if (story_bytes != 0) {
        FAIL("%zu bytes not given back", story_bytes);
        story_bytes = 0;
    }
}

int main(int argc, char **argv) {
    int bad = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (struct scene *scene = story_scenes; scene != NULL; scene = scene->next) {
        if (argc > 1 && strstr(scene->name, argv[1]) == NULL)
            continue;
        for (story_round = 0; story_round < story_rounds; story_round++) {
            int ids = story_round % 2;

            story_failures = 0;
            story_name = scene->name;
            story_shared_by_id = ids == 1;
            story_is_recording = false;
            story_limit = (size_t) -1;
            memset(story_words, 0, sizeof story_words);
            begin_image();
            scene->play();
            story_limit = (size_t) -1;
            if (story_ends != NULL)
                story_ends();
            end_image();
            printf("%s %s, round %d\n", story_failures == 0 ? "ok" : "not ok", scene->name,
                   story_round);
            bad += story_failures != 0;
        }
    }
    return bad != 0;
}

#endif
