/* What a user can ask for: the values of all options, the tables that describe them, the parser and the --help text
 * made from the tables. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Exit codes of the program (docs/cli.md). */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_INTERRUPTED = 130 };

/** Values of an option that may be given more than once. */
enum { CLI_MAX_TEXTS = 16 };
typedef struct cli_texts {
    const char *items[CLI_MAX_TEXTS];
    size_t n;
} cli_texts;

/** --adapter, and after each perhaps its --adapter-scale. */
typedef struct cli_adapters {
    cli_texts paths;
    double scales[CLI_MAX_TEXTS];
} cli_adapters;

/** Every option of every command; a command's table says which it takes. */
typedef struct cli_options {
    /* common */
    bool help;
    bool json;
    bool quiet;
    /* model */
    const char *model;
    int32_t activations;
    int32_t cpu; /* cli_cpu */
    const char *quantise;
    bool quantise_tied;
    bool portable;
    bool read;
    bool check;
    /* adapters */
    cli_adapters adapters;
    /* computing */
    int64_t threads;
    int64_t ctx;
    int32_t kv;
    int32_t window_rows; /* HLM_WINDOW_... */
    int32_t state;
    /* input */
    const char *prompt;
    const char *file;
    const char *ids;
    /** The argument that was no option and no model, which is also in its field. */
    const char *argument;
    bool no_special;
    bool parse_special;
    /* output */
    int64_t max_tokens;
    bool stats;
    bool echo;
    bool no_wrap;
    bool ignore_eos;
    bool show_special;
    cli_texts stop;
    /* sampling */
    double temperature;
    int64_t top_k;
    double top_p;
    double min_p;
    double typical_p;
    double repeat_penalty;
    double frequency_penalty;
    double presence_penalty;
    int64_t penalty_window;
    int64_t seed;
    /* speculation */
    const char *prefix_folder;
    int64_t draft_ngram;
    const char *draft_model;
    int64_t draft;
    int64_t branches;
    /* chat */
    const char *system;
    const char *template_file;
    /* tokenize */
    bool count;
    bool decode;
    bool pieces;
    /* score */
    int64_t chunk;
    bool per_token;
    /* info */
    int64_t sequences;
    bool tensors;
    bool keys;
    bool files;
    /* bench */
    int64_t prompt_tokens;
    int64_t repeats;
    int64_t budget;
    const char *lengths;
    const char *folder;
} cli_options;

typedef enum cli_kind {
    CLI_FLAG, /* bool */
    CLI_INT, /* int64_t within min..max */
    CLI_REAL, /* double within min..max */
    CLI_TEXT, /* const char * */
    CLI_TEXTS, /* cli_texts */
    CLI_ADAPTER, /* cli_adapters: one more */
    CLI_SCALE, /* cli_adapters: the scale of the latest, within min..max */
    CLI_CHOICE /* int32_t, one of `choices` */
} cli_kind;

typedef struct cli_choice {
    const char *name;
    int32_t value;
} cli_choice;

typedef struct cli_option {
    /** Long name without the dashes. */
    const char *name;
    /** One-letter name, or 0. */
    char letter;
    cli_kind kind;
    /** What --help calls the value. */
    const char *arg;
    /** Where the value goes: offsetof(cli_options, ...). */
    size_t at;
    double min;
    double max;
    /** Ended by a NULL name. */
    const cli_choice *choices;
    const char *help;
} cli_option;

/* A row of a table each: long name, letter or 0, field of cli_options, ... */
#define CLI_OPT_FLAG(name, letter, field, help)                                  \
  {                                                                              \
    name, letter, CLI_FLAG, NULL, offsetof(cli_options, field), 0, 0, NULL, help \
  }
#define CLI_OPT_INT(name, letter, field, min, max, help)                           \
  {                                                                                \
    name, letter, CLI_INT, "N", offsetof(cli_options, field), min, max, NULL, help \
  }
#define CLI_OPT_REAL(name, letter, field, min, max, help)                           \
  {                                                                                 \
    name, letter, CLI_REAL, "X", offsetof(cli_options, field), min, max, NULL, help \
  }
#define CLI_OPT_TEXT(name, letter, field, arg, help)                            \
  {                                                                             \
    name, letter, CLI_TEXT, arg, offsetof(cli_options, field), 0, 0, NULL, help \
  }
#define CLI_OPT_TEXTS(name, letter, field, arg, help)                            \
  {                                                                              \
    name, letter, CLI_TEXTS, arg, offsetof(cli_options, field), 0, 0, NULL, help \
  }
#define CLI_OPT_CHOICE(name, letter, field, arg, choices, help)                      \
  {                                                                                  \
    name, letter, CLI_CHOICE, arg, offsetof(cli_options, field), 0, 0, choices, help \
  }

/** Options under one heading of --help. */
typedef struct cli_group {
    const char *title;
    const cli_option *options;
    size_t n;
} cli_group;

/** A command of the program. */
typedef struct cli_command {
    const char *name;
    const char *summary;
    /** After "hybridlm NAME" on the usage line. */
    const char *usage;
    /** Examples and remarks at the end of --help. */
    const char *notes;
    /** Ended by NULL. */
    const cli_group *const *groups;
    /** Where the argument that is no option goes; `takes_argument` says whether there is one. */
    size_t argument_at;
    bool takes_argument;
    /** The argument is a text, and a model may stand before it. */
    bool takes_model;
    cli_options defaults;
    /** Does the work; returns an exit code. */
    int (*run)(const cli_options *o);
} cli_command;

/** Name of the instruction set to use at most, as the library takes it; NULL: the best. */
const char *cli_cpu(const cli_options *o);

/* Groups that several commands share (groups.c). */
extern const cli_group cli_group_common;
extern const cli_group cli_group_input;
extern const cli_group cli_group_model;
extern const cli_group cli_group_adapters;
extern const cli_group cli_group_context;
extern const cli_group cli_group_sampling;
extern const cli_group cli_group_speculation;

#define CLI_COUNT(array) (sizeof(array) / sizeof(array)[0])

/** Fill *o from the defaults of `command` and the words after its name. Returns CLI_OK, or CLI_USAGE after saying what
 *  is wrong. */
int cli_options_parse(cli_options *o, const cli_command *command, int argc, char **argv);

/** The command's --help text, to stdout. */
void cli_options_help(const cli_command *command);

/** The command's option of that name [len], without dashes; other programs' names and '_' for '-' too; or NULL. */
const cli_option *cli_option_find(const cli_command *command, const char *name, size_t len);
/** The name of an option that `word` may have meant, or NULL. */
const char *cli_option_nearest(const cli_command *command, const char *word);
/** Check a value (NULL: a flag's) and store it. It is kept as it is: texts must live as long as *o. Returns CLI_OK, or
 *  CLI_USAGE after saying what is wrong. */
int cli_option_store(cli_options *o, const cli_option *option, const char *value);

#endif
