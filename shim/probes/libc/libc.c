/*
 * The start of the libc probe. The wrappers need none: they are in place as soon as the loader has
 * bound the program's names to them.
 */
#include "probes/libc/libc.h"

#include "host/libc/functions.h"
#include "probes/libc/threads.h"
#include "host/image.h"
#include "report/report.h"

bool libc__begin(void) {
    if (functions__definition(NSD_FUNCTION_syscall) == NULL)
        return false;
    nsd_image.libc_functions = functions__count();
    coverage__probe("libc");
    if (!threads__begin())
        coverage__missing("thread ends", "this libc offers no thread-specific data");
    return true;
}
