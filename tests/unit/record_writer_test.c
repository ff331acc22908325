/*
 * The writer and its files: when a recording is made, its file's name, the reasons and the words of
 * a refusal, its content, and when it is removed again.
 */
#include "record_folder.h"

/* ---- files ---- */

static void a_file_is_made(void) {
    struct stat status;
    char path[512];

    strcpy(facts.path, "/opt/.odd name-1+2_.go");
    facts.start_wall = 1234567;
    CHECK(!record__is_on());
    CHECK(begin() == NULL && error == 0 && record__is_on());
    CHECK(files() == 1);
    CHECK(strncmp(names[0], "_odd_name-1+2_.go.4242.4026531836.1234.", 39) == 0);
    CHECK(strlen(names[0]) == 39 + 16);
    snprintf(path, sizeof path, "%s/%s", folder, names[0]);
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(status.st_size == 4096 + 256 * 1024 + 4 * 64 * 1024);
    CHECK(status.st_blocks * 512 >= status.st_size);
    CHECK(read_part(names[0], 0) && recording__parts(&recording) == 1 && !recording.cut);
    CHECK(recording.file.file_size == (uint64_t) status.st_size && recording.file.slices == 4 &&
          recording.file.slice_size == 64 * 1024 && recording.file.main_size == 256 * 1024);
    CHECK(part.head.facts.pid == 4242 && part.head.written == 0 && part__is_whole(&part));
}

/* A file system that reads ahead would fill all of it at the first touch. */
static void nothing_is_read_ahead(void) {
    char line[1024];
    bool is_ours = false, is_random = false;
    FILE *maps = fopen("/proc/self/smaps", "r");

    CHECK(begin() == NULL && files() == 1);
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        if (strchr(line, '-') != NULL && strstr(line, "r") != NULL && strchr(line, ':') != NULL &&
            strstr(line, " rw-s ") != NULL)
            is_ours = strstr(line, folder) != NULL;
        if (is_ours && strncmp(line, "VmFlags:", 8) == 0) {
            is_random = strstr(line, " rr ") != NULL;
            break;
        }
    }
    if (maps != NULL)
        fclose(maps);
    CHECK(maps == NULL || is_random);
}

static void a_long_name_is_cut(void) {
    memset(facts.path, 'n', sizeof facts.path - 1);
    CHECK(begin() == NULL && files() == 1);
    CHECK(strspn(names[0], "n") == 64 && names[0][64] == '.');
}

static void a_relative_folder(void) {
    char made[sizeof folder];

    strcpy(made, folder);
    CHECK(chdir("/tmp") == 0);
    strcpy(folder, made + strlen("/tmp/"));
    CHECK(begin() == NULL && chdir("/") == 0);
    strcpy(folder, made);
    event(NSD_CALL_EXIT);
    CHECK(files() == 1);
    record__end(true, true); /* by its path, though the process stands elsewhere */
    CHECK(files() == 0);
}

static void folders_that_do_not_do(void) {
    struct nsd_record_wish wish = {.size = 256 * 1024, .findings = &findings};
    char name[NSD_FOLDER_MOST + 8];

    memset(name, 'x', sizeof name);
    name[0] = '/';
    name[NSD_FOLDER_MOST] = '\0';
    wish.folder = name;
    CHECK(strcmp(record__begin(&wish, &facts, &error), "the folder's name is too long") == 0);
    name[NSD_FOLDER_MOST - 1] = '\0';
    CHECK(strcmp(record__begin(&wish, &facts, &error), "its file cannot be made") == 0);
    CHECK(error == -ENAMETOOLONG);
    wish.folder = "/nowhere/at/all";
    CHECK(strcmp(record__begin(&wish, &facts, &error), "its file cannot be made") == 0);
    CHECK(error == -ENOENT && !record__is_on());
    event(NSD_CALL_SOCKET);
    record__facts(&facts);
    record__end(true, true);
    record__resume(&facts, true);
    record__begin_copy(NULL);
    CHECK(!record__is_on() && !record__folder_is_hidden());
}

static const char *begin_with_limit(uint64_t limit) {
    struct rlimit wanted;

    CHECK(getrlimit(RLIMIT_FSIZE, &wanted) == 0);
    wanted.rlim_cur = limit;
    CHECK(setrlimit(RLIMIT_FSIZE, &wanted) == 0);
    return begin();
}

#define NO_ROOM "the limit of file sizes (RLIMIT_FSIZE) leaves no room for it"

static void a_limit_of_file_sizes(void) {
    const uint64_t whole = 4096 + 256 * 1024 + 4 * 64 * 1024;

    CHECK(strcmp(begin_with_limit(4095), NO_ROOM) == 0 && error == 0);
    CHECK(strcmp(begin_with_limit(NSD_PART_LEAST + 4095), NO_ROOM) == 0);
    CHECK(begin_with_limit(whole) == NULL && files() == 1);
    CHECK(read_part(names[0], 0) && recording.file.slices == 4);
}

static void a_limit_leaves_no_slices(void) {
    CHECK(begin_with_limit(4096 + 256 * 1024) == NULL && files() == 1);
    CHECK(read_part(names[0], 0) && recording.file.slices == 0 && recording.file.slice_size == 0);
    CHECK(recording.file.main_size == 256 * 1024 && part.size == 256 * 1024);
}

static void a_limit_makes_it_smaller(void) {
    CHECK(begin_with_limit(4096 + NSD_PART_LEAST + 100) == NULL && files() == 1);
    CHECK(read_part(names[0], 0) && part.size == NSD_PART_LEAST && recording.file.slices == 0);
}

static void the_least_size(void) {
    CHECK(strcmp(begin_of_size(NSD_PART_LEAST - 1), NO_ROOM) == 0);
    CHECK(begin_of_size(NSD_PART_LEAST) == NULL && files() == 1);
    CHECK(read_part(names[0], 0) && recording.file.slice_size == NSD_PART_LEAST);
}

static void pieces_of_a_part(void) {
    struct nsd_record_part head = {0};

    record_part__lay_out(&head, 64 * 4096 + 100);
    CHECK(head.size == 64 * 4096 && head.tables == 4096 && head.tables_size == 16 * 4096);
    CHECK(head.kept == 17 * 4096 && head.kept_size == 8 * 4096 && head.blocks == 25 * 4096);
    CHECK(head.block_count == 39 && head.head_blocks == 9);
    record_part__lay_out(&head, (64 << 20) - 1);
    CHECK(head.size == (64 << 20) - 4096 && head.tables_size == 4095 * 4096);
}

/* ---- events ---- */

static void what_comes_back(void) {
    struct nsd_identity identity = {.inode = 9, .kind = NSD_KIND_NET};
    struct nsd_event setns = {.call = NSD_CALL_SETNS, .tid = 7, .result = -9, .identities = 1};
    struct nsd_record record;
    struct nsd_record_judged judged;
    struct nsd_record_learnt learnt;
    struct nsd_block_cursor cursor = {0};
    uint64_t value;
    uint32_t stack;
    bool could;

    setns.identity[0] = identity;
    CHECK(begin() == NULL);
    record__event(&setns);
    for (uint64_t i = 0; i < 33; i++)
        record__answer(100 + i, i % 2 == 0);
    record__event_is_over(3, 4);
    record__learnt(8, NSD_KIND_NET, &identity);
    record__judged(&setns, NSD_OCCASION_SIGNAL, 11, 12);
    facts.is_go = 1;
    CHECK(read_part((files(), names[0]), 0));
    CHECK(part.head.facts.events == 3 && part.head.facts.lost == 4 && part.head.written == 4);
    CHECK(part.head.facts.last_ticks != 0 && part.head.facts.last_wall != 0);
    CHECK(part__next_record(&part, &cursor, &record));
    CHECK(record__read_event(&record, &setns, &stack) && setns.tid == 7 && setns.result == -9 &&
          setns.identities == 1 && setns.identity[0].inode == 9 && stack == 0);
    CHECK(part__next_record(&part, &cursor, &record) && record.count == 32);
    CHECK(record__read_answer(&record, 31, &value, &could) && value == 131 && !could);
    CHECK(record__read_answer(&record, 30, &value, &could) && value == 130 && could);
    /* The answer that had no room makes the replay unsure: what is found is kept from then on. */
    CHECK(part.head.keeping == 1);
    CHECK(part__next_record(&part, &cursor, &record) && record__read_learnt(&record, &learnt));
    CHECK(learnt.tid == 8 && learnt.kind == NSD_KIND_NET && learnt.identity.inode == 9);
    CHECK(part__next_record(&part, &cursor, &record) && record__read_judged(&record, &judged));
    CHECK(judged.occasion == NSD_OCCASION_SIGNAL && judged.ticks == 11 && judged.wall == 12 &&
          judged.call == NSD_CALL_SETNS && judged.tid == 7);
    CHECK(!part__next_record(&part, &cursor, &record));
    event(NSD_CALL_SOCKET);
    CHECK(read_part(names[0], 0) && records_of(NSD_RECORD_ANSWERS) == 1);
}

/* ---- facts ---- */

static void facts_that_stay(void) {
    uint64_t ticks;

    CHECK(begin() == NULL);
    event(NSD_CALL_SOCKET);
    CHECK(read_part((files(), names[0]), 0));
    ticks = part.head.facts.last_ticks;
    facts.threads = 5;
    record__facts(&facts);
    CHECK(read_part(names[0], 0) && part.head.facts.threads == 5);
    CHECK(part.head.facts.last_ticks == ticks && part.head.facts.last_wall != 0);
    facts.last_ticks = 6;
    facts.last_wall = 7;
    record__facts(&facts);
    CHECK(read_part(names[0], 0));
    CHECK(part.head.facts.last_ticks == 6 && part.head.facts.last_wall == 7);
}

/* They are read by a system call: ever more rarely. */
static void clocks_that_are_read_along(void) {
    uint64_t last = 0;

    CHECK(begin() == NULL && files() == 1);
    for (unsigned records = 1; records <= 20; records++) {
        bool is_due = (records & (records - 1)) == 0;

        event(NSD_CALL_SOCKET);
        CHECK(read_part(names[0], 0) && (part.head.facts.last_ticks != last) == is_due);
        last = part.head.facts.last_ticks;
    }
}

/* ---- ends ---- */

static void nothing_but_its_end(void) {
    CHECK(begin() == NULL);
    event(NSD_CALL_EXIT);
    event(NSD_CALL_IDENTITY);
    record__end(true, false); /* no call may be made: it stays */
    CHECK(files() == 1);
    record__end(true, true);
    CHECK(files() == 0);
    record__end(true, true);
}

static void something_happened(void) {
    CHECK(begin() == NULL);
    event(NSD_CALL_SOCKET);
    record__end(true, true);
    CHECK(files() == 1);
}

static unsigned mappings(void) {
    char line[1024];
    unsigned count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");

    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        count += strstr(line, folder) != NULL;
    if (maps != NULL)
        fclose(maps);
    return count;
}

static void an_exec_that_comes_back(void) {
    CHECK(begin() == NULL);
    event(NSD_CALL_EXEC);
    record__end(false, true);
    CHECK(files() == 0);
    facts.flags = NSD_RECORD_CAME_BACK;
    CHECK(mappings() == 1);
    record__resume(&facts, true);
    CHECK(mappings() == 1); /* not the one that was taken away */
    CHECK(files() == 1 && read_part(names[0], 0));
    CHECK(part.head.facts.flags == NSD_RECORD_CAME_BACK && part.head.written == 0);
    event(NSD_CALL_SOCKET);
    record__end(true, true);
    CHECK(files() == 1 && read_part(names[0], 0) && records_of(NSD_RECORD_EVENT) == 1);
}

static void an_exec_that_comes_back_to_its_file(void) {
    CHECK(begin() == NULL);
    event(NSD_CALL_SOCKET);
    record__end(false, true);
    facts.flags = NSD_RECORD_CAME_BACK;
    record__resume(&facts, true);
    CHECK(files() == 1 && read_part(names[0], 0));
    CHECK(part.head.facts.flags == NSD_RECORD_CAME_BACK && records_of(NSD_RECORD_EVENT) == 1);
}

static void an_exec_that_comes_back_under_a_filter(void) {
    CHECK(begin() == NULL);
    event(NSD_CALL_EXEC);
    record__end(false, true);
    record__resume(&facts, false);
    CHECK(files() == 0 && !record__is_on());
}

int main(void) {
    TEST(a_file_is_made);
    TEST(nothing_is_read_ahead);
    TEST(a_long_name_is_cut);
    TEST(a_relative_folder);
    TEST(folders_that_do_not_do);
    TEST(a_limit_of_file_sizes);
    TEST(a_limit_leaves_no_slices);
    TEST(a_limit_makes_it_smaller);
    TEST(the_least_size);
    TEST(pieces_of_a_part);
    TEST(what_comes_back);
    TEST(facts_that_stay);
    TEST(clocks_that_are_read_along);
    TEST(nothing_but_its_end);
    TEST(something_happened);
    TEST(an_exec_that_comes_back);
    TEST(an_exec_that_comes_back_to_its_file);
    TEST(an_exec_that_comes_back_under_a_filter);
    return end_of_tests();
}
