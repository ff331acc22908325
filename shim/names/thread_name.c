/*
 * A thread's name from /proc/self/task/TID/comm, see thread_name.h.
 */
#include "names/thread_name.h"
#include "base/syscall.h"
#include "base/text.h"

bool thread_name__read(int32_t tid, char name[NSD_THREAD_NAME_MOST]) {
    char path[64];
    struct nsd_text text;
    long fd, length;

    text__begin(&text, path, sizeof path);
    text__put(&text, "/proc/self/task/");
    text__signed(&text, tid);
    text__put(&text, "/comm");
    fd = sys__openat(AT_FDCWD, text__string(&text), O_RDONLY | O_CLOEXEC, 0);
    if (SYS_IS_ERROR(fd))
        return false;
    length = sys__read((int) fd, name, NSD_THREAD_NAME_MOST - 1);
    sys__close((int) fd);
    if (length <= 0)
        return false;
    name[name[length - 1] == '\n' ? length - 1 : length] = '\0';
    return true;
}
