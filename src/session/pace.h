/* How much to draft: what a step of so many rows takes, as measured in this call, against how likely drafts are right,
 * as seen in this call. */
#ifndef HLMI_SESSION_PACE_H
#define HLMI_SESSION_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HLMI_PACE_TIMES = 74, HLMI_PACE_CLASSES = 32 };

/** Drafts that are right equally often. */
typedef struct hlmi_chance {
    double right; /* the probability that a token is, when those before it were */
    unsigned seen; /* tokens that it was learned from */
} hlmi_chance;

typedef struct hlmi_pace {
    double step_ns[HLMI_PACE_TIMES]; /* by number of rows; 0: not measured */
    size_t most_rows; /* of a step so far */
    hlmi_chance chances[HLMI_PACE_CLASSES];
} hlmi_pace;

/** What a round will run: grows draft by draft. */
typedef struct hlmi_stake {
    size_t rows;
    double tokens; /* expected */
    double open; /* the probability that none of the drafts begins right */
    double ns; /* for drafting */
} hlmi_stake;

void hlmi_pace_init(hlmi_pace *p);
/** How many of `most` tokens of a draft make the round faster, a token; token_ns: what drafting one of them takes. */
size_t hlmi_pace_choose(const hlmi_pace *p, const hlmi_stake *s, size_t chance, double token_ns, size_t most);
/** The round will run n tokens of that draft. */
void hlmi_pace_stake(const hlmi_pace *p, hlmi_stake *s, size_t chance, double token_ns, size_t n);

/** A step of so many rows took so long. */
void hlmi_pace_step(hlmi_pace *p, size_t rows, double ns);
/** Of a draft's tokens `right` were the text's, and then came one that was not, or the comparison ended. */
void hlmi_pace_judge(hlmi_pace *p, size_t chance, size_t right, bool wrong);

#endif
