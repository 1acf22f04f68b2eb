/* The layer plan: a model as a flat list of typed blocks with their weights, immutable once loaded. Architectures
 * (src/arch) make it, blocks (src/block) give it meaning, src/exec runs it.
 *
 * Words: the *residual stream* x [rows, hidden_size] runs through all blocks; a *row* is one token of the step at
 * hand. */
#ifndef HLMI_PLAN_PLAN_H
#define HLMI_PLAN_PLAN_H

#include "base/mem.h"
#include "place/place.h"
#include "plan/layers.h"
#include "plan/weights.h"

/** How positions turn q and k (src/arch/rope.h makes it). */
typedef struct hlmi_rope {
    size_t half; /* rotated pairs: (i, i + half) */
    float *inv_freq; /* [half] radians per position */
    const float *divisors; /* [half] what the file divides them by (hlmi_rope_divide), or NULL */
    float attention_factor; /* on cos and sin */
    /* dynamic NTK: positions from dynamic_from on get frequencies of their own; 0: off */
    int64_t dynamic_from;
    double dynamic_factor, theta;
} hlmi_rope;

/** KV rows of one attention layer inside a page: the geometry that the pool lays out. */
typedef struct hlmi_kv_layer {
    size_t n_kv_heads, head_dim, v_dim;
    size_t place; /* that computes it (place/place.h), and has its rows */
    size_t
        window; /* the widest of those who read it: a query sees itself and window - 1 before it; 0: one of them sees all */
    bool read; /* somebody has said so */
} hlmi_kv_layer;

/** What one layer with a recurrence remembers of a sequence besides KV rows: the newest inputs of its convolution and
 *  the state of its scan. Both lie in the sequence's state block (src/state/item.h), f32, with the lanes of the kernels
 *  side by side. */
typedef struct hlmi_recurrence {
    int32_t layer;
    size_t channels, window; /* convolution: [window][channels], oldest input first; window 0: none */
    size_t heads, rows, cols; /* scan: [heads][rows][cols]; heads 0: none */
    bool transposed; /* people (and the models' references) know a head's state as [cols][rows] */
    size_t extra; /* floats that the scan reads for a token besides the convolution's inputs */
    size_t place; /* that computes it (place/place.h) */
} hlmi_recurrence;

typedef struct hlmi_block {
    hlmi_block_kind kind;
    const void *params; /* the kind's struct of plan/layers.h */
    size_t place; /* that computes it (place/place.h), and has the rows of its recurrence */
} hlmi_block;

typedef struct hlmi_plan {
    hlmi_mem mem;
    size_t hidden_size, vocab_size, n_layers;
    int32_t head; /* HLM_HEAD_... */
    size_t head_place; /* that computes it, and has the rows that it keeps */
    size_t n_out; /* logits of a row: the vocabulary's size, or the number of classes */
    size_t n_heads, n_kv_heads,
        head_dim; /* most query heads of a layer; the others of the first attention layer, for people */
    int64_t max_positions;
    hlmi_block *blocks;
    size_t n_blocks, cap_blocks;
    hlmi_kv_layer *kv; /* [n_kv] attention layers that own KV rows */
    size_t n_kv, cap_kv;
    size_t branch_size; /* of each branch's rows where every layer has two side by side, else 0 */
    uint32_t *layer_heads; /* [n_layers] query heads, 0 without attention; NULL: no layer has any */
    hlmi_recurrence *rec; /* [n_rec] layers with a recurrence */
    size_t n_rec, cap_rec;
    const float *prefix; /* [n_prefix, hidden_size] rows that layer 0 reads before every text (memory tokens) */
    size_t n_prefix; /* the engine's positions count them, the public ones do not */
    hlmi_rope *ropes; /* [n_ropes] */
    size_t n_ropes, cap_ropes;
    hlmi_weight **weights; /* [n_weights] the table */
    size_t n_weights, cap_weights;
    void **owned; /* everything else the plan frees */
    size_t n_owned, cap_owned;
    bool keeps_embedding; /* blocks read the embedding beside the stream (hlmi_builder.pair) */
    size_t chunk; /* bytes that small matrices are taken from at a time */
    uint8_t *chunk_at, *chunk_end;
    uint64_t n_parameters, n_active; /* of the file; that one token is computed with */
    uint64_t weight_bytes; /* in memory as loaded */
    uint64_t bytes_per_token; /* weights read to compute one token, in their types' own layouts */
    uint64_t type_bytes[HLMI_TYPE_COUNT]; /* of weights, by the type that they are kept in, in its file form */
    hlmi_type quantise; /* matrices of plain numbers become this at load; HLMI_F32: they stay */
    bool quantise_tied; /* an embedding that is the head, too */
} hlmi_plan;

void hlmi_plan_init(hlmi_plan *p, const hlmi_mem *mem);
void hlmi_plan_free(hlmi_plan *p);

/** Zeroed memory that lives as long as the plan; NULL when there is none. */
void *hlmi_plan_alloc(hlmi_plan *p, size_t n, size_t size);
/** Memory for packed matrices, not zeroed: small matrices lie side by side in chunks, which the system can back with
 *  large pages. NULL when there is none (sentence set). */
void *hlmi_plan_alloc_packed(hlmi_plan *p, size_t bytes);
/** Adopt memory from p->mem; freed at once when it can not be kept. */
hlm_status hlmi_plan_own(hlmi_plan *p, void *memory);
/** Append an entry to the table, whose matrix gets its number and whose block is the next one; NULL without memory. */
hlmi_weight *hlmi_plan_add_weight(hlmi_plan *p, const hlmi_want *want);
/** A matrix of the table goes by another name than its tensor's to adapters: that of `tensor`, which is spelled by
 *  key. */
hlm_status hlmi_plan_name_weight(hlmi_plan *p, const hlmi_matrix *m, hlmi_key key, const char *tensor);
/** Append a block with a copy of its params. */
hlm_status hlmi_plan_add(hlmi_plan *p, hlmi_block_kind kind, const void *params, size_t size);
/** Once each block has its place: matrices get the layouts that these keep them in. HLM_E_UNSUPPORTED names the file
 *  (`path`), and the block or the tensor, that a place can do nothing with. */
hlm_status hlmi_plan_place(hlmi_plan *p, hlmi_place *const *places, const char *path);
/** Append an attention layer's KV geometry; *index is its number in pages. */
hlm_status hlmi_plan_add_kv(hlmi_plan *p, const hlmi_kv_layer *kv, size_t *index);
/** Say that a layer attends to the rows of a KV layer through a window (0: to all). Rows that nobody speaks of are seen
 *  by all. */
void hlmi_plan_read_kv(hlmi_plan *p, size_t index, size_t window);
/** Say that a layer of plan->n_layers has attention with n query heads. */
hlm_status hlmi_plan_set_heads(hlmi_plan *p, size_t layer, size_t n);
/** Query heads of a layer, 0 without attention. */
static inline size_t hlmi_plan_layer_heads(const hlmi_plan *p, int32_t layer)
{
    return p->layer_heads ? p->layer_heads[layer] : 0;
}
/** Append a layer's recurrence; *index is its number in state blocks. */
hlm_status hlmi_plan_add_recurrence(hlmi_plan *p, const hlmi_recurrence *r, size_t *index);

#endif
