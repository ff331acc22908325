/*
 * Births and deaths of libc's threads: the part that others call. births__begin is called by the
 * constructor, births__adopt by namespaces.c. Neither waits; both call libc's functions, so that a
 * thread without libc's state must not get here.
 */
#ifndef NSD_CALLS_BIRTHS_H
#define NSD_CALLS_BIRTHS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Makes the key whose destructor sees a thread's death and sets it on the caller, the main thread.
 * Called once by the constructor, only when the shim is on. False where libc has no such keys.
 */
bool births__begin(void);

/*
 * A thread that libc made without us (SIGEV_THREAD and the like): its death will be seen.
 * Called before each switch with the caller's tid; cheap.
 */
void births__adopt(int32_t tid);

#endif
