/*
 * The host's errno, see errno.h.
 */
#include "host/libc/errno.h"
#include <stddef.h>

extern int *__errno_location(void) __attribute__((weak));

int host__errno(void) {
    return __errno_location != NULL ? *__errno_location() : 0;
}

void host__set_errno(int error) {
    if (__errno_location != NULL)
        *__errno_location() = error;
}
