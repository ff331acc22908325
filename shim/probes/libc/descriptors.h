/*
 * Descriptors that lead to namespaces: what is told about opening, copying and closing them, and
 * about sockets, for the wrappers of those names and for syscall(). All return at once as long as
 * nothing of the kind can matter.
 */
#ifndef NSD_PROBES_LIBC_DESCRIPTORS_H
#define NSD_PROBES_LIBC_DESCRIPTORS_H

#include "calls/observe.h"

/* After an open that answered `fd` as libc does; returns it. */
int descriptors__opened(const struct nsd_site *site, const char *path, int fd);
/* After a dup in any form; returns `copy`. */
int descriptors__copied(int fd, int copy);
/* Before a close of all from first to last. */
void descriptors__closing(unsigned first, unsigned last);
/* Before a socket(): true if it is to be handed in afterwards with observe__end. */
bool descriptors__socket_begin(struct nsd_event *event, const struct nsd_site *site, int family,
                               int type, int protocol);
/* fcntl commands that copy a descriptor. */
bool descriptors__is_copy(int command);

#endif
