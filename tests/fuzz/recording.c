/*
 * The reader and the replay on bytes that anybody may have made: a libFuzzer target, and with a
 * main of its own (-DSTANDALONE) a program that reads files once, for a corpus without libFuzzer.
 * Everything that `nsdrift report` does with a recording is done: findings and threads are
 * composed, copied and printed, and thrown away.
 */
#include "cli/read/kept_views.c"
#include "record/replay.h"
#include "report/compose.h"
#include "report/json.h"
#include "report/thread_views.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char scratch_memory[1 << 20] __attribute__((aligned(16)));
static char line[1 << 16];

static void print_all(struct nsd_replay *replay) {
    static struct nsd_view_finding finding_view;
    static struct nsd_view_thread thread_view;
    const struct nsd_record_facts *facts = &replay->part.head.facts;
    struct nsd_image image = {.pid = facts->pid,
                              .leader = facts->leader,
                              .program = part__program(&replay->part),
                              .clock = {facts->start_ticks, facts->start_wall}};
    struct nsd_scratch scratch = {scratch_memory, sizeof scratch_memory, 0};
    struct nsd_compose compose = {.scratch = &scratch,
                                  .image = &image,
                                  .now_ticks = replay->now_ticks,
                                  .now_wall = replay->now_wall,
                                  .recorded = true};
    struct nsd_kept_views kept = {0};
    struct nsd_text text;

    for (const struct nsd_finding *finding = replay->findings.first; finding != NULL;
         finding = finding->next) {
        scratch.used = 0;
        text__begin(&text, line, sizeof line);
        compose__finding(&compose, finding, &finding_view);
        if (!kept__finding(&kept, &finding_view))
            abort();
        as_json__finding(&text, &finding_view);
    }
    for (struct nsd_thread *thread = ledger__first_thread(&replay->ledger); thread != NULL;
         thread = ledger__next_thread(thread)) {
        scratch.used = 0;
        text__begin(&text, line, sizeof line);
        compose__thread(&compose, &replay->ledger, thread, &thread_view);
        kept__thread(&kept, &thread_view);
        as_json__thread(&text, &thread_view);
    }
    kept__free(&kept);
}

static void see_event(void *context, struct nsd_replay *replay, const struct nsd_event *event,
                      const struct nsd_change *change) {
    (void) context;
    (void) event;
    if (change->thread != NULL)
        ledger__away(&replay->ledger, change->thread);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct nsd_replay_watcher watcher = {.event = see_event};
    static struct nsd_replay replay;
    struct nsd_recording recording;
    struct nsd_index_view index;
    struct nsd_index_slot slot;
    const char *why = "";

    if (index__open(&index, data, size, &why)) {
        for (unsigned i = 0; i < index__slots(&index); i++)
            index__slot(&index, i, &slot);
    }
    if (!recording__open(&recording, data, size, &why)) {
        if (why == NULL)
            abort(); /* a refusal has its reason */
        return 0;
    }
    for (unsigned i = 0; i < recording__parts(&recording); i++) {
        struct nsd_part part;

        if (!recording__part(&recording, i, &part, &why))
            continue;
        if (replay__run(&replay, &part, &watcher))
            print_all(&replay);
        replay__end(&replay);
    }
    return 0;
}

#ifdef STANDALONE
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        uint8_t *bytes = NULL;
        size_t size = 0, got;

        if (file == NULL)
            return 2;
        do {
            bytes = realloc(bytes, size + 65536);
            if (bytes == NULL)
                return 2;
            got = fread(bytes + size, 1, 65536, file);
            size += got;
        } while (got > 0);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, size);
        free(bytes);
    }
    return 0;
}
#endif
