/*
 * The constructor. If the environment has NSDRIFT=1 and the program is not set-uid, it starts every
 * room in order, while the process has one thread. Else it does nothing, but for a line on stderr
 * where options are given without the switch. Also starts the rooms anew in a fork child.
 */
#include "start/start.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/syscall.h"
#include "base/text.h"
#include "calls/births.h"
#include "calls/signals.h"
#include "host/caller.h"
#include "host/environment.h"
#include "host/facts.h"
#include "host/image.h"
#include "host/libc/functions.h"
#include "intake/copies.h"
#include "intake/submit.h"
#include "ledger/frames.h"
#include "names/modules.h"
#include "names/thread_name.h"
#include "probes/go/go.h"
#include "record/writer.h"
#include "stacks/capture.h"
#include "stacks/on_stack.h"
#include "start/filter_probe.h"
#include "start/injection.h"
#include "start/static_pie.h"
#include <elf.h>
#include <stddef.h>

/* glibc defines the first, musl the second; the one that is missing is NULL. */
extern void *__libc_stack_end __attribute__((weak));
extern char **__environ __attribute__((weak));

/* What the kernel put on the stack, found through the end of the environment's list. */
struct auxiliary {
    uintptr_t program_headers;
    unsigned header_count;
    const char *path;
    bool secure;
};

static void read_auxiliary(char **environment, struct auxiliary *found) {
    const Elf64_auxv_t *at;

    memory__fill(found, 0, sizeof *found);
    while (*environment != NULL)
        environment++;
    /*
     * For a set-uid program glibc removes variables by moving the rest up, which leaves more than
     * one NULL at the end.
     */
    while (environment[1] == NULL)
        environment++;
    for (at = (const Elf64_auxv_t *) (environment + 1); at->a_type != AT_NULL; at++) {
        switch (at->a_type) {
        case AT_PHDR:
            found->program_headers = at->a_un.a_val;
            break;
        case AT_PHNUM:
            found->header_count = (unsigned) at->a_un.a_val;
            break;
        case AT_EXECFN:
            found->path = (const char *) at->a_un.a_val;
            break;
        case AT_SECURE:
            found->secure = at->a_un.a_val != 0;
            break;
        default:
            break;
        }
    }
}

#define OUR_NAMES "NSDRIFT"

/* What the environment says of us, and whether that is worth a line. */
enum wish { WISH_NONE, WISH_ON, WISH_OFF, WISH_MISTAKEN };

/* `entry`: what follows "NSDRIFT" in an entry. */
static enum wish wish_of(const char *entry) {
    static const struct {
        const char *entry;
        enum wish wish;
    } rows[] = {
        {"=1", WISH_ON}, {"=true", WISH_ON}, {"=yes", WISH_ON}, {"=on", WISH_ON}, {"=0", WISH_OFF}};

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (string__equal(entry, rows[i].entry))
            return rows[i].wish;
    }
    return entry[0] == '=' || string__begins(entry, "_OPTIONS=") ? WISH_MISTAKEN : WISH_NONE;
}

/* Options without the switch, and a switch of another value, are taken for a slip. */
static enum wish read_wish(char **environment) {
    enum wish wish = WISH_NONE;

    for (; *environment != NULL; environment++) {
        enum wish said;

        if ((*environment)[0] != OUR_NAMES[0] || !string__begins(*environment, OUR_NAMES))
            continue;
        said = wish_of(*environment + sizeof OUR_NAMES - 1);
        if (said == WISH_ON)
            return said;
        if (said == WISH_OFF || wish == WISH_NONE)
            wish = said;
    }
    return wish;
}

/* The part of the start that a new image and a fork child share. */
static void begin_records(int32_t pid, int32_t leader) {
    nsd_image.pid = pid;
    nsd_image.leader = leader;
    nsd_image.pid_ns = 0;
    nsd_image.events = nsd_image.lost = 0;
    nsd_image.threads = 1;
    nsd_image.ended = NULL;
    nsd_image.is_incomplete = false;
    submit__begin(nsd_image.pid, nsd_image.leader);
}

/*
 * In a fork copy: new pid, empty ledger, nothing of the parent's. Later where the copy goes on with
 * work of ours that its parent had begun.
 */
static void begin_copy(void) {
    int32_t tid;

    if (copies__must_wait(machine__thread_pointer()))
        return;
    on_stack__forget();
    frames__begin_copy();
    if (sys__is_forbidden()) {
        /* libc's fork has stored the tid. The clock continues from the parent's. */
        tid = image__has_libc() ? caller__tid_at_birth(machine__thread_pointer()) : 0;
        begin_records(tid != 0 ? tid : nsd_image.pid, tid != 0 ? tid : nsd_image.leader);
    } else {
        clock__begin(&nsd_image.clock);
        begin_records(sys__getpid(), sys__gettid());
    }
    record__begin_copy(facts__fill);
}

void start__learn_go(bool is_go) {
    nsd_image.is_go = is_go;
    nsd_image.go = go__version();
    nsd_image.go_unknown = is_go && !go__known();
    nsd_image.go_newer = go__is_newer();
    nsd_image.go_sites = go__sites();
    nsd_image.go_sites_watched = go__sites_watched();
}

/*
 * The path of a program that was executed from a detached mount (runc's copy of itself) has no file
 * name. The name that ps shows is used then.
 */
static const char *program_name(const char *path) {
    static char name[NSD_THREAD_NAME_MOST];
    const char *base = path == NULL ? "" : string__base_name(path);

    if (base[0] != '\0' || !thread_name__read(sys__getpid(), name))
        return base;
    return name;
}

/*
 * Prepares what the wrappers need; the wrappers themselves work as soon as the loader has bound the
 * program's symbols to them. False if the process has no C library (a Go program without cgo, or a
 * static program that was injected).
 */
static bool begin_libc(void) {
    if (functions__definition(NSD_FUNCTION_syscall) == NULL)
        return false;
    nsd_image.libc_functions = functions__count();
    coverage__probe("libc");
    if (!births__begin())
        coverage__missing("thread ends", "this libc offers no thread-specific data");
    return true;
}

static void complain(const char *mistake, const char *consequence) {
    char line[320];
    struct nsd_text text;

    text__begin(&text, line, sizeof line);
    text__put(&text, mistake);
    text__put(&text, ": ");
    text__put(&text, consequence);
    report__complain(text__string(&text));
}

/* `options` is "NSDRIFT_OPTIONS=...", of the environment or of the injected block; NULL for none.
 */
static void begin(char **environment, const struct auxiliary *auxiliary, const char *options) {
    const char *no_color;

    if (!caller__begin(begin_copy))
        return;
    modules__set_start(auxiliary->program_headers, auxiliary->header_count, auxiliary->path);
    modules__begin();
    options__parse(options == NULL ? NULL : options + sizeof "NSDRIFT_OPTIONS", complain);
    environment__begin(options);
    nsd_image.path = modules__count() > 0 ? modules__at(0)->path : auxiliary->path;
    nsd_image.program = program_name(nsd_image.path);
    no_color = environment__of(environment, "NO_COLOR");
    nsd_report_no_color = no_color != NULL && no_color[0] != '\0';
    report__begin();
    capture__begin((unsigned) nsd_options.depth.number);
    capture__main_stack((uintptr_t) environment);
    if (!clock__may_read_ticks())
        clock__stop_ticks();
    clock__begin(&nsd_image.clock);
    begin_records(sys__getpid(), sys__gettid());
    start__learn_go(go__begin());
    image__set_libc(begin_libc());
    facts__begin_recording(submit__findings());
    nsd_on = true;
    signals__begin();
}

/* Whether the arguments, a NULL and the environment follow each other as the kernel puts them. */
static bool is_handed_over(int count, char **arguments, char **environment) {
    char *end;

    return count > 0 && environment == arguments + count + 1 &&
           memory__try_copy(&end, arguments + count, sizeof end) == sizeof end && end == NULL;
}

static bool has_started;

__attribute__((constructor)) static void start(int count, char **arguments, char **environment) {
    struct auxiliary auxiliary;
    enum wish wish;

    if (has_started)
        return;
    has_started = true;
    /*
     * musl passes no arguments to a constructor, but has set its variable before. A program without
     * a C library (Go's -buildmode=pie without cgo) has neither of the two symbols, although
     * glibc's loader started it.
     */
    if (&__libc_stack_end == NULL) {
        if (&__environ != NULL)
            environment = __environ;
        else if (!is_handed_over(count, arguments, environment))
            environment = NULL;
    }
    wish = environment == NULL ? WISH_NONE : read_wish(environment);
    if (wish == WISH_NONE || wish == WISH_OFF)
        return;
    read_auxiliary(environment, &auxiliary);
    if (auxiliary.secure || !filter_probe__permits())
        return;
    if (wish == WISH_ON)
        begin(environment, &auxiliary, environment__options_entry(environment));
    else
        report__complain("is loaded but off: set NSDRIFT=1");
}

/*
 * The start in a static program, before its first instruction: there is no loader to call the
 * constructor, and no C library. Called by the library's entry (start.S).
 */
uint64_t nsd_injected_begin(const struct nsd_injection *block)
    __attribute__((visibility("hidden")));

uint64_t nsd_injected_begin(const struct nsd_injection *block) {
    const struct nsd_module *program;
    struct auxiliary auxiliary;
    const long *stack;
    char **environment;

    if (block->magic != NSD_INJECTION_MAGIC || block->size != sizeof *block)
        return NSD_INJECTED_STRANGER;
    stack = (const long *) block->stack;
    environment = (char **) (stack + *stack + 2);
    read_auxiliary(environment, &auxiliary);
    if (auxiliary.secure || !filter_probe__permits())
        return NSD_INJECTED_INERT;
    has_started = true;
    coverage__probe("injected");
    modules__set_shim((const char *) block->library);
    modules__set_start(auxiliary.program_headers, auxiliary.header_count, auxiliary.path);
    modules__begin();
    program = modules__at(0);
    if (program == NULL || !program->is_executable)
        return NSD_INJECTED_NO_GO;
    static_pie__relocate(program);
    begin(environment, &auxiliary, (const char *) block->options);
    static_pie__undo(program);
    if (!nsd_on)
        return NSD_INJECTED_INERT;
    if (!nsd_image.is_go)
        return NSD_INJECTED_NO_GO;
    return nsd_options.silent.number != 0 && !record__has_index() ? NSD_INJECTED_UNHEARD
                                                                  : NSD_INJECTED;
}

/*
 * Finds arguments and environment by glibc's __libc_stack_end. Not needed with musl, where the
 * constructor always runs first.
 */
void start__early(void) {
    char **arguments;
    long count;

    if (has_started || &__libc_stack_end == NULL || __libc_stack_end == NULL)
        return;
    count = *(const long *) __libc_stack_end;
    arguments = (char **) __libc_stack_end + 1;
    if (count > 0 && count < 1 << 20 &&
        is_handed_over((int) count, arguments, arguments + count + 1))
        start((int) count, arguments, arguments + count + 1);
}
