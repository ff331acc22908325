/*
 * The ledger by itself: labels that are not fooled by inodes, home, births and deaths, descriptors,
 * and memory that stays where it is.
 */
#include "story.h"

#define label_of(tid, kind) label__real(ledger__thread(&ledger, (tid))->label[kind])
#define is_away(tid) (ledger__away(&ledger, ledger__thread(&ledger, (tid))))

/* Four rounds of unshare and restore have one inode in the kernel, and four labels here. */
SCENE(inode_that_is_used_again) {
    struct nsd_label *label[4];
    uint32_t number[4];

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    for (int i = 0; i < 4; i++) {
        unshares(thread(2), NEWNET, AT(WORKER(1)));
        looked_at(2, NET, 4000);
        label[i] = label_of(2, NET);
        number[i] = label[i]->number;
        goes_home(thread(2), NET, AT(WORKER(2)));
        CHECK(is_away(2) == 0);
    }
    CHECK(number[0] < number[1] && number[1] < number[2] && number[2] < number[3]);
}

SCENE(inode_leads_there_while_a_thread_is_in_it) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    enters(thread(2), NET, 50, AT(WORKER(1)));
    enters(thread(3), NET, 50, AT(WORKER(1)));
    CHECK(label_of(2, NET) == label_of(3, NET));
    ends(thread(2));
    ends(thread(3));
}

SCENE(inode_leads_there_while_a_known_descriptor_is_open) {
    struct nsd_label *label;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 50, AT(WORKER(1)));
    opens_own(thread(2), 7, NET, AT(WORKER(1)));
    label = label__hold(label_of(2, NET));
    goes_home(thread(2), NET, AT(WORKER(2)));
    enters(thread(2), NET, 50, AT(WORKER(1)));
    CHECK(label_of(2, NET) == label);
    goes_home(thread(2), NET, AT(WORKER(2)));
    closes(thread(2), 7);
    enters(thread(2), NET, 50, AT(WORKER(1)));
    /* An id is for ever, an inode is not. */
    CHECK((label_of(2, NET) == label) == story_shared_by_id);
    labels__drop(&ledger.labels, label);
}

SCENE(descriptor_leads_there_without_any_identity) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    opens_own(thread(2), 7, NET, AT(WORKER(1)));
    unshares(thread(2), NEWNET, AT(WORKER(1)));
    CHECK(is_away(2) == NSD_KIND_BIT(NET));
    setns_by(thread(2), 7, NET, 0, AT(WORKER(2)));
    CHECK(is_away(2) == 0);
}

SCENE(copies_of_a_descriptor) {
    struct nsd_event event = event_of(MAIN_THREAD, NSD_CALL_DUP, NOWHERE);

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    opens_own(thread(2), 7, NET, AT(WORKER(1)));
    event.arguments[0] = 7;
    event.result = 12;
    tell(&event);
    closes(thread(2), 7);
    unshares(thread(2), NEWNET, AT(WORKER(1)));
    setns_by(thread(2), 12, NET, 0, AT(WORKER(2)));
    CHECK(is_away(2) == 0);
    event = event_of(MAIN_THREAD, NSD_CALL_CLOSE, NOWHERE);
    event.arguments[0] = 3;
    event.arguments[1] = UINT32_MAX;
    tell(&event);
    CHECK(ledger.descriptors.table == NULL);
}

/* The link is called pid; what setns changes by it is where the children go. */
SCENE(pid_namespace_of_the_children) {
    struct nsd_event event;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    event = event_of(thread(2), NSD_CALL_OPEN, AT(WORKER(1)));
    event.result = 7;
    event.kinds = NSD_KIND_BIT(PID);
    event.path_owner = NSD_PATH_THREAD_SELF;
    event.identities = 1;
    event.identity[0] = identity_of(PID_FOR_CHILDREN, HOME_INODE + PID_FOR_CHILDREN);
    tell(&event);
    closes(MAIN_THREAD, HOME_FD + PID_FOR_CHILDREN);
    unshares(thread(2), 0x20000000u, AT(WORKER(1)));
    unshares(MAIN_THREAD, 0x20000000u, AT(MAIN(2)));
    CHECK(is_away(2) == NSD_KIND_BIT(PID_FOR_CHILDREN));
    setns_by(thread(2), 7, PID_FOR_CHILDREN, HOME_INODE + PID_FOR_CHILDREN, AT(WORKER(2)));
    CHECK(is_away(2) == 0 && last_change.closed != NULL);
}

/* Flags of unshare and what they change, the private fs of ksys_unshare included. */
SCENE(flags_of_unshare) {
    static const struct {
        uint32_t flags;
        nsd_kinds kinds;
    } rows[] = {
        {0, 0},
        {0x200, NSD_PRIVATE_FS},
        {0x400, NSD_PRIVATE_FILES},
        {0x04000000, NSD_KIND_BIT(NSD_KIND_UTS)},
        {0x00020000, NSD_KIND_BIT(NSD_KIND_MNT) | NSD_PRIVATE_FS},
        {0x00100000, NSD_KIND_BIT(NSD_KIND_MNT) | NSD_PRIVATE_FS},
        {0x10000000, NSD_KIND_BIT(NSD_KIND_USER) | NSD_PRIVATE_FS},
        {0x00200000, 0},
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK(kinds__of_unshare(rows[i].flags) == rows[i].kinds);
    CHECK((NSD_UNSHARE_FLAGS & 0x00200000) == 0 && (NSD_UNSHARE_FLAGS & 0x00100000) != 0);
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(thread(2), NSD_FLAG_EMPTY_MNTNS, AT(WORKER(1)));
    CHECK(is_away(2) == NSD_KIND_BIT(MNT));
}

/* The number was closed behind our back and leads elsewhere now: what the kernel says counts. */
SCENE(descriptor_that_was_used_again_unseen) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    opens_own(thread(2), 7, NET, AT(WORKER(1)));
    setns_by(thread(2), 7, NET, 60, AT(WORKER(2)));
    CHECK(is_away(2) == NSD_KIND_BIT(NET));
    CHECK(descriptors__find(&ledger.descriptors, 7) == NULL);
}

/* unshare, then a bind mount of its file, opened by somebody else: one namespace, two labels. */
SCENE(two_labels_turn_out_to_be_one) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    unshares(thread(2), NEWNET, AT(WORKER(1)));
    enters(thread(3), NET, 70, AT(WORKER(2)));
    CHECK(label_of(2, NET) != label_of(3, NET));
    looked_at(2, NET, 70);
    CHECK(label_of(2, NET) == label_of(3, NET));
    enters(thread(3), NET, 70, AT(WORKER(2)));
    CHECK(last_change.changed == 0);
    ends(thread(2));
    goes_home(thread(3), NET, AT(WORKER(3)));
}

/* A fresh namespace is none that was there before it, whatever inode it got. */
SCENE(fresh_namespace_with_the_inode_of_a_stale_descriptor) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 70, AT(WORKER(1)));
    opens_own(thread(2), 7, NET, AT(WORKER(1)));
    goes_home(thread(2), NET, AT(WORKER(2)));
    unshares(thread(2), NEWNET, AT(WORKER(3)));
    looked_at(2, NET, 70);
    CHECK(label_of(2, NET) != descriptors__find(&ledger.descriptors, 7)->label);
}

SCENE(tid_that_is_used_again) {
    uint32_t serial;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 50, AT(WORKER(1)));
    serial = ledger__thread(&ledger, 2)->serial;
    ends(thread(2));
    CHECK(ledger__thread(&ledger, 2) == NULL);
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    CHECK(ledger__thread(&ledger, 2)->serial != serial && is_away(2) == 0);
    enters(thread(2), NET, 50, AT(WORKER(1)));
    /* This time its death is not seen. */
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    CHECK(is_away(2) == 0 && ledger__threads_live(&ledger) == 2);
    CHECK(ledger__threads_seen(&ledger) == 4);
}

SCENE(child_inherits_what_the_parent_was_at_the_call) {
    born(MAIN_THREAD, 9, AT(MAIN(1)));
    creates_with_token(MAIN_THREAD, 500, AT(MAIN(2)));
    enters(MAIN_THREAD, NET, 50, AT(MAIN(3)));
    born_with_token(2, 500, NSD_RUNTIME_THREADS);
    CHECK(is_away(LEADER) == NSD_KIND_BIT(NET) && is_away(2) == 0);
    CHECK(ledger__thread(&ledger, 2)->parent == LEADER);
    CHECK(ledger__thread(&ledger, 2)->birth_frames->frame[0].pc == MAIN(2));
    born(MAIN_THREAD, 3, AT(MAIN(2)));
    CHECK(is_away(3) == NSD_KIND_BIT(NET));
    CHECK(ledger__thread(&ledger, 3)->born_switch != NULL);
}

SCENE(thread_that_is_not_created) {
    struct nsd_event event;

    creates_with_token(MAIN_THREAD, 500, AT(MAIN(2)));
    event = event_of(MAIN_THREAD, NSD_CALL_THREAD_NOT_CREATED, AT(MAIN(2)));
    event.token = 500;
    event.result = -11;
    tell(&event);
    CHECK(threads__expecting(&ledger.threads) == 0);
    unshares(MAIN_THREAD, NEWNET, AT(MAIN(3)));
    CHECK(last_change.moved_process);
}

/* Main switches before the first event of the thread that it has just made: no move any more. */
SCENE(switch_before_the_second_thread_is_met) {
    creates_with_token(MAIN_THREAD, 500, AT(MAIN(1)));
    enters(MAIN_THREAD, NET, 50, AT(MAIN(2)));
    CHECK(!last_change.moved_process && last_change.left == NSD_KIND_BIT(NET));
    born_with_token(2, 500, NSD_RUNTIME_THREADS);
    CHECK(is_away(LEADER) == NSD_KIND_BIT(NET) && is_away(2) == 0);
    goes_home(MAIN_THREAD, NET, AT(MAIN(3)));
    CHECK(is_away(LEADER) == 0);
}

/* A thread that nobody reported (SIGEV_THREAD): the kernel's count decides. */
SCENE(kernel_counts_more_threads_than_we) {
    unshares_among(MAIN_THREAD, NEWNET, 2, AT(MAIN(1)));
    CHECK(!last_change.moved_process && is_away(LEADER) == NSD_KIND_BIT(NET));
    born(MAIN_THREAD, 2, AT(MAIN(2)));
    CHECK(is_away(LEADER) == NSD_KIND_BIT(NET) && is_away(2) == NSD_KIND_BIT(NET));
    goes_home(MAIN_THREAD, NET, AT(MAIN(3)));
    CHECK(is_away(LEADER) == 0 && is_away(2) == NSD_KIND_BIT(NET));
}

/* The thread that the kernel counted is gone: the next one finds home where the leader stands. */
SCENE(alone_again_after_the_kernel_counted_more) {
    unshares_among(MAIN_THREAD, NEWNET, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 2, AT(MAIN(2)));
    ends(thread(2));
    CHECK(is_away(LEADER) == NSD_KIND_BIT(NET));
    born(MAIN_THREAD, 3, AT(MAIN(3)));
    CHECK(is_away(LEADER) == 0 && is_away(3) == 0);
}

SCENE(kernel_counts_one) {
    unshares_among(MAIN_THREAD, NEWNET, 1, AT(MAIN(1)));
    CHECK(last_change.moved_process && is_away(LEADER) == 0);
}

SCENE(home_is_where_the_second_thread_finds_the_leader) {
    struct nsd_label *home = ledger__home(&ledger, NET);

    unshares(MAIN_THREAD, NEWNET, AT(MAIN(1)));
    CHECK(ledger__home(&ledger, NET) != home);
    born(MAIN_THREAD, 2, AT(MAIN(2)));
    CHECK(is_away(LEADER) == 0 && is_away(2) == 0);
    /* Away when it becomes the only one; its next thread settles it there. */
    enters(MAIN_THREAD, UTS, 80, AT(MAIN(3)));
    CHECK(is_away(LEADER) == NSD_KIND_BIT(UTS));
    ends(thread(2));
    born(MAIN_THREAD, 3, AT(MAIN(4)));
    CHECK(is_away(LEADER) == 0 && is_away(3) == 0);
    /* The leader may still go back to where the process was. */
    goes_home(MAIN_THREAD, UTS, AT(MAIN(5)));
    CHECK(is_away(LEADER) == 0 && is_away(3) == NSD_KIND_BIT(UTS));
}

/* A long way of moves: the first home and the newest are kept. */
SCENE(many_moves_of_a_single_thread) {
    for (uint64_t i = 0; i < 50; i++)
        enters(MAIN_THREAD, NET, 100 + i, AT(MAIN(1)));
    goes_home(MAIN_THREAD, NET, AT(MAIN(2)));
    CHECK(ledger.home.former_count[NET] == 0);
    for (uint64_t i = 0; i < 1000; i++)
        unshares(MAIN_THREAD, i % 2 == 0 ? NEWNET : NEWUTS, AT(MAIN(1)));
    CHECK(ledger.switches.open <= 8 && ledger.home.former_count[NET] <= NSD_FORMER_MOST);
    born(MAIN_THREAD, 2, AT(MAIN(3)));
    CHECK(is_away(LEADER) == 0 && is_away(2) == 0);
}

SCENE(fork_begins_again) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(MAIN_THREAD, NET, 50, AT(MAIN(2)));
    end_image();
    begin_image();
    CHECK(is_away(LEADER) == 0 && ledger__threads_live(&ledger) == 1);
    enters(MAIN_THREAD, NET, 50, AT(MAIN(2)));
    CHECK(last_change.moved_process);
}

SCENE(found_thread) {
    struct nsd_event event = event_of(thread(5), NSD_CALL_THREAD_FOUND, NOWHERE);

    event.identities = 2;
    event.identity[0] = identity_of(NET, 50);
    event.identity[1] = identity_of(UTS, HOME_INODE + UTS);
    tell(&event);
    CHECK(is_away(5) == NSD_KIND_BIT(NET) && is_away(LEADER) == 0);
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found_clean();
}

/* An event of a tid that was never announced, and the end of one that is not there. */
SCENE(strangers) {
    ends(thread(77));
    CHECK(last_change.thread == NULL);
    opens_socket(thread(78), AT(WORKER(1)));
    CHECK(ledger__thread(&ledger, 78) != NULL && is_away(78) == 0);
    setns_by(thread(78), -1, NET, 0, AT(WORKER(1)));
    CHECK(is_away(78) == NSD_KIND_BIT(NET));
}

SCENE(pidfd_changes_several_kinds) {
    struct nsd_event event;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    event = event_of(thread(2), NSD_CALL_SETNS, AT(WORKER(1)));
    event.arguments[0] = 11;
    event.kinds = NSD_KIND_BIT(NET) | NSD_KIND_BIT(UTS) | NSD_KIND_BIT(IPC);
    event.identities = 3;
    event.identity[0] = identity_of(NET, 50);
    event.identity[1] = identity_of(UTS, 51);
    event.identity[2] = identity_of(IPC, HOME_INODE + IPC);
    tell(&event);
    CHECK(last_change.changed == (NSD_KIND_BIT(NET) | NSD_KIND_BIT(UTS)));
    CHECK(is_away(2) == (NSD_KIND_BIT(NET) | NSD_KIND_BIT(UTS)));
    goes_home(thread(2), NET, AT(WORKER(2)));
    CHECK(last_change.closed == NULL && last_change.current != NULL);
    goes_home(thread(2), UTS, AT(WORKER(3)));
    CHECK(last_change.closed != NULL && last_change.current == NULL);
}

SCENE(further_kinds_belong_to_the_switch) {
    struct nsd_switch *first;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 50, AT(WORKER(1)));
    first = last_change.opened;
    unshares(thread(2), NEWNS, AT(WORKER(2)));
    CHECK(last_change.opened == NULL && last_change.current == first);
    CHECK(first->kinds == (NSD_KIND_BIT(NET) | NSD_KIND_BIT(MNT)));
}

SCENE(switch_of_another_goroutine_on_a_thread_that_is_away) {
    struct nsd_switch *first;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(locked(5, 2), NET, 50, AT(JOB(1)));
    first = last_change.opened;
    opens_own(locked(6, 2), 7, NET, AT(JOB(2)));
    enters(locked(6, 2), NET, 51, AT(JOB(2)));
    CHECK(last_change.opened != NULL && last_change.opened != first);
    enters(locked(6, 2), NET, 50, AT(JOB(3)));
    CHECK(last_change.closed != NULL && last_change.closed != first &&
          last_change.current == first);
}

SCENE(comparison_with_the_kernel) {
    struct nsd_identity identity = identity_of(NET, HOME_INODE + NET);

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    CHECK(ledger__compare(&ledger, 2, NET, &identity) == NSD_COMPARE_AGREES);
    CHECK(!ledger__unidentified(&ledger, 2, NET));
    unshares(thread(2), NEWNET, AT(WORKER(1)));
    CHECK(ledger__unidentified(&ledger, 2, NET));
    identity = identity_of(NET, 90);
    CHECK(ledger__compare(&ledger, 2, NET, &identity) == NSD_COMPARE_LEARNT);
    CHECK(ledger__compare(&ledger, 2, NET, &identity) == NSD_COMPARE_AGREES);
    identity = identity_of(NET, 91);
    CHECK(ledger__compare(&ledger, 2, NET, &identity) == NSD_COMPARE_DIFFERS);
    CHECK(ledger__compare(&ledger, 77, NET, &identity) == NSD_COMPARE_UNKNOWN);
    CHECK(label__identity(label_of(2, NET))->inode == 90);
}

/* ---- memory ---- */

SCENE(a_million_short_threads) {
    size_t before = 0;

    for (int32_t i = 0; i < 1000000; i++) {
        born(MAIN_THREAD, 2 + i % 30000, AT(MAIN(1)));
        if (i % 3 == 0)
            unshares(thread(2 + i % 30000), NEWNET, AT(WORKER(1)));
        ends(thread(2 + i % 30000));
        if (i == 999)
            before = story_bytes;
    }
    CHECK(story_bytes == before);
    CHECK(ledger__threads_seen(&ledger) == 1000001 && ledger__lost(&ledger) == 0);
}

SCENE(ten_thousand_live_threads) {
    size_t before = story_bytes;
    uint32_t lost = (uint32_t) ledger__lost(&ledger);

    for (int32_t tid = 2; tid < 10002; tid++) {
        born(MAIN_THREAD, tid, AT(MAIN(1)));
        enters(thread(tid), NET, 5000 + (uint64_t) tid, AT(WORKER(1)));
    }
    CHECK(story_bytes - before <= 10000u * 1024u);
    CHECK(ledger__threads_live(&ledger) == 10001 && ledger__lost(&ledger) == lost);
    /* The arena hands out powers of two. */
    CHECK(sizeof(struct nsd_thread) <= 256 && sizeof(struct nsd_label) <= 128 &&
          sizeof(struct nsd_switch) <= 512);
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note left-switched x10000");
}

SCENE(births_that_are_never_heard_of) {
    for (uint32_t token = 1; token < 20000; token++)
        creates_with_token(MAIN_THREAD, 100000 + token, AT(MAIN(1)));
    CHECK(threads__expecting(&ledger.threads) <= 4096);
    CHECK(ledger__lost(&ledger) > 0);
}

SCENE(no_memory_at_all) {
    story_limit = story_bytes;
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(MAIN_THREAD, NEWNET, AT(MAIN(2)));
    unshares(thread(2), NEWNET, AT(MAIN(2)));
    opens_own(MAIN_THREAD, 7, NET, AT(MAIN(3)));
    goes_home(MAIN_THREAD, NET, AT(MAIN(4)));
    ends(thread(2));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    CHECK(ledger__lost(&ledger) > 0);
    story_limit = (size_t) -1;
}
