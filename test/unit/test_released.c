/* Folders as Meta and Mistral release their models, opened as a store: settings and names of tensors in Hugging Face's
 * terms, and rows in its order. */
#include <stdio.h>

#include "unit/gguf_bytes.h"
#include "unit/memfs.h"
#include "unit/suite.h"
#include "weights/store.h"

static hlm_status open_fs(hlmi_store **s, memfs *fs, bool map, hlmi_content content)
{
    const hlmi_mem mem = hlmi_mem_default();
    const hlmi_vfs vfs = memfs_vfs(fs, map);
    return hlmi_store_open(s, &mem, &vfs, "d", content);
}

static void add_text(memfs *fs, const char *path, const char *text)
{
    memfs_add(fs, path, text, strlen(text));
}

/* The settings that a params.json becomes; *st tells why there are none. */
static hlmi_store *open_settings(memfs *fs, const char *params, hlm_status *st)
{
    hlmi_store *s;
    add_text(fs, "d/params.json", params);
    *st = open_fs(&s, fs, true, HLMI_STORE_SIDE_FILES);
    memfs_clear(fs);
    return s;
}

static double number(const hlmi_json *v)
{
    double x = -1;
    (void)hlmi_json_number(v, &x);
    return x;
}

#define SIZES "\"dim\":4096,\"n_layers\":32,\"n_heads\":32"

START_TEST(settings_get_their_usual_names)
{
    static const struct {
        const char *params, *type, *key;
        double value; /* -1: no number */
    } cases[] = {
        {"{" SIZES ",\"multiple_of\":256,\"norm_eps\":1e-06,\"vocab_size\":-1}", "llama", "intermediate_size", 11008},
        {"{" SIZES ",\"multiple_of\":256,\"norm_eps\":1e-06,\"vocab_size\":-1}", "llama", "vocab_size", -1},
        {"{" SIZES ",\"multiple_of\":256,\"norm_eps\":1e-06,\"vocab_size\":-1}", "llama", "max_position_embeddings",
         2048},
        {"{" SIZES ",\"norm_eps\":1e-05}", "llama", "max_position_embeddings", 4096},
        {"{" SIZES ",\"norm_eps\":1e-05}", "llama", "intermediate_size", 11008},
        {"{" SIZES ",\"rope_theta\":1000000}", "llama", "max_position_embeddings", 8192},
        {"{" SIZES ",\"rope_theta\":500000.0,\"max_seq_len\":77}", "llama", "max_position_embeddings", 77},
        {"{\"dim\":8192,\"n_layers\":80,\"n_heads\":64,\"n_kv_heads\":8,\"ffn_dim_multiplier\":1.3,\"multiple_of\":"
         "4096}",
         "llama", "intermediate_size", 28672},
        {"{" SIZES ",\"ffn_dim_multiplier\":1.3,\"multiple_of\":1024}", "llama", "intermediate_size", 14336},
        {"{" SIZES ",\"vocab_size\":128256,\"use_scaled_rope\":true}", "llama", "vocab_size", 128256},
        {"{" SIZES ",\"use_scaled_rope\":true}", "llama", "max_position_embeddings", 131072},
        {"{" SIZES ",\"n_kv_heads\":8}", "llama", "num_key_value_heads", 8},
        {"{" SIZES "}", "llama", "num_attention_heads", 32},
        {"{" SIZES "}", "llama", "num_hidden_layers", 32},
        {"{" SIZES "}", "llama", "rope_theta", 10000},
        {"{" SIZES ",\"hidden_dim\":14336,\"head_dim\":128}", "mistral", "intermediate_size", 14336},
        {"{" SIZES ",\"hidden_dim\":14336,\"head_dim\":128}", "mistral", "head_dim", 128},
        {"{" SIZES ",\"hidden_dim\":14336}", "mistral", "rope_theta", 1000000},
        {"{" SIZES ",\"hidden_dim\":14336}", "mistral", "sliding_window", -1},
        {"{" SIZES ",\"hidden_dim\":14336,\"sliding_window\":4096}", "mistral", "sliding_window", 4096},
        {"{" SIZES ",\"hidden_dim\":14336,\"sliding_window\":4096}", "mistral", "rope_theta", 10000},
        {"{" SIZES ",\"hidden_dim\":14336,\"sliding_window\":null,\"quantization\":null,\"use_biases\":false}",
         "mistral", "rms_norm_eps", 1e-5},
        {"{" SIZES ",\"hidden_dim\":14336,\"moe\":{\"num_experts\":8,\"num_experts_per_tok\":2}}", "mixtral",
         "num_local_experts", 8},
        {"{" SIZES ",\"hidden_dim\":14336,\"moe\":{\"num_experts\":8,\"num_experts_per_tok\":2}}", "mixtral",
         "num_experts_per_tok", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memfs fs = {.n = 0};
        hlm_status st;
        hlmi_store *s = open_settings(&fs, cases[i].params, &st);
        ck_assert_msg(st == HLM_OK, "%s: %s", cases[i].params, hlmi_error());
        const hlmi_json *c = hlmi_store_config(s);
        ck_assert_str_eq(hlmi_json_string(c, "model_type"), cases[i].type);
        const double got = number(hlmi_json_get(c, cases[i].key));
        ck_assert_msg(got == cases[i].value, "%s: %s is %g", cases[i].params, cases[i].key, got);
        hlmi_store_close(s);
    }
}
END_TEST

START_TEST(scaled_positions)
{
    static const char *const params[] = {"{" SIZES ",\"use_scaled_rope\":true}",
                                         "{\"dim\":2048,\"n_layers\":16,\"n_heads\":32,\"use_scaled_rope\":true}"};
    for (size_t i = 0; i < 2; i++) {
        memfs fs = {.n = 0};
        hlm_status st;
        hlmi_store *s = open_settings(&fs, params[i], &st);
        ck_assert_int_eq(st, HLM_OK);
        const hlmi_json *scaling = hlmi_json_get(hlmi_store_config(s), "rope_scaling");
        ck_assert_str_eq(hlmi_json_string(scaling, "rope_type"), "llama3");
        ck_assert_double_eq(number(hlmi_json_get(scaling, "factor")), i ? 32 : 8);
        ck_assert_double_eq(number(hlmi_json_get(scaling, "original_max_position_embeddings")), 8192);
        hlmi_store_close(s);
    }
}
END_TEST

START_TEST(refuses_bad_settings)
{
    static const struct {
        const char *params, *words;
        hlm_status status;
    } cases[] = {
        {"[]", "d/params.json: not a JSON object", HLM_E_FORMAT},
        {"{}", "d/params.json: dim is no whole number", HLM_E_FORMAT},
        {"{\"dim\":\"x\"}", "d/params.json: dim is no whole number", HLM_E_FORMAT},
        {"{\"dim\":0}", "d/params.json: dim is no", HLM_E_FORMAT},
        {"{\"dim\":16777217}", "d/params.json: dim is no whole number from 1 to 2^24", HLM_E_FORMAT},
        {"{" SIZES ",\"n_kv_heads\":1.5}", "n_kv_heads is no whole number", HLM_E_FORMAT},
        {"{" SIZES ",\"norm_eps\":\"x\"}", "norm_eps is no number", HLM_E_FORMAT},
        {"{" SIZES ",\"multiple_of\":0}", "multiple_of is no whole number", HLM_E_FORMAT},
        {"{" SIZES ",\"multiple_of\":16777217}", "multiple_of is no whole number", HLM_E_FORMAT},
        {"{" SIZES ",\"ffn_dim_multiplier\":-1}", "ffn_dim_multiplier is no number above 0", HLM_E_FORMAT},
        {"{" SIZES ",\"ffn_dim_multiplier\":1e300}", "ffn_dim_multiplier is no number above 0", HLM_E_FORMAT},
        {"{" SIZES ",\"ffn_dim_multiplier\":NaN}", "ffn_dim_multiplier is no number above 0", HLM_E_FORMAT},
        {"{" SIZES ",\"vocab_size\":-2}", "vocab_size is no whole number", HLM_E_FORMAT},
        {"{" SIZES ",\"moe\":{\"num_experts\":8}}", "num_experts_per_tok is no whole number", HLM_E_FORMAT},
        {"{" SIZES ",\"moe\":8}", "num_experts is no whole number", HLM_E_FORMAT},
        {"{" SIZES ",\"vision_encoder\":{\"x\":1}}", "'vision_encoder' is set, which this version does not know",
         HLM_E_UNSUPPORTED},
        {"{" SIZES ",\"model_type\":\"mamba\"}", "'model_type' is set", HLM_E_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memfs fs = {.n = 0};
        hlm_status st;
        hlmi_store *s = open_settings(&fs, cases[i].params, &st);
        ck_assert_msg(!s && st == cases[i].status && strstr(hlmi_error(), cases[i].words), "%s: %d '%s'",
                      cases[i].params, st, hlmi_error());
    }
}
END_TEST

/* ---- tensors ---- */

static void add_weights(memfs *fs, const char *header, size_t n)
{
    bytes b = {.n = 0};
    put_string(&b, header);
    for (size_t i = 0; i < n; i++) put_le(&b, i, 1);
    memfs_add(fs, "d/consolidated.safetensors", b.data, b.n);
    free(b.data);
}

#define ENTRY(name, shape, range) "\"" name "\":{\"dtype\":\"U8\",\"shape\":" shape ",\"data_offsets\":" range "}"

START_TEST(tensors_get_their_usual_names)
{
    static const char *const names[][2] = {
        {"tok_embeddings.weight", "model.embed_tokens.weight"},
        {"norm.weight", "model.norm.weight"},
        {"output.weight", "lm_head.weight"},
        {"rope.freqs", "model.rotary_emb.inv_freq"},
        {"layers.0.attention.wq.weight", "model.layers.0.self_attn.q_proj.weight"},
        {"layers.12.attention.wk.weight", "model.layers.12.self_attn.k_proj.weight"},
        {"layers.1.attention.wv.weight", "model.layers.1.self_attn.v_proj.weight"},
        {"layers.1.attention.wo.weight", "model.layers.1.self_attn.o_proj.weight"},
        {"layers.1.attention_norm.weight", "model.layers.1.input_layernorm.weight"},
        {"layers.1.ffn_norm.weight", "model.layers.1.post_attention_layernorm.weight"},
        {"layers.1.feed_forward.w1.weight", "model.layers.1.mlp.gate_proj.weight"},
        {"layers.1.feed_forward.w2.weight", "model.layers.1.mlp.down_proj.weight"},
        {"layers.1.feed_forward.w3.weight", "model.layers.1.mlp.up_proj.weight"},
        {"layers.1.feed_forward.gate.weight", "model.layers.1.block_sparse_moe.gate.weight"},
        {"layers.1.feed_forward.experts.7.w1.weight", "model.layers.1.block_sparse_moe.experts.7.w1.weight"},
        {"layers.x.attention.wq.weight", "layers.x.attention.wq.weight"},
        {"layers.1", "layers.1"},
        {"layers.", "layers."},
        {"layers.1.other.weight", "layers.1.other.weight"},
        {"other", "other"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        memfs fs = {.n = 0};
        hlmi_store *s;
        char header[256];
        snprintf(header, sizeof header, "{" ENTRY("%s", "[4]", "[0,4]") "}", names[i][0]);
        add_text(&fs, "d/params.json", "{" SIZES "}");
        add_weights(&fs, header, 4);
        ck_assert_msg(open_fs(&s, &fs, true, HLMI_STORE_MODEL) == HLM_OK, "%s", hlmi_error());
        ck_assert_str_eq(hlmi_store_at(s, 0)->name, names[i][1]);
        hlmi_store_close(s);
        memfs_clear(&fs);
    }
}
END_TEST

/* Two heads of four rows of queries, one of keys; the file's rows are two bytes that count up. */
START_TEST(rows_are_in_the_usual_order)
{
    static const uint8_t order[8] = {0, 2, 1, 3, 4, 6, 5, 7};
    for (int map = 0; map < 2; map++) {
        memfs fs = {.n = 0};
        hlmi_store *s;
        add_text(&fs, "d/params.json", "{\"dim\":2,\"n_layers\":1,\"n_heads\":2,\"n_kv_heads\":1}");
        add_weights(&fs,
                    "{" ENTRY("layers.0.attention.wq.weight", "[8,2]", "[0,16]") "," ENTRY(
                        "layers.0.attention.wk.weight", "[4,2]",
                        "[16,24]") "," ENTRY("layers.0.attention.wv.weight", "[4,2]",
                                             "[24,32]") "," ENTRY("tok_embeddings.weight", "[5,2]", "[32,42]") "}",
                    42);
        ck_assert_msg(open_fs(&s, &fs, map, HLMI_STORE_MODEL) == HLM_OK, "%s", hlmi_error());
        const hlmi_tensor *q = hlmi_store_find(s, "model.layers.0.self_attn.q_proj.weight");
        const hlmi_tensor *k = hlmi_store_find(s, "model.layers.0.self_attn.k_proj.weight");
        const hlmi_tensor *v = hlmi_store_find(s, "model.layers.0.self_attn.v_proj.weight");
        for (size_t first = 0; first <= 16; first++) {
            for (size_t n = 0; n <= 16 - first; n++) {
                uint8_t buf[16];
                const uint8_t *p = NULL;
                ck_assert_int_eq(hlmi_store_read(s, q, first, n, buf, &p), HLM_OK);
                for (size_t i = 0; i < n; i++) ck_assert_uint_eq(p[i], 2u * order[(first + i) / 2] + (first + i) % 2);
            }
        }
        uint8_t buf[8];
        const uint8_t *p = NULL;
        ck_assert_int_eq(hlmi_store_read(s, k, 0, 8, buf, &p), HLM_OK);
        for (size_t i = 0; i < 8; i++) ck_assert_uint_eq(p[i], 16u + 2u * order[i / 2] + i % 2);
        ck_assert_int_eq(hlmi_store_read(s, v, 0, 8, buf, &p), HLM_OK);
        for (size_t i = 0; i < 8; i++) ck_assert_uint_eq(p[i], 24 + i);
        ck_assert(!hlmi_store_mapped(s, q) && !hlmi_store_mapped(s, k) && hlmi_store_mapped(s, v) == map);
        hlmi_store_drop(s, q, 0, 16);
        ck_assert_double_eq(number(hlmi_json_get(hlmi_store_config(s), "vocab_size")), 5);
        ck_assert(hlmi_json_flag(hlmi_store_config(s), "tie_word_embeddings", false));
        hlmi_store_close(s);
        memfs_clear(&fs);
    }
}
END_TEST

/* Rows that are no heads' are left as they are, for their shape to be refused. */
START_TEST(rows_that_do_not_fit)
{
    static const char *const shapes[] = {"[6,4]", "[12,2]", "[24]", "[2,3,2,2]"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        memfs fs = {.n = 0};
        hlmi_store *s;
        char header[256];
        snprintf(header, sizeof header, "{" ENTRY("layers.0.attention.wq.weight", "%s", "[0,24]") "}", shapes[i]);
        add_text(&fs, "d/params.json", "{\"dim\":2,\"n_layers\":1,\"n_heads\":4}");
        add_weights(&fs, header, 24);
        ck_assert_msg(open_fs(&s, &fs, true, HLMI_STORE_MODEL) == HLM_OK, "%s", hlmi_error());
        ck_assert_uint_eq(hlmi_store_at(s, 0)->head_rows, i == 2 ? 6 : 0);
        hlmi_store_close(s);
        memfs_clear(&fs);
    }
}
END_TEST

START_TEST(parts_are_refused)
{
    memfs fs = {.n = 0};
    hlmi_store *s;
    add_text(&fs, "d/params.json", "{" SIZES "}");
    add_weights(&fs, "{" ENTRY("norm.weight", "[4]", "[0,4]") "}", 4);
    add_text(&fs, "d/consolidated.01.pth", "x");
    ck_assert_int_eq(open_fs(&s, &fs, true, HLMI_STORE_MODEL), HLM_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(hlmi_error(), "d/consolidated.01.pth: weights divided among several processors"));
    memfs_clear(&fs);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        settings_get_their_usual_names, scaled_positions,     refuses_bad_settings, tensors_get_their_usual_names,
        rows_are_in_the_usual_order,    rows_that_do_not_fit, parts_are_refused};
    return suite_run("released", tests, sizeof tests / sizeof *tests);
}
