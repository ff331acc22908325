/*
 * The ledger over births and deaths, threads that nobody announced, descriptors by the paths that
 * they were opened by, and locks: what each record says afterwards.
 */
#include "story.h"

#define label_of(tid, kind) label__real(ledger__thread(&ledger, (tid))->label[kind])
#define is_away(tid) (ledger__away(&ledger, ledger__thread(&ledger, (tid))))
#define record_of(tid) (*ledger__thread(&ledger, (tid)))
#define PRIVATE_FILES_FLAG 0x00000400u

/* ---- births ---- */

SCENE(what_a_child_inherits) {
    born(MAIN_THREAD, 9, AT(MAIN(1)));
    unshares(MAIN_THREAD, NEWNET | PRIVATE_FS_FLAG | PRIVATE_FILES_FLAG, AT(MAIN(2)));
    pins(MAIN_THREAD);
    born(MAIN_THREAD, 2, AT(MAIN(3), JOB(1)));
    CHECK(record_of(2).marks == (NSD_THREAD_PRIVATE_FS | NSD_THREAD_PRIVATE_FILES));
    CHECK(record_of(2).parent == LEADER && record_of(2).pins == 0);
    CHECK(record_of(2).born_switch == record_of(LEADER).switches);
    CHECK(record_of(2).born_away == NSD_KIND_BIT(NET) && record_of(2).switches == NULL);
    CHECK(record_of(2).birth_frames->frame[0].pc == JOB(1));
    CHECK(record_of(2).birth_stack_pointer == stack_base(LEADER) - 3 * FRAME_SIZE + 8);
    CHECK(label_of(2, NET) == label_of(LEADER, NET) && label_of(2, UTS) == label_of(LEADER, UTS));
    /* Its own child, born while it is away without a switch of its own. */
    born(thread(2), 3, AT(WORKER(1)));
    CHECK(record_of(3).born_switch == record_of(LEADER).switches && record_of(3).parent == 2);
    goes_home(thread(2), NET, AT(WORKER(2)));
    born(thread(2), 4, AT(WORKER(3)));
    CHECK(record_of(4).born_switch == NULL && record_of(4).born_away == 0);
}

/* A raw clone: the child alone says who made it. */
static void born_of(int32_t tid, int32_t parent, uint8_t runtime, nsd_kinds own) {
    struct nsd_event event = event_of(thread(tid), NSD_CALL_THREAD_BORN, NOWHERE);

    event.other_tid = parent;
    event.runtime = runtime;
    event.lock = runtime == NSD_RUNTIME_GO ? NSD_LOCK_UNLOCKED : NSD_LOCK_NONE;
    event.kinds = own;
    tell(&event);
}

SCENE(births_without_a_creator_s_word) {
    struct nsd_label *net;

    born(MAIN_THREAD, 9, AT(MAIN(1)));
    enters(thread(9), NET, 50, AT(WORKER(1)));
    unshares(thread(9), PRIVATE_FS_FLAG | PRIVATE_FILES_FLAG, AT(WORKER(2)));
    net = label_of(9, NET);
    born_of(2, 9, NSD_RUNTIME_THREADS, 0);
    CHECK(label_of(2, NET) == net && is_away(2) == NSD_KIND_BIT(NET) && record_of(2).parent == 9);
    CHECK(record_of(2).born_switch == record_of(9).switches && record_of(2).born_away != 0);
    CHECK(record_of(2).marks == (NSD_THREAD_PRIVATE_FS | NSD_THREAD_PRIVATE_FILES));
    CHECK(record_of(2).birth_frames == NULL && record_of(2).runtime == NSD_RUNTIME_THREADS);
    born_of(3, 77, NSD_RUNTIME_GO, 0); /* of nobody that is known */
    CHECK(is_away(3) == 0 && record_of(3).parent == 0 && record_of(3).born_switch == NULL);
    CHECK(record_of(3).marks == NSD_THREAD_GO_BORN && record_of(3).runtime == NSD_RUNTIME_GO &&
          record_of(3).lock == NSD_LOCK_UNLOCKED);
    born_of(4, 4, NSD_RUNTIME_THREADS, 0); /* of itself */
    CHECK(is_away(4) == 0 && record_of(4).parent == 0 && record_of(4).marks == 0);
    opens_socket(thread(78), AT(WORKER(1))); /* nobody announced it */
    born_of(6, 78, NSD_RUNTIME_THREADS, 0);
    CHECK(record_of(78).marks == NSD_THREAD_FOUND && record_of(6).marks == 0);
    born_of(5, 9, NSD_RUNTIME_THREADS, NSD_KIND_BIT(UTS) | NSD_KIND_BIT(NET));
    CHECK(is_away(5) == (NSD_KIND_BIT(NET) | NSD_KIND_BIT(UTS)));
    CHECK(label_of(5, NET) != net && label_of(5, NET)->fresh && label_of(5, UTS)->fresh);
    CHECK(label_of(5, NET)->threads == 1);
}

SCENE(no_memory_for_namespaces_of_its_own) {
    struct nsd_event event = event_of(thread(2), NSD_CALL_THREAD_BORN, NOWHERE);

    born(MAIN_THREAD, 9, AT(MAIN(1)));
    event.kinds = NSD_KIND_BIT(UTS) | NSD_KIND_BIT(NET);
    story_limit = story_bytes + sizeof(struct nsd_thread);
    tell(&event);
    CHECK(ledger__thread(&ledger, 2) != NULL && is_away(2) == 0);
    story_limit = (size_t) -1;
}

SCENE(births_that_do_not_come) {
    uint32_t lost = (uint32_t) ledger__lost(&ledger);

    creates_with_token(MAIN_THREAD, 0, AT(MAIN(1))); /* a token is needed to wait for one */
    CHECK(threads__expecting(&ledger.threads) == 0);
    creates_with_token(MAIN_THREAD, 5, AT(MAIN(1)));
    CHECK(ledger__threads_live(&ledger) == 2);
    born_with_token(2, 6, NSD_RUNTIME_THREADS); /* another one */
    CHECK(threads__expecting(&ledger.threads) == 1 && record_of(2).parent == 0);
    born_with_token(3, 5, NSD_RUNTIME_THREADS);
    CHECK(threads__expecting(&ledger.threads) == 0 && record_of(3).parent == LEADER);
    CHECK(ledger__lost(&ledger) == lost && ledger__threads_seen(&ledger) == 3);
}

/* Whose threads the runtime's own are. */
SCENE(threads_of_the_go_runtime) {
    static const struct {
        uint8_t lock;
        bool is_m;
    } rows[] = {
        {NSD_LOCK_UNLOCKED, true}, {NSD_LOCK_INTERNAL, true}, {NSD_LOCK_EXTERNAL, false},
        {NSD_LOCK_CGO, false},     {NSD_LOCK_UNKNOWN, true},
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct nsd_event event =
            event_of(unlocked(1, LEADER), NSD_CALL_THREAD_CREATE, AT(FUNCTION(50, 1)));

        event.lock = rows[i].lock;
        event.token = 100 + i;
        tell(&event);
        born_with_token((int32_t) (2 + i), 100 + i, NSD_RUNTIME_GO);
        CHECK(((record_of(2 + i).marks & NSD_THREAD_GO_BORN) != 0) == rows[i].is_m);
    }
    born(MAIN_THREAD, 20, AT(MAIN(1)));
    CHECK(record_of(20).marks == 0);
}

/* ---- found ---- */

/* One thread becomes two, whichever way the second is heard of: home is where the leader is. */
SCENE(found_beside_a_leader_that_is_away) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(MAIN_THREAD, UTS, 80, AT(MAIN(2)));
    ends(thread(2));
    CHECK(is_away(LEADER) == NSD_KIND_BIT(UTS));
    opens_socket(thread(5), AT(WORKER(1)));
    CHECK(is_away(LEADER) == 0 && is_away(5) == 0);
}

SCENE(found_without_memory) {
    struct nsd_event event = event_of(thread(5), NSD_CALL_THREAD_FOUND, NOWHERE);

    event.identities = 1;
    event.identity[0] = identity_of(NET, 50);
    story_limit = story_bytes + sizeof(struct nsd_thread);
    tell(&event);
    story_limit = (size_t) -1;
    CHECK(record_of(5).label[NET] == ledger__home(&ledger, NET));
}

SCENE(an_image_that_is_over) {
    static const struct nsd_ledger nothing;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 50, AT(WORKER(1)));
    end_image();
    CHECK(memcmp(&ledger, &nothing, sizeof ledger) == 0); /* as at its first use */
    ledger__end(&ledger);
    CHECK(memcmp(&ledger, &nothing, sizeof ledger) == 0);
}

SCENE(found_where_home_is_not_known) {
    struct nsd_event event = event_of(thread(5), NSD_CALL_THREAD_FOUND, NOWHERE);

    end_image();
    ledger__begin(&ledger, LEADER, LEADER, NSD_RUNTIME_THREADS);
    looked_at(LEADER, UTS, HOME_INODE + UTS);
    event.identities = 4;
    event.identity[0] = identity_of(NET, 50); /* home's is not known: nothing can be said */
    event.identity[1] = (struct nsd_identity){.inode = 51, .kind = NSD_KINDS};
    event.identity[2] = identity_of(UTS, 52);
    event.identity[3] = identity_of(IPC, 53);
    tell(&event);
    CHECK(is_away(5) == NSD_KIND_BIT(UTS) && record_of(5).marks == NSD_THREAD_FOUND);
    CHECK(label__identity(label_of(5, UTS))->inode == 52 && label_of(5, UTS)->threads == 1);
}

/* What a call leads to, or a descriptor, is not where the thread was. */
SCENE(what_is_first_heard_of_a_thread) {
    struct nsd_event event = event_of(thread(80), NSD_CALL_OPEN, AT(WORKER(1)));

    enters(thread(79), NET, 50, AT(WORKER(1)));
    CHECK(last_change.thread == ledger__thread(&ledger, 79) && is_away(79) == NSD_KIND_BIT(NET));
    CHECK(last_change.opened != NULL && last_change.left == NSD_KIND_BIT(NET));
    CHECK(ledger__threads_live(&ledger) == 2 && record_of(79).marks == NSD_THREAD_FOUND);
    event.result = 9;
    event.kinds = NSD_KIND_BIT(NET);
    event.identities = 1;
    event.identity[0] = identity_of(NET, 60);
    tell(&event);
    CHECK(is_away(80) == 0 && descriptors__find(&ledger.descriptors, 9) != NULL);
}

SCENE(an_image_that_another_thread_begins) {
    end_image();
    ledger__begin(&ledger, LEADER, 7, NSD_RUNTIME_GO);
    CHECK(ledger__threads_live(&ledger) == 2 && ledger__threads_seen(&ledger) == 2);
    CHECK(record_of(7).marks == NSD_THREAD_FOUND && record_of(7).runtime == NSD_RUNTIME_GO &&
          record_of(LEADER).runtime == NSD_RUNTIME_GO && record_of(LEADER).marks == 0);
    CHECK(ledger.leader == ledger__thread(&ledger, LEADER));
    CHECK(ledger__is_leader(&ledger, ledger.leader) &&
          !ledger__is_leader(&ledger, ledger__thread(&ledger, 7)));
    CHECK(label_of(7, NET) == label_of(LEADER, NET) && label_of(7, NET)->threads == 2);
    CHECK(ledger__tid(ledger.leader) == LEADER);
    unshares(thread(7), NEWNET, AT(WORKER(1))); /* two threads: nothing moves */
    CHECK(!last_change.moved_process && is_away(7) == NSD_KIND_BIT(NET));
}

/* ---- deaths ---- */

SCENE(the_leader_ends_first) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    pthread_exits(MAIN_THREAD, AT(MAIN(2)));
    CHECK(ledger.leader == NULL && ledger__thread(&ledger, LEADER) == NULL);
    enters(thread(2), NET, 50, AT(WORKER(1)));
    CHECK(is_away(2) == NSD_KIND_BIT(NET) && is_away(3) == 0);
    ends(thread(3));
    ends(thread(2));
    CHECK(ledger__threads_live(&ledger) == 0 && ledger__first_thread(&ledger) == NULL);
    CHECK(last_change.closed != NULL && !last_change.closed->ended_home &&
          !last_change.closed->is_open);
    calls(thread(2), NSD_CALL_EXIT, NOWHERE); /* the image's end is no first meeting */
    CHECK(ledger__thread(&ledger, 2) == NULL && last_change.thread == NULL);
}

SCENE(a_death_frees_what_it_held) {
    struct nsd_label *net;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    enters(thread(2), NET, 50, AT(WORKER(1)));
    net = label__hold(label_of(2, NET));
    CHECK(net->threads == 1);
    ends(thread(2));
    CHECK(net->threads == 1); /* until the next event */
    opens_socket(MAIN_THREAD, AT(MAIN(2)));
    CHECK(net->threads == 0 && ledger.switches.open == 0);
    labels__drop(&ledger.labels, net);
}

/* ---- locks ---- */

SCENE(pins_are_counted) {
    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unpins(thread(2));
    CHECK(ledger__pinned(&record_of(2)) == 0 && record_of(2).lock == NSD_LOCK_NONE);
    pins(thread(2));
    CHECK(record_of(2).lock == NSD_LOCK_PINNED);
    pins(thread(2));
    unpins(thread(2));
    CHECK(ledger__pinned(&record_of(2)) == 1 && record_of(2).lock == NSD_LOCK_PINNED);
    unpins(thread(2));
    CHECK(ledger__pinned(&record_of(2)) == 0 && record_of(2).lock == NSD_LOCK_NONE);
}

SCENE(who_runs_on_a_thread) {
    m_born(unlocked(1, LEADER), 2);
    opens_socket(in_cgo(5, 2, 7), AT(JOB(1)));
    CHECK(record_of(2).goroutine == 5 && record_of(2).lock == NSD_LOCK_CGO &&
          record_of(2).lock_epoch == 7 && record_of(2).runtime == NSD_RUNTIME_GO);
    is_seen(unlocked(6, 2));
    CHECK(record_of(2).goroutine == 6 && record_of(2).lock == NSD_LOCK_UNLOCKED &&
          record_of(2).lock_epoch == 0);
    opens_socket(thread(2), AT(IN_C(1))); /* its C code, as a thread like others */
    CHECK(record_of(2).goroutine == 0 && record_of(2).lock == NSD_LOCK_NONE &&
          record_of(2).runtime == NSD_RUNTIME_THREADS);
}

/* ---- descriptors by their paths ---- */

static struct nsd_descriptor *opened(struct who who, int fd, unsigned kind, unsigned owner,
                                     int32_t of, uint64_t inode) {
    struct nsd_event event = event_of(who, NSD_CALL_OPEN, AT(WORKER(1)));

    event.result = fd;
    event.kinds = NSD_KIND_BIT(kind);
    event.path_owner = (uint8_t) owner;
    event.other_tid = of;
    if (inode != 0) {
        event.identities = 1;
        event.identity[0] = identity_of(kind, inode);
    }
    tell(&event);
    return descriptors__find(&ledger.descriptors, (uint64_t) fd);
}

SCENE(whose_namespace_a_path_leads_to) {
    struct nsd_descriptor *found;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    born(MAIN_THREAD, 3, AT(MAIN(1)));
    enters(thread(2), NET, 50, AT(WORKER(1)));
    found = opened(thread(2), 5, NET, NSD_PATH_SELF, 0, 0);
    CHECK(found->label == label_of(LEADER, NET) && found->opener == 2);
    CHECK(found->path_owner == NSD_PATH_SELF && found->opener_serial == record_of(2).serial);
    found = opened(thread(2), 6, NET, NSD_PATH_THREAD_SELF, 0, 0);
    CHECK(found->label == label_of(2, NET));
    found = opened(thread(3), 7, NET, NSD_PATH_TASK, 2, 0);
    CHECK(found->label == label_of(2, NET) && found->opener == 3);
    found = opened(thread(3), 8, NET, NSD_PATH_PID, 2, 0);
    CHECK(found->label == label_of(2, NET));
    found = opened(thread(3), 9, NET, NSD_PATH_TASK, 77, 0);
    CHECK(found->label == NULL);
    found = opened(thread(3), 10, NET, NSD_PATH_OTHER, 2, 0);
    CHECK(found->label == NULL);
    found = opened(thread(3), 11, NET, NSD_PATH_OTHER, 0, 50);
    CHECK(found->label == label_of(2, NET)); /* by what the kernel says of it */
    /* What the kernel says of the descriptor goes before the path. */
    found = opened(thread(3), 12, NET, NSD_PATH_TASK, 2, 60);
    CHECK(found->label != NULL && found->label != label_of(2, NET));
    CHECK(label__identity(found->label)->inode == 60 && found->label->descriptors == 1);
}

/* pid and time: the link is the thread's own, setns by it changes the one of its children. */
SCENE(links_that_mean_the_children) {
    struct nsd_descriptor *found;

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    found = opened(thread(2), 5, PID, NSD_PATH_THREAD_SELF, 0, 70);
    CHECK(found->label->kind == PID_FOR_CHILDREN && found->label != label_of(2, PID));
    found = opened(thread(2), 6, TIME, NSD_PATH_THREAD_SELF, 0, 71);
    CHECK(found->label->kind == TIME_FOR_CHILDREN);
    found = opened(thread(2), 7, PID, NSD_PATH_THREAD_SELF, 0, 0);
    CHECK(found->label == NULL);
    found = opened(thread(2), 8, PID_FOR_CHILDREN, NSD_PATH_THREAD_SELF, 0, 0);
    CHECK(found->label == label_of(2, PID_FOR_CHILDREN));
}

SCENE(opens_that_lead_nowhere) {
    struct nsd_event event = event_of(MAIN_THREAD, NSD_CALL_OPEN, NOWHERE);

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    event.result = 5;
    event.path_owner = NSD_PATH_SELF;
    tell(&event); /* of no kind */
    CHECK(descriptors__find(&ledger.descriptors, 5) == NULL);
    event.kinds = NSD_KIND_BIT(NET) | NSD_KIND_BIT(UTS);
    tell(&event);
    CHECK(descriptors__find(&ledger.descriptors, 5) == NULL);
    event.kinds = NSD_KIND_BIT(NET) | NSD_PRIVATE_FS;
    event.result = -2;
    tell(&event);
    event.result = 5;
    tell(&event);
    CHECK(descriptors__find(&ledger.descriptors, 5)->label == label_of(LEADER, NET));
    event = event_of(MAIN_THREAD, NSD_CALL_DUP, NOWHERE);
    event.arguments[0] = 5;
    event.result = -9;
    tell(&event);
    event.result = 0;
    tell(&event);
    CHECK(descriptors__find(&ledger.descriptors, 0) != NULL);
    /* A thread with descriptors of its own says nothing about the numbers of the others. */
    unshares(thread(2), PRIVATE_FILES_FLAG, AT(WORKER(1)));
    closes(thread(2), 5);
    opens_own(thread(2), 6, NET, AT(WORKER(2)));
    CHECK(descriptors__find(&ledger.descriptors, 5) != NULL &&
          descriptors__find(&ledger.descriptors, 6) == NULL);
    /* close_range */
    event = event_of(MAIN_THREAD, NSD_CALL_CLOSE, NOWHERE);
    event.arguments[0] = 1;
    event.arguments[1] = 5;
    tell(&event);
    CHECK(descriptors__find(&ledger.descriptors, 5) == NULL &&
          descriptors__find(&ledger.descriptors, 0) != NULL);
    event.arguments[0] = 0;
    event.arguments[1] = 0;
    tell(&event);
    CHECK(descriptors__find(&ledger.descriptors, 0) == NULL);
}

/* ---- knowledge ---- */

SCENE(what_is_looked_up) {
    struct nsd_event event = event_of(MAIN_THREAD, NSD_CALL_IDENTITY, NOWHERE);

    born(MAIN_THREAD, 2, AT(MAIN(1)));
    unshares(thread(2), NEWNET | NEWUTS, AT(WORKER(1)));
    event.tid = 2; /* about itself */
    event.identities = 2;
    event.identity[0] = (struct nsd_identity){.inode = 9, .kind = NSD_KINDS};
    event.identity[1] = (struct nsd_identity){.inode = 80, .kind = NET};
    tell(&event);
    CHECK(label__identity(label_of(2, NET))->inode == 80 && last_change.thread == NULL);
    event.tid = LEADER;
    event.other_tid = 2;
    event.identity[1] = (struct nsd_identity){.inode = 81, .kind = UTS};
    tell(&event);
    CHECK(label__identity(label_of(2, UTS))->inode == 81);
    CHECK(label__identity(label_of(LEADER, UTS))->inode == HOME_INODE + UTS);
}

SCENE(no_call_at_all) {
    struct nsd_event event = event_of(MAIN_THREAD, NSD_CALL_SOCKET, NOWHERE);

    event.call = NSD_CALLS;
    story_clock++;
    ledger__apply(&ledger, &event, &last_change);
    CHECK(last_change.thread == NULL && last_change.changed == 0);
}
