/*
 * Wrappers of open under all its names. Programs open files all the time, so nothing is done before
 * the call, and after it the first bytes of the path decide whether it is handed over. Called by
 * the host.
 */
#include "host/proc_path.h"
#include "probes/libc/entrance.h"
#include <stdarg.h>

/* The watch condition PATH_1 or PATH_2 (shim/calls/table.h): asked here, where it costs no call. */
static inline bool is_watched(const char *path, int fd) {
    return nsd_on && fd >= 0 && proc_path__may_lead(path);
}

/* Passed on in any case: libc reads the mode only with O_CREAT or O_TMPFILE. */
#define NSD_MODE(mode, last)                                                                       \
    do {                                                                                           \
        va_list rest_;                                                                             \
                                                                                                   \
        va_start(rest_, last);                                                                     \
        mode = va_arg(rest_, long);                                                                \
        va_end(rest_);                                                                             \
    } while (0)

#define NSD_OPENED(name, fd, path, ...)                                                            \
    do {                                                                                           \
        struct nsd_ongoing ongoing_;                                                               \
                                                                                                   \
        if (is_watched(path, fd)) {                                                                \
            NSD_BEGIN(&ongoing_, name, NSD_SITE(), __VA_ARGS__);                                   \
            entrance__after(&ongoing_, fd);                                                        \
        }                                                                                          \
    } while (0)

#define NSD_WRAPPER_OF_OPEN(name)                                                                  \
    int name(const char *path, int flags, ...) {                                                   \
        long mode;                                                                                 \
        int fd;                                                                                    \
                                                                                                   \
        NSD_MODE(mode, flags);                                                                     \
        fd = NEXT(name)(path, flags, mode);                                                        \
        NSD_OPENED(name, fd, path, path, flags, mode);                                             \
        return fd;                                                                                 \
    }
NSD_WRAPPER_OF_OPEN(open)
NSD_WRAPPER_OF_OPEN(open64)

#define NSD_WRAPPER_OF_OPENAT(name)                                                                \
    int name(int folder, const char *path, int flags, ...) {                                       \
        long mode;                                                                                 \
        int fd;                                                                                    \
                                                                                                   \
        NSD_MODE(mode, flags);                                                                     \
        fd = NEXT(name)(folder, path, flags, mode);                                                \
        NSD_OPENED(name, fd, path, folder, path, flags, mode);                                     \
        return fd;                                                                                 \
    }
NSD_WRAPPER_OF_OPENAT(openat)
NSD_WRAPPER_OF_OPENAT(openat64)

/* With _FORTIFY_SOURCE the compiler calls these where the flags are no constant. */
#define NSD_WRAPPER_OF_FIXED_OPEN(name, parameters, ...)                                           \
    int name parameters {                                                                          \
        int fd = NEXT(name)(__VA_ARGS__);                                                          \
                                                                                                   \
        NSD_OPENED(name, fd, path, __VA_ARGS__);                                                   \
        return fd;                                                                                 \
    }
NSD_WRAPPER_OF_FIXED_OPEN(__open_2, (const char *path, int flags), path, flags)
NSD_WRAPPER_OF_FIXED_OPEN(__open64_2, (const char *path, int flags), path, flags)
NSD_WRAPPER_OF_FIXED_OPEN(__openat_2, (int folder, const char *path, int flags), folder, path,
                          flags)
NSD_WRAPPER_OF_FIXED_OPEN(__openat64_2, (int folder, const char *path, int flags), folder, path,
                          flags)
NSD_WRAPPER_OF_FIXED_OPEN(openat2, (int folder, const char *path, const void *how, size_t size),
                          folder, path, how, size)
