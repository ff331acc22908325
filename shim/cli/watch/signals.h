/*
 * Signals that would end the command before it has said what it knows. Called by main.c and by
 * folder.c.
 */
#ifndef NSD_CLI_WATCH_SIGNALS_H
#define NSD_CLI_WATCH_SIGNALS_H

/*
 * If this signal would end the command, it does so no longer; the call that caused it fails
 * instead. Programs that are started get the disposition that the command was started with.
 */
void signals__outlive(int signal);

#endif
