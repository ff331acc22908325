/*
 * The rules over programs of one-to-one threads with one fault each, as events, with no process.
 * Correct ones are in rules_threads_test.c.
 */
#include "story.h"

/* ---- faults ---- */

SCENE(pool_worker_skips_the_restore_and_idles) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    waits(2, AT(WORKER(2)));
    at_signal(MAIN_THREAD, AT(MAIN(5)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning left-switched");
    CHECK(findings.first->count == 1);
}

SCENE(another_worker_skips_the_restore_and_idles) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    enters(thread(3), NET, 7, AT(WORKER(1), VISIT(1)));
    waits(3, AT(WORKER(2)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning left-switched");
}

/* The slot still holds its old value, but the function that called the visitor has returned. */
SCENE(pool_worker_idles_with_a_stale_stack) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), JOB(1), VISIT(1)), AT(WORKER(1), JOB(1), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(1), JOB(1), VISIT(1)));
    waits(2, AT(WORKER(2)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning left-switched");
}

SCENE(pool_worker_is_healed_by_a_later_visit) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    for (int i = 0; i < 2; i++)
        visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning left-switched");
}

SCENE(pool_worker_is_healed_by_a_visit_from_elsewhere) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    visit(thread(2), AT(WORKER(2), VISIT(1)), AT(WORKER(2), VISIT(3)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning left-switched");
}

/* What is only seen of a thread is no event of its own: its stack was not captured there. */
SCENE(pool_worker_that_is_looked_at) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    waits(2, AT(WORKER(2)));
    is_seen(thread(2));
    found("");
    ends(thread(2));
    found("warning died-switched");
}

SCENE(pool_worker_works_on_in_the_wrong_namespace) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    opens_socket(thread(2), AT(WORKER(2)));
    CHECK(findings.first != NULL && findings.first->severity == NSD_SEVERITY_WARNING);
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning left-switched");
}

/* The way home is another function's: what visits is the caller of both. */
SCENE(enter_and_leave_are_functions) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    for (int i = 0; i < 2; i++) {
        enters(thread(2), NET, 7, AT(WORKER(1), JOB(1), ENTER(1)));
        opens_socket(thread(2), AT(WORKER(1), JOB(2)));
        goes_home(thread(2), NET, AT(WORKER(1), JOB(3), LEAVE(1)));
    }
    found("");
    enters(thread(2), NET, 7, AT(WORKER(1), JOB(1), ENTER(1)));
    opens_socket(thread(2), AT(WORKER(1), JOB(2)));
    found("");
    opens_socket(thread(2), AT(WORKER(2)));
    found("warning left-switched");
}

/* A tail call: the restore is made from the caller's place, in the visitor's slot. */
/* A library's function between: both ways leave the same address of ENTER in the same slot. */
SCENE(enter_and_leave_are_one_function) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    for (int i = 0; i < 2; i++) {
        enters(thread(2), NET, 7, AT(WORKER(1), JOB(1), ENTER(1), LIBRARY(1)));
        opens_socket(thread(2), AT(WORKER(1), JOB(2)));
        goes_home(thread(2), NET, AT(WORKER(1), JOB(3), ENTER(1), LIBRARY(1)));
    }
    found("");
    enters(thread(2), NET, 7, AT(WORKER(1), JOB(1), ENTER(1), LIBRARY(1)));
    opens_socket(thread(2), AT(WORKER(1), JOB(2)));
    found("");
    opens_socket(thread(2), AT(WORKER(2)));
    found("warning left-switched");
}

SCENE(restore_by_a_tail_call) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    goes_home(thread(2), NET, AT(WORKER(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    opens_socket(thread(2), AT(WORKER(1), VISIT(2)));
    found("");
    opens_socket(thread(2), AT(WORKER(2)));
    found("warning left-switched");
}

SCENE(worker_dies_where_others_came_back) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    ends(thread(2));
    found("warning died-switched");
}

SCENE(one_kind_of_two_comes_home) {
    struct nsd_event event;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(thread(2), NEWNET | NEWUTS, AT(WORKER(1), VISIT(1)));
    goes_home(thread(2), NET, AT(WORKER(1), VISIT(2)));
    event = event_of(thread(2), NSD_CALL_SETNS, AT(WORKER(1), VISIT(3)));
    waits(2, AT(WORKER(2)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    (void) event;
    found("warning left-switched");
    CHECK(findings.first->kinds == NSD_KIND_BIT(UTS));
}

SCENE(restore_fails_and_work_goes_on) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    fails_to_go_home(thread(2), NET, 9, AT(WORKER(1), VISIT(2)));
    opens_socket(thread(2), AT(WORKER(1), VISIT(3)));
    found("");
    opens_socket(thread(2), AT(WORKER(2)));
    waits(2, AT(WORKER(3)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("error restore-failed > left-switched");
    CHECK(findings.first->result == -9 && findings.first->call == NSD_CALL_SETNS);
}

SCENE(restore_fails_and_worker_idles) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    fails_to_go_home(thread(2), NET, 1, AT(WORKER(1), VISIT(2)));
    waits(2, AT(WORKER(2)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning restore-failed > left-switched");
}

SCENE(restore_fails_and_the_thread_ends) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    fails_to_go_home(thread(2), NET, 9, AT(WORKER(1), VISIT(2)));
    ends(thread(2));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning died-switched");
}

SCENE(main_switches_and_pthread_exits) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(MAIN_THREAD, NEWNET, AT(MAIN(2)));
    pthread_exits(MAIN_THREAD, AT(MAIN(3)));
    opens_socket(thread(2), AT(WORKER(1)));
    at_exit(thread(2), AT(WORKER(9)));
    found("error main-switched");
    CHECK(findings.first->main_thread && findings.first->tid == LEADER);
}

SCENE(main_is_the_last_to_pthread_exit) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(MAIN_THREAD, NEWNET, AT(MAIN(2)));
    ends(thread(2));
    pthread_exits(MAIN_THREAD, AT(MAIN(3)));
    found("note main-switched");
}

SCENE(main_away_while_a_sibling_opens_a_socket) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(MAIN_THREAD, NEWNET, AT(MAIN(2)));
    opens_socket(thread(2), AT(WORKER(1)));
    at_signal(MAIN_THREAD, AT(MAIN(5)));
    found("");
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning main-switched");
    CHECK(findings.first->other_tid == 2 && findings.first->related_count == 1);
}

SCENE(main_away_while_a_sibling_mounts) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(MAIN_THREAD, NEWNS, AT(MAIN(2)));
    mounts(MAIN_THREAD, AT(MAIN(3)));
    mounts(thread(2), AT(WORKER(1)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning main-switched");
}

SCENE(main_away_while_a_sibling_does_other_things) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(MAIN_THREAD, NEWNS, AT(MAIN(2)));
    mounts(MAIN_THREAD, AT(MAIN(3)));
    opens_socket(thread(2), AT(WORKER(1)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note main-switched");
}

SCENE(main_leaves_its_visit_without_going_home) {
    idle_sibling(2);
    visit(MAIN_THREAD, AT(MAIN(2), VISIT(1)), AT(MAIN(2), VISIT(3)));
    enters(MAIN_THREAD, NET, 7, AT(MAIN(2), VISIT(1)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning main-switched");
}

SCENE(helper_of_a_library_outlives_the_visit) {
    idle_sibling(9);
    enters(MAIN_THREAD, NET, 20, AT(MAIN(1), VISIT(1)));
    born(MAIN_THREAD, 2, AT(MAIN(1), VISIT(2), LIBRARY(1)));
    at_signal(MAIN_THREAD, AT(MAIN(1), VISIT(2)));
    found("");
    goes_home(MAIN_THREAD, NET, AT(MAIN(1), VISIT(3)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning born-switched");
    CHECK(findings.first->tid == 2 && findings.first->other_tid == LEADER);
    CHECK(findings.first->switch_frames != NULL);
}

SCENE(helper_outlives_the_visit_of_a_single_thread) {
    enters(MAIN_THREAD, NET, 20, AT(MAIN(1), VISIT(1)));
    CHECK(last_change.moved_process);
    born(MAIN_THREAD, 2, AT(MAIN(1), VISIT(2), LIBRARY(1)));
    goes_home(MAIN_THREAD, NET, AT(MAIN(1), VISIT(3)));
    CHECK(ledger__away(&ledger, ledger__thread(&ledger, LEADER)) == 0);
    CHECK(ledger__away(&ledger, ledger__thread(&ledger, 2)) == NSD_KIND_BIT(NET));
    born(MAIN_THREAD, 3, AT(MAIN(2)));
    CHECK(ledger__away(&ledger, ledger__thread(&ledger, 3)) == 0);
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning born-switched");
}

SCENE(helper_of_a_helper) {
    enters(MAIN_THREAD, NET, 20, AT(MAIN(1), VISIT(1)));
    born(MAIN_THREAD, 2, AT(MAIN(1), VISIT(2), LIBRARY(1)));
    goes_home(MAIN_THREAD, NET, AT(MAIN(1), VISIT(3)));
    born(thread(2), 3, AT(LIBRARY(2)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning born-switched > born-switched");
}

SCENE(restore_on_another_thread) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    opens_own(thread(2), 5, NET, AT(WORKER(1)));
    unshares(thread(2), NEWNET, AT(WORKER(2)));
    setns_by(thread(3), 5, NET, HOME_INODE + NET, AT(JOB(1)));
    CHECK(last_change.changed == 0);
    at_signal(MAIN_THREAD, AT(MAIN(5)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning split-sequence > left-switched");
    CHECK(findings.last->tid == 3 && findings.last->other_tid == 2);
}

SCENE(restore_on_another_thread_and_then_by_itself) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    opens_own(thread(2), 5, NET, AT(WORKER(1)));
    unshares(thread(2), NEWNET, AT(WORKER(2)));
    setns_by(thread(3), 5, NET, HOME_INODE + NET, AT(JOB(1)));
    setns_by(thread(2), 5, NET, HOME_INODE + NET, AT(WORKER(3)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}

SCENE(mount_on_another_thread) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    unshares(thread(2), NEWNS, AT(WORKER(1)));
    mounts(thread(3), AT(JOB(1)));
    ends(thread(2));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning split-sequence > died-switched");
}

SCENE(mount_on_another_thread_after_the_first_has_ended) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    unshares(thread(2), NEWNS, AT(WORKER(1)));
    ends(thread(2));
    mounts(thread(3), AT(JOB(1)));
    mounts(thread(3), AT(JOB(2)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning split-sequence > died-switched");
}

SCENE(thread_that_is_no_leader_execs) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(thread(2), NEWNS, AT(WORKER(1)));
    execs(thread(2), AT(WORKER(2)));
    found("note exec-discards");
    exec_fails(thread(2));
    found("");
    execs(thread(2), AT(WORKER(2)));
    found("note exec-discards");
    CHECK(findings.first->printed && findings.first->next == NULL);
}

SCENE(unpinned_while_away) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    pins(thread(2));
    pins(thread(2));
    enters(thread(2), NET, 7, AT(WORKER(1)));
    unpins(thread(2));
    found("");
    unpins(thread(2));
    found("error unlocked-while-switched");
}

SCENE(pinned_to_the_end) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    pins(thread(2));
    CHECK(ledger__pinned(ledger__thread(&ledger, 2)) == 1);
    enters(thread(2), NET, 7, AT(WORKER(1)));
    fails_to_go_home(thread(2), NET, 9, AT(WORKER(2)));
    ends(thread(2));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note died-switched");
}

/* A thousand visits that are left from one place are one finding. */
SCENE(the_same_again_only_counts) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    for (int32_t tid = 3; tid < 1003; tid++) {
        born(MAIN_THREAD, tid, AT(MAIN(1)));
        enters(thread(tid), NET, 7, AT(WORKER(1), VISIT(1)));
        ends(thread(tid));
    }
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("warning died-switched x1000");
}

/* Stack pointers on another stack (a signal's, a coroutine's) say nothing about this one. */
SCENE(events_on_an_alternate_stack) {
    struct nsd_event event;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    waits(2, AT(WORKER(1), VISIT(2)));
    event = event_of(thread(2), NSD_CALL_SOCKET, NOWHERE);
    event.kinds = NSD_KIND_BIT(NET);
    event.frames = stack_of(40, AT(FUNCTION(70, 1)), &event.stack_pointer, true);
    event.stack_pointer = stack_base(2) + 0x80000;
    tell(&event);
    found("");
    goes_home(thread(2), NET, AT(WORKER(1), VISIT(3)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}
