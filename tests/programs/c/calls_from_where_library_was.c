/*
 * Opens three libraries and closes the first, which was in the middle of the loader's list; then
 * makes calls from code of its own at the place where that library was, as a JIT compiler does, and
 * nothing else is mapped there. Must be reported: nothing, and the program must survive.
 */
#include "host.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>

#define PAGE 4096ul

/* int through(int (*function)(int), int argument): sub $8,%rsp; function(argument); add $8,%rsp */
static const unsigned char code[] = {0x48, 0x83, 0xec, 0x08, 0x48, 0x89, 0xf8, 0x89,
                                     0xf7, 0xff, 0xd0, 0x48, 0x83, 0xc4, 0x08, 0xc3};

static KEEP int come_home(int kind) {
    static int home = -1;
    int fd = home < 0 ? own_namespace("uts") : home;

    home = fd;
    must(setns(home, kind) == 0, "setns");
    STAY();
    return 1;
}

int main(void) {
#ifdef __x86_64__
    void *first = dlopen("libm.so.6", RTLD_NOW), *second = dlopen("libutil.so.1", RTLD_NOW);
    void *third = dlopen("libresolv.so.2", RTLD_NOW); /* the list ends as before */
    int (*through)(int (*)(int), int);
    char *place, *mapped;

    if (first == NULL || second == NULL || third == NULL)
        return 77;
    place = dlsym(first, "nearbyintl");
    come_home(CLONE_NEWUTS); /* the libraries are known from now on */
    dlclose(first);
    mapped = mmap((void *) ((unsigned long) place & ~(PAGE - 1)), PAGE,
                  PROT_READ | PROT_WRITE | PROT_EXEC,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (mapped == MAP_FAILED)
        return 77; /* the library stayed */
    memset(mapped, 0xcc, PAGE);
    memcpy(mapped, code, sizeof code);
    memcpy(&through, &mapped, sizeof through);
    for (int i = 0; i < 3; i++)
        must(through(come_home, CLONE_NEWUTS) == 1, "through");
    must(through(unshare, CLONE_NEWUTS) == 0, "unshare"); /* the caller is that code itself */
    come_home(CLONE_NEWUTS);
    puts("done");
    return 0;
#else
    return 77;
#endif
}
