/*
 * When a report speaks: what was said before, what is asked for by options, after an exec that came
 * back, in a fork copy, where no call may be made; the lines that stand alone; and lines that are
 * longer than all of the report's memory.
 */
#include "base/forbidden.h"
#include "report_stage.h"

#include <sys/prctl.h>
#include <sys/wait.h>

static bool says(const char *text, const char *part) {
    if (strstr(text, part) != NULL)
        return true;
    printf("  \"%s\" is not in:\n%s\n", part, text);
    return false;
}

#define SAYS(text, part) CHECK(says(text, part))

/* ---- in text ---- */

static void closing_lines_in_text(void) {
    begin("verbosity=1");
    findings.first = NULL;
    SAYS(report(), "0 errors, 0 warnings.");
    SAYS(report(), "0 errors, 0 warnings."); /* asked for: at each end */
    begin("");
    SAYS(report(), CLOSING);
    check_text("nothing has changed", report(), "");
    image.threads = 6; /* which text does not say */
    check_text("nothing that text says has changed", report(), "");
    image.lost = 1;
    check_text("something was lost since", report(),
               "==4242==nsdrift: 1 error, 1 warning. Go 1.26.8: 4 of 4 call sites watched. libc: "
               "41 functions. 1 record lost.\n");
    begin("");
    findings.first = NULL;
    image.lost = 1;
    check_text("never spoke", report(), "");
}

static void findings_that_come_late(void) {
    begin("");
    left.withdrawn = true;
    SAYS(report(), "1 error, 0 warnings.");
    CHECK(unlocked.printed && !left.printed && report__faults() == 1);
    left.withdrawn = false;
    check_text("the new one alone", report(), LEFT_TEXT CLOSING);
    CHECK(left.printed && report__faults() == 2);
    /* What followed makes a note a warning: then it is worth a word. */
    begin("");
    findings.first = &left;
    left.severity = NSD_SEVERITY_NOTE;
    check_text("a note", report(), "");
    split.severity = NSD_SEVERITY_WARNING;
    left.consequences = &split;
    SAYS(report(), "nsdrift: warning: left-switched");
    CHECK(report__faults() == 1);
}

static void severities(void) {
    begin("severity=warning:json=1");
    left.severity = NSD_SEVERITY_NOTE;
    CHECK(strstr(report(), "left-switched") == NULL);
    begin("json=1");
    left.severity = NSD_SEVERITY_NOTE;
    SAYS(report(), "left-switched");
    begin("severity=note");
    left.severity = NSD_SEVERITY_NOTE;
    SAYS(report(), "1 error, 0 warnings, 1 note. Go");
    begin("");
    left.severity = NSD_SEVERITY_NOTE;
    SAYS(report(), "1 error, 0 warnings. Go");
}

static void colours(void) {
    begin("color=never");
    CHECK(strchr(report(), '\033') == NULL);
    begin("color=always");
    SAYS(report(), "\033[1;33mwarning\033[0m");
    begin("color=always:json=1");
    CHECK(strstr(report(), "033") == NULL);
}

/* ---- in JSON ---- */

#define COVERAGE "{\"type\":\"coverage\""

static void closing_lines_in_json(void) {
    begin("json=1");
    SAYS(report(), COVERAGE);
    SAYS(report(), COVERAGE); /* after it spoke once: at each end */
    begin("json=1");
    findings.first = NULL;
    check_text("never spoke", report(), "");
    begin("json=1:verbosity=1");
    findings.first = NULL;
    SAYS(report(), COVERAGE);
    begin("json=1");
    findings.first = NULL;
    image.go_unknown = true;
    SAYS(report(), COVERAGE);
    begin("json=1:verbosity=1");
    CHECK(strstr(report(), "{\"type\":\"thread\"") == NULL);
}

static void numbers_in_json(void) {
    const char *text;

    begin("json=1:severity=note");
    image.now_ticks = image.clock.start_ticks;
    image.now_wall = image.clock.start_wall = 1767225600000000000ull;
    unlocked.time = image.now_ticks;
    split.withdrawn = true;
    text = report();
    SAYS(text, "\"errors\":1,\"warnings\":1,\"notes\":0}");
    SAYS(text, COVERAGE ",\"schema\":1,\"time\":\"2026-01-01T00:00:00.000000Z\"");
    SAYS(text, "\"count\":2,\"time\":\"2026-01-01T00:00:00.000000Z\"");
    SAYS(text, "\"consequences\":[]");
}

/* ---- an exec that came back ---- */

static void execs_in_text(void) {
    begin("");
    report();
    report__exec_failed(-ENOENT, &image);
    check_text("said", taken(captured),
               "==4242==nsdrift: the exec failed (ENOENT): the program goes on, what was said of "
               "the exec does not hold.\n");
    report__exec_failed(-ENOENT, &image);
    check_text("once", taken(captured), "");
    begin("");
    report();
    report__exec_failed(-5000, &image);
    SAYS(taken(captured), "the exec failed (unknown error):");
    /* Nobody was told of an exec: the last report had nothing new. */
    begin("");
    report();
    report();
    report__exec_failed(-ENOENT, &image);
    check_text("not told", taken(captured), "");
    begin("verbosity=1");
    findings.first = NULL;
    SAYS(report(), "0 errors");
    report__exec_failed(-ENOENT, &image);
    check_text("the closing line again is not said", taken(captured), "");
    check_text("twice over", report(), "");
}

static void execs_in_json(void) {
    const char *text;

    begin("json=1:verbosity=1");
    findings.first = NULL;
    report();
    image.now_ticks = image.clock.start_ticks;
    image.now_wall = image.clock.start_wall = 1767225600000000000ull;
    report__exec_failed(-EACCES, &image);
    text = taken(captured);
    check_text("a line", text,
               "{\"type\":\"exec-failed\",\"schema\":1,\"time\":\"2026-01-01T00:00:00.000000Z\","
               "\"pid\":4242,\"pid_ns\":4026531836,\"program\":\"launcher\","
               "\"errno\":\"EACCES\"}\n");
    begin("json=1");
    findings.first = NULL;
    report();
    report__exec_failed(-EACCES, &image);
    check_text("never spoke", taken(captured), "");
}

/* ---- another image ---- */

static void a_fork_copy(void) {
    begin("");
    report();
    image.pid = 4300;
    findings.first = NULL;
    check_text("it never spoke", report(), "");
    CHECK(report__faults() == 0);
    report__exec_failed(-ENOENT, &image);
    check_text("nor of an exec", taken(captured), "");
    image.pid = 4242;
    image.lost = 1;
    check_text("what the other one said is forgotten", report(), "");
    begin("");
    report();
    image.pid = 4300;
    report__exec_failed(-ENOENT, &image);
    check_text("what its parent said is not its own", taken(captured), "");
}

/* ---- silence ---- */

static void silence(void) {
    struct nsd_event event = {.call = NSD_CALL_MOUNT, .tid = 4243};
    struct nsd_event looked = {.call = NSD_CALL_IDENTITY, .tid = 4243};
    pid_t child;
    int status;

    begin("silent=1:verbosity=3");
    check_text("silent", report(), "");
    CHECK(report__faults() == 2);
    report__event(&event, &image);
    report__complain("something");
    check_text("silent", taken(captured), "");
    begin("verbosity=3");
    report__event(&looked, &image);
    check_text("no event of the program's", taken(captured), "");
    report__complain("something is wrong");
    SAYS(taken(captured), "nsdrift: something is wrong\n");
    /* Once the host has a seccomp filter. */
    begin("verbosity=3");
    fflush(stdout);
    child = fork();
    if (child == 0) {
        sys__forbid();
        report__write(&ledger, &findings, &image);
        report__event(&event, &image);
        report__exec_failed(-ENOENT, &image);
        report__complain("something");
        _exit(report__faults() == 2 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    CHECK(status == 0);
    check_text("no call may be made", taken(captured), "");
    report__event(&event, &image);
    SAYS(taken(captured), "event: tid 4243: mount(0) = 0\n");
}

static void nowhere_to_write(void) {
    begin("");
    close(2);
    report__write(&ledger, &findings, &image);
    CHECK(unlocked.printed && left.printed && report__faults() == 2);
    begin("");
    left.severity = NSD_SEVERITY_NOTE;
    close(2);
    report__write(&ledger, &findings, &image);
    CHECK(unlocked.printed && !left.printed);
    dup2(captured, 2);
}

static void complaints(void) {
    char line[600], options[700];
    const char *text;

    begin("help=1");
    text = taken(captured);
    CHECK(strncmp(text,
                  "NSDRIFT_OPTIONS=name=value:name=value, where the names (and defaults) are\n",
                  74) == 0);
    SAYS(text, "log_path");
    SAYS(text, "help");
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    report__complain(line);
    text = taken(captured);
    CHECK(strlen(text) == 512 && text[511] == '\n' && text[510] == 'x');
    snprintf(options, sizeof options, "log_path=/nowhere/%s", line);
    begin(options);
    SAYS(taken(captured), "the report goes to stderr, since nothing can be written by log_path ("
                          "ENA");
}

/* ---- threads ---- */

static void threads(void) {
    memset(&thread, 0, sizeof thread);
    thread.tid = 4242;
    begin("verbosity=2");
    findings.first = NULL;
    SAYS(report(), "==4242==nsdrift: thread 4242 (main): home\n==4242==nsdrift: 0 errors");
    begin("verbosity=1");
    findings.first = NULL;
    CHECK(strstr(report(), "thread 4242") == NULL);
    thread.tid = (int32_t) getpid();
    prctl(PR_SET_NAME, "its name");
    thread.goroutine = 9;
    thread.lock = NSD_LOCK_PINNED;
    begin("verbosity=2");
    findings.first = NULL;
    SAYS(report(), " \"its name\" [goroutine 9, locked (pinned)]: home\n");
    begin("verbosity=2:json=1");
    findings.first = NULL;
    SAYS(report(), "{\"type\":\"thread\",\"schema\":1,\"pid\":4242");
    thread.tid = 0;
}

static void as_many_threads_as_there_are(void) {
    const char *at;
    unsigned lines = 0;

    memset(&thread, 0, sizeof thread);
    thread.tid = 4243;
    thread.birth_frames = STACK(34);
    stage_threads_left = 199;
    begin("verbosity=2");
    findings.first = NULL;
    at = report();
    while ((at = strstr(at, "thread 4243 at " LONG_NAME " long.go:5: home\n")) != NULL) {
        lines++;
        at++;
    }
    CHECK(lines == 200);
    thread.tid = 0;
}

/* ---- lines that are longer than the memory for them ---- */

static void long_findings(void) {
    static struct nsd_finding many[16];
    uint64_t pcs[64];
    const char *text, *end;
    unsigned lines = 0, stacks = 0;

    begin("json=1:depth=64");
    for (unsigned i = 0; i < 64; i++)
        pcs[i] = i % 2 == 0 ? 10 : 20;
    for (unsigned i = 0; i < 16; i++) {
        many[i] = split;
        many[i].next = i > 0 ? &many[i - 1] : NULL;
        many[i].frames = stack_of(64, pcs);
        many[i].switch_frames = NULL;
    }
    unlocked.consequences = &many[15];
    text = report();
    CHECK(strlen(text) > 2 * 65536);
    for (; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        lines++;
        CHECK(text[0] == '{' && end[-1] == '}');
    }
    CHECK(lines == 3 && *text == '\0');
    begin("json=1");
    unlocked.consequences = &many[15];
    for (text = report(); (text = strstr(text, "\"stack\":[{")) != NULL; text++)
        stacks++;
    CHECK(stacks == 1 + 16 + 1 + 2); /* its own, what followed, left-switched and its places */
    CHECK(strstr(report(), ",,") == NULL);
}

static void long_events(void) {
    struct nsd_event made = {.call = NSD_CALL_SOCKET, .tid = 4243};
    const char *text;
    unsigned names_seen = 0;

    begin("verbosity=3:json=1");
    stage_is_recorded = true;
    made.frames = STACK(34, 34, 34, 34, 34, 34, 34, 34);
    report__event(&made, &image);
    text = taken(captured);
    CHECK(strlen(text) > 8 * 800);
    SAYS(text, "\"line\":5}]}\n");
    CHECK(strchr(text, '\n') == text + strlen(text) - 1 && strstr(text, ",,") == NULL);
    while ((text = strstr(text, LONG_NAME)) != NULL) {
        names_seen++;
        text++;
    }
    CHECK(names_seen == 8);
    stage_is_recorded = false;
}

int main(void) {
    closing_lines_in_text();
    findings_that_come_late();
    severities();
    colours();
    closing_lines_in_json();
    numbers_in_json();
    execs_in_text();
    execs_in_json();
    a_fork_copy();
    silence();
    nowhere_to_write();
    complaints();
    threads();
    as_many_threads_as_there_are();
    long_findings();
    long_events();
    dup2(saved_stderr, 2);
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
