/* Declaring what a plan wants of a file: a want is looked for by its name in the file's dialect, its shape and type are
 * checked, and it becomes an entry of the plan's table. Nothing but the file's headers is read; the numbers come later
 * (loader.h). */
#ifndef HLMI_ARCH_WANT_H
#define HLMI_ARCH_WANT_H

#include "arch/config.h"
#include "base/notes.h"
#include "plan/plan.h"

typedef struct hlmi_wants {
    const hlmi_store *store;
    hlmi_dialect dialect;
    hlmi_plan *plan;
    bool *used; /* [tensors of the store] */
    hlm_status st; /* the first failure; later wants do nothing */
    char own
        [32]; /* what a family's names begin with in its own class, "model." or the like; "": nothing is known of that */
    const char *root, *outer; /* what such names, and the others, begin with in this file */
} hlmi_wants;

/** A tensor's name. */
typedef struct hlmi_name {
    char text[128];
} hlmi_name;

hlm_status hlmi_wants_init(hlmi_wants *w, const hlmi_config *c, hlmi_plan *plan);
void hlmi_wants_free(hlmi_wants *w);
/** Finds out how the names of a folder begin, from the key of a tensor (and of another, where that may be missing). */
void hlmi_wants_find_root(hlmi_wants *w, hlmi_key key, hlmi_key other);

/** The name in the file's dialect; "" where that has none. */
hlmi_name hlmi_wants_name(const hlmi_wants *w, const hlmi_want *want);
/** What a weight of the table is called in a dialect, with the roots of the family's own class; "" where that has
 *  none. */
hlmi_name hlmi_weight_name(const hlmi_weight *w, hlmi_dialect dialect);
/** The tensor that holds it, or NULL. */
const hlmi_tensor *hlmi_wants_tensor(const hlmi_wants *w, const hlmi_want *want);

/** A matrix for products or of rows. NULL after a failure, which stays in w->st. */
const hlmi_matrix *hlmi_want_matrix(hlmi_wants *w, hlmi_use use, const hlmi_want *want);
/** Numbers as f32, with room for whole vectors behind them. NULL as above. */
const float *hlmi_want_numbers(hlmi_wants *w, const hlmi_want *want);

/** A tensor that may be there and is not needed. */
void hlmi_wants_ignore(hlmi_wants *w, const hlmi_want *want);
/** The same for all tensors whose names begin with one of a list that ends in NULL (NULL: none), and for tables of
 *  rotary frequencies. They may be of any type and shape. */
void hlmi_wants_leave_out(hlmi_wants *w, const char *const *prefixes);
/** The same for all tensors of a GGUF file's layers from `first` on. */
void hlmi_wants_leave_out_layers(hlmi_wants *w, size_t first);
/** HLM_E_FORMAT naming a tensor that nothing has asked for. */
hlm_status hlmi_wants_finish(const hlmi_wants *w);
/** Notes each of them. */
hlm_status hlmi_wants_review(const hlmi_wants *w, const hlmi_notes *notes);

#endif
