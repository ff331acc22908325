/*
 * The memory of ids and their inodes, written and read by several threads at once, with ids that
 * fall into the same places: what is recalled for an id is that id's pair, or nothing.
 */
#include "host/identity.c"

#include "race.h"

#define ROUNDS 30000
#define IDS (3 * KNOWN)

static _Atomic uint64_t recalled;

static void remember_and_recall(unsigned number) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t id = 1 + (i * 7 + number) % IDS;
        struct nsd_identity made = {
            .id = id, .inode = 0x100000 + id, .device = (uint32_t) (0x200 + id)};
        struct nsd_identity found = {.id = id};

        if (!recall(id, &found)) {
            remember(&made);
            if (!recall(id, &found))
                continue; /* another thread was writing there, or has written since */
        }
        recalled++;
        CHECK(found.inode == made.inode && found.device == made.device);
    }
}

int main(void) {
    race__run(remember_and_recall);
    CHECK(recalled > 0);
    return race__result();
}
