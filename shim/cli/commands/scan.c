/*
 * nsdrift scan: lists threads that are in other namespaces than the leader of their process. The
 * programs run already and need no preload. Reads /proc (for a Go program also its memory) and
 * changes nothing.
 */
#include "cli/commands/commands.h"
#include "cli/say.h"
#include "cli/scan/print.h"
#include "cli/show/pager.h"
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scan {
    struct nsd_pager pager;
    struct nsd_scan_sum sum;
    const char *since; /* recordings to compare with; NULL: none */
    bool json, all;
};

enum { OPTION_ALL = 256, OPTION_JSON, OPTION_SINCE };

static const struct option long_options[] = {
    {"all", no_argument, NULL, OPTION_ALL},
    {"json", no_argument, NULL, OPTION_JSON},
    {"since", required_argument, NULL, OPTION_SINCE},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void) {
    fputs("Usage: nsdrift scan [OPTION...] PID...\n"
          "       nsdrift scan [OPTION...] --all\n"
          "Lists the threads of running processes that are in other namespaces than the\n"
          "leader of their process. The programs need not have been started under nsdrift.\n\n"
          "      --all               every process (also without any PID)\n"
          "      --json              JSON lines\n"
          "      --since RECORDING   also where they are not where they started, by a\n"
          "                          recording of theirs, or a folder of them\n"
          "  -h, --help\n\n"
          "Exit status: 0 no thread differs; 1 at least one does; 125 nothing could be\n"
          "read; 2 a mistake in the call.\n",
          stdout);
}

/* ---- one process ---- */

static bool take_picture(struct nsd_scan_picture *picture, const struct nsd_tasks *tasks) {
    memset(picture, 0, sizeof *picture);
    picture->tasks = tasks;
    picture->difference = calloc(tasks->count, sizeof *picture->difference);
    if (picture->difference == NULL)
        return false;
    tasks__reference(tasks, picture->reference);
    for (size_t i = 0; i < tasks->count; i++) {
        const struct nsd_task *task = &tasks->task[i];

        picture->difference[i] = tasks__difference(tasks, task, picture->reference);
        picture->differing += picture->difference[i] != 0;
        picture->unread += task->unread != 0;
    }
    if (picture->differing > 0) {
        picture->odd_leader = tasks__odd_leader(tasks);
        if (picture->odd_leader != 0)
            wedge__look(&picture->wedge, tasks->pid);
    }
    return true;
}

/* ---- the whole ---- */

static void look_back(const struct scan *scan, struct nsd_scan_picture *picture) {
    const char *why;

    picture->has_since =
        since__read(&picture->since, scan->since, picture->tasks->pid, picture->reference, &why);
    if (!picture->has_since && !scan->all)
        command__say("%s: process %d: %s", scan->since, (int) picture->tasks->pid, why);
}

static void count(struct nsd_scan_sum *sum, const struct nsd_scan_picture *picture) {
    sum->processes++;
    sum->threads += picture->tasks->count - picture->unread;
    sum->differing += picture->differing;
    sum->unread_threads += picture->unread;
    sum->moved += picture->since.moved != 0;
}

static void print(const struct scan *scan, const struct nsd_scan_picture *picture) {
    if (scan->all && picture->differing == 0 && picture->unread == 0 && picture->since.moved == 0)
        return;
    if (scan->json)
        scan_json__print(scan->pager.out, picture);
    else
        scan_text__print(scan->pager.out, scan->pager.colour, picture);
}

/* False if there is no such process. */
static bool scan_process(struct scan *scan, pid_t pid) {
    struct nsd_tasks tasks;
    struct nsd_scan_sum *sum = &scan->sum;
    struct nsd_scan_picture picture;
    int error = tasks__read(&tasks, pid);

    if (error == ESRCH) {
        tasks__free(&tasks);
        return false;
    }
    if (error == 0 && !take_picture(&picture, &tasks))
        error = ENOMEM;
    if (error == 0) {
        if (scan->since != NULL)
            look_back(scan, &picture);
        count(sum, &picture);
        print(scan, &picture);
        free(picture.difference);
    } else {
        if (sum->unread_processes < sizeof sum->refused / sizeof sum->refused[0])
            sum->refused[sum->unread_processes] = pid;
        sum->unread_processes++;
        sum->error = error;
        if (scan->json)
            scan_json__print_refusal(scan->pager.out, &tasks, error);
        else if (!scan->all)
            command__say("%d (%s): %s", (int) pid, tasks.name, strerror(error));
    }
    tasks__free(&tasks);
    return true;
}

static void scan_given(struct scan *scan, const char *word) {
    pid_t given = (pid_t) strtol(word, NULL, 10), process = tasks__process_of(given);

    if (process != 0 && process != given)
        command__say("%s is a thread of process %d", word, (int) process);
    if (!scan_process(scan, process != 0 ? process : given))
        command__say("there is no process %s", word);
}

static bool is_number(const char *word) {
    char *end;
    long number = strtol(word, &end, 10);

    return *end == '\0' && end != word && number > 0 && number <= INT32_MAX;
}

static void scan_everything(struct scan *scan) {
    DIR *folder = opendir("/proc");
    struct dirent *entry;

    if (folder == NULL) {
        command__say("/proc: %s", strerror(errno));
        return;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (is_number(entry->d_name))
            scan_process(scan, (pid_t) strtol(entry->d_name, NULL, 10));
    }
    closedir(folder);
}

int command__scan(int argc, char **argv) {
    struct scan scan = {0};
    const char *why;
    int option;

    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (option) {
        case 'h':
            print_help();
            return NSD_STATUS_CLEAN;
        case OPTION_ALL:
            scan.all = true;
            break;
        case OPTION_JSON:
            scan.json = true;
            break;
        case OPTION_SINCE:
            scan.since = optarg;
            break;
        default:
            fputs("Try 'nsdrift scan --help'.\n", stderr);
            return NSD_STATUS_USAGE;
        }
    }
    if (scan.all && optind < argc)
        return command__usage("scan: either --all or a PID");
    for (int i = optind; i < argc; i++) {
        if (!is_number(argv[i]))
            return command__usage("scan: '%s' is no PID", argv[i]);
    }
    if (scan.since != NULL && !since__can_be_read(scan.since, &why)) {
        command__say("scan: --since %s: %s", scan.since, why);
        return NSD_STATUS_USAGE;
    }
    scan.all = optind == argc;
    pager__begin(&scan.pager, !scan.json, false);
    for (int i = optind; i < argc; i++)
        scan_given(&scan, argv[i]);
    if (scan.all) {
        scan_everything(&scan);
        if (scan.json)
            scan_json__print_sum(scan.pager.out, &scan.sum);
        else
            scan_text__print_sum(scan.pager.out, &scan.sum);
    }
    if (!pager__end(&scan.pager)) {
        command__say("the answer could not be written: %s", strerror(errno));
        return NSD_STATUS_UNSEEN;
    }
    if (scan.sum.differing > 0 || scan.sum.moved > 0)
        return NSD_STATUS_FOUND;
    return scan.sum.processes > 0 ? NSD_STATUS_CLEAN : NSD_STATUS_UNSEEN;
}
