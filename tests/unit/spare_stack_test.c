/*
 * The spare stack that an unwinding runs on is large enough for it. libunwind takes 560 bytes of
 * its stack for each DW_CFA_remember_state that it meets up to the pc (an alloca in
 * CFI_Parser::parseFDEInstructions), and compilers write one for each early return: a function of
 * perl's has 73. The spare stack below the one in use is painted here, so that what runs over is
 * seen.
 */
#include "stacks/on_stack.c"

#include "names/modules.h"
#include "stacks/capture.h"

#include <stdio.h>
#include <string.h>

#define STATES 100
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

/* Calls its argument behind that many saved states. */
void with_many_states(void (*call)(void));
__asm__(".text\n.type with_many_states, @function\nwith_many_states:\n.cfi_startproc\n"
        "pushq %rbx\n.cfi_def_cfa_offset 16\n.cfi_offset %rbx, -16\n"
        ".rept " TEXT(STATES) "\n.cfi_remember_state\nnop\n.cfi_restore_state\nnop\n.endr\n"
                              "call *%rdi\npopq %rbx\n.cfi_def_cfa_offset 8\nret\n.cfi_endproc\n"
                              ".size with_many_states, . - with_many_states\n");

static const struct nsd_frames *captured;

__attribute__((noinline)) static void capture(void) {
    captured = capture__native((uintptr_t) __builtin_return_address(0),
                               (uintptr_t) __builtin_frame_address(0) + 16,
                               *(uintptr_t *) __builtin_frame_address(0));
}

int main(int count, char **arguments) {
    unsigned run_over = 0;

    (void) count;
    modules__begin();
    capture__begin(32);
    capture__main_stack((uintptr_t) arguments);
    /* All but the last are taken: what the last one lets run over lands in the one before it. */
    for (unsigned i = 0; i < SPARE - 1; i++)
        taken[i] = true;
    memset(room, 0xa5, sizeof room);
    with_many_states(capture);
    for (unsigned i = 0; i < SPARE_SIZE; i++)
        run_over += room[SPARE - 2][i] != (char) 0xa5;
    printf("%u frames, %u bytes run over\n", captured == NULL ? 0 : captured->depth, run_over);
    return captured == NULL || captured->depth < 3 || run_over != 0;
}
