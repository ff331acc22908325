/*
 * The report (last_words.h): takes in the event that causes it, looks at every thread once more,
 * lets the rules judge, writes. Runs under the intake's lock, on a stack of ours, because buffers
 * and formatting want more stack than a host's thread may have.
 */
#include "intake/last_words.h"
#include "base/clock.h"
#include "base/options.h"
#include "base/syscall.h"
#include "host/facts.h"
#include "host/image.h"
#include "host/look.h"
#include "intake/inside.h"
#include "intake/language.h"
#include "intake/queue.h"
#include "intake/submit.h"
#include "record/writer.h"
#include "report/report.h"
#include "stacks/on_stack.h"

struct report_request {
    const struct nsd_event *event;
    enum nsd_occasion occasion;
};

static const char *const ended_by[] = {
    [NSD_OCCASION_EXIT] = "exit",
    [NSD_OCCASION_EXEC] = "exec",
    [NSD_OCCASION_SIGNAL] = "report",
};

/*
 * Go: asks for the goroutine and the lock of each thread that is away as they are now, because its
 * last event may be long past.
 */
static void refresh_lock_states(void) {
    struct nsd_change change;

    if (!language__is_known())
        return;
    for (struct nsd_thread *thread = ledger__first_thread(&intake.ledger); thread != NULL;
         thread = ledger__next_thread(thread)) {
        struct nsd_event event;

        if (ledger__away(&intake.ledger, thread) == 0)
            continue;
        submit__prepare(&event, NSD_CALL_LOCK_STATE, ledger__tid(thread));
        if (language__identify(event.tid, &event))
            inside__apply(&event, &change);
    }
}

/* One pair of clocks for the report and for the recording, so that both say the same time. */
static void begin_clocks(void) {
    if (sys__is_forbidden())
        return;
    nsd_image.now_ticks = clock__ticks();
    nsd_image.now_wall = clock__wall();
}

/*
 * A thread may have switched by an instruction that nobody hooked. One thread alone takes the whole
 * process along: then there is nothing to look for.
 */
static bool may_differ_unseen(void) {
    return record__is_on() && !ledger__is_single_threaded(&intake.ledger);
}

/* A thread that is between its call and its event, or whose event waits in the queue, goes on. */
static void go_on(void) {
    const struct sys_timespec pause = {.nanoseconds = 1000000};
    /* Nothing is half-changed meanwhile: an exit in a handler may judge. */
    enum nsd_work before = guarded__set_work(NSD_WORK_IDLE);

    sys__nanosleep(&pause);
    guarded__set_work(before);
    inside__drain();
}

static enum nsd_cross_check look_at_threads(void) {
    enum nsd_cross_check check = look__cross_check(&intake.ledger, go_on);

    /* `unshare --pid --fork --mount-proc` leaves its parent with a /proc that is not its own. */
    if (check == NSD_CROSS_IMPOSSIBLE &&
        (!submit__any_switch() || ledger__is_single_threaded(&intake.ledger)))
        return NSD_CROSS_NOT_NEEDED;
    return check;
}

/* What can be judged: nothing, where the ledger is damaged. `looks`: at the threads, too. */
static void judge(const struct report_request *request, bool looks) {
    enum nsd_work before;

    nsd_image.cross_check = intake.is_damaged ? NSD_CROSS_IMPOSSIBLE : NSD_CROSS_NOT_NEEDED;
    if (!intake.is_damaged)
        refresh_lock_states();
    if (looks) {
        before = guarded__set_work(NSD_WORK_CHANGING);
        nsd_image.cross_check = look_at_threads();
        guarded__set_work(before);
        image__learn_pid_namespace();
    }
    begin_clocks();
    before = guarded__set_work(NSD_WORK_CHANGING);
    record__judged(request->event, request->occasion, nsd_image.now_ticks, nsd_image.now_wall);
    if (!intake.is_damaged)
        rules__on_report(&intake.ledger, &intake.findings, request->event, request->occasion);
    guarded__set_work(before);
}

static void make_report(void *argument) {
    const struct report_request *request = argument;
    enum nsd_work before = guarded__set_work(NSD_WORK_PRINTING);
    bool looks = !intake.is_damaged &&
                 (submit__any_switch() || nsd_options.verbosity.number > 0 || may_differ_unseen());

    inside__take_in(request->event, SOURCE_CALLER);
    judge(request, looks);
    nsd_image.ended = ended_by[request->occasion];
    nsd_image.threads = ledger__threads_seen(&intake.ledger);
    nsd_image.lost = guarded__lost();
    record__event_is_over(nsd_image.events, nsd_image.lost);
    report__write(intake.is_damaged ? NULL : &intake.ledger, &intake.findings, &nsd_image);
    facts__to_recording();
    nsd_image.now_ticks = 0;
    if (request->occasion != NSD_OCCASION_SIGNAL)
        record__end(request->occasion == NSD_OCCASION_EXIT, !sys__is_forbidden());
    guarded__set_work(before);
}

/* ---- the stacks of reports ---- */

/* How many hold a report that has not ended. Written by the lock's owner and its handlers alone. */
static unsigned reports_begun;

/* False, and nothing is called: both stacks hold interrupted reports. */
static bool on_report_stack(void (*function)(void *), const struct report_request *request) {
    unsigned here = reports_begun;

    if (here == NSD_REPORT_STACKS)
        return false;
    reports_begun = here + 1;
    on_stack__call_undisturbed(function, (void *) (uintptr_t) request, nsd_report_stack[here + 1]);
    reports_begun = here;
    return true;
}

/* ---- a report over one's own work ---- */

/*
 * A handler has interrupted this thread in the middle of a change and asks for a report; the change
 * may go on afterwards. Prints what is found so far and reads and changes nothing else.
 */
static void print_so_far(void *argument) {
    const struct report_request *request = argument;
    enum nsd_work before = guarded__set_work(NSD_WORK_PRINTING);

    submit__count_lost();
    coverage__missing("the end", "it came in a signal handler over the shim's own work, so it was "
                                 "not judged");
    nsd_image.is_incomplete = true;
    nsd_image.ended = ended_by[request->occasion];
    nsd_image.cross_check = NSD_CROSS_IMPOSSIBLE;
    nsd_image.lost = guarded__lost();
    begin_clocks();
    report__write(NULL, &intake.findings, &nsd_image);
    nsd_image.now_ticks = 0;
    guarded__set_work(before);
}

/* In words on stderr, where not even that can be done. */
static void complain(const char *why) {
    submit__count_lost();
    coverage__missing("the end", why);
    nsd_image.is_incomplete = true;
    report__complain(why);
}

static void report_over_own_work(const struct report_request *request) {
    enum nsd_work work = guarded__work();

    if (work != NSD_WORK_PRINTING &&
        on_report_stack(work == NSD_WORK_IDLE ? make_report : print_so_far, request))
        return;
    /* A report is being written at this moment: it will do for a signal. */
    if (request->occasion != NSD_OCCASION_SIGNAL)
        complain("the program ended in a signal handler while its report was written, so its end "
                 "was not judged");
}

/* ---- the report ---- */

/* The end of an image tries harder to get the lock: no later event will bring its report. */
#define ENDING_TRIES 50
#define SIGNAL_TRIES 4

static void report_under_lock(struct report_request *request, struct nsd_hold *hold) {
    inside__drain();
    if (!intake.has_ended) {
        intake.has_ended = request->occasion == NSD_OCCASION_EXIT;
        if (!on_report_stack(make_report, request))
            complain("the program ended in a signal handler while its report was made, so its end "
                     "was not judged");
    }
    inside__unlock(hold, request->event->tid);
}

static void say_unreachable(const struct report_request *request) {
    static const char why[] = "no report can be made: another thread is in the middle of the "
                              "shim's work and does not go on";

    submit__leave(request->event);
    if (request->occasion == NSD_OCCASION_SIGNAL)
        report__complain(why);
    else
        complain(why);
}

void last_words__report(const struct nsd_event *event, enum nsd_occasion occasion) {
    struct report_request request = {event, occasion};
    unsigned tries = occasion == NSD_OCCASION_SIGNAL ? SIGNAL_TRIES : ENDING_TRIES;
    struct nsd_hold hold;

    while (!inside__lock(&hold, event->tid)) {
        if (owner__is_oneself(event->tid)) {
            /* Nothing returns into the interrupted work from an exit: it is as if it had left. */
            if (occasion == NSD_OCCASION_EXIT && guarded__work() != NSD_WORK_PRINTING &&
                owner__end(&hold, event->tid)) {
                /* The last report, too, if that is what the handler interrupted. */
                if (reports_begun > 0)
                    intake.has_ended = false;
                report_under_lock(&request, &hold);
                return;
            }
            report_over_own_work(&request);
            return;
        }
        if (--tries == 0) {
            say_unreachable(&request);
            return;
        }
    }
    /* The owner of an unfinished report has left, if there is one: nobody returns to its stack. */
    reports_begun = 0;
    report_under_lock(&request, &hold);
}

void last_words__exec_failed(int32_t tid, int64_t error) {
    struct nsd_event event;
    struct nsd_hold hold;
    bool is_locked;

    submit__prepare(&event, NSD_CALL_EXEC_FAILED, tid);
    event.result = error;
    submit__event(&event);
    is_locked = inside__lock(&hold, tid);
    if (!is_locked && !(owner__is_oneself(tid) && guarded__work() == NSD_WORK_IDLE))
        return;
    guarded__set_work(NSD_WORK_PRINTING);
    report__exec_failed(error, &nsd_image);
    nsd_image.ended = NULL;
    facts__exec_came_back();
    guarded__set_work(NSD_WORK_IDLE);
    if (is_locked)
        inside__unlock(&hold, tid);
}
