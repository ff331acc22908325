/*
 * For tests of reports: findings that are made up, descriptor 2 as a file, and what stands in for
 * the names of program counters, the rules and the ledger. Whatever else of those comes to be
 * called by the report must be added here.
 */
#ifndef REPORT_STAGE_H
#define REPORT_STAGE_H

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

#define X10(x) x x x x x x x x x x
#define LONG_NAME "main." X10(X10("longname"))

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
    {33, "runtime.goexit.abi0", "/go/src/runtime/asm_amd64.s", 1700, false, false},
    {34, LONG_NAME, "/src/long.go", 5, false, false},
    {40, "_Cfunc_enter", "_cgo_gotypes.go", 7, false, false},
    {41, "enter", "", 0, false, false},
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

static bool stage_is_recorded;

bool naming__uses_recorded(void) {
    return stage_is_recorded;
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

static unsigned stage_threads_left; /* the thread is told again so many times */

struct nsd_thread *ledger__next_thread(struct nsd_thread *last) {
    return stage_threads_left > 0 ? stage_threads_left--, last : NULL;
}

static struct nsd_label home = {.identity = {.inode = 4026531841}};
static struct nsd_label away = {.identity = {.inode = 4026532207}};
/* As much as the questions in its header read. */
static struct nsd_ledger ledger = {
    .touched = NSD_KIND_BIT(NSD_KIND_MNT),
    .home.current[NSD_KIND_MNT] = &home,
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

static int captured = -1, saved_stderr __attribute__((unused));

__attribute__((unused)) static void capture(void) {
    if (captured < 0)
        saved_stderr = dup(2);
    else
        close(captured);
    captured = memfd_create("stderr", 0);
    dup2(captured, 2);
}

__attribute__((unused)) static const char *taken(int fd) {
    static char text[256 * 1024];
    ssize_t size = pread(fd, text, sizeof text - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    if (ftruncate(fd, 0) == 0)
        lseek(fd, 0, SEEK_SET);
    return text;
}

__attribute__((unused)) static void begin(const char *options) {
    capture();
    options__parse(options, NULL);
    make_findings();
    report__begin();
}

__attribute__((unused)) static const char *report(void) {
    report__write(&ledger, &findings, &image);
    return taken(captured);
}

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

#endif
