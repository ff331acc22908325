/*
 * The rules over C calls of Go programs: a goroutine is locked to its thread for the length of the
 * call, and what the call leaves away is found at the thread's next event.
 */
#include "story.h"

SCENE(c_call_that_comes_back) {
    go_starts();
    enters(in_cgo(10, 2, 4), NET, 50, AT(IN_C(1)));
    opens_socket(in_cgo(10, 2, 4), AT(IN_C(2)));
    goes_home(in_cgo(10, 2, 4), NET, AT(IN_C(3)));
    opens_socket(unlocked(10, 2), AT(MAIN(1)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("");
}

SCENE(c_call_that_leaves_the_thread_away) {
    go_starts();
    enters(in_cgo(10, 2, 4), NET, 50, AT(IN_C(1)));
    opens_socket(unlocked(10, 2), AT(MAIN(1)));
    found("error unlocked-switch");
    CHECK(findings.first->frames->frame[0].pc == IN_C(1));
}

SCENE(c_calls_that_switch_and_restore_one_by_one) {
    go_starts();
    enters(in_cgo(10, 2, 4), NET, 50, AT(IN_C(1)));
    goes_home(in_cgo(10, 2, 5), NET, AT(IN_C(2)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("error unlocked-switch");
}

SCENE(c_calls_of_a_locked_goroutine) {
    go_starts();
    enters(locked(10, 2), NET, 50, AT(IN_C(1)));
    goes_home(locked(10, 2), NET, AT(IN_C(2)));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("");
}

/* The thread's end is no return of the call. */
SCENE(a_thread_that_ends_within_a_c_call) {
    go_starts();
    enters(in_cgo(10, 2, 4), NET, 50, AT(IN_C(1)));
    ends(wedged(2));
    ends(unlocked(0, 3));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("note died-switched");
}

SCENE(report_within_a_c_call) {
    go_starts();
    enters(in_cgo(10, 2, 4), NET, 50, AT(IN_C(1)));
    is_seen(in_cgo(10, 2, 4));
    at_signal(unlocked(1, LEADER), AT(MAIN(5)));
    found("note left-switched");
    is_seen(unlocked(0, 2));
    at_exit(unlocked(1, LEADER), AT(MAIN(9)));
    found("error unlocked-switch > left-switched");
}
