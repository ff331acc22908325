/*
 * Who creates a thread: the code that calls std::thread, g_thread_new or Rust's thread::spawn, not
 * the language's library that calls pthread_create for it.
 */
#ifndef NSD_CALLS_CREATORS_H
#define NSD_CALLS_CREATORS_H

#include "ledger/frames.h"

/*
 * The stack of a pthread_create without the frames at its top that only pass a creation on. Looks
 * names up: for creations by threads that may be away. NULL for NULL.
 */
const struct nsd_frames *creators__stack(const struct nsd_frames *frames);

#endif
