/* Folders as people have them: tensors that no text needs, models without heads, names that begin otherwise, quantised
 * weights. test_folders FOLDER, by default test/data/models. */
#include "unit/folders_help.h"
#include "../calls.h"

/* ---- tensors that are left out ---- */

/* Forms that no weight of this version has. */
static const struct {
    const char *dtype, *shape;
    size_t bytes;
    const char *words;
} odd_forms[] = {
    {"BF16", "[4,3,2,2,2]", 192, "5 dimensions"},
    {"F32", "[1,1,1,1,1,1,1,1,1,2]", 8, "10 dimensions"},
    {"F8_E8M0", "[4,4]", 16, "F8_E8M0"},
    {"F4", "[8,2]", 8, "F4"},
    {"C64", "[2]", 16, "C64"},
    {"XYZ", "[]", 4, "XYZ"},
    {"F32", "[3,3]", 16, "span 16 bytes"},
    {"I4", "[0]", 0, "I4"},
    {"F8_E5M2", "[2,2,2,2,2]", 32, "5 dimensions"},
    {"I64", "[2]", 16, NULL},
    {"BOOL", "[3]", 3, NULL},
};
enum { ODD_FORMS = sizeof odd_forms / sizeof *odd_forms };

static void add_odd(mm_folder *f, const char *name, size_t i)
{
    mm_add(f, name, odd_forms[i].dtype, json_loads(odd_forms[i].shape, 0, NULL), NULL, odd_forms[i].bytes);
}

START_TEST(tensors_that_are_left_out_may_be_anything)
{
    static const struct {
        const char *model, *names[6];
    } cases[] = {
        {"qwen3_5-options",
         {"model.visual.patch_embed.proj.weight", "visual.blocks.0.attn.qkv.weight", "mtp.fc.weight"}},
        {"qwen3-next", {"mtp.layers.0.mlp.experts.0.up_proj.weight"}},
        {"nemotron-h-moe", {"mtp.layers.0.norm.weight"}},
        {"llama3",
         {"model.layers.0.self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq", "rotary_emb.inv_freq"}},
        {"zamba2-options", {"model.layers.1.shared_transformer.self_attn.rotary_emb.inv_freq"}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        mm_folder *f = read_folder(cases[k].model);
        size_t n = 0, added = 0;
        float *want = logits_of(f, &n);
        for (size_t j = 0; cases[k].names[j]; j++) {
            for (size_t i = 0; i < ODD_FORMS; i++) {
                char name[128];
                add_odd(f, cases[k].names[j], i);
                check_same(f, want, n, cases[k].names[j]);
                snprintf(name, sizeof name,
                         strstr(cases[k].names[j], "inv_freq") ? "%.20s.%zu.rotary_emb.inv_freq" : "%.40s.%zu",
                         cases[k].names[j], i);
                strcpy(mm_find(f, cases[k].names[j])->name, name);
                added++;
            }
        }
        ck_assert_uint_ge(added, ODD_FORMS);
        check_same(f, want, n, "all together");
        free(want);
        mm_folder_free(f);
    }
}
END_TEST

/* What is asked for, or stands where nothing is left out, is refused by its name and form. */
START_TEST(other_tensors_must_be_right)
{
    mm_folder *f = read_folder("qwen3_5-options");
    for (size_t i = 0; i < ODD_FORMS; i++) {
        add_odd(f, "model.extra.weight", i);
        const int known = odd_forms[i].words == NULL;
        check_refused(f, known || strstr(odd_forms[i].words, "span") ? HLM_E_FORMAT : HLM_E_UNSUPPORTED,
                      known ? "model.extra.weight" : odd_forms[i].words);
        ck_assert_ptr_nonnull(strstr(hlm_last_error(), "model.extra.weight"));
        mm_drop(f, "model.extra.weight");
        mm_tensor *norm = mm_find(f, "model.norm.weight");
        mm_tensor kept = *norm;
        strcpy(norm->dtype, odd_forms[i].dtype);
        norm->shape = json_loads(odd_forms[i].shape, 0, NULL);
        norm->data = calloc(odd_forms[i].bytes + 1, 1);
        norm->bytes = odd_forms[i].bytes;
        check_refused(f, known || strstr(odd_forms[i].words, "span") ? HLM_E_FORMAT : HLM_E_UNSUPPORTED,
                      "model.norm.weight");
        json_decref(norm->shape);
        free(norm->data);
        *norm = kept;
    }
    mm_folder_free(f);
}
END_TEST

/* A layer whose router has no rows: LFM2's folders have no experts, and what is empty is no reason to look for them. */
START_TEST(routers_of_no_experts_are_refused)
{
    mm_folder *f = read_folder("lfm2");
    mm_add(f, "model.layers.0.feed_forward.gate.weight", "F32", json_pack("[ii]", 0, 128), NULL, 0);
    check_refused(f, HLM_E_FORMAT, "model.layers.0.feed_forward.gate.weight");
    mm_folder_free(f);
}
END_TEST

/* ---- models without heads, and other names ---- */

/* Names that begin with `from` begin with `to` then, others with `outer`. */
static void rename_roots(mm_folder *f, const char *from, const char *to, const char *outer)
{
    for (size_t i = 0; i < f->n; i++) {
        char name[128];
        const size_t n = strlen(from);
        const int own = strncmp(f->t[i].name, from, n) == 0;
        const int len = snprintf(name, sizeof name, "%s%s", own ? to : outer, f->t[i].name + (own ? n : 0));
        ck_assert(len < (int)sizeof name);
        strcpy(f->t[i].name, name);
    }
}

START_TEST(names_may_begin_otherwise)
{
    static const char *const roots[][2] = {{"", ""},
                                           {"model.", ""},
                                           {"backbone.", ""},
                                           {"transformer.", ""},
                                           {"model.language_model.", ""},
                                           {"language_model.model.", "language_model."}};
    for (size_t k = 0; k < FAMILIES; k++) {
        mm_folder *f = read_folder(families[k].model);
        size_t n = 0;
        float *want = logits_of(f, &n);
        const char *now = families[k].root;
        for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
            mm_folder_free(f);
            f = read_folder(families[k].model);
            rename_roots(f, now, roots[i][0], roots[i][1]);
            check_same(f, want, n, families[k].model);
        }
        rename_roots(f, "language_model.model.", "net.", "");
        check_refused(f, HLM_E_FORMAT, "weight is missing"); /* by the usual name */
        ck_assert_ptr_nonnull(strstr(
            hlm_last_error(),
            families[k].root +
                (strcmp(families[k].root, "backbone.") == 0 && strstr(families[k].headless, "Nemotron") ? 9 : 0)));
        free(want);
        mm_folder_free(f);
    }
}
END_TEST

static void check_no_logits(hlm_model *m)
{
    size_t n = 0;
    float out[1], *none = mm_logits(m, &n);
    int32_t ids[2] = {1, 2};
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1};
    const hlm_generate_params gp = {.struct_size = sizeof gp, .prompt = ids, .n_prompt = 2, .max_tokens = 1};
    ck_assert(none == NULL && strstr(hlm_last_error(), "HLM_HEAD_NONE"));
    ck_assert_int_eq(hlm_ctx_new(&ctx, m, &cp), HLM_OK);
    ck_assert_int_eq(hlm_cache_new(&cache, hlm_ctx_pool(ctx), NULL), HLM_OK);
    ck_assert_int_eq(hlm_generate(ctx, cache, NULL, &gp, NULL), HLM_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(hlm_last_error(), "HLM_HEAD_NONE"));
    ck_assert_int_eq(call_score(ctx, ids, 2, NULL, NULL), HLM_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(hlm_last_error(), "HLM_HEAD_NONE"));
    const hlm_step step = {.struct_size = sizeof step, .cache = cache, .tokens = ids, .n_tokens = 2};
    const hlm_step *const steps[1] = {&step};
    ck_assert_msg(hlm_decode_step(ctx, steps, 1) == HLM_OK, "%s", hlm_last_error());
    ck_assert_int_eq(hlm_cache_logits(ctx, cache, out), HLM_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(hlm_last_error(), "HLM_HEAD_NONE"));
    ck_assert_ptr_null(hlm_model_label(m, 0));
    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
}

/* The model without a head gives the rows of the one with it, bit for bit, under either root, with the head's tensor
 * and without. */
START_TEST(models_without_heads_embed)
{
    for (size_t k = 0; k < FAMILIES; k++) {
        mm_folder *f = read_folder(families[k].model);
        hlm_model *m = NULL;
        size_t n = 0;
        float *want[3];
        ck_assert_int_eq(load(f, &m), HLM_OK);
        for (int32_t p = 0; p < 3; p++) want[p] = mm_embedding(m, p, &n);
        hlm_model_release(m);
        for (int form = 0; form < 4; form++) {
            hlm_model_info info = {.struct_size = sizeof info};
            if (form == 0) json_object_set_new(f->config, "architectures", json_pack("[s]", families[k].headless));
            if (form == 1) mm_drop(f, "lm_head.weight");
            if (form == 1) mm_drop(f, "lm_head.bias");
            if (form == 2) rename_roots(f, families[k].root, "", "");
            if (form == 3) json_object_del(f->config, "architectures"); /* neither a class nor a head */
            if (form == 3) json_object_set_new(f->config, "tie_word_embeddings", json_false());
            if (form == 3) json_object_del(f->config, "tie_embedding");
            ck_assert_msg(load(f, &m) == HLM_OK, "%s: %s", families[k].headless, hlm_last_error());
            ck_assert_int_eq(hlm_model_info_get(m, &info), HLM_OK);
            ck_assert(info.head == HLM_HEAD_NONE && info.n_labels == 0 && info.vocab_size > 0);
            for (int32_t p = 0; p < 3; p++) {
                float *got = mm_embedding(m, p, &n);
                ck_assert_msg(memcmp(got, want[p], n * sizeof *got) == 0, "%s: other rows", families[k].headless);
                free(got);
            }
            check_no_logits(m);
            hlm_model_release(m);
        }
        for (int p = 0; p < 3; p++) free(want[p]);
        mm_folder_free(f);
    }
}
END_TEST

/* What the reference's last_hidden_state is, hidden.<L> of the goldens: the mean and the last of its rows. */
START_TEST(embeddings_are_the_last_hidden_state)
{
    static const char *const names[] = {"llama3",         "mistral", "qwen3", "falcon-mamba",
                                        "granite4-dense", "jamba",   "lfm2",  "phi"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        char path[600], key[24];
        hlm_model *m = NULL;
        hlm_context *ctx = NULL;
        hlm_model_info info = {.struct_size = sizeof info};
        snprintf(path, sizeof path, "%s/%s/golden.safetensors", folder, names[k]);
        mm_folder *golden = calloc(1, sizeof *golden), *f = read_folder(names[k]);
        mm_read_tensors(golden, path);
        mm fs = {.n = 0};
        mm_folder_write(f, &fs);
        ck_assert_int_eq(mm_load_as(&m, &fs, "m", 0, HLM_ACTIVATIONS_F32), HLM_OK);
        mm_clear(&fs);
        ck_assert_int_eq(hlm_model_info_get(m, &info), HLM_OK);
        snprintf(key, sizeof key, "hidden.%d", (int)info.n_layers);
        const mm_tensor *ids = mm_find(golden, "input_ids"), *rows = mm_find(golden, key);
        ck_assert(ids && rows);
        const size_t size = (size_t)info.hidden_size, n = ids->bytes / 4;
        ck_assert_uint_eq(rows->bytes, n * size * 4);
        float *out = malloc(size * sizeof *out);
        ck_assert_int_eq(hlm_ctx_new(&ctx, m, NULL), HLM_OK);
        for (int32_t pooling = 0; pooling < 3; pooling++) {
            ck_assert_int_eq(call_embed(ctx, (const int32_t *)(void *)ids->data, n, pooling, 0, out), HLM_OK);
            for (size_t c = 0; c < size; c++) {
                const float *x = (const float *)(void *)rows->data;
                double mean = 0;
                for (size_t i = 0; i < n; i++) mean += (double)x[i * size + c] / (double)n;
                const double wanted =
                    pooling == HLM_EMBED_MEAN ? mean : (double)x[(pooling == HLM_EMBED_LAST ? n - 1 : 0) * size + c];
                ck_assert_msg((double)out[c] - wanted < 1e-3 && wanted - (double)out[c] < 1e-3, "%s: %g, expected %g",
                              names[k], (double)out[c], wanted);
            }
        }
        free(out);
        hlm_ctx_free(ctx);
        hlm_model_release(m);
        mm_folder_free(f);
        mm_folder_free(golden);
    }
}
END_TEST

/* Classes whose names end alike compute something else. */
START_TEST(other_classes_are_refused)
{
    static const char *const names[] = {
        "LlamaBidirectionalModel", "LlamaPreTrainedModel", "Qwen2Model",  "Model",
        "LlamaForRewardModel",     "XLlamaModel",          "LlamaModelX", "Llama_ModelForX"};
    mm_folder *f = read_folder("llama3");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_object_set_new(f->config, "architectures", json_pack("[s]", names[i]));
        check_refused(f, HLM_E_UNSUPPORTED, names[i]);
    }
    mm_folder_free(f);
}
END_TEST

/* ---- weights that are something else ---- */

START_TEST(quantised_folders_are_named)
{
    static const struct {
        const char *key, *value, *words;
    } cases[] = {
        {"quantization_config", "{\"quant_method\": \"gptq\", \"bits\": 4}", "'gptq', 4 bits"},
        {"quantization_config", "{\"quant_method\": \"awq\", \"bits\": 4, \"version\": \"gemm\"}", "'awq', 4 bits"},
        {"quantization_config", "{\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": true}", "'bitsandbytes'"},
        {"quantization_config", "{\"load_in_8bit\": true, \"llm_int8_threshold\": 6.0}", "'bitsandbytes'"},
        {"quantization_config", "{\"quant_method\": \"compressed-tensors\", \"format\": \"pack-quantized\"}",
         "'compressed-tensors', format 'pack-quantized'"},
        {"compression_config", "{\"format\": \"float-quantized\", \"config_groups\": {}}", "'float-quantized'"},
        {"quantization_config", "{\"quant_method\": \"fp8\", \"weight_block_size\": [128, 128]}", "'fp8'"},
        {"quantization_config", "{\"quant_method\": \"mxfp4\"}", "'mxfp4'"},
        {"quantization_config", "{\"quant_method\": \"hqq\", \"quant_config\": {}}", "'hqq'"},
        {"quantization_config", "{\"quant_method\": \"eetq\"}", "'eetq'"},
        {"quantization_config", "{\"quant_method\": \"quanto\", \"weights\": \"int8\"}", "'quanto'"},
        {"quantization_config", "{\"quant_method\": \"torchao\"}", "'torchao'"},
        {"quantization_config", "{\"quant_method\": \"bitnet\"}", "'bitnet'"},
        {"quantization_config", "{\"quant_method\": \"some\\nthing new\"}", "'some\\x0Athing new'"},
        {"quantization_config", "{\"group_size\": 64, \"bits\": 4}", "without a name, 4 bits"},
        {"quantization", "{\"group_size\": 64, \"bits\": 4}", "quantization: "},
        {"quantization_config", "\"int8\"", "'int8'"},
        {"quantization_config", "true", "without a name"},
        {"text_config", "{\"quantization_config\": {\"quant_method\": \"gptq\"}}", "'gptq'"},
    };
    static const struct {
        const char *name, *text, *words;
    } files[] = {
        {"m/quantize_config.json", "{\"bits\": 4, \"group_size\": 128, \"desc_act\": false}", "quantize_config.json"},
        {"m/quant_config.json", "{\"zero_point\": true, \"q_group_size\": 128, \"w_bit\": 4}", "4 bits"},
        {"m/hf_quant_config.json",
         "{\"producer\": {\"name\": \"modelopt\"}, \"quantization\": {\"quant_algo\": \"NVFP4\"}}", "'NVFP4'"},
    };
    static const char *const off[] = {"null", "{}", "false"};
    mm_folder *f = read_folder("llama3");
    size_t n = 0;
    float *want = logits_of(f, &n);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_object_set_new(f->config, cases[i].key, json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
        check_refused(f, HLM_E_UNSUPPORTED, cases[i].words);
        ck_assert_ptr_nonnull(strstr(hlm_last_error(), "config.json"));
        json_object_del(f->config, cases[i].key);
    }
    for (size_t i = 0; i < 3; i++) {
        json_object_set_new(f->config, "quantization_config", json_loads(off[i], JSON_DECODE_ANY, NULL));
        check_same(f, want, n, off[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        mm fs = {.n = 0};
        hlm_model *m = NULL;
        mm_folder_write(f, &fs);
        mm_text(&fs, files[i].name, files[i].text);
        ck_assert_int_eq(mm_load(&m, &fs, "m", 0), HLM_E_UNSUPPORTED);
        ck_assert_msg(strstr(hlm_last_error(), files[i].words) && strstr(hlm_last_error(), files[i].name), "%s",
                      hlm_last_error());
        mm_clear(&fs);
        mm_folder_write(f, &fs); /* another tool's file of that name */
        mm_text(&fs, files[i].name, "{\"modes\": [\"fp16\"]}");
        ck_assert_msg(mm_load(&m, &fs, "m", 0) == HLM_OK, "%s", hlm_last_error());
        hlm_model_release(m);
        mm_clear(&fs);
    }
    free(want);
    mm_folder_free(f);
}
END_TEST

/* Without a word in the settings, the tensors in a matrix's place tell. */
START_TEST(quantised_tensors_are_named)
{
    static const char *const ends[] = {"qweight", "weight_packed", "W_q"};
    for (size_t i = 0; i < 3; i++) {
        mm_folder *f = read_folder("llama3");
        char name[96];
        snprintf(name, sizeof name, "model.layers.0.self_attn.q_proj.%s", ends[i]);
        strcpy(mm_find(f, "model.layers.0.self_attn.q_proj.weight")->name, name);
        check_refused(f, HLM_E_UNSUPPORTED, name);
        mm_drop(f, name);
        check_refused(f, HLM_E_FORMAT, "model.layers.0.self_attn.q_proj.weight is missing");
        mm_folder_free(f);
    }
}
END_TEST

START_TEST(settings_that_change_the_meaning_are_refused)
{
    static const struct {
        const char *key, *same, *other;
    } cases[] = {{"is_causal", "true", "false"},
                 {"use_bidirectional_attention", "false", "true"},
                 {"is_encoder_decoder", "false", "true"},
                 {"add_cross_attention", "false", "true"},
                 {"pruned_heads", "{}", "{\"0\": [1]}"}};
    static const char *const names[] = {"llama3", "mistral", "qwen3", "mamba2-dtlimit", "qwen3_5-options"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        mm_folder *f = read_folder(names[k]);
        size_t n = 0;
        float *want = logits_of(f, &n);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            json_object_set_new(f->config, cases[i].key, json_loads(cases[i].other, JSON_DECODE_ANY, NULL));
            check_refused(f, HLM_E_UNSUPPORTED, cases[i].key);
            json_object_set_new(f->config, cases[i].key, json_loads(cases[i].same, JSON_DECODE_ANY, NULL));
            check_same(f, want, n, cases[i].key);
        }
        free(want);
        mm_folder_free(f);
    }
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {tensors_that_are_left_out_may_be_anything,
                                  other_tensors_must_be_right,
                                  routers_of_no_experts_are_refused,
                                  names_may_begin_otherwise,
                                  models_without_heads_embed,
                                  embeddings_are_the_last_hidden_state,
                                  other_classes_are_refused,
                                  quantised_folders_are_named,
                                  quantised_tensors_are_named,
                                  settings_that_change_the_meaning_are_refused};
    if (argc > 1) folder = argv[1];
    return suite_run("folders", tests, sizeof tests / sizeof *tests);
}
