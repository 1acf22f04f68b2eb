/* Places: where rows lie and are computed on. The CPU is one, each GPU another. What a place hands out is looked
 * through by its ops and by the copies below, and by nobody else; headers, reference counts, ids and tables are the
 * host's. */
#ifndef HLMI_PLACE_PLACE_H
#define HLMI_PLACE_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "quant/type.h"

enum { HLMI_PLACES = 4 /* most of a model; number 0 is the CPU */ };

typedef struct hlmi_place hlmi_place;
struct hlmi_block;
struct hlmi_ops;
struct hlmi_team;
struct hlmi_work;
struct hlmi_stop;
struct hlmi_slice;

/** Rows of bytes, side by side or apart. */
typedef struct hlmi_rect {
    size_t bytes, n; /* of a row; rows */
    size_t to, from; /* bytes from row to row */
} hlmi_rect;

struct hlmi_place {
    const char *name;
    const hlmi_mem *mem; /* of the host */
    const struct hlmi_ops *ops; /* what records a program for it */
    bool host; /* its addresses are the host's: nothing need be copied to be read or written */
    /** How it keeps matrices of a type that it multiplies; HLMI_LAYOUT_NONE: it can not multiply them. */
    hlmi_layout (*layout)(const hlmi_place *p, hlmi_type type);
    /** Can it compute the block (plan/plan.h)? */
    bool (*can)(const hlmi_place *p, const struct hlmi_block *block);
    /** Memory with any contents, aligned to HLMI_ALIGN; NULL when there is none. */
    void *(*take)(hlmi_place *p, size_t bytes);
    void (*give)(hlmi_place *p, void *rows);
    /** From and to memory of the host: before the next run, and after the last. */
    void (*put)(hlmi_place *p, void *to, const void *from, size_t bytes);
    void (*get)(hlmi_place *p, void *to, const void *from, size_t bytes);
    /** Within the place. */
    void (*copy)(hlmi_place *p, void *to, const void *from, const hlmi_rect *r);
    void (*zero)(hlmi_place *p, void *to, size_t bytes);
    /** Runs regions that were recorded for it, with a team of the host's threads: to their end, or until the slice is
     *  over (NULL: never), and then from `at` on. Errors as of hlmi_team_run. */
    hlm_status (*run)(hlmi_place *p, struct hlmi_team *team, const struct hlmi_work *work, struct hlmi_stop *at,
                      struct hlmi_slice *slice, bool *done);
};

#endif
