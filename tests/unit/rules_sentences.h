/*
 * Every sentence that a rule can say, with its remedy: one table. Rules are held against it word
 * for word by rules_words_test.c.
 */
#ifndef RULES_SENTENCES_H
#define RULES_SENTENCES_H

#include "story_facts.h"

/* X(name, message, remedy) */
#define SENTENCES(X)                                                                               \
    X(unlocked_switch, "%w moved %t to another %k namespace while it was not locked to it",        \
      "The Go scheduler may run what follows a switch on another thread.\n"                        \
      "Fix: call runtime.LockOSThread() before %l, and keep it until the thread is restored or "   \
      "the process execs.")                                                                        \
    X(unlocked_private, "%w gave %t a %k of its own while it was not locked to it",                \
      "That cannot be taken back, and whatever runs on this thread later has it.\n"                \
      "Fix: call runtime.LockOSThread() before %l and do not unlock, so that the thread ends "     \
      "with the goroutine.")                                                                       \
    X(unlocked_in_c,                                                                               \
      "%w moved %t to another %k namespace in a C call that returned without going back",          \
      "A goroutine is locked to its thread for the length of a C call, no longer.\n"               \
      "Fix: call runtime.LockOSThread() before the C call at %g, and keep it until the thread is " \
      "restored.")                                                                                 \
    X(failed_unlocked,                                                                             \
      "%w could not move %t back to the %k namespace it came from (%c: %e) and left it to other "  \
      "goroutines",                                                                                \
      "Fix: look at the error of the call at %l, and unlock only after it succeeded; else let "    \
      "the goroutine end locked, so that the thread ends with it.")                                \
    X(failed_worked_on,                                                                            \
      "%t could not go back to the %k namespace it came from (%c: %e) and worked on in the wrong " \
      "one",                                                                                       \
      "Fix: look at the result of the call at %l; a thread that cannot go back must try again or " \
      "end.")                                                                                      \
    X(failed_lives_on,                                                                             \
      "%t could not go back to the %k namespace it came from (%c: %e) and lives on in the wrong "  \
      "one",                                                                                       \
      "Fix: look at the result of the call at %l; a thread that cannot go back must try again or " \
      "end.")                                                                                      \
    X(failed_kept, "%t could not go back to the %k namespace it came from (%c: %e)", NULL)         \
    X(while_unlocked, "%w is no longer locked to %t, which is still in another %k namespace",      \
      "Whatever the scheduler runs on this thread next, it runs in the wrong namespace.\n"         \
      "Fix: setns the thread back after the switch at %l and before runtime.UnlockOSThread(), or " \
      "do not unlock: the thread then ends with its goroutine.")                                   \
    X(while_other,                                                                                 \
      "other goroutines run on %t, which %w moved to another %k namespace and left there",         \
      "Whatever the scheduler runs on this thread next, it runs in the wrong namespace.\n"         \
      "Fix: setns the thread back after the switch at %l and before runtime.UnlockOSThread(), or " \
      "do not unlock: the thread then ends with its goroutine.")                                   \
    X(while_unlocked_main, "%w is no longer locked to %t, which is still in another %k namespace", \
      "Whatever the scheduler runs on this thread next, it runs in the wrong namespace.\n"         \
      "Fix: setns the thread back after the switch at %l and before runtime.UnlockOSThread(). A "  \
      "goroutine that ends while it is locked to the main thread leaves that thread there for "    \
      "good.")                                                                                     \
    X(while_unpinned, "%t was unpinned while it was in another %k namespace",                      \
      "Fix: setns the thread back after the switch at %l and before nsdrift_thread_unpin().")      \
    X(split, "%w called %c on %t, but the thread that it moved to another %k namespace is %T",     \
      "Fix: call runtime.LockOSThread() before %s, and keep it until the thread is restored or "   \
      "the process execs.")                                                                        \
    X(split_restore,                                                                               \
      "%t called %c for the %k namespace that it was in already; %T, which opened the "            \
      "descriptor, is still in another one",                                                       \
      "Fix: keep what follows the switch at %s on the thread that made it.")                       \
    X(split_mount,                                                                                 \
      "%T made a mnt namespace and did nothing in it; %t made the mount that followed, in the "    \
      "old one",                                                                                   \
      "Fix: keep what follows the switch at %s on the thread that made it.")                       \
    X(exec_own,                                                                                    \
      "%w execs on %t, but the thread that it moved to another %k namespace is %T, which the "     \
      "exec ends",                                                                                 \
      "Fix: call runtime.LockOSThread() before %s, and keep it until the exec.")                   \
    X(exec_others, "%w execs on %t while %T is in another %k namespace; the exec ends %T", NULL)   \
    X(exec_becomes,                                                                                \
      "%t execs and takes over the process id; its thread id in paths and arguments is no longer " \
      "valid",                                                                                     \
      NULL)                                                                                        \
    X(main_wedged,                                                                                 \
      "the Go runtime has parked %t for good in another %k namespace: a goroutine ended while it " \
      "was locked to it",                                                                          \
      "To all other processes, /proc/PID/ns now shows that namespace as the process's.\n"          \
      "Fix: do not end a goroutine that switched at %l on the main thread; keep the main thread "  \
      "busy by locking main in an init function.")                                                 \
    X(main_wedged_private,                                                                         \
      "the Go runtime has parked %t for good with a %k of its own: a goroutine ended while it "    \
      "was locked to it",                                                                          \
      NULL)                                                                                        \
    X(main_unlocked, "%t is in another %k namespace, and no goroutine is locked to it",            \
      "Fix: call runtime.LockOSThread() before %l, and unlock only after the thread is restored.") \
    X(main_ended,                                                                                  \
      "%t ended by pthread_exit while it was in another %k namespace, and the process goes on",    \
      "Fix: setns back before pthread_exit, or switch another thread.")                            \
    X(main_over,                                                                                   \
      "%t is in another %k namespace although the function that entered it has returned",          \
      "Fix: setns back on every path that leads out of the function that switches at %l.")         \
    X(main_sibling,                                                                                \
      "%t moved to another %k namespace for good, but not the threads that it left behind: %T "    \
      "used the old one",                                                                          \
      "Only the calling thread moves; the others stay where they are.\n"                           \
      "Fix: switch before the first thread is made, or on every thread that the program uses "     \
      "there.")                                                                                    \
    X(main_at_end, "%t is in another %k namespace at the end", NULL)                               \
    X(born_by_go,                                                                                  \
      "the Go runtime created %t from %T, which was in another %k namespace: %t starts there, "    \
      "too",                                                                                       \
      "The scheduler may run any goroutine on it, and threads that it creates start there, too.\n" \
      "Fix: call runtime.LockOSThread() before the switch: the runtime creates no thread from a "  \
      "locked one.")                                                                               \
    X(born_there, "%t was created by %T in another %k namespace and has stayed there", NULL)       \
    X(born_in_visit, "%T created %t in another %k namespace and went back; %t stayed there",       \
      "Fix: make the call at %l, which creates the thread, before the switch at %s or after the "  \
      "setns back.")                                                                               \
    X(left_unlocked, "%t is left in another %k namespace, and no goroutine is locked to it",       \
      "Fix: call runtime.LockOSThread() before %l, and unlock only after the thread is restored.") \
    X(left_over,                                                                                   \
      "%t was left in another %k namespace: the function that entered it returned without going "  \
      "back",                                                                                      \
      "Fix: setns back on every path that leads out of the function that switches at %l.")         \
    X(left_lives_on, "%t lives on in another %k namespace", NULL)                                  \
    X(died, "%t ended in another %k namespace", NULL)                                              \
    X(died_meant, "%t ended in another %k namespace, from which it was meant to come back",        \
      "Fix: setns back on every path that leads out of the function that switches at %s.")

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
    for (unsigned kind = 0; finding->kinds != 0 && kind < NSD_KINDS; kind++)
        CHECK((finding->kinds & NSD_KIND_BIT(kind)) != 0 ||
              (finding->before[kind] == NULL && finding->after[kind] == NULL &&
               finding->home[kind] == NULL));
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
