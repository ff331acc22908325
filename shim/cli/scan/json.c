/*
 * A scan for programs, see scan_print.h: a line a process, each thread by itself.
 */
#include "cli/scan/print.h"
#include <json-c/json.h>
#include <string.h>

static FILE *out;

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

static struct json_object *thread_object(const struct nsd_scan_picture *picture, size_t index) {
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

static struct json_object *since_object(const struct nsd_scan_picture *picture) {
    const struct nsd_since *since = &picture->since;
    struct json_object *object = json_object_new_object(), *map = json_object_new_object();

    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        struct json_object *one;

        if ((since->moved & NSD_KIND_BIT(kind)) == 0)
            continue;
        one = json_object_new_object();
        json_object_object_add(one, "current", inode_object(picture->reference[kind]));
        json_object_object_add(one, "started", inode_object(since->started[kind]));
        add_string(one, "by", since->by[kind][0] != '\0' ? since->by[kind] : NULL);
        json_object_object_add(map, kinds__name((enum nsd_kind) kind), one);
    }
    json_object_object_add(object, "moved", map);
    json_object_object_add(object, "gap", json_object_new_boolean(since->gap));
    return object;
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

void scan_json__print(FILE *to, const struct nsd_scan_picture *picture) {
    const struct nsd_tasks *tasks = picture->tasks;
    struct json_object *object, *threads, *unread;

    out = to;
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
    if (picture->has_since)
        json_object_object_add(object, "since", since_object(picture));
    json_object_object_add(object, "settled", json_object_new_boolean(!tasks->unsettled));
    put_object(object);
}

void scan_json__print_refusal(FILE *to, const struct nsd_tasks *tasks, int error) {
    struct json_object *object = begin_object("scan-unread");

    out = to;
    add_number(object, "pid", (uint64_t) tasks->pid);
    add_string(object, "program", tasks->name[0] != '\0' ? tasks->name : NULL);
    add_string(object, "errno", strerrorname_np(error));
    put_object(object);
}

void scan_json__print_sum(FILE *to, const struct nsd_scan_sum *sum) {
    struct json_object *object = begin_object("scan-sum");

    out = to;
    add_number(object, "processes", sum->processes);
    add_number(object, "threads", sum->threads);
    add_number(object, "differ", sum->differing);
    add_number(object, "moved_processes", sum->moved);
    add_number(object, "unread_processes", sum->unread_processes);
    add_number(object, "unread_threads", sum->unread_threads);
    put_object(object);
}
