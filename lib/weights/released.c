/* Folders as Meta and Mistral release their models: settings in params.json, weights in consolidated.00.pth or
 * consolidated.safetensors. All is translated when such a folder is opened, so that nobody else knows of it: settings
 * and names of tensors into those of Hugging Face's, and the rows of queries and keys, of which a rotation turns two
 * neighbours there, are read in the order of Hugging Face's (head_rows). */
#include <stdio.h>
#include <string.h>

#include "weights/store_impl.h"

enum { SIZE_MAX_HERE = 1 << 24, NAME_BYTES = 192 };

static const char file_name[] = "params.json";

/* ---- settings ---- */

#define WITHOUT(class, type, eps, theta)                                                           \
  "\"architectures\":[\"" class "ForCausalLM\"],\"model_type\":\"" type "\",\"rms_norm_eps\":" eps \
                                ",\"rope_theta\":" theta
#define SCALED(factor)                                                                                \
  ",\"max_position_embeddings\":131072,\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":" factor \
  ",\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,\"original_max_position_embeddings\":8192}"

/* What a model has that says nothing else, by what is known of it. */
static const char llama[] = "{" WITHOUT("Llama", "llama", "1e-5", "10000.0") "}";
static const char llama_3_1[] = "{" WITHOUT("Llama", "llama", "1e-5", "10000.0") SCALED("8.0") "}";
static const char llama_3_2[] = "{" WITHOUT("Llama", "llama", "1e-5", "10000.0") SCALED("32.0") "}";
static const char mistral[] = "{" WITHOUT("Mistral", "mistral", "1e-5", "1000000.0") ",\"sliding_window\":null}";
static const char mistral_window[] = "{" WITHOUT("Mistral", "mistral", "1e-5", "10000.0") "}";
static const char mixtral[] = "{" WITHOUT("Mixtral", "mixtral", "1e-5", "1000000.0") ",\"sliding_window\":null}";

/* A setting that has another name in config.json; NULL: it goes into one that is worked out, or says nothing. */
static const struct {
    const char *name, *to;
    bool whole;
} settings[] = {
    {"dim", "hidden_size", true},
    {"n_layers", "num_hidden_layers", true},
    {"n_heads", "num_attention_heads", true},
    {"n_kv_heads", "num_key_value_heads", true},
    {"head_dim", "head_dim", true},
    {"hidden_dim", "intermediate_size", true},
    {"sliding_window", "sliding_window", true},
    {"norm_eps", "rms_norm_eps", false},
    {"rope_theta", "rope_theta", false},
    {"max_seq_len", "max_position_embeddings", true},
    {"max_position_embeddings", "max_position_embeddings", true},
    {"vocab_size", NULL, false},
    {"multiple_of", NULL, true},
    {"ffn_dim_multiplier", NULL, false},
    {"use_scaled_rope", NULL, false},
    {"moe", NULL, false},
    {"max_batch_size", NULL, true},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static hlm_status bad(const hlmi_store *s, const char *key, const char *expected)
{
    return hlmi_fail(HLM_E_FORMAT, "%s/%s: %s is no %s", s->path, file_name, key, expected);
}

/* Puts a setting where it belongs; one of another name is refused, for the weights may compute something else by it. */
static hlm_status put_setting(hlmi_store *s, const char *key, const hlmi_json *v)
{
    size_t i = 0;
    int64_t n;
    double x;
    while (i < SETTINGS && strcmp(settings[i].name, key) != 0) i++;
    if (i == SETTINGS)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s/%s: %s is set, which this version does not know", s->path, file_name,
                         hlmi_quoted(key, strlen(key)).s);
    if (settings[i].whole && !hlmi_json_int(v, 1, INT32_MAX, &n)) return bad(s, key, "whole number from 1 on");
    if (!settings[i].to) return HLM_OK;
    if (!settings[i].whole && !hlmi_json_number(v, &x)) return bad(s, key, "number");
    return hlmi_json_put(s->config, settings[i].to, v) ? HLM_OK : hlmi_nomem(strlen(key), "settings");
}

static const char *usual(const hlmi_json *params)
{
    int64_t dim = 0;
    if (!hlmi_json_off(hlmi_json_get(params, "moe"))) return mixtral;
    if (!hlmi_json_off(hlmi_json_get(params, "sliding_window"))) return mistral_window;
    if (!hlmi_json_off(hlmi_json_get(params, "hidden_dim"))) return mistral;
    if (!hlmi_json_flag(params, "use_scaled_rope", false)) return llama;
    /* the small ones are of Llama 3.2, whose scale params.json does not say */
    return hlmi_json_int(hlmi_json_get(params, "dim"), 1, 4095, &dim) ? llama_3_2 : llama_3_1;
}

/* Llama works the width of the feed-forward out. */
static hlm_status put_width(hlmi_store *s, const hlmi_json *params)
{
    int64_t dim = 0, multiple = 256;
    double factor = 1;
    const hlmi_json *given = hlmi_json_given(params, "ffn_dim_multiplier");
    if (!hlmi_json_int(hlmi_json_get(params, "dim"), 1, SIZE_MAX_HERE, &dim))
        return bad(s, "dim", "whole number from 1 to 2^24");
    if (given && (!hlmi_json_number(given, &factor) || !(factor > 0 && factor <= 1024)))
        return bad(s, "ffn_dim_multiplier", "number above 0 and up to 1024");
    given = hlmi_json_given(params, "multiple_of");
    if (given && !hlmi_json_int(given, 1, SIZE_MAX_HERE, &multiple))
        return bad(s, "multiple_of", "whole number from 1 to 2^24");
    const int64_t width = (int64_t)(factor * (double)(2 * (4 * dim) / 3));
    const int64_t rounded = (width + multiple - 1) / multiple * multiple;
    return hlmi_json_put_int(s->config, "intermediate_size", rounded) ? HLM_OK : hlmi_nomem(0, "settings");
}

static hlm_status put_experts(hlmi_store *s, const hlmi_json *moe)
{
    static const char *const keys[][2] = {{"num_experts", "num_local_experts"},
                                          {"num_experts_per_tok", "num_experts_per_tok"}};
    int64_t n;
    for (size_t i = 0; i < 2; i++) {
        const hlmi_json *v = hlmi_json_get(moe, keys[i][0]);
        if (!hlmi_json_int(v, 1, INT32_MAX, &n)) return bad(s, keys[i][0], "whole number from 1 on");
        if (!hlmi_json_put(s->config, keys[i][1], v)) return hlmi_nomem(0, "settings");
    }
    return HLM_OK;
}

/* Llama says no more of it than by what tells its versions apart. */
static hlm_status put_positions(hlmi_store *s)
{
    double theta = 0, eps = 0;
    if (hlmi_json_given(s->config, "max_position_embeddings")) return HLM_OK;
    (void)hlmi_json_number(hlmi_json_get(s->config, "rope_theta"), &theta);
    (void)hlmi_json_number(hlmi_json_get(s->config, "rms_norm_eps"), &eps);
    const int64_t n = theta >= 5e5 ? 8192 : theta > 1e4 ? 16384 : eps > 1e-6 ? 4096 : 2048;
    return hlmi_json_put_int(s->config, "max_position_embeddings", n) ? HLM_OK : hlmi_nomem(0, "settings");
}

static hlm_status translate_settings(hlmi_store *s, const hlmi_json *params)
{
    int64_t vocab;
    const char *text = usual(params);
    const hlmi_json *scaled = hlmi_json_given(params, "use_scaled_rope");
    if (scaled && !hlmi_json_is(scaled, HLMI_JSON_BOOL)) return bad(s, "use_scaled_rope", "true or false");
    HLMI_DO(hlmi_store_json(s, text, strlen(text), file_name, &s->config));
    for (hlmi_json_iter i = {0}; hlmi_json_next(params, &i);)
        if (!hlmi_json_off(i.value)) HLMI_DO(put_setting(s, i.key.s, i.value));
    const hlmi_json *moe = hlmi_json_given(params, "moe");
    if (!hlmi_json_off(moe)) HLMI_DO(put_experts(s, moe));
    if (hlmi_json_off(hlmi_json_get(params, "hidden_dim"))) HLMI_DO(put_width(s, params));
    if (text == llama) HLMI_DO(put_positions(s));
    const hlmi_json *rows = hlmi_json_given(params, "vocab_size"); /* -1: as many as the embedding has */
    if (!rows || hlmi_json_int(rows, -1, -1, &vocab)) return HLM_OK;
    if (!hlmi_json_int(rows, 1, INT32_MAX, &vocab)) return bad(s, "vocab_size", "whole number from 1 on, or -1");
    return hlmi_json_put(s->config, "vocab_size", rows) ? HLM_OK : hlmi_nomem(0, "settings");
}

hlm_status hlmi_released_settings(hlmi_store *s, size_t max)
{
    hlmi_json *params = NULL;
    HLMI_DO(hlmi_store_object(s, file_name, max, &params));
    const hlm_status st = params ? translate_settings(s, params) : HLM_OK;
    hlmi_json_free(params);
    return st;
}

/* ---- tensors ---- */

typedef struct renaming {
    const char *from, *to;
    const char *heads; /* the rows are heads', of which there are as many as this setting says */
} renaming;

static const renaming outside[] = {
    {"tok_embeddings.", "model.embed_tokens.", NULL},
    {"norm.", "model.norm.", NULL},
    {"output.", "lm_head.", NULL},
    {"rope.freqs", "model.rotary_emb.inv_freq", NULL},
    {NULL, NULL, NULL},
};

static const renaming in_layer[] = {
    {"attention.wq.", "self_attn.q_proj.", "num_attention_heads"},
    {"attention.wk.", "self_attn.k_proj.", "num_key_value_heads"},
    {"attention.wv.", "self_attn.v_proj.", NULL},
    {"attention.wo.", "self_attn.o_proj.", NULL},
    {"attention_norm.", "input_layernorm.", NULL},
    {"ffn_norm.", "post_attention_layernorm.", NULL},
    {"feed_forward.w1.", "mlp.gate_proj.", NULL},
    {"feed_forward.w2.", "mlp.down_proj.", NULL},
    {"feed_forward.w3.", "mlp.up_proj.", NULL},
    {"feed_forward.gate.", "block_sparse_moe.gate.", NULL},
    {"feed_forward.experts.", "block_sparse_moe.experts.", NULL},
    {NULL, NULL, NULL},
};

/* The name in Hugging Face's terms; NULL leaves it as it is. */
static const renaming *find_name(const char *name, char out[NAME_BYTES])
{
    static const char layers[] = "layers.";
    const bool inside = strncmp(name, layers, sizeof layers - 1) == 0;
    size_t front = 0;
    if (inside) {
        front = sizeof layers - 1;
        front += strspn(name + front, "0123456789");
        if (name[front++] != '.') return NULL;
    }
    const renaming *r = inside ? in_layer : outside;
    while (r->from && strncmp(name + front, r->from, strlen(r->from)) != 0) r++;
    if (!r->from) return NULL;
    const int n = snprintf(out, NAME_BYTES, "%s%.*s%s%s", inside ? "model." : "", (int)front, name, r->to,
                           name + front + strlen(r->from));
    return n > 0 && n < NAME_BYTES ? r : NULL;
}

/* Rows of a head; 0 where the settings and the tensor do not agree, which its shape says later. */
static uint32_t rows_of_head(const hlmi_store *s, const hlmi_tensor *t, const char *heads)
{
    int64_t n = 0;
    const hlmi_json *v = hlmi_json_given(s->config, heads);
    if (!v) v = hlmi_json_given(s->config, "num_attention_heads");
    if (t->unfit || !hlmi_json_int(v, 1, INT32_MAX, &n) || t->dims[0] % (2 * (uint64_t)n) != 0) return 0;
    const uint64_t rows = t->dims[0] / (uint64_t)n;
    return rows <= UINT32_MAX ? (uint32_t)rows : 0;
}

/* What params.json does not say: how many rows the embedding has, and that it is the head, too. */
static hlm_status put_embedding(hlmi_store *s)
{
    static const char tied[] = "{\"tie_word_embeddings\":true}";
    hlmi_json *v = NULL;
    HLMI_DO(hlmi_store_index_tensors(s));
    const hlmi_tensor *t = hlmi_store_find(s, "model.embed_tokens.weight");
    const bool given = hlmi_json_given(s->config, "vocab_size") || !t || t->dims[0] > INT32_MAX;
    if (!given && !hlmi_json_put_int(s->config, "vocab_size", (int64_t)t->dims[0])) return hlmi_nomem(0, "settings");
    if (hlmi_store_find(s, "lm_head.weight") || hlmi_json_given(s->config, "tie_word_embeddings")) return HLM_OK;
    HLMI_DO(hlmi_store_json(s, tied, sizeof tied - 1, file_name, &v));
    const bool put = hlmi_json_put(s->config, "tie_word_embeddings", hlmi_json_get(v, "tie_word_embeddings"));
    hlmi_json_free(v);
    return put ? HLM_OK : hlmi_nomem(0, "settings");
}

hlm_status hlmi_released_tensors(hlmi_store *s)
{
    char name[NAME_BYTES];
    for (size_t i = 0; i < s->n_tensors; i++) {
        hlmi_tensor *t = &s->tensors[i];
        const renaming *r = find_name(t->name, name);
        if (!r) continue;
        if (r->heads) t->head_rows = rows_of_head(s, t, r->heads);
        t->name = hlmi_store_name(s, name, strlen(name));
        if (!t->name) return hlmi_nomem(strlen(name), "a tensor name");
    }
    return put_embedding(s);
}
