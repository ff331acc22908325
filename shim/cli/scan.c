/*
 * nsdrift scan: threads that are in other namespaces than the leader of their process, of programs
 * that run already and that need no preload for it. It reads /proc and touches nothing else.
 */
#include "cli/command.h"
#include "cli/pager.h"
#include "cli/tasks.h"
#include "cli/wedge.h"
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIDS_SHOWN 5

struct scan {
    struct nsd_pager pager;
    bool json, all;
    size_t processes, threads, differing; /* that were read; of these threads, who differ */
    size_t unread_processes, unread_threads;
    size_t printed;
    pid_t refused[6];
    int error; /* of the last process that could not be read */
};

/* Where the answer goes: stdout, or a pager before it. */
static FILE *out;

enum { OPTION_ALL = 256, OPTION_JSON };

static const struct option long_options[] = {
    {"all", no_argument, NULL, OPTION_ALL},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void) {
    fputs("Usage: nsdrift scan [OPTION...] PID...\n"
          "       nsdrift scan [OPTION...] --all\n"
          "Lists the threads of running processes that are in other namespaces than the\n"
          "leader of their process. The programs need not have been started under nsdrift.\n\n"
          "      --all     every process (also without any PID)\n"
          "      --json    JSON lines\n"
          "  -h, --help\n\n"
          "Exit status: 0 no thread differs; 1 at least one does; 125 nothing could be read;\n"
          "2 a mistake in the call.\n",
          stdout);
}

/* ---- one process ---- */

/* What is known of a process when it is printed. */
struct picture {
    const struct nsd_tasks *tasks;
    uint64_t reference[NSD_KINDS];
    nsd_kinds *difference; /* by thread */
    size_t differing, unread;
    nsd_kinds odd_leader;
    struct nsd_wedge wedge; /* asked where the leader is the odd one */
};

static bool take_picture(struct picture *picture, const struct nsd_tasks *tasks) {
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

/* ---- as text ---- */

static void put_inode(uint64_t inode) {
    if (inode == NSD_TASK_NEW)
        fprintf(out, "%-10s", "a new one");
    else
        fprintf(out, "%-10llu", (unsigned long long) inode);
}

/* Threads that are in the same places, and whether this is the first of them. */
static size_t alike(const struct picture *picture, size_t index, bool *is_first) {
    const struct nsd_task *task = picture->tasks->task;
    size_t count = 0;

    *is_first = true;
    for (size_t i = 0; i < picture->tasks->count; i++) {
        if (picture->difference[i] == picture->difference[index] &&
            memcmp(task[i].inode, task[index].inode, sizeof task[i].inode) == 0) {
            if (i < index) {
                *is_first = false;
                return 0;
            }
            count++;
        }
    }
    return count;
}

static void put_threads(const struct picture *picture, size_t index, size_t count) {
    const struct nsd_task *task = picture->tasks->task;
    size_t shown = 0;
    char name[32];

    fprintf(out, "  %s", count == 1 ? "thread" : "threads");
    for (size_t i = index; i < picture->tasks->count && shown < TIDS_SHOWN; i++) {
        if (picture->difference[i] != picture->difference[index] ||
            memcmp(task[i].inode, task[index].inode, sizeof task[i].inode) != 0)
            continue;
        tasks__name(picture->tasks->pid, task[i].tid, name, sizeof name);
        fprintf(out, " %d%s%s%s", (int) task[i].tid, count == 1 && name[0] != '\0' ? " (" : "",
                count == 1 ? name : "", count == 1 && name[0] != '\0' ? ")" : "");
        shown++;
    }
    if (count > shown)
        fprintf(out, " and %zu more", count - shown);
    fputc('\n', out);
}

static void put_kinds(const struct picture *picture, size_t index) {
    const struct nsd_task *task = &picture->tasks->task[index];

    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((picture->difference[index] & NSD_KIND_BIT(kind)) == 0)
            continue;
        fprintf(out, "      %-18s", kinds__name((enum nsd_kind) kind));
        put_inode(task->inode[kind]);
        fprintf(out, "  %s ", picture->tasks->has_leader ? "leader" : "most");
        put_inode(picture->reference[kind]);
        fputc('\n', out);
    }
}

static void put_wedge(const struct nsd_wedge *wedge) {
    if (wedge->state == NSD_WEDGE_NOT_GO)
        return;
    fprintf(out, "  Go%s%s: ", wedge->version[0] != '\0' ? " " : "", wedge->version);
    switch (wedge->state) {
    case NSD_WEDGE_CERTAIN:
        fputs("M0 is wedged: its goroutine ended while it was locked to it, and it\n"
              "  stays where it is for good. /proc/PID/ns does not show where the program is.\n",
              out);
        break;
    case NSD_WEDGE_LOCKED:
        if (wedge->goroutine > 0)
            fprintf(out, "M0 is not wedged: goroutine %lld is locked to it.\n",
                    (long long) wedge->goroutine);
        else
            fputs("M0 is not wedged: a goroutine is locked to it.\n", out);
        break;
    case NSD_WEDGE_FREE:
        fputs("M0 is not wedged, and no goroutine is locked to it.\n", out);
        break;
    default:
        fprintf(out, "M0 may be wedged (%s).\n", wedge->why);
    }
}

static void put_unread(const struct picture *picture) {
    const struct nsd_tasks *tasks = picture->tasks;
    int error = 0;

    for (size_t i = 0; i < tasks->count; i++) {
        if (tasks->task[i].error != 0)
            error = tasks->task[i].error;
    }
    if (picture->unread > 0)
        fprintf(out, "  not read of %zu %s: %s\n", picture->unread,
                picture->unread == 1 ? "thread" : "threads", strerror(error));
    if (tasks->unsettled)
        fputs("  The leader moved each time that it was looked at: look again.\n", out);
}

static void print_text(const struct scan *scan, const struct picture *picture) {
    const struct nsd_tasks *tasks = picture->tasks;

    if (scan->all && picture->differing == 0 && picture->unread == 0)
        return;
    if (picture->differing > 0)
        fputs(scan->pager.colour ? "\033[1m" : "", out);
    fprintf(out, "%s (pid %d): ", tasks->name, (int) tasks->pid);
    if (picture->differing == 0)
        fprintf(out, "%zu %s, all in the same namespaces", tasks->count - picture->unread,
                tasks->count - picture->unread == 1 ? "thread" : "threads");
    else if (picture->odd_leader != 0)
        fprintf(out, "the leader is not where the others are");
    else
        fprintf(out, "%zu of %zu threads %s not where %s", picture->differing, tasks->count,
                picture->differing == 1 ? "is" : "are",
                tasks->has_leader ? "the leader is" : "most are");
    fprintf(out, "%s\n", picture->differing > 0 && scan->pager.colour ? "\033[0m" : "");
    if (!tasks->has_leader)
        fputs("  The leader has ended.\n", out);
    for (size_t i = 0; i < tasks->count; i++) {
        bool is_first;
        size_t count;

        if (picture->difference[i] == 0)
            continue;
        count = alike(picture, i, &is_first);
        if (!is_first)
            continue;
        put_threads(picture, i, count);
        put_kinds(picture, i);
    }
    if (picture->odd_leader != 0)
        put_wedge(&picture->wedge);
    put_unread(picture);
}

/* ---- as JSON ---- */

static void add_string(struct json_object *object, const char *key, const char *value) {
    json_object_object_add(object, key, value != NULL ? json_object_new_string(value) : NULL);
}

static void add_number(struct json_object *object, const char *key, uint64_t value) {
    json_object_object_add(object, key, json_object_new_int64((int64_t) value));
}

static void add_kinds(struct json_object *object, const char *key, nsd_kinds kinds) {
    struct json_object *list = json_object_new_array();

    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((kinds & NSD_KIND_BIT(kind)) != 0)
            json_object_array_add(list, json_object_new_string(kinds__name((enum nsd_kind) kind)));
    }
    json_object_object_add(object, key, list);
}

/* null: a pid namespace without a process in it has no inode that anybody can see. */
static struct json_object *inode_object(uint64_t inode) {
    return inode > NSD_TASK_NEW ? json_object_new_int64((int64_t) inode) : NULL;
}

static struct json_object *places_object(const struct nsd_tasks *tasks, const uint64_t *inode) {
    struct json_object *object = json_object_new_object();

    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((tasks->kinds & NSD_KIND_BIT(kind)) != 0)
            json_object_object_add(object, kinds__name((enum nsd_kind) kind),
                                   inode_object(inode[kind]));
    }
    return object;
}

static struct json_object *thread_object(const struct picture *picture, size_t index) {
    const struct nsd_tasks *tasks = picture->tasks;
    const struct nsd_task *task = &tasks->task[index];
    struct json_object *object = json_object_new_object(), *map = json_object_new_object();
    char name[32];

    add_number(object, "tid", (uint64_t) task->tid);
    tasks__name(tasks->pid, task->tid, name, sizeof name);
    add_string(object, "name", name);
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        struct json_object *one;

        if ((picture->difference[index] & NSD_KIND_BIT(kind)) == 0)
            continue;
        one = json_object_new_object();
        json_object_object_add(one, "current", inode_object(task->inode[kind]));
        json_object_object_add(one, tasks->has_leader ? "leader" : "most",
                               inode_object(picture->reference[kind]));
        json_object_object_add(map, kinds__name((enum nsd_kind) kind), one);
    }
    json_object_object_add(object, "namespaces", map);
    return object;
}

static void add_wedge(struct json_object *object, const struct nsd_wedge *wedge) {
    static const char *const words[] = {
        [NSD_WEDGE_NOT_GO] = NULL,       [NSD_WEDGE_UNKNOWN] = "may be wedged",
        [NSD_WEDGE_CERTAIN] = "wedged",  [NSD_WEDGE_LOCKED] = "locked",
        [NSD_WEDGE_FREE] = "not locked",
    };

    add_string(object, "go", wedge->version[0] != '\0' ? wedge->version : NULL);
    add_string(object, "m0", words[wedge->state]);
    if (wedge->why[0] != '\0' && wedge->state == NSD_WEDGE_UNKNOWN)
        add_string(object, "m0_why", wedge->why);
    if (wedge->goroutine > 0)
        add_number(object, "m0_goroutine", (uint64_t) wedge->goroutine);
}

static void put_object(struct json_object *object) {
    fprintf(out, "%s\n",
            json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
                                                       JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
}

static struct json_object *begin_object(const char *type) {
    struct json_object *object = json_object_new_object();

    add_string(object, "type", type);
    add_number(object, "schema", 1);
    return object;
}

static void print_json(const struct scan *scan, const struct picture *picture) {
    const struct nsd_tasks *tasks = picture->tasks;
    struct json_object *object, *threads, *unread;

    if (scan->all && picture->differing == 0 && picture->unread == 0)
        return;
    object = begin_object("scan");
    threads = json_object_new_array();
    unread = json_object_new_array();
    add_number(object, "pid", (uint64_t) tasks->pid);
    add_string(object, "program", tasks->name);
    add_number(object, "threads", tasks->count);
    json_object_object_add(object, tasks->has_leader ? "leader" : "most",
                           places_object(tasks, picture->reference));
    add_kinds(object, "odd_leader", picture->odd_leader);
    if (picture->odd_leader != 0)
        add_wedge(object, &picture->wedge);
    for (size_t i = 0; i < tasks->count; i++) {
        const struct nsd_task *task = &tasks->task[i];

        if (picture->difference[i] != 0)
            json_object_array_add(threads, thread_object(picture, i));
        if (task->unread != 0) {
            struct json_object *one = json_object_new_object();

            add_number(one, "tid", (uint64_t) task->tid);
            add_kinds(one, "kinds", task->unread);
            add_string(one, "errno", strerrorname_np(task->error));
            json_object_array_add(unread, one);
        }
    }
    json_object_object_add(object, "differ", threads);
    json_object_object_add(object, "unread", unread);
    json_object_object_add(object, "settled", json_object_new_boolean(!tasks->unsettled));
    put_object(object);
}

static void print_refusal_json(const struct nsd_tasks *tasks, int error) {
    struct json_object *object = begin_object("scan-unread");

    add_number(object, "pid", (uint64_t) tasks->pid);
    add_string(object, "program", tasks->name[0] != '\0' ? tasks->name : NULL);
    add_string(object, "errno", strerrorname_np(error));
    put_object(object);
}

/* ---- the whole ---- */

/* False: there is no such process. */
static bool scan_process(struct scan *scan, pid_t pid) {
    struct nsd_tasks tasks;
    struct picture picture;
    int error = tasks__read(&tasks, pid);

    if (error == ESRCH) {
        tasks__free(&tasks);
        return false;
    }
    if (error == 0 && !take_picture(&picture, &tasks))
        error = ENOMEM;
    if (error != 0) {
        if (scan->unread_processes < sizeof scan->refused / sizeof scan->refused[0])
            scan->refused[scan->unread_processes] = pid;
        scan->unread_processes++;
        scan->error = error;
        if (scan->json)
            print_refusal_json(&tasks, error);
        else if (!scan->all)
            command__say("%d (%s): %s", (int) pid, tasks.name, strerror(error));
    } else {
        scan->processes++;
        scan->threads += tasks.count - picture.unread;
        scan->differing += picture.differing;
        scan->unread_threads += picture.unread;
        if (scan->json)
            print_json(scan, &picture);
        else
            print_text(scan, &picture);
        free(picture.difference);
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

static void print_sum(const struct scan *scan) {
    if (scan->json) {
        struct json_object *object = begin_object("scan-sum");

        add_number(object, "processes", scan->processes);
        add_number(object, "threads", scan->threads);
        add_number(object, "differ", scan->differing);
        add_number(object, "unread_processes", scan->unread_processes);
        add_number(object, "unread_threads", scan->unread_threads);
        put_object(object);
        return;
    }
    fprintf(out, "%zu %s, %zu threads: %zu %s\n", scan->processes,
            scan->processes == 1 ? "process" : "processes", scan->threads, scan->differing,
            scan->differing == 1 ? "is not where its leader is"
                                 : "are not where their leaders are");
    if (scan->unread_processes > 0) {
        size_t shown = sizeof scan->refused / sizeof scan->refused[0];

        fprintf(out, "not read: %zu %s (%s):", scan->unread_processes,
                scan->unread_processes == 1 ? "process" : "processes", strerror(scan->error));
        for (size_t i = 0; i < scan->unread_processes && i < shown; i++)
            fprintf(out, " %d", (int) scan->refused[i]);
        fputs(scan->unread_processes > shown ? " ...\n" : "\n", out);
    }
}

int command__scan(int argc, char **argv) {
    struct scan scan = {0};
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
    scan.all = optind == argc;
    pager__begin(&scan.pager, !scan.json, false);
    out = scan.pager.out;
    for (int i = optind; i < argc; i++)
        scan_given(&scan, argv[i]);
    if (scan.all) {
        scan_everything(&scan);
        print_sum(&scan);
    }
    if (!pager__end(&scan.pager)) {
        command__say("the answer could not be written: %s", strerror(errno));
        return NSD_STATUS_UNSEEN;
    }
    if (scan.differing > 0)
        return NSD_STATUS_FOUND;
    return scan.processes > 0 ? NSD_STATUS_CLEAN : NSD_STATUS_UNSEEN;
}
