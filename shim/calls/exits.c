/*
 * The end of the image, and the status that exitcode= may change. exit() runs handlers, and the
 * report waits for the library's destructor behind them, which also serves a return from main and
 * the last thread after main's pthread_exit; all other ways end at once, and the report comes
 * first. A vfork child's _exit ends no image of ours.
 */
#include "calls/exits.h"
#include "base/options.h"
#include "base/syscall.h"
#include "calls/disposition.h"
#include "calls/meanings.h"
#include "host/caller.h"
#include "host/identity.h"
#include "host/image.h"
#include "host/libc/next.h"
#include "intake/copies.h"
#include "intake/last_words.h"
#include "report/report.h"
#include <stddef.h>

int fflush(void *stream) __attribute__((weak));
const char *gnu_get_libc_version(void) __attribute__((weak));

static int status_to_leave_with(int status) {
    if (nsd_options.exitcode.number != 0 && report__faults() > 0)
        return (int) nsd_options.exitcode.number;
    return status;
}

bool exits__report(const struct nsd_event *event) {
    copies__settle();
    /* Another process that shares our memory (clone with CLONE_VM) ends only itself. */
    if (caller__is_stranger())
        return false;
    last_words__report(event, NSD_OCCASION_EXIT);
    return true;
}

/* _exit, exit_group, quick_exit, runtime.exit: the event stands prepared. */
static void end(struct nsd_ongoing *ongoing) {
    if (exits__report(&ongoing->event))
        ongoing->argument[0] = (uint32_t) status_to_leave_with((int) ongoing->argument[0]);
}

void calls__before_end(struct nsd_ongoing *ongoing) {
    if (calls__prepare_whole(ongoing))
        end(ongoing);
}

/*
 * The arguments are those of tgkill. Without a stack: a signal comes anywhere, and the stack would
 * be its handler's.
 */
void calls__before_raise(struct nsd_ongoing *ongoing) {
    int number = (int) ongoing->argument[2];

    if (!disposition__would_end(number) || !calls__prepare(ongoing, NSD_CALL_RAISE))
        return;
    ongoing->event.arguments[0] = (uint64_t) number;
    exits__report(&ongoing->event);
}

/*
 * The exit system call, made directly: libc and the Go runtime do not learn of it. It ends its
 * thread, and the image if there is no other thread.
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

/* The event of exit(), kept for the destructor. Empty: the main function returned instead. */
static struct nsd_event announced;

void calls__before_handlers(struct nsd_ongoing *ongoing) {
    if (calls__prepare_whole(ongoing))
        announced = ongoing->event;
}

void calls__before_report(struct nsd_ongoing *ongoing) {
    if (calls__prepare_whole(ongoing))
        last_words__report(&ongoing->event, NSD_OCCASION_SIGNAL);
}

/*
 * In a handler of exit(). glibc's exit may be called there again: it runs the handlers that are
 * left, gives unread input of its streams back without waiting for their locks, and ends with the
 * last status (stdlib/exit.c, __run_exit_handlers). musl's traps a second call since 1.2.5: its
 * streams are written here.
 */
static void leave_with(int status) {
    if (gnu_get_libc_version != NULL)
        NEXT(exit)(status);
    if (fflush != NULL)
        fflush(NULL);
    SYS1(__NR_exit_group, status);
}

__attribute__((destructor)) static void end_of_image(void) {
    struct nsd_caller caller;
    struct nsd_event event;

    if (!nsd_on || !caller__is_ours(&caller, machine__thread_pointer(), 0))
        return;
    submit__prepare(&event, NSD_CALL_EXIT, caller.tid);
    if (announced.call == NSD_CALL_EXIT && announced.tid == caller.tid)
        event = announced;
    if (exits__report(&event) && nsd_options.exitcode.number != 0 && report__faults() > 0)
        leave_with((int) nsd_options.exitcode.number);
}
