/*
 * The rules over correct programs of one-to-one threads: every idiom at which no rule may fire, as
 * events, with no process. Faults are in rules_faults_test.c.
 */
#include "story.h"

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

/* Where the thread that execs is itself away, it takes that along: nothing is discarded. */
SCENE(exec_in_the_namespace_that_another_is_in) {
    idle_sibling(9);
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1)));
    enters(MAIN_THREAD, NET, 7, AT(MAIN(2)));
    execs(MAIN_THREAD, AT(MAIN(3)));
    found("note left-switched");
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
