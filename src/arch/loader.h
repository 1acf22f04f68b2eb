/* From tensors of a store to the plan's weights: shapes checked, matrices tiled
 * for the kernels, vectors widened to f32. */
#ifndef HLMI_ARCH_LOADER_H
#define HLMI_ARCH_LOADER_H

#include "plan/plan.h"
#include "weights/fingerprint.h"
#include "weights/store.h"

typedef struct hlmi_loader {
    const hlmi_store *store;
    hlmi_plan *plan;
    bool check_values; /* refuse NaN and infinity */
    bool experts; /* what is loaded now are experts */
    int32_t (*progress)(void *user, uint64_t done, uint64_t total);
    void *progress_user;
    uint64_t done, total; /* bytes of the file */
    bool *used; /* [tensors of the store] */
    hlmi_fingerprint *fingerprint; /* is told of all weights */
} hlmi_loader;

/** Row of the file's tensor that becomes row r of a matrix. */
size_t hlmi_file_row(const hlmi_row_order *o, size_t r);
/** Rows of the file's tensor that holds a matrix of n rows. */
size_t hlmi_file_rows(const hlmi_row_order *o, size_t n);

hlm_status hlmi_loader_init(hlmi_loader *l, const hlmi_store *store, hlmi_plan *plan, hlmi_fingerprint *fingerprint);
void hlmi_loader_free(hlmi_loader *l);

/** Is the tensor there? */
bool hlmi_loader_has(const hlmi_loader *l, const char *name);
/** A matrix [rows, cols] for products, tiled. order may be NULL. */
hlm_status hlmi_loader_matrix(hlmi_loader *l, const char *name, size_t rows, size_t cols, const hlmi_row_order *order,
                              hlmi_matrix *out);
/** A matrix whose rows are looked up and never multiplied: stays in the file's form. */
hlm_status hlmi_loader_table(hlmi_loader *l, const char *name, size_t rows, size_t cols, hlmi_matrix *out);
/** A vector [n] as f32; order as for the rows of a matrix. */
hlm_status hlmi_loader_vector(hlmi_loader *l, const char *name, size_t n, const hlmi_row_order *order, float **out);
/** The taps [channels, 1, window] of a depthwise convolution, as the plan has them: [window][channels]. */
hlm_status hlmi_loader_taps(hlmi_loader *l, const char *name, size_t channels, size_t window, float **out);
/** The plain numbers [rows, cols] as f32; transposed: as [cols][rows]. */
hlm_status hlmi_loader_numbers(hlmi_loader *l, const char *name, size_t rows, size_t cols, bool transposed,
                               float **out);
/** The decay of a recurrence from its logarithm in the file (A_log): -exp of each element of a vector. */
hlm_status hlmi_loader_decay(hlmi_loader *l, const char *name, size_t n, float **out);
/** A tensor that may be there and is not needed. */
void hlmi_loader_ignore(hlmi_loader *l, const char *name);
/** The same for all tensors whose names begin with one of a list that ends in NULL (NULL: none), and for tables of rotary
 *  frequencies. They may be of any type and shape. */
void hlmi_loader_leave_out(hlmi_loader *l, const char *const *prefixes);
/** HLM_E_FORMAT naming a tensor that nothing has asked for. */
hlm_status hlmi_loader_finish(const hlmi_loader *l);

#endif
