/*
 * The injection, see inject.h: maps the library's segments from its file as a loader would, applies
 * its relocations, hands over a block of memory and runs its entry. Whatever fails ends a child
 * that has not begun.
 */
#include "cli/inject.h"
#include "probes/process/injection.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)
/* What the block and its strings take at most, and the stack on which the library begins. */
#define BLOCK_ROOM (32 * PAGE)
#define STACK_ROOM (UINT64_C(1) << 20)
#define ALIGNMENT_MOST (UINT64_C(1) << 21)
#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif

static bool refuse(struct nsd_injector *injector, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(struct nsd_injector *injector, const char *format, ...) {
    va_list arguments;

    if (injector->why[0] != '\0')
        return false;
    va_start(arguments, format);
    vsnprintf(injector->why, sizeof injector->why, format, arguments);
    va_end(arguments);
    return false;
}

static bool refuse_call(struct nsd_injector *injector, const char *what, int64_t answer) {
    if (injector->remote.gone && WIFSIGNALED(injector->remote.status))
        return refuse(
            injector, "%s could not be watched: it was killed by signal %d when it was to %s%s",
            injector->program, WTERMSIG(injector->remote.status), what,
            WTERMSIG(injector->remote.status) == SIGSYS ? " (a seccomp filter is in force)" : "");
    return refuse(injector, "%s could not be watched: it cannot %s: %s", injector->program, what,
                  strerror(answer < 0 ? (int) -answer : EIO));
}

static bool is_error(int64_t answer) {
    return answer < 0 && answer >= -4095;
}

/* ---- what stands in the way ---- */

/* A filter that came before us may answer ptrace, or kill for it: a child tries. */
static bool filter_lets_trace(void) {
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        signal(SIGSYS, SIG_DFL);
        _exit(syscall(SYS_ptrace, 0L /* PTRACE_TRACEME */, 0L, 0L, 0L) == 0 ? 0 : 1);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The number behind a word at the start of a line of a file; 0 if there is none. */
static uint64_t number_in(const char *path, const char *word, int base) {
    FILE *file = fopen(path, "re");
    uint64_t number = 0;
    char line[256];

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, word, strlen(word)) == 0) {
            number = strtoull(line + strlen(word), NULL, base);
            break;
        }
    }
    if (file != NULL)
        fclose(file);
    return number;
}

#define CAPABILITY_PTRACE 19

/*
 * Root regains by an exec what it has laid down, but not under a tracer that may not trace anybody
 * (cap_bprm_creds_from_file, security/commoncap.c).
 */
static bool would_lose_capabilities(void) {
    static const char own[] = "/proc/self/status";
    uint64_t permitted = number_in(own, "CapPrm:", 16), effective = number_in(own, "CapEff:", 16);
    uint64_t bounding = number_in(own, "CapBnd:", 16);

    return geteuid() == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 &&
           (effective >> CAPABILITY_PTRACE & 1) == 0 && (bounding & ~permitted) != 0;
}

static bool check_obstacles(struct nsd_injector *injector) {
    int protection = prctl(PR_GET_MDWE, 0, 0, 0, 0);

    if (protection > 0 && (protection & 1) != 0)
        return refuse(injector,
                      "%s could not be watched: memory may not become executable here (MDWE)",
                      injector->program);
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1 && geteuid() != 0)
        return refuse(injector,
                      "%s could not be watched: nsdrift runs with PR_SET_DUMPABLE 0, and its "
                      "children cannot be traced",
                      injector->program);
    if (would_lose_capabilities())
        return refuse(injector,
                      "%s could not be watched: without CAP_SYS_PTRACE it would be started with "
                      "fewer capabilities than it has otherwise",
                      injector->program);
    if (number_in("/proc/self/status", "Seccomp:", 10) == 2 && !filter_lets_trace())
        return refuse(injector,
                      "%s could not be watched: the seccomp filter in force here allows no ptrace",
                      injector->program);
    return true;
}

static bool check_library(struct nsd_injector *injector) {
    const Elf64_Ehdr *elf = elf_image__header(&injector->shim);
    const Elf64_Phdr *segment = elf_image__segment(&injector->shim, 0);

    if (elf == NULL || elf->e_type != ET_DYN || elf->e_entry == 0 || segment == NULL)
        return refuse(injector, "%s cannot be put into a static program: it has no entry for that",
                      injector->library);
    return true;
}

bool inject__begin(struct nsd_injector *injector, const char *library, const char *options,
                   const char *program) {
    uint64_t ignored;

    memset(injector, 0, sizeof *injector);
    injector->library = library;
    injector->options = options;
    injector->program = program;
    if (!elf_image__open(&injector->shim, library))
        return refuse(injector, "%s: %s", library, strerror(errno));
    if (!elf_image__open(&injector->image, program))
        return refuse(injector, "%s: %s", program, strerror(errno));
    if (!elf_image__system_call(&injector->image, &ignored))
        return refuse(injector, "%s could not be watched: its headers lead to no code", program);
    return check_library(injector) && check_obstacles(injector);
}

void inject__end(struct nsd_injector *injector) {
    elf_image__close(&injector->shim);
    elf_image__close(&injector->image);
}

bool inject__seize(struct nsd_injector *injector, pid_t pid) {
    uint64_t scope;
    int error = remote__seize(&injector->remote, pid);

    if (error == 0)
        return true;
    scope = number_in("/proc/sys/kernel/yama/ptrace_scope", "", 10);
    if (scope >= 2)
        return refuse(injector, "%s could not be watched: ptrace_scope is %u here%s",
                      injector->program, (unsigned) scope,
                      scope == 2 ? ", which asks for CAP_SYS_PTRACE" : "");
    return refuse(injector, "%s could not be watched: it cannot be traced: %s", injector->program,
                  strerror(error));
}

/* ---- the program, as the kernel has started it ---- */

static uint64_t entry_of(pid_t pid) {
    Elf64_auxv_t vector[64];
    char path[64];
    uint64_t entry = 0;
    ssize_t size;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/auxv", (int) pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    size = fd >= 0 ? read(fd, vector, sizeof vector) : -1;
    if (fd >= 0)
        close(fd);
    for (size_t i = 0; size > 0 && i < (size_t) size / sizeof vector[0]; i++) {
        if (vector[i].a_type == AT_ENTRY)
            entry = vector[i].a_un.a_val;
    }
    return entry;
}

/* That it is the file we have looked at, and where a system call stands in it. */
static bool find_program(struct nsd_injector *injector) {
    const Elf64_Ehdr *elf = elf_image__header(&injector->image);
    static const unsigned char expected[] = {0x0f, 0x05};
    unsigned char there[sizeof expected];
    struct stat status;
    uint64_t address;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/exe", (int) injector->remote.pid);
    if (stat(path, &status) != 0 || status.st_dev != injector->image.device ||
        status.st_ino != injector->image.inode)
        return refuse(injector, "%s could not be watched: something else was started in its place",
                      injector->program);
    if (!elf_image__system_call(&injector->image, &address))
        return false;
    address += entry_of(injector->remote.pid) - elf->e_entry;
    if (!remote__read(&injector->remote, address, there, sizeof there) ||
        memcmp(there, expected, sizeof there) != 0)
        return refuse(injector, "%s could not be watched: its memory is not what its headers say",
                      injector->program);
    injector->remote.system_call = address;
    return true;
}

/* ---- the library ---- */

/* Where it goes, and its bytes as they will stand there. */
struct placement {
    uint64_t base, low, high; /* of its addresses, whole pages */
    uint64_t alignment;
    unsigned char *bytes; /* from low on; owned */
    uint64_t block;       /* in the program */
};

static uint64_t down(uint64_t address) {
    return address & ~(PAGE - 1);
}

static uint64_t up(uint64_t address) {
    return down(address + PAGE - 1);
}

static int protection_of(const Elf64_Phdr *segment) {
    return ((segment->p_flags & PF_R) != 0 ? PROT_READ : 0) |
           ((segment->p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
           ((segment->p_flags & PF_X) != 0 ? PROT_EXEC : 0);
}

static bool measure(struct nsd_injector *injector, struct placement *placement) {
    const Elf64_Phdr *segment;

    placement->low = UINT64_MAX;
    placement->alignment = PAGE;
    for (unsigned i = 0; (segment = elf_image__segment(&injector->shim, i)) != NULL; i++) {
        if (segment->p_type != PT_LOAD)
            continue;
        if (segment->p_memsz < segment->p_filesz || segment->p_memsz > UINT32_MAX ||
            segment->p_vaddr > UINT32_MAX || segment->p_align > ALIGNMENT_MOST ||
            (segment->p_vaddr - segment->p_offset) % PAGE != 0 ||
            elf_image__part(&injector->shim, segment->p_offset, segment->p_filesz) == NULL)
            return refuse(injector, "%s: its headers are damaged", injector->library);
        if (down(segment->p_vaddr) < placement->low)
            placement->low = down(segment->p_vaddr);
        if (up(segment->p_vaddr + segment->p_memsz) > placement->high)
            placement->high = up(segment->p_vaddr + segment->p_memsz);
        if (segment->p_align > placement->alignment)
            placement->alignment = segment->p_align;
    }
    if (placement->high <= placement->low)
        return refuse(injector, "%s: its headers are damaged", injector->library);
    placement->bytes = calloc(1, placement->high - placement->low);
    if (placement->bytes == NULL)
        return refuse(injector, "out of memory");
    for (unsigned i = 0; (segment = elf_image__segment(&injector->shim, i)) != NULL; i++) {
        if (segment->p_type == PT_LOAD)
            memcpy(placement->bytes + (segment->p_vaddr - placement->low),
                   injector->shim.bytes + segment->p_offset, segment->p_filesz);
    }
    return true;
}

static bool reserve(struct nsd_injector *injector, struct placement *placement) {
    struct nsd_remote *remote = &injector->remote;
    uint64_t size = placement->high - placement->low;
    uint64_t spare = placement->alignment - PAGE, start;
    int64_t got = remote__call(remote, SYS_mmap, 0, size + spare, PROT_NONE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, UINT64_MAX, 0);

    if (is_error(got))
        return refuse_call(injector, "reserve memory", got);
    start = ((uint64_t) got + spare) & ~(placement->alignment - 1);
    placement->base = start - placement->low;
    if (start > (uint64_t) got)
        remote__call(remote, SYS_munmap, (uint64_t) got, start - (uint64_t) got, 0, 0, 0, 0);
    if (start + size < (uint64_t) got + size + spare)
        remote__call(remote, SYS_munmap, start + size, (uint64_t) got + spare - start, 0, 0, 0, 0);
    return true;
}

static bool map_segment(struct nsd_injector *injector, const struct placement *placement,
                        const Elf64_Phdr *segment, uint64_t fd) {
    struct nsd_remote *remote = &injector->remote;
    uint64_t from = placement->base + down(segment->p_vaddr);
    uint64_t file_end = placement->base + segment->p_vaddr + segment->p_filesz;
    uint64_t end = up(placement->base + segment->p_vaddr + segment->p_memsz);
    uint64_t protection = (uint64_t) protection_of(segment);
    int64_t got = 0;

    if (segment->p_filesz > 0)
        got = remote__call(remote, SYS_mmap, from, file_end - from, protection,
                           MAP_PRIVATE | MAP_FIXED, fd, down(segment->p_offset));
    else
        file_end = from;
    if (!is_error(got) && end > up(file_end))
        got = remote__call(remote, SYS_mmap, up(file_end), end - up(file_end), protection,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, UINT64_MAX, 0);
    return !is_error(got) || refuse_call(injector, "map the library", got);
}

static bool map_library(struct nsd_injector *injector, const struct placement *placement,
                        uint64_t path) {
    struct nsd_remote *remote = &injector->remote;
    const Elf64_Phdr *segment;
    bool mapped = true;
    int64_t fd =
        remote__call(remote, SYS_openat, (uint64_t) AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, 0, 0);

    if (is_error(fd))
        return refuse_call(injector, "open the library", fd);
    for (unsigned i = 0; mapped && (segment = elf_image__segment(&injector->shim, i)) != NULL;
         i++) {
        if (segment->p_type == PT_LOAD)
            mapped = map_segment(injector, placement, segment, (uint64_t) fd);
    }
    remote__call(remote, SYS_close, (uint64_t) fd, 0, 0, 0, 0, 0);
    return mapped;
}

/* ---- its relocations ---- */

/* The dynamic section's entries that are wanted, as file offsets and sizes; all of one array. */
struct dynamic {
    uint64_t rela, rela_size, relr, relr_size, jump, jump_size, symbols;
};

static void read_dynamic(const struct nsd_elf_image *shim, struct dynamic *found) {
    const Elf64_Phdr *segment;

    memset(found, 0, sizeof *found);
    for (unsigned i = 0; (segment = elf_image__segment(shim, i)) != NULL; i++) {
        const Elf64_Dyn *entry;

        if (segment->p_type != PT_DYNAMIC)
            continue;
        entry = elf_image__part(shim, segment->p_offset, segment->p_filesz);
        for (uint64_t k = 0; entry != NULL && k < segment->p_filesz / sizeof *entry; k++) {
            struct {
                int64_t tag;
                uint64_t *to;
            } const wanted[] = {
                {DT_RELA, &found->rela},      {DT_RELASZ, &found->rela_size},
                {DT_RELR, &found->relr},      {DT_RELRSZ, &found->relr_size},
                {DT_JMPREL, &found->jump},    {DT_PLTRELSZ, &found->jump_size},
                {DT_SYMTAB, &found->symbols},
            };

            for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++) {
                if (entry[k].d_tag == wanted[w].tag)
                    *wanted[w].to = entry[k].d_un.d_val;
            }
        }
    }
}

/* NULL outside the library. */
static unsigned char *word_at(struct nsd_injector *injector, const struct placement *placement,
                              uint64_t address) {
    if (address >= placement->low && address <= placement->high - sizeof(uint64_t))
        return placement->bytes + (address - placement->low);
    refuse(injector, "%s: its relocations are damaged", injector->library);
    return NULL;
}

static bool put_word(struct nsd_injector *injector, const struct placement *placement,
                     uint64_t address, uint64_t word) {
    unsigned char *at = word_at(injector, placement, address);

    if (at != NULL)
        memcpy(at, &word, sizeof word);
    return at != NULL;
}

/* The value of a symbol: weak ones that nobody defines stay null, and so libc's probes stay out. */
static bool symbol_value(struct nsd_injector *injector, const struct placement *placement,
                         const struct dynamic *dynamic, uint64_t number, uint64_t *value) {
    uint64_t at = elf_image__offset(&injector->shim, dynamic->symbols + number * sizeof(Elf64_Sym));
    const Elf64_Sym *symbol = elf_image__part(&injector->shim, at, sizeof *symbol);

    if (symbol == NULL ||
        (symbol->st_shndx == SHN_UNDEF && ELF64_ST_BIND(symbol->st_info) != STB_WEAK))
        return refuse(injector, "%s wants symbols of others", injector->library);
    *value = symbol->st_shndx == SHN_UNDEF ? 0 : placement->base + symbol->st_value;
    return true;
}

static bool relocate(struct nsd_injector *injector, const struct placement *placement,
                     const struct dynamic *dynamic, uint64_t table, uint64_t size) {
    const Elf64_Rela *entry =
        elf_image__part(&injector->shim, elf_image__offset(&injector->shim, table), size);

    if (size > 0 && entry == NULL)
        return refuse(injector, "%s: its relocations are damaged", injector->library);
    for (uint64_t i = 0; i < size / sizeof *entry; i++) {
        uint64_t value = placement->base, addend = (uint64_t) entry[i].r_addend;

        switch (ELF64_R_TYPE(entry[i].r_info)) {
        case R_X86_64_NONE:
            continue;
        case R_X86_64_RELATIVE:
            break;
        case R_X86_64_GLOB_DAT:
        case R_X86_64_JUMP_SLOT:
        case R_X86_64_64:
            if (!symbol_value(injector, placement, dynamic, ELF64_R_SYM(entry[i].r_info), &value))
                return false;
            if (ELF64_R_TYPE(entry[i].r_info) != R_X86_64_64)
                addend = 0;
            break;
        default:
            return refuse(injector, "%s has relocations of type %u", injector->library,
                          (unsigned) ELF64_R_TYPE(entry[i].r_info));
        }
        if (!put_word(injector, placement, entry[i].r_offset, value + addend))
            return false;
    }
    return true;
}

/* One word of the packed form: the base is added to what stands at the address. */
static bool relocate_packed(struct nsd_injector *injector, const struct placement *placement,
                            uint64_t address) {
    const unsigned char *at = word_at(injector, placement, address);
    uint64_t word;

    if (at == NULL)
        return false;
    memcpy(&word, at, sizeof word);
    return put_word(injector, placement, address, word + placement->base);
}

/* DT_RELR: an address, or the 63 words after the last one as bits (gABI, "Relative Relocation
 * Table"). */
static bool relocate_all_packed(struct nsd_injector *injector, const struct placement *placement,
                                const struct dynamic *dynamic) {
    const uint64_t *entry = elf_image__part(
        &injector->shim, elf_image__offset(&injector->shim, dynamic->relr), dynamic->relr_size);
    uint64_t next = 0;

    if (dynamic->relr_size > 0 && entry == NULL)
        return refuse(injector, "%s: its relocations are damaged", injector->library);
    for (uint64_t i = 0; i < dynamic->relr_size / sizeof *entry; i++) {
        if ((entry[i] & 1) == 0) {
            if (!relocate_packed(injector, placement, entry[i]))
                return false;
            next = entry[i] + sizeof *entry;
            continue;
        }
        for (unsigned bit = 0; bit < 63; bit++) {
            if ((entry[i] >> (bit + 1) & 1) != 0 &&
                !relocate_packed(injector, placement, next + bit * sizeof *entry))
                return false;
        }
        next += 63 * sizeof *entry;
    }
    return true;
}

/* Writable segments to the end of their last page, where the file may go on with something else. */
static bool write_segments(struct nsd_injector *injector, const struct placement *placement) {
    const Elf64_Phdr *segment;

    for (unsigned i = 0; (segment = elf_image__segment(&injector->shim, i)) != NULL; i++) {
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) == 0)
            continue;
        if (!remote__write(&injector->remote, placement->base + segment->p_vaddr,
                           placement->bytes + (segment->p_vaddr - placement->low),
                           up(segment->p_vaddr + segment->p_filesz) - segment->p_vaddr))
            return refuse_call(injector, "be written to", 0);
    }
    return true;
}

/* What is not to be written to any more. */
static bool protect(struct nsd_injector *injector, const struct placement *placement) {
    const Elf64_Phdr *segment;

    for (unsigned i = 0; (segment = elf_image__segment(&injector->shim, i)) != NULL; i++) {
        uint64_t from = placement->base + down(segment->p_vaddr);
        uint64_t end = placement->base + down(segment->p_vaddr + segment->p_memsz);
        int64_t got;

        if (segment->p_type != PT_GNU_RELRO || end <= from)
            continue;
        got = remote__call(&injector->remote, SYS_mprotect, from, end - from, PROT_READ, 0, 0, 0);
        if (is_error(got))
            return refuse_call(injector, "protect the library", got);
    }
    return true;
}

/* ---- the block ---- */

/* Its strings behind it; the path is needed before the library is there. */
static bool put_block(struct nsd_injector *injector, struct placement *placement, uint64_t *path) {
    struct nsd_remote *remote = &injector->remote;
    struct nsd_injection block = {.magic = NSD_INJECTION_MAGIC, .size = sizeof block};
    size_t library = strlen(injector->library) + 1;
    unsigned char *bytes;
    char *options;
    int length = asprintf(&options, "NSDRIFT_OPTIONS=%s", injector->options);
    size_t size = sizeof block + library + (size_t) length + 1;
    int64_t got;
    bool done;

    if (length < 0)
        return refuse(injector, "out of memory");
    bytes = size <= BLOCK_ROOM ? malloc(size) : NULL;
    if (bytes == NULL) {
        free(options);
        return refuse(injector, "%s could not be watched: the options are too long",
                      injector->program);
    }
    got = remote__call(remote, SYS_mmap, 0, BLOCK_ROOM + STACK_ROOM, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, UINT64_MAX, 0);
    placement->block = (uint64_t) got;
    *path = placement->block + sizeof block;
    block.stack = remote->registers.rsp;
    block.library = *path;
    block.options = *path + library;
    memcpy(bytes, &block, sizeof block);
    memcpy(bytes + sizeof block, injector->library, library);
    memcpy(bytes + sizeof block + library, options, (size_t) length + 1);
    done = is_error(got) ? refuse_call(injector, "get memory", got)
                         : remote__write(remote, placement->block, bytes, size) ||
                               refuse_call(injector, "be written to", 0);
    free(options);
    free(bytes);
    return done;
}

/*
 * A breakpoint in a program that ignores or blocks SIGTRAP makes the kernel take back both
 * (force_sig_info_to_task, kernel/signal.c): the mask is put back with the rest, this here.
 */
static bool ignore_again(struct nsd_injector *injector, const struct placement *placement) {
    const struct { uint64_t handler, flags, restorer, mask; } action = {.handler = 1 /* SIG_IGN */};
    uint64_t at = placement->block + BLOCK_ROOM;

    return remote__write(&injector->remote, at, &action, sizeof action) &&
           remote__call(&injector->remote, SYS_rt_sigaction, SIGTRAP, at, 0, sizeof action.mask, 0,
                        0) == 0;
}

static bool run_entry(struct nsd_injector *injector, const struct placement *placement) {
    static const char *const answers[] = {
        [NSD_INJECTED_STRANGER] = "the library is of another version than this command",
        [NSD_INJECTED_NO_GO] = "no Go runtime was found in it",
        [NSD_INJECTED_INERT] = "the kernel lets the library do nothing there",
    };
    struct nsd_remote *remote = &injector->remote;
    const Elf64_Ehdr *elf = elf_image__header(&injector->shim);
    uint64_t stack = placement->block + BLOCK_ROOM, answer = 0;
    char path[64];
    bool ignores;
    int by = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int) remote->pid);
    ignores = (number_in(path, "SigIgn:", 16) >> (SIGTRAP - 1) & 1) != 0;
    if (!remote__run(remote, placement->base + elf->e_entry, stack, stack + STACK_ROOM,
                     placement->block, &answer, &by))
        return refuse(injector, "%s could not be watched: the library came to signal %d in it%s",
                      injector->program, by, by == SIGSYS ? " (a seccomp filter is in force)" : "");
    if (answer != NSD_INJECTED)
        return refuse(injector, "%s could not be watched: %s", injector->program,
                      answer < sizeof answers / sizeof answers[0] ? answers[answer]
                                                                  : "its memory was disturbed");
    if (ignores && !ignore_again(injector, placement))
        return refuse_call(injector, "ignore SIGTRAP again", 0);
    remote__call(remote, SYS_munmap, stack, STACK_ROOM, 0, 0, 0, 0);
    remote__call(remote, SYS_mprotect, placement->block, BLOCK_ROOM, PROT_READ, 0, 0, 0);
    return true;
}

static bool put_in(struct nsd_injector *injector) {
    struct placement placement = {0};
    struct dynamic dynamic;
    uint64_t path = 0;
    bool done;

    read_dynamic(&injector->shim, &dynamic);
    done = find_program(injector) && measure(injector, &placement) &&
           put_block(injector, &placement, &path) && reserve(injector, &placement) &&
           map_library(injector, &placement, path) &&
           relocate(injector, &placement, &dynamic, dynamic.rela, dynamic.rela_size) &&
           relocate(injector, &placement, &dynamic, dynamic.jump, dynamic.jump_size) &&
           relocate_all_packed(injector, &placement, &dynamic) &&
           write_segments(injector, &placement) && protect(injector, &placement) &&
           run_entry(injector, &placement);
    free(placement.bytes);
    return done;
}

bool inject__at_exec(struct nsd_injector *injector, int *status) {
    struct nsd_remote *remote = &injector->remote;
    bool done = false;

    if (remote__wait_for_exec(remote)) {
        done = (remote__begin(remote) || refuse_call(injector, "be stopped", 0)) &&
               put_in(injector) && (remote__let_go(remote) || refuse_call(injector, "go on", 0));
        if (!done)
            remote__kill(remote);
    }
    *status = remote->status;
    return done;
}
