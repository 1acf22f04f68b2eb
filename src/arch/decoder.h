/* The Transformer decoder that many families share: pre-norm attention and
 * feed-forward blocks. A family says in a spec what sets it apart. */
#ifndef HLMI_ARCH_DECODER_H
#define HLMI_ARCH_DECODER_H

#include "arch/arch.h"

/** When a projection has a bias. */
typedef enum hlmi_has_bias {
    HLMI_BIAS_NEVER,
    HLMI_BIAS_ALWAYS,
    HLMI_BIAS_ASKED /* HF: the setting is true; GGUF: the tensor is there */
} hlmi_has_bias;

/** The tensors of a decoder; in names %zu is the layer. A name is without ".weight" or ".bias". */
typedef enum hlmi_part {
    HLMI_PART_EMBED,
    HLMI_PART_FINAL_NORM,
    HLMI_PART_HEAD,
    HLMI_PART_ROPE_FREQS,
    HLMI_PART_ATTN_NORM,
    HLMI_PART_Q,
    HLMI_PART_K,
    HLMI_PART_V,
    HLMI_PART_O,
    HLMI_PART_Q_NORM,
    HLMI_PART_K_NORM,
    HLMI_PART_MLP_NORM,
    HLMI_PART_GATE,
    HLMI_PART_UP,
    HLMI_PART_DOWN,
    HLMI_PARTS
} hlmi_part;

/** Llama's names in both containers. */
extern const hlmi_key hlmi_llama_names[HLMI_PARTS];
/** Those of Bamba, which Falcon-H1 and Jamba share (bamba.c). */
extern const hlmi_key hlmi_bamba_names[HLMI_PARTS];

typedef struct hlmi_decoder hlmi_decoder;

/** Sizes that the reference's class has where config.json has none (0: it must). GGUF files must have all but two. */
typedef struct hlmi_class_sizes {
    int64_t vocab, hidden, ff, layers, heads, positions;
    int64_t kv_heads; /* 0: as many as heads, which null stands for in every class */
    int64_t head_dim; /* 0: hidden / heads */
} hlmi_class_sizes;

typedef struct hlmi_decoder_spec {
    const hlmi_key *names; /* [HLMI_PARTS] */
    const char *tied_key; /* another name of tie_word_embeddings, which goes before it */
    hlmi_has_bias qkv_bias, o_bias, mlp_bias, head_bias;
    const char *attn_bias_key, *mlp_bias_key; /* config.json's settings for HLMI_BIAS_ASKED */
    hlmi_norm_kind norm;
    bool norm_plus_one; /* files hold the norms' weights less 1 */
    hlmi_key eps_key;
    double eps; /* where config.json has none */
    bool qk_norm; /* each q and k head is normed, ... */
    const char *qk_norm_key; /* ... if this setting (NULL: always) is true */
    bool fused_qkv; /* one tensor, [head][q, k, v][head_dim] */
    bool gated_attention; /* the tensor of q is [head][q, gate][head_dim] */
    bool parallel; /* attention and feed-forward read the same normed rows; no norm of its own for the latter */
    const char *ff_key; /* where not intermediate_size */
    hlmi_class_sizes sizes;
    hlmi_mlp_kind mlp;
    bool gate_in_up; /* the tensor of up holds the rows of gate, then its own */
    const char *activation; /* what hidden_act must say, or another name of the same function (NULL: "silu") */
    const char *activation_key; /* where not hidden_act */
    double partial_rotary, theta; /* defaults; 0: all of a head, 10000 */
    bool interleaved_gguf; /* GGUF files hold q and k rows as rotation pairs */
    bool tied; /* embedding and head are one where config.json does not say */
    bool recurrent_only; /* no settings of attention, positions and feed-forward */
    /** Window of a layer in tokens, 0 for none. */
    hlm_status (*window)(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out);
    /** Sets d->layers. NULL: num_hidden_layers. */
    hlm_status (*count)(hlmi_decoder *d);
    /** Settings of the family, after the common ones; may set d->family and change the common ones. NULL: none. */
    hlm_status (*setup)(hlmi_decoder *d);
    /** Adds the blocks of a layer. NULL: attention and feed-forward. */
    hlm_status (*layer)(const hlmi_decoder *d, size_t layer);
} hlmi_decoder_spec;

/** A decoder that is being built: what the functions of a spec see. */
struct hlmi_decoder {
    const hlmi_decoder_spec *spec;
    const hlmi_config *c;
    hlmi_loader *l;
    hlmi_plan *plan;
    bool gguf, tied, qk_norm;
    int32_t head; /* HLM_HEAD_... */
    const char *root,
        *outer; /* what the file's names begin with where the family's do with "model." or the like, and where not */
    hlmi_part table; /* the tensor of the embedding */
    size_t hidden, ff, layers, vocab;
    double eps;
    size_t rope, rope_dim, head_dim;
    bool no_rope; /* positions do not turn q and k */
    float embed_scale, logit_scale; /* 0: 1 */
    float attn_scale; /* of scores; 0: 1 / sqrt(head_dim) */
    const float *residual; /* [hidden] times what attention and feed-forward add to the stream; NULL: 1 */
    void *family; /* what spec->setup left */
};

/** A tensor's name. */
typedef struct hlmi_name {
    char text[128];
} hlmi_name;

/** The name of the file's container with the layer in place of %zu, and a suffix; "" where the container has none. Names of
 *  folders begin as the class that wrote them has it, whatever the key begins with (decoder.c). */
hlmi_name hlmi_decoder_name(const hlmi_decoder *d, hlmi_key key, size_t layer, const char *suffix);
hlm_status hlmi_decoder_matrix(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t rows, size_t cols,
                               const hlmi_row_order *order, hlmi_matrix *out);
hlm_status hlmi_decoder_norm(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t n, hlmi_norm *out);
/** *out is NULL where there is none. */
hlm_status hlmi_decoder_bias(const hlmi_decoder *d, hlmi_part p, size_t layer, size_t n, hlmi_has_bias has,
                             const char *key, const hlmi_row_order *order, const float **out);
/** *out [n] filled with a value: a multiplier for the rows of a matrix. */
hlm_status hlmi_decoder_fill(const hlmi_decoder *d, size_t n, double value, const float **out);
/** HLM_E_UNSUPPORTED when the setting is there and does not name the function `wanted`, under any of its names. */
hlm_status hlmi_check_activation(const hlmi_config *c, const char *key, const char *wanted);
/** The parts of a Transformer layer, for specs that add the blocks themselves. Attention takes a KV layer of the plan. */
hlm_status hlmi_decoder_attention(const hlmi_decoder *d, size_t layer, hlmi_attn_params *p);
hlm_status hlmi_decoder_mlp(const hlmi_decoder *d, size_t layer, hlmi_mlp_params *p);
/** The same, and their blocks. */
hlm_status hlmi_decoder_add_attention(const hlmi_decoder *d, size_t layer);
hlm_status hlmi_decoder_add_mlp(const hlmi_decoder *d, size_t layer);

hlm_status hlmi_decoder_build(const hlmi_decoder_spec *spec, const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan);

/** "sliding_window" for every layer (Mistral, which takes no notice of layer_types). */
hlm_status hlmi_window_all(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out);
/** The same, when use_sliding_window is true, for the layers that layer_types names or those from max_window_layers on (Qwen). */
hlm_status hlmi_window_upper(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out);

#endif
