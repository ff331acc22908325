/*
 * Events whose thread could not have the intake's lock: a signal handler that interrupted the lock's
 * owner, or one thread of a crowd. Any thread puts events in; only the owner of the intake's lock
 * takes them out. Safe in a signal handler and on a Go stack; nobody waits.
 */
#ifndef NSD_INTAKE_QUEUE_H
#define NSD_INTAKE_QUEUE_H

#include "ledger/event.h"
#include <stdbool.h>

/* False: the queue is full and the event is lost; the caller counts it. */
bool queue__put(const struct nsd_event *event);
/* One load; false may be out of date at once. */
bool queue__is_empty(void);
/*
 * The event that was put in first, among those that are complete; NULL if none is. It stays in the
 * queue until queue__remove. For the owner of the intake's lock.
 */
const struct nsd_event *queue__oldest(void);
void queue__remove(const struct nsd_event *event);
/* At start and in a fork child: an empty queue. */
void queue__reset(void);

#endif
