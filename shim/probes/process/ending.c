/*
 * The end of the image: the library's destructor makes the report for every way of ending that goes
 * through libc's exit (return from main, exit, the last thread after main's pthread_exit); the
 * wrappers of _exit and the like made it before. exitcode= takes effect here.
 */
#include "probes/process/ending.h"
#include "base/options.h"
#include "base/syscall.h"
#include "probes/process/caller.h"
#include "probes/process/image.h"
#include "probes/submit.h"
#include "report/report.h"
#include <stddef.h>

int fflush(void *stream) __attribute__((weak));

int ending__status(int status) {
    if (nsd_options.exitcode.number != 0 && report__faults() > 0)
        return (int) nsd_options.exitcode.number;
    return status;
}

__attribute__((destructor)) static void end_of_image(void) {
    struct nsd_caller caller;
    struct nsd_event event;
    int status;

    if (!nsd_on || !caller__is_ours(&caller, machine__thread_pointer(), 0))
        return;
    submit__prepare(&event, NSD_CALL_EXIT, caller.tid);
    submit__report(&event, NSD_OCCASION_EXIT);
    status = ending__status(0);
    if (status == 0)
        return;
    /*
     * libc has yet to write out its streams and would then leave with the host's status: do the
     * one and leave with ours, as sanitizers do. Only here, and only when the user asked for it.
     */
    if (fflush != NULL)
        fflush(NULL);
    SYS1(__NR_exit_group, status);
}
