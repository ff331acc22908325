/*
 * What a path says about the namespace at its end: owner, thread and kind; and that nothing else is
 * taken for one.
 */
#include "host/proc_path.c"

#include <stdio.h>

static int failures;

static const struct {
    const char *path;
    bool leads;
    enum nsd_path_owner owner;
    int tid;
    nsd_kinds kinds;
} rows[] = {
    {"/proc/self/ns/net", true, NSD_PATH_SELF, 0, NSD_KIND_BIT(NSD_KIND_NET)},
    {"/proc//self/ns//mnt", true, NSD_PATH_SELF, 0, NSD_KIND_BIT(NSD_KIND_MNT)},
    {"/proc/thread-self/ns/uts", true, NSD_PATH_THREAD_SELF, 0, NSD_KIND_BIT(NSD_KIND_UTS)},
    {"/proc/42/ns/pid_for_children", true, NSD_PATH_PID, 42,
     NSD_KIND_BIT(NSD_KIND_PID_FOR_CHILDREN)},
    {"/proc/self/task/43/ns/user", true, NSD_PATH_TASK, 43, NSD_KIND_BIT(NSD_KIND_USER)},
    {"/proc/42/task/44/ns/time", true, NSD_PATH_TASK, 44, NSD_KIND_BIT(NSD_KIND_TIME)},
    {"/run/netns/blue", true, NSD_PATH_OTHER, 0, 0},
    {"/var/run/docker/netns/1-abc", true, NSD_PATH_OTHER, 0, 0},
    {"/run/user/1000/netns/x", true, NSD_PATH_OTHER, 0, 0},
    {"/proc/self/ns", false, 0, 0, 0},
    {"/proc/self/ns/", false, 0, 0, 0},
    {"/proc/self/ns/ne", false, 0, 0, 0},
    {"/proc/self/ns/nets", false, 0, 0, 0},
    {"/proc/self/ns/net/x", false, 0, 0, 0},
    {"/proc/self/mountinfo", false, 0, 0, 0},
    {"/proc/self/task/x/ns/net", false, 0, 0, 0},
    {"/proc/99999999999/ns/net", false, 0, 0, 0},
    {"/proc/net/dev", false, 0, 0, 0},
    {"/proc/", false, 0, 0, 0},
    {"/run/lock/x", false, 0, 0, 0},
    {"/run/netns", false, 0, 0, 0},
    {"/etc/passwd", false, 0, 0, 0},
    {"", false, 0, 0, 0},
};

int main(void) {
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct nsd_proc_path read;
        bool leads = proc_path__may_lead(rows[i].path) && proc_path__read(rows[i].path, &read);

        if (leads != rows[i].leads ||
            (leads && (read.owner != rows[i].owner || read.kinds != rows[i].kinds ||
                       (rows[i].tid != 0 && read.tid != rows[i].tid)))) {
            printf("wrong about %s\n", rows[i].path);
            failures++;
        }
    }
    printf("%d failures\n", failures);
    return failures != 0;
}
