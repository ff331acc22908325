/*
 * Every sentence that a rule can say, with its remedy: one table. Rules are held against it word
 * for word by rules_words_test.c.
 */
#ifndef RULES_SENTENCES_H
#define RULES_SENTENCES_H

#include "story_facts.h"

#define LOCK_BEFORE "Fix: call runtime.LockOSThread() before "
#define UNTIL_RESTORED ", and keep it until the thread is restored or the process execs."
#define UNLOCK_AFTER                                                                               \
    "Fix: call runtime.LockOSThread() before %l, and unlock only after the thread is restored."
#define EVERY_PATH_OF(place)                                                                       \
    "Fix: go home on every path that leads out of the function that switches at " place "."

/* X(name, message, remedy) */
#define SENTENCES(X)                                                                               \
    X(unlocked_switch, "%w moved %t to another %k namespace while it was not locked to it",        \
      "The Go scheduler may run what follows a switch on another thread.\n" LOCK_BEFORE            \
      "%l" UNTIL_RESTORED)                                                                         \
    X(unlocked_private, "%w gave %t a %k of its own while it was not locked to it",                \
      "That cannot be taken back, and whatever runs on this thread later has it.\n" LOCK_BEFORE    \
      "%l and do not unlock, so that the thread ends with the goroutine.")                         \
    X(unlocked_in_c,                                                                               \
      "%w moved %t to another %k namespace in a C call that returned without going home",          \
      "A goroutine is locked to its thread for the length of a C call, no longer.\n" LOCK_BEFORE   \
      "the C call at %g, and keep it until the thread is restored.")                               \
    X(failed_unlocked,                                                                             \
      "%w could not bring %t home in %k (%c: %e) and gave it up to other goroutines",              \
      "Fix: look at the error of the call at %l, and unlock only after it succeeded; else let "    \
      "the goroutine end locked, so that the thread ends with it.")                                \
    X(failed_worked_on,                                                                            \
      "%t could not go home in %k (%c: %e) and worked on in the wrong namespace",                  \
      "Fix: look at the result of the call at %l; a thread that cannot go home must try again "    \
      "or end.")                                                                                   \
    X(failed_lives_on, "%t could not go home in %k (%c: %e) and lives on there",                   \
      "Fix: look at the result of the call at %l; a thread that cannot go home must try again "    \
      "or end.")                                                                                   \
    X(failed_kept, "%t could not go home in %k (%c: %e)", NULL)                                    \
    X(while_unlocked, "%w is no longer locked to %t, which is still away from home in %k",         \
      WRONG_NEXT)                                                                                  \
    X(while_other,                                                                                 \
      "other goroutines run on %t, which %w moved to another %k namespace and left there",         \
      WRONG_NEXT)                                                                                  \
    X(while_unpinned, "%t was unpinned while it was away from home in %k",                         \
      "Fix: bring home what was switched at %l before nsdrift_thread_unpin().")                    \
    X(split, "%w called %c on %t, but the thread that it moved to another %k namespace is %T",     \
      LOCK_BEFORE "%s" UNTIL_RESTORED)                                                             \
    X(split_restore,                                                                               \
      "%t went home in %k by %c, where it already was; %T, which opened that descriptor, is away", \
      ONE_THREAD)                                                                                  \
    X(split_mount,                                                                                 \
      "%T made a mnt namespace and did nothing in it; %t made the mount that followed, at home",   \
      ONE_THREAD)                                                                                  \
    X(exec_own,                                                                                    \
      "%w execs on %t, but the thread that it moved to another %k namespace is %T, which the "     \
      "exec ends",                                                                                 \
      LOCK_BEFORE "%s, and keep it until the exec.")                                               \
    X(exec_others, "%w execs on %t while %T is away from home in %k; the exec ends %T", NULL)      \
    X(exec_becomes,                                                                                \
      "%t execs and becomes the process; paths and arguments that hold its thread id go stale",    \
      NULL)                                                                                        \
    X(main_wedged,                                                                                 \
      "%t is parked for good in another %k namespace: its goroutine ended while it was locked "    \
      "to it",                                                                                     \
      "To everybody outside, /proc/PID/ns now shows that namespace as the process's.\n"            \
      "Fix: do not end a goroutine that switched at %l on the main thread; keep the main thread "  \
      "busy by locking main in an init function.")                                                 \
    X(main_wedged_private,                                                                         \
      "%t is parked for good with a %k of its own: its goroutine ended while it was locked to it", \
      NULL)                                                                                        \
    X(main_unlocked, "%t is away from home in %k, and no goroutine is locked to it", UNLOCK_AFTER) \
    X(main_ended,                                                                                  \
      "%t ended by pthread_exit while it was away from home in %k, and the process goes on",       \
      "Fix: bring the main thread home before pthread_exit, or switch another thread.")            \
    X(main_over, "%t is away from home in %k although the function that went there has returned",  \
      EVERY_PATH_OF("%l"))                                                                         \
    X(main_sibling,                                                                                \
      "%t moved to another %k namespace for good, but not the threads that it left behind: %T "    \
      "used the old one",                                                                          \
      "Only the calling thread moves; the others stay where they are.\n"                           \
      "Fix: switch before the first thread is made, or on every thread that the program uses "     \
      "there.")                                                                                    \
    X(main_at_end, "%t is away from home in %k at the end", NULL)                                  \
    X(born_by_go,                                                                                  \
      "the Go runtime made %t from %T, which is away from home: it starts in another %k "          \
      "namespace",                                                                                 \
      "Any goroutine may be run on it, and it will make more of its kind.\n" LOCK_BEFORE           \
      "the switch: the runtime makes no thread from a locked one.")                                \
    X(born_there, "%t was created by %T in another %k namespace and has stayed there", NULL)       \
    X(born_in_visit,                                                                               \
      "%t was created by %T during a visit to another %k namespace, and stayed there when %T "     \
      "went home",                                                                                 \
      "Fix: make the call that creates the thread at %l before the switch at %s, or after the "    \
      "way home.")                                                                                 \
    X(left_unlocked, "%t is left away from home in %k, and no goroutine is locked to it",          \
      UNLOCK_AFTER)                                                                                \
    X(left_over,                                                                                   \
      "%t was left in another %k namespace: the function that went there returned without going "  \
      "home",                                                                                      \
      EVERY_PATH_OF("%l"))                                                                         \
    X(left_lives_on, "%t lives on away from home in %k", NULL)                                     \
    X(died, "%t ended away from home in %k", NULL)                                                 \
    X(died_meant, "%t ended away from home in %k, where others that went there came back",         \
      EVERY_PATH_OF("%s"))

#define WRONG_NEXT                                                                                 \
    "Whatever the scheduler runs on this thread next, it runs in the wrong namespace.\n"           \
    "Fix: bring home what was switched at %l before runtime.UnlockOSThread(), or do not unlock: "  \
    "the thread then ends with its goroutine."
#define ONE_THREAD "Fix: keep what follows the switch at %s on the thread that made it."

#define X(name, message, remedy) SENTENCE_##name,
enum sentence { SENTENCES(X) };
#undef X
#define X(name, message, remedy) {message, remedy},
static const struct { const char *message, *remedy; } sentences[] = {SENTENCES(X)};
#undef X

static void is_said(const struct nsd_finding *finding, const char *rule, enum sentence sentence,
                    const char *facts) {
    char *text = NULL;
    size_t size;
    FILE *out;

    if (finding == NULL) {
        FAIL("nothing was found");
        return;
    }
    out = open_memstream(&text, &size);
    fprintf(out, "%s %s x%u: ", severity__name(finding->severity), rules__name(finding->rule),
            finding->count);
    put_facts(out, finding);
    fclose(out);
    if (strncmp(text, rule, strlen(rule)) != 0 || strcmp(text + strlen(rule), facts) != 0)
        FAIL("found\n    %s\n  not\n    %s%s", text, rule, facts);
    free(text);
    if (strcmp(finding->message, sentences[sentence].message) != 0)
        FAIL("said \"%s\"", finding->message);
    if (finding->remedy == NULL ? sentences[sentence].remedy != NULL
                                : sentences[sentence].remedy == NULL ||
                                      strcmp(finding->remedy, sentences[sentence].remedy) != 0)
        FAIL("remedy \"%s\"", finding->remedy);
    CHECK(finding->time != 0 || finding->call == NSD_CALL_NONE);
}

#define first_is(rule, name, facts) is_said(findings.first, rule ": ", SENTENCE_##name, facts)
#define then_is(rule, name, facts)                                                                 \
    is_said(findings.first == NULL ? NULL : findings.first->consequences, rule ": ",               \
            SENTENCE_##name, facts)
#define last_is(rule, name, facts) is_said(findings.last, rule ": ", SENTENCE_##name, facts)

#endif
