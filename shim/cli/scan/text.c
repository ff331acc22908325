/*
 * Prints a scan as text, at most 80 columns wide, see print.h. Threads that are in the same
 * namespaces are one entry.
 */
#include "cli/scan/print.h"
#include <string.h>

#define TIDS_SHOWN 5

static FILE *out;

static void put_inode(uint64_t inode) {
    if (inode == NSD_TASK_NEW)
        fprintf(out, "%-10s", "a new one");
    else
        fprintf(out, "%-10llu", (unsigned long long) inode);
}

/* The number of threads in the same namespaces as this one, and whether it is the first of them. */
static size_t alike(const struct nsd_scan_picture *picture, size_t index, bool *is_first) {
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

static void put_threads(const struct nsd_scan_picture *picture, size_t index, size_t count) {
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

static void put_kinds(const struct nsd_scan_picture *picture, size_t index) {
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
        fputs("M0 is wedged: its goroutine ended while it was locked to it.\n"
              "  It stays there for good, and /proc/PID/ns is not where the program is.\n",
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

static void put_since(const struct nsd_scan_picture *picture) {
    const struct nsd_since *since = &picture->since;
    bool alike_all = picture->differing == 0;

    if (!picture->has_since)
        return;
    /* "all threads" if they are alike, else the leader, whose namespaces /proc/PID/ns shows. */
    fprintf(out, "  %s %swhere %s started%s\n",
            alike_all                    ? "They are"
            : picture->tasks->has_leader ? "The leader is"
                                         : "Most are",
            since->moved == 0 ? "" : "not ",
            alike_all || !picture->tasks->has_leader ? "they" : "it",
            since->moved == 0 ? "." : ":");
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((since->moved & NSD_KIND_BIT(kind)) == 0)
            continue;
        fprintf(out, "      %-18s", kinds__name((enum nsd_kind) kind));
        put_inode(picture->reference[kind]);
        if (since->started[kind] != 0)
            fprintf(out, "  started in %llu", (unsigned long long) since->started[kind]);
        fprintf(out, "%s%s\n", since->by[kind][0] != '\0' ? "\n          by " : "",
                since->by[kind]);
    }
    if (since->gap)
        fputs("  The recording has lost some of its events: there may be more.\n", out);
}

static void put_unread(const struct nsd_scan_picture *picture) {
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

void scan_text__print(FILE *to, bool colour, const struct nsd_scan_picture *picture) {
    const struct nsd_tasks *tasks = picture->tasks;

    out = to;
    if (picture->differing > 0)
        fputs(colour ? "\033[1m" : "", out);
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
    fprintf(out, "%s\n", picture->differing > 0 && colour ? "\033[0m" : "");
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
    put_since(picture);
    put_unread(picture);
}

void scan_text__print_sum(FILE *to, const struct nsd_scan_sum *sum) {
    out = to;
    fprintf(out, "%zu %s, %zu %s: %zu %s\n", sum->processes,
            sum->processes == 1 ? "process" : "processes", sum->threads,
            sum->threads == 1 ? "thread" : "threads", sum->differing,
            sum->differing == 1 ? "is not where its leader is" : "are not where their leaders are");
    if (sum->unread_processes > 0) {
        size_t shown = sizeof sum->refused / sizeof sum->refused[0];

        fprintf(out, "not read: %zu %s (%s):", sum->unread_processes,
                sum->unread_processes == 1 ? "process" : "processes", strerror(sum->error));
        for (size_t i = 0; i < sum->unread_processes && i < shown; i++)
            fprintf(out, " %d", (int) sum->refused[i]);
        fputs(sum->unread_processes > shown ? " ...\n" : "\n", out);
    }
}
