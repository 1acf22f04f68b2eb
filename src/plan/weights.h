/* The table of a plan's weights. An architecture declares in it what it wants of a file, in either dialect
 * (src/arch/want.h); who reads the file, or writes another, goes over the table (src/arch/loader.h). */
#ifndef HLMI_PLAN_WEIGHTS_H
#define HLMI_PLAN_WEIGHTS_H

#include "base/dialect.h"
#include "plan/matrix.h"

/** Where the rows of a matrix are in a file's tensor. All zero: as they are. */
typedef struct hlmi_row_order {
    size_t head_dim; /* rows of a head, where half, parts or period is not 0 */
    size_t half; /* of each head the first 2*half are pairs (2i, 2i+1) in the file and halves (i, i+half) in the plan */
    size_t parts, part; /* the tensor holds `parts` matrices, head by head in turn; this is number `part` */
    size_t period; /* rows from one head to the next in the file; 0: parts (or 1) times head_dim */
    size_t turn, turns; /* head h is the file's (h % turn) * turns + h / turn; 0: h */
    size_t first, in_file; /* the matrix begins at this row of a tensor of in_file rows (0: parts times its own) */
    size_t stack, layer; /* the tensor is [stack, in_file, cols], the matrix in its number `layer` (0: no stack) */
} hlmi_row_order;

/** Row of a file's tensor that becomes row r of a matrix, counted through the whole stack. */
size_t hlmi_file_row(const hlmi_row_order *o, size_t r);
/** Rows of the tensor (of one of its stack) that holds a matrix of n rows. */
size_t hlmi_file_rows(const hlmi_row_order *o, size_t n);
/** Do rows follow one another in the file too? */
bool hlmi_file_order(const hlmi_row_order *o);

/** What a weight is used for, and so how it is kept. */
typedef enum hlmi_use {
    HLMI_USE_PRODUCT, /* a matrix that is multiplied: packed for the kernels */
    HLMI_USE_ROWS, /* a matrix of which rows are looked up: as in the file */
    HLMI_USE_NUMBERS /* f32 */
} hlmi_use;

/** What becomes of a tensor's numbers. */
enum {
    HLMI_MAKE_NEG_EXP = 1, /* -exp: a decay from its logarithm */
    HLMI_MAKE_PLUS_ONE = 2,
    HLMI_MAKE_TRANSPOSED = 4, /* kept as [cols][rows] */
    HLMI_MAKE_TAPS = 8 /* the same from a tensor [rows, 1, cols]: a depthwise convolution */
};

/** Something that an architecture wants of a file. */
typedef struct hlmi_want {
    hlmi_key name; /* without the tail; %zu is the layer, %e the item */
    const char *tail; /* ".weight", ".bias" or "" */
    const char *role; /* in its block, for people */
    size_t layer, item; /* item: an expert, or a use of a shared block */
    bool expert; /* one of many, of which rows choose */
    bool fixed; /* a matrix that is never quantised at load */
    size_t rows, cols; /* cols 0: a vector of `rows` numbers */
    hlmi_row_order order[HLMI_DIALECTS];
    hlmi_row_order columns[HLMI_DIALECTS]; /* the same of columns: as they are in the model's own dialect */
    unsigned make[HLMI_DIALECTS]; /* HLMI_MAKE_..., of numbers */
    double divisor; /* of numbers; 0: 1 */
    size_t unit; /* rows that stay together when it is divided: a head, a group; 0: as many as kernels take at once */
} hlmi_want;

struct hlmi_tensor;

/** A want, and what a file has for it. */
typedef struct hlmi_weight {
    hlmi_want want;
    hlmi_use use;
    hlmi_dialect dialect; /* the file's */
    size_t block; /* number in the plan of the block that it is for */
    const struct hlmi_tensor *tensor; /* of the file; it may hold more than this */
    const char *name; /* to adapters: the tensor's, or another (hlmi_plan_name_weight) */
    hlmi_key key; /* what that is made of, in either dialect */
    hlmi_matrix matrix; /* the use decides between this and the numbers */
    float *numbers; /* [rows] or [rows][cols] */
} hlmi_weight;

static inline const hlmi_row_order *hlmi_weight_order(const hlmi_weight *w)
{
    return &w->want.order[w->dialect];
}

#endif
