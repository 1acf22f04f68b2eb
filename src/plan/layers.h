/* What blocks are made of: for each kind a struct of its weights and settings, which an architecture fills and
 * src/block gives meaning to. Data only. */
#ifndef HLMI_PLAN_LAYERS_H
#define HLMI_PLAN_LAYERS_H

#include "plan/matrix.h"

/** All kinds of blocks: hlmi_block_attn of src/block reads a struct hlmi_attn_params, and so on. */
#define HLMI_BLOCKS(X)      \
  X(EMBED, embed)           \
  X(ATTN, attn)             \
  X(DELTA, delta)           \
  X(SHORT_CONV, short_conv) \
  X(MLP, mlp)               \
  X(PARALLEL, parallel)     \
  X(MAMBA2, mamba2)         \
  X(HYBRID2, hybrid2)       \
  X(SHARED, shared)         \
  X(MAMBA1, mamba1)         \
  X(HEADS, heads)           \
  X(TAP, tap)               \
  X(MOE, moe)               \
  X(HEAD, head)

typedef enum hlmi_block_kind {
#define HLMI_BLOCK_KIND(kind, name) HLMI_BLOCK_##kind,
    HLMI_BLOCKS(HLMI_BLOCK_KIND)
#undef HLMI_BLOCK_KIND
} hlmi_block_kind;

/** x = embedding rows of the tokens. */
typedef struct hlmi_embed_params {
    const hlmi_matrix *table; /* [vocab_size, hidden_size] */
    float scale; /* of the rows; 0: 1 */
} hlmi_embed_params;

#define HLMI_NO_ROPE SIZE_MAX /* in place of one of the plan's: positions do not turn q and k */

/** x = x + W_o a, a = attention(W_q n, W_k n, W_v n), n = norm(x); with a gate a * sigmoid(W_g n) in place of a. */
typedef struct hlmi_attn_params {
    int32_t layer;
    hlmi_norm norm;
    hlmi_dense q, k, v, o, gate; /* without k and v an earlier layer's rows of `kv` are read */
    hlmi_norm q_norm, k_norm; /* weight NULL: none */
    size_t n_heads, kv, rope, window;
    size_t pinned; /* positions at the beginning that every window shows */
    float scale;
} hlmi_attn_params;

/** x = x + W_out o, o = norm of each head of delta(...) times silu(W_z n), n = norm(x): a gated delta net. The
 *  convolution runs over [W_q n | W_k n | W_v n], and with a = W_a n and b = W_b n the delta rule of ops.h over what
 *  comes of it. */
typedef struct hlmi_delta_params {
    int32_t layer;
    hlmi_norm norm;
    const hlmi_matrix *q, *k, *v, *z, *a, *b, *out;
    size_t rec, key_heads; /* the recurrence's convolution is that of q, k and v */
    bool turned; /* the value heads of a key head lie key_heads apart, not side by side */
    const float *taps; /* [window][channels] */
    const float *decay, *dt_bias; /* [value heads] */
    hlmi_norm q_norm, k_norm; /* of key heads: to length 1, and the scale of q */
    hlmi_norm head_norm; /* of a value head */
} hlmi_delta_params;

/** x = x + W_out (c * conv(b * v)), [b | c | v] = W_in norm(x): a gated short convolution. */
typedef struct hlmi_short_conv_params {
    int32_t layer;
    hlmi_norm norm;
    hlmi_dense b, c, v, out;
    size_t rec; /* a convolution alone */
    const float *taps; /* [window][hidden_size] */
    const float *bias; /* [hidden_size] or NULL */
} hlmi_short_conv_params;

/** What stands between the matrices of a feed-forward block. */
typedef enum hlmi_mlp_kind {
    HLMI_MLP_SILU_GATED, /* silu(W_gate n) * W_up n */
    HLMI_MLP_GELU, /* gelu(W_up n) */
    HLMI_MLP_RELU2 /* max(W_up n, 0)^2 */
} hlmi_mlp_kind;

/** x = x + W_down f(n), n = norm(x). */
typedef struct hlmi_mlp_params {
    hlmi_mlp_kind kind;
    hlmi_norm norm;
    hlmi_dense gate, up, down; /* gate only where gated */
} hlmi_mlp_params;

/** x = x + attention(n) + mlp(n): both halves read the same n = norm(x). */
typedef struct hlmi_parallel_params {
    hlmi_attn_params attn;
    hlmi_mlp_params mlp;
} hlmi_parallel_params;

/** Norms of groups within rows, with a gate before or after. */
typedef enum hlmi_gate_kind { HLMI_GATE_NONE, HLMI_GATE_SILU_BEFORE, HLMI_GATE_SILU_AFTER } hlmi_gate_kind;

/** What W_in of Mamba-2 makes of a row, side by side in this order. */
enum { HLMI_SSM_Z, HLMI_SSM_X, HLMI_SSM_B, HLMI_SSM_C, HLMI_SSM_DT, HLMI_SSM_PARTS };

/** Mamba-2: x = x + W_out g(y, z), where rows [z | u | dt] = W_in n, n = norm(x), u through the convolution is [x' | B
 *  | C], and y is the scan of them. g norms y in groups with z as its gate; without a gated norm it is y * silu(z). */
typedef struct hlmi_mamba2_params {
    int32_t layer;
    hlmi_norm norm;
    hlmi_dense in[HLMI_SSM_PARTS], out;
    const float *taps, *taps_bias; /* [window][channels]; [channels] or NULL */
    const float *a, *d, *dt_bias; /* [heads]; a negative */
    float dt_min, dt_max;
    size_t rec, groups; /* groups of heads that share B and C */
    hlmi_norm gate_norm; /* of a group's lanes, weights for all groups side by side; weight NULL: none */
    size_t norm_groups;
    hlmi_gate_kind gate;
} hlmi_mamba2_params;

/** x = x + attention(n) + mamba2(n): both read the same n = norm(x). */
typedef struct hlmi_hybrid2_params {
    hlmi_mamba2_params ssm; /* first, as in all blocks with a recurrence in them: it alone is replayed */
    hlmi_attn_params attn;
} hlmi_hybrid2_params;

/** What is added to a matrix W for one of its uses: W + B A. */
typedef struct hlmi_low_rank {
    const hlmi_matrix *a, *b; /* [rank, cols of W], [rows of W, rank]; NULL: nothing */
} hlmi_low_rank;

/** A Transformer block of which several layers share the weights, and Mamba-2 after it (Zamba2): x = x + mamba2(x + W
 *  t) with t = W_down (gelu(W_gate n) * W_up n), n = norm(a), and a the attention over q, k and v of norm([x |
 *  embedding]), its residual left out. The layer's own are W, Mamba-2, and what it adds to the shared matrices. */
typedef struct hlmi_shared_params {
    hlmi_mamba2_params ssm; /* first (hlmi_hybrid2_params) */
    hlmi_attn_params attn; /* norm and q, k and v of twice the hidden size */
    hlmi_norm ff_norm;
    hlmi_dense gate_up, down; /* gate's rows, then up's */
    hlmi_low_rank q, k, v, ff; /* ff: for gate_up */
    const hlmi_matrix *linear; /* W */
} hlmi_shared_params;

/** Mamba-1: x = x + W_out y, where u through the convolution is the scan's input, [u | z] = W_in n, n = norm(x), and
 *  from its result v come [low | B | C] = W_x v, each normed where there are norms, and dt = W_dt low. y is the scan
 *  times silu(z). */
typedef struct hlmi_mamba1_params {
    int32_t layer;
    hlmi_norm norm;
    hlmi_dense u, z, out; /* [inner, hidden_size] twice, [hidden_size, inner] */
    const hlmi_matrix *low, *b, *c, *dt; /* [dt rank, inner], [state, inner] twice, [inner, dt rank] */
    hlmi_norm low_norm, b_norm, c_norm; /* weight NULL: none */
    const float *taps, *taps_bias; /* [window][channels]; [channels] or NULL */
    const float *a, *d, *dt_bias; /* [state][channels]; [channels] twice */
    size_t rec;
} hlmi_mamba1_params;

/** Attention and Mamba-1 side by side on n = norm(x): x = x + W_out (norm(a) + norm(m)) / 2, a = attention(W_q n, W_k
 *  n, W_v n), m the mixer's y. */
typedef struct hlmi_heads_params {
    hlmi_mamba1_params mamba; /* with the norm of x and W_out of both */
    hlmi_attn_params attn; /* without these */
    hlmi_norm attention_norm, mamba_norm; /* of all heads together */
} hlmi_heads_params;

/** Hidden states on the way into a layer whose first block takes no notice of them (feed-forward). */
typedef struct hlmi_tap_params {
    int32_t layer;
} hlmi_tap_params;

/** How a router's logits become experts of a row and their weights; of equals the lower index is chosen. */
typedef enum hlmi_route_kind {
    HLMI_ROUTE_SOFTMAX, /* the largest of softmax(logits), which are the weights */
    HLMI_ROUTE_TOP_SOFTMAX, /* the largest logits; the weights are the softmax of those alone */
    HLMI_ROUTE_SIGMOID /* s = sigmoid(logits) are the weights; the largest s + bias of the best groups are chosen */
} hlmi_route_kind;

typedef struct hlmi_router {
    hlmi_route_kind kind;
    size_t n_experts, top_k; /* top_k of them for a row */
    /* SIGMOID: experts lie in `groups` equal parts, of which the best_groups with the largest sum of their two best are
     * open; best_groups * n_experts / groups is at least top_k. groups 0: all are open */
    size_t groups, best_groups;
    const float *bias; /* [n_experts] or NULL */
    bool normalise; /* weights / (their sum + 1e-20) */
    float scale; /* of the weights, at last */
    /* the expert behind the last is chosen by every row, with this weight, times sigmoid(logit n_experts) where gated;
     * 0: none */
    float shared;
    bool shared_gated;
} hlmi_router;

/** One expert. gate is there where the others' is and the form is gated. */
typedef struct hlmi_expert {
    hlmi_dense gate, up, down; /* biases of up and down alone */
} hlmi_expert;

/** x = x + sum over the chosen experts of weight * W_down f(n), n = norm(x); f as in a feed-forward block. A shared
 *  expert is the one behind the last. With a latent width the experts work on W_in n, and W_out of their sum is
 *  added. */
typedef struct hlmi_moe_params {
    hlmi_mlp_kind kind;
    hlmi_norm norm;
    hlmi_router router;
    const hlmi_matrix *logits; /* [n_experts, hidden_size] */
    const hlmi_matrix *shared_gate; /* [1, hidden_size] or NULL */
    const hlmi_expert *experts; /* [router.n_experts], and the shared one; owned by the plan */
    hlmi_dense latent_in, latent_out; /* [latent, hidden_size] and back; or none */
} hlmi_moe_params;

/** logits = W norm(x) for the out rows. */
typedef struct hlmi_head_params {
    hlmi_norm norm;
    hlmi_dense w; /* its own or the embedding's; none: a model without a head, of which the norm is left */
} hlmi_head_params;

#endif
