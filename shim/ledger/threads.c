/*
 * Threads and births, see threads.h. A dead thread's record is freed and used for the next one, so
 * that memory follows the number of live threads.
 */
#include "ledger/threads.h"
#include <stddef.h>

/* Far more than the threads that are between clone and their first event at one time. */
#define BIRTHS_MOST 4096u

struct nsd_thread *threads__look_up(struct nsd_threads *threads, int32_t tid) {
    struct nsd_thread *thread = NULL;

    HASH_FIND(hh, threads->table, &tid, sizeof tid, thread);
    if (thread != NULL)
        threads->last_found = thread;
    return thread;
}

struct nsd_thread *threads__add(struct nsd_threads *threads, int32_t tid) {
    struct nsd_thread *thread = arena__take(sizeof *thread);

    if (thread == NULL) {
        threads->lost++;
        return NULL;
    }
    thread->tid = tid;
    HASH_ADD(hh, threads->table, tid, sizeof thread->tid, thread);
    if (thread->hh.tbl == NULL) {
        threads->lost++;
        arena__give(thread, sizeof *thread);
        return NULL;
    }
    thread->serial = ++threads->seen;
    return thread;
}

void threads__remove(struct nsd_threads *threads, struct nsd_thread *thread) {
    HASH_DELETE(hh, threads->table, thread);
    if (threads->last_found == thread)
        threads->last_found = NULL;
    thread->marks |= NSD_THREAD_DEAD;
    threads->pending_free = thread;
}

void threads__free_dead(struct nsd_threads *threads, struct nsd_labels *labels) {
    struct nsd_thread *thread = threads->pending_free;

    threads->pending_free = NULL;
    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        labels__leave(labels, thread->label[kind]);
    switch__drop(labels, thread->born_switch);
    arena__give(thread, sizeof *thread);
}

struct nsd_birth *threads__expected(struct nsd_threads *threads, uint32_t token) {
    struct nsd_birth *birth = NULL;

    if (token != 0)
        HASH_FIND(hh, threads->births, &token, sizeof token, birth);
    return birth;
}

void threads__give_up(struct nsd_threads *threads, struct nsd_labels *labels,
                      struct nsd_birth *birth) {
    HASH_DELETE(hh, threads->births, birth);
    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        labels__leave(labels, birth->label[kind]);
    switch__drop(labels, birth->born_switch);
    arena__give(birth, sizeof *birth);
}

struct nsd_birth *threads__expect(struct nsd_threads *threads, struct nsd_labels *labels,
                                  uint32_t token) {
    struct nsd_birth *birth = threads__expected(threads, token);

    if (birth != NULL)
        threads__give_up(threads, labels, birth);
    /* uthash iterates in the order of adding: the first is the oldest. */
    if (threads__expecting(threads) >= BIRTHS_MOST) {
        threads__give_up(threads, labels, threads->births);
        threads->lost++;
    }
    birth = arena__take(sizeof *birth);
    if (birth == NULL) {
        threads->lost++;
        return NULL;
    }
    birth->token = token;
    HASH_ADD(hh, threads->births, token, sizeof birth->token, birth);
    if (birth->hh.tbl == NULL) {
        threads->lost++;
        arena__give(birth, sizeof *birth);
        return NULL;
    }
    return birth;
}
