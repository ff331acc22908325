/*
 * The names behind the numbers in a recording, see names.h. Enumerations with a table of their own
 * are listed by it. The others are listed here: the compiler checks that each name stands at its
 * number and that none is missing.
 */
#include "record/names.h"
#include "base/memory.h"
#include "record/format.h"
#include "rules/rules.h"

/* clang-format off */
#define RUNTIMES(X) X(RUNTIME_THREADS) X(RUNTIME_GO)
#define LOCKS(X)                                                                                   \
    X(LOCK_NONE) X(LOCK_UNKNOWN) X(LOCK_UNLOCKED) X(LOCK_PINNED) X(LOCK_EXTERNAL)                  \
    X(LOCK_INTERNAL) X(LOCK_CGO) X(LOCK_WEDGED)
#define PATH_OWNERS(X)                                                                             \
    X(PATH_OTHER) X(PATH_SELF) X(PATH_THREAD_SELF) X(PATH_TASK) X(PATH_PID)
#define SEVERITIES(X) X(SEVERITY_NOTE) X(SEVERITY_WARNING) X(SEVERITY_ERROR)
#define OCCASIONS(X) X(OCCASION_EXIT) X(OCCASION_EXEC) X(OCCASION_SIGNAL)
#define ENDS(X) X(RECORD_RUNNING) X(RECORD_EXIT) X(RECORD_EXEC) X(RECORD_REPORT)
#define CROSS_CHECKS(X) X(CROSS_NOT_NEEDED) X(CROSS_AGREES) X(CROSS_DIFFERS) X(CROSS_IMPOSSIBLE)
#define RECORD_TYPES(X)                                                                            \
    X(RECORD_NONE) X(RECORD_STRING) X(RECORD_MODULE) X(RECORD_PLACE) X(RECORD_STACK)               \
    X(RECORD_EVENT) X(RECORD_ANSWERS) X(RECORD_LEARNT) X(RECORD_JUDGED) X(RECORD_TYPES)
#define SLOT_STATES(X) X(SLOT_FREE) X(SLOT_CLAIMED) X(SLOT_FILLED)

#define EACH_LIST(L)                                                                               \
    L(runtime, RUNTIMES) L(lock_state, LOCKS) L(path_owner, PATH_OWNERS) L(severity, SEVERITIES)   \
    L(occasion, OCCASIONS) L(record_ended, ENDS) L(cross_check, CROSS_CHECKS)                      \
    L(record_type, RECORD_TYPES) L(slot_state, SLOT_STATES)
/* clang-format on */

/* A list in the wrong order gives its names other numbers than the enumeration has. */
#define NUMBER(name) LISTED_##name,
#define NUMBERS(enumeration, list) enum { list(NUMBER) };
EACH_LIST(NUMBERS)
#define SAME(name) _Static_assert((int) NSD_##name == (int) LISTED_##name, #name);
#define SAME_LIST(enumeration, list) list(SAME)
EACH_LIST(SAME_LIST)

/* A name that is missing in its list is a value that the switch does not handle: a warning. */
#define CASE(name) case NSD_##name:
#define COMPLETE(enumeration, list)                                                                \
    __attribute__((unused)) static void all_of_##enumeration(enum nsd_##enumeration value) {       \
        switch (value) { list(CASE) break; }                                                       \
    }
EACH_LIST(COMPLETE)

#define NAME(name, ...) #name "\0"
#define FACT(type, recorded, name) #name "\0"
#define LIST(enumeration, list) #enumeration "\0" list(NAME)
/* clang-format off */
static const char names[] =
    "calls\0" NSD_CALL_TABLE(NAME)
    "kinds\0" NSD_KIND_TABLE(NAME)
    "rules\0" NSD_RULE_TABLE(NAME)
    "facts\0" NSD_PROCESS_FACTS(FACT) NSD_PROBE_FACTS(FACT) NSD_COUNT_FACTS(FACT)
               NSD_STRING_FACTS(NAME)
    EACH_LIST(LIST);
/* clang-format on */

/*
 * Like FNV-1a, but over words of eight bytes, since each image that records computes it at its
 * start. The rotation brings high bits down, which a multiplication only carries upwards. Each step
 * is reversible: two lists that differ in one word never have one hash.
 */
uint64_t record_names__hash_of(const char *list, size_t size) {
    uint64_t hash = HASH_START ^ size, word;
    const char *end = list + size / sizeof word * sizeof word;

    for (; list != end; list += sizeof word) {
        __builtin_memcpy(&word, list, sizeof word);
        hash ^= word;
        hash = (hash << 29 | hash >> 35) * 0x100000001b3ull;
    }
    word = 0;
    memory__copy(&word, end, size % sizeof word);
    return (hash ^ word) * 0x100000001b3ull;
}

/* Computed once: the index of a run and the recording both need it. */
uint64_t record_names__hash(void) {
    static uint64_t hash;

    if (hash == 0)
        hash = record_names__hash_of(names, sizeof names);
    return hash;
}
