/*
 * Views of threads, see threads.h. Asks the kernel for their names alone; everything else is what
 * the ledger knows.
 */
#include "report/threads.h"
#include "base/syscall.h"
#include "base/text.h"
#include "ledger/labels.h"
#include "ledger/threads.h"

/* The name that the thread has now, as ps and top show it. */
static const char *name_of(const struct nsd_compose *compose, int32_t tid) {
    char path[64], name[64];
    struct nsd_text text;
    long fd, length;

    if (compose->recorded)
        return NULL;
    text__begin(&text, path, sizeof path);
    text__put(&text, "/proc/self/task/");
    text__signed(&text, tid);
    text__put(&text, "/comm");
    fd = sys__openat(AT_FDCWD, text__string(&text), O_RDONLY | O_CLOEXEC, 0);
    if (SYS_IS_ERROR(fd))
        return NULL;
    length = sys__read((int) fd, name, sizeof name - 1);
    sys__close((int) fd);
    if (length <= 0)
        return NULL;
    name[name[length - 1] == '\n' ? length - 1 : length] = '\0';
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
