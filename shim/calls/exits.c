/*
 * The end of the image, and the status that exitcode= may change. exit() runs handlers, and the
 * report waits for the library's destructor behind them, which also serves a return from main and
 * the last thread after main's pthread_exit; all other ways end at once, and the report comes
 * first. A vfork child's _exit is nobody's end.
 */
#include "base/options.h"
#include "base/syscall.h"
#include "calls/meanings.h"
#include "host/caller.h"
#include "host/identity.h"
#include "host/image.h"
#include "intake/copies.h"
#include "intake/last_words.h"
#include "report/report.h"
#include <stddef.h>

int fflush(void *stream) __attribute__((weak));

static int status_to_leave_with(int status) {
    if (nsd_options.exitcode.number != 0 && report__faults() > 0)
        return (int) nsd_options.exitcode.number;
    return status;
}

/* _exit, exit_group, quick_exit, runtime.exit: the event stands prepared. */
static void end(struct nsd_ongoing *ongoing) {
    copies__settle();
    /* A process of its own in our memory (clone with CLONE_VM) ends alone. */
    if (caller__is_stranger())
        return;
    last_words__report(&ongoing->event, NSD_OCCASION_EXIT);
    ongoing->argument[0] = (uint32_t) status_to_leave_with((int) ongoing->argument[0]);
}

void calls__before_end(struct nsd_ongoing *ongoing) {
    if (calls__prepare_whole(ongoing))
        end(ongoing);
}

/*
 * The exit system call itself, which libc and the Go runtime know nothing of: the end of its
 * thread, and of the image where that is the only one.
 */
void calls__before_thread_end(struct nsd_ongoing *ongoing) {
    struct nsd_event *event = &ongoing->event;

    if (!calls__prepare_whole(ongoing))
        return;
    if (identity__kernel_threads() == 1) {
        event->call = NSD_CALL_EXIT_GROUP;
        event->arguments[0] = (uint64_t) (int64_t) (int32_t) ongoing->argument[0];
        end(ongoing);
        return;
    }
    submit__event(event);
    event->call = NSD_CALL_THREAD_DIED;
    event->explicit_end = true;
    submit__event(event);
}

/* What exit() was called with and from where; without it the main function returned. */
static struct nsd_event announced;

void calls__before_handlers(struct nsd_ongoing *ongoing) {
    if (calls__prepare_whole(ongoing))
        announced = ongoing->event;
}

void calls__before_report(struct nsd_ongoing *ongoing) {
    if (calls__prepare_whole(ongoing))
        last_words__report(&ongoing->event, NSD_OCCASION_SIGNAL);
}

__attribute__((destructor)) static void end_of_image(void) {
    struct nsd_caller caller;
    struct nsd_event event;
    int status;

    if (!nsd_on || !caller__is_ours(&caller, machine__thread_pointer(), 0))
        return;
    copies__settle();
    if (caller__is_stranger())
        return;
    submit__prepare(&event, NSD_CALL_EXIT, caller.tid);
    if (announced.call == NSD_CALL_EXIT && announced.tid == caller.tid)
        event = announced;
    last_words__report(&event, NSD_OCCASION_EXIT);
    if (nsd_options.exitcode.number == 0 || report__faults() == 0)
        return;
    status = (int) nsd_options.exitcode.number;
    /*
     * libc has yet to write out its streams and would then leave with the host's status: do the
     * one and leave with ours, as sanitizers do. Only here, and only when the user asked for it.
     */
    if (fflush != NULL)
        fflush(NULL);
    SYS1(__NR_exit_group, status);
}
