/*
 * The exit status of a run: each row of the table, in each mode; and each gap, from the facts of an
 * image and of the program's end.
 */
#include "cli/watch/verdict.c"

#include "cli/read/collect.c"
#include "cli/read/gaps.c"
#include "cli/read/kept_views.c"

#include <signal.h>
#include <stdio.h>

static int failures;

#define EXITED(status) ((status) << 8)
#define KILLED(signal) (signal)

/* ---- statuses ---- */

static const struct {
    enum nsd_judgement judgement;
    int wait_status;
    int by_default, findings, bisect, program;
} statuses[] = {
    {NSD_JUDGED_CLEAN, EXITED(0), 0, 0, 0, 0},
    {NSD_JUDGED_CLEAN, EXITED(1), 1, 0, 1, 1},
    {NSD_JUDGED_CLEAN, EXITED(3), 3, 0, 1, 3},
    {NSD_JUDGED_CLEAN, EXITED(125), 125, 0, 125, 125},
    {NSD_JUDGED_CLEAN, EXITED(255), 255, 0, 1, 255},
    {NSD_JUDGED_CLEAN, KILLED(SIGTERM), 143, 0, 1, 143},
    {NSD_JUDGED_CLEAN, KILLED(SIGSEGV) | 128, 139, 0, 1, 139},
    {NSD_JUDGED_FOUND, EXITED(0), 1, 1, 1, 0},
    {NSD_JUDGED_FOUND, EXITED(3), 1, 1, 1, 3},
    {NSD_JUDGED_FOUND, EXITED(125), 1, 1, 1, 125},
    {NSD_JUDGED_FOUND, KILLED(SIGKILL), 1, 1, 1, 137},
    {NSD_JUDGED_NOT_ALL, EXITED(0), 125, 125, 125, 0},
    {NSD_JUDGED_NOT_ALL, EXITED(3), 3, 125, 1, 3},
    {NSD_JUDGED_NOT_ALL, EXITED(125), 125, 125, 125, 125},
    {NSD_JUDGED_NOT_ALL, KILLED(SIGTERM), 125, 125, 1, 143},
};

static void check_status(size_t row, enum nsd_status_mode mode, int wanted) {
    int got = verdict__status(statuses[row].judgement, statuses[row].wait_status, mode);

    if (got == wanted)
        return;
    failures++;
    printf("row %zu, mode %d: %d, expected %d\n", row, (int) mode, got, wanted);
}

static void check_modes(void) {
    enum nsd_status_mode mode = NSD_MODE_PROGRAM;

    failures += !verdict__mode("findings", &mode) || mode != NSD_MODE_FINDINGS;
    failures += !verdict__mode("bisect", &mode) || mode != NSD_MODE_BISECT;
    failures += !verdict__mode("program", &mode) || mode != NSD_MODE_PROGRAM;
    failures += verdict__mode("", &mode) || verdict__mode("finding", &mode);
}

/* ---- gaps ---- */

/* One image, of the process that the run started unless `is_child`. */
struct facts {
    const char *ended, *cross_check, *missing;
    bool is_child, away, unsure, looked_in_vain, go_unknown, lost;
};

static const struct {
    const char *what;
    struct facts facts;
    int wait_status;
    enum nsd_gap gap;          /* the first that counts */
    enum nsd_gap under_strict; /* the same under --strict */
} gaps[] = {
    {"an exit, watched", {"exit", "agrees", NULL}, EXITED(0), NSD_GAP_COUNT, NSD_GAP_COUNT},
    {"no switch, no look", {"exit", "impossible", NULL}, EXITED(0), NSD_GAP_COUNT, NSD_GAP_COUNT},
    {"the look differs",
     {"exit", "differs", NULL},
     EXITED(0),
     NSD_GAP_LOOK_DIFFERS,
     NSD_GAP_LOOK_DIFFERS},
    {"a child's look differs",
     {"exit", "differs", NULL, .is_child = true},
     EXITED(0),
     NSD_GAP_LOOK_DIFFERS,
     NSD_GAP_LOOK_DIFFERS},
    {"looked in vain",
     {"exit", "impossible", NULL, .looked_in_vain = true},
     EXITED(0),
     NSD_GAP_LOOK_IMPOSSIBLE,
     NSD_GAP_LOOK_IMPOSSIBLE},
    {"killed at home",
     {"killed", "impossible", NULL},
     KILLED(SIGTERM),
     NSD_GAP_COUNT,
     NSD_GAP_COUNT},
    {"killed while away",
     {"killed", "impossible", NULL, .away = true},
     KILLED(SIGTERM),
     NSD_GAP_KILLED_AWAY,
     NSD_GAP_KILLED_AWAY},
    {"killed, with records lost",
     {"killed", "impossible", NULL, .lost = true},
     KILLED(SIGKILL),
     NSD_GAP_KILLED_LOST,
     NSD_GAP_KILLED_LOST},
    {"killed, with events overwritten",
     {"killed", "impossible", NULL, .unsure = true},
     KILLED(SIGKILL),
     NSD_GAP_KILLED_UNSURE,
     NSD_GAP_KILLED_UNSURE},
    {"an end that nobody saw",
     {"killed", "impossible", NULL},
     EXITED(0),
     NSD_GAP_COMMAND_UNENDED,
     NSD_GAP_COMMAND_UNENDED},
    {"the same while away",
     {"killed", "impossible", NULL, .away = true},
     EXITED(0),
     NSD_GAP_COMMAND_UNENDED,
     NSD_GAP_COMMAND_UNENDED},
    {"a child's end while away",
     {"killed", "impossible", NULL, .is_child = true, .away = true},
     EXITED(0),
     NSD_GAP_KILLED_AWAY,
     NSD_GAP_KILLED_AWAY},
    {"a child that was killed at home",
     {"killed", "impossible", NULL, .is_child = true},
     EXITED(0),
     NSD_GAP_COUNT,
     NSD_GAP_COUNT},
    {"a child that runs on",
     {"report", "impossible", NULL, .is_child = true, .away = true},
     EXITED(0),
     NSD_GAP_COUNT,
     NSD_GAP_COUNT},
    {"records lost", {"exit", "agrees", NULL, .lost = true}, EXITED(0), NSD_GAP_LOST, NSD_GAP_LOST},
    {"an unknown Go",
     {"exit", "agrees", NULL, .go_unknown = true},
     EXITED(0),
     NSD_GAP_GO_UNKNOWN,
     NSD_GAP_GO_UNKNOWN},
    {"a static Go child",
     {"exit", NULL, "image", .is_child = true, .go_unknown = true},
     EXITED(0),
     NSD_GAP_GO_UNWATCHED,
     NSD_GAP_GO_UNWATCHED},
    {"a static C child",
     {"exit", NULL, "image", .is_child = true},
     EXITED(0),
     NSD_GAP_COUNT,
     NSD_GAP_CHILD_UNWATCHED},
    {"a child without the folder",
     {"exit", NULL, "folder", .is_child = true},
     EXITED(0),
     NSD_GAP_COUNT,
     NSD_GAP_CHILD_UNWATCHED},
    {"the program without the folder",
     {"exit", NULL, "folder"},
     EXITED(0),
     NSD_GAP_COMMAND_HIDDEN,
     NSD_GAP_CHILD_UNWATCHED},
    {"replaced by what left no report",
     {"exec", "agrees", NULL},
     EXITED(0),
     NSD_GAP_COMMAND_REPLACED,
     NSD_GAP_COMMAND_REPLACED},
    {"the same in another root",
     {"exec", "agrees", "exec"},
     EXITED(0),
     NSD_GAP_COUNT,
     NSD_GAP_COMMAND_IN_ROOT},
};

#define COMMAND 100
#define CHILD 101

/* The program itself, watched and clean, stands behind a child. */
static struct nsd_report_image image_of(const struct facts *facts) {
    struct nsd_report_image image = {
        .process = {.pid = facts->is_child ? CHILD : COMMAND, .pid_ns = 1},
        .coverage = {.ended = facts->ended,
                     .cross_check = facts->cross_check,
                     .go_unknown = facts->go_unknown,
                     .lost = facts->lost,
                     .missing = {{facts->missing, "a reason"}},
                     .missing_count = facts->missing != NULL},
        .ended = strcmp(facts->ended, "report") != 0,
        .away = facts->away,
        .unsure = facts->unsure,
        .looked_in_vain = facts->looked_in_vain,
    };

    return image;
}

static void check_gap(size_t row) {
    const struct facts clean = {"exit", "agrees", NULL, .is_child = false};
    struct nsd_report_image image[2] = {image_of(&gaps[row].facts), image_of(&clean)};
    struct nsd_collection collection = {.command = {.pid = COMMAND, .pid_ns = 1},
                                        .image = image,
                                        .count = gaps[row].facts.is_child ? 2 : 1};
    const struct nsd_ending ending = {.pid = COMMAND, .status = gaps[row].wait_status};
    struct nsd_gaps found;
    enum nsd_gap gap, strict;

    gaps__find(&found, &collection, &ending);
    gap = gaps__first_that_counts(&found, false);
    strict = gaps__first_that_counts(&found, true);
    if (gap == gaps[row].gap && strict == gaps[row].under_strict)
        return;
    failures++;
    printf("%s: %d and %d, expected %d and %d\n", gaps[row].what, (int) gap, (int) strict,
           (int) gaps[row].gap, (int) gaps[row].under_strict);
}

/* What concerns no image. */
static void check_run(void) {
    struct nsd_collection none = {.count = 0};
    const struct nsd_ending exited = {.pid = COMMAND}, killed = {.pid = COMMAND, .status = SIGKILL},
                            known = {.pid = COMMAND, .is_known_unwatched = true}, read = {.pid = 0};
    struct nsd_gaps found;

    gaps__find(&found, &none, &exited);
    failures += gaps__first_that_counts(&found, false) != NSD_GAP_COMMAND_SILENT;
    gaps__find(&found, &none, &killed);
    failures += gaps__first_that_counts(&found, false) != NSD_GAP_COMMAND_KILLED;
    gaps__find(&found, &none, &known);
    failures += gaps__first_that_counts(&found, false) != NSD_GAP_COMMAND_UNWATCHED;
    gaps__find(&found, &none, &read);
    failures += gaps__first_that_counts(&found, true) != NSD_GAP_COUNT;
    none.unseen = 3;
    gaps__find(&found, &none, &read);
    failures += gaps__first_that_counts(&found, false) != NSD_GAP_NO_ROOM ||
                found.of[NSD_GAP_NO_ROOM].count != 3;
    none.unseen = 0;
    none.index_lost = true;
    gaps__find(&found, &none, &read);
    failures += gaps__first_that_counts(&found, false) != NSD_GAP_INDEX_LOST;
    none.index_lost = false;
    none.cut = true;
    gaps__find(&found, &none, &read);
    failures += gaps__first_that_counts(&found, false) != NSD_GAP_CUT;
}

int main(void) {
    for (size_t row = 0; row < sizeof statuses / sizeof statuses[0]; row++) {
        check_status(row, NSD_MODE_PROGRAM_OR_FINDINGS, statuses[row].by_default);
        check_status(row, NSD_MODE_FINDINGS, statuses[row].findings);
        check_status(row, NSD_MODE_BISECT, statuses[row].bisect);
        check_status(row, NSD_MODE_PROGRAM, statuses[row].program);
    }
    check_modes();
    for (size_t row = 0; row < sizeof gaps / sizeof gaps[0]; row++)
        check_gap(row);
    check_run();
    for (unsigned gap = 0; gap < NSD_GAP_COUNT; gap++) {
        struct nsd_report_image image = image_of(&(struct facts){"exit", NULL, "image"});

        failures += gap__why((enum nsd_gap) gap, &image) == NULL;
    }
    if (failures > 0)
        printf("%d failures\n", failures);
    return failures > 0;
}
