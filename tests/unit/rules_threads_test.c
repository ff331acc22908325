/*
 * The rules over programs of one-to-one threads: every row that must fire and every correct idiom
 * that must not, as events, with no process.
 */
#include "story.h"

/* A library's thread that does nothing: then main's switches are its own. */
static void idle_sibling(int32_t tid) {
    born(MAIN_THREAD, tid, AT(MAIN(1), LIBRARY(1)));
}

static void visit(struct who who, const uint64_t *there, const uint64_t *back) {
    enters(who, NET, 7, there);
    goes_home(who, NET, back);
}

/* ---- correct programs ---- */

SCENE(nothing_happens) {
    idle_sibling(2);
    ends(thread(2));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}

SCENE(round_trip) {
    idle_sibling(2);
    visit(MAIN_THREAD, AT(MAIN(2)), AT(MAIN(3)));
    visit(thread(2), AT(WORKER(2)), AT(WORKER(3)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}

SCENE(round_trip_by_unshare_and_own_descriptor) {
    idle_sibling(2);
    opens_own(thread(2), 5, NET, AT(WORKER(1)));
    unshares(thread(2), NEWNET, AT(WORKER(2)));
    CHECK(last_change.left == NSD_KIND_BIT(NET) && last_change.opened != NULL);
    setns_by(thread(2), 5, NET, HOME_INODE + NET, AT(WORKER(3)));
    CHECK(last_change.came_home == NSD_KIND_BIT(NET) && last_change.closed != NULL);
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}

SCENE(single_threaded_move) {
    unshares(MAIN_THREAD, NEWNS | NEWNET, AT(MAIN(1)));
    CHECK(last_change.moved_process);
    mounts(MAIN_THREAD, AT(MAIN(2)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}

SCENE(single_threaded_again_after_a_join) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    ends(thread(2));
    unshares(MAIN_THREAD, NEWUSER | NEWNS, AT(MAIN(2)));
    CHECK(last_change.moved_process);
    born(MAIN_THREAD, 3, AT(MAIN(3)));
    mounts(thread(3), AT(WORKER(1)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}

SCENE(daemon_unshares_before_its_threads) {
    unshares(MAIN_THREAD, NEWNS | NEWNET, AT(MAIN(1)));
    opens_own(MAIN_THREAD, 5, NET, AT(MAIN(2)));
    for (int32_t tid = 2; tid < 6; tid++)
        born(MAIN_THREAD, tid, AT(MAIN(2), ENTER(1)));
    for (int32_t tid = 2; tid < 6; tid++) {
        mounts(thread(tid), AT(WORKER(1)));
        opens_socket(thread(tid), AT(WORKER(2)));
        enters(thread(tid), NET, 7, AT(WORKER(3), VISIT(1)));
        setns_by(thread(tid), 5, NET, 0, AT(WORKER(3), VISIT(2)));
    }
    at_signal(MAIN_THREAD, AT(MAIN(5)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}

SCENE(daemon_looks_back_for_a_moment) {
    opens_own(MAIN_THREAD, 5, NET, AT(MAIN(1)));
    unshares(MAIN_THREAD, NEWNET, AT(MAIN(1), ENTER(1)));
    opens_own(MAIN_THREAD, 6, NET, AT(MAIN(1)));
    born(MAIN_THREAD, 2, AT(MAIN(2), ENTER(2)));
    setns_by(MAIN_THREAD, 5, NET, HOME_INODE + NET, AT(MAIN(3), VISIT(1)));
    setns_by(MAIN_THREAD, 6, NET, 0, AT(MAIN(3), VISIT(2)));
    opens_socket(thread(2), AT(WORKER(1)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}

SCENE(thread_switches_and_returns) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(thread(2), NEWNET, AT(WORKER(1)));
    ends(thread(2));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note died-switched");
    CHECK(findings.first->kinds == NSD_KIND_BIT(NET));
}

SCENE(thread_switches_and_pthread_exits) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(thread(2), NEWNET, AT(WORKER(1)));
    pthread_exits(thread(2), AT(WORKER(2), JOB(1)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note died-switched");
    CHECK(findings.first->call == NSD_CALL_THREAD_EXIT && findings.first->frames != NULL &&
          findings.first->frames->frame[0].pc == JOB(1));
    CHECK(findings.first->related_count == 1);
}

SCENE(thread_per_namespace_by_plan) {
    for (int32_t tid = 2; tid < 6; tid++) {
        born(MAIN_THREAD, tid, AT(MAIN(1)));
        enters(thread(tid), NET, 10 + (uint64_t) tid, AT(WORKER(1), ENTER(1)));
        opens_socket(thread(tid), AT(WORKER(2)));
    }
    ends(thread(2));
    ends(thread(3));
    for (int32_t tid = 4; tid < 6; tid++)
        opens_socket(thread(tid), AT(WORKER(3), JOB(1)));
    at_signal(MAIN_THREAD, AT(MAIN(5)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note died-switched x2; note left-switched x2");
}

SCENE(threads_by_plan_that_go_home_at_shutdown) {
    for (int32_t tid = 2; tid < 6; tid++) {
        born(MAIN_THREAD, tid, AT(MAIN(1)));
        enters(thread(tid), NET, 10 + (uint64_t) tid, AT(WORKER(1)));
        waits(tid, AT(WORKER(2)));
    }
    goes_home(thread(2), NET, AT(WORKER(8)));
    ends(thread(2));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found_clean();
}

SCENE(loop_over_namespaces_that_goes_home_once) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    for (uint64_t round = 1; round < 4; round++) {
        for (uint64_t i = 0; i < round; i++) {
            enters(thread(2), NET, 20 + i, AT(WORKER(1), VISIT(1)));
            opens_socket(thread(2), AT(WORKER(1), VISIT(2)));
        }
        goes_home(thread(2), NET, AT(WORKER(1), VISIT(3)));
    }
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}

SCENE(collector_goes_on_after_eperm) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    for (uint64_t round = 0; round < 2; round++) {
        enters(thread(2), NET, 20, AT(WORKER(1), VISIT(1)));
        fails_to_enter(thread(2), NET, 21, 1, AT(WORKER(1), VISIT(1)));
        opens_socket(thread(2), AT(WORKER(1), VISIT(2)));
        goes_home(thread(2), NET, AT(WORKER(1), VISIT(3)));
    }
    opens_socket(thread(2), AT(WORKER(4)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}

SCENE(exit_in_visit_by_main) {
    idle_sibling(2);
    for (int i = 0; i < 3; i++)
        visit(MAIN_THREAD, AT(MAIN(2), VISIT(1)), AT(MAIN(2), VISIT(3)));
    enters(MAIN_THREAD, NET, 7, AT(MAIN(2), VISIT(1)));
    opens_socket(thread(2), AT(WORKER(1)));
    at_exit(MAIN_THREAD, AT(MAIN(2), VISIT(2)));
    found("note main-switched");
}

SCENE(exit_in_visit_by_another) {
    idle_sibling(2);
    for (int i = 0; i < 3; i++)
        visit(MAIN_THREAD, AT(MAIN(2), VISIT(1)), AT(MAIN(2), VISIT(3)));
    enters(MAIN_THREAD, NET, 7, AT(MAIN(2), VISIT(1)));
    waits(LEADER, AT(MAIN(2), VISIT(2)));
    at_exit(thread(2), AT(WORKER(9)));
    found("note main-switched");
}

SCENE(exit_in_visit_of_a_worker) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    for (int i = 0; i < 3; i++)
        visit(thread(2), AT(WORKER(2), VISIT(1)), AT(WORKER(2), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(2), VISIT(1)));
    waits(2, AT(WORKER(2), VISIT(2)));
    at_signal(MAIN_THREAD, AT(MAIN(5)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note left-switched");
}

SCENE(exec_in_visit_of_another) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(2), VISIT(1)), AT(WORKER(2), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(2), VISIT(1)));
    waits(2, AT(WORKER(2), VISIT(2)));
    execs(MAIN_THREAD, AT(MAIN(9)));
    found("note exec-discards > left-switched");
}

SCENE(main_enters_for_good_beside_idle_threads) {
    idle_sibling(2);
    enters(MAIN_THREAD, NET, 7, AT(MAIN(2)));
    opens_socket(MAIN_THREAD, AT(MAIN(3)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note main-switched");
}

SCENE(unswitched_main_pthread_exits) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    pthread_exits(MAIN_THREAD, AT(MAIN(2)));
    visit(thread(2), AT(WORKER(1)), AT(WORKER(2)));
    at_exit(thread(2), AT(WORKER(9)));
    found("");
}

/* The way home is known by its inode alone, which nobody keeps: it may be any namespace. */
SCENE(last_thread_beside_an_ended_main_moves_about) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    closes(MAIN_THREAD, HOME_FD + NET);
    pthread_exits(MAIN_THREAD, AT(MAIN(2)));
    enters(thread(2), NET, 7, AT(WORKER(1)));
    enters(thread(2), NET, HOME_INODE + NET, AT(WORKER(2)));
    at_exit(thread(2), AT(WORKER(9)));
    found("note left-switched");
}

SCENE(restore_retry_works) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    fails_to_go_home(thread(2), NET, 9, AT(WORKER(1), VISIT(2)));
    goes_home(thread(2), NET, AT(WORKER(1), VISIT(3)));
    opens_socket(thread(2), AT(WORKER(2)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}

SCENE(restore_retry_from_the_caller_works) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), JOB(1), VISIT(1)));
    fails_to_go_home(thread(2), NET, 9, AT(WORKER(1), JOB(1), VISIT(2)));
    goes_home(thread(2), NET, AT(WORKER(1), JOB(2)));
    found_clean();
}

SCENE(worker_per_namespace_made_in_visits_of_a_single_thread) {
    for (int32_t i = 0; i < 3; i++) {
        enters(MAIN_THREAD, NET, 20 + (uint64_t) i, AT(MAIN(1), VISIT(1)));
        born(MAIN_THREAD, 2 + i, AT(MAIN(1), VISIT(2)));
        goes_home(MAIN_THREAD, NET, AT(MAIN(1), VISIT(3)));
        opens_socket(thread(2 + i), AT(WORKER(1)));
        opens_socket(MAIN_THREAD, AT(MAIN(2)));
    }
    at_signal(MAIN_THREAD, AT(MAIN(5)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note born-switched x3");
}

SCENE(worker_per_namespace_made_in_visits) {
    idle_sibling(9);
    for (int32_t i = 0; i < 3; i++) {
        enters(MAIN_THREAD, NET, 20 + (uint64_t) i, AT(MAIN(1), VISIT(1), ENTER(1)));
        born(MAIN_THREAD, 2 + i, AT(MAIN(1), VISIT(2)));
        goes_home(MAIN_THREAD, NET, AT(MAIN(1), VISIT(3), LEAVE(1)));
    }
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note born-switched x3");
}

SCENE(helper_ends_before_the_report) {
    idle_sibling(9);
    enters(MAIN_THREAD, NET, 20, AT(MAIN(1), VISIT(1)));
    born(MAIN_THREAD, 2, AT(MAIN(1), VISIT(2), LIBRARY(1)));
    goes_home(MAIN_THREAD, NET, AT(MAIN(1), VISIT(3)));
    ends(thread(2));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note born-switched");
}

SCENE(worker_cancelled_in_a_visit) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    is_cancelled(thread(2));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note died-switched");
}

SCENE(worker_cancelled_in_its_second_visit) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(2)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    is_cancelled(thread(2));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note died-switched");
}

SCENE(visit_from_within_a_namespace_for_good) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1)));
    for (int i = 0; i < 3; i++) {
        enters(thread(2), NET, 8, AT(WORKER(2), VISIT(1)));
        enters(thread(2), NET, 7, AT(WORKER(2), VISIT(2)));
    }
    opens_socket(thread(2), AT(WORKER(3)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note left-switched");
}

SCENE(failed_calls_change_nothing) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    fails_to_enter(thread(2), NET, 7, 1, AT(WORKER(1)));
    fails_to_enter(thread(2), NET, 0, 9, AT(WORKER(1)));
    CHECK(last_change.changed == 0 && last_change.current == NULL);
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("");
}

SCENE(siblings_mount_while_the_fresh_namespace_is_used) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    unshares(thread(2), NEWNS, AT(WORKER(1)));
    mounts(thread(3), AT(JOB(1)));
    mounts(thread(2), AT(WORKER(2)));
    ends(thread(2));
    mounts(thread(3), AT(JOB(2)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note died-switched");
}

SCENE(switch_seen_by_a_recording_alone) {
    story_is_recording = true;
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(2)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    waits(2, AT(WORKER(2)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    found("note left-switched");
}

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
