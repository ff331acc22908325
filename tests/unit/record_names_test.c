/*
 * The hash of the names whose numbers a recording stores: another name, another order, a name that
 * moves from one list to the next give another hash; the same names give the same one.
 */
#include "record/names.h"
#include <stdio.h>

static int failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            failures++;                                                                            \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                         \
        }                                                                                          \
    } while (0)

#define HASH(list) record_names__hash_of(list, sizeof(list))

int main(void) {
    static const char *const lists[] = {
        "calls\0SETNS\0UNSHARE\0MOUNT\0rules\0LEFT\0DIED\0",
        "calls\0UNSHARE\0SETNS\0MOUNT\0rules\0LEFT\0DIED\0",
        "calls\0SETNS\0UNSHARE\0MOUNT\0rules\0DIED\0LEFT\0",
        "calls\0SETNS\0UNSHARE\0MOUNTS\0rule\0LEFT\0DIED\0",
        "calls\0SETNS\0UNSHARE\0rules\0MOUNT\0LEFT\0DIED\0",
        "calls\0SETNT\0UNSHARE\0MOUNT\0rules\0LEFT\0DIED\0",
        "calls\0SETNSUN\0SHARE\0MOUNT\0rules\0LEFT\0DIED\0",
        "calls\0SETNS\0UNSHARE\0MOUNT\0rules\0LEFT\0DIEE\0",
    };
    enum { LISTS = sizeof lists / sizeof lists[0], SIZE = 41 };
    uint64_t hash[LISTS];

    for (unsigned i = 0; i < LISTS; i++) {
        hash[i] = record_names__hash_of(lists[i], SIZE);
        for (unsigned k = 0; k < i; k++)
            CHECK(hash[i] != hash[k]);
        CHECK(hash[i] == record_names__hash_of(lists[i], SIZE));
    }
    CHECK(HASH("a\0") != HASH("a\0b"));
    CHECK(HASH("") != HASH("\0"));
    CHECK(record_names__hash() == record_names__hash());
    return failures != 0;
}
