/*
 * main enters a namespace, makes a std::thread there that belongs to it, and goes home: libstdc++
 * makes the thread in its caller's name, not behind its back. Must be reported: no error, no warning.
 */
#include <condition_variable>
#include <cstdio>
#include <fcntl.h>
#include <mutex>
#include <sched.h>
#include <thread>
#include <unistd.h>

static std::mutex lock;
static std::condition_variable changed;
static int started;
static bool over;

static void work() {
    std::unique_lock<std::mutex> held(lock);
    started++;
    changed.notify_all();
    changed.wait(held, [] { return over; });
}

static int other_network() {
    int fd = -1;
    std::thread([&] {
        if (unshare(CLONE_NEWNET) == 0)
            fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    }).join();
    return fd;
}

__attribute__((noinline)) static std::thread visit(int other, int home) {
    if (setns(other, CLONE_NEWNET) != 0)
        perror("setns");
    std::thread worker(work);
    if (setns(home, CLONE_NEWNET) != 0)
        perror("setns home");
    return worker;
}

int main() {
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), other = other_network();
    std::thread beside(work);
    std::thread first = visit(other, home), second = visit(other, home);
    {
        std::unique_lock<std::mutex> held(lock);
        changed.wait(held, [] { return started == 3; });
    }
    puts("done");
    fflush(stdout);
    _exit(0);
}
