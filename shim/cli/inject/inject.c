/*
 * The injection, see inject.h: has the library mapped, hands over a block of memory and runs its
 * entry. What fails before that is undone; what fails then ends a program that has not begun.
 */
#include "cli/inject/inject.h"
#include "cli/inject/obstacles.h"
#include "cli/inject/placement.h"
#include "cli/watch/auxiliary.h"
#include "base_machine.h"
#include "start/injection.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the block and its strings take at most, and the stack on which the library begins. */
#define BLOCK_ROOM UINT64_C(0x20000)
#define STACK_ROOM UINT64_C(0x100000)

bool inject__begin(struct nsd_injector *injector, const char *library, const char *options) {
    memset(injector, 0, sizeof *injector);
    refusal__begin(&injector->refusal, "the program");
    injector->library = library;
    injector->options = options;
    if (elf_image__open(&injector->shim, library))
        return true;
    return refusal__say(&injector->refusal, "%s: %s", library, strerror(errno));
}

bool inject__program(struct nsd_injector *injector, const char *name, const char *file) {
    uint64_t ignored;

    refusal__begin(&injector->refusal, name);
    elf_image__close(&injector->image);
    if (!elf_image__open(&injector->image, file))
        return refusal__say(&injector->refusal, "%s", strerror(errno));
    if (!elf_image__system_call(&injector->image, &ignored))
        return refusal__say(&injector->refusal, "its headers lead to no code");
    return true;
}

void inject__end(struct nsd_injector *injector) {
    elf_image__close(&injector->shim);
    elf_image__close(&injector->image);
}

static bool refuse_call(struct nsd_injector *injector, const char *what, int64_t answer) {
    return refusal__say_call(&injector->refusal, &injector->remote, what, answer);
}

/* ---- the program, as the kernel has started it ---- */

/* That it is the file we have looked at, and where a system call stands in it. */
static bool find_program(struct nsd_injector *injector) {
    const Elf64_Ehdr *elf = elf_image__header(&injector->image);
    unsigned char there[NSD_SYSTEM_CALL_SIZE];
    struct stat status;
    uint64_t address;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/exe", (int) injector->remote.pid);
    if (stat(path, &status) != 0 || status.st_dev != injector->image.device ||
        status.st_ino != injector->image.inode)
        return refusal__say(&injector->refusal, "something else was started in its place");
    if (!elf_image__system_call(&injector->image, &address))
        return false;
    address += auxiliary__value(injector->remote.pid, AT_ENTRY) - elf->e_entry;
    if (!remote__read(&injector->remote, address, there, sizeof there) ||
        memcmp(there, NSD_SYSTEM_CALL_BYTES, sizeof there) != 0)
        return refusal__say(&injector->refusal, "its memory is not what its headers say");
    injector->remote.system_call = address;
    return true;
}

/* ---- the block ---- */

/* Its strings behind it; then comes the stack. 0 is no place: it has not been put. */
static bool put_block(struct nsd_injector *injector, uint64_t *at) {
    struct nsd_remote *remote = &injector->remote;
    struct nsd_injection block = {.magic = NSD_INJECTION_MAGIC, .size = sizeof block};
    size_t library = strlen(injector->library) + 1;
    unsigned char *bytes;
    char *options;
    int length = asprintf(&options, "NSDRIFT_OPTIONS=%s", injector->options);
    size_t size = sizeof block + library + (size_t) length + 1;
    int64_t got;
    bool done;

    if (length < 0)
        return refusal__say(&injector->refusal, "out of memory");
    bytes = size <= BLOCK_ROOM ? malloc(size) : NULL;
    if (bytes == NULL) {
        free(options);
        return refusal__say(&injector->refusal, "the options are too long");
    }
    got = remote__call(remote, SYS_mmap, 0, BLOCK_ROOM + STACK_ROOM, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, UINT64_MAX, 0);
    *at = remote__is_error(got) ? 0 : (uint64_t) got;
    block.stack = registers__stack_pointer(&remote->registers);
    block.library = *at + sizeof block;
    block.options = block.library + library;
    memcpy(bytes, &block, sizeof block);
    memcpy(bytes + sizeof block, injector->library, library);
    memcpy(bytes + sizeof block + library, options, (size_t) length + 1);
    done = remote__is_error(got) ? refuse_call(injector, "get memory", got)
                                 : remote__write(remote, *at, bytes, size) ||
                                       refuse_call(injector, "be written to", 0);
    free(options);
    free(bytes);
    return done;
}

/*
 * A breakpoint in a program that ignores or blocks SIGTRAP makes the kernel take back both
 * (force_sig_info_to_task, kernel/signal.c): the mask is put back with the rest, this here.
 */
static bool ignore_again(struct nsd_injector *injector, uint64_t at) {
    const struct { uint64_t handler, flags, restorer, mask; } action = {.handler = 1 /* SIG_IGN */};

    return remote__write(&injector->remote, at, &action, sizeof action) &&
           remote__call(&injector->remote, SYS_rt_sigaction, SIGTRAP, at, 0, sizeof action.mask, 0,
                        0) == 0;
}

/* How far it came: what it takes to leave the program as it was. */
enum stage {
    UNTOUCHED,
    MAPPED,   /* what is there has not run */
    DECLINED, /* the library has run, and stays, to no avail */
    DISTURBED,
    DONE,
};

/* `block` is followed by the stack. */
static enum stage run_entry(struct nsd_injector *injector, uint64_t entry, uint64_t block) {
    static const char *const answers[] = {
        [NSD_INJECTED_STRANGER] = "the library is of another version than this command",
        [NSD_INJECTED_NO_GO] = "no Go runtime was found in it",
        [NSD_INJECTED_INERT] = "the kernel lets the library do nothing there",
        [NSD_INJECTED_UNHEARD] =
            "it cannot reach the folder of the recordings: it has fewer rights, or other mounts",
    };
    struct nsd_remote *remote = &injector->remote;
    uint64_t stack = block + BLOCK_ROOM, answer = 0;
    enum stage stage = DISTURBED;
    char path[64];
    bool ignores;
    int by = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int) remote->pid);
    ignores = (obstacles__number(path, "SigIgn:", 16) >> (SIGTRAP - 1) & 1) != 0;
    if (!remote__run(remote, entry, stack, stack + STACK_ROOM, block, &answer, &by)) {
        refusal__say(&injector->refusal, "the library came to signal %d in it%s", by,
                     by == SIGSYS ? " (a seccomp filter is in force)" : "");
        return DISTURBED;
    }
    if (answer == NSD_INJECTED)
        stage = DONE;
    else if (answer >= sizeof answers / sizeof answers[0])
        refusal__say(&injector->refusal, "its memory was disturbed");
    else {
        stage = DECLINED;
        refusal__say(&injector->refusal, "%s", answers[answer]);
    }
    if (ignores && !ignore_again(injector, stack)) {
        refuse_call(injector, "ignore SIGTRAP again", 0);
        return DISTURBED;
    }
    remote__call(remote, SYS_munmap, stack, STACK_ROOM, 0, 0, 0, 0);
    remote__call(remote, SYS_mprotect, block, BLOCK_ROOM, PROT_READ, 0, 0, 0);
    return stage;
}

/* ---- the whole ---- */

static enum stage put_in(struct nsd_injector *injector) {
    struct nsd_remote *remote = &injector->remote;
    struct nsd_placement placement;
    enum stage stage = UNTOUCHED;
    uint64_t block = 0;

    if (placement__begin(&placement, &injector->shim, injector->library, remote,
                         &injector->refusal) &&
        find_program(injector) && put_block(injector, &block) &&
        placement__map(&placement, block + sizeof(struct nsd_injection)) &&
        placement__relocate(&placement))
        stage = run_entry(injector, placement__entry(&placement), block);
    else if (block != 0)
        stage = MAPPED;
    if (stage == MAPPED) {
        placement__undo(&placement);
        remote__call(remote, SYS_munmap, block, BLOCK_ROOM + STACK_ROOM, 0, 0, 0, 0);
    }
    placement__end(&placement);
    return stage;
}

/* The program stands at its exec. */
static enum nsd_injection_end inject(struct nsd_injector *injector, bool or_kill) {
    struct nsd_remote *remote = &injector->remote;
    enum stage stage = UNTOUCHED;

    if (remote__begin(remote))
        stage = put_in(injector);
    else
        refuse_call(injector, "be stopped", 0);
    if ((stage == DONE || (stage != DISTURBED && !or_kill)) &&
        (remote__let_go(remote) || refuse_call(injector, "go on", 0)))
        return stage == DONE ? NSD_PUT_IN : NSD_LEFT_ALONE;
    remote__kill(remote);
    if (remote__was_killed(remote)) /* nothing of it has gone unwatched */
        refusal__take_back(&injector->refusal);
    return NSD_BROUGHT_DOWN;
}

static bool seize(void *context, pid_t pid) {
    struct nsd_injector *injector = context;
    int error = remote__seize(&injector->remote, pid, false);

    return error == 0 || obstacles__explain_seize(&injector->refusal, error);
}

static bool at_exec(void *context, int *status) {
    struct nsd_injector *injector = context;
    struct nsd_remote *remote = &injector->remote;
    bool done = remote__wait_for_exec(remote) && inject(injector, true) == NSD_PUT_IN;

    *status = remote->status;
    return done;
}

void inject__holder(struct nsd_injector *injector, struct nsd_holder *holder) {
    *holder = (struct nsd_holder){.context = injector, .take = seize, .at_exec = at_exec};
}

enum nsd_injection_end inject__followed(struct nsd_injector *injector, pid_t pid, bool or_kill) {
    remote__adopt(&injector->remote, pid);
    return inject(injector, or_kill);
}
