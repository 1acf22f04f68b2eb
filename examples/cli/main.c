/* hybridlm: language models on the command line, a program on the public header of libhybridlm. This file picks the
 * command. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "interrupt.h"
#include "report.h"
#include "words.h"

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

/** What other programs and people call a command, or NULL. */
static const char *other_name(const char *name)
{
    static const struct {
        const char *name, *command;
    } others[] = {{"talk", "chat"},
                  {"ask", "chat"},
                  {"generate", "run"},
                  {"complete", "run"},
                  {"completion", "run"},
                  {"show", "info"},
                  {"inspect", "info"},
                  {"ppl", "score"},
                  {"perplexity", "score"},
                  {"encode", "tokenize"},
                  {"decode", "tokenize --decode"},
                  {"detokenize", "tokenize --decode"},
                  {"benchmark", "bench"}};
    for (size_t i = 0; i < CLI_COUNT(others); i++)
        if (strcmp(others[i].name, name) == 0) return others[i].command;
    return NULL;
}

static int unknown_command(const char *name)
{
    const cli_options none = {0};
    char hint[512];
    cli_nearest near = {.word = name};
    for (size_t i = 0; i < CLI_COUNT(commands); i++) cli_nearest_look(&near, commands[i]->name);
    const char *meant = other_name(name) ? other_name(name) : near.best;
    if (!meant && access(name, F_OK) == 0) {
        snprintf(hint, sizeof hint, "Did you mean: hybridlm chat %.200s", name);
        return cli_fail(&none, CLI_USAGE, hint, "there is no command '%.60s'", name);
    }
    size_t n = (size_t)snprintf(hint, sizeof hint, "%s%s%sCommands:", meant ? "Did you mean " : "", meant ? meant : "",
                                meant ? "? " : "");
    for (size_t i = 0; i < CLI_COUNT(commands) && n < sizeof hint; i++)
        n += (size_t)snprintf(hint + n, sizeof hint - n, "%s %s", i ? "," : "", commands[i]->name);
    return cli_fail(&none, CLI_USAGE, hint, "there is no command '%.60s'", name);
}

/** A second word that is neither a command nor a file, but nearly the former: `bench stat`. */
static const char *nearly_two(int argc, char **argv, char *two, size_t cap)
{
    if (argc < 2 || argv[1][0] == '-' || access(argv[1], F_OK) == 0) return NULL;
    const size_t n = strlen(argv[0]);
    cli_nearest near = {.word = argv[1]};
    for (size_t i = 0; i < CLI_COUNT(commands); i++)
        if (strncmp(commands[i]->name, argv[0], n) == 0 && commands[i]->name[n] == ' ')
            cli_nearest_look(&near, commands[i]->name + n + 1);
    if (!near.best) return NULL;
    snprintf(two, cap, "%s %s", argv[0], argv[1]);
    return two;
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

/* A program that was started without standard input or output would print into the next file that it opens. What takes
 * their place can not be used as them, so that the error is seen. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) return;
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    /* The chat prompt edits characters, not bytes; what is typed is UTF-8 also where no locale says so. */
    setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8");
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
    char two[64];
    const char *nearly = words < 2 ? nearly_two(argc - at, argv + at, two, sizeof two) : NULL;
    if (!command || nearly) return unknown_command(nearly ? nearly : argv[at]);
    if (help) {
        cli_options_help(command);
        return CLI_OK;
    }
    return run_command(command, argc - 1 - words, argv + 1 + words);
}
