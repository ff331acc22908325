/*
 * Prints views as text, see text.h. The layout of everything that a person reads on stderr is here;
 * the sentences come from compose.c.
 */
#include "report/text.h"
#include "base/memory.h"

/*
 * Stacks among which the short name of a file must be unambiguous: a list, or those of a finding.
 */
struct stacks {
    const struct nsd_view_stack *const *list;
    unsigned count;
    const struct nsd_view_finding *finding; /* NULL: the list alone */
};

static const struct {
    const char *severity;
    const char *on;
} colours[] = {
    {"error", "\033[1;31m"},
    {"warning", "\033[1;33m"},
    {"note", "\033[1;36m"},
};
#define COLOUR_OFF "\033[0m"

void as_text__prefix(struct nsd_text *text, int32_t pid) {
    text__put(text, "==");
    text__signed(text, pid);
    text__put(text, "==nsdrift: ");
}

/* The last `parts` components of a path. */
static const char *tail_of(const char *file, unsigned parts) {
    const char *at = file + string__length(file);

    while (at > file) {
        if (at[-1] == '/' && --parts == 0)
            break;
        at--;
    }
    return at;
}

static bool is_shared_in(const struct nsd_view_stack *stack, const char *file, const char *tail,
                         unsigned parts) {
    for (unsigned i = 0; i < stack->depth; i++) {
        const char *other = stack->frame[i].file;

        if (other != NULL && other != file && string__equal(tail, tail_of(other, parts)) &&
            !string__equal(file, other))
            return true;
    }
    return false;
}

static bool tail_is_shared(const char *file, unsigned parts, const struct stacks *stacks) {
    const struct nsd_view_finding *finding = stacks->finding;
    const char *tail = tail_of(file, parts);

    for (unsigned i = 0; i < stacks->count; i++) {
        if (is_shared_in(stacks->list[i], file, tail, parts))
            return true;
    }
    if (finding == NULL)
        return false;
    if (is_shared_in(&finding->stack, file, tail, parts))
        return true;
    for (unsigned i = 0; i < finding->related_count; i++) {
        if (is_shared_in(&finding->related[i].stack, file, tail, parts))
            return true;
    }
    for (unsigned i = 0; i < finding->consequence_count; i++) {
        if (is_shared_in(&finding->consequences[i].stack, file, tail, parts))
            return true;
    }
    return false;
}

/*
 * The shortest tail of `file` that no other file of these stacks ends with: launcher.go, or
 * cmd/main.go where there is another main.go.
 */
static const char *shortest_tail(const char *file, const struct stacks *stacks) {
    unsigned parts = 1;

    while (tail_of(file, parts) > file && tail_is_shared(file, parts, stacks))
        parts++;
    return tail_of(file, parts);
}

static void put_module(struct nsd_text *text, const struct nsd_view_frame *frame) {
    text__put(text, frame->module != NULL ? frame->module : "?");
    text__put(text, "+0x");
    text__hex(text, frame->offset, 1);
}

static void put_line(struct nsd_text *text, const struct nsd_view_frame *frame,
                     const struct stacks *stacks) {
    if (frame->file != NULL) {
        text__put(text, shortest_tail(frame->file, stacks));
        text__put_char(text, ':');
        text__unsigned(text, frame->line);
        return;
    }
    if (frame->function != NULL) {
        text__put(text, frame->function);
        text__put(text, " (");
    }
    text__put(text, frame->module != NULL ? string__base_name(frame->module) : "?");
    text__put(text, "+0x");
    text__hex(text, frame->offset, 1);
    if (frame->function != NULL)
        text__put_char(text, ')');
}

void as_text__frame_line(struct nsd_text *text, const struct nsd_view_frame *frame,
                         const struct nsd_view_stack *const *stacks, unsigned count) {
    put_line(text, frame, &(struct stacks){.list = stacks, .count = count});
}

/* main.main launcher.go:21 | do_work (/usr/bin/host+0x1234) | (/usr/bin/host+0x1234) */
static void put_frame(struct nsd_text *text, const struct nsd_view_frame *frame,
                      const struct stacks *stacks) {
    if (frame->function != NULL) {
        text__put(text, frame->function);
        text__put_char(text, ' ');
    }
    if (frame->file != NULL) {
        put_line(text, frame, stacks);
        return;
    }
    text__put_char(text, '(');
    put_module(text, frame);
    text__put_char(text, ')');
}

/* Puts "and 12 more frames." for what found no room. */
static void put_left_out(struct nsd_text *text, const char *indent, unsigned count,
                         const char *what) {
    if (count == 0)
        return;
    text__put(text, indent);
    text__put(text, "and ");
    text__unsigned(text, count);
    text__put(text, " more ");
    text__put(text, what);
    text__put(text, count == 1 ? ".\n" : "s.\n");
}

static void put_stack(struct nsd_text *text, const struct nsd_view_stack *stack,
                      const struct stacks *stacks) {
    for (unsigned i = 0; i < stack->depth; i++) {
        text__put(text, "        #");
        text__unsigned(text, i);
        text__put_char(text, ' ');
        put_frame(text, &stack->frame[i], stacks);
        text__put_char(text, '\n');
    }
    put_left_out(text, "        ", stack->left_out, "frame");
}

/* Events that are no calls ("thread start") have a blank in their name. */
static bool is_call(const char *name) {
    while (*name != '\0' && *name != ' ')
        name++;
    return *name == '\0';
}

void as_text__call(struct nsd_text *text, const struct nsd_view_call *call) {
    /* No probe makes such an event, but a damaged recording may hold one. */
    if (call->name == NULL) {
        text__put_char(text, '?');
        return;
    }
    text__put(text, call->name);
    if (!is_call(call->name))
        return;
    text__put_char(text, '(');
    if (call->arguments != NULL)
        text__put(text, call->arguments);
    text__put_char(text, ')');
    if (!call->has_result)
        return;
    text__put(text, " = ");
    if (call->error != NULL) {
        text__put(text, "-1 ");
        text__put(text, call->error);
        return;
    }
    text__signed(text, call->result);
}

static void put_inode(struct nsd_text *text, uint64_t inode) {
    if (inode == 0)
        text__put_char(text, '?');
    else
        text__unsigned(text, inode);
}

/* mnt 4026531841 -> 4026532207, net 4026531840 -> ? */
static void put_moves(struct nsd_text *text, const struct nsd_view_namespace *namespaces,
                      unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        const struct nsd_view_namespace *one = &namespaces[i];

        if (i > 0)
            text__put(text, ", ");
        text__put(text, one->kind);
        text__put_char(text, ' ');
        put_inode(text, one->before);
        text__put(text, " -> ");
        put_inode(text, one->after);
    }
}

static void put_what(struct nsd_text *text, const struct nsd_view_finding *finding) {
    bool called = finding->call.name != NULL;

    if (!called && finding->namespace_count == 0)
        return;
    text__put(text, "    ");
    if (called)
        as_text__call(text, &finding->call);
    if (finding->namespace_count > 0) {
        if (called)
            text__put(text, "      ");
        put_moves(text, finding->namespaces, finding->namespace_count);
    }
    text__put_char(text, '\n');
}

static void put_who(struct nsd_text *text, int32_t tid, int64_t goroutine) {
    if (tid != 0) {
        text__put(text, ", thread ");
        text__signed(text, tid);
    }
    if (goroutine != 0) {
        text__put(text, ", goroutine ");
        text__signed(text, goroutine);
    }
}

static void put_related(struct nsd_text *text, const struct nsd_view_related *related,
                        const struct stacks *stacks) {
    char first = related->what[0];

    text__put(text, "      ");
    if (first != '\0') {
        text__put_char(text, first >= 'a' && first <= 'z' ? (char) (first - 'a' + 'A') : first);
        text__put(text, related->what + 1);
    }
    put_who(text, related->tid, related->goroutine);
    text__put(text, ":\n");
    put_stack(text, &related->stack, stacks);
}

static void put_consequence(struct nsd_text *text, const struct nsd_view_consequence *then,
                            const struct stacks *stacks) {
    text__put(text, "      Then: ");
    text__put(text, then->rule);
    text__put(text, ": ");
    text__put(text, then->message);
    if (then->stack.depth > 0) {
        text__put(text, " (");
        put_frame(text, &then->stack.frame[0], stacks);
        text__put_char(text, ')');
    }
    text__put(text, ".\n");
}

/* A remedy may have several lines. Each is indented. */
static void put_remedy(struct nsd_text *text, const char *remedy) {
    const char *line = remedy;

    for (;;) {
        const char *end = line;

        while (*end != '\0' && *end != '\n')
            end++;
        if (end > line) {
            text__put(text, "      ");
            text__put_bytes(text, line, (size_t) (end - line));
            text__put_char(text, '\n');
        }
        if (*end == '\0')
            return;
        line = end + 1;
    }
}

static const char *colour_of(const char *severity) {
    for (unsigned i = 0; i < sizeof colours / sizeof colours[0]; i++) {
        if (string__equal(severity, colours[i].severity))
            return colours[i].on;
    }
    return "";
}

void as_text__finding(struct nsd_text *text, const struct nsd_view_finding *finding, bool colour) {
    const struct stacks stacks = {.finding = finding};

    as_text__prefix(text, finding->image.pid);
    if (colour)
        text__put(text, colour_of(finding->severity));
    text__put(text, finding->severity);
    if (colour)
        text__put(text, COLOUR_OFF);
    text__put(text, ": ");
    text__put(text, finding->rule);
    text__put(text, ": ");
    text__put(text, finding->message);
    text__put_char(text, '\n');
    put_what(text, finding);
    put_stack(text, &finding->stack, &stacks);
    if (finding->count > 1) {
        text__put(text, "      Seen ");
        text__unsigned(text, finding->count);
        text__put(text, " times.\n");
    }
    for (unsigned i = 0; i < finding->related_count; i++)
        put_related(text, &finding->related[i], &stacks);
    for (unsigned i = 0; i < finding->consequence_count; i++)
        put_consequence(text, &finding->consequences[i], &stacks);
    put_left_out(text, "      ", finding->consequences_left_out, "consequence");
    if (finding->remedy != NULL)
        put_remedy(text, finding->remedy);
}

static void put_lock(struct nsd_text *text, int64_t goroutine, enum nsd_view_locked locked,
                     const char *lock) {
    bool first = true;

    if (goroutine == 0 && locked == NSD_VIEW_LOCKED_UNKNOWN)
        return;
    text__put(text, " [");
    if (goroutine != 0) {
        text__put(text, "goroutine ");
        text__signed(text, goroutine);
        first = false;
    }
    if (locked != NSD_VIEW_LOCKED_UNKNOWN) {
        if (!first)
            text__put(text, ", ");
        text__put(text, locked == NSD_VIEW_LOCKED_YES ? "locked" : "unlocked");
        if (lock != NULL && locked == NSD_VIEW_LOCKED_YES) {
            text__put(text, " (");
            text__put(text, lock);
            text__put_char(text, ')');
        }
    }
    text__put_char(text, ']');
}

void as_text__event(struct nsd_text *text, const struct nsd_view_event *event) {
    as_text__prefix(text, event->image.pid);
    text__put(text, "event: tid ");
    text__signed(text, event->tid);
    text__put(text, ": ");
    as_text__call(text, &event->call);
    if (event->other_tid != 0) {
        text__put(text, " of ");
        text__signed(text, event->other_tid);
    }
    put_lock(text, event->goroutine, event->locked, event->lock);
    text__put_char(text, '\n');
}

void as_text__thread(struct nsd_text *text, const struct nsd_view_thread *thread) {
    const struct stacks none = {.count = 0};

    as_text__prefix(text, thread->image.pid);
    text__put(text, "thread ");
    text__signed(text, thread->tid);
    if (thread->main_thread)
        text__put(text, " (main)");
    if (thread->name != NULL) {
        text__put(text, " \"");
        text__put(text, thread->name);
        text__put_char(text, '"');
    }
    if (thread->born_of != 0) {
        text__put(text, ", born of ");
        text__signed(text, thread->born_of);
    }
    if (thread->born_at.depth > 0) {
        text__put(text, " at ");
        put_frame(text, &thread->born_at.frame[0], &none);
    }
    put_lock(text, thread->goroutine, thread->locked, thread->lock);
    text__put(text, ": ");
    if (thread->switched_count == 0) {
        text__put(text, "home\n");
        return;
    }
    text__put(text, "away in ");
    for (unsigned i = 0; i < thread->switched_count; i++) {
        if (i > 0)
            text__put(text, ", ");
        text__put(text, thread->switched[i]);
        for (unsigned k = 0; k < thread->namespace_count; k++) {
            const struct nsd_view_namespace *one = &thread->namespaces[k];

            if (!string__equal(one->kind, thread->switched[i]))
                continue;
            text__put(text, " (");
            put_inode(text, one->home);
            text__put(text, " -> ");
            put_inode(text, one->after);
            text__put_char(text, ')');
        }
    }
    text__put_char(text, '\n');
}

static void put_count(struct nsd_text *text, uint64_t count, const char *what) {
    text__unsigned(text, count);
    text__put_char(text, ' ');
    text__put(text, what);
    if (count != 1)
        text__put_char(text, 's');
}

/* The library was injected into a static program, not preloaded. */
static bool is_injected(const struct nsd_view_coverage *coverage) {
    for (unsigned i = 0; i < coverage->probe_count; i++) {
        if (string__equal(coverage->probes[i], "injected"))
            return true;
    }
    return false;
}

void as_text__coverage(struct nsd_text *text, const struct nsd_view_coverage *coverage) {
    as_text__prefix(text, coverage->image.pid);
    put_count(text, coverage->errors, "error");
    text__put(text, ", ");
    put_count(text, coverage->warnings, "warning");
    if (coverage->say_notes) {
        text__put(text, ", ");
        put_count(text, coverage->notes, "note");
    }
    text__put_char(text, '.');
    if (coverage->go_unknown) {
        text__put(text, " Go");
        if (coverage->go != NULL) {
            text__put_char(text, ' ');
            text__put(text, coverage->go);
        }
        text__put(text, ": not known to nsdrift, its goroutines were not watched.");
    } else if (coverage->go != NULL) {
        text__put(text, " Go ");
        text__put(text, coverage->go);
        if (coverage->go_newer)
            text__put(text, " (newer than what nsdrift was tested with)");
        text__put(text, ": ");
        text__unsigned(text, coverage->go_sites_watched);
        text__put(text, " of ");
        put_count(text, coverage->go_sites, "call site");
        text__put(text, is_injected(coverage) ? " watched, injected." : " watched.");
    }
    text__put(text, " libc: ");
    put_count(text, coverage->libc_functions, "function");
    text__put(text, ". ");
    put_count(text, coverage->lost, "record");
    text__put(text, " lost.");
    if (coverage->unnamed > 0) {
        text__put_char(text, ' ');
        put_count(text, coverage->unnamed, "name");
        text__put(text, " found no room in the recording (record_size).");
    }
    if (coverage->ended != NULL && string__equal(coverage->ended, "killed"))
        text__put(text, " It was killed, or has not ended.");
    if (coverage->cross_check != NULL && string__equal(coverage->cross_check, "differs"))
        text__put(text, " The last look at the threads disagrees with the records.");
    for (unsigned i = 0; i < coverage->missing_count; i++) {
        text__put(text, " not watched: ");
        text__put(text, coverage->missing[i].probe);
        text__put(text, ": ");
        text__put(text, coverage->missing[i].why);
        text__put_char(text, '.');
    }
    text__put_char(text, '\n');
}
