/*
 * A library between two frames of unwind_test.c: built with unwind tables, without an index over
 * them, and without any, with frame pointers and without.
 */
void call_back(void (*function)(void));

void call_back(void (*function)(void)) {
    function();
    __asm__ volatile("" : : : "memory"); /* or the call would be a jump */
}
