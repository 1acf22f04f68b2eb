/* What pools hand out: a header on the host, which links, counts and describes, and rows at the places that compute on
 * them. */
#ifndef HLMI_STATE_ITEM_H
#define HLMI_STATE_ITEM_H

#include "base/fresh.h"
#include "place/place.h"

/** What every header begins with. */
typedef struct hlmi_item {
    void *rows[HLMI_PLACES]; /* NULL: none there */
    struct hlmi_item *next; /* on its shelf */
    hlmi_fresh fresh; /* pages of memory that the rows on the CPU lack */
} hlmi_item;

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

#endif
