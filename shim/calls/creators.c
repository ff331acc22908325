/*
 * Frames of the ways in which languages make threads, see creators.h. One row a way: whose creation
 * it is decides whether a helper was started behind a visitor's back. Called by births.c.
 */
#include "calls/creators.h"

#include "base/memory.h"
#include "names/naming.h"

/* Libraries that make threads in their caller's name; beginnings of file names. */
static const char *const libraries[] = {
    "libstdc++.so", "libc++.so", "libglib-2.0.so", "libQt5Core.so", "libQt6Core.so",
};

/* The same where it is compiled into the program: namespace std of C++, Rust's std. Mangled. */
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

const struct nsd_frames *creators__stack(const struct nsd_frames *frames) {
    unsigned top = 0;

    if (frames == NULL)
        return NULL;
    while (top + 1u < frames->depth && passes_on(&frames->frame[top]))
        top++;
    if (top == 0)
        return frames;
    return frames__intern(frames->key ^ top, frames->frame + top, frames->depth - top);
}
