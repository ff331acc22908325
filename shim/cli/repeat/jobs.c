/*
 * Starts and ends runs, see jobs.h. Each has a process group, so that a run that hangs can be
 * killed with its children. Its standard input is empty; its output goes to a file without a name,
 * of which the table shows the end if the run failed.
 */
#include "cli/repeat/jobs.h"
#include "cli/inject/follow.h"
#include "cli/inject/inject.h"
#include "cli/inject/obstacles.h"
#include "cli/read/folder.h"
#include "cli/say.h"
#include "cli/watch/child.h"
#include "cli/watch/preload.h"
#include "cli/watch/verdict.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
#define TAKEN (sizeof taken / sizeof taken[0])

static struct sigaction before[TAKEN];
static sigset_t mask_before;
static volatile sig_atomic_t interrupts;

double jobs__now(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* ---- signals: blocked but for the time of jobs__wait ---- */

static void on_signal(int signal) {
    if (signal != SIGCHLD)
        interrupts = interrupts + 1;
}

void jobs__take_signals(void) {
    struct sigaction action;
    sigset_t mask;

    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    sigemptyset(&mask);
    action.sa_handler = on_signal;
    for (size_t i = 0; i < TAKEN; i++)
        sigaddset(&mask, taken[i]);
    sigprocmask(SIG_BLOCK, &mask, &mask_before);
    for (size_t i = 0; i < TAKEN; i++) {
        sigaction(taken[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN || taken[i] == SIGCHLD)
            sigaction(taken[i], &action, NULL);
    }
}

void jobs__give_signals_back(void) {
    for (size_t i = 0; i < TAKEN; i++)
        sigaction(taken[i], &before[i], NULL);
    sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

unsigned jobs__interrupts(void) {
    return (unsigned) interrupts;
}

void jobs__wait(double seconds) {
    struct timespec timeout = {.tv_sec = (time_t) seconds};
    sigset_t mask = mask_before;

    timeout.tv_nsec = (long) ((seconds - (double) timeout.tv_sec) * 1e9);
    for (size_t i = 0; i < TAKEN; i++)
        sigdelset(&mask, taken[i]);
    /* A SIGCHLD that came before this call is pending, and ends the sleep at once. */
    if (ppoll(NULL, 0, &timeout, &mask) < 0 && errno != EINTR)
        nanosleep(&timeout, NULL);
}

/* ---- starting ---- */

/*
 * In the child: gives it a group of its own, no input, its own output, and the signals as nsdrift
 * got them.
 */
static void prepare(const struct nsd_job *job) {
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

    setpgid(0, 0);
    dup2(nothing, STDIN_FILENO);
    dup2(fileno(job->output), STDOUT_FILENO);
    dup2(fileno(job->output), STDERR_FILENO);
    jobs__give_signals_back();
}

static void tell_error(int tell, int error) {
    while (write(tell, &error, sizeof error) < 0 && errno == EINTR)
        ;
    _exit(127);
}

/* The reason goes to the run's own output, whose end the table shows. */
static void tell_refusal(const char *why, int tell) {
    if (why != NULL)
        command__say("%s", why);
    tell_error(tell, ENOEXEC);
}

/*
 * For a static Go program: this process starts it, injects the library, and ends as the program
 * does.
 */
static void run_injected(const struct nsd_job_plan *plan, const char *options, int tell) {
    char **environment = preload__environment_without();
    static struct nsd_injector injector;
    struct nsd_child child = {0};
    struct nsd_holder holder;

    inject__holder(&injector, &holder);
    if (environment == NULL || !inject__begin(&injector, plan->library, options) ||
        !inject__program(&injector, plan->program->path, plan->program->image) ||
        !obstacles__none(&injector.refusal))
        tell_error(tell, ENOEXEC);
    if (!child__run(&child, plan->program->path, plan->arguments, environment, &holder) ||
        refusal__is_said(&injector.refusal))
        tell_error(tell, child.error != 0 ? child.error : ENOEXEC);
    _exit(verdict__of_program(child.status));
}

/*
 * The same with a follower, which puts the library into the static Go programs that the program
 * executes.
 */
static void run_followed(const struct nsd_job_plan *plan, const struct nsd_job *job,
                         const char *options, int tell) {
    bool injected = plan->program->state == NSD_PROGRAM_INJECTABLE;
    char **environment =
        injected ? preload__environment_without()
                 : preload__environment(plan->library, options, plan->program->needs_asan);
    static struct nsd_follower follower;
    struct nsd_child child = {0};
    struct nsd_holder holder;

    if (environment == NULL || !follow__begin(&follower, plan->library, options,
                                              job->collection.folder, plan->program, false))
        tell_refusal(follow__why(&follower), tell);
    follow__holder(&follower, &holder);
    if (!child__run(&child, plan->program->path, plan->arguments, environment, &holder) ||
        follow__prevented(&follower))
        tell_refusal(follow__why(&follower), tell);
    _exit(verdict__of_program(child.status));
}

static pid_t start_program(const struct nsd_job_plan *plan, const struct nsd_job *job, int tell,
                           const char *options, char **environment) {
    pid_t pid = fork();

    if (pid > 0)
        setpgid(pid, pid); /* in both processes, since either may run first */
    if (pid != 0)
        return pid;
    prepare(job);
    if (plan->follow_static)
        run_followed(plan, job, options, tell);
    if (plan->program->state == NSD_PROGRAM_INJECTABLE)
        run_injected(plan, options, tell);
    execvpe(plan->program->path, plan->arguments, environment);
    tell_error(tell, errno);
    return 0;
}

bool jobs__start(const struct nsd_job_plan *plan, struct nsd_job *job, uint64_t number) {
    char **environment = NULL, *options, text[32];
    int ends[2] = {-1, -1};

    memset(job, 0, sizeof *job);
    job->start_end = -1;
    if (!folder__begin(&job->collection))
        return false;
    folder__keep_all(&job->collection); /* runs are compared by the order of their events */
    job->number = number;
    snprintf(text, sizeof text, "%llu", (unsigned long long) number);
    setenv("NSDRIFT_RUN", text, 1);
    job->output = tmpfile();
    options = folder__options(&job->collection);
    if (options != NULL)
        environment = preload__environment(plan->library, options, plan->program->needs_asan);
    if (environment != NULL && job->output != NULL && pipe2(ends, O_CLOEXEC) == 0) {
        fflush(NULL);
        job->began = jobs__now();
        job->pid = job->program = start_program(plan, job, ends[1], options, environment);
    }
    if (job->pid <= 0)
        command__say("run %s cannot be started: %s", text, strerror(errno));
    job->start_end = ends[0];
    if (ends[1] >= 0)
        close(ends[1]);
    preload__free(environment);
    free(options);
    if (job->pid > 0)
        return true;
    jobs__end(job);
    return false;
}

/* ---- over ---- */

static bool start_check(const struct nsd_job_plan *plan, struct nsd_job *job) {
    char number[32], status[32];

    snprintf(number, sizeof number, "%llu", (unsigned long long) job->number);
    snprintf(status, sizeof status, "%d", verdict__of_program(job->status));
    fflush(NULL);
    job->checking = true;
    job->pid = fork();
    if (job->pid == 0) {
        prepare(job);
        setenv("NSDRIFT_RUN", number, 1);
        setenv("NSDRIFT_STATUS", status, 1);
        execl("/bin/sh", "sh", "-c", plan->check, (char *) NULL);
        _exit(127);
    }
    if (job->pid > 0)
        setpgid(job->pid, job->pid);
    return job->pid > 0;
}

static void read_start(struct nsd_job *job) {
    int error = 0;

    if (job->start_end < 0)
        return;
    if (read(job->start_end, &error, sizeof error) == (ssize_t) sizeof error)
        job->error = error;
    close(job->start_end);
    job->start_end = -1;
}

bool jobs__over(const struct nsd_job_plan *plan, struct nsd_job *job) {
    int status;
    pid_t ended;

    if (job->number == 0)
        return false;
    ended = waitpid(job->pid, &status, WNOHANG);
    if (ended == 0) {
        if (plan->patience > 0 && !job->late && jobs__now() - job->began > plan->patience) {
            job->late = true;
            jobs__signal(job, SIGKILL);
        }
        return false;
    }
    if (job->checking) {
        job->verdict = status;
        job->pid = 0;
        return true;
    }
    job->status = status;
    read_start(job);
    /* Kills what is left of its group: nothing of a run outlives it. */
    if (job->late)
        jobs__signal(job, SIGKILL);
    /* A static or followed program is a child of the process that we started. */
    folder__read(
        &job->collection,
        plan->follow_static || plan->program->state == NSD_PROGRAM_INJECTABLE ? 0 : job->program,
        3);
    if (job->error == 0 && !job->late && plan->check != NULL && interrupts == 0 &&
        start_check(plan, job))
        return false;
    job->pid = 0;
    return true;
}

bool jobs__passed(const struct nsd_job_plan *plan, const struct nsd_job *job) {
    int status = plan->check != NULL ? job->verdict : job->status;

    return !job->late && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const char *jobs__unjudged(const struct nsd_job_plan *plan, const struct nsd_job *job) {
    const struct nsd_ending ending = {.pid = job->program,
                                      .status = job->status,
                                      .is_known_unwatched =
                                          !program__can_be_watched(plan->program)};
    struct nsd_gaps gaps;
    enum nsd_gap gap;

    gaps__find(&gaps, &job->collection, &ending);
    gap = gaps__first_that_counts(&gaps, plan->strict);
    return gap == NSD_GAP_COUNT ? NULL : gap__why(gap, gaps.of[gap].first);
}

void jobs__signal(const struct nsd_job *job, int signal) {
    if (job->pid > 0)
        kill(-job->pid, signal);
}

void jobs__end(struct nsd_job *job) {
    if (job->start_end >= 0)
        close(job->start_end);
    if (job->output != NULL)
        fclose(job->output);
    folder__end(&job->collection);
    memset(job, 0, sizeof *job);
    job->start_end = -1;
}
