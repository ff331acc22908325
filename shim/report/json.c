/*
 * Prints views as JSON lines, see json.h. Programs rely on the keys: new ones may be added, none is
 * renamed or removed.
 */
#include "report/json.h"
#include "report/json_writer.h"

static void put_frame(struct nsd_text *text, const struct nsd_view_frame *frame) {
    json__begin_object(text, NULL);
    json__string(text, "function", frame->function);
    json__string(text, "file", frame->file);
    json__known(text, "line", frame->line);
    json__string(text, "module", frame->module);
    json__unsigned(text, "offset", frame->offset);
    json__string(text, "build_id", frame->build_id);
    json__end_object(text);
}

static void put_stack(struct nsd_text *text, const char *key, const struct nsd_view_stack *stack) {
    json__begin_list(text, key);
    for (unsigned i = 0; i < stack->depth; i++)
        put_frame(text, &stack->frame[i]);
    json__end_list(text);
}

static void put_locked(struct nsd_text *text, enum nsd_view_locked locked, const char *lock) {
    if (locked == NSD_VIEW_LOCKED_UNKNOWN)
        json__null(text, "locked");
    else
        json__boolean(text, "locked", locked == NSD_VIEW_LOCKED_YES);
    json__string(text, "lock", lock);
}

static void put_call(struct nsd_text *text, const struct nsd_view_call *call) {
    json__string(text, "call", call->name);
    json__string(text, "arguments", call->arguments);
    if (call->has_result)
        json__signed(text, "result", call->error != NULL ? -1 : call->result);
    else
        json__null(text, "result");
    json__string(text, "errno", call->error);
}

static void put_namespaces(struct nsd_text *text, const struct nsd_view_namespace *namespaces,
                           unsigned count) {
    json__begin_object(text, "namespaces");
    for (unsigned i = 0; i < count; i++) {
        json__begin_object(text, namespaces[i].kind);
        json__known(text, "before", (int64_t) namespaces[i].before);
        json__known(text, "after", (int64_t) namespaces[i].after);
        json__known(text, "home", (int64_t) namespaces[i].home);
        json__end_object(text);
    }
    json__end_object(text);
}

static void put_related(struct nsd_text *text, const struct nsd_view_related *related) {
    json__begin_object(text, NULL);
    json__string(text, "what", related->what);
    json__known(text, "tid", related->tid);
    json__known(text, "goroutine", related->goroutine);
    put_stack(text, "stack", &related->stack);
    json__end_object(text);
}

static void put_consequence(struct nsd_text *text, const struct nsd_view_consequence *then) {
    json__begin_object(text, NULL);
    json__string(text, "rule", then->rule);
    json__string(text, "severity", then->severity);
    json__string(text, "message", then->message);
    json__known(text, "tid", then->tid);
    json__known(text, "goroutine", then->goroutine);
    put_stack(text, "stack", &then->stack);
    json__end_object(text);
}

static void put_image(struct nsd_text *text, const struct nsd_view_image *image) {
    json__signed(text, "pid", image->pid);
    json__known(text, "pid_ns", (int64_t) image->pid_ns);
    json__string(text, "program", image->program);
}

static unsigned frames_left_out(const struct nsd_view_finding *finding) {
    unsigned count = finding->stack.left_out;

    for (unsigned i = 0; i < finding->related_count; i++)
        count += finding->related[i].stack.left_out;
    for (unsigned i = 0; i < finding->consequence_count; i++)
        count += finding->consequences[i].stack.left_out;
    return count;
}

/* The key is there only if something was left out. */
static void put_left_out(struct nsd_text *text, const struct nsd_view_finding *finding) {
    unsigned frames = frames_left_out(finding);

    if (frames == 0 && finding->consequences_left_out == 0)
        return;
    json__begin_object(text, "left_out");
    json__unsigned(text, "frames", frames);
    json__unsigned(text, "consequences", finding->consequences_left_out);
    json__end_object(text);
}

void as_json__finding(struct nsd_text *text, const struct nsd_view_finding *finding) {
    json__begin_line(text, "finding");
    json__string(text, "rule", finding->rule);
    json__string(text, "severity", finding->severity);
    json__string(text, "message", finding->message);
    json__string(text, "remedy", finding->remedy);
    json__string(text, "fingerprint", finding->fingerprint);
    json__unsigned(text, "count", finding->count);
    json__string(text, "time", finding->time);
    put_image(text, &finding->image);
    json__signed(text, "tid", finding->tid);
    json__boolean(text, "main_thread", finding->main_thread);
    json__known(text, "goroutine", finding->goroutine);
    put_locked(text, finding->locked, finding->lock);
    put_call(text, &finding->call);
    put_namespaces(text, finding->namespaces, finding->namespace_count);
    put_stack(text, "stack", &finding->stack);
    json__begin_list(text, "related");
    for (unsigned i = 0; i < finding->related_count; i++)
        put_related(text, &finding->related[i]);
    json__end_list(text);
    json__begin_list(text, "consequences");
    for (unsigned i = 0; i < finding->consequence_count; i++)
        put_consequence(text, &finding->consequences[i]);
    json__end_list(text);
    put_left_out(text, finding);
    json__end_line(text);
}

void as_json__event(struct nsd_text *text, const struct nsd_view_event *event) {
    json__begin_line(text, "event");
    json__string(text, "time", event->time);
    put_image(text, &event->image);
    json__signed(text, "tid", event->tid);
    json__known(text, "other_tid", event->other_tid);
    json__known(text, "goroutine", event->goroutine);
    put_locked(text, event->locked, event->lock);
    put_call(text, &event->call);
    json__strings(text, "kinds", event->kinds, event->kind_count);
    json__begin_list(text, "lines");
    for (unsigned i = 0; i < event->lines.depth; i++) {
        json__begin_object(text, NULL);
        json__string(text, "function", event->lines.frame[i].function);
        json__string(text, "file", event->lines.frame[i].file);
        json__known(text, "line", event->lines.frame[i].line);
        json__end_object(text);
    }
    json__end_list(text);
    json__end_line(text);
}

void as_json__thread(struct nsd_text *text, const struct nsd_view_thread *thread) {
    json__begin_line(text, "thread");
    put_image(text, &thread->image);
    json__signed(text, "tid", thread->tid);
    json__string(text, "name", thread->name);
    json__boolean(text, "main_thread", thread->main_thread);
    json__known(text, "born_of", thread->born_of);
    put_stack(text, "born_at", &thread->born_at);
    json__known(text, "goroutine", thread->goroutine);
    put_locked(text, thread->locked, thread->lock);
    json__begin_object(text, "namespaces");
    for (unsigned i = 0; i < thread->namespace_count; i++) {
        const struct nsd_view_namespace *one = &thread->namespaces[i];

        json__begin_object(text, one->kind);
        json__known(text, "current", (int64_t) one->after);
        json__known(text, "home", (int64_t) one->home);
        json__end_object(text);
    }
    json__end_object(text);
    json__strings(text, "switched", thread->switched, thread->switched_count);
    json__end_line(text);
}

void as_json__coverage(struct nsd_text *text, const struct nsd_view_coverage *coverage) {
    json__begin_line(text, "coverage");
    json__string(text, "time", coverage->time);
    put_image(text, &coverage->image);
    json__string(text, "image", coverage->path);
    json__string(text, "go", coverage->go);
    json__boolean(text, "go_unknown", coverage->go_unknown);
    json__boolean(text, "go_newer", coverage->go_newer);
    json__unsigned(text, "go_sites", coverage->go_sites);
    json__unsigned(text, "go_sites_watched", coverage->go_sites_watched);
    json__unsigned(text, "libc_functions", coverage->libc_functions);
    json__strings(text, "probes", coverage->probes, coverage->probe_count);
    json__begin_list(text, "missing");
    for (unsigned i = 0; i < coverage->missing_count; i++) {
        json__begin_object(text, NULL);
        json__string(text, "probe", coverage->missing[i].probe);
        json__string(text, "why", coverage->missing[i].why);
        json__end_object(text);
    }
    json__end_list(text);
    json__unsigned(text, "threads", coverage->threads);
    json__unsigned(text, "events", coverage->events);
    json__unsigned(text, "lost", coverage->lost);
    if (coverage->unnamed > 0)
        json__unsigned(text, "unnamed", coverage->unnamed);
    json__string(text, "cross_check", coverage->cross_check);
    json__string(text, "ended", coverage->ended);
    if (coverage->unjudged != NULL)
        json__string(text, "unjudged", coverage->unjudged);
    json__unsigned(text, "errors", coverage->errors);
    json__unsigned(text, "warnings", coverage->warnings);
    json__unsigned(text, "notes", coverage->notes);
    json__end_line(text);
}

void as_json__exec_failed(struct nsd_text *text, const struct nsd_view_image *image,
                          const char *time, const char *error) {
    json__begin_line(text, "exec-failed");
    json__string(text, "time", time);
    put_image(text, image);
    json__string(text, "errno", error);
    json__end_line(text);
}
