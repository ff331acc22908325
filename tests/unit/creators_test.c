/*
 * The creator of a thread is found behind the frames of its language's library, and the search
 * takes next to nothing of the caller's stack: a host may create threads on a small one. The
 * caller's stack is painted here, so that what was used of it can be counted.
 */
#include "calls/creators.h"
#include "names/module_file.h"
#include "names/modules.h"
#include "stacks/on_stack.h"
#include <stdio.h>
#include <string.h>

#define SMALL (32u << 10)
#define MOST 1024u /* bytes of the caller's stack; sanitizers put some around each variable */

/* The name of a function of C++'s namespace std, as a compiler mangles it. */
void start_of_library(void) __asm__("_ZNSt6thread5startEv");
__attribute__((noinline)) void start_of_library(void) {
    __asm__ volatile("nop");
}
__attribute__((noinline)) static void creator(void) {
    __asm__ volatile("nop\nnop");
}

static char small[SMALL] __attribute__((aligned(64)));
static const struct nsd_frames *found;

static void search(void *frames) {
    found = creators__stack(frames);
}

static struct nsd_frame frame_in(void (*function)(void)) {
    const uint64_t pc = (uint64_t) (uintptr_t) function + 1;

    return (struct nsd_frame){.pc = pc, .module = modules__number(modules__of(pc))};
}

int main(void) {
    unsigned unused = 0;
    const struct nsd_frames *whole;

    modules__begin();
    frames__prepare();
    for (unsigned i = 0; i < modules__count(); i++)
        module_file__map(modules__at(i));
    whole =
        frames__intern(1, (struct nsd_frame[]){frame_in(start_of_library), frame_in(creator)}, 2);
    memset(small, 0xa5, sizeof small);
    on_stack__call(search, (void *) whole, small + sizeof small);
    while (unused < SMALL && small[unused] == (char) 0xa5)
        unused++;
    printf("%u bytes of the caller's stack, %u frames left of %u\n", SMALL - unused,
           found == NULL ? 0 : found->depth, whole->depth);
    return found == NULL || found->depth != 1 || found->frame[0].pc != frame_in(creator).pc ||
           SMALL - unused > MOST;
}
