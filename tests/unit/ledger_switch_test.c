/*
 * Switches in the ledger's records: which kinds changed and from where, what begins, goes on, comes
 * home and fails, moves of a single thread, private marks, and the calls on other threads that a
 * switch remembers.
 */
#include "story.h"

#define is_away(tid) (ledger__away(&ledger, ledger__thread(&ledger, (tid))))
#define record_of(tid) (*ledger__thread(&ledger, (tid)))
#define BIT(kind) NSD_KIND_BIT(kind)
#define PRIVATE_FILES_FLAG 0x00000400u

static struct nsd_label *label_of(int32_t tid, unsigned kind) {
    return label__real(record_of(tid).label[kind]);
}

/* ---- what one event says ---- */

SCENE(a_switch_and_its_way_home) {
    struct nsd_label *home = label_of(LEADER, NET);
    struct nsd_switch *change;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(thread(2), NEWNET | NEWUTS, AT(WORKER(1)));
    change = last_change.opened;
    CHECK(last_change.changed == (BIT(NET) | BIT(UTS)) && last_change.left == last_change.changed);
    CHECK(last_change.came_home == 0 && last_change.closed == NULL &&
          last_change.current == change);
    CHECK(last_change.before[NET] == home && !last_change.moved_process && !last_change.collective);
    CHECK(change->kinds == (BIT(NET) | BIT(UTS)) && change->began.kinds == change->kinds);
    CHECK(change->before[NET] == home && change->before[MNT] == NULL);
    CHECK(change->serial == record_of(2).serial && change->is_open && change->holders == 1);
    CHECK(change->began.tid == 2 && change->began.call == NSD_CALL_UNSHARE &&
          change->began.arguments[0] == (NEWNET | NEWUTS) && change->began.time == story_clock);
    CHECK(change->id == ledger.switches.last_id && ledger.switches.open == 1);
    CHECK(label_of(2, NET)->fresh && label_of(2, NET)->threads == 1);
    goes_home(thread(2), NET, AT(WORKER(2)));
    CHECK(last_change.changed == BIT(NET) && last_change.came_home == BIT(NET));
    CHECK(last_change.left == 0 && last_change.closed == NULL && last_change.current == change);
    CHECK(change->came_home == BIT(NET) && change->kinds == (BIT(NET) | BIT(UTS)));
    goes_home(thread(2), NET, AT(WORKER(2)));
    CHECK(last_change.changed == 0 && last_change.came_home == 0);
    goes_home(thread(2), UTS, AT(WORKER(3)));
    CHECK(last_change.closed == change && change->ended_home && !change->is_open);
    CHECK(last_change.current == NULL && ledger.switches.open == 0 && is_away(2) == 0);
}

SCENE(from_one_place_away_to_another) {
    struct nsd_switch *change;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 50, AT(WORKER(1)));
    change = last_change.opened;
    enters(thread(2), NET, 51, AT(WORKER(2)));
    CHECK(last_change.opened == NULL && last_change.changed == BIT(NET) && last_change.left == 0);
    CHECK(last_change.came_home == 0 && last_change.current == change);
    CHECK(change->before[NET] == ledger__home(&ledger, NET) && change->came_home == 0);
    CHECK(change->began.frames->frame[0].pc == WORKER(1));
}

/* ---- marks that cannot be taken back ---- */

SCENE(private_marks) {
    static const struct {
        uint32_t flags;
        nsd_kinds made;
    } rows[] = {
        {PRIVATE_FS_FLAG, NSD_PRIVATE_FS},
        {PRIVATE_FILES_FLAG, NSD_PRIVATE_FILES},
        {PRIVATE_FS_FLAG | PRIVATE_FILES_FLAG, NSD_PRIVATE_FS | NSD_PRIVATE_FILES},
        {NEWNS, NSD_PRIVATE_FS},
        {NEWUSER, NSD_PRIVATE_FS},
        {NEWNET | NEWUTS, 0},
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int32_t tid = 2 + (int32_t) i;

        born(MAIN_THREAD, tid, AT(MAIN(1)));
        unshares(thread(tid), rows[i].flags, AT(WORKER(1)));
        CHECK(last_change.made_private == rows[i].made);
        unshares(thread(tid), rows[i].flags, AT(WORKER(1)));
        CHECK(last_change.made_private == 0); /* it is already */
    }
    CHECK(record_of(2).marks == NSD_THREAD_PRIVATE_FS &&
          record_of(3).marks == NSD_THREAD_PRIVATE_FILES);
    enters(thread(7), NET, PRIVATE_FS_FLAG, AT(WORKER(2)));
    CHECK(record_of(7).marks == 0);
    end_image();
    begin_image();
    unshares(MAIN_THREAD, PRIVATE_FS_FLAG, AT(MAIN(1))); /* alone, nobody shares it */
    CHECK(last_change.made_private == 0 && record_of(LEADER).marks == 0);
}

/* ---- a single thread moves the process ---- */

SCENE(moves) {
    struct nsd_label *first = ledger__home(&ledger, NET);
    struct nsd_switch *move;

    unshares(MAIN_THREAD, NEWNET, AT(MAIN(1)));
    move = last_change.opened;
    CHECK(last_change.moved_process && move->is_move && move->before[NET] == first);
    CHECK(last_change.left == 0 && is_away(LEADER) == 0);
    unshares(MAIN_THREAD, NEWNET, AT(MAIN(2))); /* on: another move */
    CHECK(last_change.opened == NULL && record_of(LEADER).switches == move);
    unshares(MAIN_THREAD, NEWUTS, AT(MAIN(3)));
    CHECK(last_change.opened != NULL && last_change.opened->is_move);
    goes_home(MAIN_THREAD, NET, AT(MAIN(4))); /* back to where the image began */
    CHECK(last_change.closed == move && ledger__home(&ledger, NET) == first);
    CHECK(last_change.moved_process && ledger.switches.open == 1);
    fails_to_go_home(MAIN_THREAD, UTS, 1, AT(MAIN(5)));
    CHECK(!last_change.moved_process && !record_of(LEADER).switches->restore_failed);
    CHECK(record_of(LEADER).switches->failure == NULL);
}

SCENE(as_many_moves_as_are_kept_apart) {
    static const uint32_t flags[] = {0x02000000, 0x08000000, NEWNS,   NEWNET,
                                     0x20000000, 0x80,       NEWUSER, NEWUTS};

    for (unsigned i = 0; i < 8; i++) {
        unshares(MAIN_THREAD, flags[i], AT(MAIN(1 + i)));
        CHECK(last_change.opened != NULL && ledger.switches.open == i + 1);
    }
    CHECK(record_of(LEADER).switches->began.frames->frame[0].pc == MAIN(8));
    enters(MAIN_THREAD, PID, 500, AT(MAIN(9))); /* one more shares the newest record */
    CHECK(last_change.opened == NULL && ledger.switches.open == 8);
    CHECK((record_of(LEADER).switches->kinds & BIT(PID)) != 0);
}

SCENE(a_switch_becomes_a_move_when_its_thread_is_alone) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(MAIN_THREAD, NET, 50, AT(MAIN(2)));
    CHECK(!record_of(LEADER).switches->is_move);
    ends(thread(2));
    unshares(MAIN_THREAD, NEWUTS, AT(MAIN(3)));
    CHECK(last_change.moved_process && is_away(LEADER) == 0);
    for (struct nsd_switch *at = record_of(LEADER).switches; at != NULL; at = at->outer)
        CHECK(at->is_move);
}

/* ---- where setns leads ---- */

SCENE(setns_without_an_identity) {
    struct nsd_event event;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    setns_by(thread(2), 900, NET, 0, AT(WORKER(1))); /* by what nobody knows: somewhere else */
    CHECK(is_away(2) == BIT(NET) && !label_of(2, NET)->fresh);
    event = event_of(thread(2), NSD_CALL_SETNS, AT(WORKER(2)));
    event.arguments[0] = HOME_FD + UTS; /* type 0: the descriptor says which kind */
    tell(&event);
    CHECK(last_change.changed == 0 && is_away(2) == BIT(NET));
    event.arguments[0] = HOME_FD + NET;
    tell(&event);
    CHECK(last_change.came_home == BIT(NET));
    event.arguments[0] = (1ull << 32) + HOME_FD + UTS; /* the kernel takes an int */
    tell(&event);
    CHECK(last_change.changed == 0);
}

/* A descriptor that was said to be of another kind was closed and used again. */
SCENE(descriptor_of_another_kind) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    opens_own(thread(2), 7, NET, AT(WORKER(1)));
    setns_by(thread(2), 7, UTS, 60, AT(WORKER(2)));
    CHECK(is_away(2) == BIT(UTS) && descriptors__find(&ledger.descriptors, 7) == NULL);
}

SCENE(descriptors_of_a_thread_of_its_own) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(thread(2), PRIVATE_FILES_FLAG, AT(WORKER(1)));
    setns_by(thread(2), HOME_FD + NET, NET, 0, AT(WORKER(2)));
    CHECK(is_away(2) == BIT(NET)); /* its 803 is not ours */
}

SCENE(the_same_kind_twice) {
    struct nsd_event event;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    event = event_of(thread(2), NSD_CALL_SETNS, AT(WORKER(1)));
    event.arguments[0] = 11;
    event.identities = 3;
    event.identity[0] = identity_of(NET, 50);
    event.identity[1] = identity_of(NET, 51);
    event.identity[2] = (struct nsd_identity){.inode = 52, .kind = NSD_KINDS};
    tell(&event);
    CHECK(last_change.changed == BIT(NET) && label__identity(label_of(2, NET))->inode == 50);
}

/* ---- restores that fail ---- */

SCENE(failures_are_remembered) {
    struct nsd_switch *change;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(thread(2), NEWNET | NEWUTS, AT(WORKER(1)));
    change = last_change.opened;
    fails_to_enter(thread(2), NET, 99, 1, AT(WORKER(2))); /* not home */
    CHECK(change->failure == NULL && !change->restore_failed);
    fails_to_go_home(thread(2), NET, 1, AT(WORKER(3)));
    CHECK(change->failure != NULL && change->failure->kinds == BIT(NET) && change->restore_failed);
    CHECK(change->failure->result == -1 && change->failure->frames->frame[0].pc == WORKER(3));
    fails_to_go_home(thread(2), UTS, 1, AT(WORKER(4)));
    CHECK(change->failure->kinds == (BIT(NET) | BIT(UTS)) &&
          change->failure->frames->frame[0].pc == WORKER(3));
    goes_home(thread(2), NET, AT(WORKER(5)));
    CHECK(change->failure->kinds == BIT(UTS));
    unshares(thread(2), NEWNET, AT(WORKER(6)));
    CHECK(change->failure->kinds == BIT(UTS));
    goes_home(thread(2), NET, AT(WORKER(5)));
    goes_home(thread(2), UTS, AT(WORKER(7)));
    CHECK(change->failure == NULL && change->restore_failed && last_change.closed == change);
}

/* What a failed setns wanted, by what is known of it. */
SCENE(what_a_failure_wanted) {
    static const struct {
        int fd;
        unsigned kind;
        uint64_t inode;
        int error;
        nsd_kinds wanted;
    } rows[] = {
        {900, NET, HOME_INODE + NET, 1, 1u << NET}, /* home, by what the kernel says */
        {900, UTS, HOME_INODE + UTS, 1, 0},         /* it is at home in that kind */
        {900, NET, 50, 1, 0},
        {HOME_FD + NET, NET, 0, 1, 1u << NET}, /* by a known descriptor */
        {HOME_FD + UTS, UTS, 0, 1, 0},
        {901, NET, 0, 1, 0},          /* nothing is known of it */
        {901, NET, 0, 9, 1u << NET},  /* EBADF: the way home was closed too early */
        {901, NET, 0, 22, 1u << NET}, /* EINVAL: the number is used for something else */
        {901, NET, 0, 12, 0},
        {HOME_FD + NET, NET, 0, 9, 1u << NET},
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int32_t tid = 2 + (int32_t) i;
        struct nsd_switch *change;

        born(MAIN_THREAD, tid, AT(MAIN(1)));
        enters(thread(tid), NET, 700 + i, AT(WORKER(1)));
        change = last_change.opened;
        enters(thread(tid), CGROUP, 800 + i, AT(WORKER(1))); /* of which no row speaks */
        setns_event(thread(tid), rows[i].fd, rows[i].kind, rows[i].inode, -rows[i].error,
                    AT(WORKER(2)));
        if ((change->failure == NULL ? 0 : change->failure->kinds) != rows[i].wanted)
            FAIL("row %u", i);
        CHECK(change->restore_failed == (rows[i].wanted != 0));
    }
}

/* A nested switch: back to where it found the thread is its way home, too. */
SCENE(a_failure_within_another_switch) {
    struct nsd_switch *outer, *inner;
    struct nsd_event event;

    m_born(unlocked(1, LEADER), 2);
    enters(locked(5, 2), NET, 50, AT(JOB(1)));
    outer = last_change.opened;
    opens_own(locked(5, 2), 7, NET, AT(JOB(1)));
    enters(locked(6, 2), NET, 51, AT(JOB(2)));
    inner = last_change.opened;
    setns_event(locked(6, 2), 7, NET, 50, -1, AT(JOB(3)));
    CHECK(inner->failure != NULL && outer->failure == NULL);
    setns_event(locked(6, 2), 7, NET, 0, -1, AT(JOB(3)));
    CHECK(outer->failure == NULL);
    event = event_of(locked(6, 2), NSD_CALL_UNSHARE, AT(JOB(4)));
    event.result = -22;
    event.kinds = BIT(NET);
    tell(&event); /* no restore */
    CHECK(outer->failure == NULL);
    event.call = NSD_CALL_SETNS;
    event.kinds = 0;
    event.arguments[0] = 333;
    tell(&event); /* of no kind at all: all that it is away in */
    CHECK(outer->failure != NULL && outer->failure->kinds == BIT(NET));
}

/* ---- whose switch it is ---- */

SCENE(switches_by_goroutine) {
    struct nsd_switch *first, *second, *other;

    for (int32_t tid = 2; tid < 6; tid++)
        m_born(unlocked(1, LEADER), tid);
    enters(locked(5, 2), NET, 50, AT(JOB(1)));
    first = last_change.opened;
    enters(locked(5 + NSD_SWITCH_BUCKETS, 3), NET, 50, AT(JOB(1))); /* of the same bucket */
    other = last_change.opened;
    enters(locked(5, 4), NET, 50, AT(JOB(1)));
    second = last_change.opened;
    CHECK(switches__of_goroutine(&ledger.switches, 0) == NULL);
    CHECK(switches__of_goroutine(&ledger.switches, 5) == second);
    CHECK(switch__next_of_goroutine(second) == first && switch__next_of_goroutine(first) == NULL);
    CHECK(switches__of_goroutine(&ledger.switches, 5 + NSD_SWITCH_BUCKETS) == other);
    CHECK(switch__next_of_goroutine(other) == NULL);
    CHECK(ledger.switches.first == second && second->next == other && other->next == first &&
          first->previous == other && second->previous == NULL);
    goes_home(locked(5 + NSD_SWITCH_BUCKETS, 3), NET, AT(JOB(2)));
    CHECK(switches__of_goroutine(&ledger.switches, 5 + NSD_SWITCH_BUCKETS) == NULL);
    CHECK(switch__next_of_goroutine(second) == first && second->next == first &&
          first->previous == second && ledger.switches.open == 2);
    goes_home(locked(5, 4), NET, AT(JOB(2)));
    CHECK(switches__of_goroutine(&ledger.switches, 5) == first && ledger.switches.first == first &&
          first->previous == NULL);
    goes_home(locked(5, 2), NET, AT(JOB(2)));
    CHECK(ledger.switches.first == NULL && ledger.switches.open == 0);
}

/* The record of the last one serves the next; one that is still held is left alone. */
SCENE(records_that_are_used_again) {
    struct nsd_switch *first;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 50, AT(WORKER(1)));
    first = last_change.opened;
    goes_home(thread(2), NET, AT(WORKER(2)));
    opens_socket(thread(2), AT(WORKER(3)));
    CHECK(ledger.switches.spare == first && first->kinds == 0);
    enters(thread(2), UTS, 51, AT(WORKER(1)));
    CHECK(last_change.opened == first && ledger.switches.spare == NULL &&
          first->kinds == BIT(UTS) && first->came_home == 0 && first->id == 2);
    born(thread(2), 3, AT(WORKER(4))); /* remembers it */
    CHECK(first->holders == 2);
    goes_home(thread(2), UTS, AT(WORKER(2)));
    opens_socket(thread(2), AT(WORKER(3)));
    CHECK(ledger.switches.spare == NULL && record_of(3).born_switch == first &&
          first->holders == 1 && first->before[UTS] == ledger__home(&ledger, UTS));
    goes_home(thread(3), UTS, AT(WORKER(2)));
    story_limit = story_bytes;
    enters(thread(2), NET, 50, AT(WORKER(1)));
    CHECK(last_change.opened == NULL && ledger.switches.lost == 1);
    story_limit = (size_t) -1;
}
