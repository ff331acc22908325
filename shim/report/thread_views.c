/*
 * Composes views of threads, see thread_views.h. Asks the kernel for their names; everything else
 * comes from the ledger.
 */
#include "report/thread_views.h"
#include "base/memory.h"
#include "ledger/labels.h"
#include "ledger/threads.h"
#include "names/thread_name.h"

static const char *name_of(const struct nsd_compose *compose, int32_t tid) {
    char name[NSD_THREAD_NAME_MOST];

    /* Over a recording the tid may be that of another process by now. */
    if (compose->recorded || !thread_name__read(tid, name))
        return NULL;
    return scratch__string(compose->scratch, name);
}

static uint64_t inode_of(const struct nsd_label *label) {
    const struct nsd_identity *identity = label__identity(label);

    return identity != NULL ? identity->inode : 0;
}

void compose__thread(const struct nsd_compose *compose, struct nsd_ledger *ledger,
                     struct nsd_thread *thread, struct nsd_view_thread *view) {
    nsd_kinds away = ledger__away(ledger, thread);

    memory__fill(view, 0, sizeof *view);
    compose__image(&view->image, compose->image);
    view->tid = thread->tid;
    view->born_of = thread->parent;
    view->name = name_of(compose, thread->tid);
    view->main_thread = thread->tid == compose->image->leader;
    view->goroutine = thread->goroutine;
    view->locked = compose__locked((enum nsd_lock_state) thread->lock, &view->lock);
    compose__stack(compose, thread->birth_frames, &view->born_at);
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        struct nsd_view_namespace *one = &view->namespaces[view->namespace_count++];

        one->kind = kinds__name((enum nsd_kind) kind);
        one->after = inode_of(thread->label[kind]);
        one->home = inode_of(ledger__home(ledger, (enum nsd_kind) kind));
        if ((away & NSD_KIND_BIT(kind)) != 0)
            view->switched[view->switched_count++] = one->kind;
    }
}
