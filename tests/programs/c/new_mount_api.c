/*
 * The newer mount calls by libc's names: open_tree, move_mount, mount_setattr, and fsmount by
 * syscall's road, in a namespace of its own. Must be reported: nothing.
 */
#include "host.h"

int main(void) {
    must(unshare(CLONE_NEWNS) == 0, "unshare");
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
    int fs = (int) syscall(SYS_fsopen, "tmpfs", 0);
    must(fs >= 0, "fsopen");
    must(syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) == 0, "fsconfig");
    int made = (int) syscall(SYS_fsmount, fs, 0, 0);
    must(made >= 0, "fsmount");
    must(move_mount(made, "", AT_FDCWD, "/mnt", 4 /* MOVE_MOUNT_F_EMPTY_PATH */) == 0,
         "move_mount");
    int tree = open_tree(AT_FDCWD, "/mnt", 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC);
    must(tree >= 0, "open_tree");
    struct mount_attr attributes = {.attr_set = 1 /* MOUNT_ATTR_RDONLY */};
    must(mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0,
         "mount_setattr");
    must(open_tree(AT_FDCWD, "/missing", 0) == -1 && errno == ENOENT, "ENOENT");
    puts("done");
    return 0;
}
