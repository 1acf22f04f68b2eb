/* Names that users of other programs give to options. */
#ifndef CLI_ALIASES_H
#define CLI_ALIASES_H

#include <stddef.h>

/** Another name of an option, or one that this program has no option for. */
typedef struct cli_alias {
    /** Without the two dashes; a name with one dash carries it ("-ngl"). */
    const char *name;
    /** The long name here, or NULL. */
    const char *option;
    /** Why there is none. */
    const char *why;
} cli_alias;

/** [*n] all of them, those of an option next to each other. */
const cli_alias *cli_aliases(size_t *n);

/** The row of `name` [len], or NULL. */
const cli_alias *cli_alias_find(const char *name, size_t len);

#endif
