/*
 * Reports from findings that are made up: the text and the JSON that they give, to the letter; when
 * a report speaks and when it is silent.
 */
#include "report_stage.h"

/* ---- the tests ---- */

static void text_to_the_letter(void) {
    begin("");
    check_text("text", report(), UNLOCKED_TEXT LEFT_TEXT CLOSING);
    CHECK(report__faults() == 2);
    check_text("nothing is said twice", report(), "");
    begin("color=always");
    CHECK(strstr(report(), "nsdrift: \033[1;31merror\033[0m: unlocked-switch") != NULL);
}

static void only_what_is_asked(void) {
    begin("severity=error");
    check_text("severity=error", report(), UNLOCKED_TEXT CLOSING);
    begin("");
    left.severity = NSD_SEVERITY_NOTE;
    unlocked.withdrawn = true;
    check_text("notes are silent", report(), "");
    CHECK(report__faults() == 0);
    begin("severity=note");
    left.severity = NSD_SEVERITY_NOTE;
    unlocked.withdrawn = true;
    CHECK(strstr(report(), "0 errors, 0 warnings, 1 note. Go") != NULL);
    begin("verbosity=1");
    findings.first = NULL;
    check_text("verbosity=1", report(),
               "==4242==nsdrift: 0 errors, 0 warnings. Go 1.26.8: 4 of 4 call sites watched. libc: "
               "41 functions. 0 records lost.\n");
    begin("");
    findings.first = NULL;
    image.go_unknown = true;
    check_text("a Go that is not known", report(),
               "==4242==nsdrift: 0 errors, 0 warnings. Go 1.26.8: not known to nsdrift, its "
               "goroutines were not watched. libc: 41 functions. 0 records lost.\n");
    check_text("once", report(), "");
}

static void failed_exec(void) {
    begin("verbosity=1");
    CHECK(strstr(report(), "split-sequence") != NULL);
    report__exec_failed(-ENOENT, &image);
    CHECK(strstr(taken(captured), "the exec failed (ENOENT)") != NULL);
    check_text("the same again", report(), "");
    unlocked.withdrawn = true;
    image.ended = "exit";
    check_text("totals without what was withdrawn", report(),
               "==4242==nsdrift: 0 errors, 1 warning. Go 1.26.8: 4 of 4 call sites watched. libc: "
               "41 functions. 0 records lost.\n");
    begin("json=1");
    report();
    report__exec_failed(-ENOENT, &image);
    CHECK(strstr(taken(captured), "{\"type\":\"exec-failed\",\"schema\":1,") != NULL);
    begin("");
    findings.first = NULL;
    report();
    report__exec_failed(-ENOENT, &image);
    check_text("no word of an exec that nobody was told of", taken(captured), "");
}

/* Cuts out what differs: the time. */
static void cut_time(char *text) {
    for (char *at = text; (at = strstr(at, "\"time\":\"")) != NULL;) {
        at += strlen("\"time\":\"");
        CHECK(strlen(at) > 27 && at[26] == 'Z' && at[27] == '"');
        memmove(at, at + 27, strlen(at + 27) + 1);
    }
}

#define FRAME(function, file, line, offset)                                                        \
    "{\"function\":\"" function "\",\"file\":\"" file "\",\"line\":" line                          \
    ",\"module\":\"/usr/bin/launcher\",\"offset\":" offset ",\"build_id\":\"abcd01\"}"
#define RUNTIME_MAIN FRAME("runtime.main", "/go/src/runtime/proc.go", "290", "4116")

static void json_to_the_letter(void) {
    char *text;

    begin("json=1");
    findings.first->next = NULL;
    text = strdup(report());
    cut_time(text);
    check_text(
        "json", text,
        "{\"type\":\"finding\",\"schema\":1,\"rule\":\"unlocked-switch\",\"severity\":\"error\","
        "\"message\":\"goroutine 1 moved thread 4242 (main) to another mnt namespace while it was "
        "not locked to it\",\"remedy\":\"The Go scheduler may run what follows a switch on another "
        "thread.\\nFix: call runtime.LockOSThread() before launcher.go:21.\","
        "\"fingerprint\":\"" FINGERPRINT "\",\"count\":2,\"time\":\"\",\"pid\":4242,"
        "\"pid_ns\":4026531836,\"program\":\"launcher\",\"tid\":4242,\"main_thread\":true,"
        "\"goroutine\":1,\"locked\":false,\"lock\":null,\"call\":\"unshare\","
        "\"arguments\":\"CLONE_NEWNS\",\"result\":0,\"errno\":null,\"namespaces\":{\"mnt\":{"
        "\"before\":4026531841,\"after\":4026532207,\"home\":4026531841}},\"stack\":[" FRAME(
            "main.main", "/src/launcher.go", "21",
            "4106") "," RUNTIME_MAIN "],\"related\":[],"
                    "\"consequences\":[{\"rule\":\"split-sequence\",\"severity\":\"error\","
                    "\"message\":"
                    "\"goroutine 1 mounted on thread 4250, which is still home in mnt; it had left "
                    "it at "
                    "launcher.go:21\",\"tid\":4250,\"goroutine\":1,\"stack\":[" FRAME(
                        "main.main", "/src/launcher.go", "25",
                        "4107") "," RUNTIME_MAIN "]}]}\n"
                                "{\"type\":\"coverage\",\"schema\":1,\"time\":\"\",\"pid\":4242,"
                                "\"pid_ns\":4026531836,"
                                "\"program\":\"launcher\",\"image\":\"/usr/bin/"
                                "launcher\",\"go\":\"1.26.8\","
                                "\"go_unknown\":false,\"go_newer\":false,\"go_sites\":4,\"go_sites_"
                                "watched\":4,\"libc_"
                                "functions\":41,"
                                "\"probes\":[],\"missing\":[],\"threads\":5,\"events\":7,\"lost\":"
                                "0,"
                                "\"cross_check\":\"agrees\",\"ended\":\"exec\",\"errors\":1,"
                                "\"warnings\":0,\"notes\":0}\n");
    free(text);
}

static void plumbing_at_verbosity_3(void) {
    char *text;

    begin("json=1:verbosity=3");
    findings.first->next = NULL;
    text = strdup(report());
    CHECK(strstr(text, "\"stack\":[{\"function\":\"runtime/internal/syscall.Syscall6\"") != NULL);
    CHECK(strstr(text, "\"function\":\"runtime.goexit\"") != NULL);
    CHECK(strstr(text, "\"fingerprint\":\"" FINGERPRINT "\"") != NULL);
    CHECK(strstr(text, "LockOSThread() before launcher.go:21.") != NULL);
    free(text);
}

static void fingerprints(void) {
    struct nsd_view_frame frames[] = {
        {.function = "a", .file = "/x/a.go", .line = 1, .module = "/x/one", .offset = 8},
        {.module = "/x/one", .offset = 16}};
    struct nsd_view_stack stack = {frames, 2};
    uint64_t before = fingerprint__of("r", "one", &stack, NULL);

    frames[0].line = 2;
    frames[0].offset = 9;
    frames[0].file = "/y/a.go";
    frames[1].module = "/elsewhere/one";
    CHECK(fingerprint__of("r", "one", &stack, NULL) == before);
    CHECK(fingerprint__of("s", "one", &stack, NULL) != before);
    CHECK(fingerprint__of("r", "two", &stack, NULL) != before);
    CHECK(fingerprint__of("r", "one", &stack, &stack) != before);
    frames[1].offset = 17;
    CHECK(fingerprint__of("r", "one", &stack, NULL) != before);
}

static void events(void) {
    struct nsd_event event = {.call = NSD_CALL_MOUNT,
                              .tid = 4243,
                              .goroutine = 1,
                              .lock = NSD_LOCK_EXTERNAL,
                              .kinds = NSD_KIND_BIT(NSD_KIND_MNT)};
    char *text;

    event.arguments[3] = 4096 | 16384;
    begin("verbosity=3");
    report__event(&event, &image);
    check_text("event", taken(captured),
               "==4242==nsdrift: event: tid 4243: mount(MS_BIND|MS_REC) = 0 [goroutine 1, "
               "locked]\n");
    event.result = -EPERM;
    event.goroutine = 0;
    event.lock = NSD_LOCK_NONE;
    report__event(&event, &image);
    check_text("event", taken(captured),
               "==4242==nsdrift: event: tid 4243: mount(MS_BIND|MS_REC) = -1 EPERM\n");
    begin("verbosity=3:json=1");
    report__event(&event, &image);
    text = strdup(taken(captured));
    cut_time(text);
    check_text("event", text,
               "{\"type\":\"event\",\"schema\":1,\"time\":\"\",\"pid\":4242,\"pid_ns\":4026531836,"
               "\"program\":\"launcher\",\"tid\":4243,\"other_tid\":null,\"goroutine\":null,"
               "\"locked\":null,\"lock\":null,\"call\":\"mount\",\"arguments\":\"MS_BIND|MS_REC\","
               "\"result\":-1,\"errno\":\"EPERM\",\"kinds\":[\"mnt\"],\"lines\":[]}\n");
    free(text);
}

static void arguments(void) {
    static const struct {
        enum nsd_call call;
        uint64_t arguments[5];
        const char *text;
    } rows[] = {
        {NSD_CALL_SETNS, {5, 0}, "5, 0"},
        {NSD_CALL_SETNS, {(uint64_t) -1, 0x40000000}, "-1, CLONE_NEWNET"},
        {NSD_CALL_UNSHARE, {0x80}, "CLONE_NEWTIME"},
        {NSD_CALL_UNSHARE, {0x20200}, "CLONE_FS|CLONE_NEWNS"},
        {NSD_CALL_CLONE, {0x20011}, "CLONE_NEWNS|SIGCHLD"},
        {NSD_CALL_CLONE, {17}, "SIGCHLD"},
        {NSD_CALL_CLONE, {0}, "0"},
        {NSD_CALL_CLONE3, {0x20080}, "CLONE_NEWTIME|CLONE_NEWNS"},
        {NSD_CALL_MOUNT, {0, 0, 0, 0}, "0"},
        {NSD_CALL_MOUNT, {0, 0, 0, 0xc0ed0000 | 1}, "MS_MGC_VAL|MS_RDONLY"},
        {NSD_CALL_MOUNT, {0, 0, 0, 0x44000}, "MS_REC|MS_PRIVATE"},
        {NSD_CALL_MOUNT, {0, 0, 0, 0x40001000}, "MS_BIND|0x40000000"},
        {NSD_CALL_UMOUNT2, {0, 2}, "MNT_DETACH"},
        {NSD_CALL_UMOUNT, {0, 2}, ""},
        {NSD_CALL_SOCKET, {16}, "AF_NETLINK"},
        {NSD_CALL_SOCKET, {9999}, "9999"},
        {NSD_CALL_EXIT, {3}, "3"},
        {NSD_CALL_REPORT, {10}, "SIGUSR1"},
        {NSD_CALL_REPORT, {40}, "40"},
        {NSD_CALL_CLOSE, {7}, "7"},
        {NSD_CALL_PIVOT_ROOT, {0}, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buffer[512];
        struct nsd_text text;

        text__begin(&text, buffer, sizeof buffer);
        symbols__arguments(&text, rows[i].call, rows[i].arguments);
        check_text("arguments", text__string(&text), rows[i].text);
    }
    check_text("errno", symbols__errno(-EINVAL), "EINVAL");
    check_text("errno", symbols__errno(EHWPOISON), "EHWPOISON");
    CHECK(symbols__errno(41) == NULL && symbols__errno(100000) == NULL);
}

static void table_of_threads(void) {
    memset(&thread, 0, sizeof thread);
    thread.tid = 4243;
    thread.parent = 4242;
    thread.birth_frames = STACK(30);
    thread.label[NSD_KIND_MNT] = &away;
    begin("verbosity=2");
    findings.first = NULL;
    CHECK(strncmp(report(),
                  "==4242==nsdrift: thread 4243, born of 4242 at visit (/usr/bin/launcher+0x101e): "
                  "away in mnt (4026531841 -> 4026532207)\n",
                  100) == 0);
    begin("verbosity=2:json=1");
    findings.first = NULL;
    CHECK(strstr(report(), "\"mnt\":{\"current\":4026532207,\"home\":4026531841}") != NULL);
    report__write(&ledger, &findings, &image);
    CHECK(strstr(taken(captured), "\"switched\":[\"mnt\"]}\n") != NULL);
    thread.tid = 0;
}

int main(void) {
    text_to_the_letter();
    only_what_is_asked();
    failed_exec();
    json_to_the_letter();
    plumbing_at_verbosity_3();
    fingerprints();
    events();
    arguments();
    table_of_threads();
    dup2(saved_stderr, 2);
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
