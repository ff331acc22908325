/*
 * The ledger's tables by themselves: labels and their identities, descriptors, home and former
 * homes, kinds and flags, births and switches as lists. Memory that was taken is given back.
 */
#include "story.h"

/* ---- kinds ---- */

SCENE(names_and_flags_of_kinds) {
    static const struct {
        const char *name;
        uint64_t flag;
        nsd_kinds kinds, marks;
    } rows[] = {
        {"cgroup", 0x02000000, 1u << CGROUP, 0},
        {"ipc", 0x08000000, 1u << IPC, 0},
        {"mnt", 0x00020000, 1u << MNT, NSD_PRIVATE_FS},
        {"net", 0x40000000, 1u << NET, 0},
        {"pid", 0, 0, 0},
        {"pid_for_children", 0x20000000, 1u << PID_FOR_CHILDREN, 0},
        {"time", 0, 0, 0},
        {"time_for_children", 0x80, 1u << TIME_FOR_CHILDREN, 0},
        {"user", 0x10000000, 1u << USER, NSD_PRIVATE_FS},
        {"uts", 0x04000000, 1u << UTS, 0},
    };
    const nsd_kinds all = NSD_ALL_KINDS & ~(1u << PID) & ~(1u << TIME);

    for (unsigned i = 0; i < NSD_KINDS; i++) {
        unsigned length = (unsigned) strlen(rows[i].name);

        CHECK(strcmp(kinds__name(i), rows[i].name) == 0);
        CHECK(kinds__by_name(rows[i].name, length) == i);
        CHECK(kinds__by_name(rows[i].name, length - 1) == NSD_KINDS);
        CHECK(kinds__of_flags(rows[i].flag) == rows[i].kinds);
        CHECK(kinds__of_unshare(rows[i].flag) == (rows[i].kinds | rows[i].marks));
    }
    CHECK(strcmp(kinds__name(NSD_KINDS), "unknown") == 0);
    CHECK(kinds__by_name("netx", 3) == NSD_KIND_NET && kinds__by_name("netx", 4) == NSD_KINDS);
    CHECK(kinds__by_name("", 0) == NSD_KINDS);
    /* Every bit that is no namespace's. */
    CHECK(kinds__of_flags(~0ull) == all);
    CHECK(kinds__of_flags(0x01ffff00u & ~0x00020000u) == 0 && kinds__of_flags(1ull << 33) == 0);
    /* Linux 7.1: an empty mnt namespace, by another call's bit. */
    CHECK(kinds__of_unshare(0x00100000) == (1u << MNT | NSD_PRIVATE_FS));
    CHECK(kinds__of_unshare(PRIVATE_FS_FLAG) == NSD_PRIVATE_FS);
    CHECK(kinds__of_unshare(0x400) == NSD_PRIVATE_FILES);
    CHECK(kinds__of_unshare(0x00050900) == 0);
}

/* ---- labels ---- */

static struct nsd_labels labels;

static struct nsd_identity known(uint64_t id, uint64_t inode, uint64_t device) {
    return (struct nsd_identity){.id = id, .inode = inode, .device = device, .kind = NET};
}

SCENE(labels_by_identity) {
    struct nsd_identity by_id = known(77, 5, 4), by_inode = known(0, 5, 4);
    struct nsd_identity without_device = known(0, 5, 0), elsewhere = known(0, 5, 3);
    struct nsd_identity other_id = known(78, 5, 4), nothing = known(0, 0, 0), kind = by_inode;
    struct nsd_label *label = labels__of(&labels, &by_id);

    kind.kind = UTS;
    CHECK(label->number == labels.last_number && label->kind == NET);
    CHECK(labels__find(&labels, &by_id) == label);
    CHECK(labels__find(&labels, &by_inode) == NULL); /* nobody keeps the namespace */
    label__enter(label);
    CHECK(labels__find(&labels, &by_inode) == label);
    CHECK(labels__find(&labels, &without_device) == label);
    CHECK(labels__find(&labels, &elsewhere) == NULL && labels__find(&labels, &other_id) == NULL);
    CHECK(labels__find(&labels, &kind) == NULL && labels__find(&labels, &nothing) == NULL);
    labels__leave(&labels, label);
    CHECK(labels__find(&labels, &by_inode) == NULL);
    label__open(label);
    CHECK(labels__find(&labels, &by_inode) == label);
    labels__close(&labels, label);
    CHECK(labels.count == 1);
    labels__drop(&labels, label);
    CHECK(labels.count == 0 && labels__find(&labels, &by_id) == NULL);
}

/* Hundreds of namespaces share the buckets, and each is found until it is given back. */
SCENE(many_labels) {
    struct nsd_label *many[1000];

    for (unsigned i = 0; i < 1000; i++) {
        struct nsd_identity identity = known(i % 2 ? 1000 + i : 0, 1 + i, 4);

        many[i] = labels__of(&labels, &identity);
        label__enter(many[i]);
        labels__drop(&labels, many[i]);
    }
    CHECK(labels.count == 1000);
    for (unsigned i = 0; i < 1000; i += 3)
        labels__leave(&labels, many[i]);
    for (unsigned i = 0; i < 1000; i++) {
        struct nsd_identity identity = known(0, 1 + i, 4), by_id = known(1000 + i, 0, 0);

        CHECK(labels__find(&labels, &identity) == (i % 3 ? many[i] : NULL));
        CHECK(labels__find(&labels, &by_id) == (i % 3 && i % 2 ? many[i] : NULL));
    }
    for (unsigned i = 0; i < 1000; i++) {
        if (i % 3 != 0)
            labels__leave(&labels, many[i]);
    }
    CHECK(labels.count == 0);
}

SCENE(what_is_learnt_of_a_label) {
    struct nsd_label *label = labels__mint(&labels, NET), *other;
    struct nsd_identity inode = known(0, 5, 0), device = known(0, 5, 4), id = known(77, 0, 0);
    struct nsd_identity wrong = known(0, 6, 4), wrong_id = known(78, 5, 4), wrong_device = device;

    wrong_device.device = 3;
    CHECK(!label__is_identified(label) && !label__is_identified(NULL));
    CHECK(labels__learn(&labels, label, &inode) && label__is_identified(label));
    CHECK(labels__learn(&labels, label, &device) && label->identity.device == 4);
    CHECK(labels__learn(&labels, label, &id) && label->identity.id == 77);
    CHECK(label->identity.inode == 5 && label->identity.kind == NET);
    CHECK(!labels__learn(&labels, label, &wrong) && !labels__learn(&labels, label, &wrong_id) &&
          !labels__learn(&labels, label, &wrong_device) && !labels__learn(&labels, NULL, &inode));
    CHECK(labels__find(&labels, &id) == label);
    other = labels__mint(&labels, NET);
    CHECK(labels__learn(&labels, other, &id)); /* the two are one */
    CHECK(label__real(other) == label && label__same(other, label) && other->same == label);
    labels__drop(&labels, other);
    labels__drop(&labels, label);
    CHECK(labels.count == 0);
}

/* Who is in the one, and what leads to it, counts for what it turned out to be. */
SCENE(counts_of_merged_labels) {
    struct nsd_identity identity = known(0, 5, 4);
    struct nsd_label *one = labels__of(&labels, &identity), *two = labels__mint(&labels, NET);

    label__enter(one);
    label__enter(two);
    label__open(two);
    CHECK(labels__learn(&labels, two, &identity) && label__real(two) == one);
    CHECK(one->threads == 2 && one->descriptors == 1 && two->threads == 0 && two->descriptors == 0);
    labels__leave(&labels, two);
    labels__close(&labels, two);
    CHECK(one->threads == 1 && one->descriptors == 0);
    labels__leave(&labels, one);
    CHECK(labels__find(&labels, &identity) == NULL);
    labels__drop(&labels, one);
    CHECK(labels.count == 2); /* the other name still points to it */
    labels__drop(&labels, two);
    CHECK(labels.count == 0);
}

SCENE(a_fresh_label_is_none_that_was_there) {
    struct nsd_identity identity = known(0, 5, 4), same_inode = known(9, 5, 4);
    struct nsd_label *old = labels__of(&labels, &identity), *fresh = labels__mint(&labels, NET);

    label__enter(old);
    fresh->fresh = true;
    CHECK(labels__learn(&labels, fresh, &same_inode) && label__real(fresh) == fresh);
    CHECK(fresh->identity.inode == 5 && fresh->identity.id == 9);
    labels__leave(&labels, old);
    labels__drop(&labels, old);
    labels__drop(&labels, fresh);
}

SCENE(labels_that_are_not_known) {
    struct nsd_label *label = labels__mint(&labels, NET);

    CHECK(label__real(NULL) == NULL && label__identity(NULL) == NULL);
    CHECK(!label__same(NULL, NULL) && !label__same(label, NULL) && !label__same(NULL, label));
    CHECK(label__same(label, label));
    CHECK(label__hold(NULL) == NULL && label__enter(NULL) == NULL && label__open(NULL) == NULL);
    labels__drop(&labels, NULL);
    labels__leave(&labels, NULL);
    labels__close(&labels, NULL);
    CHECK(label__hold(label) == label && label->holders == 2);
    labels__drop(&labels, label);
    labels__drop(&labels, label);
    story_limit = story_bytes;
    CHECK(labels__mint(&labels, NET) == NULL);
    story_limit = (size_t) -1;
}

/* ---- descriptors ---- */

static struct nsd_descriptors descriptors;

static void open_fd(int32_t fd, struct nsd_label *label, int32_t opener) {
    struct nsd_descriptor descriptor = {.fd = fd, .label = label, .opener = opener};

    descriptors__open(&descriptors, &labels, &descriptor);
}

static int32_t opener_of(uint64_t fd) {
    struct nsd_descriptor *found = descriptors__find(&descriptors, fd);

    return found == NULL ? 0 : found->opener;
}

SCENE(descriptors_by_number) {
    struct nsd_label *label = labels__mint(&labels, NET), *other = labels__mint(&labels, UTS);

    open_fd(7, label, 1);
    CHECK(opener_of(7) == 1 && label->descriptors == 1 && label->holders == 2);
    open_fd(7, other, 2); /* takes its place */
    CHECK(opener_of(7) == 2 && label->descriptors == 0 && other->descriptors == 1);
    open_fd(8, NULL, 3);
    CHECK(opener_of(8) == 3 && opener_of(9) == 0 && opener_of((1ull << 32) + 7) == 0);
    descriptors__copy(&descriptors, &labels, 7, 9);
    CHECK(opener_of(9) == 2 && other->descriptors == 2 &&
          descriptors__find(&descriptors, 9)->fd == 9);
    descriptors__copy(&descriptors, &labels, 7, 7);
    CHECK(opener_of(7) == 2 && other->descriptors == 2);
    descriptors__copy(&descriptors, &labels, 100, 9); /* of no known one: it leads elsewhere now */
    CHECK(opener_of(9) == 0 && other->descriptors == 1);
    descriptors__close(&descriptors, &labels, 7, 7);
    descriptors__close(&descriptors, &labels, 7, 7);
    CHECK(opener_of(7) == 0 && other->descriptors == 0);
    for (int32_t fd = 3; fd < 10; fd++)
        open_fd(fd, label, fd);
    descriptors__close(&descriptors, &labels, 4, 6);
    CHECK(opener_of(3) == 3 && !opener_of(4) && !opener_of(5) && !opener_of(6) && opener_of(7));
    descriptors__close(&descriptors, &labels, 8, UINT32_MAX);
    CHECK(opener_of(3) && opener_of(7) && !opener_of(8) && !opener_of(9));
    CHECK(label->descriptors == 2 && descriptors.lost == 0);
    descriptors__reset(&descriptors, &labels);
    CHECK(descriptors.table == NULL && label->descriptors == 0 && label->holders == 1);
    labels__drop(&labels, label);
    labels__drop(&labels, other);
}

SCENE(descriptors_without_room) {
    struct nsd_label *label = labels__mint(&labels, NET);

    for (int32_t fd = 0; fd < 32768; fd++)
        open_fd(fd, NULL, 1);
    CHECK(descriptors.lost == 0 && opener_of(32767) == 1);
    open_fd(40000, label, 2);
    CHECK(descriptors.lost == 1 && opener_of(40000) == 0 && label->descriptors == 0 &&
          label->holders == 1);
    open_fd(5, label, 2); /* one that is there needs no more */
    CHECK(opener_of(5) == 2 && descriptors.lost == 1);
    descriptors__reset(&descriptors, &labels);
    story_limit = story_bytes;
    open_fd(7, label, 2);
    CHECK(descriptors.lost == 2 && opener_of(7) == 0 && label->holders == 1);
    story_limit = story_bytes + sizeof(struct nsd_descriptor); /* but none for the table */
    open_fd(7, label, 2);
    CHECK(descriptors.lost == 3 && opener_of(7) == 0 && label->holders == 1);
    story_limit = (size_t) -1;
    descriptors.lost = 0;
    labels__drop(&labels, label);
}

/* ---- home ---- */

static struct nsd_home at_home;

static unsigned formers(void) {
    return at_home.former_count[NET];
}

SCENE(former_homes) {
    struct nsd_label *many[20], *start[NSD_KINDS] = {NULL}, *none[NSD_KINDS] = {NULL};

    for (unsigned i = 0; i < 20; i++)
        many[i] = labels__mint(&labels, NET);
    start[NET] = many[0];
    home__begin(&at_home, &labels, start);
    CHECK(at_home.label[NET] == many[0] && at_home.current[NET] == many[0] && formers() == 0);
    for (unsigned i = 1; i < 20; i++) {
        home__move(&at_home, &labels, NET, many[i]);
        CHECK(at_home.label[NET] == many[i] && at_home.current[NET] == many[i]);
        CHECK(formers() == (i < NSD_FORMER_MOST ? i : NSD_FORMER_MOST));
    }
    /* The first, and the newest. */
    CHECK(at_home.former[NET][0] == many[0]);
    for (unsigned i = 1; i < NSD_FORMER_MOST; i++)
        CHECK(at_home.former[NET][i] == many[19 - NSD_FORMER_MOST + i]);
    home__move(&at_home, &labels, NET, many[19]);
    CHECK(formers() == NSD_FORMER_MOST);
    home__leader_entered(&at_home, &labels, NET, many[1]); /* no home of the past any more */
    CHECK(at_home.current[NET] == many[19]);
    home__leader_entered(&at_home, &labels, NET, many[18]);
    CHECK(at_home.current[NET] == many[18] && at_home.label[NET] == many[19]);
    CHECK(home__is_away(&at_home, NET, many[19]) && !home__is_away(&at_home, NET, many[18]) &&
          !home__is_away(&at_home, NET, NULL) && !home__is_away(&at_home, UTS, many[18]));
    home__leader_entered(&at_home, &labels, NET, many[19]);
    CHECK(at_home.current[NET] == many[19]);
    home__move(&at_home, &labels, NET, many[17]); /* back: what came after it is forgotten */
    CHECK(at_home.label[NET] == many[17] && formers() == NSD_FORMER_MOST - 2);
    home__move(&at_home, &labels, NET, many[0]);
    CHECK(formers() == 0 && at_home.current[NET] == many[0]);
    home__move(&at_home, &labels, NET, NULL);
    CHECK(at_home.label[NET] == NULL && formers() == 1);
    home__move(&at_home, &labels, NET, many[2]); /* an unknown one is no place to go back to */
    CHECK(formers() == 1);
    home__move_all(&at_home, &labels, NET, many[5]);
    CHECK(formers() == 0 && at_home.label[NET] == many[5] && at_home.current[NET] == many[5]);
    home__begin(&at_home, &labels, none);
    for (unsigned i = 0; i < 20; i++) {
        CHECK(many[i]->holders == 1);
        labels__drop(&labels, many[i]);
    }
}

/* ---- births ---- */

static struct nsd_threads threads;

SCENE(births_by_token) {
    struct nsd_birth *birth;

    CHECK(threads__expected(&threads, 0) == NULL && threads__expected(&threads, 5) == NULL);
    birth = threads__expect(&threads, &labels, 5);
    CHECK(birth != NULL && birth->token == 5 && threads__expecting(&threads) == 1);
    CHECK(threads__expected(&threads, 5) == birth && threads__expected(&threads, 0) == NULL);
    birth->label[NET] = label__enter(labels__mint(&labels, NET));
    labels__drop(&labels, birth->label[NET]);
    birth = threads__expect(&threads, &labels, 5); /* the token is used again */
    CHECK(birth->label[NET] == NULL && threads__expecting(&threads) == 1 && labels.count == 0);
    for (uint32_t token = 6; token <= 4100; token++)
        threads__expect(&threads, &labels, token);
    CHECK(threads__expecting(&threads) == 4096 && threads.lost == 0);
    threads__expect(&threads, &labels, 4101); /* the oldest is given up */
    CHECK(threads__expecting(&threads) == 4096 && threads.lost == 1);
    CHECK(threads__expected(&threads, 5) == NULL && threads__expected(&threads, 6) != NULL);
    while (threads.births != NULL)
        threads__give_up(&threads, &labels, threads.births);
    story_limit = story_bytes;
    CHECK(threads__expect(&threads, &labels, 7) == NULL && threads.lost == 2);
    CHECK(threads__add(&threads, 7) == NULL && threads.lost == 3);
    story_limit = story_bytes + sizeof(struct nsd_birth);
    CHECK(threads__expect(&threads, &labels, 7) == NULL && threads.lost == 4);
    story_limit = story_bytes + sizeof(struct nsd_thread);
    CHECK(threads__add(&threads, 7) == NULL && threads.lost == 5 && threads.seen == 0);
    story_limit = (size_t) -1;
    threads.lost = 0;
}
