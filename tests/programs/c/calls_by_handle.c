/*
 * Calls setns the way Python's ctypes does: by dlopen and dlsym on a handle, round the preloaded
 * names; first there and back, then to stay. Must be reported: a note, died-switched, as if it had
 * gone by the name.
 */
#include "host.h"
#include <dlfcn.h>

static int other;
static int (*by_handle)(int, int);

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(by_handle(other, CLONE_NEWNET) == 0, "setns");
    must(by_handle(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *unused) {
    visit();
    must(by_handle(other, CLONE_NEWNET) == 0, "setns");
    return unused;
}

int main(void) {
    void *libc = dlopen("libc.so.6", RTLD_LAZY);
    must(libc != NULL, "dlopen");
    by_handle = (int (*)(int, int)) dlsym(libc, "setns");
    must(by_handle != NULL, "dlsym");
    other = other_network();
    join(start(worker, NULL));
    puts("done");
    return 0;
}
