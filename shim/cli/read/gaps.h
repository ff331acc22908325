/*
 * Gaps: what of a run was not judged, as one table. A collection and the end of the program come
 * in; for each row of the table the images come out for which it holds. A gap that counts turns a
 * clean result into 125. Called by the rooms that print the report or count runs. Prints nothing.
 */
#ifndef NSD_CLI_READ_GAPS_H
#define NSD_CLI_READ_GAPS_H

#include "cli/read/collect.h"

/*
 * Whether a gap counts: always, under --strict alone, or never (it is only listed); and who says
 * it: a line of its own, the image's closing line, or a line that was printed when it was noticed.
 */
enum nsd_gap_weight { NSD_GAP_COUNTS, NSD_GAP_STRICT };
enum nsd_gap_line { NSD_GAP_OWN_LINE, NSD_GAP_CLOSING_LINE, NSD_GAP_SAID };

/* clang-format off */
/* X(name, weight, line, what is said of the image or of the run) */
#define NSD_GAPS(X)                                                                                \
    /* of any image */                                                                             \
    X(LOST, COUNTS, CLOSING_LINE, "records were lost")                                             \
    X(GO_UNKNOWN, COUNTS, CLOSING_LINE, "its Go is not known, its goroutines were not watched")    \
    X(GO_UNWATCHED, COUNTS, CLOSING_LINE, NULL)                                                    \
    X(KILLED_AWAY, COUNTS, OWN_LINE, "killed, its end could not be judged: "                       \
                                     "a thread was in another namespace at its last event")        \
    X(KILLED_LOST, COUNTS, OWN_LINE, "killed, its end could not be judged: records were lost")     \
    X(KILLED_UNSURE, COUNTS, OWN_LINE, "killed, its end could not be judged: "                     \
                                       "events were overwritten (record_size)")                    \
    X(LOOK_DIFFERS, COUNTS, OWN_LINE, "its end could not be judged: "                              \
                                "the last look at its threads disagrees with what was recorded")   \
    X(LOOK_IMPOSSIBLE, COUNTS, OWN_LINE, "its end could not be judged: it changed namespaces, "    \
                                         "and its threads could not be looked at in the end")      \
    X(CHILD_UNWATCHED, STRICT, CLOSING_LINE, NULL)                                                 \
    /* of the program that the run started */                                                      \
    X(COMMAND_UNWATCHED, COUNTS, SAID, "it could not be watched")                                  \
    X(COMMAND_KILLED, COUNTS, OWN_LINE, "was killed before it could report")                       \
    X(COMMAND_SILENT, COUNTS, OWN_LINE, "left no report: it did not load the library, "            \
                                        "or could not reach the folder of the recordings")         \
    X(COMMAND_UNENDED, COUNTS, OWN_LINE, "left no report of its end, which could not be judged")   \
    X(COMMAND_HIDDEN, COUNTS, CLOSING_LINE, NULL)                                                  \
    X(COMMAND_REPLACED, COUNTS, OWN_LINE, "executed a program in its place that left no report")   \
    X(COMMAND_IN_ROOT, STRICT, OWN_LINE, "executed a program in another root in its place, "       \
                                         "where the library cannot be reached")                    \
    /* of the whole run */                                                                         \
    X(NO_ROOM, COUNTS, OWN_LINE, "more process images found no room to record")                    \
    X(INDEX_LOST, COUNTS, SAID, "the list of its images was lost")                                 \
    X(CUT, COUNTS, SAID, "out of memory: the report is not whole")
/* clang-format on */

enum nsd_gap {
#define GAP(name, weight, line, why) NSD_GAP_##name,
    NSD_GAPS(GAP)
#undef GAP
        NSD_GAP_COUNT
};

/* The program that the run started, and its end. */
struct nsd_ending {
    int32_t pid; /* as the run sees it; 0: the run started none, only images are judged */
    int status;  /* as waitpid gives it */
    bool is_known_unwatched; /* the user was told already that it cannot be watched */
};

struct nsd_gaps {
    struct {
        unsigned count;                       /* of images; 0: there is no such gap */
        const struct nsd_report_image *first; /* in the collection; NULL: no image has it */
    } of[NSD_GAP_COUNT];
};

void gaps__find(struct nsd_gaps *gaps, const struct nsd_collection *collection,
                const struct nsd_ending *ending);
/* The gap of this image alone; NSD_GAP_COUNT: none. */
enum nsd_gap gaps__of_image(const struct nsd_report_image *image);
/* A gap of one image, not of the program that the run started or of the whole run. */
static inline bool gap__is_of_image(enum nsd_gap gap) {
    return gap <= NSD_GAP_CHILD_UNWATCHED;
}
bool gap__counts(enum nsd_gap gap, bool strict);
enum nsd_gap_line gap__line(enum nsd_gap gap);
/* What is said of it; `image`: whose own words are taken where the table has none, or NULL. */
const char *gap__why(enum nsd_gap gap, const struct nsd_report_image *image);
/* The first gap that counts; NSD_GAP_COUNT: all was judged. */
enum nsd_gap gaps__first_that_counts(const struct nsd_gaps *gaps, bool strict);

#endif
