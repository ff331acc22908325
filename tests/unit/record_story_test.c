/*
 * A recording says what the host found: each story of the rules is recorded while it is told, the
 * file is read and replayed, and the findings are the same to the letter, namespaces and places
 * included. With room for everything, then with so many records before or after the story that the
 * ring has gone round and only what was kept can be told.
 */
#include "story_facts.h"

#include "record/replay.h"
#include "record/writer.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/record_story_test-XXXXXX";
static bool overflows; /* the ring goes round: in round 2 before the story, in round 3 after it */
static uint64_t events, judged_at;
static bool has_ended;

#define ROOM_FOR_ALL (1u << 20)
#define LITTLE_ROOM (256u << 10)
#define MANY 6000 /* records: more than LITTLE_ROOM has room for */

static void fill_ring(void) {
    struct nsd_identity identity = identity_of(NET, 1);

    for (unsigned i = 0; i < MANY; i++)
        record__learnt(30000, NET, &identity); /* of no thread that there is: teaches nothing */
}

static void recording_begins(void) {
    struct nsd_record_facts facts = {
        .pid = LEADER, .leader = LEADER, .pid_ns = 77, .start_wall = 5000, .path = "/bin/story"};
    struct nsd_record_wish wish = {.folder = folder, .findings = &findings};
    int64_t error;

    overflows = story_round >= 2;
    wish.size = overflows ? LITTLE_ROOM : ROOM_FOR_ALL;
    events = judged_at = 0;
    has_ended = false;
    CHECK(record__begin(&wish, &facts, &error) == NULL && error == 0);
    CHECK(record__is_on());
    if (story_round == 2)
        fill_ring();
}

static void event_is_over(void) {
    record__event_is_over(++events, 0);
}

static void is_judged(const struct nsd_event *event, enum nsd_occasion occasion) {
    judged_at = 4000 + event->time;
    record__judged(event, occasion, judged_at, judged_at + 1);
    has_ended = occasion != NSD_OCCASION_SIGNAL;
    events--; /* the look that follows is of the same event */
}

static void is_told(const struct nsd_event *event) {
    record__event(event);
    if (event->call == NSD_CALL_EXEC_FAILED)
        has_ended = false;
}

/* The one file that is there, which is taken away. */
static const void *read_file(size_t *size) {
    char path[512];
    const void *bytes = MAP_FAILED;
    struct dirent *entry;
    struct stat status;
    DIR *list = opendir(folder);

    *size = 0;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        int fd;

        if (entry->d_name[0] == '.')
            continue;
        CHECK(*size == 0 && strncmp(entry->d_name, "story.1.77.5.", 13) == 0);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        fd = open(path, O_RDONLY);
        CHECK(fstat(fd, &status) == 0 && (status.st_mode & 0777) == 0600);
        *size = (size_t) status.st_size;
        bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
        close(fd);
        unlink(path);
    }
    closedir(list);
    return bytes;
}

static unsigned gaps, reports;
static uint64_t seen;

static void watch_event(void *context, struct nsd_replay *replay, const struct nsd_event *event,
                        const struct nsd_change *change) {
    CHECK(context == &gaps && replay->watcher != NULL);
    CHECK(nsd_call_table[event->call].effect == NSD_EFFECT_KNOWLEDGE || change->before != NULL);
    seen++;
}

static void watch_gap(void *context, struct nsd_replay *replay) {
    CHECK(context == &gaps && replay != NULL);
    gaps++;
}

static void watch_report(void *context, struct nsd_replay *replay, enum nsd_occasion occasion) {
    CHECK(context == &gaps && (replay->ended || occasion == NSD_OCCASION_SIGNAL));
    reports++;
}

static const struct nsd_replay_watcher watcher = {watch_event, watch_gap, watch_report, &gaps};

static void same_text(const char *what, char *host, char *replayed) {
    if (strcmp(host, replayed) != 0)
        FAIL("%s: in the host\n%s--- replayed\n%s---", what, host, replayed);
    free(host);
    free(replayed);
}

static void same_standing(struct nsd_ledger *replayed) {
    CHECK(ledger__threads_seen(&ledger) == ledger__threads_seen(replayed));
    CHECK(ledger__threads_live(&ledger) == ledger__threads_live(replayed));
    for (struct nsd_thread *host = ledger__first_thread(&ledger); host != NULL;
         host = ledger__next_thread(host)) {
        struct nsd_thread *there = ledger__thread(replayed, host->tid);

        if (there == NULL) {
            FAIL("no thread %d", (int) host->tid);
            continue;
        }
        CHECK(ledger__away(&ledger, host) == ledger__away(replayed, there));
        CHECK(host->goroutine == there->goroutine && host->lock == there->lock &&
              host->runtime == there->runtime && host->pins == there->pins &&
              host->parent == there->parent && host->marks == there->marks);
    }
}

static void compare(const struct nsd_part *part) {
    static struct nsd_replay replay;
    char *host = all_findings(&findings), *replayed;
    /* What had no room among the kept findings is counted as lost, and the others are the first. */
    uint64_t lost = part->head.facts.lost;

    gaps = reports = 0;
    seen = 0;
    CHECK(replay__run(&replay, part, &watcher));
    replayed = all_findings(&replay.findings);
    if (lost > 0 && strncmp(host, replayed, strlen(replayed)) == 0)
        host[strlen(replayed)] = '\0';
    same_text("findings", host, replayed);
    CHECK(findings.count == replay.findings.count + lost);
    CHECK((replay.findings.first == NULL) == (replay.findings.last == NULL));
    CHECK(replay.findings.last == NULL || replay.findings.last->next == NULL);
    CHECK(replay.from_kept == overflows);
    CHECK((gaps > 0) == overflows);
    CHECK(replay.events == seen);
    if (!overflows) {
        CHECK(replay.now_ticks == (judged_at != 0 ? judged_at : 1));
        CHECK(replay.now_wall == replay.now_ticks + 1);
        CHECK(seen == events);
        CHECK(replay.ended == has_ended);
        same_standing(&replay.ledger);
    }
    replay__end(&replay);
}

/* What nobody judged is judged by the reader as at a report on the way. */
static void judge_as_reader_does(void) {
    struct nsd_event event = {.call = NSD_CALL_REPORT, .tid = LEADER, .time = 1};

    story_is_recording = true; /* nobody can look at a stack any more */
    if (!has_ended && !overflows)
        rules__on_report(&ledger, &findings, &event, NSD_OCCASION_SIGNAL);
}

static void recording_ends(void) {
    struct nsd_recording recording;
    struct nsd_record_facts facts = {
        .pid = LEADER, .leader = LEADER, .last_ticks = 1, .last_wall = 2};
    struct nsd_part part;
    const char *why = NULL;
    size_t size;
    const void *bytes;

    if (story_round == 3)
        fill_ring();
    record__event_is_over(events, 0);
    judge_as_reader_does();
    record__facts(&facts);
    record__end(true, true);
    bytes = read_file(&size);
    if (size == 0) {
        FAIL("no recording");
        return;
    }
    /* The reader has memory: it finds more than such a host. */
    if (strncmp(story_name, "no_memory", 9) == 0) {
        munmap((void *) (uintptr_t) bytes, size);
        return;
    }
    CHECK(recording__open(&recording, bytes, size, &why) && why == NULL && !recording.cut);
    CHECK(recording__parts(&recording) == 1);
    CHECK(recording__part(&recording, 0, &part, &why) && why == NULL);
    CHECK(part__is_whole(&part) == !overflows);
    CHECK(part.head.facts.pid == LEADER && part.head.unnamed == 0);
    {
        /* Both ledgers take from one memory: what the replay took is forgotten by itself. */
        struct story_block *host = story_blocks;
        size_t host_bytes = story_bytes;

        story_blocks = NULL;
        story_bytes = 0;
        compare(&part);
        CHECK(story_blocks == NULL && story_bytes == 0);
        story_blocks = host;
        story_bytes = host_bytes;
        if (host != NULL)
            host->link = &story_blocks;
    }
    munmap((void *) (uintptr_t) bytes, size);
}

__attribute__((constructor(101))) static void look_on(void) {
    if (mkdtemp(folder) == NULL)
        exit(77);
    story_rounds = 4;
    story_begins = recording_begins;
    story_ends = recording_ends;
    story_onlooker.before = is_told;
    story_onlooker.answered = record__answer;
    story_onlooker.after = event_is_over;
    story_onlooker.judged = is_judged;
}

__attribute__((destructor)) static void leave(void) {
    rmdir(folder);
}

#include "rules_cgo_test.c"
#include "rules_faults_test.c"
#include "rules_go_test.c"
#include "rules_threads_test.c"

/* ---- stories that nobody judged ---- */

SCENE(killed_while_a_thread_is_made_in_a_visit) {
    born(MAIN_THREAD, 9, AT(MAIN(1)));
    enters(MAIN_THREAD, NET, 20, AT(MAIN(1), VISIT(1)));
    born(MAIN_THREAD, 2, AT(MAIN(1), VISIT(2)));
}

SCENE(killed_after_a_visit_without_a_way_home) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    goes_home(thread(2), NET, AT(WORKER(1), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    waits(2, AT(WORKER(2)));
}

SCENE(the_exec_fails_and_nothing_follows) {
    m_born(unlocked(1, LEADER), 2);
    unshares(unlocked(1, 2), NEWNS, AT(MAIN(1)));
    execs(unlocked(1, LEADER), AT(MAIN(2)));
    exec_fails(unlocked(1, LEADER));
}

SCENE(a_thread_ends_after_the_last_report) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    at_exit(MAIN_THREAD, AT(MAIN(2)));
    ends(thread(2));
}

/* What a word of the stack said at an event is in the recording, and nowhere else. */
SCENE(over_by_a_look_at_memory_and_healed) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    goes_home(thread(2), NET, AT(WORKER(1), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    waits(2, AT(WORKER(2)));
    closes(thread(2), 99);
    goes_home(thread(2), NET, AT(WORKER(1), VISIT(3)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning left-switched");
}

/* What was found before the last look at /proc says where to after it, too. */
SCENE(killed_after_a_name_was_learnt) {
    struct nsd_identity identity = identity_of(NET, 4000);

    m_born(unlocked(1, LEADER), 2);
    unshares(unlocked(10, 2), NEWNET, AT(JOB(1)));
    record__learnt(2, NET, &identity);
    CHECK(ledger__compare(&ledger, 2, NET, &identity) == NSD_COMPARE_LEARNT);
}
