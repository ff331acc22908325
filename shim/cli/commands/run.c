/*
 * nsdrift run: starts a program with the library preloaded (or injected), waits for its end, and
 * prints one report of all its process images. Nothing of ours is written to the program's own
 * stderr.
 */
#include "base/options.h"
#include "cli/commands/commands.h"
#include "cli/inject/follow.h"
#include "cli/inject/inject.h"
#include "cli/inject/obstacles.h"
#include "cli/read/collect.h"
#include "cli/read/folder.h"
#include "cli/say.h"
#include "cli/show/pager.h"
#include "cli/show/present.h"
#include "cli/show/wrap.h"
#include "cli/watch/child.h"
#include "cli/watch/given.h"
#include "cli/watch/preload.h"
#include "cli/watch/program.h"
#include "cli/watch/verdict.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct request {
    bool json, strict, best_effort, follow_static;
    enum nsd_status_mode mode;
    const char *log; /* NULL: stderr */
    char *options;   /* NSDRIFT_OPTIONS and every -o, joined; owned */
    char **program;
};

enum {
    OPTION_EXIT_STATUS = 256,
    OPTION_STRICT,
    OPTION_BEST_EFFORT,
    OPTION_FOLLOW_STATIC,
    OPTION_JSON,
    OPTION_LOG,
};

static const struct option long_options[] = {
    {"exit-status", required_argument, NULL, OPTION_EXIT_STATUS},
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"best-effort", no_argument, NULL, OPTION_BEST_EFFORT},
    {"follow-static", no_argument, NULL, OPTION_FOLLOW_STATIC},
    {"json", no_argument, NULL, OPTION_JSON},
    {"log", required_argument, NULL, OPTION_LOG},
    {"option", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void) {
    fputs(
        "Usage: nsdrift run [OPTION...] -- PROGRAM [ARGUMENT...]\n"
        "Runs PROGRAM with nsdrift preloaded, or put in where PROGRAM is static Go; follows its\n"
        "children, static ones with --follow-static, and reports at the end.\n\n"
        "  -o, --option NAME=VALUE    an option of the library, see below; may be repeated\n"
        "      --json                 the report as JSON lines\n"
        "      --log FILE             append the report to FILE instead of stderr\n"
        "      --exit-status=HOW      findings: 0, 1 and 125 alone, whatever PROGRAM's status;\n"
        "                             bisect: the same, and 1 if PROGRAM fails;\n"
        "                             program: PROGRAM's status in any case\n"
        "      --strict               children that could not be watched count: exit 125\n"
        "      --follow-static        put it into static Go children too, by tracing their execs\n"
        "      --best-effort          start PROGRAM even if it cannot be watched\n"
        "  -h, --help\n\n"
        "Exit status: 1 at least one error or warning; without one that of PROGRAM, 128+N for a\n"
        "signal, but 125 where that would be 0 or a signal and not all could be judged: PROGRAM\n"
        "or a Go child was not watched, its end was not seen, records were lost; 2 a mistake in\n"
        "the call.\n"
        "NSDRIFT_LIBRARY names the library where it is neither beside this command nor\n"
        "installed with it.\n\n"
        "Options of the library (and their defaults); log_path, json and verbosity say where\n"
        "and how this report is made:\n",
        stdout);
    command__print_options();
}

/* 0 to go on, else the exit status plus one, so that the status 0 of --help is not 0 here. */
static int parse(struct request *request, int argc, char **argv) {
    int option, status;

    if (!given__begin(&request->options))
        return NSD_STATUS_UNSEEN + 1;
    while ((option = getopt_long(argc, argv, "+o:h", long_options, NULL)) != -1) {
        switch (option) {
        case 'h':
            print_help();
            return NSD_STATUS_CLEAN + 1;
        case 'o':
            status = given__add(&request->options, optarg);
            if (status != 0)
                return status + 1;
            break;
        case OPTION_EXIT_STATUS:
            if (!verdict__mode(optarg, &request->mode))
                return command__usage("--exit-status can be findings, bisect or program, not '%s'",
                                      optarg) +
                       1;
            break;
        case OPTION_STRICT:
            request->strict = true;
            break;
        case OPTION_BEST_EFFORT:
            request->best_effort = true;
            break;
        case OPTION_FOLLOW_STATIC:
            request->follow_static = true;
            break;
        case OPTION_JSON:
            request->json = true;
            break;
        case OPTION_LOG:
            request->log = optarg;
            break;
        default:
            fputs("Try 'nsdrift run --help'.\n", stderr);
            return NSD_STATUS_USAGE + 1;
        }
    }
    if (optind == argc)
        return command__usage("run: no program given") + 1;
    request->program = argv + optind;
    return 0;
}

static bool use_colour(FILE *out) {
    const char *no_color = getenv("NO_COLOR");

    if (nsd_options.color.number != 0)
        return nsd_options.color.number == 1;
    return (no_color == NULL || no_color[0] == '\0') && isatty(fileno(out));
}

/*
 * Opens the file for the report: --log, else the option log_path, else stderr. NULL, after a line
 * on stderr, if that fails.
 */
static FILE *open_log(const struct request *request) {
    const char *path = request->log;
    FILE *out;

    if (path == NULL && nsd_options.log_path.given &&
        strcmp(nsd_options.log_path.text, "stderr") != 0)
        path = nsd_options.log_path.text;
    if (path == NULL)
        return stderr;
    out = fopen(path, "ae");
    if (out == NULL)
        command__say("%s: %s", path, strerror(errno));
    return out;
}

/* The program that is started, and how that went. */
struct start {
    const struct request *request;
    const struct nsd_program *program;
    const char *library, *options, *folder;
    char **environment;
    struct nsd_child child;
    bool unwatched; /* the program itself was not watched */
};

static bool run_child(struct start *start, const struct nsd_holder *holder) {
    return child__run(&start->child, start->program->path, start->request->program,
                      start->environment, holder);
}

/* Starts the program, and injects the library at its exec. */
static bool start_injected(struct start *start) {
    static struct nsd_injector injector;
    struct nsd_holder holder;
    bool done;

    inject__holder(&injector, &holder);
    done = inject__begin(&injector, start->library, start->options) &&
           inject__program(&injector, start->program->image, start->program->image) &&
           obstacles__none(&injector.refusal) && run_child(start, &holder);
    inject__end(&injector);
    if (!refusal__is_said(&injector.refusal))
        return done;
    command__say("%s", injector.refusal.why);
    start->unwatched = true;
    return start->request->best_effort && run_child(start, NULL);
}

/*
 * The same, and injects into the static programs that it starts. A program that takes the preload
 * is not injected itself.
 */
static bool start_followed(struct start *start) {
    static struct nsd_follower follower;
    struct nsd_holder holder;
    bool began = follow__begin(&follower, start->library, start->options, start->folder,
                               start->program, start->request->best_effort);
    bool done = false;
    const char *why;

    follow__holder(&follower, &holder);
    if (began)
        done = run_child(start, &holder) && !follow__prevented(&follower);
    why = follow__why(&follower);
    if (why != NULL)
        command__say("%s", why);
    else if (follow__was_lost(&follower))
        command__say("its children could not be followed to the end");
    start->unwatched |= why != NULL || follow__was_lost(&follower);
    if (why != NULL && !done && start->request->best_effort)
        done = run_child(start, NULL);
    follow__end(&follower);
    return done;
}

/* Starts the program with the library preloaded or injected, and waits for its end. */
static bool start_program(struct start *start) {
    const struct nsd_program *program = start->program;
    bool injected = program->state == NSD_PROGRAM_INJECTABLE, done;

    start->environment =
        injected ? preload__environment_without()
                 : preload__environment(start->library, start->options, program->needs_asan);
    if (start->environment == NULL) {
        command__say("out of memory");
        return false;
    }
    start->unwatched = program->state == NSD_PROGRAM_UNWATCHABLE;
    if (start->request->follow_static)
        done = start_followed(start);
    else
        done = injected ? start_injected(start) : run_child(start, NULL);
    if (!done && start->child.error != 0)
        command__say("%s: %s", start->request->program[0], strerror(start->child.error));
    preload__free(start->environment);
    return done;
}

/* Breaks lines of text if they are printed on a terminal. */
static enum nsd_judgement present(struct nsd_presentation *presentation,
                                  const struct nsd_collection *collection) {
    unsigned width = form__of(presentation->form)->is_prose ? pager__width(presentation->out) : 0;
    FILE *wrapped = width > 0 ? wrap__open(presentation->out, width) : NULL;
    enum nsd_judgement judgement;

    if (wrapped != NULL)
        presentation->out = wrapped;
    judgement = present__report(presentation, collection);
    if (wrapped != NULL)
        fclose(wrapped);
    return judgement;
}

/* There is no room for recordings: the program runs as if nobody watched it. */
static int run_unwatched(struct start *start) {
    int status = NSD_STATUS_UNSEEN;

    start->environment = preload__environment_without();
    if (start->environment == NULL)
        command__say("out of memory");
    else if (run_child(start, NULL))
        status = verdict__status(NSD_JUDGED_NOT_ALL, start->child.status, start->request->mode);
    else if (start->child.error != 0)
        command__say("%s: %s", start->request->program[0], strerror(start->child.error));
    preload__free(start->environment);
    return status;
}

/* The option record= names a folder that the recordings can be copied to. */
static bool keeps_recordings(void) {
    return nsd_options.record.given && strcmp(nsd_options.record.text, "none") != 0 &&
           folder__can_move_to(nsd_options.record.text);
}

static int watch(const struct request *request, const struct nsd_program *program,
                 const char *library, FILE *out) {
    struct nsd_collection collection;
    struct start start = {.request = request, .program = program, .library = library};
    struct nsd_presentation presentation = {
        .out = out,
        .form = request->json || nsd_options.json.number != 0 ? NSD_FORM_JSON : NSD_FORM_TEXT,
        .colour = use_colour(out),
        .strict = request->strict,
        .verbosity = (unsigned) nsd_options.verbosity.number,
        .program = request->program[0],
    };
    char *options;
    bool keeps;
    int status = NSD_STATUS_UNSEEN;

    presentation.severity = nsd_options.severity.given ? (unsigned) nsd_options.severity.number
                                                       : form__of(presentation.form)->severity;
    if (!folder__begin(&collection))
        return request->best_effort ? run_unwatched(&start) : NSD_STATUS_UNSEEN;
    keeps = keeps_recordings();
    if (keeps || presentation.verbosity >= 2)
        folder__keep_all(&collection);
    options = folder__options(&collection);
    start.options = options;
    start.folder = collection.folder;
    if (options == NULL) {
        command__say("out of memory");
    } else if (start_program(&start)) {
        presentation.ending = (struct nsd_ending){.pid = start.child.pid,
                                                  .status = start.child.status,
                                                  .is_known_unwatched = start.unwatched};
        folder__read(&collection, start.child.pid, presentation.verbosity);
        status =
            verdict__status(present(&presentation, &collection), start.child.status, request->mode);
        if (keeps)
            folder__move_to(&collection, nsd_options.record.text);
    }
    free(options);
    folder__end(&collection);
    return status;
}

int command__run(int argc, char **argv) {
    struct request request = {0};
    static struct nsd_program program;
    char library[PATH_MAX];
    FILE *out = NULL;
    int status = parse(&request, argc, argv) - 1;

    if (status >= 0)
        goto done;
    status = NSD_STATUS_UNSEEN;
    given__parse(request.options);
    program__look(&program, request.program[0]);
    if (request.follow_static && nsd_options.follow.number == 0) {
        status = command__usage("--follow-static and follow=0 exclude each other");
        goto done;
    }
    if (program.state != NSD_PROGRAM_WATCHABLE && program.state != NSD_PROGRAM_INJECTABLE)
        command__say("%s", program.why);
    if (program.state == NSD_PROGRAM_ABSENT ||
        (program.state == NSD_PROGRAM_UNWATCHABLE && !request.best_effort) ||
        !preload__find_library(library, sizeof library))
        goto done;
    out = open_log(&request);
    if (out == NULL)
        goto done;
    status = watch(&request, &program, library, out);
    if (out != stderr && fclose(out) != 0)
        command__say("the report could not be written: %s", strerror(errno));
done:
    free(request.options);
    return status;
}
