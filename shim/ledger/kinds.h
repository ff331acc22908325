/*
 * The ten kinds of namespace as a table, and sets of kinds. Every room above may read it, anywhere:
 * it is constant data.
 */
#ifndef NSD_LEDGER_KINDS_H
#define NSD_LEDGER_KINDS_H

#include <stdbool.h>
#include <stdint.h>

/* X(name in code, name of the link in /proc/PID/ns and in JSON, CLONE_NEW* flag, 0: none) */
#define NSD_KIND_TABLE(X)                                                                          \
    X(CGROUP, "cgroup", 0x02000000u)                                                               \
    X(IPC, "ipc", 0x08000000u)                                                                     \
    X(MNT, "mnt", 0x00020000u)                                                                     \
    X(NET, "net", 0x40000000u)                                                                     \
    X(PID, "pid", 0u)                                                                              \
    X(PID_FOR_CHILDREN, "pid_for_children", 0x20000000u)                                           \
    X(TIME, "time", 0u)                                                                            \
    X(TIME_FOR_CHILDREN, "time_for_children", 0x00000080u)                                         \
    X(USER, "user", 0x10000000u)                                                                   \
    X(UTS, "uts", 0x04000000u)

enum nsd_kind {
#define X(name, link, flag) NSD_KIND_##name,
    NSD_KIND_TABLE(X)
#undef X
        NSD_KINDS
};

/*
 * A set of kinds: bit k for kind k. Two bits above them mark a thread that has its own file system
 * attributes (root, working directory, umask: CLONE_FS) or its own table of descriptors
 * (CLONE_FILES): no call can make a thread share those again.
 */
typedef uint16_t nsd_kinds;
#define NSD_KIND_BIT(kind) ((nsd_kinds) (1u << (kind)))
#define NSD_ALL_KINDS ((nsd_kinds) ((1u << NSD_KINDS) - 1u))
#define NSD_PRIVATE_FS ((nsd_kinds) (1u << NSD_KINDS))
#define NSD_PRIVATE_FILES ((nsd_kinds) (1u << (NSD_KINDS + 1)))

/* A loop over the kinds of a set, without the two bits above them. */
#define FOR_EACH_KIND(kind, set)                                                                   \
    for (unsigned rest_of_##kind = (unsigned) (set) &NSD_ALL_KINDS, kind;                          \
         rest_of_##kind != 0 && ((kind = (unsigned) __builtin_ctz(rest_of_##kind)), true);         \
         rest_of_##kind &= rest_of_##kind - 1)

/* CLONE_FS, CLONE_FILES as unshare takes them. */
#define NSD_FLAG_FS 0x00000200u
#define NSD_FLAG_FILES 0x00000400u
/*
 * UNSHARE_EMPTY_MNTNS (Linux 7.1): a new mnt namespace with nothing in it. The bit is
 * CLONE_PARENT_SETTID's, which unshare does not take (kernel/fork.c, check_unshare_flags).
 */
#define NSD_FLAG_EMPTY_MNTNS 0x00100000u
/* CLONE_THREAD, CLONE_SIGHAND, CLONE_VM and CLONE_SYSVSEM change no namespace. */
#define NSD_FLAGS_WITHOUT_KIND 0x00050900u

enum {
    NSD_UNSHARE_KINDS = 0
#define X(name, link, flag) | (int) (flag)
    NSD_KIND_TABLE(X)
#undef X
};
/* Every flag of unshare that is known; another bit may mean any kind. */
#define NSD_UNSHARE_FLAGS                                                                          \
    ((uint32_t) NSD_UNSHARE_KINDS | NSD_FLAG_FS | NSD_FLAG_FILES | NSD_FLAG_EMPTY_MNTNS |          \
     NSD_FLAGS_WITHOUT_KIND)

const char *kinds__name(enum nsd_kind kind);
/* The kind whose link in /proc/PID/ns has this name, NSD_KINDS if there is none. */
enum nsd_kind kinds__by_name(const char *name, unsigned length);
/*
 * The kinds that unshare or setns change with these CLONE_NEW* flags. CLONE_NEWPID and
 * CLONE_NEWTIME change pid_for_children and time_for_children: the caller's own pid and time
 * namespaces stay.
 */
nsd_kinds kinds__of_flags(uint64_t flags);
/*
 * What unshare with these flags changes: kinds, NSD_PRIVATE_FS and NSD_PRIVATE_FILES. A new user or
 * mnt namespace takes a private fs with it (kernel/fork.c, ksys_unshare). The one place that says
 * so.
 */
nsd_kinds kinds__of_unshare(uint64_t flags);

#endif
