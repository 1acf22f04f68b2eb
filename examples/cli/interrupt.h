/* Ctrl-C: the signal sets a flag and cancels the call that runs on the context in question. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

#include <hybridlm/hybridlm.h>

/** Catch SIGINT from now on. Three without an answer end the program. */
void cli_interrupt_install(void);

/** Whether the program waits for input, which a signal shall end. At other times a signal leaves the calls of the
 *  system alone: output that it cut short would be lost. */
void cli_interrupt_input(bool waiting);

/** Whether the terminal marks what is pasted, which it is told to leave before signals end the program. */
void cli_interrupt_paste(bool marked);

/** What a signal cancels from now on; NULL: nothing. */
void cli_interrupt_target(hlm_context *ctx);

/** Whether a signal came since the last clear. */
bool cli_interrupted(void);
void cli_interrupt_clear(void);

#endif
