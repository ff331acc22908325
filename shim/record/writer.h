/*
 * The recording room: writes what the ledger and the rules see into a file, so that the command can
 * replay it after the process is gone. Events, the answers that the ledger got, judgements and
 * facts about the image come in; a file in the folder `record` goes out, laid out as format.h says.
 * Called by the intake under the ledger's lock, in the order in which the ledger sees things. Does
 * nothing where there is no recording. Must not hold a descriptor or a lock when it returns, and
 * makes system calls only when a part begins or ends. Replay and reader (the command's side) are in
 * the same room and are not called in a host.
 */
#ifndef NSD_RECORD_WRITER_H
#define NSD_RECORD_WRITER_H

#include "record/format.h"
#include "rules/rules.h"
#include <stdbool.h>
#include <stddef.h>

/* How a recording is to be made. The strings must stay valid. */
struct nsd_record_wish {
    const char *folder;
    uint64_t size;
    const struct nsd_findings
        *findings; /* these are kept in the file once the ring has lost events */
};

/*
 * At start, while the process has one thread: makes the file, maps it and the folder's index, and
 * keeps no descriptor. Returns NULL, or why there is no recording, with the errno in *error.
 */
const char *record__begin(const struct nsd_record_wish *wish, const struct nsd_record_facts *facts,
                          int64_t *error);
/*
 * In a fork copy: stops writing into the parent's part. The copy's own part begins with its first
 * event other than its end; `facts` is called then.
 */
void record__begin_copy(void (*facts)(struct nsd_record_facts *facts));
/*
 * In a fork copy that was made in the middle of a record, by a handler, and will end that record:
 * gives it a private copy of the parent's file to write into. Call record__begin_copy afterwards,
 * when the record has ended. Where the kernel refuses it, the same bytes are written twice.
 */
void record__stand_apart(void);
bool record__is_on(void);

/*
 * Claims an entry in the folder's index for a program that will not be watched. It is all zero, is
 * to be filled in and then ended. NULL if there is no index or no room. Any thread and any vfork
 * child may call it.
 */
bool record__has_index(void);
/* The run injects the library into static Go programs itself, and lists those that it cannot. */
bool record__index_is_followed(void);
struct nsd_record_facts *record__begin_unwatched(void);
void record__end_unwatched(struct nsd_record_facts *facts);
void record__take_back_unwatched(struct nsd_record_facts *facts);

/* Before ledger__apply of the same event. */
void record__event(const struct nsd_event *event);
/* After ledger__apply: an answer that the ledger got meanwhile, in the order of its questions. */
void record__answer(uint64_t value, bool could_be_read);
/* After the last answer, with the number of the program's events so far. */
void record__event_is_over(uint64_t events, uint64_t lost);
/* ledger__compare returned that it has learnt this identity. */
void record__learnt(int32_t tid, enum nsd_kind kind, const struct nsd_identity *identity);
/* Before rules__on_report of the same event. */
void record__judged(const struct nsd_event *event, enum nsd_occasion occasion, uint64_t ticks,
                    uint64_t wall);
/* Stores the facts about the image as they are now, clocks and counts included. */
void record__facts(const struct nsd_record_facts *facts);
/*
 * The image ends (`for_good`) or is about to exec. A recording without an event of the program is
 * removed; in a run's folder, at the end, so is one without a finding. `calls`: system calls may be
 * made.
 */
void record__end(bool for_good, bool calls);
/*
 * True if a program that is executed now could not open the folder's index: it would have the same
 * root, but other mounts or fewer rights than this image began with. False where there is no index,
 * and under another root, whose files are its own. Any thread and any vfork child may call it.
 */
bool record__folder_is_hidden(void);
/* The exec failed: stores the facts, and makes the recording anew if record__end removed it. */
void record__resume(const struct nsd_record_facts *facts, bool calls);

#endif
