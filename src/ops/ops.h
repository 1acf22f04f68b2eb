/* The op table: what a backend does for blocks. Each entry is called once while
 * a program is recorded and emits the regions (on a GPU, the kernels) that do
 * the work for any tile; none knows a model. Rows are those of the tile, or its
 * out rows where said. Matrices of rows have strides in floats. */
#ifndef HLMI_OPS_OPS_H
#define HLMI_OPS_OPS_H

#include "exec/program.h"

/** Which rows an op works on. */
typedef enum hlmi_rows { HLMI_ROWS_TILE, HLMI_ROWS_OUT } hlmi_rows;

enum { HLMI_LINEAR_MAX = 3 };

/** What becomes of the products of a linear op. */
typedef enum hlmi_epilogue {
    HLMI_EP_STORE, /* y_i = W_i x + b_i */
    HLMI_EP_ADD, /* y_0 = y_0 + (W_0 x + b_0): the residual stream */
    HLMI_EP_SILU_MUL, /* y_0 = silu(W_0 x + b_0) * (W_1 x + b_1) */
    HLMI_EP_GELU, /* y_0 = gelu(W_0 x + b_0), the tanh form */
    HLMI_EP_RELU2, /* y_0 = max(W_0 x + b_0, 0)^2 */
    HLMI_EP_OUT /* row i of W_0 x + b_0 to tile->out[i] (logits) */
} hlmi_epilogue;

typedef struct hlmi_linear {
    hlmi_rows rows;
    const float *x;
    size_t ldx;
    const hlmi_norm *norm; /* of each row of x first; NULL: x as it is */
    size_t n; /* matrices, all with as many columns as x */
    const hlmi_matrix *w[HLMI_LINEAR_MAX];
    const float *bias[HLMI_LINEAR_MAX]; /* [rows of w] or NULL */
    hlmi_epilogue epilogue;
    float *y[HLMI_LINEAR_MAX];
    size_t ldy;
} hlmi_linear;

/** Causal attention over the pages of one KV layer. q, k and v are rows of heads side by side. */
typedef struct hlmi_attention {
    size_t n_heads;
    size_t kv; /* KV layer of the plan: its number of heads and their sizes */
    size_t window; /* a query sees itself and window - 1 before it; 0: all */
    float scale;
    float *q, *k, *v;
    size_t ldq; /* stride of q, k and v rows */
    const hlmi_norm *q_norm, *k_norm; /* of each head before the rotation; or NULL */
    size_t rope; /* which of the plan's */
    float *out; /* [rows, n_heads * v_dim] */
    size_t ldo;
} hlmi_attention;

struct hlmi_ops {
    const char *name;
    /** cos and sin of the tile's positions for rope `i` of the plan, into b->rope_cos[i] and b->rope_sin[i]. */
    void (*rope_table)(hlmi_builder *b, size_t i);
    /** b->x = rows of the embedding matrix by token id. */
    void (*gather)(hlmi_builder *b, const hlmi_matrix *table);
    void (*linear)(hlmi_builder *b, const hlmi_linear *a);
    /** Turn q and k (after their norms) and write k and v into the pages. */
    void (*rope_append)(hlmi_builder *b, const hlmi_attention *a);
    void (*attention)(hlmi_builder *b, const hlmi_attention *a);
    /** y [out rows] = b->x of the out rows. */
    void (*pick_rows)(hlmi_builder *b, float *y, size_t ldy);
    /** Rows of b->x (through the norm, unless NULL) to the hidden states that were asked for as `layer`. */
    void (*tap)(hlmi_builder *b, int32_t layer, const hlmi_norm *norm);
};

/** The CPU's op table. */
extern const hlmi_ops hlmi_ops_cpu;

#endif
