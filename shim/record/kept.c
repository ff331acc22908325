/*
 * Keeps the present findings in the recording, since the events that they come from may be
 * overwritten: see struct nsd_kept. Called by the writer under the ledger's lock, once something
 * was overwritten and after each change of a finding. Makes no system call.
 */
#include "base/memory.h"
#include "ledger/labels.h"
#include "record/part.h"

_Static_assert(NSD_RELATED_MOST == 3, "struct nsd_kept has room for them");

struct keeper {
    struct nsd_record_part *part;
    struct nsd_interned *interned;
    struct nsd_kept *entries;
    uint64_t room;
    uint32_t order, lost;
};

/* Entries that this update has written. The others belong to findings that no longer exist. */
static uint8_t written[NSD_KEPT_MOST];

static uint16_t put_inodes(uint64_t inodes[NSD_KINDS], struct nsd_label *const labels[NSD_KINDS]) {
    uint16_t has = 0;

    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        const struct nsd_identity *identity = label__identity(labels[kind]);

        if (labels[kind] == NULL)
            continue;
        has = (uint16_t) (has | NSD_KIND_BIT(kind));
        inodes[kind] = identity == NULL ? 0 : identity->inode;
    }
    return has;
}

static uint64_t words_of(struct keeper *keeper, const struct nsd_finding *finding) {
    uint64_t message = record_tables__string(keeper->part, keeper->interned, finding->message);
    uint64_t remedy = record_tables__string(keeper->part, keeper->interned, finding->remedy);

    return NSD_KEPT_IN_USE | (finding->withdrawn ? NSD_KEPT_WITHDRAWN : 0) |
           (uint64_t) finding->severity << NSD_KEPT_SEVERITY_SHIFT |
           message << NSD_KEPT_MESSAGE_SHIFT | remedy;
}

static void put_related(struct keeper *keeper, struct nsd_kept *entry,
                        const struct nsd_finding *finding) {
    entry->related_count = finding->related_count;
    for (unsigned i = 0; i < finding->related_count && i < NSD_RELATED_MOST; i++) {
        const struct nsd_related *related = &finding->related[i];

        entry->related[i].goroutine = related->goroutine;
        entry->related[i].tid = related->tid;
        entry->related[i].what =
            record_tables__string(keeper->part, keeper->interned, related->what);
        entry->related[i].frames =
            record_tables__stack(keeper->part, keeper->interned, related->frames);
    }
}

/* Fields that never change once the finding is made. */
static void put_body(struct keeper *keeper, struct nsd_kept *entry,
                     const struct nsd_finding *finding) {
    entry->time = finding->time;
    entry->goroutine = finding->goroutine;
    entry->result = finding->result;
    memory__copy(entry->arguments, finding->arguments, sizeof entry->arguments);
    entry->kinds = finding->kinds;
    entry->rule = (uint32_t) finding->rule;
    entry->switch_id = finding->switch_id;
    entry->tid = finding->tid;
    entry->other_tid = finding->other_tid;
    entry->frames = record_tables__stack(keeper->part, keeper->interned, finding->frames);
    entry->switch_frames =
        record_tables__stack(keeper->part, keeper->interned, finding->switch_frames);
    entry->call = finding->call;
    entry->lock = finding->lock;
    entry->main_thread = finding->main_thread;
    put_related(keeper, entry, finding);
}

static struct nsd_kept *find_free(struct keeper *keeper, uint32_t *number) {
    for (uint32_t i = 0; i < keeper->room && i < NSD_KEPT_MOST; i++) {
        if (keeper->entries[i].words == 0) {
            *number = i;
            return &keeper->entries[i];
        }
    }
    return NULL;
}

/* Returns 1 + the entry's number; 0 if there is no room. */
static uint32_t put(struct keeper *keeper, struct nsd_finding *finding, uint32_t parent) {
    struct nsd_kept *entry;
    uint32_t number;
    bool is_new = finding->kept == 0;

    if (is_new) {
        entry = find_free(keeper, &number);
        if (entry == NULL) {
            keeper->lost++;
            return 0;
        }
        put_body(keeper, entry, finding);
        finding->kept = number + 1;
        if (keeper->part->kept_count <= number)
            record__commit(&keeper->part->kept_count, number + 1);
    } else {
        number = finding->kept - 1;
        entry = &keeper->entries[number];
    }
    written[number] = 1;
    /* An inode may become known only after the finding was made. */
    entry->has_before = put_inodes(entry->before, finding->before);
    entry->has_after = put_inodes(entry->after, finding->after);
    entry->has_home = put_inodes(entry->home, finding->home);
    entry->count = finding->count;
    record__commit(&entry->place, (uint64_t) parent << 32 | keeper->order++);
    record__commit(&entry->words, words_of(keeper, finding));
    return number + 1;
}

uint32_t record_kept__update(struct nsd_record_part *part, struct nsd_interned *interned,
                             const struct nsd_findings *findings) {
    struct keeper keeper = {.part = part,
                            .interned = interned,
                            .entries = (struct nsd_kept *) ((char *) part + part->kept),
                            .room = part->kept_size / sizeof(struct nsd_kept)};

    memory__fill(written, 0, sizeof written);
    record_tables__for_findings(interned, true);
    for (struct nsd_finding *finding = findings->first; finding != NULL; finding = finding->next) {
        uint32_t number = put(&keeper, finding, 0);

        for (struct nsd_finding *then = finding->consequences; number != 0 && then != NULL;
             then = then->next)
            put(&keeper, then, number);
    }
    record_tables__for_findings(interned, false);
    for (uint64_t i = 0; i < part->kept_count; i++) {
        if (written[i] == 0 && keeper.entries[i].words != 0)
            record__commit(&keeper.entries[i].words, 0);
    }
    return keeper.lost;
}
