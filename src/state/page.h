/* Pages: where a track of consecutive positions lives (plan/page_layout.h): their ids, or their KV rows. Pages are
 * shared by reference; `filled` is how many of its positions have been given to a writer, so that of two sequences that
 * share a partial page only the first to append writes in place and the other copies. */
#ifndef HLMI_STATE_PAGE_H
#define HLMI_STATE_PAGE_H

#include "state/item.h"

typedef struct hlmi_page {
    hlmi_item item; /* with the rows, at the place of the track; those of the first track, ids, lie behind the header */
    atomic_uint filled;
    uint16_t track, place;
} hlmi_page;

/** Bytes of a page of a track. */
static inline size_t hlmi_page_bytes(const hlmi_page_layout *l, size_t track)
{
    return sizeof(hlmi_page) + l->tracks[track].bytes;
}

/** The rows; NULL in the first track. */
static inline char *hlmi_page_rows(const hlmi_page *p)
{
    return p->item.rows[p->place];
}

/** Symbols (state/symbol.h), of a page of the first track. */
static inline int32_t *hlmi_page_symbols(const hlmi_page *p)
{
    return (int32_t *)(uintptr_t)(p + 1);
}

/** Copies positions 0..n-1 of a page of the same track; `place` is where both lie. */
void hlmi_page_copy(hlmi_page *dst, const hlmi_page *src, const hlmi_page_layout *l, const hlmi_plan *plan, size_t n,
                    hlmi_place *place);
/** Copies the rows of a layer, positions from .. from+n-1 to positions at .. at+n-1 of a page by another layout, with
 *  the same type, at the same place. */
void hlmi_page_copy_rows(char *dst, const hlmi_page_layout *to, size_t at, char *src, const hlmi_page_layout *l,
                         size_t from, size_t n, const hlmi_plan *plan, size_t kv, hlmi_place *place);

#endif
