/* The commands; each is the work of the file cmd_NAME.c. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "options.h"

extern const cli_command cli_command_chat;
extern const cli_command cli_command_run;
extern const cli_command cli_command_tokenize;
extern const cli_command cli_command_score;
extern const cli_command cli_command_info;
extern const cli_command cli_command_bench;
extern const cli_command cli_command_bench_state;
extern const cli_command cli_command_bench_slices;

#endif
