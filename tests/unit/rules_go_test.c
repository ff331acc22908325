/*
 * The rules over Go programs: goroutines that are locked to their threads and that are not, the
 * launcher that this project exists for, and the idioms of container software, as events.
 */
#include "story.h"

/* ---- the launcher ---- */

static void launcher_mounts_and_unshares(struct who main_goroutine) {
    mounts(main_goroutine, AT(MAIN(1)));
    mounts(main_goroutine, AT(MAIN(2)));
    unshares(main_goroutine, NEWNS, AT(MAIN(3)));
}

SCENE(launcher_that_is_lucky) {
    go_starts();
    launcher_mounts_and_unshares(unlocked(1, LEADER));
    mounts(unlocked(1, LEADER), AT(MAIN(4)));
    execs(unlocked(1, LEADER), AT(MAIN(5)));
    found("error unlocked-switch");
    CHECK(findings.first->frames->frame[0].pc == MAIN(3) && findings.first->goroutine == 1);
    CHECK(findings.first->lock == NSD_LOCK_UNLOCKED && findings.first->main_thread);
    CHECK(findings.first->kinds == NSD_KIND_BIT(MNT) && findings.first->remedy != NULL);
    CHECK(findings.first->before[MNT] == ledger__home(&ledger, MNT));
    CHECK(findings.first->after[MNT] == ledger__thread(&ledger, LEADER)->label[MNT]);
}

SCENE(launcher_that_migrates) {
    go_starts();
    launcher_mounts_and_unshares(unlocked(1, LEADER));
    mounts(unlocked(1, 3), AT(MAIN(4)));
    execs(unlocked(1, 3), AT(MAIN(5)));
    found("error unlocked-switch > split-sequence exec-discards main-switched");
    CHECK(findings.first->consequences->tid == 3);
    CHECK(findings.first->consequences->other_tid == LEADER);
    CHECK(findings.first->consequences->frames->frame[0].pc == MAIN(4));
}

/* The thread that was switched is taken by another goroutine, locked to it for good. */
SCENE(launcher_whose_thread_is_taken) {
    go_starts();
    launcher_mounts_and_unshares(unlocked(1, 2));
    calls(locked(9, 2), NSD_CALL_SOCKET, AT(FUNCTION(30, 1)));
    mounts(unlocked(1, 3), AT(MAIN(4)));
    is_seen(locked(9, 2));
    execs(unlocked(1, 3), AT(MAIN(5)));
    found("error unlocked-switch > unlocked-while-switched split-sequence exec-discards "
          "left-switched");
}

SCENE(launcher_whose_exec_fails) {
    go_starts();
    launcher_mounts_and_unshares(unlocked(1, 2));
    execs(unlocked(1, 3), AT(MAIN(5)));
    found("error unlocked-switch > exec-discards left-switched");
    exec_fails(unlocked(1, 3));
    found("error unlocked-switch > left-switched");
    at_exit(unlocked(1, 3), AT(MAIN(9)));
    found("error unlocked-switch > left-switched");
    CHECK(findings.first->printed && findings.first->count == 1);
}

SCENE(launcher_that_is_fixed) {
    go_starts();
    launcher_mounts_and_unshares(locked(1, LEADER));
    mounts(locked(1, LEADER), AT(MAIN(4)));
    is_seen(locked(1, LEADER));
    execs(locked(1, LEADER), AT(MAIN(5)));
    found("");
}

SCENE(launcher_fixed_in_init) {
    go_starts();
    launcher_mounts_and_unshares(in_init(1, LEADER));
    mounts(locked(1, LEADER), AT(MAIN(4)));
    execs(locked(1, LEADER), AT(MAIN(5)));
    found("");
}

SCENE(launcher_locked_on_another_thread) {
    go_starts();
    unshares(locked(5, 2), NEWNS, AT(JOB(1)));
    mounts(locked(5, 2), AT(JOB(2)));
    execs(locked(5, 2), AT(JOB(3)));
    found("note exec-discards");
}

/* A thousand runs of one loop in one process are one finding. */
SCENE(unlocked_in_a_loop) {
    go_starts();
    for (int i = 0; i < 1000; i++) {
        unshares(unlocked(1, 2), NEWNET, AT(MAIN(1), VISIT(1)));
        goes_home(unlocked(1, 2), NET, AT(MAIN(1), VISIT(2)));
    }
    at_exit(unlocked(1, 2), AT(MAIN(9)));
    found("error unlocked-switch x1000");
    CHECK(findings.lost == 0);
}

/* ---- correct programs ---- */

SCENE(runc) {
    /* The C constructor switches and forks before Go has its first thread. */
    unshares(MAIN_THREAD, NEWUSER, AT(IN_C(1)));
    unshares(MAIN_THREAD, NEWNS | NEWNET, AT(IN_C(2)));
    go_starts();
    unshares(in_init(1, LEADER), PRIVATE_FS_FLAG, AT(MAIN(1)));
    mounts(locked(1, LEADER), AT(MAIN(2)));
    calls(locked(1, LEADER), NSD_CALL_PIVOT_ROOT, AT(MAIN(3)));
    execs(locked(1, LEADER), AT(MAIN(4)));
    found("");
}

static void ns_do(int64_t goroutine, int32_t tid, uint64_t inode) {
    opens_own(locked(goroutine, tid), 30 + tid, NET, AT(VISIT(1)));
    enters(locked(goroutine, tid), NET, inode, AT(VISIT(2)));
    opens_socket(locked(goroutine, tid), AT(VISIT(3)));
    setns_by(locked(goroutine, tid), 30 + tid, NET, 0, AT(VISIT(4)));
    closes(locked(goroutine, tid), 30 + tid);
}

SCENE(cni_ns_do) {
    go_starts();
    for (int64_t i = 0; i < 10; i++) {
        ns_do(10 + i, 2, 50);
        opens_socket(unlocked(30 + i, 2), AT(MAIN(1)));
        ns_do(50 + i, 3, 51);
        mounts(unlocked(1, 3), AT(MAIN(2)));
    }
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("");
}

SCENE(cni_ns_do_nested) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(VISIT(2)));
    ns_do(11, 3, 51);
    opens_socket(locked(10, 2), AT(VISIT(3)));
    opens_socket(unlocked(1, 3), AT(MAIN(1)));
    goes_home(locked(10, 2), NET, AT(VISIT(4)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("");
}

SCENE(containerd_mount_at) {
    go_starts();
    unshares(locked(10, 2), PRIVATE_FS_FLAG, AT(JOB(1)));
    mounts(locked(10, 2), AT(JOB(2)));
    ends(wedged(2));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("");
}

SCENE(containerd_new_ns) {
    go_starts();
    unshares(locked(10, 2), NEWNET, AT(JOB(1)));
    mounts(locked(10, 2), AT(JOB(2)));
    ends(wedged(2));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("note died-switched");
}

/* The process ends while the runtime is still ending the thread: the same note. */
SCENE(throw_away_thread_at_exit) {
    go_starts();
    unshares(locked(10, 2), NEWNET, AT(JOB(1)));
    is_seen(wedged(2));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("note died-switched");
}

SCENE(locked_thread_lives_on_in_a_namespace) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(JOB(1)));
    is_seen(locked(10, 2));
    at_signal(unlocked(1, LEADER), AT(MAIN(5)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("note left-switched");
}

SCENE(main_locked_in_init_lives_in_a_namespace) {
    go_starts();
    enters(in_init(1, LEADER), NET, 50, AT(MAIN(1)));
    opens_socket(locked(1, LEADER), AT(MAIN(2)));
    opens_socket(unlocked(7, 2), AT(JOB(1)));
    is_seen(locked(1, LEADER));
    at_exit(locked(1, LEADER), AT(MAIN(9)));
    found("");
}

SCENE(unlocked_calls_that_fail_or_change_nothing) {
    go_starts();
    fails_to_enter(unlocked(1, 2), NET, 50, 1, AT(MAIN(1)));
    enters(unlocked(1, 2), NET, HOME_INODE + NET, AT(MAIN(2)));
    CHECK(last_change.changed == 0);
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("");
}

SCENE(other_goroutines_work_at_home_meanwhile) {
    go_starts();
    unshares(locked(10, 2), NEWNS, AT(JOB(1)));
    mounts(unlocked(1, 3), AT(MAIN(1)));
    calls(unlocked(7, LEADER), NSD_CALL_FORK, AT(MAIN(2)));
    goes_home(locked(10, 2), MNT, AT(JOB(2)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("");
}

SCENE(calls_after_a_complete_restore) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(VISIT(1)));
    goes_home(locked(10, 2), NET, AT(VISIT(2)));
    opens_socket(unlocked(10, 3), AT(MAIN(1)));
    enters(locked(10, 3), NET, 50, AT(VISIT(1)));
    goes_home(locked(10, 3), NET, AT(VISIT(2)));
    at_exit(unlocked(10, 3), AT(MAIN(9)));
    found("");
}

/* The move was the process's: where main's thread is led later is no matter of its goroutine. */
SCENE(a_move_and_another_goroutine_s_switch_on_main) {
    unshares(unlocked(1, LEADER), NEWNET, AT(MAIN(1)));
    go_starts();
    enters(locked(5, LEADER), NET, 50, AT(JOB(1)));
    opens_socket(unlocked(1, 2), AT(MAIN(2)));
    goes_home(locked(5, LEADER), NET, AT(JOB(2)));
    found("error unlocked-switch");
}

SCENE(calls_that_depend_on_another_kind) {
    go_starts();
    enters(unlocked(1, 2), NET, 50, AT(MAIN(1)));
    mounts(unlocked(1, 3), AT(MAIN(2)));
    found("error unlocked-switch");
    opens_socket(unlocked(1, 3), AT(MAIN(3)));
    found("error unlocked-switch > split-sequence");
}

SCENE(all_threads_syscall) {
    struct who threads[3] = {unlocked(1, LEADER), unlocked(0, 2), unlocked(0, 3)};

    go_starts();
    for (int i = 0; i < 3; i++) {
        calls(threads[i], NSD_CALL_ALL_THREADS, NOWHERE);
        enters(threads[i], NET, 50, AT(MAIN(1)));
        CHECK(last_change.collective);
        CHECK(ledger.collective[NET] == (i < 2 ? (uint32_t) i + 1 : 0));
        CHECK(ledger.collective[UTS] == 0);
        CHECK(last_change.thread->collective == (i < 2 ? NSD_KIND_BIT(NET) : 0));
        CHECK(ledger__away(&ledger, ledger__thread(&ledger, 2)) == 0);
        CHECK(ledger__away(&ledger, ledger__thread(&ledger, LEADER)) == 0);
    }
    CHECK(label__same(ledger__home(&ledger, NET), ledger__thread(&ledger, 2)->label[NET]));
    m_born(unlocked(1, 2), 4);
    CHECK(ledger__away(&ledger, ledger__thread(&ledger, 4)) == 0);
    opens_socket(unlocked(1, 3), AT(MAIN(2)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("");
}

SCENE(all_threads_syscall_while_one_is_born_and_one_ends) {
    go_starts();
    calls(unlocked(1, LEADER), NSD_CALL_ALL_THREADS, NOWHERE);
    enters(unlocked(1, LEADER), NET, 50, AT(MAIN(1)));
    m_born(unlocked(1, LEADER), 4);
    calls(unlocked(0, 2), NSD_CALL_ALL_THREADS, NOWHERE);
    enters(unlocked(0, 2), NET, 50, AT(MAIN(1)));
    CHECK(ledger__home(&ledger, NET) != ledger__thread(&ledger, LEADER)->label[NET]);
    ends(wedged(3));
    CHECK(ledger__home(&ledger, NET) == ledger__thread(&ledger, LEADER)->label[NET]);
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("");
}

SCENE(go_build_that_is_not_known) {
    m_born(unlocked(1, LEADER), 2);
    enters(of_unknown_go(2), NET, 50, AT(MAIN(1)));
    opens_socket(of_unknown_go(2), AT(MAIN(2)));
    opens_socket(of_unknown_go(LEADER), AT(MAIN(2)));
    at_exit(of_unknown_go(LEADER), AT(MAIN(9)));
    found("note left-switched");
}

/* ---- faults ---- */

SCENE(unlocked_setns_on_another_thread_than_main) {
    go_starts();
    enters(unlocked(10, 2), NET, 50, AT(JOB(1)));
    is_seen(unlocked(0, 2));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("error unlocked-switch > left-switched");
}

SCENE(unlocked_switch_of_main) {
    go_starts();
    enters(unlocked(1, LEADER), NET, 50, AT(MAIN(1)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("error unlocked-switch > main-switched");
}

SCENE(unlocked_private_fs) {
    go_starts();
    unshares(unlocked(1, 2), PRIVATE_FS_FLAG, AT(MAIN(1)));
    unshares(unlocked(1, 2), PRIVATE_FS_FLAG, AT(MAIN(2)));
    at_exit(unlocked(1, 2), AT(MAIN(9)));
    found("warning unlocked-switch");
    CHECK(findings.first->kinds == NSD_PRIVATE_FS);
}

SCENE(unlocks_without_going_home) {
    go_starts();
    unshares(locked(10, 2), NEWNET, AT(VISIT(1)));
    opens_socket(locked(10, 2), AT(VISIT(2)));
    found("");
    opens_socket(unlocked(10, 2), AT(MAIN(1)));
    opens_socket(unlocked(11, 2), AT(MAIN(1)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("error unlocked-while-switched > left-switched");
    CHECK(findings.first->frames->frame[0].pc == VISIT(1));
}

SCENE(unlocks_and_only_the_report_sees_it) {
    go_starts();
    unshares(locked(10, 2), NEWNET, AT(VISIT(1)));
    is_seen(unlocked(0, 2));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("error unlocked-while-switched > left-switched");
}

SCENE(another_goroutine_runs_on_a_switched_thread) {
    go_starts();
    unshares(locked(10, 2), NEWNET, AT(VISIT(1)));
    opens_socket(locked(11, 2), AT(JOB(1)));
    found("error unlocked-while-switched");
}

/* Two goroutines left the thread away, one in what the other had entered: a third one meets both.
 */
SCENE(another_goroutine_runs_on_a_thread_that_two_have_switched) {
    go_starts();
    unshares(locked(10, 2), NEWNET, AT(VISIT(1)));
    unshares(locked(11, 2), NEWUTS, AT(VISIT(2)));
    found("error unlocked-while-switched");
    opens_socket(locked(12, 2), AT(JOB(1)));
    found("error unlocked-while-switched; error unlocked-while-switched");
    CHECK(findings.last->goroutine == 11 && findings.last->kinds == NSD_KIND_BIT(UTS));
}

SCENE(restores_after_unlocking) {
    go_starts();
    unshares(locked(10, 2), NEWNET, AT(VISIT(1)));
    goes_home(unlocked(10, 2), NET, AT(VISIT(2)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("error unlocked-while-switched");
}

SCENE(restore_failed_and_unlocked) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(VISIT(1)));
    fails_to_go_home(locked(10, 2), NET, 9, AT(VISIT(2)));
    found("");
    opens_socket(unlocked(10, 2), AT(MAIN(1)));
    is_seen(unlocked(0, 2));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("error restore-failed > unlocked-while-switched left-switched");
    CHECK(findings.first->frames->frame[0].pc == VISIT(2) && findings.first->result == -9);
    CHECK(findings.first->switch_frames->frame[0].pc == VISIT(1));
}

SCENE(restore_failed_and_another_goroutine_runs_there) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(VISIT(1)));
    fails_to_go_home(locked(10, 2), NET, 1, AT(VISIT(2)));
    opens_socket(unlocked(11, 2), AT(MAIN(1)));
    found("error restore-failed > unlocked-while-switched");
}

SCENE(restore_failed_and_kept_locked_to_the_end) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(VISIT(1)));
    fails_to_go_home(locked(10, 2), NET, 9, AT(VISIT(2)));
    ends(wedged(2));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("note restore-failed > died-switched");
}

SCENE(restore_failed_and_a_retry_works) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(VISIT(1)));
    fails_to_go_home(locked(10, 2), NET, 9, AT(VISIT(2)));
    goes_home(locked(10, 2), NET, AT(VISIT(3)));
    opens_socket(unlocked(11, 2), AT(MAIN(1)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("");
}

SCENE(restore_on_the_wrong_thread) {
    go_starts();
    opens_own(unlocked(1, 2), 5, NET, AT(MAIN(1)));
    enters(unlocked(1, 2), NET, 50, AT(MAIN(2)));
    setns_by(unlocked(1, 3), 5, NET, 0, AT(MAIN(3)));
    is_seen(unlocked(0, 2));
    at_exit(unlocked(1, 3), AT(MAIN(9)));
    found("error unlocked-switch > split-sequence left-switched");
}

SCENE(main_is_wedged) {
    go_starts();
    unshares(locked(1, LEADER), NEWNET, AT(MAIN(1)));
    is_seen(wedged(LEADER));
    at_exit(unlocked(8, 2), AT(JOB(9)));
    found("error main-switched");
}

SCENE(main_is_wedged_with_a_private_fs) {
    go_starts();
    unshares(locked(1, LEADER), PRIVATE_FS_FLAG, AT(MAIN(1)));
    is_seen(wedged(LEADER));
    at_exit(unlocked(8, 2), AT(JOB(9)));
    found("note main-switched");
}

SCENE(m_born_of_a_switched_thread) {
    go_starts();
    unshares(unlocked(1, 2), NEWNET, AT(MAIN(1)));
    m_born(unlocked(0, 2), 4);
    found("error unlocked-switch > born-switched");
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
}

/* Locked in init alone, the runtime makes its Ms from that very thread. */
SCENE(m_born_while_init_is_away) {
    go_starts();
    unshares(in_init(1, LEADER), NEWNET, AT(MAIN(1)));
    m_born(in_init(1, LEADER), 4);
    found("error born-switched");
}

SCENE(thread_of_a_c_library_born_in_a_visit) {
    uint32_t token = 900;

    go_starts();
    enters(locked(10, 2), NET, 50, AT(VISIT(1)));
    creates_with_token(locked(10, 2), token, AT(IN_C(1), LIBRARY(1)));
    born_with_token(20, token, NSD_RUNTIME_THREADS);
    at_signal(unlocked(1, LEADER), AT(MAIN(5)));
    found("note left-switched");
    goes_home(locked(10, 2), NET, AT(VISIT(2)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("warning born-switched > left-switched");
}

/* ---- what belongs together ---- */

/* Two switches, of which one only died: the note stands beside the fault, not above it. */
SCENE(a_note_takes_no_fault_in) {
    go_starts();
    unshares(locked(10, 2), NEWNET, AT(JOB(1)));
    ends(wedged(2));
    unshares(locked(11, 3), NEWNET, AT(JOB(1)));
    opens_socket(unlocked(12, 3), AT(MAIN(1)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("note died-switched; error unlocked-while-switched > left-switched");
}

SCENE(a_later_cause_takes_the_lead) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(VISIT(1)));
    at_signal(unlocked(1, LEADER), AT(MAIN(5)));
    found("note left-switched");
    opens_socket(unlocked(11, 2), AT(MAIN(1)));
    found("error unlocked-while-switched > left-switched");
    CHECK(!findings.first->printed);
}

/* Memory runs out: what is found then is counted, nothing breaks. */
SCENE(no_memory_for_findings) {
    go_starts();
    story_limit = story_bytes + 3000;
    for (int i = 0; i < 50; i++) {
        unshares(unlocked(1, 2), NEWNET | NEWNS, AT(MAIN(100 + i)));
        mounts(unlocked(1, 3), AT(MAIN(200 + i)));
        goes_home(unlocked(1, 2), NET, AT(MAIN(300 + i)));
        m_born(unlocked(1, 2), 100 + i);
    }
    execs(unlocked(1, 3), AT(MAIN(9)));
    CHECK(findings.lost + ledger__lost(&ledger) > 0);
}

/* A finding for which there is no room counts for one of the same call from another caller. */
SCENE(bounded_findings) {
    uint64_t told = 0;

    go_starts();
    for (int i = 0; i < 120; i++) {
        for (int j = 0; j < 3; j++) {
            unshares(unlocked(1, 2), NEWNET, AT(MAIN(1 + i), VISIT(1 + j)));
            goes_home(unlocked(1, 2), NET, AT(MAIN(1)));
        }
    }
    for (struct nsd_finding *finding = findings.first; finding != NULL; finding = finding->next)
        told += finding->count;
    CHECK(findings.count == 256 && findings.lost == 0 && told == 360);
}
