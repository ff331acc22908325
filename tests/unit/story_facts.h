/*
 * All that a finding says, as text: who, where, which call, which namespaces, what goes with it.
 * Namespaces are written by inode ("?": none is known, "-": no namespace), places by function and
 * line as the story gave them.
 */
#ifndef STORY_FACTS_H
#define STORY_FACTS_H

#include "story.h"

static void put_places(FILE *out, const struct nsd_frames *frames) {
    if (frames == NULL) {
        fprintf(out, "nowhere");
        return;
    }
    for (unsigned i = 0; i < frames->depth; i++) {
        if (frames->frame[i].pc != START)
            fprintf(out, "%s%u:%u", i > 0 ? "<" : "", (unsigned) (frames->frame[i].pc / 4096),
                    (unsigned) (frames->frame[i].pc % 4096 / 16));
    }
}

static void put_namespace(FILE *out, const struct nsd_label *label) {
    if (label == NULL)
        fprintf(out, "-");
    else if (label__identity(label)->inode == 0)
        fprintf(out, "?");
    else
        fprintf(out, "%u", (unsigned) label__identity(label)->inode);
}

/*
 * thread 2 main, goroutine 1, lock 2: unshare(20000, 0) = 0 at 1:3, switch at 1:2; mnt 1002>?,
 * home 1002; to thread 3; switched here: thread 2, goroutine 1 at 1:2
 */
static void put_facts(FILE *out, const struct nsd_finding *finding) {
    fprintf(out, "thread %d%s", (int) finding->tid, finding->main_thread ? " main" : "");
    if (finding->goroutine != 0)
        fprintf(out, ", goroutine %d", (int) finding->goroutine);
    fprintf(out, ", lock %u: %s(", finding->lock, nsd_call_table[finding->call].text);
    fprintf(out, "%lx, %lx) = %ld at ", finding->arguments[0], finding->arguments[1],
            finding->result);
    put_places(out, finding->frames);
    if (finding->switch_frames != NULL) {
        fprintf(out, ", switch at ");
        put_places(out, finding->switch_frames);
    }
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((finding->kinds & NSD_KIND_BIT(kind)) == 0)
            continue;
        fprintf(out, "; %s ", kinds__name(kind));
        put_namespace(out, finding->before[kind]);
        fprintf(out, ">");
        put_namespace(out, finding->after[kind]);
        fprintf(out, ", home ");
        put_namespace(out, finding->home[kind]);
    }
    if ((finding->kinds & ~NSD_ALL_KINDS) != 0)
        fprintf(out, "; private %x", (unsigned) (finding->kinds & ~NSD_ALL_KINDS) >> NSD_KINDS);
    if (finding->other_tid != 0)
        fprintf(out, "; to thread %d", (int) finding->other_tid);
    for (unsigned i = 0; i < finding->related_count; i++) {
        fprintf(out, "; %s: thread %d", finding->related[i].what, (int) finding->related[i].tid);
        if (finding->related[i].goroutine != 0)
            fprintf(out, ", goroutine %d", (int) finding->related[i].goroutine);
        fprintf(out, " at ");
        put_places(out, finding->related[i].frames);
    }
}

/* A finding and what follows from it, with their words. */
UNUSED static void put_finding(FILE *out, const struct nsd_finding *finding, const char *margin) {
    fprintf(out, "%s%s%s %s x%u of switch %u at %lu\n%s  %s\n", margin,
            finding->withdrawn ? "withdrawn " : "", severity__name(finding->severity),
            rules__name(finding->rule), finding->count, finding->switch_id, finding->time, margin,
            finding->message);
    fprintf(out, "%s  %s\n%s  ", margin, finding->remedy != NULL ? finding->remedy : "no remedy",
            margin);
    put_facts(out, finding);
    fprintf(out, "\n");
    for (const struct nsd_finding *then = finding->consequences; then != NULL; then = then->next)
        put_finding(out, then, "    then ");
}

/* For free(). */
UNUSED static char *all_findings(const struct nsd_findings *from) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    for (const struct nsd_finding *finding = from->first; finding != NULL; finding = finding->next)
        put_finding(out, finding, "");
    fclose(out);
    return text;
}

#endif
