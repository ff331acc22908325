/*
 * Parsing paths to namespaces (proc_path.h), part by part. Repeated slashes count as one, as in the
 * kernel; a path with "." or ".." is taken as leading elsewhere.
 */
#include "host/proc_path.h"

#include "base/memory.h"
#include "base/text.h"
#include "ledger/kinds.h"

#define PROC "/proc/"

#define RUN "/run/"
#define VAR_RUN "/var/run/"

bool proc_path__may_lead(const char *path) {
    return string__begins(path, PROC) || string__begins(path, RUN) || string__begins(path, VAR_RUN);
}

struct part {
    const char *start;
    unsigned length;
};

static struct part next_part(const char **path) {
    struct part part;

    while (**path == '/')
        (*path)++;
    part.start = *path;
    while (**path != '/' && **path != '\0')
        (*path)++;
    part.length = (unsigned) (*path - part.start);
    return part;
}

static bool is(struct part part, const char *word) {
    return part.length == string__length(word) && memory__equal(part.start, word, part.length);
}

static int32_t number(struct part part) {
    uint64_t value;

    if (part.length == 0 || part.length > 10 ||
        !text__parse_unsigned(part.start, part.start + part.length, &value) || value > INT32_MAX)
        return 0;
    return (int32_t) value;
}

static bool read_owner(const char **path, struct nsd_proc_path *read) {
    struct part part = next_part(path);

    if (is(part, "thread-self")) {
        read->owner = NSD_PATH_THREAD_SELF;
        return true;
    }
    if (is(part, "self"))
        read->owner = NSD_PATH_SELF;
    else if ((read->tid = number(part)) != 0)
        read->owner = NSD_PATH_PID;
    else
        return false;
    return true;
}

/*
 * A folder under /run whose name ends in "ns": `ip netns`, CNI, docker, podman and CRI-O keep their
 * bind mounts there (netns, utsns, ipcns, userns). The file may still be something else.
 */
static bool names_a_custom_folder(const char *path) {
    for (;;) {
        struct part part = next_part(&path);

        if (part.length == 0 || *path == '\0')
            return false;
        if (part.length > 2 && part.start[part.length - 2] == 'n' &&
            part.start[part.length - 1] == 's')
            return true;
    }
}

bool proc_path__read(const char *path, struct nsd_proc_path *read) {
    enum nsd_kind kind;
    struct part part;

    *read = (struct nsd_proc_path){.owner = NSD_PATH_OTHER};
    if (!string__begins(path, PROC))
        return names_a_custom_folder(path);
    path += sizeof(PROC) - 1;
    if (!read_owner(&path, read))
        return false;
    part = next_part(&path);
    if (is(part, "task") && read->owner != NSD_PATH_THREAD_SELF) {
        read->owner = NSD_PATH_TASK;
        read->tid = number(next_part(&path));
        if (read->tid == 0)
            return false;
        part = next_part(&path);
    }
    if (!is(part, "ns"))
        return false;
    part = next_part(&path);
    kind = kinds__by_name(part.start, part.length);
    if (part.length == 0 || kind == NSD_KINDS || *path != '\0')
        return false;
    read->kinds = NSD_KIND_BIT(kind);
    return true;
}
