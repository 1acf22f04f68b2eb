/* hybridlm: language models on the command line, a program on the public header
 * of libhybridlm. This file picks the command. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "interrupt.h"
#include "report.h"

static const cli_command *const commands[] = {
    &cli_command_chat, &cli_command_run,   &cli_command_tokenize,    &cli_command_score,
    &cli_command_info, &cli_command_bench, &cli_command_bench_state, &cli_command_bench_slices,
};

static void usage(FILE *to)
{
    fputs("hybridlm: run language models with libhybridlm\n\nUsage: hybridlm COMMAND [OPTIONS]\n\nCommands:\n", to);
    for (size_t i = 0; i < CLI_COUNT(commands); i++)
        fprintf(to, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nhybridlm COMMAND --help tells more. hybridlm --version names the version.\n"
          "Exit codes: 0 done, 1 the work failed, 2 wrong usage, 130 interrupted.\n",
          to);
}

/** The command that the words begin with, the longest name first; *words receives how many it takes. */
static const cli_command *find(int argc, char **argv, int *words)
{
    char two[64];
    snprintf(two, sizeof two, "%s %s", argv[0], argc > 1 ? argv[1] : "");
    for (*words = 2; *words > 0; --*words)
        for (size_t i = 0; i < CLI_COUNT(commands); i++)
            if (strcmp(commands[i]->name, *words == 2 ? two : argv[0]) == 0) return commands[i];
    return NULL;
}

static int unknown_command(const char *name)
{
    const cli_options none = {0};
    const char *near = NULL;
    size_t best = 4;
    for (size_t i = 0; i < CLI_COUNT(commands); i++) {
        const size_t d = cli_word_distance(name, commands[i]->name);
        if (d < best) {
            best = d;
            near = commands[i]->name;
        }
    }
    char hint[256];
    size_t n = (size_t)snprintf(hint, sizeof hint, "%s%s%sCommands:", near ? "Did you mean " : "", near ? near : "",
                                near ? "? " : "");
    for (size_t i = 0; i < CLI_COUNT(commands) && n < sizeof hint; i++)
        n += (size_t)snprintf(hint + n, sizeof hint - n, "%s %s", i ? "," : "", commands[i]->name);
    return cli_fail(&none, CLI_USAGE, hint, "there is no command '%.60s'", name);
}

static int run_command(const cli_command *command, int argc, char **argv)
{
    cli_options options;
    int rc = cli_options_parse(&options, command, argc, argv);
    if (rc != CLI_OK) return rc;
    if (options.help) {
        cli_options_help(command);
        return CLI_OK;
    }
    cli_interrupt_install();
    rc = command->run(&options);
    if ((fflush(stdout) != 0 || ferror(stdout)) && rc == CLI_OK)
        return cli_fail(&options, CLI_FAILED, "Is the disk full?", "standard output could not be written");
    return rc;
}

/* A program that was started without standard input or output would print into the next file that it opens. What takes their
 * place can not be used as them, so that the error is seen. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) return;
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    setlocale(LC_CTYPE, ""); /* the chat prompt edits characters, not bytes */
    if (argc < 2) {
        usage(stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    const bool help = strcmp(name, "help") == 0;
    if (strcmp(name, "--version") == 0) {
        printf("hybridlm %s\n", hlm_version());
        return CLI_OK;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (help && argc == 2)) {
        usage(stdout);
        return CLI_OK;
    }
    const int at = help ? 2 : 1;
    int words;
    const cli_command *command = find(argc - at, argv + at, &words);
    if (!command) return unknown_command(argv[at]);
    if (help) {
        cli_options_help(command);
        return CLI_OK;
    }
    return run_command(command, argc - 1 - words, argv + 1 + words);
}
