/*
 * Captures of C stacks in an ordinary program: the guest's own sources linked in, a wrapper like
 * those of the libc probes, and the answers held against what the program knows of itself.
 */
#include "base/forbidden.h"
#include "ledger/frames.h"
#include "names/module_file.h"
#include "names/modules.h"
#include "names/naming.h"
#include "stacks/capture.h"

#include <alloca.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static int failures;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

/* Functions stay what they are at every level of optimisation. */
#ifdef __clang__
#define NOINLINE __attribute__((noinline, optnone))
#else
#define NOINLINE                                                                                   \
    __attribute__((noipa, optimize("no-ipa-icf", "no-crossjumping", "no-unroll-loops")))
#endif
/* Keeps a call from being the function's last act, or it would be a jump. */
#define STAY __asm__ volatile("" : : : "memory")

static const struct nsd_frames *taken;
static uintptr_t taken_at;

/* What a wrapper of the libc probes does. */
NOINLINE static void wrapper(void) {
    uintptr_t *frame = __builtin_frame_address(0);

    taken_at = (uintptr_t) (frame + 2);
    taken = capture__native((uintptr_t) __builtin_return_address(0), taken_at, frame[0]);
    STAY;
}

static bool is_named(const struct nsd_frames *frames, unsigned index, const char *name) {
    struct nsd_place place;

    if (frames == NULL || index >= frames->depth)
        return false;
    naming__place(frames->frame[index].pc, false, &place);
    return strcmp(place.function, name) == 0;
}

static int index_of(const struct nsd_frames *frames, const char *name) {
    for (int i = 0; frames != NULL && i < frames->depth; i++) {
        if (is_named(frames, (unsigned) i, name))
            return i;
    }
    return -1;
}

static void show(const struct nsd_frames *frames) {
    struct nsd_place place;

    for (unsigned i = 0; frames != NULL && i < frames->depth; i++) {
        naming__place(frames->frame[i].pc, false, &place);
        printf("  #%u %s %s+0x%lx slot %u\n", i, place.function,
               place.module != NULL ? place.module->path : "?", (unsigned long) place.offset,
               frames->frame[i].slot);
    }
}

/* Every slot holds its return address, now, on this stack. */
static bool slots_hold(const struct nsd_frames *frames, unsigned from) {
    for (unsigned i = from; i < frames->depth; i++) {
        if (frames->frame[i].slot == 0 ||
            *(uint64_t *) (taken_at + frames->frame[i].slot) != frames->frame[i].pc)
            return false;
    }
    return true;
}

static const struct nsd_frames *recursed;
NOINLINE static void recurse(int depth) {
    if (depth == 0) {
        wrapper();
        recursed = taken;
        CHECK(slots_hold(taken, 1));
    } else {
        recurse(depth - 1);
    }
    STAY;
}

NOINLINE static void recursion(void) {
    const struct nsd_frames *three, *four;

    recurse(3);
    three = recursed;
    CHECK(three != NULL && is_named(three, 0, "recurse") && is_named(three, 3, "recurse") &&
          is_named(three, 4, "recursion"));
    CHECK(index_of(three, "main") > 0);
    recurse(4);
    four = recursed;
    CHECK(four != three && four != NULL && three != NULL && four->depth == three->depth + 1);
    for (int i = 0; i < 5; i++) {
        recurse(3 + i % 2);
        CHECK(recursed->depth == (i % 2 ? four : three)->depth);
    }
    recurse(200);
    CHECK(recursed != NULL && recursed->depth == 32);
}

NOINLINE static void with_alloca(size_t size) {
    volatile char *room = alloca(size);

    room[0] = 1;
    wrapper();
    CHECK(taken != NULL && is_named(taken, 0, "with_alloca"));
    CHECK(taken != NULL && (index_of(taken, "main") > 0 || index_of(taken, "threaded") > 0));
    CHECK(taken != NULL && slots_hold(taken, 1));
    STAY;
}

NOINLINE static void realigned(int size) {
    __attribute__((aligned(128))) char room[128];
    char more[size];

    memset(room, 1, sizeof(room));
    memset(more, 1, (size_t) size);
    __asm__ volatile("" : : "r"(room), "r"(more) : "memory");
    wrapper();
    CHECK(taken != NULL && is_named(taken, 0, "realigned") && index_of(taken, "main") > 0);
    STAY;
}

/* The same call, the same depth, other callers. */
NOINLINE static void shared(void) {
    wrapper();
    STAY;
}
NOINLINE static void one(void) {
    shared();
    STAY;
}
NOINLINE static void other(void) {
    STAY;
    shared();
    STAY;
}

NOINLINE static void both(const struct nsd_frames *of[2]) {
    one();
    of[0] = taken;
    other();
    of[1] = taken;
}

NOINLINE static void callers_once(const struct nsd_frames *first[2]) {
    const struct nsd_frames *now[2];

    both(now);
    CHECK(is_named(now[0], 1, "one") && is_named(now[1], 1, "other"));
    CHECK(now[0]->hash != now[1]->hash);
    CHECK(first[0] == NULL || (first[0] == now[0] && first[1] == now[1]));
    first[0] = now[0];
    first[1] = now[1];
}

NOINLINE static void callers(void) {
    const struct nsd_frames *first[2] = {NULL, NULL};

    for (volatile int i = 0; i < 4; i++)
        callers_once(first);
}

static int compare(const void *a, const void *b) {
    if (taken == NULL)
        wrapper();
    return *(const int *) a - *(const int *) b;
}

/* Out of a callback, through the C library. */
NOINLINE static void through_libc(void) {
    int numbers[] = {3, 1, 2};

    taken = NULL;
    qsort(numbers, 3, sizeof(numbers[0]), compare);
    CHECK(is_named(taken, 0, "compare"));
#ifdef __GLIBC__ /* Debian's musl has neither unwind tables nor frame pointers */
    CHECK(index_of(taken, "through_libc") > 0 && index_of(taken, "main") > 0);
#endif
}

static const struct nsd_frames *volatile in_handler;
NOINLINE static void handler(int signal) {
    (void) signal;
    wrapper();
    in_handler = taken;
    STAY;
}

NOINLINE static void raise_here(void) {
    kill(getpid(), SIGUSR1);
    STAY;
}

NOINLINE static void signals(bool other_stack) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = other_stack ? SA_ONSTACK : 0};
    stack_t stack = {.ss_size = 64 * 1024};

    stack.ss_sp =
        mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (other_stack)
        sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < 2; i++) {
        in_handler = NULL;
        raise_here();
        CHECK(is_named(in_handler, 0, "handler"));
        CHECK(in_handler != NULL && in_handler->depth > 2);
#ifdef __GLIBC__
        CHECK(index_of(in_handler, "raise_here") > 0);
        CHECK(index_of(in_handler, "main") > 0);
        if (index_of(in_handler, "main") <= 0)
            show(in_handler);
#endif
    }
}

/* An alternative stack with hardly any room left: the caller's pc at least, and no overflow. */
static void *on_small_stack(void *unused) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    size_t size = 8192; /* SIGSTKSZ, as programs have it written down */
    char *room = mmap(NULL, size + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t stack = {.ss_sp = room + 4096, .ss_size = size};

    (void) unused;
    mprotect(room + 4096, size, PROT_READ | PROT_WRITE);
    CHECK(sigaltstack(&stack, NULL) == 0);
    sigaction(SIGUSR1, &action, NULL);
    in_handler = NULL;
    pthread_kill(pthread_self(), SIGUSR1);
    CHECK(is_named(in_handler, 0, "handler"));
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
    munmap(room, size + 4096);
    return NULL;
}

static void *threaded(void *size) {
    with_alloca((size_t) size);
    return NULL;
}

static void *in_thread(void *which) {
    (void) which;
    for (int i = 0; i < 3; i++) {
        wrapper();
        if (taken == NULL || !is_named(taken, 0, "in_thread"))
            failures++;
    }
    return NULL;
}

NOINLINE static void threads(void) {
    pthread_attr_t small;
    pthread_t thread;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16 * 1024);
    for (int i = 0; i < 50; i++) {
        CHECK(pthread_create(&thread, i % 2 ? &small : NULL, in_thread, NULL) == 0);
        pthread_join(thread, NULL);
    }
}

#ifdef __GLIBC__ /* musl has no makecontext */
/* A coroutine: a stack of its own that nothing below explains. */
static ucontext_t back, coroutine;
static void on_coroutine(void) {
    wrapper();
    CHECK(is_named(taken, 0, "on_coroutine"));
    CHECK(taken != NULL && taken->depth <= 3);
}

NOINLINE static void coroutines(void) {
    size_t size = 64 * 1024;
    char *stack = mmap(NULL, size + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    mprotect(stack + 4096, size, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 3; i++) {
        getcontext(&coroutine);
        coroutine.uc_stack.ss_sp = stack + 4096;
        coroutine.uc_stack.ss_size = size;
        coroutine.uc_link = &back;
        makecontext(&coroutine, on_coroutine, 0);
        swapcontext(&back, &coroutine);
    }
}

#endif

/* Garbage for registers: whatever comes, no crash. */
static void garbage(void) {
    uintptr_t stack[512], seed = 88172645463325252ull, known[8];

    shared();
    for (unsigned i = 0; i < 8; i++)
        known[i] = taken->frame[i % taken->depth].pc;
    for (int round = 0; round < 20000; round++) {
        for (unsigned i = 0; i < 512; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            switch (seed % 5) {
            case 0:
                stack[i] = seed;
                break;
            case 1:
                stack[i] = (uintptr_t) &stack[(seed >> 8) % 512];
                break;
            case 2:
                stack[i] = (uintptr_t) &malloc + (seed >> 8) % 65536;
                break;
            case 3:
                stack[i] = known[(seed >> 8) % 8];
                break;
            default:
                stack[i] = (uintptr_t) &garbage + (seed >> 8) % 4096;
                break;
            }
        }
        uintptr_t pc = stack[0], frame = stack[1];
        capture__native(pc, (uintptr_t) &stack[2 + seed % 256], frame);
        if (round % 500 == 0)
            frames__reset();
    }
    frames__reset();
}

/*
 * Libraries that are opened for a call and closed after it; their names outlive them. All are open
 * before one is closed, since another at the same address with the same calls is taken for it.
 */
NOINLINE static void opened_modules(char **paths, int count) {
    void *libraries[8] = {0};

    for (int i = 0; i < count && i < 8; i++) {
        void (*call_back)(void (*)(void));

        libraries[i] = dlopen(paths[i], RTLD_NOW);
        CHECK(libraries[i] != NULL);
        if (libraries[i] == NULL)
            return;
        *(void **) &call_back = dlsym(libraries[i], "call_back");
        for (int again = 0; again < 2; again++) {
            bool tells_its_caller = strstr(paths[i], "no_tables_no_frame_pointer") == NULL;

            call_back(shared);
            CHECK(is_named(taken, 0, "shared"));
            CHECK(is_named(taken, 1, "call_back"));
            CHECK(is_named(taken, 2, tells_its_caller ? "opened_modules" : "main"));
            CHECK(index_of(taken, "main") > 0);
        }
    }
    for (int i = 0; i < count && i < 8; i++)
        dlclose(libraries[i]);
    CHECK(count == 0 || is_named(taken, 1, "call_back"));
}

/* Threads that take stacks of many shapes at once, while signals do the same in between. */
static _Atomic unsigned wrong;
static volatile bool enough;

__attribute__((noinline)) static void varied(unsigned depth, size_t room) {
    volatile char *taken_room = alloca(room);
    uintptr_t *frame = __builtin_frame_address(0);

    taken_room[0] = 0;
    if (depth > 0) {
        varied(depth - 1, room);
    } else {
        const struct nsd_frames *frames = capture__native((uintptr_t) __builtin_return_address(0),
                                                          (uintptr_t) (frame + 2), frame[0]);
        for (unsigned i = 1; frames != NULL && i < frames->depth; i++) {
            if (frames->frame[i].slot != 0 &&
                *(uint64_t *) ((uintptr_t) (frame + 2) + frames->frame[i].slot) !=
                    frames->frame[i].pc)
                wrong++;
        }
    }
    STAY;
}

static void in_between(int signal) {
    (void) signal;
    varied(2, 32);
}

static void *vary(void *seed) {
    uint64_t next = (uintptr_t) seed * 2654435761u + 1;

    for (int i = 0; i < 20000; i++) {
        next = next * 6364136223846793005ull + 1442695040888963407ull;
        varied((unsigned) (next >> 60), 16 + (next >> 40) % 8 * 64);
    }
    return NULL;
}

static void *disturb(void *threads) {
    while (!enough) {
        for (int i = 0; i < 3; i++)
            pthread_kill(((pthread_t *) threads)[i], SIGUSR2);
        usleep(200);
    }
    return NULL;
}

static void many_at_once(void) {
    struct sigaction action = {.sa_handler = in_between, .sa_flags = SA_RESTART};
    pthread_t thread[4];

    sigaction(SIGUSR2, &action, NULL);
    frames__reset();
    for (uintptr_t i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, vary, (void *) (i + 1));
    pthread_create(&thread[3], NULL, disturb, thread);
    usleep(100000);
    enough = true; /* before they are joined: signals need a thread that is there */
    pthread_join(thread[3], NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    CHECK(wrong == 0);
    frames__reset();
}

NOINLINE static void deep(int depth, int rounds) {
    if (depth > 0) {
        deep(depth - 1, rounds);
    } else {
        for (int i = 0; i < rounds; i++)
            wrapper();
    }
    STAY;
}

/* How much of a stack a capture takes: it must leave small stacks alone. */
static uintptr_t lowest;

NOINLINE static void painted(void) {
    volatile unsigned char paint[64 * 1024];

    for (size_t i = 0; i < sizeof(paint); i++)
        paint[i] = 0xa5;
    lowest = (uintptr_t) paint;
    STAY;
}

NOINLINE static void stack_use(void) {
    uintptr_t at;

    frames__reset();
    painted();
    deep(20, 1);
    for (at = lowest; *(unsigned char *) at == 0xa5; at++)
        ;
    printf("stack below the caller: %lu bytes\n", (unsigned long) (taken_at - at));
    CHECK(taken_at - at < 7 * 1024);
}

/* After a seccomp filter: no system call of ours, stacks as far as that goes. */
NOINLINE static void quietly(void) {
    pthread_t thread;

    frames__reset();
    frames__prepare();
    sys__forbid();
    wrapper();
    CHECK(is_named(taken, 0, "quietly") && is_named(taken, 1, "main"));
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
}

static double nanoseconds_of(void (*run)(int, int), int depth, int rounds) {
    struct timespec from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    run(depth, rounds);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return ((double) (to.tv_sec - from.tv_sec) * 1e9 + (double) (to.tv_nsec - from.tv_nsec)) /
           rounds;
}

NOINLINE static void cold(int depth, int rounds) {
    for (int i = 0; i < rounds; i++) {
        frames__reset();
        deep(depth, 1);
    }
}

static void *times(void *where) {
    for (int depth = 4; depth <= 24; depth += 10) {
        deep(depth, 1);
        printf("%s: %u frames: again %.0f ns, first time %.0f ns\n", (const char *) where,
               taken->depth, nanoseconds_of(deep, depth, 100000), nanoseconds_of(cold, depth, 200));
    }
    return NULL;
}

int main(int count, char **arguments) {
    pthread_t thread;

    modules__begin();
    capture__begin(32);
    capture__main_stack((uintptr_t) arguments);
    /* The program stands where the shim stands, whose file is of no interest otherwise. */
    module_file__map(modules__of((uintptr_t) &main));
    shared();
    show(taken);
    CHECK(is_named(taken, 0, "shared") && is_named(taken, 1, "main"));
    recursion();
    for (size_t i = 0; i < 20; i++)
        with_alloca(16 + i * 200);
    realigned(10);
    realigned(1000);
    callers();
    through_libc();
    signals(false);
    signals(true);
    threads();
    pthread_create(&thread, NULL, threaded, (void *) 100);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, on_small_stack, NULL);
    pthread_join(thread, NULL);
#ifdef __GLIBC__
    coroutines();
#endif
    opened_modules(arguments + 1, count - 1);
    many_at_once();
    garbage();
    times("main");
    pthread_create(&thread, NULL, times, "thread");
    pthread_join(thread, NULL);
    stack_use();
    quietly();
    printf("%d failures\n", failures);
    return failures != 0;
}
