/*
 * The facts of this process image, see image.h.
 */
#include "host/image.h"
#include "host/identity.h"

struct nsd_image nsd_image;

static bool libc_is_here;

void image__set_libc(bool is_here) {
    libc_is_here = is_here;
}

bool image__has_libc(void) {
    return libc_is_here;
}

void image__learn_pid_namespace(void) {
    struct nsd_identity identity;

    if (nsd_image.pid_ns == 0 && identity__of_thread(0, NSD_KIND_PID, &identity) == 0)
        nsd_image.pid_ns = identity.inode;
}
