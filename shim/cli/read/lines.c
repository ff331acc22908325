/*
 * JSON lines to views, see lines.h; by json-c.
 */
#include "cli/read/lines.h"
#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST 64
#define FRAMES_MOST (DEPTH_MOST * (2 + NSD_VIEW_RELATED + NSD_VIEW_CONSEQUENCES))

static struct nsd_view_frame frames[FRAMES_MOST];
static unsigned frames_used;

/* ---- values, each with "unknown" where there is none ---- */

static struct json_object *value_of(struct json_object *object, const char *key) {
    struct json_object *value = NULL;

    if (object == NULL || !json_object_is_type(object, json_type_object))
        return NULL;
    json_object_object_get_ex(object, key, &value);
    return value;
}

static const char *string_in(struct json_object *value) {
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static const char *string_of(struct json_object *object, const char *key) {
    return string_in(value_of(object, key));
}

/* For what a printer takes for granted. */
static const char *word_of(struct json_object *object, const char *key) {
    const char *string = string_of(object, key);

    return string != NULL ? string : "";
}

static int64_t number_of(struct json_object *object, const char *key) {
    struct json_object *value = value_of(object, key);

    return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : 0;
}

static uint64_t unsigned_of(struct json_object *object, const char *key) {
    return (uint64_t) number_of(object, key);
}

static bool boolean_of(struct json_object *object, const char *key) {
    struct json_object *value = value_of(object, key);

    return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

static struct json_object *list_of(struct json_object *object, const char *key, unsigned most,
                                   unsigned *count) {
    struct json_object *value = value_of(object, key);

    *count = 0;
    if (!json_object_is_type(value, json_type_array))
        return NULL;
    *count = (unsigned) json_object_array_length(value);
    if (*count > most)
        *count = most;
    return value;
}

/* ---- parts ---- */

static void read_image(struct json_object *object, struct nsd_view_image *image) {
    image->pid = (int32_t) number_of(object, "pid");
    image->pid_ns = unsigned_of(object, "pid_ns");
    image->program = string_of(object, "program");
}

static enum nsd_view_locked read_locked(struct json_object *object) {
    struct json_object *value = value_of(object, "locked");

    if (!json_object_is_type(value, json_type_boolean))
        return NSD_VIEW_LOCKED_UNKNOWN;
    return json_object_get_boolean(value) ? NSD_VIEW_LOCKED_YES : NSD_VIEW_LOCKED_NO;
}

static void read_stack(struct json_object *object, const char *key, struct nsd_view_stack *stack) {
    unsigned count;
    struct json_object *list = list_of(object, key, DEPTH_MOST, &count);

    stack->frame = &frames[frames_used];
    stack->depth = 0;
    for (unsigned i = 0; i < count && frames_used < FRAMES_MOST; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        struct nsd_view_frame *frame = &frames[frames_used++];

        frame->function = string_of(one, "function");
        frame->file = string_of(one, "file");
        frame->module = string_of(one, "module");
        frame->build_id = string_of(one, "build_id");
        frame->offset = unsigned_of(one, "offset");
        frame->line = (uint32_t) number_of(one, "line");
        stack->depth++;
    }
}

static void read_call(struct json_object *object, struct nsd_view_call *call) {
    call->name = string_of(object, "call");
    call->arguments = string_of(object, "arguments");
    call->error = string_of(object, "errno");
    call->result = number_of(object, "result");
    call->has_result = value_of(object, "result") != NULL;
}

static unsigned read_strings(struct json_object *object, const char *key, const char **strings,
                             unsigned most) {
    unsigned count, used = 0;
    struct json_object *list = list_of(object, key, most, &count);

    for (unsigned i = 0; i < count; i++) {
        const char *string = string_in(json_object_array_get_idx(list, i));

        if (string != NULL)
            strings[used++] = string;
    }
    return used;
}

static unsigned read_namespaces(struct json_object *object, struct nsd_view_namespace *namespaces) {
    struct json_object *map = value_of(object, "namespaces");
    unsigned count = 0;

    if (!json_object_is_type(map, json_type_object))
        return 0;
    json_object_object_foreach(map, kind, one) {
        struct nsd_view_namespace *namespace = &namespaces[count];

        if (count == NSD_VIEW_NAMESPACES)
            break;
        namespace->kind = kind;
        namespace->before = unsigned_of(one, "before");
        namespace->after = unsigned_of(one, "after");
        if (value_of(one, "current") != NULL)
        namespace->after = unsigned_of(one, "current");
        namespace->home = unsigned_of(one, "home");
        count++;
    }
    return count;
}

/* ---- whole lines ---- */

static const struct {
    const char *name;
    enum nsd_line_type type;
} types[] = {
    {"finding", NSD_LINE_FINDING},         {"coverage", NSD_LINE_COVERAGE},
    {"thread", NSD_LINE_THREAD},           {"event", NSD_LINE_EVENT},
    {"exec-failed", NSD_LINE_EXEC_FAILED},
};

bool lines__parse(struct nsd_line *line, const char *text, size_t size) {
    const char *type;

    memset(line, 0, sizeof *line);
    line->text = strndup(text, size);
    if (line->text == NULL)
        return false;
    line->object = json_tokener_parse(line->text);
    type = string_of(line->object, "type");
    if (type == NULL) {
        lines__free(line);
        return false;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(type, types[i].name) == 0)
            line->type = types[i].type;
    }
    line->pid = (int32_t) number_of(line->object, "pid");
    line->pid_ns = unsigned_of(line->object, "pid_ns");
    return true;
}

void lines__free(struct nsd_line *line) {
    json_object_put(line->object);
    free(line->text);
    memset(line, 0, sizeof *line);
}

void lines__finding(const struct nsd_line *line, struct nsd_view_finding *view) {
    struct json_object *object = line->object, *list;

    frames_used = 0;
    memset(view, 0, sizeof *view);
    read_image(object, &view->image);
    view->rule = word_of(object, "rule");
    view->severity = word_of(object, "severity");
    view->message = word_of(object, "message");
    view->remedy = string_of(object, "remedy");
    view->fingerprint = word_of(object, "fingerprint");
    view->time = word_of(object, "time");
    view->count = (uint32_t) number_of(object, "count");
    view->tid = (int32_t) number_of(object, "tid");
    view->goroutine = number_of(object, "goroutine");
    view->main_thread = boolean_of(object, "main_thread");
    view->locked = read_locked(object);
    view->lock = string_of(object, "lock");
    read_call(object, &view->call);
    view->namespace_count = read_namespaces(object, view->namespaces);
    read_stack(object, "stack", &view->stack);
    list = list_of(object, "related", NSD_VIEW_RELATED, &view->related_count);
    for (unsigned i = 0; i < view->related_count; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        struct nsd_view_related *related = &view->related[i];

        related->what = word_of(one, "what");
        related->tid = (int32_t) number_of(one, "tid");
        related->goroutine = number_of(one, "goroutine");
        read_stack(one, "stack", &related->stack);
    }
    list = list_of(object, "consequences", NSD_VIEW_CONSEQUENCES, &view->consequence_count);
    for (unsigned i = 0; i < view->consequence_count; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        struct nsd_view_consequence *then = &view->consequences[i];

        then->rule = word_of(one, "rule");
        then->severity = word_of(one, "severity");
        then->message = word_of(one, "message");
        then->tid = (int32_t) number_of(one, "tid");
        then->goroutine = number_of(one, "goroutine");
        read_stack(one, "stack", &then->stack);
    }
}

void lines__coverage(const struct nsd_line *line, struct nsd_view_coverage *view) {
    struct json_object *object = line->object, *list;

    memset(view, 0, sizeof *view);
    read_image(object, &view->image);
    view->time = word_of(object, "time");
    view->path = string_of(object, "image");
    view->go = string_of(object, "go");
    view->go_unknown = boolean_of(object, "go_unknown");
    view->go_newer = boolean_of(object, "go_newer");
    view->go_sites = (unsigned) number_of(object, "go_sites");
    view->go_sites_watched = (unsigned) number_of(object, "go_sites_watched");
    view->libc_functions = (unsigned) number_of(object, "libc_functions");
    view->probe_count = read_strings(object, "probes", view->probes, NSD_VIEW_PROBES);
    list = list_of(object, "missing", NSD_VIEW_PROBES, &view->missing_count);
    for (unsigned i = 0; i < view->missing_count; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);

        view->missing[i].probe = word_of(one, "probe");
        view->missing[i].why = word_of(one, "why");
    }
    view->threads = unsigned_of(object, "threads");
    view->events = unsigned_of(object, "events");
    view->lost = unsigned_of(object, "lost");
    view->cross_check = string_of(object, "cross_check");
    view->ended = string_of(object, "ended");
    view->errors = (unsigned) number_of(object, "errors");
    view->warnings = (unsigned) number_of(object, "warnings");
    view->notes = (unsigned) number_of(object, "notes");
}

void lines__thread(const struct nsd_line *line, struct nsd_view_thread *view) {
    struct json_object *object = line->object;

    frames_used = 0;
    memset(view, 0, sizeof *view);
    read_image(object, &view->image);
    view->tid = (int32_t) number_of(object, "tid");
    view->born_of = (int32_t) number_of(object, "born_of");
    view->name = string_of(object, "name");
    view->main_thread = boolean_of(object, "main_thread");
    view->goroutine = number_of(object, "goroutine");
    view->locked = read_locked(object);
    view->lock = string_of(object, "lock");
    read_stack(object, "born_at", &view->born_at);
    view->namespace_count = read_namespaces(object, view->namespaces);
    view->switched_count =
        read_strings(object, "switched", view->switched, NSD_VIEW_NAMESPACES + 2);
}

void lines__event(const struct nsd_line *line, struct nsd_view_event *view) {
    struct json_object *object = line->object;

    frames_used = 0;
    memset(view, 0, sizeof *view);
    read_image(object, &view->image);
    view->time = word_of(object, "time");
    view->tid = (int32_t) number_of(object, "tid");
    view->other_tid = (int32_t) number_of(object, "other_tid");
    view->goroutine = number_of(object, "goroutine");
    view->locked = read_locked(object);
    view->lock = string_of(object, "lock");
    read_call(object, &view->call);
    if (view->call.name == NULL)
        view->call.name = "";
    view->kind_count = read_strings(object, "kinds", view->kinds, NSD_VIEW_NAMESPACES);
    read_stack(object, "lines", &view->lines);
}
