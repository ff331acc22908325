/* Asks for children of any kind as its first act. Must have none, watched or not. */
#include "host.h"
#include <errno.h>

int main(void) {
    int status, child = waitpid(-1, &status, __WALL);

    printf("wait: %s\n", child < 0 && errno == ECHILD ? "no child" : "a child");
    return 0;
}
