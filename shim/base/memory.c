/*
 * Bytes, strings and hashes without libc, see memory.h. Also the four functions that a compiler
 * calls by itself (memcpy, memmove, memset, memcmp): hidden, so that the host keeps its own.
 * Called from every hook, from signal handlers and from fork children.
 */
#include "base/memory.h"
#include "base/syscall.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* A word that may stand at any address and alias any type, as copied bytes do. */
typedef uint64_t any_word __attribute__((aligned(1), may_alias));
/* Two words: every 64-bit machine can store 16 bytes by one instruction. */
typedef uint64_t any_words __attribute__((vector_size(16), aligned(1), may_alias));

/*
 * Stands in each loop of memcpy and the like: without it the compiler recognises the loop and
 * replaces it by a call of memcpy, which then calls itself for ever.
 */
#define NO_IDIOM() __asm__ volatile("" : : : "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    unsigned char *out = to;
    const unsigned char *in = from;

    /* Both words are loaded before either is stored: memmove comes here with parts that overlap. */
    for (; size >= 2 * sizeof(any_words); size -= 2 * sizeof(any_words)) {
        any_words first = ((const any_words *) in)[0], second = ((const any_words *) in)[1];

        ((any_words *) out)[0] = first;
        ((any_words *) out)[1] = second;
        out += 2 * sizeof(any_words);
        in += 2 * sizeof(any_words);
        NO_IDIOM();
    }
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

const void *memory__find(const void *haystack, size_t haystack_size, const void *needle,
                         size_t needle_size) {
    const unsigned char *at = haystack;
    const unsigned char *pattern = needle;

    if (needle_size == 0 || haystack_size < needle_size)
        return needle_size == 0 ? haystack : NULL;
    for (size_t i = 0; i <= haystack_size - needle_size; i++) {
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

size_t memory__try_parts(const struct nsd_memory_part *to, unsigned targets,
                         const struct nsd_memory_part *from, unsigned sources) {
    long result;

    if (sys__is_forbidden())
        return 0;
    result = SYS6(__NR_process_vm_readv, sys__gettid(), to, targets, from, sources, 0);
    return result > 0 ? (size_t) result : 0;
}

size_t memory__try_copy(void *to, const void *from, size_t size) {
    struct nsd_memory_part target = {to, size}, source = {from, size};

    return memory__try_parts(&target, 1, &source, 1);
}

bool memory__can_read(const void *const *places, unsigned count) {
    struct nsd_memory_part source[MEMORY_PLACES];
    char bytes[MEMORY_PLACES];
    struct nsd_memory_part target = {bytes, count};

    if (sys__is_forbidden() || count == 0)
        return true;
    for (unsigned i = 0; i < count; i++)
        source[i] = (struct nsd_memory_part){places[i], 1};
    return memory__try_parts(&target, 1, source, count) == count;
}

bool memory__try_string(char *to, size_t size, const char *from) {
    size_t done = 0;

    /* One page at a time: the page after the string's end may be unmapped. */
    while (done + 1 < size) {
        size_t left = size - 1 - done;
        size_t in_page = NSD_PAGE_SIZE - ((uintptr_t) (from + done) & (NSD_PAGE_SIZE - 1));
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
