/*
 * Names of constants, see symbols.h. The numbers are those of the kernel's generic headers (asm-
 * generic/errno.h, linux/sched.h, linux/mount.h, linux/socket.h, asm/signal.h), which x86-64 and
 * aarch64 share.
 */
#include "report/symbols.h"

/* clang-format off */
#define ERRNO_TABLE(X)                                                                             \
    X(PERM, 1) X(NOENT, 2) X(SRCH, 3) X(INTR, 4) X(IO, 5) X(NXIO, 6) X(2BIG, 7) X(NOEXEC, 8)       \
    X(BADF, 9) X(CHILD, 10) X(AGAIN, 11) X(NOMEM, 12) X(ACCES, 13) X(FAULT, 14) X(NOTBLK, 15)      \
    X(BUSY, 16) X(EXIST, 17) X(XDEV, 18) X(NODEV, 19) X(NOTDIR, 20) X(ISDIR, 21) X(INVAL, 22)      \
    X(NFILE, 23) X(MFILE, 24) X(NOTTY, 25) X(TXTBSY, 26) X(FBIG, 27) X(NOSPC, 28) X(SPIPE, 29)     \
    X(ROFS, 30) X(MLINK, 31) X(PIPE, 32) X(DOM, 33) X(RANGE, 34) X(DEADLK, 35) X(NAMETOOLONG, 36)  \
    X(NOLCK, 37) X(NOSYS, 38) X(NOTEMPTY, 39) X(LOOP, 40) X(NOMSG, 42) X(IDRM, 43) X(CHRNG, 44)    \
    X(L2NSYNC, 45) X(L3HLT, 46) X(L3RST, 47) X(LNRNG, 48) X(UNATCH, 49) X(NOCSI, 50) X(L2HLT, 51)  \
    X(BADE, 52) X(BADR, 53) X(XFULL, 54) X(NOANO, 55) X(BADRQC, 56) X(BADSLT, 57) X(BFONT, 59)     \
    X(NOSTR, 60) X(NODATA, 61) X(TIME, 62) X(NOSR, 63) X(NONET, 64) X(NOPKG, 65) X(REMOTE, 66)     \
    X(NOLINK, 67) X(ADV, 68) X(SRMNT, 69) X(COMM, 70) X(PROTO, 71) X(MULTIHOP, 72) X(DOTDOT, 73)   \
    X(BADMSG, 74) X(OVERFLOW, 75) X(NOTUNIQ, 76) X(BADFD, 77) X(REMCHG, 78) X(LIBACC, 79)          \
    X(LIBBAD, 80) X(LIBSCN, 81) X(LIBMAX, 82) X(LIBEXEC, 83) X(ILSEQ, 84) X(RESTART, 85)           \
    X(STRPIPE, 86) X(USERS, 87) X(NOTSOCK, 88) X(DESTADDRREQ, 89) X(MSGSIZE, 90) X(PROTOTYPE, 91)  \
    X(NOPROTOOPT, 92) X(PROTONOSUPPORT, 93) X(SOCKTNOSUPPORT, 94) X(OPNOTSUPP, 95)                 \
    X(PFNOSUPPORT, 96) X(AFNOSUPPORT, 97) X(ADDRINUSE, 98) X(ADDRNOTAVAIL, 99) X(NETDOWN, 100)     \
    X(NETUNREACH, 101) X(NETRESET, 102) X(CONNABORTED, 103) X(CONNRESET, 104) X(NOBUFS, 105)       \
    X(ISCONN, 106) X(NOTCONN, 107) X(SHUTDOWN, 108) X(TOOMANYREFS, 109) X(TIMEDOUT, 110)           \
    X(CONNREFUSED, 111) X(HOSTDOWN, 112) X(HOSTUNREACH, 113) X(ALREADY, 114) X(INPROGRESS, 115)    \
    X(STALE, 116) X(UCLEAN, 117) X(NOTNAM, 118) X(NAVAIL, 119) X(ISNAM, 120) X(REMOTEIO, 121)      \
    X(DQUOT, 122) X(NOMEDIUM, 123) X(MEDIUMTYPE, 124) X(CANCELED, 125) X(NOKEY, 126)               \
    X(KEYEXPIRED, 127) X(KEYREVOKED, 128) X(KEYREJECTED, 129) X(OWNERDEAD, 130)                    \
    X(NOTRECOVERABLE, 131) X(RFKILL, 132) X(HWPOISON, 133)

#define FAMILY_TABLE(X)                                                                            \
    X(UNSPEC, 0) X(UNIX, 1) X(INET, 2) X(AX25, 3) X(IPX, 4) X(APPLETALK, 5) X(NETROM, 6)           \
    X(BRIDGE, 7) X(ATMPVC, 8) X(X25, 9) X(INET6, 10) X(ROSE, 11) X(DECnet, 12) X(NETBEUI, 13)      \
    X(SECURITY, 14) X(KEY, 15) X(NETLINK, 16) X(PACKET, 17) X(ASH, 18) X(ECONET, 19)               \
    X(ATMSVC, 20) X(RDS, 21) X(SNA, 22) X(IRDA, 23) X(PPPOX, 24) X(WANPIPE, 25) X(LLC, 26)         \
    X(IB, 27) X(MPLS, 28) X(CAN, 29) X(TIPC, 30) X(BLUETOOTH, 31) X(IUCV, 32) X(RXRPC, 33)         \
    X(ISDN, 34) X(PHONET, 35) X(IEEE802154, 36) X(CAIF, 37) X(ALG, 38) X(NFC, 39) X(VSOCK, 40)     \
    X(KCM, 41) X(QIPCRTR, 42) X(SMC, 43) X(XDP, 44) X(MCTP, 45)

#define SIGNAL_TABLE(X)                                                                            \
    X(HUP, 1) X(INT, 2) X(QUIT, 3) X(ILL, 4) X(TRAP, 5) X(ABRT, 6) X(BUS, 7) X(FPE, 8) X(KILL, 9)  \
    X(USR1, 10) X(SEGV, 11) X(USR2, 12) X(PIPE, 13) X(ALRM, 14) X(TERM, 15) X(STKFLT, 16)          \
    X(CHLD, 17) X(CONT, 18) X(STOP, 19) X(TSTP, 20) X(TTIN, 21) X(TTOU, 22) X(URG, 23)             \
    X(XCPU, 24) X(XFSZ, 25) X(VTALRM, 26) X(PROF, 27) X(WINCH, 28) X(IO, 29) X(PWR, 30)            \
    X(SYS, 31)
/* clang-format on */

static const char *const errno_names[] = {
#define X(name, number) [number] = "E" #name,
    ERRNO_TABLE(X)
#undef X
};

static const char *const family_names[] = {
#define X(name, number) [number] = "AF_" #name,
    FAMILY_TABLE(X)
#undef X
};

static const char *const signal_names[] = {
#define X(name, number) [number] = "SIG" #name,
    SIGNAL_TABLE(X)
#undef X
};

struct flag {
    uint64_t bit;
    const char *name;
};

/* For setns and clone3, and for unshare but one flag. For clone see put_clone: its low byte is a
 * signal. */
static const struct flag clone_flags[] = {
    {0x80, "CLONE_NEWTIME"},
    {0x100, "CLONE_VM"},
    {0x200, "CLONE_FS"},
    {0x400, "CLONE_FILES"},
    {0x800, "CLONE_SIGHAND"},
    {0x1000, "CLONE_PIDFD"},
    {0x2000, "CLONE_PTRACE"},
    {0x4000, "CLONE_VFORK"},
    {0x8000, "CLONE_PARENT"},
    {0x10000, "CLONE_THREAD"},
    {0x20000, "CLONE_NEWNS"},
    {0x40000, "CLONE_SYSVSEM"},
    {0x80000, "CLONE_SETTLS"},
    {0x100000, "CLONE_PARENT_SETTID"},
    {0x200000, "CLONE_CHILD_CLEARTID"},
    {0x400000, "CLONE_DETACHED"},
    {0x800000, "CLONE_UNTRACED"},
    {0x1000000, "CLONE_CHILD_SETTID"},
    {0x2000000, "CLONE_NEWCGROUP"},
    {0x4000000, "CLONE_NEWUTS"},
    {0x8000000, "CLONE_NEWIPC"},
    {0x10000000, "CLONE_NEWUSER"},
    {0x20000000, "CLONE_NEWPID"},
    {0x40000000, "CLONE_NEWNET"},
    {0x80000000, "CLONE_IO"},
    {0x100000000, "CLONE_CLEAR_SIGHAND"},
    {0x200000000, "CLONE_INTO_CGROUP"},
    {1ull << 37, "CLONE_EMPTY_MNTNS"},
    {0, NULL},
};

/* unshare gives the bit of CLONE_PARENT_SETTID a meaning of its own (Linux 7.1). */
static const struct flag unshare_flags[] = {
    {0x100000, "UNSHARE_EMPTY_MNTNS"},
    {0, NULL},
};

static const struct flag mount_flags[] = {
    {1, "MS_RDONLY"},
    {2, "MS_NOSUID"},
    {4, "MS_NODEV"},
    {8, "MS_NOEXEC"},
    {16, "MS_SYNCHRONOUS"},
    {32, "MS_REMOUNT"},
    {64, "MS_MANDLOCK"},
    {128, "MS_DIRSYNC"},
    {256, "MS_NOSYMFOLLOW"},
    {1024, "MS_NOATIME"},
    {2048, "MS_NODIRATIME"},
    {4096, "MS_BIND"},
    {8192, "MS_MOVE"},
    {16384, "MS_REC"},
    {32768, "MS_SILENT"},
    {1u << 16, "MS_POSIXACL"},
    {1u << 17, "MS_UNBINDABLE"},
    {1u << 18, "MS_PRIVATE"},
    {1u << 19, "MS_SLAVE"},
    {1u << 20, "MS_SHARED"},
    {1u << 21, "MS_RELATIME"},
    {1u << 22, "MS_KERNMOUNT"},
    {1u << 23, "MS_I_VERSION"},
    {1u << 24, "MS_STRICTATIME"},
    {1u << 25, "MS_LAZYTIME"},
    {0, NULL},
};
/* Old programs mark their flags with this in the upper half; the kernel strips it (do_mount). */
#define MOUNT_MAGIC 0xc0ed0000u
#define MOUNT_MAGIC_MASK 0xffff0000u

static const struct flag umount_flags[] = {
    {1, "MNT_FORCE"}, {2, "MNT_DETACH"}, {4, "MNT_EXPIRE"}, {8, "UMOUNT_NOFOLLOW"}, {0, NULL},
};

const char *symbols__errno(int64_t error) {
    uint64_t number = error < 0 ? 0 - (uint64_t) error : (uint64_t) error;

    return number < sizeof errno_names / sizeof errno_names[0] ? errno_names[number] : NULL;
}

const char *symbols__signal(uint64_t signal) {
    return signal < sizeof signal_names / sizeof signal_names[0] ? signal_names[signal] : NULL;
}

/* Puts the flags that have a name, behind those that are there already; returns the others. */
static uint64_t put_names(struct nsd_text *text, uint64_t value, const struct flag *flags,
                          bool *any) {
    for (; flags->name != NULL; flags++) {
        if ((value & flags->bit) == 0)
            continue;
        if (*any)
            text__put_char(text, '|');
        text__put(text, flags->name);
        value &= ~flags->bit;
        *any = true;
    }
    return value;
}

static void put_rest(struct nsd_text *text, uint64_t value, bool *any) {
    if (value == 0)
        return;
    if (*any)
        text__put_char(text, '|');
    text__put(text, "0x");
    text__hex(text, value, 1);
    *any = true;
}

/* Puts MS_BIND|MS_REC|0x40000000: bits without a name stay a number. True if anything was put. */
static bool put_flags(struct nsd_text *text, uint64_t value, const struct flag *flags) {
    bool any = false;

    put_rest(text, put_names(text, value, flags, &any), &any);
    return any;
}

static void put_flags_or_zero(struct nsd_text *text, uint64_t value, const struct flag *flags) {
    if (!put_flags(text, value, flags))
        text__put_char(text, '0');
}

/* The arguments are words of 64 bits; the kernel takes these as int. */
static void put_int(struct nsd_text *text, uint64_t value) {
    text__signed(text, (int32_t) (uint32_t) value);
}

static void put_signal(struct nsd_text *text, uint64_t signal) {
    const char *name = symbols__signal(signal);

    if (name != NULL)
        text__put(text, name);
    else
        text__unsigned(text, signal);
}

static void put_setns(struct nsd_text *text, const uint64_t *arguments) {
    put_int(text, arguments[0]);
    text__put(text, ", ");
    put_flags_or_zero(text, (uint32_t) arguments[1], clone_flags);
}

static void put_unshare(struct nsd_text *text, const uint64_t *arguments) {
    bool any = false;
    uint64_t rest = put_names(text, arguments[0], unshare_flags, &any);

    put_rest(text, put_names(text, rest, clone_flags, &any), &any);
    if (!any)
        text__put_char(text, '0');
}

static void put_clone3(struct nsd_text *text, const uint64_t *arguments) {
    put_flags_or_zero(text, arguments[0], clone_flags);
}

/* clone: the low byte is the signal that the parent gets (CSIGNAL, linux/sched.h). */
static void put_clone(struct nsd_text *text, const uint64_t *arguments) {
    uint64_t flags = arguments[0] & ~0xffull, signal = arguments[0] & 0xff;
    bool any = put_flags(text, flags, clone_flags);

    if (signal != 0 && any)
        text__put_char(text, '|');
    if (signal != 0)
        put_signal(text, signal);
    else if (!any)
        text__put_char(text, '0');
}

static void put_mount(struct nsd_text *text, const uint64_t *arguments) {
    uint64_t flags = arguments[3];

    if ((flags & MOUNT_MAGIC_MASK) == MOUNT_MAGIC) {
        text__put(text, "MS_MGC_VAL");
        flags &= ~(uint64_t) MOUNT_MAGIC_MASK;
        if (flags == 0)
            return;
        text__put_char(text, '|');
    }
    put_flags_or_zero(text, flags, mount_flags);
}

static void put_umount(struct nsd_text *text, const uint64_t *arguments) {
    put_flags_or_zero(text, (uint32_t) arguments[1], umount_flags);
}

static void put_socket(struct nsd_text *text, const uint64_t *arguments) {
    uint64_t family = (uint32_t) arguments[0];
    bool known =
        family < sizeof family_names / sizeof family_names[0] && family_names[family] != NULL;

    if (known)
        text__put(text, family_names[family]);
    else
        put_int(text, family);
}

static void put_first_int(struct nsd_text *text, const uint64_t *arguments) {
    put_int(text, arguments[0]);
}

static void put_first_signal(struct nsd_text *text, const uint64_t *arguments) {
    if (arguments[0] != 0)
        put_signal(text, arguments[0]);
}

static void (*const shapes[])(struct nsd_text *text, const uint64_t *arguments) = {
    [NSD_SHAPE_NONE] = NULL,
    [NSD_SHAPE_SETNS] = put_setns,
    [NSD_SHAPE_UNSHARE] = put_unshare,
    [NSD_SHAPE_CLONE] = put_clone,
    [NSD_SHAPE_CLONE3] = put_clone3,
    [NSD_SHAPE_MOUNT] = put_mount,
    [NSD_SHAPE_UMOUNT] = put_umount,
    [NSD_SHAPE_SOCKET] = put_socket,
    [NSD_SHAPE_STATUS] = put_first_int,
    [NSD_SHAPE_SIGNAL] = put_first_signal,
    [NSD_SHAPE_DESCRIPTOR] = put_first_int,
};

void symbols__arguments(struct nsd_text *text, enum nsd_call call, const uint64_t arguments[5]) {
    uint8_t shape = nsd_call_table[call].shape;

    /* umount takes no flags. */
    if (call == NSD_CALL_UMOUNT || shape >= sizeof shapes / sizeof shapes[0] ||
        shapes[shape] == NULL)
        return;
    shapes[shape](text, arguments);
}
