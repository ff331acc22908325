/*
 * nsdrift report: prints what is in recordings, as text, as JSON lines, as a table of threads over
 * time, or as a trace for a viewer.
 */
#include "cli/commands/commands.h"
#include "cli/read/recordings.h"
#include "cli/read/source_lines.h"
#include "cli/say.h"
#include "cli/show/pager.h"
#include "cli/show/present.h"
#include "cli/show/thread_table.h"
#include "cli/show/trace.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

struct request {
    bool json, threads;
    bool no_pager, no_debug_info;
    const char *trace;       /* file, NULL: none */
    const char *debug_paths; /* NULL: only the usual ones */
    unsigned verbosity;
    int severity; /* -1: note for JSON, warning for text */
    enum colour colour;
};

enum {
    OPTION_JSON = 256,
    OPTION_THREADS,
    OPTION_TRACE,
    OPTION_SEVERITY,
    OPTION_NO_PAGER,
    OPTION_NO_DEBUG_INFO,
    OPTION_DEBUG_PATH,
    OPTION_COLOR,
};

static const struct option long_options[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    {"threads", no_argument, NULL, OPTION_THREADS},
    {"trace", required_argument, NULL, OPTION_TRACE},
    {"severity", required_argument, NULL, OPTION_SEVERITY},
    {"verbose", no_argument, NULL, 'v'},
    {"debug-path", required_argument, NULL, OPTION_DEBUG_PATH},
    {"no-debug-info", no_argument, NULL, OPTION_NO_DEBUG_INFO},
    {"no-pager", no_argument, NULL, OPTION_NO_PAGER},
    {"color", required_argument, NULL, OPTION_COLOR},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void) {
    fputs(
        "Usage: nsdrift report [OPTION...] FILE...\n"
        "Says what is in recordings: files, or folders of them.\n\n"
        "      --json            the report as JSON lines\n"
        "      --threads         a table over time instead: which thread was where\n"
        "      --trace FILE      a trace for ui.perfetto.dev or chrome://tracing instead\n"
        "      --severity LEVEL  the least that is printed: note, warning or error\n"
        "  -v, --verbose         also the threads at the end; twice: also every event\n"
        "      --debug-path DIR  more folders with debug information, split by colons\n"
        "      --no-debug-info   look up no lines for C code\n"
        "      --color WHEN      auto, always or never\n"
        "      --no-pager        straight to the terminal\n"
        "  -h, --help\n\n"
        "Lines of C code come from the debug information of the programs, found beside them,\n"
        "under /usr/lib/debug, or by the servers that DEBUGINFOD_URLS names.\n\n"
        "Exit status: 0 no error and no warning; 1 at least one; 125 none, but something could\n"
        "not be read, or was not watched or lost when it was recorded; 2 a mistake in the call.\n",
        stdout);
}

/* Index in the list, -1 if it is none of them. */
static int choice(const char *word, const char *const *words) {
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(word, words[i]) == 0)
            return i;
    }
    return -1;
}

/* 0 to go on, else the exit status plus one, so that the status 0 of --help is not 0 here. */
static int parse(struct request *request, int argc, char **argv) {
    static const char *const severities[] = {"note", "warning", "error", NULL};
    static const char *const colours[] = {"auto", "always", "never", NULL};
    int option, number;

    request->severity = -1;
    request->verbosity = 1;
    while ((option = getopt_long(argc, argv, "vh", long_options, NULL)) != -1) {
        switch (option) {
        case 'h':
            print_help();
            return NSD_STATUS_CLEAN + 1;
        case 'v':
            request->verbosity++;
            break;
        case OPTION_JSON:
            request->json = true;
            break;
        case OPTION_THREADS:
            request->threads = true;
            break;
        case OPTION_TRACE:
            request->trace = optarg;
            break;
        case OPTION_SEVERITY:
            request->severity = choice(optarg, severities);
            if (request->severity < 0)
                return command__usage("--severity can be note, warning or error, not '%s'",
                                      optarg) +
                       1;
            break;
        case OPTION_DEBUG_PATH:
            request->debug_paths = optarg;
            break;
        case OPTION_NO_DEBUG_INFO:
            request->no_debug_info = true;
            break;
        case OPTION_NO_PAGER:
            request->no_pager = true;
            break;
        case OPTION_COLOR:
            number = choice(optarg, colours);
            if (number < 0)
                return command__usage("--color can be auto, always or never, not '%s'", optarg) + 1;
            request->colour = (enum colour) number;
            break;
        default:
            fputs("Try 'nsdrift report --help'.\n", stderr);
            return NSD_STATUS_USAGE + 1;
        }
    }
    if (optind == argc)
        return command__usage("report: no recording given") + 1;
    if (request->json && request->threads)
        return command__usage("report: --json and --threads are two forms, choose one") + 1;
    return 0;
}

static bool write_trace(const char *path, const struct nsd_timeline *timelines) {
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    bool good;

    if (out == NULL) {
        command__say("%s: %s", path, strerror(errno));
        return false;
    }
    trace__write(out, timelines);
    good = fflush(out) == 0 && !ferror(out);
    if (out != stdout && fclose(out) != 0)
        good = false;
    if (!good)
        command__say("%s: the trace could not be written: %s", path, strerror(errno));
    return good;
}

/* False if it could not be written. */
static bool print(const struct request *request, const struct nsd_recordings *recordings,
                  struct nsd_presentation *presentation) {
    struct nsd_pager pager;
    bool colour;

    pager__begin(&pager, !request->no_pager, !request->json && !request->threads);
    colour = request->colour == COLOUR_AUTO ? pager.colour : request->colour == COLOUR_ALWAYS;
    presentation->colour = colour;
    presentation->out = pager.out;
    if (request->threads) {
        for (const struct nsd_timeline *one = recordings->timelines; one != NULL; one = one->next)
            threads__print(pager.out, one, pager.width, colour);
    } else {
        present__report(presentation, &recordings->collection);
    }
    presentation->out = NULL;
    if (pager__end(&pager))
        return true;
    command__say("the report could not be written: %s", strerror(errno));
    return false;
}

static int report(const struct request *request, struct nsd_recordings *recordings) {
    struct nsd_presentation presentation = {
        .form = request->json ? NSD_FORM_JSON : NSD_FORM_TEXT,
        .verbosity = request->verbosity,
    };
    bool written = true;
    int status;

    presentation.severity = request->severity >= 0 ? (unsigned) request->severity
                                                   : form__of(presentation.form)->severity;
    if (recordings->images > 0 && request->trace != NULL)
        written = write_trace(request->trace, recordings->timelines);
    if (recordings->images > 0 && (request->trace == NULL || request->json || request->threads))
        written = print(request, recordings, &presentation) && written;
    status = verdict__status(present__report(&presentation, &recordings->collection), 0,
                             NSD_MODE_FINDINGS);
    if (!written || (status == NSD_STATUS_CLEAN && recordings->unreadable))
        return NSD_STATUS_UNSEEN;
    return status;
}

int command__report(int argc, char **argv) {
    static struct nsd_recordings recordings;
    struct request request = {.json = false};
    int status = parse(&request, argc, argv) - 1;

    if (status >= 0)
        return status;
    recordings.verbosity = request.verbosity;
    recordings.debug_info = !request.no_debug_info;
    recordings.with_timelines = request.threads || request.trace != NULL;
    source_lines__begin(request.debug_paths, true);
    for (int i = optind; i < argc; i++)
        recordings__read(&recordings, argv[i]);
    collect__sort(&recordings.collection);
    status = report(&request, &recordings);
    recordings__end(&recordings);
    source_lines__end();
    return status;
}
