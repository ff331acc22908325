/*
 * Prints a scan as JSON, one line for each process, with each differing thread in it. See print.h.
 */
#include "cli/scan/print.h"
#include "report/json_writer.h"
#include <string.h>

static void empty(struct nsd_text *text, void *context) {
    fwrite(text->buffer, 1, text->used - 1, context);
    json__leave_last(text);
}

static char buffer[16 * 1024];

static void begin_line(struct nsd_text *text, FILE *out, const char *type) {
    text__begin(text, buffer, sizeof buffer);
    text->sink = empty;
    text->context = out;
    json__begin_line(text, type);
}

static void end_line(struct nsd_text *text) {
    json__end_line(text);
    fwrite(text->buffer, 1, text->used, text->context);
}

static void put_kinds(struct nsd_text *text, const char *key, nsd_kinds kinds) {
    json__begin_list(text, key);
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((kinds & NSD_KIND_BIT(kind)) != 0)
            json__string(text, NULL, kinds__name((enum nsd_kind) kind));
    }
    json__end_list(text);
}

/* null for a pid namespace without a process: the kernel does not show its inode. */
static void put_inode(struct nsd_text *text, const char *key, uint64_t inode) {
    if (inode > NSD_TASK_NEW)
        json__unsigned(text, key, inode);
    else
        json__null(text, key);
}

static void put_places(struct nsd_text *text, const struct nsd_tasks *tasks,
                       const uint64_t *inode) {
    json__begin_object(text, tasks->has_leader ? "leader" : "most");
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((tasks->kinds & NSD_KIND_BIT(kind)) != 0)
            put_inode(text, kinds__name((enum nsd_kind) kind), inode[kind]);
    }
    json__end_object(text);
}

static void put_thread(struct nsd_text *text, const struct nsd_scan_picture *picture,
                       size_t index) {
    const struct nsd_tasks *tasks = picture->tasks;
    const struct nsd_task *task = &tasks->task[index];
    char name[32];

    tasks__name(tasks->pid, task->tid, name, sizeof name);
    json__begin_object(text, NULL);
    json__signed(text, "tid", task->tid);
    json__string(text, "name", name);
    json__begin_object(text, "namespaces");
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((picture->difference[index] & NSD_KIND_BIT(kind)) == 0)
            continue;
        json__begin_object(text, kinds__name((enum nsd_kind) kind));
        put_inode(text, "current", task->inode[kind]);
        put_inode(text, tasks->has_leader ? "leader" : "most", picture->reference[kind]);
        json__end_object(text);
    }
    json__end_object(text);
    json__end_object(text);
}

static void put_unread(struct nsd_text *text, const struct nsd_task *task) {
    json__begin_object(text, NULL);
    json__signed(text, "tid", task->tid);
    put_kinds(text, "kinds", task->unread);
    json__string(text, "errno", strerrorname_np(task->error));
    json__end_object(text);
}

static void put_wedge(struct nsd_text *text, const struct nsd_wedge *wedge) {
    static const char *const words[] = {
        [NSD_WEDGE_NOT_GO] = NULL,       [NSD_WEDGE_UNKNOWN] = "may be wedged",
        [NSD_WEDGE_CERTAIN] = "wedged",  [NSD_WEDGE_LOCKED] = "locked",
        [NSD_WEDGE_FREE] = "not locked",
    };

    json__string(text, "go", wedge->version[0] != '\0' ? wedge->version : NULL);
    json__string(text, "m0", words[wedge->state]);
    if (wedge->why[0] != '\0' && wedge->state == NSD_WEDGE_UNKNOWN)
        json__string(text, "m0_why", wedge->why);
    if (wedge->goroutine > 0)
        json__signed(text, "m0_goroutine", wedge->goroutine);
}

static void put_since(struct nsd_text *text, const struct nsd_scan_picture *picture) {
    const struct nsd_since *since = &picture->since;

    json__begin_object(text, "since");
    json__begin_object(text, "moved");
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((since->moved & NSD_KIND_BIT(kind)) == 0)
            continue;
        json__begin_object(text, kinds__name((enum nsd_kind) kind));
        put_inode(text, "current", picture->reference[kind]);
        put_inode(text, "started", since->started[kind]);
        json__string(text, "by", since->by[kind][0] != '\0' ? since->by[kind] : NULL);
        json__end_object(text);
    }
    json__end_object(text);
    json__boolean(text, "gap", since->gap);
    json__end_object(text);
}

void scan_json__print(FILE *out, const struct nsd_scan_picture *picture) {
    const struct nsd_tasks *tasks = picture->tasks;
    struct nsd_text text;

    begin_line(&text, out, "scan");
    json__signed(&text, "pid", tasks->pid);
    json__string(&text, "program", tasks->name);
    json__unsigned(&text, "threads", tasks->count);
    put_places(&text, tasks, picture->reference);
    put_kinds(&text, "odd_leader", picture->odd_leader);
    if (picture->odd_leader != 0)
        put_wedge(&text, &picture->wedge);
    json__begin_list(&text, "differ");
    for (size_t i = 0; i < tasks->count; i++) {
        if (picture->difference[i] != 0)
            put_thread(&text, picture, i);
    }
    json__end_list(&text);
    json__begin_list(&text, "unread");
    for (size_t i = 0; i < tasks->count; i++) {
        if (tasks->task[i].unread != 0)
            put_unread(&text, &tasks->task[i]);
    }
    json__end_list(&text);
    if (picture->has_since)
        put_since(&text, picture);
    json__boolean(&text, "settled", !tasks->unsettled);
    end_line(&text);
}

void scan_json__print_refusal(FILE *out, const struct nsd_tasks *tasks, int error) {
    struct nsd_text text;

    begin_line(&text, out, "scan-unread");
    json__signed(&text, "pid", tasks->pid);
    json__string(&text, "program", tasks->name[0] != '\0' ? tasks->name : NULL);
    json__string(&text, "errno", strerrorname_np(error));
    end_line(&text);
}

void scan_json__print_sum(FILE *out, const struct nsd_scan_sum *sum) {
    struct nsd_text text;

    begin_line(&text, out, "scan-sum");
    json__unsigned(&text, "processes", sum->processes);
    json__unsigned(&text, "threads", sum->threads);
    json__unsigned(&text, "differ", sum->differing);
    json__unsigned(&text, "moved_processes", sum->moved);
    json__unsigned(&text, "unread_processes", sum->unread_processes);
    json__unsigned(&text, "unread_threads", sum->unread_threads);
    end_line(&text);
}
