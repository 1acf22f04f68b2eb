/* How long regions take, and their division into parts that each take only a moment: between two parts a step sees that
 * it was cancelled, or pauses. Time decides about divisions alone, and no result depends on one.
 *
 * A worker's share of a region is cut into 2^shift parts. They nest: part i of 2^s is parts 2i and 2i + 1 of 2^(s + 1),
 * so the division can change on the way. */
#ifndef HLMI_EXEC_COST_H
#define HLMI_EXEC_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HLMI_PIECE_SHIFT_MAX = 12, /* most parts: 4096 */
    HLMI_COST_SIZES = 17
};

/** What a region took the last time, by how much work a tile gave it: a size for each power of two. 0: not yet. */
typedef struct hlmi_cost {
    uint32_t ns[HLMI_COST_SIZES];
} hlmi_cost;

typedef struct hlmi_piece {
    size_t at;
    unsigned shift;
} hlmi_piece;

/** `amount`: rows of the tile, or another measure of the work that the region always uses. */
void hlmi_cost_note(hlmi_cost *c, uint64_t amount, uint64_t ns);
/** At most about what the region will take; 0: nobody knows. */
uint64_t hlmi_cost_predict(const hlmi_cost *c, uint64_t amount);

/** The first part of a region that takes `predicted`, to take at most `target`. */
hlmi_piece hlmi_piece_first(uint64_t predicted, uint64_t target);
/** The part after one that took `took`: larger or smaller, as the time asks. */
void hlmi_piece_next(hlmi_piece *p, uint64_t took, uint64_t target);
/** Behind the last part? */
static inline bool hlmi_piece_done(const hlmi_piece *p)
{
    return p->at >> p->shift != 0;
}

#endif
