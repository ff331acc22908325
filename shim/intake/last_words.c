/*
 * The report (last_words.h): takes in the event that causes it, looks at every thread once more,
 * lets the rules judge, writes. Runs under the intake's lock, on a stack of ours, because buffers
 * and formatting want more stack than a host's thread may have.
 */
#include "intake/last_words.h"
#include "base/clock.h"
#include "base/options.h"
#include "base/syscall.h"
#include "host/environment.h"
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

#define REPORT_STACK (96u * 1024u)
static char report_stack[REPORT_STACK] __attribute__((aligned(64)));

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

    sys__nanosleep(&pause);
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

static void make_report(void *argument) {
    const struct report_request *request = argument;
    bool looked = submit__any_switch() || nsd_options.verbosity.number > 0 || may_differ_unseen();

    inside__take_in(request->event, SOURCE_CALLER);
    refresh_lock_states();
    if (request->occasion == NSD_OCCASION_EXEC && nsd_options.follow.number != 0 &&
        !sys__is_forbidden() && !environment__reaches_library())
        coverage__missing("exec", "the library cannot be reached from the caller's root, so what "
                                  "comes after exec is not watched");
    nsd_image.cross_check = looked ? look_at_threads() : NSD_CROSS_NOT_NEEDED;
    if (looked)
        image__learn_pid_namespace();
    begin_clocks();
    record__judged(request->event, request->occasion, nsd_image.now_ticks, nsd_image.now_wall);
    rules__on_report(&intake.ledger, &intake.findings, request->event, request->occasion);
    nsd_image.ended = ended_by[request->occasion];
    nsd_image.threads = ledger__threads_seen(&intake.ledger);
    nsd_image.lost = inside__lost();
    record__event_is_over(nsd_image.events, nsd_image.lost);
    report__write(&intake.ledger, &intake.findings, &nsd_image);
    facts__to_recording();
    nsd_image.now_ticks = 0;
    if (request->occasion != NSD_OCCASION_SIGNAL)
        record__end(request->occasion == NSD_OCCASION_EXIT, !sys__is_forbidden());
}

/* The end of an image tries harder to get the lock: no later event will bring its report. */
#define ENDING_TRIES 50

void last_words__report(const struct nsd_event *event, enum nsd_occasion occasion) {
    struct report_request request = {event, occasion};
    unsigned tries = occasion == NSD_OCCASION_SIGNAL ? 1 : ENDING_TRIES;

    while (!inside__lock(event->tid)) {
        if (--tries == 0 || lock__owner(&intake.lock) == event->tid) {
            if (!queue__put(event))
                submit__count_lost();
            return;
        }
    }
    inside__drain();
    if (!intake.has_ended) {
        intake.has_ended = occasion == NSD_OCCASION_EXIT;
        on_stack__call(make_report, &request, report_stack + sizeof report_stack);
    }
    inside__unlock(event->tid);
}

void last_words__exec_failed(int32_t tid, int64_t error) {
    struct nsd_event event;

    submit__prepare(&event, NSD_CALL_EXEC_FAILED, tid);
    event.result = error;
    submit__event(&event);
    if (!inside__lock(tid))
        return;
    report__exec_failed(error, &nsd_image);
    nsd_image.ended = NULL;
    facts__exec_came_back();
    inside__unlock(tid);
}
