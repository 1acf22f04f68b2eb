/* From tensors of a store to the plan's weights: shapes checked, matrices tiled
 * for the kernels, vectors widened to f32. */
#ifndef HLMI_ARCH_LOADER_H
#define HLMI_ARCH_LOADER_H

#include "arch/fingerprint.h"
#include "plan/plan.h"
#include "weights/store.h"

typedef struct hlmi_loader {
    const hlmi_store *store;
    hlmi_plan *plan;
    bool check_values; /* refuse NaN and infinity */
    int32_t (*progress)(void *user, uint64_t done, uint64_t total);
    void *progress_user;
    uint64_t done, total; /* bytes of the file */
    bool *used; /* [tensors of the store] */
    hlmi_fingerprint *fingerprint; /* is told of all weights */
} hlmi_loader;

/** Where the rows of a matrix are in the file's tensor. All zero: as they are. */
typedef struct hlmi_row_order {
    size_t head_dim; /* rows of a head, where half, parts or period is not 0 */
    size_t half; /* of each head the first 2*half are pairs (2i, 2i+1) in the file and halves (i, i+half) in the plan */
    size_t parts, part; /* the tensor holds `parts` matrices, head by head in turn; this is number `part` */
    size_t period; /* rows from one head to the next in the file; 0: parts (or 1) times head_dim */
    size_t first, in_file; /* the matrix begins at this row of a tensor of in_file rows (0: parts times its own) */
    size_t stack, layer; /* the tensor is [stack, in_file, cols], the matrix in its number `layer` (0: no stack) */
} hlmi_row_order;

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
/** The same for all tensors whose names begin so. */
void hlmi_loader_ignore_all(hlmi_loader *l, const char *prefix);
/** HLM_E_FORMAT naming a tensor that nothing has asked for. */
hlm_status hlmi_loader_finish(const hlmi_loader *l);

#endif
