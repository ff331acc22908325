/*
 * Fork copies and a run's folder: which part a copy gets and from when on, what the index says of
 * images with and without a recording, and how it makes room for those that have something to say.
 */
#include "record_folder.h"

#include "record/names.h"

static struct nsd_index *folder_index;

static void make_index(void) {
    char path[512];
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, NSD_INDEX_NAME);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    CHECK(ftruncate(fd, (off_t) NSD_INDEX_SIZE) == 0);
    folder_index = mmap(NULL, NSD_INDEX_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    *folder_index = (struct nsd_index){.magic = NSD_INDEX_MAGIC,
                                       .version = NSD_RECORD_VERSION,
                                       .byte_order = NSD_RECORD_BYTE_ORDER,
                                       .file_size = NSD_INDEX_SIZE,
                                       .slot_size = sizeof(struct nsd_index_slot),
                                       .slots = NSD_INDEX_SLOTS,
                                       .names = record_names__hash()};
}

static struct nsd_index_slot *slot(unsigned number) {
    return (struct nsd_index_slot *) ((char *) folder_index + NSD_RECORD_PAGE) + number;
}

static struct nsd_finding finding;

static void is_found(void) {
    findings.first = findings.last = &finding;
    findings.count = 1;
    findings.changes++;
}

/* ---- copies ---- */

static int32_t next_pid = 5000;

static void copy_facts(struct nsd_record_facts *asked) {
    *asked = facts;
    asked->pid = next_pid;
}

/* As in the child of a fork; the image of the test goes on as that child. */
static void become_copy(void) {
    next_pid++;
    record__begin_copy(copy_facts);
}

static void copies_get_slices(void) {
    CHECK(begin() == NULL);
    event(NSD_CALL_SOCKET);
    for (unsigned i = 1; i <= 4; i++) {
        become_copy();
        CHECK(record__is_on());
        CHECK(read_part((files(), names[0]), 0) && recording__parts(&recording) == i);
        event(NSD_CALL_SOCKET);
        event(NSD_CALL_MOUNT);
        CHECK(files() == 1 && recording__parts(&recording) == i && !read_part(names[0], i + 1));
        CHECK(read_part(names[0], i) && part.head.facts.pid == next_pid);
        CHECK(part.head.facts.flags == NSD_RECORD_IS_COPY && part.size == 64 * 1024);
        CHECK(records_of(NSD_RECORD_EVENT) == 2);
        record__facts(&facts);
        CHECK(read_part(names[0], i) && part.head.facts.flags == NSD_RECORD_IS_COPY);
    }
    CHECK(read_part(names[0], 0) && records_of(NSD_RECORD_EVENT) == 1);
    CHECK(part.head.facts.pid == 4242);
    /* The fifth has a small file of its own, which stays if there is something in it to find. */
    become_copy();
    event(NSD_CALL_SOCKET);
    CHECK(files() == 2);
    record__end(true, true);
    CHECK(files() == 1);
    become_copy();
    event(NSD_CALL_SOCKET);
    is_found();
    record__end(true, true);
    CHECK(files() == 2);
    for (unsigned i = 0; i < 2; i++) {
        CHECK(read_part(names[i], 0));
        CHECK((part.head.facts.pid == next_pid) == (part.size == NSD_PART_LEAST));
        CHECK(part.size != NSD_PART_LEAST || recording.file.slices == 0);
    }
}

/* A copy without room for a part of its own is counted, and has a slot all the same. */
static void a_copy_without_room(void) {
    struct rlimit limit;

    make_index();
    CHECK(begin() == NULL);
    event(NSD_CALL_SOCKET);
    for (unsigned i = 0; i < 4; i++) {
        become_copy();
        event(NSD_CALL_SOCKET);
    }
    CHECK(folder_index->unseen == 0);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 0;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    become_copy();
    event(NSD_CALL_SOCKET);
    CHECK(folder_index->unseen == 1 && files() == 1 && !record__is_on());
    CHECK(slot(5)->state == NSD_SLOT_FILLED && slot(5)->recording[0] == '\0' &&
          slot(5)->facts.pid == next_pid);
}

/* What the parent was asked before the fork is no answer to the copy. */
static void answers_of_the_parent(void) {
    CHECK(begin() == NULL);
    event(NSD_CALL_SOCKET);
    record__answer(7, true);
    become_copy();
    event(NSD_CALL_SOCKET);
    CHECK(read_part((files(), names[0]), 1));
    CHECK(records_of(NSD_RECORD_EVENT) == 1 && records_of(NSD_RECORD_ANSWERS) == 0);
}

static void a_copy_that_only_ends(void) {
    static const enum nsd_call ends[] = {NSD_CALL_EXEC,       NSD_CALL_EXEC_FAILED, NSD_CALL_EXIT,
                                         NSD_CALL_QUICK_EXIT, NSD_CALL_EXIT_GROUP,  NSD_CALL_RAISE,
                                         NSD_CALL_REPORT};

    CHECK(begin() == NULL);
    event(NSD_CALL_SOCKET);
    become_copy();
    for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++)
        event(ends[i]);
    record__facts(&facts);
    record__end(true, true);
    CHECK(read_part((files(), names[0]), 0) && recording__parts(&recording) == 1);
    CHECK(records_of(NSD_RECORD_EVENT) == 1);
}

/* A copy that saw nothing but its end, and lost something, says so. */
static void a_copy_that_only_lost(void) {
    CHECK(begin() == NULL);
    event(NSD_CALL_SOCKET);
    become_copy();
    event(NSD_CALL_EXIT);
    record__event_is_over(0, 3);
    facts.lost = 3;
    record__facts(&facts);
    record__end(true, true);
    facts.lost = 0;
    CHECK(read_part((files(), names[0]), 1) && recording__parts(&recording) == 2);
    CHECK(part.head.facts.lost == 3);
}

/* What the parent knew of its tables is nothing to the copy: its part can be read by itself. */
static void names_in_a_copy(void) {
    struct nsd_frames *frames = calloc(1, sizeof *frames + sizeof frames->frame[0]);
    struct nsd_event made = {.call = NSD_CALL_SOCKET, .tid = 1, .frames = frames};
    struct nsd_table_cursor cursor = {0};
    struct nsd_record record;
    unsigned stacks = 0, places = 0;

    frames->id = frames->depth = 1;
    frames->frame[0].pc = 0x1234;
    CHECK(begin() == NULL);
    record__event(&made);
    become_copy();
    record__event(&made);
    CHECK(read_part((files(), names[0]), 1));
    while (part__next_table(&part, &cursor, &record)) {
        stacks += record.type == NSD_RECORD_STACK;
        places += record.type == NSD_RECORD_PLACE;
    }
    CHECK(stacks == 1 && places == 1);
    free(frames);
}

/* A copy may be writing in the file: it is not taken away. */
static void the_parent_ends_first(void) {
    CHECK(begin() == NULL);
    event(NSD_CALL_EXIT);
    CHECK(read_part((files(), names[0]), 0));
    fflush(stdout);
    if (fork() == 0) {
        become_copy();
        event(NSD_CALL_SOCKET);
        _exit(0);
    }
    wait(NULL);
    record__end(true, true);
    CHECK(files() == 1 && read_part(names[0], 1) && records_of(NSD_RECORD_EVENT) == 1);
}

/* ---- a run's folder ---- */

static void an_image_in_the_index(void) {
    make_index();
    CHECK(!record__has_index());
    CHECK(begin() == NULL && record__has_index() && !record__index_is_followed());
    CHECK(files() == 1 && folder_index->claimed == 1);
    CHECK(slot(0)->state == NSD_SLOT_FILLED && slot(0)->part == 0);
    CHECK(strcmp(slot(0)->recording, names[0]) == 0 && slot(0)->facts.pid == 4242);
    event(NSD_CALL_SOCKET);
    facts.threads = 3;
    record__facts(&facts);
    CHECK(slot(0)->facts.threads == 3 && slot(0)->facts.events == 0);
    folder_index->followed = 1;
    CHECK(record__index_is_followed());
    /* Without a finding the facts are enough. */
    record__end(true, true);
    CHECK(files() == 0 && slot(0)->recording[0] == '\0' && slot(0)->state == NSD_SLOT_FILLED);
    record__facts(&facts);
    CHECK(slot(0)->recording[0] == '\0');
}

static void what_keeps_a_recording(void (*because)(void), bool for_good) {
    make_index();
    CHECK(begin() == NULL);
    event(NSD_CALL_SOCKET);
    because();
    record__end(for_good, true);
    CHECK(files() == 1 && strcmp(slot(0)->recording, names[0]) == 0);
}

static void all_are_kept(void) {
    folder_index->keeps_all = 1;
}
static void findings_had_no_room(void) {
    findings.lost = 1;
}
static void events_were_lost(void) {
    record__event_is_over(1, 1);
}
static void nothing(void) {
}

static void a_finding_keeps_it(void) {
    what_keeps_a_recording(is_found, true);
}
static void the_wish_to_keep_all_keeps_it(void) {
    what_keeps_a_recording(all_are_kept, true);
}
static void a_lost_finding_keeps_it(void) {
    what_keeps_a_recording(findings_had_no_room, true);
}
static void a_lost_event_keeps_it(void) {
    what_keeps_a_recording(events_were_lost, true);
}
static void an_exec_keeps_it(void) {
    what_keeps_a_recording(nothing, false);
}

static void no_recording_but_a_slot(void) {
    struct rlimit none = {0, 0};

    make_index();
    CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
    CHECK(begin() != NULL);
    CHECK(folder_index->unseen == 1 && slot(0)->state == NSD_SLOT_FILLED);
    CHECK(slot(0)->recording[0] == '\0' && slot(0)->facts.pid == 4242);
    facts.threads = 2;
    record__facts(&facts);
    CHECK(slot(0)->facts.threads == 2);
}

static void copies_in_the_index(void) {
    make_index();
    CHECK(begin() == NULL);
    event(NSD_CALL_SOCKET);
    become_copy();
    facts.threads = 9;
    record__facts(&facts); /* it has no slot so far, least of all its parent's */
    facts.threads = 0;
    CHECK(folder_index->claimed == 1 && slot(0)->facts.threads == 0);
    event(NSD_CALL_SOCKET);
    CHECK(folder_index->claimed == 2 && slot(1)->part == 1 && slot(1)->facts.pid == next_pid);
    CHECK(slot(1)->facts.flags == NSD_RECORD_IS_COPY);
    CHECK(strcmp(slot(1)->recording, slot(0)->recording) == 0);
    record__end(true, true);
    CHECK(slot(1)->state == NSD_SLOT_FREE && folder_index->given_back == 1);
    become_copy();
    event(NSD_CALL_SOCKET);
    is_found();
    record__end(true, true);
    CHECK(slot(2)->state == NSD_SLOT_FILLED && folder_index->given_back == 1);
    CHECK(slot(0)->state == NSD_SLOT_FILLED && folder_index->silent == 0);
}

static void an_index_of_something_else(void) {
    make_index();
    folder_index->slots++;
    CHECK(begin() == NULL && !record__has_index() && record__begin_unwatched() == NULL);
}

#define OTHER_INDEX(field)                                                                         \
    static void an_index_with_another_##field(void) {                                              \
        make_index();                                                                              \
        folder_index->field++;                                                                     \
        CHECK(begin() == NULL && !record__has_index());                                            \
    }
OTHER_INDEX(magic)
OTHER_INDEX(version)
OTHER_INDEX(byte_order)
OTHER_INDEX(file_size)
OTHER_INDEX(slot_size)
OTHER_INDEX(names)

/* ---- a full index ---- */

static void the_index_is_full(void) {
    make_index();
    for (unsigned i = 0; i < NSD_INDEX_SLOTS; i++) {
        struct nsd_index_slot *claimed = slots__claim(folder_index);

        CHECK(claimed == slot(i) && claimed->state == NSD_SLOT_CLAIMED);
        slots__commit(claimed);
        CHECK(claimed->state == NSD_SLOT_FILLED);
    }
    CHECK(slots__claim(folder_index) == NULL && folder_index->claimed == NSD_INDEX_SLOTS);
    slots__give_back(slot(NSD_INDEX_SLOTS - 1));
    CHECK(slots__claim(folder_index) == slot(NSD_INDEX_SLOTS - 1));
    slots__give_back(slot(0));
    CHECK(slots__claim(folder_index) == slot(0));
    CHECK(slots__claim(folder_index) == NULL && slots__claim_unwatched(folder_index) == NULL);
    CHECK(folder_index->claimed == NSD_INDEX_SLOTS);
    CHECK(begin() == NULL); /* it records without a slot */
    event(NSD_CALL_SOCKET);
    record__facts(&facts);
    record__end(true, true);
    CHECK(files() == 0);
}

/* Images beyond the first half give their slots back when they have nothing to say. */
static void half_full(const char *words, uint32_t go_unknown, uint32_t claimed, int32_t first_pid,
                      bool goes) {
    make_index();
    folder_index->claimed = claimed;
    slot(0)->facts.pid = first_pid;
    slot(0)->facts.pid_ns = facts.pid_ns;
    memcpy(facts.words, words, 16);
    facts.go_unknown = go_unknown;
    CHECK(begin() == NULL);
    event(NSD_CALL_SOCKET);
    record__end(true, true);
    CHECK(folder_index->silent == goes && folder_index->given_back == 0);
    CHECK((slot(claimed)->state == NSD_SLOT_FREE) == goes);
    record__facts(&facts); /* others may have the slot by now */
    CHECK((slot(claimed)->state == NSD_SLOT_FREE) == goes);
}

#define HALF (NSD_INDEX_SLOTS / 2)
#define PROBES "libc\0signals\0\0\0"
#define MISSING "libc\0\0dlsym\0old\0"
static void a_silent_image(void) {
    half_full(PROBES, 0, HALF, 1, true);
}
static void a_silent_image_without_probes(void) {
    half_full("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0, HALF, 1, true);
}
static void a_silent_image_in_the_first_half(void) {
    half_full(PROBES, 0, HALF - 1, 1, false);
}
static void a_silent_image_of_the_run_itself(void) {
    half_full(PROBES, 0, HALF, 4242, false);
}
static void a_silent_image_with_that_pid_elsewhere(void) {
    uint64_t pid_ns = facts.pid_ns++;

    half_full(PROBES, 0, HALF - 1, 4242, false);
    CHECK(slot(0)->facts.pid_ns == facts.pid_ns);
    slot(0)->facts.pid_ns = pid_ns;
    CHECK(slots__is_wanted_back(folder_index, slot(HALF)) && slot(HALF)->facts.pid == 0);
    slot(HALF)->facts.pid = 4242;
    slot(HALF)->facts.pid_ns = pid_ns + 7;
    CHECK(slots__is_wanted_back(folder_index, slot(HALF)));
    slot(HALF)->facts.pid_ns = 0; /* it could not ask /proc: the pid alone decides */
    CHECK(!slots__is_wanted_back(folder_index, slot(HALF)));
    slot(HALF)->facts.pid_ns = pid_ns;
    CHECK(!slots__is_wanted_back(folder_index, slot(HALF)));
}
static void an_unknown_go(void) {
    half_full(PROBES, 1, HALF, 1, false);
}
static void an_image_with_a_missing_probe(void) {
    half_full(MISSING, 0, HALF, 1, false);
}

/* ---- programs that nobody watches ---- */

static void unwatched_programs(void) {
    struct nsd_unwatched program = {.pid = 7,
                                    .pid_ns = 8,
                                    .ticks = 9,
                                    .wall = 10,
                                    .probe = "image",
                                    .why = "static",
                                    .counts = true};
    struct nsd_record_facts *unwatched;
    char long_why[NSD_FACTS_WORDS + 100];

    make_index();
    CHECK(begin() == NULL);
    memset(slot(1), 'x', sizeof *slot(1));
    slot(1)->state = NSD_SLOT_FREE;
    unwatched = record__begin_unwatched();
    CHECK(unwatched != NULL && slots__of(unwatched)->state == NSD_SLOT_CLAIMED);
    CHECK(slot(1)->part == 0 && slot(1)->recording[0] == '\0' && slot(1)->facts.reserved == 0);
    CHECK(slot(1)->state == NSD_SLOT_CLAIMED);
    slots__describe_unwatched(unwatched, &program);
    CHECK(unwatched->pid == 7 && unwatched->leader == 7 && unwatched->pid_ns == 8);
    CHECK(unwatched->start_ticks == 9 && unwatched->last_ticks == 9);
    CHECK(unwatched->start_wall == 10 && unwatched->last_wall == 10 && unwatched->threads == 1);
    CHECK(unwatched->ended == NSD_RECORD_EXIT);
    CHECK(unwatched->is_go == 1 && unwatched->go_unknown == 1 && unwatched->flags == 0);
    CHECK(memcmp(unwatched->words, "\0image\0static\0\0", 15) == 0);
    record__end_unwatched(unwatched);
    CHECK(slot(1)->state == NSD_SLOT_FILLED);
    record__take_back_unwatched(unwatched);
    CHECK(slot(1)->state == NSD_SLOT_FREE);

    memset(long_why, 'y', sizeof long_why);
    long_why[sizeof long_why - 1] = '\0';
    program.why = long_why;
    program.counts = false;
    unwatched = record__begin_unwatched();
    slots__describe_unwatched(unwatched, &program);
    CHECK(unwatched->is_go == 0 && unwatched->go_unknown == 0);
    CHECK(memcmp(unwatched->words + 7, long_why, NSD_FACTS_WORDS - 9) == 0);
    CHECK(memcmp(unwatched->words + NSD_FACTS_WORDS - 2, "\0\0", 2) == 0);
}

/* ---- where the folder is out of reach ---- */

static unsigned open_descriptors(void) {
    unsigned count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void the_folder_goes_away(void) {
    unsigned before = open_descriptors();
    char path[512];

    make_index();
    CHECK(begin() == NULL && !record__folder_is_hidden());
    CHECK(open_descriptors() == before);
    snprintf(path, sizeof path, "%s/%s", folder, NSD_INDEX_NAME);
    unlink(path);
    CHECK(record__folder_is_hidden());
    CHECK(symlink("/dev/null", path) == 0);
    CHECK(!record__folder_is_hidden()); /* ELOOP: no word of where we stand */
}

static void another_root(void) {
    make_index();
    CHECK(begin() == NULL);
    if (chroot(folder) != 0)
        return;
    CHECK(!record__folder_is_hidden());
}

static void rights_that_are_given_up(void) {
    make_index();
    CHECK(begin() == NULL);
    if (seteuid(65534) != 0)
        return;
    CHECK(record__folder_is_hidden());
    CHECK(seteuid(0) == 0);
    CHECK(!record__folder_is_hidden());
}

int main(void) {
    TEST(copies_get_slices);
    TEST(a_copy_without_room);
    TEST(answers_of_the_parent);
    TEST(a_copy_that_only_ends);
    TEST(a_copy_that_only_lost);
    TEST(names_in_a_copy);
    TEST(the_parent_ends_first);
    TEST(an_image_in_the_index);
    TEST(a_finding_keeps_it);
    TEST(the_wish_to_keep_all_keeps_it);
    TEST(a_lost_finding_keeps_it);
    TEST(a_lost_event_keeps_it);
    TEST(an_exec_keeps_it);
    TEST(no_recording_but_a_slot);
    TEST(copies_in_the_index);
    TEST(an_index_of_something_else);
    TEST(an_index_with_another_magic);
    TEST(an_index_with_another_version);
    TEST(an_index_with_another_byte_order);
    TEST(an_index_with_another_file_size);
    TEST(an_index_with_another_slot_size);
    TEST(an_index_with_another_names);
    TEST(the_index_is_full);
    TEST(a_silent_image);
    TEST(a_silent_image_without_probes);
    TEST(a_silent_image_in_the_first_half);
    TEST(a_silent_image_of_the_run_itself);
    TEST(a_silent_image_with_that_pid_elsewhere);
    TEST(an_unknown_go);
    TEST(an_image_with_a_missing_probe);
    TEST(unwatched_programs);
    TEST(the_folder_goes_away);
    TEST(another_root);
    TEST(rights_that_are_given_up);
    return end_of_tests();
}
