/* The Transformer decoder that many families share: pre-norm attention and feed-forward blocks. A family says in a spec
 * what sets it apart. */
#ifndef HLMI_ARCH_DECODER_H
#define HLMI_ARCH_DECODER_H

#include "arch/arch.h"
#include "arch/part.h"

/** When a projection has a bias. */
typedef enum hlmi_has_bias {
    HLMI_BIAS_NEVER, /* this and the next are what false and true say of one */
    HLMI_BIAS_ALWAYS,
    HLMI_BIAS_ATTENTION, /* HF: attention_bias is true; GGUF: the tensor is there */
    HLMI_BIAS_MLP /* likewise mlp_bias */
} hlmi_has_bias;

/** Which rows of a head lie as rotation pairs (2i, 2i+1) in GGUF files. */
typedef enum hlmi_pairs { HLMI_PAIRS_NONE, HLMI_PAIRS_TURNED /* those that are turned */, HLMI_PAIRS_ALL } hlmi_pairs;

/** Llama's names. */
extern const hlmi_key hlmi_llama_names[HLMI_PARTS];

typedef struct hlmi_decoder hlmi_decoder;
typedef struct hlmi_decoder_spec hlmi_decoder_spec;

/** Sizes that the reference's class has where config.json has none (0: it must); families' files give them in this
 *  order. GGUF files must have all but two. */
typedef struct hlmi_class_sizes {
    int64_t vocab, hidden, ff, layers, heads;
    int64_t kv_heads; /* 0: as many as heads, which null stands for in every class */
    int64_t head_dim; /* 0: hidden / heads */
    int64_t positions;
} hlmi_class_sizes;

struct hlmi_decoder_spec {
    const hlmi_key *names; /* [HLMI_PARTS] */
    const char *tied_key; /* another name of tie_word_embeddings, which goes before it */
    hlmi_has_bias qkv_bias, o_bias, mlp_bias, head_bias;
    hlmi_norm_kind norm;
    bool norm_plus_one; /* files hold the norms' weights less 1 */
    const char *eps_key; /* where not rms_norm_eps */
    double eps; /* where config.json has none */
    bool qk_norm; /* each q and k head is normed, ... */
    const char *qk_norm_key; /* ... if this setting (NULL: always) is true */
    bool fused_qkv; /* one tensor, [head][q, k, v][head_dim] */
    bool gated_attention; /* the tensor of q is [head][q, gate][head_dim] */
    bool parallel; /* attention and feed-forward read the same normed rows; no norm of its own for the latter */
    const char *ff_key; /* where not intermediate_size */
    bool gguf_ff_by_tensor; /* GGUF's feed_forward_length may be another layer's, or another number */
    hlmi_class_sizes sizes;
    hlmi_mlp_kind mlp;
    bool gate_in_up; /* the tensor of up holds the rows of gate, then its own */
    const char *activation; /* what hidden_act must say, or another name of the same function (NULL: "silu") */
    const char *activation_key; /* where not hidden_act */
    double partial_rotary, theta; /* defaults; 0: all of a head, 10000 */
    hlmi_pairs gguf_pairs; /* of a head of q and k */
    bool tied; /* embedding and head are one where config.json does not say */
    bool recurrent_only; /* no settings of attention, positions and feed-forward */
    /** Window of a layer in tokens, 0 for none. */
    hlm_status (*window)(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out);
    /** Sets d->layers. NULL: num_hidden_layers. */
    hlm_status (*count)(hlmi_decoder *d);
    /** d->family begins as family_size bytes, a copy of `usual` (NULL: zeros). */
    size_t family_size;
    const void *usual;
    /** Settings of the family, after the common ones; may change these. NULL: none. */
    hlm_status (*setup)(hlmi_decoder *d);
    /** Adds the blocks of a layer. NULL: attention and feed-forward. */
    hlm_status (*layer)(const hlmi_decoder *d, size_t layer);
};

/** A decoder that is being built: what the functions of a spec see. */
struct hlmi_decoder {
    const hlmi_decoder_spec *spec;
    const hlmi_config *c;
    hlmi_wants *w;
    hlmi_plan *plan;
    const hlmi_key *names; /* [HLMI_PARTS] of the layer at hand */
    bool gguf, tied, qk_norm;
    int32_t head; /* HLM_HEAD_... */
    hlmi_part table; /* the tensor of the embedding */
    size_t hidden, ff, layers, vocab;
    double eps;
    size_t rope, rope_dim, head_dim;
    bool no_rope; /* positions do not turn q and k */
    float embed_scale, logit_scale; /* 0: 1 */
    float attn_scale; /* of scores; 0: 1 / sqrt(head_dim) */
    double qkv_divisor; /* of biases of q, k and v; 0: 1 */
    const float *residual; /* [hidden] times what attention and feed-forward add to the stream; NULL: 1 */
    void *family; /* the spec's own settings, which setup reads */
};

/** The part's want with the family's names, and the part's own tail and make; where the want has none. */
hlmi_want hlmi_decoder_spell(const hlmi_decoder *d, hlmi_part p, size_t layer, hlmi_want want);
/** Does the file have it? */
bool hlmi_decoder_has(const hlmi_decoder *d, hlmi_part p, size_t layer);
/** The want of rows from `first` on of a tensor of in_file rows, in both dialects. */
static inline hlmi_want hlmi_want_rows(hlmi_want want, size_t first, size_t in_file)
{
    for (size_t i = 0; i < HLMI_DIALECTS; i++) want.order[i] = (hlmi_row_order){.first = first, .in_file = in_file};
    return want;
}

/** Rows of the tensor that a GGUF file has for the part: sizes of layers are there. `otherwise` where it has none, and
 *  in folders. */
size_t hlmi_decoder_rows_of(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t otherwise);
/** Sets d->layers; those of GGUF files that predict further tokens are not counted. */
hlm_status hlmi_decoder_count_layers(hlmi_decoder *d);
/** Has the layer attention? By the number of its key/value heads, which GGUF files give layer by layer. */
hlm_status hlmi_decoder_attends(const hlmi_decoder *d, size_t layer, bool *out);
/** What says whether there is a bias: the setting in folders, in GGUF files the tensor. */
static inline hlmi_has_bias hlmi_bias_by(const hlmi_decoder *d, bool setting)
{
    return d->gguf ? HLMI_BIAS_ATTENTION : (hlmi_has_bias)setting;
}

/* What is wanted of the file. NULL after a failure, which stays, and comes back when a block is added. */
const hlmi_matrix *hlmi_decoder_rows(const hlmi_decoder *d, hlmi_part p, size_t layer, hlmi_want want);
const float *hlmi_decoder_numbers(const hlmi_decoder *d, hlmi_part p, size_t layer, hlmi_want want);
/** The same of whole tensors. */
const hlmi_matrix *hlmi_decoder_matrix(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t rows, size_t cols);
const float *hlmi_decoder_vector(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t n);
const float *hlmi_decoder_bias(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t n);
hlmi_norm hlmi_decoder_norm(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t n);
/** A matrix and its bias, which is NULL where there is none. */
hlmi_dense hlmi_decoder_linear(const hlmi_decoder *d, hlmi_part p, size_t layer, hlmi_want want, hlmi_has_bias has);
/** The taps of a depthwise convolution (HLMI_PART_SSM_TAPS), and its bias where there is one. */
void hlmi_decoder_taps(const hlmi_decoder *d, size_t layer, size_t channels, size_t window, bool biased,
                       const float **taps, const float **bias);
/** n times a value: a multiplier for the rows of a matrix. NULL as above. */
const float *hlmi_decoder_fill(const hlmi_decoder *d, size_t n, double value);
/** Adds a block with what it has asked for. */
hlm_status hlmi_decoder_add(const hlmi_decoder *d, hlmi_block_kind kind, const void *params, size_t size);
/** HLM_E_UNSUPPORTED when the setting is there and does not name the function `wanted`, under any of its names. */
hlm_status hlmi_check_activation(const hlmi_config *c, const char *key, const char *wanted);
/** The parts of a Transformer layer, for specs that add the blocks themselves. Attention takes a KV layer of the
 *  plan. */
hlm_status hlmi_decoder_attention(const hlmi_decoder *d, size_t layer, hlmi_attn_params *p);
void hlmi_decoder_mlp(const hlmi_decoder *d, size_t layer, hlmi_mlp_params *p);
/** The same, and their blocks. */
hlm_status hlmi_decoder_add_attention(const hlmi_decoder *d, size_t layer);
hlm_status hlmi_decoder_add_mlp(const hlmi_decoder *d, size_t layer);

hlm_status hlmi_decoder_build(const hlmi_decoder_spec *spec, const hlmi_config *c, hlmi_wants *w);

/** "sliding_window" for every layer (Mistral, which takes no notice of layer_types). */
hlm_status hlmi_window_all(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out);
/** The same, when use_sliding_window is true, for the layers that layer_types names or those from max_window_layers on
 *  (Qwen). */
hlm_status hlmi_window_upper(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out);

#endif
