/*
 * The two printers over views that are filled in by hand: each kind of line with everything known
 * and with nothing known, as JSON and as text, to the letter. The keys are what programs rely on.
 */
#include "report/json.h"
#include "report/text.h"
#include <stdio.h>
#include <string.h>

static int failures;

static char buffer[16384];
static struct nsd_text text;

static struct nsd_text *fresh(void) {
    text__begin(&text, buffer, sizeof buffer);
    return &text;
}

static void printed(int line, const char *wanted) {
    const char *got = text__string(&text);

    if (strcmp(got, wanted) == 0)
        return;
    failures++;
    printf("line %d: wanted\n%s\n--- got\n%s\n---\n", line, wanted, got);
}
#define PRINTED(wanted) printed(__LINE__, wanted)

static void has_part(int line, const char *part) {
    if (strstr(text__string(&text), part) != NULL)
        return;
    failures++;
    printf("line %d: %s\nis not in\n%s\n", line, part, text__string(&text));
}
#define CHECK_PART(part) has_part(__LINE__, part)

static const struct nsd_view_image image = {.pid = 42, .pid_ns = 4026531836, .program = "host"};
static const struct nsd_view_image nobody = {.pid = 43};

#define IMAGE "\"pid\":42,\"pid_ns\":4026531836,\"program\":\"host\""
#define NOBODY "\"pid\":43,\"pid_ns\":null,\"program\":null"

/* A frame with all of it, one with a name alone, one with nothing. */
static const struct nsd_view_frame frames[] = {
    {"main.run", "/src/cmd/run.go", "/bin/host", "abcd", 4096, 21},
    {.function = "visit", .module = "/bin/host", .offset = 18},
    {.offset = 255},
};
#define FRAME_0                                                                                    \
    "{\"function\":\"main.run\",\"file\":\"/src/cmd/run.go\",\"line\":21,\"module\":\"/bin/"       \
    "host\","                                                                                      \
    "\"offset\":4096,\"build_id\":\"abcd\"}"
#define FRAME_1                                                                                    \
    "{\"function\":\"visit\",\"file\":null,\"line\":null,\"module\":\"/bin/host\",\"offset\":18,"  \
    "\"build_id\":null}"
#define FRAME_2                                                                                    \
    "{\"function\":null,\"file\":null,\"line\":null,\"module\":null,\"offset\":255,"               \
    "\"build_id\":null}"

/* ---- findings ---- */

static const struct nsd_view_consequence two_consequences[] = {
    {"died-switched", "note", "it died", 46, 9, {frames + 1, 2, 0}},
    {"split-sequence", "error", "it split", 0, 0, {NULL, 0, 0}},
};

static struct nsd_view_finding full_finding(void) {
    struct nsd_view_finding finding = {
        .image = image,
        .rule = "left-switched",
        .severity = "warning",
        .message = "it \"left\"",
        .remedy = "First.\n\nSecond.",
        .fingerprint = "0123456789abcdef",
        .time = "2026-01-01T00:00:00.000000Z",
        .count = 3,
        .tid = 44,
        .goroutine = 7,
        .main_thread = true,
        .locked = NSD_VIEW_LOCKED_YES,
        .lock = "pinned",
        .call = {"setns", "5, CLONE_NEWNET", NULL, 0, true},
        .namespaces = {{"mnt", 1, 2, 3}, {"net", 0, 0, 0}},
        .namespace_count = 2,
        .stack = {frames, 3},
        .related = {{"switched here", 45, 8, {frames, 1}}, {"", 0, 0, {NULL, 0}}},
        .related_count = 2,
        .consequences = two_consequences,
        .consequence_count = 2,
    };

    return finding;
}

static void findings(void) {
    struct nsd_view_finding finding = full_finding();
    struct nsd_view_finding empty = {
        .image = nobody, .rule = "r", .severity = "note", .message = "m", .count = 1, .tid = 44};

    as_json__finding(fresh(), &finding);
    PRINTED("{\"type\":\"finding\",\"schema\":1,\"rule\":\"left-switched\","
            "\"severity\":\"warning\",\"message\":\"it \\\"left\\\"\","
            "\"remedy\":\"First.\\n\\nSecond.\",\"fingerprint\":\"0123456789abcdef\",\"count\":3,"
            "\"time\":\"2026-01-01T00:00:00.000000Z\"," IMAGE ",\"tid\":44,\"main_thread\":true,"
            "\"goroutine\":7,\"locked\":true,\"lock\":\"pinned\",\"call\":\"setns\","
            "\"arguments\":\"5, CLONE_NEWNET\",\"result\":0,\"errno\":null,"
            "\"namespaces\":{\"mnt\":{\"before\":1,\"after\":2,\"home\":3},"
            "\"net\":{\"before\":null,\"after\":null,\"home\":null}},"
            "\"stack\":[" FRAME_0 "," FRAME_1 "," FRAME_2 "],"
            "\"related\":[{\"what\":\"switched here\",\"tid\":45,\"goroutine\":8,"
            "\"stack\":[" FRAME_0 "]},{\"what\":\"\",\"tid\":null,\"goroutine\":null,"
            "\"stack\":[]}],"
            "\"consequences\":[{\"rule\":\"died-switched\",\"severity\":\"note\","
            "\"message\":\"it died\",\"tid\":46,\"goroutine\":9,\"stack\":[" FRAME_1 "," FRAME_2
            "]},{\"rule\":\"split-sequence\",\"severity\":\"error\",\"message\":\"it split\","
            "\"tid\":null,\"goroutine\":null,\"stack\":[]}]}\n");
    as_json__finding(fresh(), &empty);
    PRINTED(
        "{\"type\":\"finding\",\"schema\":1,\"rule\":\"r\",\"severity\":\"note\","
        "\"message\":\"m\",\"remedy\":null,\"fingerprint\":null,\"count\":1,\"time\":null," NOBODY
        ",\"tid\":44,\"main_thread\":false,\"goroutine\":null,\"locked\":null,"
        "\"lock\":null,\"call\":null,\"arguments\":null,\"result\":null,\"errno\":null,"
        "\"namespaces\":{},\"stack\":[],\"related\":[],\"consequences\":[]}\n");
    as_text__finding(fresh(), &finding, false);
    PRINTED("==42==nsdrift: warning: left-switched: it \"left\"\n"
            "    setns(5, CLONE_NEWNET) = 0      mnt 1 -> 2, net ? -> ?\n"
            "        #0 main.run run.go:21\n"
            "        #1 visit (/bin/host+0x12)\n"
            "        #2 (?+0xff)\n"
            "      Seen 3 times.\n"
            "      Switched here, thread 45, goroutine 8:\n"
            "        #0 main.run run.go:21\n"
            "      :\n"
            "      Then: died-switched: it died (visit (/bin/host+0x12)).\n"
            "      Then: split-sequence: it split.\n"
            "      First.\n"
            "      Second.\n");
    as_text__finding(fresh(), &empty, false);
    PRINTED("==43==nsdrift: note: r: m\n");
    finding.stack.left_out = 1;
    finding.related[0].stack.left_out = 2;
    finding.consequences_left_out = 3;
    as_text__finding(fresh(), &finding, false);
    PRINTED("==42==nsdrift: warning: left-switched: it \"left\"\n"
            "    setns(5, CLONE_NEWNET) = 0      mnt 1 -> 2, net ? -> ?\n"
            "        #0 main.run run.go:21\n"
            "        #1 visit (/bin/host+0x12)\n"
            "        #2 (?+0xff)\n"
            "        and 1 more frame.\n"
            "      Seen 3 times.\n"
            "      Switched here, thread 45, goroutine 8:\n"
            "        #0 main.run run.go:21\n"
            "        and 2 more frames.\n"
            "      :\n"
            "      Then: died-switched: it died (visit (/bin/host+0x12)).\n"
            "      Then: split-sequence: it split.\n"
            "      and 3 more consequences.\n"
            "      First.\n"
            "      Second.\n");
    as_json__finding(fresh(), &finding);
    CHECK_PART("\"stack\":[]}],\"left_out\":{\"frames\":3,\"consequences\":3}}\n");
    finding.stack.left_out = finding.related[0].stack.left_out = 0;
    as_json__finding(fresh(), &finding);
    CHECK_PART("\"left_out\":{\"frames\":0,\"consequences\":3}}\n");
    finding.consequences_left_out = 0;
    finding.related[1].stack.left_out = 1;
    as_json__finding(fresh(), &finding);
    CHECK_PART("\"left_out\":{\"frames\":1,\"consequences\":0}}\n");
    finding.related[1].stack.left_out = 0;
    finding.namespace_count = finding.related_count = finding.consequence_count = 0;
    finding.remedy = NULL;
    finding.count = 1;
    finding.stack.depth = 0;
    finding.call = (struct nsd_view_call){"pthread_exit", NULL, NULL, 5, false};
    as_text__finding(fresh(), &finding, true);
    PRINTED("==42==nsdrift: \033[1;33mwarning\033[0m: left-switched: it \"left\"\n"
            "    pthread_exit()\n");
    finding.severity = "note";
    finding.call.name = NULL;
    finding.namespace_count = 1;
    as_text__finding(fresh(), &finding, true);
    PRINTED("==42==nsdrift: \033[1;36mnote\033[0m: left-switched: it \"left\"\n    mnt 1 -> 2\n");
    finding.severity = "error";
    finding.namespace_count = 0;
    as_text__finding(fresh(), &finding, true);
    PRINTED("==42==nsdrift: \033[1;31merror\033[0m: left-switched: it \"left\"\n");
    finding.severity = "other";
    as_text__finding(fresh(), &finding, true);
    PRINTED("==42==nsdrift: other\033[0m: left-switched: it \"left\"\n");
}

/* ---- calls ---- */

static void calls(void) {
    static const struct {
        struct nsd_view_call call;
        const char *text, *json;
    } rows[] = {
        {{"setns", "5, 0", "EINVAL", -22, true},
         "setns(5, 0) = -1 EINVAL",
         "\"call\":\"setns\",\"arguments\":\"5, 0\",\"result\":-1,\"errno\":\"EINVAL\""},
        {{"fork", NULL, NULL, 99, true},
         "fork() = 99",
         "\"call\":\"fork\",\"arguments\":null,\"result\":99,\"errno\":null"},
        {{"close", "3", NULL, -5000, true},
         "close(3) = -5000",
         "\"call\":\"close\",\"arguments\":\"3\",\"result\":-5000,\"errno\":null"},
        {{"exit", "1", NULL, 0, false},
         "exit(1)",
         "\"call\":\"exit\",\"arguments\":\"1\",\"result\":null,\"errno\":null"},
        {{"thread start", NULL, NULL, 0, false},
         "thread start",
         "\"call\":\"thread start\",\"arguments\":null,\"result\":null,\"errno\":null"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct nsd_view_event event = {.image = nobody, .tid = 1, .call = rows[i].call};

        as_text__call(fresh(), &rows[i].call);
        PRINTED(rows[i].text);
        as_json__event(fresh(), &event);
        if (strstr(text__string(&text), rows[i].json) == NULL) {
            failures++;
            printf("row %zu: %s\n", i, text__string(&text));
        }
    }
}

/* ---- events ---- */

static void events(void) {
    struct nsd_view_event event = {
        .image = image,
        .time = "T",
        .tid = 44,
        .other_tid = 45,
        .goroutine = 7,
        .locked = NSD_VIEW_LOCKED_NO,
        .lock = "never shown of one that is not locked",
        .call = {"socket", "AF_INET", NULL, 3, true},
        .kinds = {"net", "mnt"},
        .kind_count = 2,
        .lines = {frames, 2},
    };
    struct nsd_view_event empty = {
        .image = nobody, .tid = 44, .call = {"thread end", NULL, NULL, 0, false}};

    as_json__event(fresh(), &event);
    PRINTED("{\"type\":\"event\",\"schema\":1,\"time\":\"T\"," IMAGE ",\"tid\":44,"
            "\"other_tid\":45,\"goroutine\":7,\"locked\":false,"
            "\"lock\":\"never shown of one that is not locked\",\"call\":\"socket\","
            "\"arguments\":\"AF_INET\",\"result\":3,\"errno\":null,\"kinds\":[\"net\",\"mnt\"],"
            "\"lines\":[{\"function\":\"main.run\",\"file\":\"/src/cmd/run.go\",\"line\":21},"
            "{\"function\":\"visit\",\"file\":null,\"line\":null}]}\n");
    as_json__event(fresh(), &empty);
    PRINTED("{\"type\":\"event\",\"schema\":1,\"time\":null," NOBODY ",\"tid\":44,"
            "\"other_tid\":null,\"goroutine\":null,\"locked\":null,\"lock\":null,"
            "\"call\":\"thread end\",\"arguments\":null,\"result\":null,\"errno\":null,"
            "\"kinds\":[],\"lines\":[]}\n");
    as_text__event(fresh(), &event);
    PRINTED("==42==nsdrift: event: tid 44: socket(AF_INET) = 3 of 45 [goroutine 7, unlocked]\n");
    as_text__event(fresh(), &empty);
    PRINTED("==43==nsdrift: event: tid 44: thread end\n");
    empty.locked = NSD_VIEW_LOCKED_YES;
    empty.lock = "pinned";
    as_text__event(fresh(), &empty);
    PRINTED("==43==nsdrift: event: tid 44: thread end [locked (pinned)]\n");
    empty.locked = NSD_VIEW_LOCKED_UNKNOWN;
    empty.goroutine = 8;
    as_text__event(fresh(), &empty);
    PRINTED("==43==nsdrift: event: tid 44: thread end [goroutine 8]\n");
}

/* ---- threads ---- */

static void threads(void) {
    struct nsd_view_thread thread = {
        .image = image,
        .tid = 44,
        .born_of = 42,
        .name = "worker",
        .main_thread = true,
        .goroutine = 7,
        .locked = NSD_VIEW_LOCKED_YES,
        .lock = "by the runtime",
        .born_at = {frames, 2},
        .namespaces = {{"mnt", 0, 2, 1}, {"net", 0, 0, 0}, {"uts", 0, 6, 5}},
        .namespace_count = 3,
        .switched = {"mnt", "uts"},
        .switched_count = 2,
    };
    struct nsd_view_thread empty = {.image = nobody, .tid = 44};

    as_json__thread(fresh(), &thread);
    PRINTED("{\"type\":\"thread\",\"schema\":1," IMAGE ",\"tid\":44,\"name\":\"worker\","
            "\"main_thread\":true,\"born_of\":42,\"born_at\":[" FRAME_0 "," FRAME_1 "],"
            "\"goroutine\":7,\"locked\":true,\"lock\":\"by the runtime\","
            "\"namespaces\":{\"mnt\":{\"current\":2,\"home\":1},"
            "\"net\":{\"current\":null,\"home\":null},\"uts\":{\"current\":6,\"home\":5}},"
            "\"switched\":[\"mnt\",\"uts\"]}\n");
    as_json__thread(fresh(), &empty);
    PRINTED("{\"type\":\"thread\",\"schema\":1," NOBODY ",\"tid\":44,\"name\":null,"
            "\"main_thread\":false,\"born_of\":null,\"born_at\":[],\"goroutine\":null,"
            "\"locked\":null,\"lock\":null,\"namespaces\":{},\"switched\":[]}\n");
    as_text__thread(fresh(), &thread);
    PRINTED("==42==nsdrift: thread 44 (main) \"worker\", born of 42 at main.run run.go:21 "
            "[goroutine 7, locked (by the runtime)]: away in mnt (1 -> 2), uts (5 -> 6)\n");
    as_text__thread(fresh(), &empty);
    PRINTED("==43==nsdrift: thread 44: home\n");
    empty.born_at = (struct nsd_view_stack){frames + 2, 1};
    empty.switched_count = 1;
    empty.switched[0] = "pid";
    as_text__thread(fresh(), &empty);
    PRINTED("==43==nsdrift: thread 44 at (?+0xff): away in pid\n");
}

/* ---- coverage ---- */

static void coverage(void) {
    struct nsd_view_coverage view = {
        .image = image,
        .time = "T",
        .path = "/bin/host",
        .go = "1.26.8",
        .go_newer = true,
        .go_sites = 1,
        .go_sites_watched = 0,
        .libc_functions = 1,
        .probes = {"libc", "go"},
        .probe_count = 2,
        .missing = {{"dlsym", "it is old"}, {"site", "no room"}},
        .missing_count = 2,
        .threads = 5,
        .events = 6,
        .lost = 1,
        .cross_check = "differs",
        .ended = "killed",
        .errors = 1,
        .warnings = 2,
        .notes = 1,
        .say_notes = true,
    };
    struct nsd_view_coverage empty = {.image = nobody};

    as_json__coverage(fresh(), &view);
    PRINTED("{\"type\":\"coverage\",\"schema\":1,\"time\":\"T\"," IMAGE ","
            "\"image\":\"/bin/host\",\"go\":\"1.26.8\",\"go_unknown\":false,\"go_newer\":true,"
            "\"go_sites\":1,\"go_sites_watched\":0,\"libc_functions\":1,"
            "\"probes\":[\"libc\",\"go\"],\"missing\":[{\"probe\":\"dlsym\","
            "\"why\":\"it is old\"},{\"probe\":\"site\",\"why\":\"no room\"}],\"threads\":5,"
            "\"events\":6,\"lost\":1,\"cross_check\":\"differs\",\"ended\":\"killed\","
            "\"errors\":1,\"warnings\":2,\"notes\":1}\n");
    as_json__coverage(fresh(), &empty);
    PRINTED("{\"type\":\"coverage\",\"schema\":1,\"time\":null," NOBODY ",\"image\":null,"
            "\"go\":null,\"go_unknown\":false,\"go_newer\":false,\"go_sites\":0,"
            "\"go_sites_watched\":0,\"libc_functions\":0,\"probes\":[],\"missing\":[],"
            "\"threads\":0,\"events\":0,\"lost\":0,\"cross_check\":null,\"ended\":null,"
            "\"errors\":0,\"warnings\":0,\"notes\":0}\n");
    as_text__coverage(fresh(), &view);
    PRINTED("==42==nsdrift: 1 error, 2 warnings, 1 note. Go 1.26.8 (newer than what nsdrift was "
            "tested with): 0 of 1 call site watched. libc: 1 function. 1 record lost. It was "
            "killed, or has not ended. The last look at the threads disagrees with the records. "
            "not watched: dlsym: it is old. not watched: site: no room.\n");
    as_text__coverage(fresh(), &empty);
    PRINTED("==43==nsdrift: 0 errors, 0 warnings. libc: 0 functions. 0 records lost.\n");
    empty.unnamed = 1;
    as_text__coverage(fresh(), &empty);
    PRINTED("==43==nsdrift: 0 errors, 0 warnings. libc: 0 functions. 0 records lost. 1 name found "
            "no room in the recording (record_size).\n");
    as_json__coverage(fresh(), &empty);
    CHECK_PART("\"unnamed\":1");
    empty.unnamed = 0;
    empty.go_unknown = true;
    empty.cross_check = "agrees";
    empty.ended = "exit";
    as_text__coverage(fresh(), &empty);
    PRINTED("==43==nsdrift: 0 errors, 0 warnings. Go: not known to nsdrift, its goroutines were "
            "not watched. libc: 0 functions. 0 records lost.\n");
    empty.go = "1.30";
    as_text__coverage(fresh(), &empty);
    PRINTED("==43==nsdrift: 0 errors, 0 warnings. Go 1.30: not known to nsdrift, its goroutines "
            "were not watched. libc: 0 functions. 0 records lost.\n");
    empty.go_unknown = false;
    empty.go_sites = empty.go_sites_watched = 4;
    empty.probes[0] = "libc";
    empty.probes[1] = "injected";
    empty.probe_count = 2;
    as_text__coverage(fresh(), &empty);
    PRINTED("==43==nsdrift: 0 errors, 0 warnings. Go 1.30: 4 of 4 call sites watched, injected. "
            "libc: 0 functions. 0 records lost.\n");
}

static void execs_that_failed(void) {
    as_json__exec_failed(fresh(), &image, "T", "ENOENT");
    PRINTED("{\"type\":\"exec-failed\",\"schema\":1,\"time\":\"T\"," IMAGE
            ",\"errno\":\"ENOENT\"}\n");
    as_json__exec_failed(fresh(), &nobody, NULL, NULL);
    PRINTED("{\"type\":\"exec-failed\",\"schema\":1,\"time\":null," NOBODY ",\"errno\":null}\n");
}

/* ---- files by their shortest name, and places in a line ---- */

static void tails(void) {
    const struct nsd_view_frame all[] = {{.file = "/src/a/cmd/main.go"},
                                         {.file = NULL},
                                         {.file = "/src/b/cmd/main.go"},
                                         {.file = "/src/b/cmd/other.go"},
                                         {.file = "main.go"}};
    const struct nsd_view_stack first = {all, 2}, second = {all + 2, 2}, third = {all + 4, 1};
    const struct nsd_view_stack *const stacks[] = {&first, &second, &third};
    static const struct {
        const char *file;
        unsigned stacks;
        const char *line;
    } rows[] = {
        {"/src/a/cmd/main.go", 0, "main.go:3"},
        {"/src/a/cmd/main.go", 1, "main.go:3"},
        {"/src/a/cmd/main.go", 2, "a/cmd/main.go:3"},
        {"/src/b/cmd/other.go", 3, "other.go:3"},
        {"main.go", 3, "main.go:3"},
        {"/main.go", 0, "main.go:3"},
        {"/main.go", 3, "/main.go:3"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct nsd_view_frame frame = {.file = rows[i].file, .line = 3};

        as_text__frame_line(fresh(), &frame, stacks, rows[i].stacks);
        PRINTED(rows[i].line);
    }
    as_text__frame_line(fresh(), &frames[0], stacks, 3);
    PRINTED("run.go:21");
    as_text__frame_line(fresh(), &frames[1], stacks, 3);
    PRINTED("visit (host+0x12)");
    as_text__frame_line(fresh(), &frames[2], stacks, 3);
    PRINTED("?+0xff");
}

int main(void) {
    findings();
    calls();
    events();
    threads();
    coverage();
    execs_that_failed();
    tails();
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures != 0;
}
