/*
 * Bytes, strings and hashes without libc, and the four functions that compilers call on their own
 * (memcpy, memmove, memset, memcmp), hidden. Reached from every hook, from signal handlers and
 * from fork children.
 */
#include "base/memory.h"
#include "base/syscall.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* A word at any address: what is copied has any alignment and any type. */
typedef uint64_t any_word __attribute__((aligned(1), may_alias));
/* Two of them, as every 64-bit machine stores them at once. */
typedef uint64_t any_words __attribute__((vector_size(16), aligned(1), may_alias));

/* Keeps the compiler from turning a loop back into a call of the function that it is in. */
#define NO_IDIOM() __asm__ volatile("" : : : "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    unsigned char *out = to;
    const unsigned char *in = from;

    for (; size >= sizeof(any_word); size -= sizeof(any_word)) {
        *(any_word *) out = *(const any_word *) in;
        out += sizeof(any_word);
        in += sizeof(any_word);
        NO_IDIOM();
    }
    while (size-- > 0) {
        *out++ = *in++;
        NO_IDIOM();
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    unsigned char *out = to;
    const unsigned char *in = from;

    if (out <= in || out >= in + size)
        return memcpy(to, from, size);
    while (size-- > 0) {
        out[size] = in[size];
        NO_IDIOM();
    }
    return to;
}

void *memset(void *to, int byte, size_t size) {
    unsigned char *out = to;
    any_word pattern = (unsigned char) byte * 0x0101010101010101ull;
    any_words patterns = {pattern, pattern};

    for (; size >= 2 * sizeof patterns; size -= 2 * sizeof patterns) {
        ((any_words *) out)[0] = patterns;
        ((any_words *) out)[1] = patterns;
        out += 2 * sizeof patterns;
        NO_IDIOM();
    }
    for (; size >= sizeof pattern; size -= sizeof pattern) {
        *(any_word *) out = pattern;
        out += sizeof pattern;
        NO_IDIOM();
    }
    while (size-- > 0) {
        *out++ = (unsigned char) byte;
        NO_IDIOM();
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size) {
    const unsigned char *left = a, *right = b;

    for (size_t i = 0; i < size; i++) {
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}

void memory__copy(void *to, const void *from, size_t size) {
    memmove(to, from, size);
}

void memory__fill(void *to, int byte, size_t size) {
    memset(to, byte, size);
}

bool memory__equal(const void *a, const void *b, size_t size) {
    return memcmp(a, b, size) == 0;
}

const void *memory__find(const void *hay, size_t hay_size, const void *needle, size_t needle_size) {
    const unsigned char *at = hay;
    const unsigned char *pattern = needle;

    if (needle_size == 0 || hay_size < needle_size)
        return needle_size == 0 ? hay : NULL;
    for (size_t i = 0; i <= hay_size - needle_size; i++) {
        if (at[i] == pattern[0] && memcmp(at + i, pattern, needle_size) == 0)
            return at + i;
    }
    return NULL;
}

size_t string__length(const char *string) {
    size_t length = 0;

    while (string[length] != '\0') {
        length++;
        NO_IDIOM();
    }
    return length;
}

bool string__equal(const char *a, const char *b) {
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool string__begins(const char *string, const char *prefix) {
    while (*prefix != '\0') {
        if (*string++ != *prefix++)
            return false;
    }
    return true;
}

const char *string__base_name(const char *path) {
    const char *base = path;

    for (; *path != '\0'; path++) {
        if (*path == '/')
            base = path + 1;
    }
    return base;
}

/* struct iovec without its header. */
struct io_vector {
    const void *base;
    size_t size;
};

static bool only_own_calls;

void memory__only_own_calls(void) {
    only_own_calls = true;
}

bool memory__is_quiet(void) {
    return only_own_calls;
}

size_t memory__try_copy(void *to, const void *from, size_t size) {
    struct io_vector local = {to, size}, remote = {from, size};
    long result;

    if (only_own_calls)
        return 0;
    result = SYS6(__NR_process_vm_readv, sys__gettid(), &local, 1, &remote, 1, 0);
    return result > 0 ? (size_t) result : 0;
}

bool memory__can_read(const void *const *places, unsigned count) {
    struct io_vector local[1], remote[MEMORY_PLACES];
    char bytes[MEMORY_PLACES];

    if (only_own_calls || count == 0)
        return true;
    for (unsigned i = 0; i < count; i++)
        remote[i] = (struct io_vector){places[i], 1};
    local[0] = (struct io_vector){bytes, count};
    return SYS6(__NR_process_vm_readv, sys__gettid(), local, 1, remote, count, 0) == (long) count;
}

#define PAGE 4096u

bool memory__try_string(char *to, size_t size, const char *from) {
    size_t done = 0;

    /* Page by page: the string may end right before memory that is not there. */
    while (done + 1 < size) {
        size_t left = size - 1 - done;
        size_t in_page = PAGE - ((uintptr_t) (from + done) & (PAGE - 1));
        size_t got = memory__try_copy(to + done, from + done, left < in_page ? left : in_page);

        if (got == 0)
            return false;
        for (size_t i = 0; i < got; i++) {
            if (to[done + i] == '\0')
                return true;
        }
        done += got;
    }
    to[size - 1] = '\0';
    return true;
}

#define FNV_PRIME 0x100000001b3ull

uint64_t hash__bytes(uint64_t hash, const void *bytes, size_t size) {
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * FNV_PRIME;
    return hash;
}
