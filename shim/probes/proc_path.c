/*
 * What a path under /proc says about namespaces, see proc_path.h. Reached from hooks: bytes alone.
 */
#include "probes/proc_path.h"

/* The next component of *path, which moves behind it; false at the end. */
static bool component(const char **path, const char **name, unsigned *length) {
    const char *at = *path;

    while (*at == '/')
        at++;
    *name = at;
    while (*at != '\0' && *at != '/')
        at++;
    *length = (unsigned) (at - *name);
    *path = at;
    return *length > 0;
}

static bool is(const char *name, unsigned length, const char *word) {
    unsigned i = 0;

    while (i < length && word[i] != '\0' && name[i] == word[i])
        i++;
    return i == length && word[i] == '\0';
}

static int32_t number(const char *name, unsigned length) {
    int32_t value = 0;

    /* PIDs have seven digits at most (PID_MAX_LIMIT). */
    if (length > 9)
        return 0;
    for (unsigned i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return 0;
        value = value * 10 + (name[i] - '0');
    }
    return value;
}

bool proc_path__parse(const char *path, struct nsd_proc_path *out) {
    const char *name;
    unsigned length;

    out->pid = out->tid = 0;
    if (*path != '/' || !component(&path, &name, &length) || !is(name, length, "proc") ||
        !component(&path, &name, &length))
        return false;
    if (is(name, length, "self")) {
        out->owner = NSD_PATH_SELF;
    } else if (is(name, length, "thread-self")) {
        out->owner = NSD_PATH_THREAD_SELF;
    } else {
        out->owner = NSD_PATH_PID;
        out->pid = out->tid = number(name, length);
        if (out->pid == 0)
            return false;
    }
    if (!component(&path, &name, &length))
        return false;
    if (out->owner != NSD_PATH_THREAD_SELF && is(name, length, "task")) {
        if (!component(&path, &name, &length))
            return false;
        out->owner = NSD_PATH_TASK;
        out->tid = number(name, length);
        if (out->tid == 0 || !component(&path, &name, &length))
            return false;
    }
    if (!is(name, length, "ns") || !component(&path, &name, &length))
        return false;
    out->kind = kinds__by_name(name, length);
    return out->kind != NSD_KINDS && !component(&path, &name, &length);
}
