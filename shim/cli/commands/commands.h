/*
 * The subcommands, one a file of this room. Called by main.c. A subcommand reads its arguments and
 * puts the other rooms together: watch and inject start programs, read takes recordings apart, show
 * prints, repeat and scan do their own work. Nothing of the command runs inside a host.
 */
#ifndef NSD_CLI_COMMANDS_COMMANDS_H
#define NSD_CLI_COMMANDS_COMMANDS_H

/*
 * argv[0] is "nsdrift: NAME", which getopt puts before what it prints. Each returns the exit
 * status.
 */
int command__run(int argc, char **argv);
int command__report(int argc, char **argv);
int command__repeat(int argc, char **argv);
int command__scan(int argc, char **argv);

#endif
