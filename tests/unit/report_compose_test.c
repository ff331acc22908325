/*
 * From findings and events to what is printed: names, stacks without what the reader does not want
 * to see, lines out of debug information, the places in a rule's words, locks and calls.
 */
#include "report_stage.h"

#include "report/compose.h"
#include "report/coverage.h"
#include "report/wording.h"

static char memory[64 * 1024] __attribute__((aligned(16)));
static struct nsd_scratch scratch = {.memory = memory, .size = sizeof memory};
static struct nsd_compose compose = {.scratch = &scratch, .image = &image};
static struct nsd_view_finding view;

static void fresh(void) {
    make_findings();
    scratch.used = 0;
    scratch.size = sizeof memory;
    compose.keep_plumbing = compose.recorded = false;
    compose.source = NULL;
}

/* "main.main:21 runtime.main:290", with the file's base name for a frame without a function. */
static const char *functions(const struct nsd_view_stack *stack) {
    static char text[1024];
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < stack->depth; i++)
        used += (size_t) snprintf(text + used, sizeof text - used, "%s%s:%u", i > 0 ? " " : "",
                                  stack->frame[i].function != NULL ? stack->frame[i].function : "?",
                                  (unsigned) stack->frame[i].line);
    return text;
}

static const char *stack_shown(const struct nsd_frames *frames) {
    struct nsd_view_stack stack;

    scratch.used = 0;
    compose__stack(&compose, frames, &stack);
    return functions(&stack);
}

/* ---- stacks ---- */

static void stacks(void) {
    struct nsd_view_stack stack;

    fresh();
    check_text("no stack", stack_shown(NULL), "");
    check_text("plumbing and the bottom", stack_shown(STACK(1, 2, 10, 20, 21)),
               "main.main:21 runtime.main:290");
    check_text("plumbing in the middle stays", stack_shown(STACK(1, 10, 2, 20)),
               "main.main:21 syscall.Unshare:70 runtime.main:290");
    check_text("another bottom", stack_shown(STACK(10, 33)), "main.main:21");
    check_text("the bottom alone", stack_shown(STACK(21)), "runtime.goexit:1700");
    check_text("nothing but plumbing", stack_shown(STACK(1, 2, 21)),
               "runtime/internal/syscall.Syscall6:36 syscall.Unshare:70");
    check_text("plumbing alone", stack_shown(STACK(1)), "runtime/internal/syscall.Syscall6:36");
    compose.keep_plumbing = true;
    check_text("all of it", stack_shown(STACK(1, 2, 10, 21)),
               "runtime/internal/syscall.Syscall6:36 syscall.Unshare:70 main.main:21 "
               "runtime.goexit:1700");
    compose.keep_plumbing = false;

    scratch.used = 0;
    compose__stack(&compose, STACK(30, 31, 32), &stack);
    CHECK(stack.frame[0].function != NULL && stack.frame[0].file == NULL);
    CHECK(strcmp(stack.frame[0].module, "/usr/bin/launcher") == 0);
    CHECK(strcmp(stack.frame[0].build_id, "abcd01") == 0 &&
          stack.frame[1].build_id == stack.frame[0].build_id);
    CHECK(stack.frame[1].function == NULL && stack.frame[1].offset == 0x101f);
    CHECK(stack.frame[2].module == NULL && stack.frame[2].build_id == NULL);

    scratch.used = 0;
    scratch.size = 3 * sizeof(struct nsd_view_frame) - 1;
    compose__stack(&compose, STACK(10, 20, 30), &stack);
    CHECK(stack.depth == 0);
}

/* ---- lines from debug information ---- */

static unsigned asked;

/* visit is inlined into what calls it; nothing is known of others without a file. */
static unsigned source(const struct nsd_view_frame *frame, struct nsd_view_frame *calls) {
    asked++;
    if (frame->offset != 0x101e && frame->offset != 0x101f)
        return 0;
    calls[0] = (struct nsd_view_frame){.function = "inlined", .file = "/src/a.c", .line = 5};
    calls[1] = (struct nsd_view_frame){.function = "dwarf_name", .file = "/src/b.c", .line = 6};
    return 2;
}

static void lines_by_source(void) {
    char fingerprint[17];

    fresh();
    left.frames = STACK(30, 31, 32, 10);
    compose__finding(&compose, &left, &view);
    check_text("without", functions(&view.stack), "visit:0 ?:0 ?:0 main.main:21");
    strcpy(fingerprint, view.fingerprint);
    scratch.used = 0;
    compose.source = source;
    compose__finding(&compose, &left, &view);
    /* The name that was recorded stays; a frame without one takes the debug information's. */
    check_text("with", functions(&view.stack),
               "inlined:5 visit:6 inlined:5 dwarf_name:6 ?:0 main.main:21");
    CHECK(strcmp(view.stack.frame[1].file, "/src/b.c") == 0 &&
          strcmp(view.stack.frame[0].module, "/usr/bin/launcher") == 0 &&
          view.stack.frame[0].offset == 0x101e);
    CHECK(strcmp(view.fingerprint, fingerprint) == 0);
    /* Not of plumbing at the top, nor where the file is known, nor outside of all modules. */
    asked = 0;
    stack_shown(STACK(1, 2, 10, 32));
    CHECK(asked == 0);
    stack_shown(STACK(31, 41));
    CHECK(asked == 2);

    scratch.used = 0;
    left.frames = STACK(10);
    left.switch_frames = STACK(30);
    compose.source = NULL;
    compose__finding(&compose, &left, &view);
    strcpy(fingerprint, view.fingerprint);
    compose.source = source;
    scratch.used = 0;
    compose__finding(&compose, &left, &view);
    CHECK(strcmp(view.fingerprint, fingerprint) == 0);
}

/* ---- words ---- */

static const char *worded(const char *words) {
    scratch.used = 0;
    left.message = words;
    compose__finding(&compose, &left, &view);
    return view.message;
}

static void words(void) {
    static const struct {
        const char *words, *expanded;
    } rows[] = {
        {"", ""},
        {"%t and %T", "thread 4243 and another thread"},
        {"%w", "thread 4243"},
        {"%k", "ipc, net and uts"},
        {"%c: %e", "setns(5, CLONE_NEWNET): EINVAL"},
        {"%l, %s", "visit (launcher+0x101e), visit (launcher+0x101e)"},
        {"%g", "visit (launcher+0x101e)"},
        {"100% %% %x %", "100% %% %x %"},
    };

    fresh();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_text(rows[i].words, worded(rows[i].words), rows[i].expanded);
    left.other_tid = 4242;
    left.goroutine = 8;
    left.kinds = NSD_PRIVATE_FS;
    left.result = -5000;
    check_text("the main thread", worded("%T"), "thread 4242 (main)");
    check_text("a goroutine", worded("%w"), "goroutine 8");
    check_text("one mark", worded("%k"), "private fs");
    check_text("no errno", worded("%e"), "-5000");
    left.kinds = NSD_PRIVATE_FS | NSD_PRIVATE_FILES | NSD_KIND_BIT(NSD_KIND_MNT);
    check_text("marks", worded("%k"), "mnt, private fs and private files");
    left.call = NSD_CALLS;
    check_text("no call", worded("(%c)"), "()");
    left.frames = NULL;
    check_text("no line", worded("%l %s %g"), "that call that call that call");
    CHECK(view.stack.depth == 0);
    left.frames = STACK(12);
    left.switch_frames = STACK(10);
    check_text("two lines", worded("%l %s"), "other/launcher.go:9 src/launcher.go:21");
    left.related[0].frames = STACK(12);
    left.frames = STACK(10);
    check_text("told apart", worded("%l"), "src/launcher.go:21");
    /* A C call's own Go line: not C, not cgo's own, not the runtime. */
    left.frames = STACK(41, 40, 20, 11, 10);
    left.related_count = 0;
    left.switch_frames = NULL;
    check_text("the Go line", worded("%g"), "launcher.go:25");
    left.frames = STACK(41, 40, 20);
    check_text("no Go line", worded("%g"), "enter (launcher+0x1029)");
    left.message = NULL;
    compose__finding(&compose, &left, &view);
    check_text("no words", view.message, "");
    CHECK(view.remedy == NULL);
}

/* ---- what goes with a finding ---- */

static void namespaces(void) {
    fresh();
    compose__finding(&compose, &unlocked, &view);
    CHECK(view.namespace_count == 1 && strcmp(view.namespaces[0].kind, "mnt") == 0);
    CHECK(view.namespaces[0].before == 4026531841 && view.namespaces[0].after == 4026532207 &&
          view.namespaces[0].home == 4026531841);
    /* Kinds by themselves say which; without them, what is known of any. */
    unlocked.kinds = NSD_KIND_BIT(NSD_KIND_UTS);
    compose__finding(&compose, &unlocked, &view);
    CHECK(view.namespace_count == 1 && strcmp(view.namespaces[0].kind, "uts") == 0);
    CHECK(view.namespaces[0].before == 0 && view.namespaces[0].home == 0);
    unlocked.kinds = NSD_PRIVATE_FS;
    unlocked.after[NSD_KIND_NET] = &away;
    unlocked.home[NSD_KIND_UTS] = &home;
    compose__finding(&compose, &unlocked, &view);
    CHECK(view.namespace_count == 3 && strcmp(view.namespaces[0].kind, "mnt") == 0 &&
          strcmp(view.namespaces[1].kind, "net") == 0 &&
          strcmp(view.namespaces[2].kind, "uts") == 0);
    memset(unlocked.before, 0, sizeof unlocked.before);
    memset(unlocked.after, 0, sizeof unlocked.after);
    memset(unlocked.home, 0, sizeof unlocked.home);
    unlocked.before[NSD_KIND_PID] = &home;
    compose__finding(&compose, &unlocked, &view);
    CHECK(view.namespace_count == 1 && strcmp(view.namespaces[0].kind, "pid") == 0);
}

static void related_places(void) {
    fresh();
    left.related[0] = (struct nsd_related){.tid = 4, .goroutine = 5};
    left.related[1] = (struct nsd_related){.what = "nobody, nowhere"};
    left.related[2] = (struct nsd_related){.what = "somewhere", .frames = STACK(10)};
    left.related_count = NSD_RELATED_MOST;
    compose__finding(&compose, &left, &view);
    CHECK(view.related_count == 2);
    CHECK(strcmp(view.related[0].what, "see also") == 0 && view.related[0].tid == 4 &&
          view.related[0].goroutine == 5 && view.related[0].stack.depth == 0);
    CHECK(strcmp(view.related[1].what, "somewhere") == 0 && view.related[1].stack.depth == 1);
}

static void consequences(void) {
    static struct nsd_finding many[30];
    struct nsd_finding then = split;

    fresh();
    then = split;
    then.withdrawn = true;
    then.next = &split;
    unlocked.consequences = &then;
    split.severity = NSD_SEVERITY_NOTE;
    split.message = "it split";
    split.goroutine = 6;
    compose__finding(&compose, &unlocked, &view);
    CHECK(view.consequence_count == 1 && strcmp(view.consequences[0].rule, "split-sequence") == 0);
    CHECK(view.consequences_left_out == 0);
    CHECK(strcmp(view.consequences[0].severity, "note") == 0);
    CHECK(strcmp(view.consequences[0].message, "it split") == 0);
    CHECK(view.consequences[0].tid == 4250 && view.consequences[0].goroutine == 6);
    check_text("its stack", functions(&view.consequences[0].stack),
               "main.main:25 runtime.main:290");
    for (unsigned i = 0; i < 30; i++) {
        many[i] = split;
        many[i].next = i > 0 ? &many[i - 1] : NULL;
        many[i].message = "%t %l, %s";
        many[i].switch_frames = NULL;
    }
    unlocked.consequences = &many[29];
    scratch.used = 0;
    compose__finding(&compose, &unlocked, &view);
    CHECK(view.consequence_count == 30 && view.consequences_left_out == 0);
    check_text("of itself", view.consequences[0].message,
               "thread 4250 launcher.go:25, launcher.go:25");
    /* What finds no room is counted. */
    fresh();
    unlocked.consequences = &many[29];
    scratch.used = scratch.size - 6000;
    compose__finding(&compose, &unlocked, &view);
    CHECK(view.consequence_count > 0 && view.consequence_count < 30);
    CHECK(view.consequence_count + view.consequences_left_out == 30);
    scratch.used = scratch.size - 1000;
    compose__finding(&compose, &unlocked, &view);
    CHECK(view.consequence_count == 0 && view.consequences_left_out == 30);
}

static void whole_findings(void) {
    fresh();
    unlocked.time = image.clock.start_ticks;
    compose.now_ticks = image.clock.start_ticks + 1000;
    compose.now_wall = image.clock.start_wall + 1000;
    unlocked.lock = NSD_LOCK_CGO;
    compose__finding(&compose, &unlocked, &view);
    CHECK(view.image.pid == 4242 && view.image.pid_ns == 4026531836 &&
          strcmp(view.image.program, "launcher") == 0);
    CHECK(view.time != NULL && strlen(view.time) == 27 && view.time[26] == 'Z');
    CHECK(view.count == 2 && view.tid == 4242 && view.goroutine == 1 && view.main_thread);
    CHECK(view.locked == NSD_VIEW_LOCKED_YES && strcmp(view.lock, "during this cgo call") == 0);
    CHECK(strcmp(view.severity, "error") == 0 && strcmp(view.rule, "unlocked-switch") == 0);
    /* Its own severity may be less than what followed. */
    unlocked.severity = NSD_SEVERITY_NOTE;
    compose__finding(&compose, &unlocked, &view);
    CHECK(strcmp(view.severity, "error") == 0);
}

/* ---- locks and calls ---- */

static void locks(void) {
    static const struct {
        unsigned lock;
        enum nsd_view_locked locked;
        const char *word;
    } rows[] = {
        {NSD_LOCK_NONE, NSD_VIEW_LOCKED_UNKNOWN, NULL},
        {NSD_LOCK_UNKNOWN, NSD_VIEW_LOCKED_UNKNOWN, NULL},
        {NSD_LOCK_UNLOCKED, NSD_VIEW_LOCKED_NO, NULL},
        {NSD_LOCK_PINNED, NSD_VIEW_LOCKED_YES, "pinned"},
        {NSD_LOCK_EXTERNAL, NSD_VIEW_LOCKED_YES, NULL},
        {NSD_LOCK_INTERNAL, NSD_VIEW_LOCKED_YES, "by the runtime"},
        {NSD_LOCK_CGO, NSD_VIEW_LOCKED_YES, "during this cgo call"},
        {NSD_LOCK_WEDGED, NSD_VIEW_LOCKED_YES, "its goroutine has ended"},
        {NSD_LOCK_WEDGED + 1, NSD_VIEW_LOCKED_UNKNOWN, NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *word = "";

        CHECK(compose__locked((enum nsd_lock_state) rows[i].lock, &word) == rows[i].locked);
        CHECK(rows[i].word == NULL ? word == NULL : word != NULL && !strcmp(word, rows[i].word));
    }
}

/* Which calls have an answer to show. */
static void answers(void) {
    static const enum nsd_call without[] = {
        NSD_CALL_EXEC,        NSD_CALL_EXIT,         NSD_CALL_QUICK_EXIT,  NSD_CALL_EXIT_GROUP,
        NSD_CALL_RAISE,       NSD_CALL_REPORT,       NSD_CALL_THREAD_BORN, NSD_CALL_THREAD_DIED,
        NSD_CALL_THREAD_EXIT, NSD_CALL_THREAD_FOUND, NSD_CALL_PIN,         NSD_CALL_THREAD_CREATE,
    };
    static const enum nsd_call with[] = {
        NSD_CALL_SETNS,
        NSD_CALL_UNSHARE,
        NSD_CALL_MOUNT,
        NSD_CALL_SOCKET,
        NSD_CALL_FORK,
        NSD_CALL_OPEN,
        NSD_CALL_CLOSE,
        NSD_CALL_EXEC_FAILED,
        NSD_CALL_DUP,
        NSD_CALL_CLONE,
        NSD_CALL_THREAD_NOT_CREATED,
    };
    struct nsd_event event = {.tid = 4243, .result = -ENOENT};
    struct nsd_view_event shown;

    fresh();
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        event.call = (uint16_t) without[i];
        compose__event(&compose, &event, &shown);
        CHECK(shown.call.name != NULL && !shown.call.has_result && shown.call.error == NULL);
    }
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        event.call = (uint16_t) with[i];
        compose__event(&compose, &event, &shown);
        CHECK(shown.call.has_result && shown.call.result == -ENOENT && shown.call.error != NULL &&
              strcmp(shown.call.error, "ENOENT") == 0);
    }
    event.result = -4096; /* no errno any more: an address, say */
    compose__event(&compose, &event, &shown);
    CHECK(shown.call.error == NULL);
    event.result = 2;
    compose__event(&compose, &event, &shown);
    CHECK(shown.call.error == NULL && shown.call.result == 2);
    event.call = NSD_CALL_NONE;
    compose__event(&compose, &event, &shown);
    CHECK(shown.call.name == NULL && !shown.call.has_result);
    event.call = NSD_CALLS;
    compose__event(&compose, &event, &shown);
    CHECK(shown.call.name == NULL);
}

static void events(void) {
    struct nsd_event event = {.call = NSD_CALL_SETNS, .tid = 4243, .other_tid = 4, .goroutine = 5};
    struct nsd_view_event shown;

    fresh();
    event.lock = NSD_LOCK_EXTERNAL;
    event.arguments[0] = 3;
    event.kinds = NSD_KIND_BIT(NSD_KIND_UTS) | NSD_KIND_BIT(NSD_KIND_CGROUP) | NSD_PRIVATE_FS;
    event.frames = STACK(10);
    compose__event(&compose, &event, &shown);
    CHECK(shown.image.pid == 4242 && shown.tid == 4243 && shown.other_tid == 4);
    CHECK(shown.goroutine == 5 && shown.locked == NSD_VIEW_LOCKED_YES && shown.lock == NULL);
    CHECK(strcmp(shown.call.arguments, "3, 0") == 0 && shown.time != NULL);
    CHECK(shown.kind_count == 2 && strcmp(shown.kinds[0], "cgroup") == 0 &&
          strcmp(shown.kinds[1], "uts") == 0);
    /* No table of Go's lines holds that address: a name would have to be looked up in a file. */
    CHECK(shown.lines.depth == 0);
}

/* Over a recording a name costs nothing: the program's own Go lines, a few. */
static void lines_of_events(void) {
    struct nsd_event event = {.call = NSD_CALL_SOCKET, .tid = 4243};
    struct nsd_view_event shown;

    fresh();
    stage_is_recorded = true;
    event.frames = STACK(1, 2, 10, 30, 11, 20);
    compose__event(&compose, &event, &shown);
    check_text("lines", functions(&shown.lines), "main.main:21 main.main:25 runtime.main:290");
    CHECK(strcmp(shown.lines.frame[0].file, "/src/launcher.go") == 0);
    event.frames = STACK(10, 10, 10, 10, 10, 10, 10, 10, 11);
    compose__event(&compose, &event, &shown);
    CHECK(shown.lines.depth == 8);
    scratch.size = scratch.used + 64;
    compose__event(&compose, &event, &shown);
    CHECK(shown.lines.depth == 0);
    stage_is_recorded = false;
}

/* ---- coverage ---- */

static void coverage(void) {
    static char names[2 * NSD_VIEW_PROBES][8];
    struct nsd_view_coverage shown;

    fresh();
    image.go_unknown = image.go_newer = true;
    image.go_sites_watched = 3;
    image.lost = 8;
    image.cross_check = NSD_CROSS_DIFFERS;
    coverage__view(&shown, &image);
    CHECK(shown.image.pid == 4242 && shown.image.pid_ns == 4026531836 &&
          strcmp(shown.image.program, "launcher") == 0);
    CHECK(strcmp(shown.path, "/usr/bin/launcher") == 0 && strcmp(shown.go, "1.26.8") == 0);
    CHECK(shown.go_unknown && shown.go_newer && shown.go_sites == 4 && shown.go_sites_watched == 3);
    CHECK(shown.libc_functions == 41 && shown.threads == 5 && shown.events == 7 && shown.lost == 8);
    CHECK(strcmp(shown.cross_check, "differs") == 0 && strcmp(shown.ended, "exec") == 0);
    CHECK(shown.probe_count == 0 && shown.missing_count == 0);
    image.cross_check = NSD_CROSS_IMPOSSIBLE;
    coverage__view(&shown, &image);
    CHECK(strcmp(shown.cross_check, "impossible") == 0);
    for (unsigned i = 0; i < 2 * NSD_VIEW_PROBES; i++)
        snprintf(names[i], sizeof names[i], "%u", i);
    coverage__probe(names[0]);
    coverage__probe("0");
    coverage__probe(names[1]);
    coverage__missing(names[0], "a");
    coverage__missing("0", "a");
    coverage__missing(names[0], "b");
    coverage__view(&shown, &image);
    CHECK(shown.probe_count == 2 && shown.probes[0] == names[0] && shown.probes[1] == names[1]);
    CHECK(shown.missing_count == 2 && strcmp(shown.missing[0].why, "a") == 0 &&
          strcmp(shown.missing[1].why, "b") == 0 && shown.missing[1].probe == names[0]);
    for (unsigned i = 0; i < 2 * NSD_VIEW_PROBES; i++) {
        coverage__probe(names[i]);
        coverage__missing(names[i], "c");
    }
    coverage__view(&shown, &image);
    CHECK(shown.probe_count == NSD_VIEW_PROBES && shown.missing_count == NSD_VIEW_PROBES);
    CHECK(shown.probes[NSD_VIEW_PROBES - 1] == names[NSD_VIEW_PROBES - 1]);
    CHECK(shown.missing[NSD_VIEW_PROBES - 1].probe == names[NSD_VIEW_PROBES - 3]);
}

int main(void) {
    stacks();
    lines_by_source();
    words();
    namespaces();
    related_places();
    consequences();
    whole_findings();
    locks();
    answers();
    events();
    lines_of_events();
    coverage();
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures != 0;
}
