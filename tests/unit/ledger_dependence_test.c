/*
 * Calls that depend on namespaces, as switches of other threads remember them: what a thread at
 * home did while main was away, the mount that was made at home after an unused unshare, the way
 * home that another thread went.
 */
#include "story.h"

#define record_of(tid) (*ledger__thread(&ledger, (tid)))
#define BIT(kind) NSD_KIND_BIT(kind)
#define first_pc(witness) ((witness)->frames->frame[0].pc)

SCENE(what_calls_depend_on) {
    static const struct {
        enum nsd_call call;
        nsd_kinds named, kinds;
    } rows[] = {
        {NSD_CALL_MOUNT, 0, 1u << MNT},
        {NSD_CALL_PIVOT_ROOT, 0, 1u << MNT},
        {NSD_CALL_SOCKET, 1u << NET, 1u << NET},
        {NSD_CALL_SETNS, 1u << UTS, 1u << UTS},
        {NSD_CALL_SETNS, NSD_PRIVATE_FS, 0},
        {NSD_CALL_FORK, 0, NSD_ALL_KINDS},
        {NSD_CALL_EXEC, 0, NSD_ALL_KINDS},
        {NSD_CALL_EXIT, 0, 0},
        {NSD_CALL_CLOSE, 0, 0},
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct nsd_event event = {.call = (uint16_t) rows[i].call, .kinds = rows[i].named};

        CHECK(dependence__of(&event) == rows[i].kinds);
    }
}

/* ---- main is away ---- */

static struct nsd_switch *main_leaves(uint32_t flags) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    unshares(MAIN_THREAD, flags, AT(MAIN(2)));
    return last_change.opened;
}

SCENE(the_first_call_of_a_thread_that_stayed) {
    struct nsd_switch *change = main_leaves(NEWNET | NEWUTS);

    opens_socket(MAIN_THREAD, AT(MAIN(3))); /* its own */
    mounts(thread(2), AT(WORKER(1)));       /* of another kind */
    CHECK(change->sibling == NULL);
    opens_socket(thread(2), AT(WORKER(2)));
    opens_socket(thread(3), AT(WORKER(3)));
    CHECK(change->sibling != NULL && change->sibling->tid == 2 &&
          first_pc(change->sibling) == WORKER(2) && change->sibling->kinds == BIT(NET));
}

SCENE(calls_that_do_not_count) {
    struct nsd_switch *change = main_leaves(NEWNET);
    struct nsd_event event = event_of(thread(2), NSD_CALL_SOCKET, AT(WORKER(1)));

    event.kinds = BIT(NET);
    event.result = -1; /* it failed */
    tell(&event);
    enters(thread(3), NET, 60, AT(WORKER(1))); /* away itself, though elsewhere */
    opens_socket(thread(3), AT(WORKER(2)));
    CHECK(change->sibling == NULL);
    calls(thread(2), NSD_CALL_FORK, AT(WORKER(3))); /* starting a process depends on all */
    CHECK(change->sibling != NULL && change->sibling->kinds == BIT(NET));
}

SCENE(nobody_but_main_is_remembered_by) {
    struct nsd_switch *change;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 50, AT(WORKER(1)));
    change = last_change.opened;
    opens_socket(MAIN_THREAD, AT(MAIN(2)));
    CHECK(change->sibling == NULL);
    ends(thread(2));
    unshares(MAIN_THREAD, NEWNET, AT(MAIN(3))); /* a move of the process */
    change = last_change.opened;
    born(MAIN_THREAD, 3, AT(MAIN(4)));
    goes_home(MAIN_THREAD, NET, AT(MAIN(5)));
    opens_socket(thread(3), AT(WORKER(1)));
    CHECK(change->sibling == NULL);
    unshares(MAIN_THREAD, NEWNET, AT(MAIN(6)));
    pthread_exits(MAIN_THREAD, AT(MAIN(7)));
    opens_socket(thread(3), AT(WORKER(1))); /* main is gone */
    CHECK(last_change.thread != NULL);
}

/* ---- a fresh mnt namespace that nobody uses ---- */

static struct nsd_switch *makes_mnt(struct who who) {
    unshares(who, NEWNS, AT(WORKER(1)));
    return last_change.opened;
}

SCENE(a_mount_at_home) {
    struct nsd_switch *change;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    change = makes_mnt(thread(2));
    CHECK(change->fresh_mnt && ledger.switches.unused_mnt == 1);
    calls(MAIN_THREAD, NSD_CALL_UMOUNT, AT(MAIN(2))); /* that places nothing */
    calls(MAIN_THREAD, NSD_CALL_OPEN_TREE, AT(MAIN(2)));
    CHECK(change->elsewhere == NULL);
    mounts(MAIN_THREAD, AT(MAIN(3)));
    mounts(MAIN_THREAD, AT(MAIN(4)));
    CHECK(change->elsewhere != NULL && first_pc(change->elsewhere) == MAIN(3) &&
          change->elsewhere->kinds == BIT(MNT) && change->elsewhere->tid == LEADER);
}

SCENE(which_calls_place_a_mount) {
    static const enum nsd_call calls_that_do[] = {NSD_CALL_MOUNT, NSD_CALL_MOVE_MOUNT,
                                                  NSD_CALL_PIVOT_ROOT};

    for (unsigned i = 0; i < 3; i++) {
        int32_t tid = 2 + (int32_t) i;
        struct nsd_switch *change;
        struct nsd_event event;

        born(MAIN_THREAD, tid, AT(MAIN(1)));
        change = makes_mnt(thread(tid));
        event = event_of(MAIN_THREAD, calls_that_do[i], AT(MAIN(2)));
        event.result = -1;
        tell(&event);
        CHECK(change->elsewhere == NULL);
        event.result = 0;
        tell(&event);
        CHECK(change->elsewhere != NULL && change->elsewhere->call == calls_that_do[i]);
    }
}

SCENE(a_namespace_that_is_used) {
    struct nsd_switch *used, *by_setns, *go;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    used = makes_mnt(thread(2));
    CHECK(!used->used_mnt);
    calls(thread(2), NSD_CALL_UMOUNT, AT(WORKER(2))); /* any call that depends on mnt */
    CHECK(used->used_mnt && !used->fresh_mnt && ledger.switches.unused_mnt == 0);
    unshares(thread(2), NEWNS, AT(WORKER(3))); /* one more, in the same switch */
    CHECK(!used->fresh_mnt);
    enters(thread(3), MNT, 60, AT(WORKER(1))); /* somebody else's */
    by_setns = last_change.opened;
    CHECK(by_setns->used_mnt && !by_setns->fresh_mnt);
    mounts(MAIN_THREAD, AT(MAIN(2)));
    CHECK(used->elsewhere == NULL && by_setns->elsewhere == NULL);
    m_born(unlocked(1, LEADER), 4);
    go = makes_mnt(locked(9, 4)); /* a goroutine's calls are followed by its number */
    mounts(MAIN_THREAD, AT(MAIN(2)));
    CHECK(go->fresh_mnt && go->elsewhere == NULL);
}

SCENE(a_mount_that_is_made_away) {
    struct nsd_switch *change;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    change = makes_mnt(thread(2));
    enters(thread(3), MNT, 60, AT(JOB(1)));
    mounts(thread(3), AT(JOB(2)));
    CHECK(change->elsewhere == NULL);
    enters(thread(3), NET, 61, AT(JOB(1)));
    goes_home(thread(3), MNT, AT(JOB(3))); /* away, but not in mnt */
    mounts(thread(3), AT(JOB(4)));
    CHECK(change->elsewhere != NULL && change->elsewhere->tid == 3);
}

/* The last few that ended so are remembered. */
SCENE(threads_that_end_without_using_it) {
    for (int32_t tid = 2; tid < 2 + 10; tid++) {
        born(MAIN_THREAD, tid, AT(MAIN(1)));
        makes_mnt(thread(tid));
        ends(thread(tid));
    }
    CHECK(ledger.unused_dead_next == 10 && ledger.switches.unused_mnt == 0);
    for (unsigned i = 0; i < NSD_UNUSED_DEAD; i++)
        CHECK(ledger.unused_dead[i]->began.tid == (int32_t) (2 + (i < 2 ? 8 + i : i)));
    mounts(MAIN_THREAD, AT(MAIN(2)));
    for (unsigned i = 0; i < NSD_UNUSED_DEAD; i++)
        CHECK(first_pc(ledger.unused_dead[i]->elsewhere) == MAIN(2));
    born(MAIN_THREAD, 30, AT(MAIN(1)));
    enters(thread(30), NET, 50, AT(WORKER(1)));
    ends(thread(30)); /* no mnt namespace */
    born(MAIN_THREAD, 31, AT(MAIN(1)));
    makes_mnt(thread(31));
    mounts(MAIN_THREAD, AT(MAIN(3)));
    ends(thread(31)); /* its mount was seen already */
    CHECK(ledger.unused_dead_next == 10);
}

/* ---- a restore on another thread ---- */

static struct nsd_switch *opens_and_leaves(int32_t tid) {
    born(MAIN_THREAD, tid, AT(MAIN(1)));
    opens_own(thread(tid), 5, NET, AT(WORKER(1)));
    enters(thread(tid), NET, 50, AT(WORKER(2)));
    return last_change.opened;
}

SCENE(the_way_home_on_another_thread) {
    struct nsd_switch *change = opens_and_leaves(2);

    born(MAIN_THREAD, 3, AT(MAIN(1)));
    setns_by(thread(3), 5, NET, 0, AT(JOB(1)));
    setns_by(thread(3), 5, NET, 0, AT(JOB(2)));
    CHECK(change->elsewhere != NULL && first_pc(change->elsewhere) == JOB(1) &&
          change->elsewhere->kinds == BIT(NET));
}

SCENE(other_ways_home) {
    struct nsd_switch *change = opens_and_leaves(2);

    born(MAIN_THREAD, 3, AT(MAIN(1)));
    setns_by(thread(3), HOME_FD + NET, NET, 0, AT(JOB(1))); /* that main opened, which is home */
    setns_by(thread(3), 901, NET, HOME_INODE + NET, AT(JOB(1))); /* that nobody saw opened */
    setns_by(locked(9, 3), 5, NET, 0, AT(JOB(1)));               /* by a goroutine */
    CHECK(change->elsewhere == NULL);
    enters(thread(3), NET, 50, AT(JOB(2)));
    opens_own(thread(2), 6, NET, AT(WORKER(3)));
    setns_by(thread(3), 6, NET, 0,
             AT(JOB(3))); /* where it is: not home, and nothing idle at home */
    CHECK(last_change.changed == 0 && change->elsewhere == NULL);
    goes_home(thread(2), NET, AT(WORKER(4)));
    goes_home(thread(3), NET, AT(JOB(4)));
    setns_by(thread(3), 5, NET, 0, AT(JOB(5))); /* its opener is home again */
    enters(thread(2), UTS, 51, AT(WORKER(5)));
    setns_by(thread(3), 5, NET, 0, AT(JOB(5))); /* or away in another kind */
    CHECK(record_of(2).switches->elsewhere == NULL);
}

/* The opener's tid was used again: this is another thread. */
SCENE(an_opener_that_is_gone) {
    struct nsd_switch *change;

    opens_and_leaves(2);
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    ends(thread(2));
    setns_by(thread(3), 5, NET, 0, AT(JOB(1)));
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 50, AT(WORKER(2)));
    change = last_change.opened;
    setns_by(thread(3), 5, NET, 0, AT(JOB(1)));
    CHECK(change->elsewhere == NULL);
}
