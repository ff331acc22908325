/*
 * Finds what was not judged, see gaps.h: first image by image, then by the last image of the
 * program that the run started, then what concerns the whole run.
 */
#include "cli/read/gaps.h"
#include <string.h>
#include <sys/wait.h>

static const struct {
    enum nsd_gap_weight weight;
    enum nsd_gap_line line;
    const char *why; /* NULL: the image's own words */
} table[] = {
#define ROW(name, weight, line, why) [NSD_GAP_##name] = {NSD_GAP_##weight, NSD_GAP_##line, why},
    NSD_GAPS(ROW)
#undef ROW
};

static void add(struct nsd_gaps *gaps, enum nsd_gap gap, const struct nsd_report_image *image) {
    if (gap == NSD_GAP_COUNT)
        return;
    if (gaps->of[gap].count++ == 0)
        gaps->of[gap].first = image;
}

static bool says(const char *word, const char *wanted) {
    return word != NULL && strcmp(word, wanted) == 0;
}

/*
 * A process of ours that was killed by a signal, or ended by an instruction of its own, cannot be
 * told apart here. With every thread at home at its last event there was nothing left to judge.
 */
static enum nsd_gap gap_of_end(const struct nsd_report_image *image) {
    if (says(image->coverage.ended, "killed")) {
        if (image->away)
            return NSD_GAP_KILLED_AWAY;
        return image->unsure ? NSD_GAP_KILLED_UNSURE : NSD_GAP_COUNT;
    }
    if (!image->ended)
        return NSD_GAP_COUNT; /* it runs on */
    if (says(image->coverage.cross_check, "differs"))
        return NSD_GAP_LOOK_DIFFERS;
    return image->looked_in_vain ? NSD_GAP_LOOK_IMPOSSIBLE : NSD_GAP_COUNT;
}

enum nsd_gap gaps__of_image(const struct nsd_report_image *image) {
    if (image__is_unwatched(image))
        return image->coverage.go_unknown ? NSD_GAP_GO_UNWATCHED : NSD_GAP_CHILD_UNWATCHED;
    if (image->coverage.lost > 0)
        return says(image->coverage.ended, "killed") ? NSD_GAP_KILLED_LOST : NSD_GAP_LOST;
    if (image->coverage.go_unknown)
        return NSD_GAP_GO_UNKNOWN;
    return gap_of_end(image);
}

/* Its exec found that the library cannot be reached from the caller's root. */
static bool left_the_root(const struct nsd_report_image *image) {
    for (unsigned i = 0; i < image->coverage.missing_count; i++) {
        if (says(image->coverage.missing[i].probe, "exec"))
            return true;
    }
    return false;
}

/* `last`: the last image of the program; NULL: it has none. */
static enum nsd_gap gap_of_command(const struct nsd_ending *ending,
                                   const struct nsd_report_image *last) {
    if (ending->is_known_unwatched)
        return NSD_GAP_COMMAND_UNWATCHED;
    if (last == NULL)
        return WIFSIGNALED(ending->status) ? NSD_GAP_COMMAND_KILLED : NSD_GAP_COMMAND_SILENT;
    if (image__is_hidden(last))
        return NSD_GAP_COMMAND_HIDDEN;
    if (!last->ended || says(last->coverage.ended, "killed"))
        return WIFSIGNALED(ending->status) ? NSD_GAP_COUNT : NSD_GAP_COMMAND_UNENDED;
    if (!says(last->coverage.ended, "exec"))
        return NSD_GAP_COUNT;
    return left_the_root(last) ? NSD_GAP_COMMAND_IN_ROOT : NSD_GAP_COMMAND_REPLACED;
}

static const struct nsd_report_image *last_of_command(const struct nsd_collection *collection) {
    for (size_t i = collection->count; i > 0; i--) {
        if (collect__is_command(collection, &collection->image[i - 1]))
            return &collection->image[i - 1];
    }
    return NULL;
}

static bool is_of_killed(enum nsd_gap gap) {
    return gap == NSD_GAP_KILLED_AWAY || gap == NSD_GAP_KILLED_LOST || gap == NSD_GAP_KILLED_UNSURE;
}

void gaps__find(struct nsd_gaps *gaps, const struct nsd_collection *collection,
                const struct nsd_ending *ending) {
    const struct nsd_report_image *last = last_of_command(collection);
    enum nsd_gap of_command = ending->pid == 0 ? NSD_GAP_COUNT : gap_of_command(ending, last);

    memset(gaps, 0, sizeof *gaps);
    for (size_t i = 0; i < collection->count; i++) {
        const struct nsd_report_image *image = &collection->image[i];
        enum nsd_gap gap = gaps__of_image(image);

        /* Its status says that it was not killed. One line is enough for one end. */
        if (of_command != NSD_GAP_COMMAND_UNENDED || image != last || !is_of_killed(gap))
            add(gaps, gap, image);
    }
    add(gaps, of_command, last);
    gaps->of[NSD_GAP_NO_ROOM].count = collection->unseen;
    gaps->of[NSD_GAP_INDEX_LOST].count = collection->index_lost;
    gaps->of[NSD_GAP_CUT].count = collection->cut;
}

bool gap__counts(enum nsd_gap gap, bool strict) {
    return gap != NSD_GAP_COUNT && (strict || table[gap].weight == NSD_GAP_COUNTS);
}

enum nsd_gap_line gap__line(enum nsd_gap gap) {
    return table[gap].line;
}

const char *gap__why(enum nsd_gap gap, const struct nsd_report_image *image) {
    if (table[gap].why != NULL || image == NULL || image->coverage.missing_count == 0)
        return table[gap].why;
    return image->coverage.missing[0].why;
}

enum nsd_gap gaps__first_that_counts(const struct nsd_gaps *gaps, bool strict) {
    for (unsigned gap = 0; gap < NSD_GAP_COUNT; gap++) {
        if (gaps->of[gap].count > 0 && gap__counts((enum nsd_gap) gap, strict))
            return (enum nsd_gap) gap;
    }
    return NSD_GAP_COUNT;
}
