/*
 * The recording as the host writes it: events, what the ledger was answered, judgements, facts.
 * Called by probes/submit.c under the ledger's lock, in the order in which the ledger sees things;
 * raw system calls at the beginning and the end alone. Does nothing where there is no recording.
 */
#ifndef NSD_RECORD_WRITER_H
#define NSD_RECORD_WRITER_H

#include "record/format.h"
#include "rules/rules.h"
#include <stdbool.h>
#include <stddef.h>

/* How a recording is to be made; the strings must stay. */
struct nsd_record_wish {
    const char *folder;
    uint64_t size;
    const struct nsd_findings *findings; /* kept as of now once the ring has lost events */
};

/*
 * At start, while the process has one thread: makes the file, maps it and the folder's index, and
 * keeps no descriptor. Returns NULL, or why there is no recording, with the errno in *error.
 */
const char *record__begin(const struct nsd_record_wish *wish, const struct nsd_record_facts *facts,
                          int64_t *error);
/*
 * In a fork copy: nothing more goes into the parent's part. The copy's own part begins with its
 * first event that is more than its end; `facts` is called for then.
 */
void record__begin_copy(void (*facts)(struct nsd_record_facts *facts));
bool record__is_on(void);

/*
 * An entry in the folder's index, if there is one, for a program that will not be watched: claimed,
 * all zero, to be filled in and ended, or NULL. By any thread and vfork child.
 */
bool record__has_index(void);
/* Static Go programs are the run's own business: it puts the library into them, or names them. */
bool record__index_is_followed(void);
struct nsd_record_facts *record__begin_unwatched(void);
void record__end_unwatched(struct nsd_record_facts *facts);
void record__take_back_unwatched(struct nsd_record_facts *facts);

/* Before ledger__apply of the same event. */
void record__event(const struct nsd_event *event);
/* After it: an answer that the ledger's reader got meanwhile, in the order of asking. */
void record__answer(uint64_t value, bool could_be_read);
/* After the last answer, with the count of the program's events so far. */
void record__event_is_over(uint64_t events, uint64_t lost);
/* ledger__compare answered that it learnt this. */
void record__learnt(int32_t tid, enum nsd_kind kind, const struct nsd_identity *identity);
/* Before rules__on_report of the same event. */
void record__judged(const struct nsd_event *event, enum nsd_occasion occasion, uint64_t ticks,
                    uint64_t wall);
/* What is known of the image now; clocks and counts included. */
void record__facts(const struct nsd_record_facts *facts);
/*
 * The image is over (for good), or about to exec: a recording without an event of the program's
 * leaves no file; in a run's folder, at its end, neither does one without a finding. `calls` is
 * false where no system call may be made.
 */
void record__end(bool for_good, bool calls);
/*
 * An image that is started here and now could not open the folder's index: the same root, but other
 * mounts or fewer rights than this image began with. False where there is no index, or another
 * root, whose files are its own. By any thread and vfork child.
 */
bool record__folder_is_hidden(void);
/* That exec came back: record__facts, and what was taken away is made anew. */
void record__resume(const struct nsd_record_facts *facts, bool calls);

#endif
