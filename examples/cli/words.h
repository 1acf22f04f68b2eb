/* Words that are nearly right: which of the known ones a user may have meant. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stddef.h>

/** The known word that is most like `word` so far. */
typedef struct cli_nearest {
    const char *word;
    /** Of the known ones, or NULL when none is near. */
    const char *best;
    size_t distance;
} cli_nearest;

/** Look at one known word more; of those that are as near the first is kept. */
void cli_nearest_look(cli_nearest *n, const char *known);

/** Number of insertions, deletions, replacements and exchanges of neighbours between two words. */
size_t cli_word_distance(const char *a, const char *b);

#endif
