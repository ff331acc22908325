/*
 * The layout of a recording and of the index of a run's folder. The writer in the host maps it; the
 * reader outside takes it apart. Numbers are in the machine's byte order; a reader refuses the
 * other one. Data only: nothing here allocates, calls or decides.
 *
 *     file   header (one page) | main part | slice | slice | ...
 *     part   part header (one page) | tables | kept findings | blocks of events | more tables
 *
 * A part is one process image: the image that made the file, or a fork child in a slice that it
 * claimed. Tables (strings, modules, places, stacks) only grow. Blocks are filled one after the
 * other; the first `head_blocks` stay, the others are a ring. Within tables and blocks records
 * follow each other, and one store of the number of bytes in use commits a record: a process that
 * is killed in the middle leaves the record out, never half of it.
 */
#ifndef NSD_RECORD_FORMAT_H
#define NSD_RECORD_FORMAT_H

#include "ledger/event.h"
#include "ledger/image_facts.h"
#include "names/modules.h"
#include <stdatomic.h>
#include <stdint.h>

/*
 * Atomic members are written by several processes at once and read by the command meanwhile. The
 * counters are relaxed: only the number itself matters. The state of a slot is acquired and
 * released. Words that one process alone writes are plain and are stored by record__commit
 * (part.h).
 */

#define NSD_RECORD_MAGIC 0x0a74667264736e89ull /* "\x89nsdrft\n" */
#define NSD_INDEX_MAGIC 0x0a78696472736e89ull  /* "\x89nsrdix\n" */
#define NSD_RECORD_VERSION 3u
#define NSD_RECORD_BYTE_ORDER 0x01020304u
#define NSD_RECORD_PAGE 4096u
#define NSD_RECORD_BLOCK 4096u
#define NSD_BLOCKS_MOST 32768u /* of a part; record_size is bounded */
/* The file in a run's folder that all its images map. */
#define NSD_INDEX_NAME ".index"

struct nsd_record_file {
    uint64_t magic;
    uint32_t version;
    uint32_t byte_order;
    uint32_t header_size; /* of this struct's page */
    uint32_t page_size;   /* of a part header */
    uint64_t file_size;
    uint64_t main_size;  /* of the main part, which begins at header_size */
    uint64_t slice_size; /* slices follow the main part */
    uint32_t slices;
    _Atomic uint32_t claimed; /* grows by one atomic add; may exceed `slices` */
    uint64_t names;           /* record_names__hash of the build that made it */
};

/* ---- what is known of an image besides its events ---- */

enum nsd_record_ended {
    NSD_RECORD_RUNNING, /* no end was recorded: the process was killed, or still runs */
    NSD_RECORD_EXIT,
    NSD_RECORD_EXEC,
    NSD_RECORD_REPORT, /* the last report was made while the program ran on */
};

enum nsd_record_flag {
    NSD_RECORD_IS_COPY = 1,   /* a fork child */
    NSD_RECORD_CAME_BACK = 2, /* its last exec failed */
};

#define NSD_FACTS_WORDS 512

/* Strings are cut to fit and end with a NUL; the reader makes sure of that. */
struct nsd_record_facts {
    NSD_PROCESS_FACTS(NSD_FACT_IN_RECORDING)
    NSD_PROBE_FACTS(NSD_FACT_IN_RECORDING)
    NSD_COUNT_FACTS(NSD_FACT_IN_RECORDING)
    uint32_t cross_check;             /* enum nsd_cross_check */
    uint64_t start_ticks, start_wall; /* one pair of clocks, nanoseconds since 1970 */
    uint64_t last_ticks, last_wall;   /* a later pair; the last report's, if there was one */
    uint32_t ended;                   /* enum nsd_record_ended */
    uint32_t flags;                   /* enum nsd_record_flag */
    uint32_t findings;                /* errors and warnings so far */
    uint32_t reserved;
    NSD_STRING_FACTS(NSD_STRING_IN_RECORDING) /* the path's base name is the program's */
    /*
     * Strings one after the other, each with its NUL: the probes, an empty string, then pairs of
     * probe and why it is missing, an empty string.
     */
    char words[NSD_FACTS_WORDS];
};

/* ---- a part ---- */

struct nsd_record_part {
    uint64_t state;  /* 0: never begun; NSD_RECORD_MAGIC: begun */
    uint64_t size;   /* of the part, header included */
    uint64_t tables; /* offsets from the part's start */
    uint64_t tables_size;
    uint64_t kept;
    uint64_t kept_size;
    uint64_t blocks;
    uint32_t block_count;
    uint32_t head_blocks;
    uint64_t tables_used; /* commits a record in the tables */
    uint64_t kept_count;  /* entries that have ever been in use */
    uint64_t written;     /* records that were ever written into blocks */
    uint64_t overwritten; /* records that newer ones have taken the place of */
    uint64_t unnamed;     /* names, places and stacks that found no room in the tables */
    uint64_t keeping;     /* 1: the findings are those kept; the events are no longer all there */
    /*
     * Where the tables are continued once they are full: in blocks at the end that no event had
     * used. `block_count` does not count these blocks. Size 0: the tables are not continued.
     */
    uint64_t more_tables;
    uint64_t more_tables_size;
    uint64_t more_tables_used; /* commits a record there */
    struct nsd_record_facts facts;
};

/*
 * The head of every record in tables and blocks. `size` includes the head and is a multiple of 8.
 */
struct nsd_record_head {
    uint32_t size;
    uint16_t type; /* enum nsd_record_type */
    uint16_t count;
};

enum nsd_record_type {
    NSD_RECORD_NONE,
    /* in tables */
    NSD_RECORD_STRING, /* bytes and a NUL; strings are numbered from 1 in their order */
    NSD_RECORD_MODULE,
    NSD_RECORD_PLACE,
    NSD_RECORD_STACK,
    /* in blocks */
    NSD_RECORD_EVENT,   /* `count` identities follow */
    NSD_RECORD_ANSWERS, /* the `count` words of stacks that were read during the event before it */
    NSD_RECORD_LEARNT,  /* a namespace's identity, learnt from /proc */
    NSD_RECORD_JUDGED,  /* a report was made (rules__on_report) */
    NSD_RECORD_TYPES,
};

struct nsd_record_module {
    struct nsd_record_head head;
    uint64_t base, start, end;
    uint32_t number; /* as frames have it */
    uint32_t path;   /* string */
    uint8_t build_id[NSD_BUILD_ID_MOST];
    uint8_t build_id_size;
    uint8_t is_shim, is_executable, is_go;
    uint8_t pad[4];
};

/* The name of a program counter when it was first seen. */
struct nsd_record_place {
    struct nsd_record_head head;
    uint64_t pc; /* a return address */
    uint64_t offset;
    uint32_t function, file; /* strings, 0 unknown */
    uint32_t line;
    uint32_t module; /* number, 0 unknown */
    uint32_t is_go;
    uint32_t pad;
};

/* Ids of stacks are below this: more than a table of stacks holds (ledger/frames.h). */
#define NSD_RECORD_STACKS 131072u

struct nsd_record_stack {
    struct nsd_record_head head; /* count: depth */
    uint64_t hash;
    uint32_t id; /* as events have it */
    uint32_t pad;
    struct {
        uint64_t pc;
        uint32_t slot;
        uint32_t module;
    } frame[];
};

/* The head of a block. Records follow it. */
struct nsd_record_block {
    uint64_t sequence; /* 1, 2, 3 ... in the order of filling; 0: being cleared or never used */
    uint64_t first;    /* number of its first record, from 0 */
    uint64_t used;     /* bytes of the block in use, this head included: commits a record */
};

/*
 * The first fields of struct nsd_event, copied in one piece (writer.c checks the offsets); the
 * stack's id takes the place of the pointer. This copy is two thirds of what recording an event
 * costs.
 */
struct nsd_record_event {
    struct nsd_record_head head;
    uint64_t time;
    uint64_t arguments[5];
    int64_t result;
    int64_t goroutine;
    uint64_t lock_epoch;
    uint64_t stack; /* id, 0 none */
    uint64_t stack_pointer;
    int32_t tid;
    int32_t other_tid;
    uint32_t token;
    uint16_t call;
    uint16_t kinds;
    uint8_t runtime;
    uint8_t lock;
    uint8_t path_owner;
    uint8_t identities; /* as head.count */
    uint32_t kernel_threads;
    uint8_t from_descriptor, explicit_end, cancelled; /* 0 or 1 */
    uint8_t pad[5];
    struct nsd_identity identity[];
};

struct nsd_record_answers {
    struct nsd_record_head head;
    struct {
        uint64_t value;
        uint64_t could_be_read; /* 0 or 1 */
    } answer[];
};

struct nsd_record_learnt {
    struct nsd_record_head head;
    int32_t tid;
    uint32_t kind;
    struct nsd_identity identity;
};

struct nsd_record_judged {
    struct nsd_record_head head;
    uint32_t occasion; /* enum nsd_occasion */
    uint32_t pad;
    uint64_t ticks, wall; /* the report's clocks */
    /* The report was made because of the last EVENT with this call and thread. */
    uint32_t call;
    int32_t tid;
};

/* ---- findings as of now, once the ring has lost what they would be derived from ---- */

/*
 * One finding, or one consequence of a finding. It is written over in place while the finding
 * grows. Fields that must agree stand in one 64-bit word: a process that dies between two stores
 * leaves the old state or the new one.
 */
struct nsd_kept {
    /*
     * From the top: 1 bit: the entry is in use; 1 bit: withdrawn; 2 bits: its own severity; 30 bits
     * each: the string numbers of its message and its remedy.
     */
    uint64_t words;
    /*
     * Top half: 1 + the number of the entry that it is a consequence of, 0: it is a finding. Low
     * half: its position in the list.
     */
    uint64_t place;
    uint64_t count;
    uint64_t time;
    int64_t goroutine;
    int64_t result;
    uint64_t arguments[5];
    uint64_t before[NSD_KINDS], after[NSD_KINDS], home[NSD_KINDS]; /* inodes */
    uint16_t has_before, has_after, has_home; /* bit k: a namespace of kind k was known */
    uint16_t kinds;
    uint32_t rule; /* enum nsd_rule_id */
    uint32_t switch_id;
    int32_t tid, other_tid;
    uint32_t frames, switch_frames; /* stacks */
    uint16_t call;
    uint8_t lock;
    uint8_t main_thread;
    uint32_t related_count;
    struct {
        int64_t goroutine;
        uint32_t what; /* string */
        int32_t tid;
        uint32_t frames;
        uint32_t pad;
    } related[3];
};

#define NSD_KEPT_MOST 1024u /* entries of a part */
#define NSD_KEPT_IN_USE (1ull << 63)
#define NSD_KEPT_WITHDRAWN (1ull << 62)
#define NSD_KEPT_SEVERITY_SHIFT 60
#define NSD_KEPT_MESSAGE_SHIFT 30
#define NSD_KEPT_STRING_MASK ((1ull << 30) - 1)

/* ---- the index ---- */

/* Slots begin at the second page. */
#define NSD_INDEX_SLOTS 2048u
#define NSD_INDEX_RECORDING 192

enum nsd_slot_state {
    NSD_SLOT_FREE,    /* never claimed, or given back by an image that had nothing to say */
    NSD_SLOT_CLAIMED, /* a process is filling it in, or died while it did */
    NSD_SLOT_FILLED,
};

struct nsd_index_slot {
    /*
     * enum nsd_slot_state. Stored with release when the slot is filled in and when it is given
     * back, and claimed by a compare and swap that acquires: the next owner writes after the last
     * one.
     */
    _Atomic uint32_t state;
    uint32_t part;                       /* of the recording: 0 main, 1... slices */
    char recording[NSD_INDEX_RECORDING]; /* file name in the folder; empty: none */
    struct nsd_record_facts facts;
};

struct nsd_index {
    uint64_t magic;
    uint32_t version;
    uint32_t byte_order;
    uint64_t file_size;
    uint32_t slot_size;
    uint32_t slots;
    _Atomic uint32_t claimed; /* grows by one atomic add; may exceed `slots` */
    _Atomic uint32_t
        given_back;          /* fork copies that ended without a finding and gave their slot back */
    _Atomic uint32_t unseen; /* images that found no slot, or no room for a recording */
    uint32_t keeps_all;      /* 1: recordings without a finding stay in the folder as well */
    _Atomic uint32_t silent; /* images that ended with nothing to say and gave their slot back */
    uint32_t followed;       /* 1: the run traces every exec and deals with static Go itself */
    uint64_t names;          /* record_names__hash of the build that made it */
};
#define NSD_INDEX_SIZE                                                                             \
    (NSD_RECORD_PAGE + (uint64_t) NSD_INDEX_SLOTS * sizeof(struct nsd_index_slot))

#endif
