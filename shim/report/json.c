/*
 * Views as JSON lines, see json.h. A key that is here stays: programs were written against it. New
 * ones may be added.
 */
#include "report/json.h"
#include "base/memory.h"

#define SCHEMA 1u

/*
 * A comma where one is due, told by the last character: this keeps the code below free of "first"
 * flags. A sink that empties the buffer within a line must leave that character (log.c does).
 */
static void put_comma(struct nsd_text *text) {
    char last = text->used > 0 ? text->buffer[text->used - 1] : '\n';

    if (last != '{' && last != '[' && last != ':' && last != '\n')
        text__put_char(text, ',');
}

static void put_key(struct nsd_text *text, const char *key) {
    put_comma(text);
    text__put_char(text, '"');
    text__put(text, key);
    text__put(text, "\":");
}

static void put_null(struct nsd_text *text, const char *key) {
    put_key(text, key);
    text__put(text, "null");
}

static void put_string(struct nsd_text *text, const char *key, const char *string) {
    if (string == NULL) {
        put_null(text, key);
        return;
    }
    put_key(text, key);
    text__json_string(text, string);
}

static void put_signed(struct nsd_text *text, const char *key, int64_t value) {
    put_key(text, key);
    text__signed(text, value);
}

static void put_unsigned(struct nsd_text *text, const char *key, uint64_t value) {
    put_key(text, key);
    text__unsigned(text, value);
}

/* 0 stands for unknown: inodes, tids, goroutines. */
static void put_known(struct nsd_text *text, const char *key, int64_t value) {
    if (value == 0)
        put_null(text, key);
    else
        put_signed(text, key, value);
}

static void put_boolean(struct nsd_text *text, const char *key, bool value) {
    put_key(text, key);
    text__put(text, value ? "true" : "false");
}

static void begin(struct nsd_text *text, const char *type) {
    put_comma(text);
    text__put_char(text, '{');
    if (type == NULL)
        return;
    put_string(text, "type", type);
    put_unsigned(text, "schema", SCHEMA);
}

static void end(struct nsd_text *text) {
    text__put_char(text, '}');
}

static void begin_list(struct nsd_text *text, const char *key) {
    put_key(text, key);
    text__put_char(text, '[');
}

static void end_list(struct nsd_text *text) {
    text__put_char(text, ']');
}

static void put_frame(struct nsd_text *text, const struct nsd_view_frame *frame) {
    begin(text, NULL);
    put_string(text, "function", frame->function);
    put_string(text, "file", frame->file);
    put_known(text, "line", frame->line);
    put_string(text, "module", frame->module);
    put_unsigned(text, "offset", frame->offset);
    put_string(text, "build_id", frame->build_id);
    end(text);
}

static void put_stack(struct nsd_text *text, const char *key, const struct nsd_view_stack *stack) {
    begin_list(text, key);
    for (unsigned i = 0; i < stack->depth; i++)
        put_frame(text, &stack->frame[i]);
    end_list(text);
}

static void put_locked(struct nsd_text *text, enum nsd_view_locked locked, const char *lock) {
    if (locked == NSD_VIEW_LOCKED_UNKNOWN)
        put_null(text, "locked");
    else
        put_boolean(text, "locked", locked == NSD_VIEW_LOCKED_YES);
    put_string(text, "lock", lock);
}

static void put_call(struct nsd_text *text, const struct nsd_view_call *call) {
    put_string(text, "call", call->name);
    put_string(text, "arguments", call->arguments);
    if (call->has_result)
        put_signed(text, "result", call->error != NULL ? -1 : call->result);
    else
        put_null(text, "result");
    put_string(text, "errno", call->error);
}

static void put_strings(struct nsd_text *text, const char *key, const char *const *list,
                        unsigned count) {
    begin_list(text, key);
    for (unsigned i = 0; i < count; i++) {
        put_comma(text);
        text__json_string(text, list[i]);
    }
    end_list(text);
}

static void put_namespaces(struct nsd_text *text, const struct nsd_view_namespace *namespaces,
                           unsigned count) {
    put_key(text, "namespaces");
    text__put_char(text, '{');
    for (unsigned i = 0; i < count; i++) {
        put_key(text, namespaces[i].kind);
        text__put_char(text, '{');
        put_known(text, "before", (int64_t) namespaces[i].before);
        put_known(text, "after", (int64_t) namespaces[i].after);
        put_known(text, "home", (int64_t) namespaces[i].home);
        end(text);
    }
    end(text);
}

static void put_related(struct nsd_text *text, const struct nsd_view_related *related) {
    begin(text, NULL);
    put_string(text, "what", related->what);
    put_known(text, "tid", related->tid);
    put_known(text, "goroutine", related->goroutine);
    put_stack(text, "stack", &related->stack);
    end(text);
}

static void put_consequence(struct nsd_text *text, const struct nsd_view_consequence *then) {
    begin(text, NULL);
    put_string(text, "rule", then->rule);
    put_string(text, "severity", then->severity);
    put_string(text, "message", then->message);
    put_known(text, "tid", then->tid);
    put_known(text, "goroutine", then->goroutine);
    put_stack(text, "stack", &then->stack);
    end(text);
}

static void put_image(struct nsd_text *text, const struct nsd_view_image *image) {
    put_signed(text, "pid", image->pid);
    put_known(text, "pid_ns", (int64_t) image->pid_ns);
    put_string(text, "program", image->program);
}

void as_json__finding(struct nsd_text *text, const struct nsd_view_finding *finding) {
    begin(text, "finding");
    put_string(text, "rule", finding->rule);
    put_string(text, "severity", finding->severity);
    put_string(text, "message", finding->message);
    put_string(text, "remedy", finding->remedy);
    put_string(text, "fingerprint", finding->fingerprint);
    put_unsigned(text, "count", finding->count);
    put_string(text, "time", finding->time);
    put_image(text, &finding->image);
    put_signed(text, "tid", finding->tid);
    put_boolean(text, "main_thread", finding->main_thread);
    put_known(text, "goroutine", finding->goroutine);
    put_locked(text, finding->locked, finding->lock);
    put_call(text, &finding->call);
    put_namespaces(text, finding->namespaces, finding->namespace_count);
    put_stack(text, "stack", &finding->stack);
    begin_list(text, "related");
    for (unsigned i = 0; i < finding->related_count; i++)
        put_related(text, &finding->related[i]);
    end_list(text);
    begin_list(text, "consequences");
    for (unsigned i = 0; i < finding->consequence_count; i++)
        put_consequence(text, &finding->consequences[i]);
    end_list(text);
    end(text);
    text__put_char(text, '\n');
}

void as_json__event(struct nsd_text *text, const struct nsd_view_event *event) {
    begin(text, "event");
    put_string(text, "time", event->time);
    put_image(text, &event->image);
    put_signed(text, "tid", event->tid);
    put_known(text, "other_tid", event->other_tid);
    put_known(text, "goroutine", event->goroutine);
    put_locked(text, event->locked, event->lock);
    put_call(text, &event->call);
    put_strings(text, "kinds", event->kinds, event->kind_count);
    begin_list(text, "lines");
    for (unsigned i = 0; i < event->lines.depth; i++) {
        begin(text, NULL);
        put_string(text, "function", event->lines.frame[i].function);
        put_string(text, "file", event->lines.frame[i].file);
        put_known(text, "line", event->lines.frame[i].line);
        end(text);
    }
    end_list(text);
    end(text);
    text__put_char(text, '\n');
}

void as_json__thread(struct nsd_text *text, const struct nsd_view_thread *thread) {
    begin(text, "thread");
    put_image(text, &thread->image);
    put_signed(text, "tid", thread->tid);
    put_string(text, "name", thread->name);
    put_boolean(text, "main_thread", thread->main_thread);
    put_known(text, "born_of", thread->born_of);
    put_stack(text, "born_at", &thread->born_at);
    put_known(text, "goroutine", thread->goroutine);
    put_locked(text, thread->locked, thread->lock);
    put_key(text, "namespaces");
    text__put_char(text, '{');
    for (unsigned i = 0; i < thread->namespace_count; i++) {
        const struct nsd_view_namespace *one = &thread->namespaces[i];

        put_key(text, one->kind);
        text__put_char(text, '{');
        put_known(text, "current", (int64_t) one->after);
        put_known(text, "home", (int64_t) one->home);
        end(text);
    }
    end(text);
    put_strings(text, "switched", thread->switched, thread->switched_count);
    end(text);
    text__put_char(text, '\n');
}

void as_json__coverage(struct nsd_text *text, const struct nsd_view_coverage *coverage) {
    begin(text, "coverage");
    put_string(text, "time", coverage->time);
    put_image(text, &coverage->image);
    put_string(text, "image", coverage->path);
    put_string(text, "go", coverage->go);
    put_boolean(text, "go_unknown", coverage->go_unknown);
    put_boolean(text, "go_newer", coverage->go_newer);
    put_unsigned(text, "go_sites", coverage->go_sites);
    put_unsigned(text, "go_sites_watched", coverage->go_sites_watched);
    put_unsigned(text, "libc_functions", coverage->libc_functions);
    put_strings(text, "probes", coverage->probes, coverage->probe_count);
    begin_list(text, "missing");
    for (unsigned i = 0; i < coverage->missing_count; i++) {
        begin(text, NULL);
        put_string(text, "probe", coverage->missing[i].probe);
        put_string(text, "why", coverage->missing[i].why);
        end(text);
    }
    end_list(text);
    put_unsigned(text, "threads", coverage->threads);
    put_unsigned(text, "events", coverage->events);
    put_unsigned(text, "lost", coverage->lost);
    put_string(text, "cross_check", coverage->cross_check);
    put_string(text, "ended", coverage->ended);
    put_unsigned(text, "errors", coverage->errors);
    put_unsigned(text, "warnings", coverage->warnings);
    put_unsigned(text, "notes", coverage->notes);
    end(text);
    text__put_char(text, '\n');
}

void as_json__exec_failed(struct nsd_text *text, const struct nsd_view_image *image,
                          const char *time, const char *error) {
    begin(text, "exec-failed");
    put_string(text, "time", time);
    put_image(text, image);
    put_string(text, "errno", error);
    end(text);
    text__put_char(text, '\n');
}
