/* What pools hand out: items. A header on the host links, counts and describes; rows lie at the places that compute on
 * them. Pages (state/page.h), state blocks, and the stretches and rows of the undo log (state/undo.h) are items. */
#ifndef HLMI_STATE_ITEM_H
#define HLMI_STATE_ITEM_H

#include <stdatomic.h>

#include "base/fresh.h"
#include "plan/page_layout.h"
#include "plan/state_layout.h"

/** What every header begins with. Items are shared by reference; the last one gives them back to the pool. */
typedef struct hlmi_item {
    void *rows[HLMI_PLACES]; /* NULL: none there */
    struct hlmi_item *next; /* on its shelf */
    hlmi_fresh fresh; /* pages of memory that the rows on the CPU lack */
    atomic_uint refs;
    unsigned held; /* by nodes of the prefix cache, which guards it (state/radix.h) */
    unsigned kind; /* hlmi_shelf_kind: where it goes back to */
} hlmi_item;

/** One reference more on what begins with a hlmi_item; returns it, and may be NULL. */
static inline void *hlmi_item_retain(void *item)
{
    if (item) atomic_fetch_add(&((hlmi_item *)item)->refs, 1);
    return item;
}

typedef enum hlmi_shelf_kind {
    HLMI_SHELF_STATES,
    HLMI_SHELF_STRETCHES,
    HLMI_SHELF_ROWS,
    HLMI_SHELF_PAGES, /* of the first track, and those of the others behind it */
    HLMI_SHELVES = HLMI_SHELF_PAGES + HLMI_TRACKS
} hlmi_shelf_kind;

/** Items of one size, that were given back. */
typedef struct hlmi_shelf {
    hlmi_item *first;
    const char *what; /* in sentences */
    size_t header; /* bytes of the host's memory */
    size_t rows[HLMI_PLACES]; /* bytes at each place */
} hlmi_shelf;

/** Bytes of an item. */
static inline size_t hlmi_shelf_bytes(const hlmi_shelf *s)
{
    size_t sum = s->header;
    for (size_t i = 0; i < HLMI_PLACES; i++) sum += s->rows[i];
    return sum;
}

/** A state block: what all recurrent layers of a model remember of a sequence at one position. It is written by one
 *  step and never changed after it, so that forks, marks and steps that fail share it by reference. Where things lie in
 *  its rows says plan/state_layout.h. */
typedef struct hlmi_state {
    hlmi_item item;
    int64_t pos; /* tokens that went into it */
    bool hidden; /* the final hidden row is there: a step wrote the state, not a replay of the undo log */
} hlmi_state;

/** Bytes of a block; 0: the plan has no recurrence. */
static inline size_t hlmi_state_bytes(const hlmi_state_layout *l)
{
    size_t sum = l->bytes ? sizeof(hlmi_state) : 0;
    for (size_t i = 0; i < HLMI_PLACES; i++) sum += l->rows[i];
    return sum;
}

#endif
