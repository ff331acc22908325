/*
 * What each rule says: its words and its remedy, and the thread, call, namespaces and places that
 * go with them. One scene for each sentence.
 */
#include "rules_sentences.h"

/* ---- unlocked-switch ---- */

SCENE(an_unlocked_switch) {
    go_starts();
    unshares(unlocked(10, 2), NEWNET | NEWNS, AT(JOB(1)));
    looked_at(2, MNT, 5002);
    first_is("error unlocked-switch x1", unlocked_switch,
             "thread 2, goroutine 10, lock 2: unshare(40020000, 0) = 0 at 7:1; mnt "
             "1002>5002, home 1002; net 1003>?, home 1003");
}

SCENE(an_unlocked_switch_of_main) {
    go_starts();
    enters(unlocked(1, LEADER), NET, 50, AT(MAIN(1)));
    enters(unlocked(1, LEADER), NET, 51, AT(MAIN(2)));
    goes_home(unlocked(1, LEADER), NET, AT(MAIN(3)));
    enters(unlocked(1, LEADER), NET, 52, AT(MAIN(1)));
    found("error unlocked-switch x2");
    first_is("error unlocked-switch x2", unlocked_switch,
             "thread 1 main, goroutine 1, lock 2: setns(384, 0) = 0 at 1:1; net 1003>50, "
             "home 1003");
}

SCENE(unlocked_private_fs_and_files) {
    go_starts();
    unshares(unlocked(10, 2), PRIVATE_FS_FLAG | 0x400u, AT(JOB(1)));
    first_is("warning unlocked-switch x1", unlocked_private,
             "thread 2, goroutine 10, lock 2: unshare(600, 0) = 0 at 7:1; private 3");
}

SCENE(a_c_call_that_leaves_its_thread_away) {
    go_starts();
    unshares(in_cgo(10, 2, 4), NEWNET, AT(JOB(1), IN_C(1)));
    opens_socket(in_cgo(11, 2, 5), AT(JOB(2), IN_C(2)));
    first_is("error unlocked-switch x1", unlocked_in_c,
             "thread 2, goroutine 10, lock 2: unshare(40000000, 0) = 0 at 8:1<7:1; net "
             "1003>?, home 1003");
}

/* ---- restore-failed ---- */

SCENE(a_failed_restore_and_the_thread_given_up) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(VISIT(1)));
    fails_to_go_home(locked(10, 2), NET, 1, AT(VISIT(2)));
    opens_socket(unlocked(11, 2), AT(MAIN(1)));
    first_is("error restore-failed x1", failed_unlocked,
             "thread 2, goroutine 10, lock 2: setns(323, 0) = -1 at 3:2, switch at 3:1; net "
             "1003>50, home 1003; switched here: thread 2, goroutine 10 at 3:1; used here: "
             "thread 2, goroutine 11 at 1:1");
}

SCENE(a_failed_restore_and_the_thread_seen_unlocked) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(VISIT(1)));
    fails_to_go_home(locked(10, 2), NET, 1, AT(VISIT(2)));
    is_seen(unlocked(0, 2));
    at_signal(unlocked(1, LEADER), AT(MAIN(5)));
    first_is("error restore-failed x1", failed_unlocked,
             "thread 2, goroutine 10, lock 2: setns(323, 0) = -1 at 3:2, switch at 3:1; net "
             "1003>50, home 1003; switched here: thread 2, goroutine 10 at 3:1");
}

SCENE(a_failed_restore_and_work_after_it) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    fails_to_go_home(thread(2), NET, 9, AT(WORKER(1), VISIT(2)));
    opens_socket(thread(2), AT(WORKER(2)));
    first_is("error restore-failed x1", failed_worked_on,
             "thread 2, lock 0: setns(323, 0) = -9 at 3:2<2:1, switch at 3:1<2:1; net "
             "1003>7, home 1003; switched here: thread 2 at 3:1<2:1; used here: thread 2 at "
             "2:2");
    then_is("warning left-switched x1", left_over,
            "thread 2, lock 0: setns(384, 0) = 0 at 3:1<2:1; net 1003>7, home 1003; still "
            "not back here: thread 2 at 2:2");
}

SCENE(a_failed_restore_and_an_unpin) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    pins(thread(2));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    fails_to_go_home(thread(2), NET, 9, AT(WORKER(1), VISIT(2)));
    unpins(thread(2));
    first_is("error restore-failed x1", failed_lives_on,
             "thread 2, lock 0: setns(323, 0) = -9 at 3:2<2:1, switch at 3:1<2:1; net "
             "1003>7, home 1003; switched here: thread 2 at 3:1<2:1");
}

SCENE(a_failed_restore_and_an_idle_thread) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    fails_to_go_home(thread(2), NET, 1, AT(WORKER(1), VISIT(2)));
    waits(2, AT(WORKER(2)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    first_is("warning restore-failed x1", failed_lives_on,
             "thread 2, lock 0: setns(323, 0) = -1 at 3:2<2:1, switch at 3:1<2:1; net "
             "1003>7, home 1003; switched here: thread 2 at 3:1<2:1");
}

SCENE(a_failed_restore_in_a_visit_that_goes_on) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    fails_to_go_home(thread(2), NET, 1, AT(WORKER(1), VISIT(2)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    first_is("note restore-failed x1", failed_kept,
             "thread 2, lock 0: setns(323, 0) = -1 at 3:2<2:1, switch at 3:1<2:1; net "
             "1003>7, home 1003; switched here: thread 2 at 3:1<2:1");
}

SCENE(a_failed_restore_kept_locked) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(VISIT(1)));
    fails_to_go_home(locked(10, 2), NET, 9, AT(VISIT(2)));
    at_signal(unlocked(1, LEADER), AT(MAIN(5)));
    first_is("note restore-failed x1", failed_kept,
             "thread 2, goroutine 10, lock 4: setns(323, 0) = -9 at 3:2, switch at 3:1; net "
             "1003>50, home 1003; switched here: thread 2, goroutine 10 at 3:1");
}

SCENE(a_failed_restore_kept_to_the_end) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(VISIT(1)));
    fails_to_go_home(locked(10, 2), NET, 9, AT(VISIT(2)));
    ends(wedged(2));
    first_is("note restore-failed x1", failed_kept,
             "thread 2, goroutine 10, lock 4: setns(323, 0) = -9 at 3:2, switch at 3:1; net "
             "1003>50, home 1003; switched here: thread 2, goroutine 10 at 3:1");
    then_is("note died-switched x1", died,
            "thread 2, goroutine 10, lock 4: setns(384, 0) = 0 at 3:1; net 1003>50, home "
            "1003");
}

/* ---- unlocked-while-switched ---- */

SCENE(unlocked_while_away) {
    go_starts();
    unshares(locked(10, 2), NEWNET, AT(VISIT(1)));
    opens_socket(unlocked(10, 2), AT(JOB(1)));
    first_is("error unlocked-while-switched x1", while_unlocked,
             "thread 2, goroutine 10, lock 2: unshare(40000000, 0) = 0 at 3:1; net 1003>?, "
             "home 1003; then here: thread 2, goroutine 10 at 7:1");
}

SCENE(unlocked_while_away_as_the_report_sees) {
    go_starts();
    unshares(locked(10, 2), NEWNET, AT(VISIT(1)));
    is_seen(unlocked(0, 2));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    first_is("error unlocked-while-switched x1", while_unlocked,
             "thread 2, goroutine 10, lock 2: unshare(40000000, 0) = 0 at 3:1; net 1003>?, "
             "home 1003");
    then_is("error left-switched x1", left_unlocked,
            "thread 2, goroutine 10, lock 2: unshare(40000000, 0) = 0 at 3:1; net 1003>?, "
            "home 1003");
}

/* The words do not depend on which goroutine the scheduler runs on the thread first. */
SCENE(another_goroutine_on_the_thread) {
    go_starts();
    unshares(locked(10, 2), NEWNET, AT(VISIT(1)));
    opens_socket(locked(11, 2), AT(JOB(1)));
    first_is("error unlocked-while-switched x1", while_unlocked,
             "thread 2, goroutine 10, lock 4: unshare(40000000, 0) = 0 at 3:1; net 1003>?, "
             "home 1003; then here: thread 2, goroutine 11 at 7:1");
}

SCENE(another_goroutine_on_the_thread_of_one_that_was_never_locked) {
    go_starts();
    unshares(unlocked(10, 2), NEWNET, AT(VISIT(1)));
    opens_socket(locked(11, 2), AT(JOB(1)));
    then_is("error unlocked-while-switched x1", while_other,
            "thread 2, goroutine 10, lock 4: unshare(40000000, 0) = 0 at 3:1; net 1003>?, "
            "home 1003; then here: thread 2, goroutine 11 at 7:1");
}

SCENE(unpinned_while_away) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    pins(thread(2));
    enters(thread(2), NET, 7, AT(WORKER(1)));
    unpins(thread(2));
    first_is("error unlocked-while-switched x1", while_unpinned,
             "thread 2, lock 0: setns(384, 0) = 0 at 2:1; net 1003>7, home 1003");
}

/* ---- split-sequence ---- */

SCENE(a_call_on_another_thread) {
    go_starts();
    enters(locked(1, 2), NET, 50, AT(MAIN(1)));
    enters(locked(1, 3), NET, 51, AT(MAIN(2)));
    first_is("error split-sequence x1", split,
             "thread 3, goroutine 1, lock 4: setns(384, 0) = 0 at 1:2, switch at 1:1; net "
             "1003>51, home 1003; to thread 2; switched here: thread 2, goroutine 1 at 1:1");
}

SCENE(a_call_on_another_thread_in_the_same_namespace) {
    go_starts();
    enters(locked(1, 2), NET, 50, AT(MAIN(1)));
    enters(locked(7, 3), NET, 50, AT(JOB(1)));
    opens_socket(unlocked(1, 3), AT(MAIN(2)));
    found("error unlocked-while-switched");
    first_is("error unlocked-while-switched x1", while_unlocked,
             "thread 3, goroutine 7, lock 2: setns(384, 0) = 0 at 7:1; net 1003>50, home 1003; "
             "then here: thread 3, goroutine 1 at 1:2");
}

SCENE(a_restore_on_another_thread) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    opens_own(thread(2), 5, NET, AT(WORKER(1)));
    unshares(thread(2), NEWNET, AT(WORKER(2)));
    setns_by(thread(3), 5, NET, HOME_INODE + NET, AT(JOB(1)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    first_is("warning split-sequence x1", split_restore,
             "thread 3, lock 0: setns(5, 0) = 0 at 7:1, switch at 2:2; net 1003>1003, home "
             "1003; to thread 2; switched here: thread 2 at 2:2");
    then_is("note left-switched x1", left_lives_on,
            "thread 2, lock 0: unshare(40000000, 0) = 0 at 2:2; net 1003>?, home 1003");
}

SCENE(a_mount_on_another_thread) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(thread(2), NEWNS, AT(WORKER(1)));
    mounts(MAIN_THREAD, AT(MAIN(2)));
    ends(thread(2));
    first_is("warning split-sequence x1", split_mount,
             "thread 1 main, lock 0: mount(0, 0) = 0 at 1:2, switch at 2:1; mnt 1002>1002, "
             "home 1002; to thread 2; switched here: thread 2 at 2:1");
}

/* ---- exec-discards ---- */

SCENE(an_exec_on_the_wrong_thread) {
    go_starts();
    unshares(locked(1, 2), NEWNS, AT(MAIN(1)));
    execs(locked(1, 3), AT(MAIN(2)));
    first_is("error exec-discards x1", exec_own,
             "thread 3, goroutine 1, lock 4: execve(0, 0) = 0 at 1:2, switch at 1:1; mnt "
             "1002>?, home 1002; to thread 2; switched here: thread 2, goroutine 1 at 1:1");
}

SCENE(an_exec_while_others_are_away) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1)));
    enters(thread(3), NET, 7, AT(WORKER(2)));
    execs(MAIN_THREAD, AT(MAIN(9)));
    first_is("note exec-discards x1", exec_others,
             "thread 1 main, lock 0: execve(0, 0) = 0 at 1:9, switch at 2:2; net 1003>7, "
             "home 1003; to thread 3; switched here: thread 3 at 2:2");
}

SCENE(an_exec_by_another_thread_than_main) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(thread(2), NEWNS, AT(WORKER(1)));
    execs(thread(2), AT(WORKER(2)));
    first_is("note exec-discards x1", exec_becomes,
             "thread 2, lock 0: execve(0, 0) = 0 at 2:2, switch at 2:1; mnt 1002>?, home "
             "1002; to thread 2; switched here: thread 2 at 2:1");
}

/* ---- main-switched ---- */

SCENE(main_is_parked) {
    go_starts();
    unshares(locked(1, LEADER), NEWNET, AT(MAIN(1)));
    is_seen(wedged(LEADER));
    at_exit(unlocked(8, 2), AT(JOB(9)));
    first_is("error main-switched x1", main_wedged,
             "thread 1 main, goroutine 1, lock 7: unshare(40000000, 0) = 0 at 1:1; net "
             "1003>?, home 1003");
}

SCENE(main_is_parked_with_private_things) {
    go_starts();
    unshares(locked(1, LEADER), PRIVATE_FS_FLAG | 0x400u, AT(MAIN(1)));
    is_seen(wedged(LEADER));
    at_exit(unlocked(8, 2), AT(JOB(9)));
    first_is("note main-switched x1", main_wedged_private,
             "thread 1 main, lock 7: none(0, 0) = 0 at nowhere; private 3");
}

SCENE(main_is_parked_with_private_files) {
    go_starts();
    unshares(locked(1, LEADER), 0x400u, AT(MAIN(1)));
    is_seen(wedged(LEADER));
    at_exit(unlocked(8, 2), AT(JOB(9)));
    first_is("note main-switched x1", main_wedged_private,
             "thread 1 main, lock 7: none(0, 0) = 0 at nowhere; private 2");
}

SCENE(main_is_away_and_unlocked) {
    go_starts();
    enters(locked(1, LEADER), NET, 50, AT(MAIN(1)));
    is_seen(unlocked(0, LEADER));
    at_exit(unlocked(8, 2), AT(JOB(9)));
    first_is("error unlocked-while-switched x1", while_unlocked_main,
             "thread 1 main, goroutine 1, lock 2: setns(384, 0) = 0 at 1:1; net 1003>50, "
             "home 1003");
    then_is("error main-switched x1", main_unlocked,
            "thread 1 main, goroutine 1, lock 2: setns(384, 0) = 0 at 1:1; net 1003>50, "
            "home 1003");
}

SCENE(main_ends_away) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(MAIN_THREAD, NEWNET, AT(MAIN(2)));
    pthread_exits(MAIN_THREAD, AT(MAIN(3)));
    first_is("error main-switched x1", main_ended,
             "thread 1 main, lock 0: pthread_exit(40000000, 0) = 0 at 1:3, switch at 1:2; "
             "net 1003>?, home 1003; switched here: thread 1 at 1:2");
}

SCENE(main_ends_away_unseen) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(MAIN_THREAD, NEWNET, AT(MAIN(2)));
    ends(MAIN_THREAD);
    first_is("error main-switched x1", main_ended,
             "thread 1 main, lock 0: unshare(40000000, 0) = 0 at 1:2; net 1003>?, home 1003");
}

SCENE(main_has_left_its_visit) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(MAIN_THREAD, AT(MAIN(2), VISIT(1)), AT(MAIN(2), VISIT(3)));
    enters(MAIN_THREAD, NET, 7, AT(MAIN(2), VISIT(1)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    first_is("warning main-switched x1", main_over,
             "thread 1 main, lock 0: setns(384, 0) = 0 at 3:1<1:2; net 1003>7, home 1003");
}

SCENE(main_left_others_behind) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(MAIN_THREAD, NEWNET, AT(MAIN(2)));
    opens_socket(thread(2), AT(WORKER(1)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    first_is("warning main-switched x1", main_sibling,
             "thread 1 main, lock 0: unshare(40000000, 0) = 0 at 1:2; net 1003>?, home "
             "1003; to thread 2; used there: thread 2 at 2:1");
}

SCENE(main_is_away_at_the_end) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(MAIN_THREAD, NET, 7, AT(MAIN(2)));
    at_signal(MAIN_THREAD, AT(MAIN(5)));
    found("");
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    first_is("note main-switched x1", main_at_end,
             "thread 1 main, lock 0: setns(384, 0) = 0 at 1:2; net 1003>7, home 1003");
}

/* ---- born-switched ---- */

SCENE(a_thread_that_the_runtime_makes_away) {
    go_starts();
    unshares(in_init(1, LEADER), NEWNET, AT(MAIN(1)));
    m_born(in_init(1, LEADER), 4);
    first_is("error born-switched x1", born_by_go,
             "thread 4, lock 0: pthread_create(0, 0) = 0 at 50:1, switch at 1:1; net "
             "1003>?, home 1003; to thread 1; switched here: thread 1, goroutine 1 at 1:1");
}

SCENE(a_thread_made_away_by_plan) {
    born(MAIN_THREAD, 9, AT(MAIN(1)));
    enters(MAIN_THREAD, NET, 20, AT(MAIN(1), VISIT(1)));
    born(MAIN_THREAD, 2, AT(MAIN(1), VISIT(2)));
    goes_home(MAIN_THREAD, NET, AT(MAIN(1), VISIT(3)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    first_is("note born-switched x1", born_there,
             "thread 2, lock 0: pthread_create(0, 0) = 0 at 3:2<1:1, switch at 3:1<1:1; net "
             "1003>20, home 1003; to thread 1; switched here: thread 1 at 3:1<1:1");
}

SCENE(a_thread_left_behind_by_a_visit) {
    born(MAIN_THREAD, 9, AT(MAIN(1)));
    enters(MAIN_THREAD, NET, 20, AT(MAIN(1), VISIT(1)));
    born(MAIN_THREAD, 2, AT(MAIN(1), VISIT(2), LIBRARY(1)));
    goes_home(MAIN_THREAD, NET, AT(MAIN(1), VISIT(3)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    first_is("warning born-switched x1", born_in_visit,
             "thread 2, lock 0: pthread_create(0, 0) = 0 at 4:1<3:2<1:1, switch at 3:1<1:1; "
             "net 1003>20, home 1003; to thread 1; switched here: thread 1 at 3:1<1:1");
}

/* ---- left-switched, died-switched ---- */

SCENE(left_by_a_visit) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    opens_socket(thread(2), AT(WORKER(2)));
    first_is("warning left-switched x1", left_over,
             "thread 2, lock 0: setns(384, 0) = 0 at 3:1<2:1; net 1003>7, home 1003; still "
             "not back here: thread 2 at 2:2");
}

SCENE(left_by_plan) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 7, AT(WORKER(1)));
    at_exit(MAIN_THREAD, AT(MAIN(9)));
    first_is("note left-switched x1", left_lives_on,
             "thread 2, lock 0: setns(384, 0) = 0 at 2:1; net 1003>7, home 1003");
}

SCENE(died_away_by_plan) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(thread(2), NEWNET, AT(WORKER(1)));
    pthread_exits(thread(2), AT(WORKER(2), JOB(1)));
    first_is("note died-switched x1", died,
             "thread 2, lock 0: pthread_exit(40000000, 0) = 0 at 7:1<2:2, switch at 2:1; "
             "net 1003>?, home 1003; switched here: thread 2 at 2:1");
}

SCENE(died_away_in_a_visit) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    visit(thread(2), AT(WORKER(1), VISIT(1)), AT(WORKER(1), VISIT(3)));
    enters(thread(2), NET, 7, AT(WORKER(1), VISIT(1)));
    ends(thread(2));
    first_is("warning died-switched x1", died_meant,
             "thread 2, lock 0: setns(384, 0) = 0 at 3:1<2:1; net 1003>7, home 1003");
}
