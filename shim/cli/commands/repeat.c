/*
 * nsdrift repeat: runs a program many times under watch, and tells how often it fails, what was
 * found in failing and in passing runs, and which orders of events go with the failures.
 */
#include "base/options.h"
#include "cli/commands/commands.h"
#include "cli/repeat/jobs.h"
#include "cli/repeat/orders.h"
#include "cli/repeat/progress.h"
#include "cli/repeat/table.h"
#include "cli/say.h"
#include "cli/watch/given.h"
#include "cli/watch/preload.h"
#include "cli/watch/program.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS_MOST 1000000u
#define JOBS_MOST 256u
/* Seconds after Ctrl-C until the runs that have not ended are killed. */
#define GRACE 3.0

struct request {
    uint64_t runs, jobs;
    double timeout;
    const char *check;
    bool best_effort, follow_static, strict;
    char *options; /* owned */
    char **program;
};

enum {
    OPTION_CHECK = 256,
    OPTION_TIMEOUT,
    OPTION_BEST_EFFORT,
    OPTION_FOLLOW_STATIC,
    OPTION_STRICT
};

static const struct option long_options[] = {
    {"jobs", required_argument, NULL, 'j'},
    {"check", required_argument, NULL, OPTION_CHECK},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"best-effort", no_argument, NULL, OPTION_BEST_EFFORT},
    {"follow-static", no_argument, NULL, OPTION_FOLLOW_STATIC},
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"option", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void) {
    fputs("Usage: nsdrift repeat N [OPTION...] -- PROGRAM [ARGUMENT...]\n"
          "Runs PROGRAM N times under watch, and tells what goes with its failures.\n\n"
          "  -j, --jobs J               so many runs at a time (1)\n"
          "      --check CMD            a run has passed if this shell command says so with\n"
          "                             status 0, not by PROGRAM's own status\n"
          "      --timeout SECONDS      a run that takes longer is killed and has failed\n"
          "  -o, --option NAME=VALUE    an option of the library; may be repeated\n"
          "      --best-effort          also if PROGRAM cannot be watched\n"
          "      --follow-static        put it into static Go children too\n"
          "      --strict               children that could not be watched count: exit 125\n"
          "  -h, --help\n\n"
          "PROGRAM and CMD find the number of their run in NSDRIFT_RUN, CMD also the\n"
          "program's status in NSDRIFT_STATUS. Ctrl-C ends it with the table so far.\n\n"
          "Exit status: 0 no run failed, no error and no warning was found; 1 at least\n"
          "one; 125 it could not be started or watched; 2 a mistake in the call.\n",
          stdout);
}

static bool parse_number(const char *word, uint64_t most, uint64_t *number) {
    char *end;

    errno = 0;
    *number = strtoull(word, &end, 10);
    return word[0] >= '0' && word[0] <= '9' && *end == '\0' && errno == 0 && *number > 0 &&
           *number <= most;
}

static int take_option(struct request *request, int option) {
    int status;
    char *end;

    switch (option) {
    case 'h':
        print_help();
        return NSD_STATUS_CLEAN + 1;
    case 'j':
        if (!parse_number(optarg, JOBS_MOST, &request->jobs))
            return command__usage("--jobs: '%s' is no number from 1 to %u", optarg, JOBS_MOST) + 1;
        return 0;
    case OPTION_CHECK:
        request->check = optarg;
        return 0;
    case OPTION_TIMEOUT:
        request->timeout = strtod(optarg, &end);
        if (*end != '\0' || !(request->timeout > 0) || request->timeout > 1e6)
            return command__usage("--timeout: '%s' is no number of seconds", optarg) + 1;
        return 0;
    case OPTION_BEST_EFFORT:
        request->best_effort = true;
        return 0;
    case OPTION_FOLLOW_STATIC:
        request->follow_static = true;
        return 0;
    case OPTION_STRICT:
        request->strict = true;
        return 0;
    case 'o':
        status = given__add(&request->options, optarg);
        return status == 0 ? 0 : status + 1;
    default:
        fputs("Try 'nsdrift repeat --help'.\n", stderr);
        return NSD_STATUS_USAGE + 1;
    }
}

/* 0 to go on, else the exit status plus one. N stands before the options or after them. */
static int parse(struct request *request, int argc, char **argv) {
    int option, status;

    request->jobs = 1;
    if (!given__begin(&request->options))
        return NSD_STATUS_UNSEEN + 1;
    for (;;) {
        while ((option = getopt_long(argc, argv, "+j:o:h", long_options, NULL)) != -1) {
            status = take_option(request, option);
            if (status != 0)
                return status;
        }
        if (request->runs != 0 || optind == argc)
            break;
        if (!parse_number(argv[optind], RUNS_MOST, &request->runs))
            return command__usage("repeat: '%s' is no number of runs", argv[optind]) + 1;
        optind++;
    }
    if (request->runs == 0)
        return command__usage("repeat: how many times?") + 1;
    if (optind == argc)
        return command__usage("repeat: no program given") + 1;
    request->program = argv + optind;
    return 0;
}

/* ---- the runs ---- */

struct series {
    const struct request *request;
    struct nsd_job_plan plan;
    struct nsd_job *jobs;
    struct nsd_tally tally;
    struct nsd_outcome outcome;
    uint64_t begun;
    bool broken; /* no further run can be started */
};

/* Keeps the end of what the first failing run printed, for the table. */
static void keep_output(struct series *series, const struct nsd_job *job) {
    long size;
    size_t got;

    series->outcome.first_failed = job->number;
    if (fseek(job->output, 0, SEEK_END) != 0 || (size = ftell(job->output)) < 0)
        return;
    size = size < (long) sizeof series->outcome.said - 1 ? size
                                                         : (long) sizeof series->outcome.said - 1;
    fseek(job->output, -size, SEEK_END);
    got = fread(series->outcome.said, 1, (size_t) size, job->output);
    series->outcome.said[got] = '\0';
}

static void count(struct series *series, const struct nsd_job *job) {
    bool passed = jobs__passed(&series->plan, job);
    const char *unjudged = jobs__unjudged(&series->plan, job);

    orders__read(&job->collection, &series->tally);
    tally__end_run(&series->tally, passed);
    if (unjudged != NULL)
        outcome__unseen(&series->outcome, unjudged);
    if (job->late)
        series->outcome.late++;
    if (!passed && series->outcome.first_failed == 0)
        keep_output(series, job);
}

static bool any_running(const struct series *series) {
    for (uint64_t i = 0; i < series->request->jobs; i++) {
        if (series->jobs[i].number != 0)
            return true;
    }
    return false;
}

static void start_more(struct series *series) {
    for (uint64_t i = 0; i < series->request->jobs; i++) {
        if (series->jobs[i].number != 0 || series->broken || jobs__interrupts() > 0 ||
            series->begun == series->request->runs)
            continue;
        if (jobs__start(&series->plan, &series->jobs[i], series->begun + 1))
            series->begun++;
        else
            series->broken = true;
    }
}

static void look_after(struct series *series) {
    for (uint64_t i = 0; i < series->request->jobs; i++) {
        struct nsd_job *job = &series->jobs[i];

        if (!jobs__over(&series->plan, job))
            continue;
        if (job->error != 0) {
            if (!series->broken)
                command__say("%s: %s", series->request->program[0], strerror(job->error));
            series->broken = true;
        } else if (jobs__interrupts() == 0) {
            count(series, job);
        }
        jobs__end(job);
    }
}

/* Sends a signal to every run that has not ended. */
static void break_off(const struct series *series, int signal) {
    for (uint64_t i = 0; i < series->request->jobs; i++)
        jobs__signal(&series->jobs[i], signal);
}

static uint64_t count_findings(const struct nsd_tally *tally) {
    uint64_t findings = 0;

    for (size_t i = 0; i < tally->count; i++)
        findings += tally->sign[i].kind == NSD_SIGN_FINDING && tally->sign[i].severity > 0;
    return findings;
}

static void run_all(struct series *series) {
    struct nsd_progress progress;
    double asked = 0;

    jobs__take_signals();
    progress__begin(&progress, series->request->runs);
    for (;;) {
        start_more(series);
        if (!any_running(series))
            break;
        jobs__wait(0.25);
        look_after(series);
        if (jobs__interrupts() == 0) {
            progress__show(&progress, series->tally.passed + series->tally.failed,
                           series->tally.failed, count_findings(&series->tally));
        } else if (asked <= 0) {
            asked = jobs__now();
            break_off(series, SIGINT);
        } else if (jobs__interrupts() > 1 || jobs__now() - asked > GRACE) {
            break_off(series, SIGKILL);
        }
    }
    progress__end(&progress);
    jobs__give_signals_back();
    series->outcome.interrupted = jobs__interrupts() > 0;
}

static bool found_something(const struct nsd_tally *tally) {
    return count_findings(tally) > 0 || tally->failed > 0;
}

static int repeat(const struct request *request, const struct nsd_program *program,
                  const char *library) {
    struct series series = {
        .request = request,
        .plan = {.program = program,
                 .arguments = request->program,
                 .library = library,
                 .check = request->check,
                 .follow_static = request->follow_static,
                 .strict = request->strict,
                 .patience = request->timeout},
        .outcome = {.program = request->program[0],
                    .wanted = request->runs,
                    .by_check = request->check != NULL},
    };
    bool is_written = true;
    int status;

    series.jobs = calloc(request->jobs, sizeof *series.jobs);
    if (series.jobs == NULL) {
        command__say("out of memory");
        return NSD_STATUS_UNSEEN;
    }
    run_all(&series);
    if (series.tally.passed + series.tally.failed > 0)
        repeat_table__print(&series.outcome, &series.tally);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        command__say("the table could not be written: %s", strerror(errno));
        is_written = false;
    }
    if (found_something(&series.tally))
        status = NSD_STATUS_FOUND;
    else if (series.tally.passed == 0 || series.broken || series.outcome.unseen > 0 ||
             !is_written || !program__can_be_watched(program))
        status = NSD_STATUS_UNSEEN;
    else
        status = NSD_STATUS_CLEAN;
    tally__free(&series.tally);
    free(series.jobs);
    return status;
}

int command__repeat(int argc, char **argv) {
    struct request request = {0};
    static struct nsd_program program;
    char library[PATH_MAX];
    int status = parse(&request, argc, argv) - 1;

    if (status < 0) {
        status = NSD_STATUS_UNSEEN;
        given__parse(request.options);
        program__look(&program, request.program[0]);
        if (request.follow_static && nsd_options.follow.number == 0) {
            status = command__usage("--follow-static and follow=0 exclude each other");
            goto done;
        }
        if (!program__can_be_watched(&program))
            command__say("%s", program.why);
        if (program.state != NSD_PROGRAM_ABSENT &&
            (program__can_be_watched(&program) || request.best_effort) &&
            preload__find_library(library, sizeof library))
            status = repeat(&request, &program, library);
    }
done:
    free(request.options);
    return status;
}
