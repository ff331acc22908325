/*
 * The creator of a thread: the code that calls std::thread, g_thread_new or Rust's thread::spawn,
 * not the language's library that calls pthread_create for it. Called by births.c before a
 * pthread_create, on the host's stack; takes no lock.
 */
#ifndef NSD_CALLS_CREATORS_H
#define NSD_CALLS_CREATORS_H

#include "ledger/frames.h"

/*
 * The stack of a pthread_create without the frames at its top that only pass the creation on. Looks
 * names up, so it is called only once a thread of the image has switched. Returns `frames` itself
 * where no spare stack is free or no system call may be made; NULL for NULL.
 */
const struct nsd_frames *creators__stack(const struct nsd_frames *frames);

#endif
