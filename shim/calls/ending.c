/*
 * The end of the image: the library's destructor makes the report for every way of ending that goes
 * through libc's exit (return from main, exit, the last thread after main's pthread_exit); the
 * wrappers of _exit and the like made it before. exitcode= takes effect here.
 */
#include "calls/ending.h"
#include "base/options.h"
#include "base/syscall.h"
#include "host/caller.h"
#include "host/image.h"
#include "intake/last_words.h"
#include "intake/submit.h"
#include "report/report.h"
#include <stddef.h>

int fflush(void *stream) __attribute__((weak));

int ending__status(int status) {
    if (nsd_options.exitcode.number != 0 && report__faults() > 0)
        return (int) nsd_options.exitcode.number;
    return status;
}

/* What exit() was called with and from where; without it the main function returned. */
static struct nsd_event announced;

void ending__announce(const struct nsd_event *exit) {
    announced = *exit;
}

__attribute__((destructor)) static void end_of_image(void) {
    struct nsd_caller caller;
    struct nsd_event event;
    int status;

    if (!nsd_on || !caller__is_ours(&caller, machine__thread_pointer(), 0))
        return;
    /* A process of its own in our memory (clone with CLONE_VM) ends alone. */
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
