/* The op table: what a backend does for blocks. Each entry is called once while a program is recorded and emits the
 * regions (on a GPU, the kernels) that do the work for any tile; none knows a model. Rows are those of the tile, or its
 * out rows where said. */
#ifndef HLMI_OPS_OPS_H
#define HLMI_OPS_OPS_H

#include "exec/program.h"

enum { HLMI_LINEAR_MAX = 5 };

/** What becomes of the products of a linear op. */
typedef enum hlmi_epilogue {
    HLMI_EP_STORE, /* y_i = W_i x + b_i */
    HLMI_EP_ADD, /* y_0 = y_0 + (W_0 x + b_0): the residual stream */
    HLMI_EP_SILU_MUL, /* y_0 = silu(W_0 x + b_0) * (W_1 x + b_1) */
    HLMI_EP_GELU, /* y_0 = gelu(W_0 x + b_0), the tanh form */
    HLMI_EP_RELU2, /* y_0 = max(W_0 x + b_0, 0)^2 */
    HLMI_EP_OUT /* of the out rows, row i of W_0 x + b_0 to tile->out[i] (logits) */
} hlmi_epilogue;

typedef struct hlmi_linear {
    hlmi_rows x;
    const hlmi_norm *norm; /* of each row of x first; NULL: x as it is */
    size_t n; /* matrices, all with as many columns as x */
    hlmi_dense w[HLMI_LINEAR_MAX]; /* the epilogue is behind bias and scale */
    bool exact; /* f32 activations whatever the weights' type (routers, small projections that decide) */
    hlmi_epilogue epilogue;
    hlmi_rows y[HLMI_LINEAR_MAX];
    /** Where activations become int8, w[i] gets a second row of int8 for what the first leaves over: about 16 bits, for
     *  twice the arithmetic on weights that are read once. For matrices through which rounding shows most
     *  (docs/design.md). */
    bool wide[HLMI_LINEAR_MAX];
} hlmi_linear;

/** A causal depthwise convolution over time. y_t[c] = act(bias[c] + sum over j of w[j][c] * x_{t - (window-1) + j}[c]),
 *  j in order with fma; the inputs before the tile are in the state. act is silu or nothing. */
typedef struct hlmi_conv {
    size_t rec; /* recurrence of the plan: its channels and window */
    const float *weight; /* [window][channels], oldest tap first */
    const float *bias; /* [channels] or NULL */
    bool silu;
    hlmi_rows x, y; /* [rows, channels]; y is not x */
} hlmi_conv;

/** Mamba-1's selective scan (Gu and Dao 2023, section 3), per channel c of state.cols and n of state.rows:
 *      dt = softplus(x_dt[c] + dt_bias[c]),  S[n][c] = exp(dt * a[n][c]) * S[n][c] + (dt * x[c]) * b[n]
 *      y[c] = (sum over n of S[n][c] * c[n], in order with fma) + d[c] * x[c],  then times silu(z[c]) where z is given. */
typedef struct hlmi_scan1 {
    size_t rec;
    const float *a; /* [state.rows][state.cols], negative: -exp(A_log), transposed */
    const float *dt_bias, *d; /* [state.cols]; dt_bias may be NULL */
    hlmi_rows x, dt, b, c, z, y; /* b and c side by side in one matrix; z.at may be NULL */
} hlmi_scan1;

/** Mamba-2's scan (Dao and Gu 2024), per head h, state row n and lane p; head h reads group h / (heads / groups) of b
 *  and c:
 *      dt = clamp(softplus(x_dt[h] + dt_bias[h]), dt_min, dt_max),  S[n][p] = exp(dt * a[h]) * S[n][p] + (dt * b[n]) * x[p]
 *      y[p] = d[h] * x[p] + sum over n of S[n][p] * c[n], in order with fma */
typedef struct hlmi_scan2 {
    size_t rec, groups;
    const float *a, *dt_bias, *d; /* [heads]; a negative */
    float dt_min, dt_max;
    hlmi_rows x, dt, b, c; /* [heads][head dim], [heads], [groups][state.rows] twice, side by side in one matrix */
    hlmi_rows y;
} hlmi_scan2;

/** The gated delta rule (Yang et al. 2024), per value head h of state.heads, which reads key head h / (heads /
 *  key_heads):
 *      g = exp(a[h] * softplus(x_a[h] + dt_bias[h])),  beta = sigmoid(x_b[h]),  q and k of each head through their norms
 *      m[p] = sum over n of k[n] * S[n][p],  d[p] = beta * (v[p] - g * m[p])
 *      S[n][p] = k[n] * d[p] + g * S[n][p],  y[p] = sum over n of q[n] * S[n][p]
 *  A norm with weights 1 / sqrt(n) and eps / n makes heads of n elements x / sqrt(sum x^2 + eps): of length 1. */
typedef struct hlmi_delta {
    size_t rec, key_heads;
    bool turned; /* the value heads of a key head lie key_heads apart, not side by side */
    const float *a, *dt_bias; /* [heads]; a negative: -exp(A_log) */
    const hlmi_norm *q_norm, *k_norm; /* [state.rows] */
    hlmi_rows q, k, v, xa, xb; /* [key_heads][state.rows] twice, [heads][state.cols], [heads] twice */
    hlmi_rows y;
} hlmi_delta;

/** y = norm(x) for each of `groups` consecutive parts of norm->size; norm->weight is [groups * norm->size] where
 *  `wide`, else one [norm->size] for all. The gate g: x * silu(g) is normed, or norm(x) * silu(g) is the result. y may
 *  be x. */
typedef struct hlmi_norm_rows {
    const hlmi_norm *norm;
    size_t groups;
    bool wide;
    hlmi_gate_kind kind;
    hlmi_rows x, g, y;
} hlmi_norm_rows;

/** Elementwise forms of rows. */
typedef enum hlmi_combine_kind {
    HLMI_COMBINE_MUL, /* y = a * b */
    HLMI_COMBINE_SIGMOID, /* y = a * sigmoid(b) */
    HLMI_COMBINE_SILU, /* y = a * silu(b) */
    HLMI_COMBINE_GELU_ERF, /* y = a * gelu(b), the exact form */
    HLMI_COMBINE_COPY, /* y = a */
    HLMI_COMBINE_MEAN /* y = (a + b) * 0.5 */
} hlmi_combine_kind;

typedef struct hlmi_combine {
    hlmi_combine_kind kind;
    size_t cols;
    hlmi_rows a, b, y; /* y may be a */
} hlmi_combine;

/** The experts of the tile's rows: [rows][picks]. */
typedef struct hlmi_choices {
    size_t picks;
    uint32_t *expert;
    float *weight;
} hlmi_choices;

typedef struct hlmi_route {
    hlmi_router router;
    hlmi_rows logits;
    hlmi_choices out; /* picks: top_k, and one more with a shared expert */
} hlmi_route;

/** Expert matrices on the rows that chose them. A *slot* is a row and one of its experts; slots are ordered by expert,
 *  then row, so that a matrix meets its rows side by side and is read once a tile.
 *      up: y[slot] = f(W x[row of slot]), f by epilogue: SILU_MUL (gate, up), GELU or RELU2 (up)
 *      down: y[row] = y[row] + weight * (W x[slot] + bias), experts ascending; ADD, or STORE: from 0 on */
typedef struct hlmi_linear_grouped {
    const hlmi_expert *experts;
    size_t n_experts; /* with the shared one */
    hlmi_choices to;
    bool down;
    bool wide; /* as of hlmi_linear, of all matrices */
    hlmi_epilogue epilogue;
    hlmi_rows x, y;
    const hlmi_norm *norm; /* up: of each row of x first, or NULL */
} hlmi_linear_grouped;

/** Rows of one of a layer's branches, for those who ask for them. */
typedef struct hlmi_branch {
    int32_t layer, kind; /* HLM_HIDDEN_... */
    size_t cols;
    hlmi_rows rows;
} hlmi_branch;

/** Causal attention over the pages of one KV layer. q, k and v are rows of heads side by side. */
typedef struct hlmi_attention {
    size_t n_heads;
    size_t kv; /* KV layer of the plan: its number of heads and their sizes */
    size_t window; /* a query sees itself and window - 1 before it; 0: all */
    size_t pinned; /* positions at the beginning that every query sees, whatever the window */
    float scale;
    hlmi_rows q, k, v, out; /* k.at NULL: an earlier layer has written the rows of `kv`; out: [rows, n_heads * v_dim] */
    const hlmi_norm *q_norm, *k_norm; /* of each head before the rotation; or NULL */
    size_t rope; /* which of the plan's; HLMI_NO_ROPE: positions do not turn q and k */
} hlmi_attention;

/** The entries of an op table: X(name, what it takes besides the builder). */
#define HLMI_OPS(X)                                                                                                     \
  /* cos and sin of the tile's positions for rope `i` of the plan, into b->ropes[i] */                                  \
  X(rope_table, size_t i)                                                                                               \
  /* b->x = scale * rows of the embedding matrix by token id, or the rows that were given instead, as they are */       \
  X(gather, const hlmi_matrix *table, float scale)                                                                      \
  X(linear, const hlmi_linear *a)                                                                                       \
  /* q and k turned (after their norms), k and v written into the pages */                                              \
  X(rope_append, const hlmi_attention *a)                                                                               \
  X(attention, const hlmi_attention *a)                                                                                 \
  /* the weights of the rows that were asked for as `layer`; after rope_append */                                       \
  X(attention_tap, int32_t layer, const hlmi_attention *a)                                                              \
  /* recurrent layers; each reads the state that the spans come in with and writes the one they leave with, the same */ \
  /* for any division of the rows into tiles and spans */                                                               \
  X(conv, const hlmi_conv *a)                                                                                           \
  X(scan1, const hlmi_scan1 *a)                                                                                         \
  X(scan2, const hlmi_scan2 *a)                                                                                         \
  X(delta, const hlmi_delta *a)                                                                                         \
  /* rows of what a recurrence reads, [channels + extra] floats, into the undo log; and out of it, for replay */        \
  X(log_write, size_t rec, hlmi_rows rows)                                                                              \
  X(log_read, size_t rec, hlmi_rows rows)                                                                               \
  X(norm_rows, const hlmi_norm_rows *a)                                                                                 \
  X(combine, const hlmi_combine *a)                                                                                     \
  /* router logits to experts and weights */                                                                            \
  X(route, const hlmi_route *a)                                                                                         \
  X(linear_grouped, const hlmi_linear_grouped *a)                                                                       \
  /* y [out rows] = b->x of the out rows; and of each span's last row into the state that the span leaves with */       \
  X(pick_rows, hlmi_rows y)                                                                                             \
  /* y [out rows] = the rows that the states have kept so: row i of the state that span i comes in with */              \
  X(kept_rows, hlmi_rows y)                                                                                             \
  /* rows of b->x (through the norm, unless NULL) to the hidden states that were asked for as `layer` */                \
  X(tap, int32_t layer, const hlmi_norm *norm)                                                                          \
  X(tap_branch, const hlmi_branch *a)

struct hlmi_ops {
#define HLMI_OP(op, ...) void (*op)(hlmi_builder * b, __VA_ARGS__);
    HLMI_OPS(HLMI_OP)
#undef HLMI_OP
};

#endif
