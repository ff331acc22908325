/*
 * Reports from findings that are made up here: the text and the JSON that they give, to the letter;
 * when a report speaks and when it is silent; where it goes when descriptor 2 is not what it was.
 * Names of program counters, rules and ledger are stood in for by tables below: whatever else of
 * those comes to be called by the report must be added there.
 */
#include "base/options.h"
#include "ledger/labels.h"
#include "ledger/threads.h"
#include "names/naming.h"
#include "names/recorded.h"
#include "report/fingerprint.h"
#include "report/json.h"
#include "report/log.h"
#include "report/report.h"
#include "report/symbols.h"
#include "report/text.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the finding made below; another value gives every known finding a new name. */
#define FINGERPRINT "c7bd1de5d8bb5498"

static int failures;

static void check_text(const char *what, const char *got, const char *wanted) {
    if (strcmp(got, wanted) == 0)
        return;
    failures++;
    printf("%s:\n--- wanted\n%s\n--- got\n%s\n---\n", what, wanted, got);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            failures++;                                                                            \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                         \
        }                                                                                          \
    } while (0)

/* ---- what stands in for names, rules and ledger ---- */

static struct nsd_module launcher = {
    .path = "/usr/bin/launcher", .build_id = {0xab, 0xcd, 0x01}, .build_id_size = 3};

static const struct {
    uint64_t pc;
    const char *function, *file;
    uint32_t line;
    bool plumbing, no_module;
} names[] = {
    {1, "runtime/internal/syscall.Syscall6", "/go/src/asm.s", 36, true, false},
    {2, "syscall.Unshare", "/go/src/syscall/exec.go", 70, true, false},
    {10, "main.main", "/src/launcher.go", 21, false, false},
    {11, "main.main", "/src/launcher.go", 25, false, false},
    {12, "main.main.func1", "/src/other/launcher.go", 9, false, false},
    {20, "runtime.main", "/go/src/runtime/proc.go", 290, false, false},
    {21, "runtime.goexit", "/go/src/runtime/asm_amd64.s", 1700, false, false},
    {30, "visit", "", 0, false, false},
    {31, "", "", 0, false, false},
    {32, "", "", 0, false, true},
};

void naming__place(uint64_t pc, bool exact, struct nsd_place *place) {
    (void) exact;
    memset(place, 0, sizeof *place);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].pc != pc)
            continue;
        strcpy(place->function, names[i].function);
        strcpy(place->file, names[i].file);
        place->line = names[i].line;
        place->is_go = names[i].line != 0;
        place->module = names[i].no_module ? NULL : &launcher;
        place->offset = 0x1000 + pc;
    }
}

bool naming__uses_recorded(void) {
    return false;
}

bool naming__is_plumbing(const struct nsd_place *place) {
    return strstr(place->function, "yscall") != NULL;
}

const char *rules__name(enum nsd_rule_id rule) {
    static const char *const ids[] = {
#define X(name, id) id,
        NSD_RULE_TABLE(X)
#undef X
    };
    return ids[rule];
}

const char *severity__name(enum nsd_severity severity) {
    static const char *const severities[] = {"note", "warning", "error"};

    return severities[severity];
}

enum nsd_severity finding__severity(const struct nsd_finding *finding) {
    enum nsd_severity worst = finding->severity;

    for (const struct nsd_finding *then = finding->consequences; then != NULL; then = then->next) {
        if (!then->withdrawn && then->severity > worst)
            worst = then->severity;
    }
    return worst;
}

static struct nsd_thread thread;

struct nsd_thread *ledger__first_thread(struct nsd_ledger *asked) {
    (void) asked;
    return thread.tid != 0 ? &thread : NULL;
}

struct nsd_thread *ledger__next_thread(struct nsd_thread *last) {
    (void) last;
    return NULL;
}

static struct nsd_label home = {.identity = {.inode = 4026531841}};
static struct nsd_label away = {.identity = {.inode = 4026532207}};
/* As much as the questions in its header read. */
static struct nsd_ledger ledger = {
    .touched = NSD_KIND_BIT(NSD_KIND_MNT),
    .home.stood[NSD_KIND_MNT] = &home,
};

struct nsd_label *ledger__home(const struct nsd_ledger *asked, enum nsd_kind kind) {
    (void) asked;
    return kind == NSD_KIND_MNT ? &home : NULL;
}

/* ---- findings ---- */

static const struct nsd_frames *stack_of(unsigned depth, const uint64_t *pcs) {
    struct nsd_frames *frames = calloc(1, sizeof *frames + depth * sizeof frames->frame[0]);

    frames->depth = (uint16_t) depth;
    for (unsigned i = 0; i < depth; i++)
        frames->frame[i].pc = pcs[i];
    return frames;
}

#define STACK(...)                                                                                 \
    stack_of(sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (uint64_t[]){__VA_ARGS__})

static struct nsd_image image;
static struct nsd_finding unlocked, split, left;
static struct nsd_findings findings;

static void make_findings(void) {
    memset(&image, 0, sizeof image);
    image.pid = image.leader = 4242;
    image.pid_ns = 4026531836;
    image.program = "launcher";
    image.path = "/usr/bin/launcher";
    image.go = "1.26.8";
    image.is_go = true;
    image.go_sites = image.go_sites_watched = 4;
    image.libc_functions = 41;
    image.events = 7;
    image.threads = 5;
    image.cross_check = NSD_CROSS_AGREES;
    image.ended = "exec";
    clock__begin(&image.clock);

    memset(&split, 0, sizeof split);
    split.rule = NSD_RULE_SPLIT_SEQUENCE;
    split.severity = NSD_SEVERITY_ERROR;
    split.count = 1;
    split.message = "%w mounted on %T, which is still home in %k; it had left it at %s";
    split.tid = 4250;
    split.other_tid = 4250;
    split.goroutine = 1;
    split.frames = STACK(1, 11, 20, 21);

    memset(&unlocked, 0, sizeof unlocked);
    unlocked.rule = NSD_RULE_UNLOCKED_SWITCH;
    unlocked.severity = NSD_SEVERITY_ERROR;
    unlocked.count = 2;
    unlocked.message = "%w moved %t to another %k namespace while it was not locked to it";
    unlocked.remedy = "The Go scheduler may run what follows a switch on another thread.\n"
                      "Fix: call runtime.LockOSThread() before %l.";
    unlocked.tid = 4242;
    unlocked.goroutine = 1;
    unlocked.call = NSD_CALL_UNSHARE;
    unlocked.arguments[0] = 0x20000;
    unlocked.lock = NSD_LOCK_UNLOCKED;
    unlocked.main_thread = true;
    unlocked.kinds = NSD_KIND_BIT(NSD_KIND_MNT);
    unlocked.before[NSD_KIND_MNT] = unlocked.home[NSD_KIND_MNT] = &home;
    unlocked.after[NSD_KIND_MNT] = &away;
    unlocked.frames = STACK(1, 2, 10, 20, 21);
    unlocked.consequences = &split;
    split.switch_frames = unlocked.frames;
    split.kinds = unlocked.kinds;

    memset(&left, 0, sizeof left);
    left.rule = NSD_RULE_LEFT_SWITCHED;
    left.severity = NSD_SEVERITY_WARNING;
    left.count = 1;
    left.message = "%t is left in another %k namespace (%c: %e, 100%)";
    left.tid = 4243;
    left.call = NSD_CALL_SETNS;
    left.arguments[0] = 5;
    left.arguments[1] = 0x40000000;
    left.result = -EINVAL;
    left.kinds =
        NSD_KIND_BIT(NSD_KIND_NET) | NSD_KIND_BIT(NSD_KIND_IPC) | NSD_KIND_BIT(NSD_KIND_UTS);
    left.frames = STACK(30, 31, 32);
    left.related[0] =
        (struct nsd_related){.what = "created here", .tid = 4242, .frames = STACK(12)};
    left.related[1] = (struct nsd_related){.what = "and here", .tid = 4242, .frames = STACK(10)};
    left.related_count = 2;

    memset(&findings, 0, sizeof findings);
    unlocked.next = &left;
    findings.first = &unlocked;
    findings.last = &left;
}

/* ---- stderr as a file ---- */

static int captured = -1, saved_stderr;

static void capture(void) {
    if (captured < 0)
        saved_stderr = dup(2);
    else
        close(captured);
    captured = memfd_create("stderr", 0);
    dup2(captured, 2);
}

static const char *taken(int fd) {
    static char text[256 * 1024];
    ssize_t size = pread(fd, text, sizeof text - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    if (ftruncate(fd, 0) == 0)
        lseek(fd, 0, SEEK_SET);
    return text;
}

static void begin(const char *options) {
    capture();
    options__parse(options, NULL);
    make_findings();
    report__begin();
}

static const char *report(void) {
    report__write(&ledger, &findings, &image);
    return taken(captured);
}

/* ---- the tests ---- */

#define UNLOCKED_TEXT                                                                              \
    "==4242==nsdrift: error: unlocked-switch: goroutine 1 moved thread 4242 (main) to another "    \
    "mnt namespace while it was not locked to it\n"                                                \
    "    unshare(CLONE_NEWNS) = 0      mnt 4026531841 -> 4026532207\n"                             \
    "        #0 main.main launcher.go:21\n"                                                        \
    "        #1 runtime.main proc.go:290\n"                                                        \
    "      Seen 2 times.\n"                                                                        \
    "      Then: split-sequence: goroutine 1 mounted on thread 4250, which is still home in mnt; " \
    "it had left it at launcher.go:21 (main.main launcher.go:25).\n"                               \
    "      The Go scheduler may run what follows a switch on another thread.\n"                    \
    "      Fix: call runtime.LockOSThread() before launcher.go:21.\n"

#define LEFT_TEXT                                                                                  \
    "==4242==nsdrift: warning: left-switched: thread 4243 is left in another ipc, net and uts "    \
    "namespace (setns(5, CLONE_NEWNET): EINVAL, 100%)\n"                                           \
    "    setns(5, CLONE_NEWNET) = -1 EINVAL      ipc ? -> ?, net ? -> ?, uts ? -> ?\n"             \
    "        #0 visit (/usr/bin/launcher+0x101e)\n"                                                \
    "        #1 (/usr/bin/launcher+0x101f)\n"                                                      \
    "        #2 (?+0x1020)\n"                                                                      \
    "      Created here, thread 4242:\n"                                                           \
    "        #0 main.main.func1 other/launcher.go:9\n"                                             \
    "      And here, thread 4242:\n"                                                               \
    "        #0 main.main src/launcher.go:21\n"

#define CLOSING                                                                                    \
    "==4242==nsdrift: 1 error, 1 warning. Go 1.26.8: 4 of 4 call sites watched. libc: 41 "         \
    "functions. 0 records lost.\n"

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
        {NSD_CALL_UNSHARE, {0x100000}, "UNSHARE_EMPTY_MNTNS"},
        {NSD_CALL_UNSHARE, {0x4100000}, "UNSHARE_EMPTY_MNTNS|CLONE_NEWUTS"},
        {NSD_CALL_UNSHARE, {0x800000000}, "0x800000000"},
        {NSD_CALL_UNSHARE, {0}, "0"},
        {NSD_CALL_CLONE, {0x100011}, "CLONE_PARENT_SETTID|SIGCHLD"},
        {NSD_CALL_CLONE3, {0x2000000000}, "CLONE_EMPTY_MNTNS"},
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

/* ---- where it goes ---- */

static char folder[] = "/tmp/report_test-XXXXXX";

static const char *file_text(const char *name) {
    char path[128];
    const char *text;
    struct stat status;
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_RDWR);
    if (fd < 0)
        return "no such file";
    CHECK(fstat(fd, &status) == 0 && (status.st_mode & 0777) == 0600);
    text = taken(fd);
    close(fd);
    return text;
}

static void log_file(void) {
    char options[256], host[65], name[256];
    const char *expected = UNLOCKED_TEXT LEFT_TEXT CLOSING;

    snprintf(options, sizeof options, "log_path=%s/log", folder);
    begin(options);
    check_text("nothing on stderr", report(), "");
    check_text("log_path", file_text("log.4242"), expected);

    snprintf(options, sizeof options, "log_path=%s/a%%p-%%e-%%H-%%%%", folder);
    begin(options);
    report();
    gethostname(host, sizeof host);
    snprintf(name, sizeof name, "a4242-launcher-%s-%%", host);
    check_text("places in log_path", file_text(name), expected);

    CHECK(chdir(folder) == 0);
    begin("log_path=relative");
    CHECK(chdir("/") == 0);
    report();
    check_text("from where the start was", file_text("relative.4242"), expected);

    begin("log_path=/nowhere/at/all");
    check_text("complaint, then stderr", strstr(report(), "nsdrift: the report"),
               "nsdrift: the report goes to stderr, since nothing can be written by log_path "
               "(ENOENT): /nowhere/at/all\n" UNLOCKED_TEXT LEFT_TEXT CLOSING);
    begin("log_path=/proc/x");
    CHECK(strstr(report(), "the report goes to stderr") != NULL);

    /* A link that somebody laid there is not followed. */
    snprintf(options, sizeof options, "%s/link.4242", folder);
    CHECK(symlink("relative.4242", options) == 0);
    snprintf(options, sizeof options, "log_path=%s/link", folder);
    begin(options);
    check_text("a link", report(), "");
    check_text("what it leads to", file_text("relative.4242"), "");
}

static void stderr_closed_or_reused(void) {
    int other = memfd_create("data", 0);

    begin("");
    dup2(other, 2);
    report__write(&ledger, &findings, &image);
    check_text("another file is descriptor 2", taken(other), "");
    begin("");
    close(2);
    report__write(&ledger, &findings, &image);
    dup2(other, 2);
    begin("");
    check_text("all as before", report(), UNLOCKED_TEXT LEFT_TEXT CLOSING);
    close(other);
}

/* SIGPIPE would end us, and a full pipe would hold us up. */
static void pipes(void) {
    int ends[2];
    char block[4096] = {0};
    sigset_t pending;

    options__parse("", NULL);
    make_findings();
    CHECK(pipe(ends) == 0);
    dup2(ends[1], 2);
    report__begin();
    close(ends[0]);
    report__write(&ledger, &findings, &image);
    CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
    close(ends[1]);

    make_findings();
    CHECK(pipe(ends) == 0);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], block, sizeof block) > 0)
        ;
    fcntl(ends[1], F_SETFL, 0);
    dup2(ends[1], 2);
    report__begin();
    report__write(&ledger, &findings, &image);
    close(ends[0]);
    close(ends[1]);
}

/* Ten thousand findings: the buffer is emptied between them, and no line is torn. */
static void many_findings(void) {
    char options[256], path[128], line[8192];
    unsigned lines = 0;
    FILE *file;

    snprintf(options, sizeof options, "json=1:log_path=%s/many", folder);
    begin(options);
    findings.first = NULL;
    for (unsigned i = 0; i < 10000; i++) {
        struct nsd_finding *one = malloc(sizeof *one);

        *one = unlocked;
        one->next = findings.first;
        findings.first = one;
    }
    report();
    snprintf(path, sizeof path, "%s/many.4242", folder);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        lines++;
        CHECK(line[0] == '{' && strcmp(line + strlen(line) - 2, "}\n") == 0);
    }
    CHECK(lines == 10001);
    if (file != NULL)
        fclose(file);
    while (findings.first != NULL) {
        struct nsd_finding *next = findings.first->next;

        free(findings.first);
        findings.first = next;
    }
}

int main(void) {
    char command[128];

    if (mkdtemp(folder) == NULL)
        return 77;
    text_to_the_letter();
    only_what_is_asked();
    failed_exec();
    json_to_the_letter();
    plumbing_at_verbosity_3();
    fingerprints();
    events();
    arguments();
    table_of_threads();
    log_file();
    stderr_closed_or_reused();
    pipes();
    many_findings();
    dup2(saved_stderr, 2);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        failures++;
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
