/* Distances between words (see words.h). */
#include "words.h"

#include <stdbool.h>
#include <string.h>

enum { MAX_WORD = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t cli_word_distance(const char *a, const char *b)
{
    const size_t na = strlen(a), nb = strlen(b);
    if (na > MAX_WORD || nb > MAX_WORD) return MAX_WORD;
    size_t rows[3][MAX_WORD + 1]; /* of the letters of a: before the last, the last, this one */
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= nb; j++) row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *free_row = before;
        before = last;
        last = row;
        row = free_row;
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            row[j] = least(last[j - 1] + (a[i - 1] != b[j - 1]), least(last[j], row[j - 1]) + 1);
            const bool exchanged = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (exchanged) row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[nb];
}

/* Twice the distance, so that what was cut short ("max" for max-tokens) comes between one slip and two; 0: not near. */
static size_t nearness(const char *word, const char *known)
{
    const size_t n = strlen(word), slips = 2 * cli_word_distance(word, known);
    if (n >= 2 && strncmp(word, known, n) == 0) return slips ? least(slips, 3) : 1;
    if (slips <= n) return slips ? slips : 1;
    return n >= 4 && strstr(known, word) ? 2 * n : 0;
}

void cli_nearest_look(cli_nearest *n, const char *known)
{
    const size_t d = nearness(n->word, known);
    if (d == 0 || (n->best && d >= n->distance)) return;
    n->best = known;
    n->distance = d;
}
