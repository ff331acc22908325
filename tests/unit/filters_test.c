/*
 * Seccomp filters and the guest's own system calls: forbidden before the host's call, and
 * afterwards as long as a filter holds that can do harm. Each call that forbids takes back its own
 * at most once, also where an entrance misses one side of the call.
 */
#include "base/forbidden.h"
#include "calls/calls.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARRAY(array) (sizeof(array) / sizeof((array)[0]))

static int failed;
#define CHECK(condition, what)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, what);                      \
            failed = 1;                                                                            \
        }                                                                                          \
    } while (0)

/* ---- an entrance ---- */

static int32_t tid = 1; /* of the thread that calls; 0: a vfork child */

static bool is_ours(struct nsd_ongoing *ongoing) {
    ongoing->tid = tid;
    return tid != 0;
}
static const struct nsd_entrance entrances[] = {{.keeps = false, .is_ours = is_ours},
                                                {.keeps = true, .is_ours = is_ours}};

struct call {
    struct nsd_ongoing ongoing;
};

static void begin(struct call *call, bool keeps, enum nsd_row row, const uint64_t words[3]) {
    memset(call, 0, sizeof *call);
    calls__begin(&call->ongoing, row, &entrances[keeps], NULL, 1);
    memcpy(call->ongoing.argument, words, 3 * sizeof *words);
}
static void before(struct call *call) {
    calls__before(&call->ongoing);
}
static void after(struct call *call, int64_t result) {
    call->ongoing.result = result;
    calls__after(&call->ongoing);
}
static uint32_t held(void) {
    return atomic_load(&nsd_filters);
}
static void permit_all(void) {
    atomic_store(&nsd_filters, 0);
}

/* ---- what filters can do ---- */

#define RETURNS(action)                                                                            \
    { BPF_RET | BPF_K, 0, 0, action }
static struct sock_filter allow = RETURNS(SECCOMP_RET_ALLOW), log_it = RETURNS(SECCOMP_RET_LOG),
                          deny = RETURNS(SECCOMP_RET_ERRNO | EPERM),
                          lie = RETURNS(SECCOMP_RET_ERRNO), trace = RETURNS(SECCOMP_RET_TRACE),
                          notify = RETURNS(SECCOMP_RET_USER_NOTIF),
                          trap = RETURNS(SECCOMP_RET_TRAP),
                          kill_thread = RETURNS(SECCOMP_RET_KILL_THREAD),
                          kill_process = RETURNS(SECCOMP_RET_KILL_PROCESS),
                          unknown = RETURNS(0x12340000u),
                          accumulator = {BPF_RET | BPF_A, 0, 0, SECCOMP_RET_ALLOW};

#define FILTER SECCOMP_SET_MODE_FILTER
#define TSYNC SECCOMP_FILTER_FLAG_TSYNC
#define LISTENER SECCOMP_FILTER_FLAG_NEW_LISTENER

static const struct {
    const char *name;
    enum nsd_row row;
    uint64_t operation, flags;
    struct sock_filter *filter; /* NULL: none is given */
    int64_t result;
    bool forbids_before, forbids_after;
} rows[] = {
    {"allow", NSD_ROW_seccomp, FILTER, 0, &allow, 0, true, false},
    {"log", NSD_ROW_seccomp, FILTER, 0, &log_it, 0, true, false},
    {"errno", NSD_ROW_seccomp, FILTER, 0, &deny, 0, true, false},
    {"errno 0", NSD_ROW_seccomp, FILTER, 0, &lie, 0, true, true},
    {"trace", NSD_ROW_seccomp, FILTER, 0, &trace, 0, true, true},
    {"notify", NSD_ROW_seccomp, FILTER, LISTENER, &notify, 5, true, true},
    {"trap", NSD_ROW_seccomp, FILTER, TSYNC, &trap, 0, true, true},
    {"kill thread", NSD_ROW_seccomp, FILTER, 0, &kill_thread, 0, true, true},
    {"kill process", NSD_ROW_seccomp, FILTER, TSYNC, &kill_process, 0, true, true},
    {"unknown action", NSD_ROW_seccomp, FILTER, 0, &unknown, 0, true, true},
    {"accumulator", NSD_ROW_seccomp, FILTER, 0, &accumulator, 0, true, true},
    {"no program", NSD_ROW_seccomp, FILTER, 0, NULL, -EFAULT, true, false},
    {"refused", NSD_ROW_seccomp, FILTER, 0, &kill_process, -EACCES, true, false},
    {"a thread prevents it", NSD_ROW_seccomp, FILTER, TSYNC, &kill_process, 4711, true, false},
    {"strict", NSD_ROW_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL, 0, true, true},
    {"a question", NSD_ROW_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL, 0, false, false},
    {"prctl", NSD_ROW_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &kill_process, 0, true, true},
    {"prctl, refused", NSD_ROW_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &kill_process, -EINVAL,
     true, false},
    {"prctl, strict", NSD_ROW_prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, NULL, 0, true, true},
    {"another prctl", NSD_ROW_prctl, PR_GET_SECCOMP, 0, NULL, 0, false, false},
};

static void one_row(unsigned i, bool keeps) {
    struct sock_fprog program = {1, rows[i].filter};
    const uint64_t words[3] = {rows[i].operation, rows[i].flags,
                               rows[i].filter == NULL ? 0 : (uintptr_t) &program};
    struct call call;

    permit_all();
    begin(&call, keeps, rows[i].row, words);
    before(&call);
    CHECK(held() == rows[i].forbids_before, rows[i].name);
    if (!keeps)
        begin(&call, keeps, rows[i].row, words);
    after(&call, rows[i].result);
    CHECK(held() == rows[i].forbids_after, rows[i].name);
}

/* ---- balance ---- */

static struct sock_fprog killing = {1, &kill_process};

static void open_filter(struct call *call, bool keeps) {
    begin(call, keeps, NSD_ROW_seccomp, (uint64_t[]){FILTER, TSYNC, (uintptr_t) &killing});
}

/* A thread whose call fails takes nothing back from a thread whose filter holds. */
static void two_threads(bool keeps) {
    struct call first, second;

    permit_all();
    tid = 1;
    open_filter(&first, keeps);
    before(&first);
    tid = 2;
    open_filter(&second, keeps);
    before(&second);
    CHECK(held() == 2, "both are under way");
    tid = 1;
    after(&first, 0);
    tid = 2;
    after(&second, -EACCES);
    CHECK(held() == 1, "one holds");
    tid = 1;
}

static void one_side_is_missed(void) {
    struct call call;

    permit_all();
    open_filter(&call, false);
    after(&call, -EACCES);
    CHECK(held() == 0, "nothing was forbidden before it failed");
    after(&call, 0);
    CHECK(held() == 1, "it holds and nobody saw it come");
    after(&call, -EACCES);
    CHECK(held() == 1, "the other one failed");
    permit_all();
    before(&call);
    before(&call);
    CHECK(held() == 1, "a handler jumped out of the first");
    after(&call, -EACCES);
    CHECK(held() == 0, "the second failed");
}

/* A vfork child's filter is its own, and the parent may be in a call of its own meanwhile. */
static void vfork_child(bool keeps) {
    struct call call;

    permit_all();
    tid = 0;
    open_filter(&call, keeps);
    before(&call);
    CHECK(held() == 0, "before");
    after(&call, 0);
    CHECK(held() == 0, "after");
    tid = 1;
}

/* More threads than there are entries: those without one forbid after the call. */
static void many_threads(void) {
    static struct call calls[100];

    permit_all();
    for (unsigned i = 0; i < ARRAY(calls); i++) {
        tid = (int32_t) i + 1;
        open_filter(&calls[i], false);
        before(&calls[i]);
    }
    CHECK(held() > 0 && held() <= ARRAY(calls), "under way");
    for (unsigned i = 0; i < ARRAY(calls); i++) {
        tid = (int32_t) i + 1;
        after(&calls[i], i % 2 == 0 ? 0 : -EACCES);
    }
    CHECK(held() == ARRAY(calls) / 2, "every second one holds");
    tid = 1;
}

int main(void) {
    for (unsigned keeps = 0; keeps < 2; keeps++) {
        for (unsigned i = 0; i < ARRAY(rows); i++)
            one_row(i, keeps);
        two_threads(keeps);
        vfork_child(keeps);
    }
    one_side_is_missed();
    many_threads();
    return failed;
}
