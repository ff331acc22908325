/*
 * Which frames of a pthread_create belong to a language's library, see creators.h: the code that
 * called the library is the thread's creator. Called by births.c on the host's stack, so names are
 * looked up on a spare one: a name alone takes 2.5 KiB.
 */
#include "calls/creators.h"

#include "base/memory.h"
#include "names/naming.h"
#include "stacks/on_stack.h"

/* Libraries that create threads for their caller: how their file names begin. */
static const char *const libraries[] = {
    "libstdc++.so", "libc++.so", "libglib-2.0.so", "libQt5Core.so", "libQt6Core.so",
};

/*
 * Where such a library is compiled into the program: how mangled names of C++'s std and Rust's std
 * begin.
 */
static const char *const functions[] = {"_ZNSt", "_ZSt", "_ZN3std"};

static bool begins_with_one_of(const char *name, const char *const *beginnings, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (string__begins(name, beginnings[i]))
            return true;
    }
    return false;
}

static bool passes_on(const struct nsd_frame *frame) {
    const struct nsd_module *module;
    struct nsd_place place;

    if (frame->module == 0)
        return false;
    module = modules__at(frame->module - 1);
    if (module->path != NULL && begins_with_one_of(string__base_name(module->path), libraries,
                                                   sizeof libraries / sizeof libraries[0]))
        return true;
    naming__place(frame->pc, false, &place);
    return begins_with_one_of(place.function, functions, sizeof functions / sizeof functions[0]);
}

/* How many frames at the top of a stack only pass the creation on. */
struct count {
    const struct nsd_frames *frames;
    unsigned top;
};

static void count_frames(void *argument) {
    struct count *count = argument;
    const struct nsd_frames *frames = count->frames;

    while (count->top + 1u < frames->depth && passes_on(&frames->frame[count->top]))
        count->top++;
}

const struct nsd_frames *creators__stack(const struct nsd_frames *frames) {
    struct count count = {.frames = frames};

    if (frames == NULL || !on_stack__call_apart(count_frames, &count) || count.top == 0)
        return frames;
    return frames__intern(frames->key ^ count.top, frames->frame + count.top,
                          frames->depth - count.top);
}
