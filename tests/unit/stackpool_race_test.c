/*
 * The stacks that hooks run on: a stack that was reclaimed from a dead vfork child, or given back,
 * goes to the next thread with all that was written on it, and no two have it at once. The exchange
 * of `busy` is the trampoline's (probes/go/x86_64), written here in C.
 */
#include "probes/go/hooked_call.h"
#include "probes/go/stackpool.h"
#include "race.h"

#include <stdbool.h>

#define ROUNDS 4000

static uint64_t users[NSD_GO_STACKS]; /* plain: guarded by `busy` */
static _Atomic uint64_t none_free;

static struct nsd_go_call *call_on(uint64_t stack) {
    return (struct nsd_go_call *) (nsd_go_stacks + ((stack + 1) << NSD_GO_STACK_SHIFT)) - 1;
}

static bool take(unsigned from, uint64_t *taken) {
    for (unsigned i = 0; i < NSD_GO_STACKS; i++) {
        uint64_t stack = (from + i) % NSD_GO_STACKS;

        if (atomic_exchange(&call_on(stack)->busy, 1) == 0) {
            *taken = stack;
            return true;
        }
    }
    none_free++;
    return false;
}

static void enter(uint64_t stack, uint64_t m) {
    CHECK(users[stack] == 0);
    users[stack] = m;
    call_on(stack)->stack = stack;
    call_on(stack)->number = m;
    stackpool__own(stack, m);
}

static void leave(uint64_t stack, uint64_t m) {
    CHECK(users[stack] == m && call_on(stack)->number == m);
    users[stack] = 0;
    stackpool__disown(stack);
    atomic_store_explicit(&call_on(stack)->busy, 0, memory_order_release);
}

/* An M that makes hooks run, and now and then a vfork child that dies in one. */
static void run_hooks(unsigned number) {
    const uint64_t m = 0x1000u * (number + 1);

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t own, of_child;

        if (!take(i, &own))
            continue;
        enter(own, m);
        if (i % 8 == 0 && take(i, &of_child)) {
            enter(of_child, m);
            users[of_child] = 0; /* it dies here */
            stackpool__reclaim(m, own);
        }
        leave(own, m);
    }
}

int main(void) {
    if (!stackpool__begin()) {
        printf("no memory\n");
        return 77;
    }
    race__run(run_hooks);
    CHECK(none_free == 0); /* there are more stacks than can be in use */
    for (uint64_t stack = 0; stack < NSD_GO_STACKS; stack++)
        CHECK(call_on(stack)->busy == 0 && users[stack] == 0);
    return race__result();
}
