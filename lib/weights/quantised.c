/* Folders whose weights are not the numbers that the settings speak of: quantised ones. They are told by their settings
 * before the weights are opened, because their tensors have other names, types and files. */
#include <stdio.h>
#include <string.h>

#include "weights/schemes.h"
#include "weights/store_impl.h"

enum { SIDE_MAX = 4 << 20 };

/* null, false, {} and "none" say that nothing is done. */
static bool is_off(const hlmi_json *v)
{
    const char *text = hlmi_json_str(v).s;
    return (hlmi_json_off(v) && !hlmi_json_is(v, HLMI_JSON_ARRAY)) || (text && (!*text || strcmp(text, "none") == 0));
}

/* What the tools call the method, or NULL. */
static const char *method_of(const hlmi_json *v)
{
    static const char *const names[] = {"quant_method", "quant_algo", "quantization_method", "format"};
    if (hlmi_json_is(v, HLMI_JSON_STRING)) return hlmi_json_str(v).s;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *name = hlmi_json_string(v, names[i]);
        if (name && *name) return name;
    }
    return hlmi_json_get(v, "load_in_4bit") || hlmi_json_get(v, "load_in_8bit") ? "bitsandbytes" : NULL;
}

/* Bits of a weight, 0: it does not say. */
static int64_t bits_of(const hlmi_json *v)
{
    static const char *const names[] = {"bits", "w_bit", "nbits", "weight_bits", "wbits"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int64_t bits;
        if (hlmi_json_int(hlmi_json_get(v, names[i]), 1, INT64_MAX, &bits)) return bits;
    }
    for (hlmi_json_iter i = {0}; hlmi_json_next(hlmi_json_get(v, "config_groups"), &i);) {
        int64_t bits;
        const hlmi_json *weights = hlmi_json_get(i.value, "weights");
        if (hlmi_json_int(hlmi_json_get(weights, "num_bits"), 1, INT64_MAX, &bits)) return bits;
    }
    return 0;
}

/* The begin of the sentence about a setting that is on. compressed-tensors and the like have formats within the
 * method. */
static void describe(const hlmi_store *s, const char *file, const char *key, const hlmi_json *v, hlmi_scheme *out)
{
    char method[HLMI_QUOTE_MAX + 60] = "a method without a name", bits[32] = "", more[HLMI_QUOTE_MAX + 40] = "";
    const char *name = method_of(v), *format = hlmi_json_string(v, "format");
    if (name) snprintf(method, sizeof method, "the method %s", hlmi_quoted(name, strlen(name)).s);
    if (format && format != name) snprintf(more, sizeof more, ", format %s", hlmi_quoted(format, strlen(format)).s);
    if (bits_of(v)) snprintf(bits, sizeof bits, ", %lld bits", (long long)bits_of(v));
    snprintf(out->what, sizeof out->what, "%s/%s: %s: the weights are quantised by %s%s%s", s->path, file, key, method,
             more, bits);
}

static hlm_status refuse(const hlmi_scheme *scheme)
{
    return hlmi_fail(HLM_E_UNSUPPORTED,
                     "%s, which this version does not read: give the model in f32, f16 or bf16, or a GGUF file of it",
                     scheme->what);
}

/* ---- methods that are read ---- */

static bool one_of(const char *s, const char *const *list)
{
    while (s && *list && strcmp(s, *list) != 0) list++;
    return !s || *list;
}

static bool is_gptq(const hlmi_json *v, hlmi_scheme *out)
{
    static const char *const formats[] = {"gptq", "gptq_v2", NULL};
    const char *format = hlmi_json_string(v, "checkpoint_format");
    out->zeros_from_one = !format || strcmp(format, "gptq") == 0;
    hlmi_json_int(hlmi_json_get(v, "group_size"), 1, INT32_MAX, &out->block[1]);
    return one_of(format, formats);
}

static bool is_awq(const hlmi_json *v, hlmi_scheme *out)
{
    static const char *const versions[] = {"gemm", "GEMM", NULL};
    hlmi_json_int(hlmi_json_get(v, "group_size"), 1, INT32_MAX, &out->block[1]);
    return one_of(hlmi_json_string(v, "version"), versions) && (out->bits == 0 || out->bits == 4);
}

static void read_block(const hlmi_json *v, hlmi_scheme *out)
{
    for (size_t i = 0; i < 2 && v; i++) hlmi_json_int(hlmi_json_at(v, i), 1, INT32_MAX, &out->block[i]);
}

static bool is_fp8(const hlmi_json *v, hlmi_scheme *out)
{
    static const char *const formats[] = {"e4m3", "float8_e4m3fn", NULL};
    read_block(hlmi_json_get(v, "weight_block_size"), out);
    return one_of(hlmi_json_string(v, "fmt"), formats);
}

/* Which tensors there are says most; of the groups the size of blocks is needed. */
static bool is_compressed(const hlmi_json *v, hlmi_scheme *out)
{
    static const char *const formats[] = {
        "float-quantized",      "naive-quantized",      "int-quantized",   "pack-quantized",
        "nvfp4-pack-quantized", "mxfp4-pack-quantized", "mixed-precision", NULL};
    bool known = one_of(hlmi_json_string(v, "format"), formats);
    for (hlmi_json_iter i = {0}; hlmi_json_next(hlmi_json_get(v, "config_groups"), &i);) {
        const hlmi_json *weights = hlmi_json_get(i.value, "weights");
        const hlmi_json *block = hlmi_json_get(weights, "block_structure");
        if (hlmi_json_int(hlmi_json_get(weights, "num_bits"), 1, INT64_MAX, &out->bits))
            known = known && (out->bits == 4 || out->bits == 8);
        known = known && one_of(hlmi_json_string(i.value, "format"), formats);
        if (hlmi_json_is(block, HLMI_JSON_ARRAY)) read_block(block, out);
    }
    const char *sparsity = hlmi_json_string(hlmi_json_get(v, "sparsity_config"), "format");
    return known && (!sparsity || strcmp(sparsity, "dense") == 0);
}

static bool is_modelopt(const hlmi_json *v, hlmi_scheme *out)
{
    static const char *const algorithms[] = {"FP8", "NVFP4", NULL};
    (void)out;
    return one_of(hlmi_json_string(v, "quant_algo"), algorithms);
}

static bool is_any(const hlmi_json *v, hlmi_scheme *out)
{
    (void)v;
    (void)out;
    return true;
}

static const struct {
    const char *name;
    hlmi_method method;
    bool (*known)(const hlmi_json *v, hlmi_scheme *out);
} methods[] = {
    {"gptq", HLMI_METHOD_GPTQ, is_gptq},
    {"awq", HLMI_METHOD_AWQ, is_awq},
    {"compressed-tensors", HLMI_METHOD_COMPRESSED_TENSORS, is_compressed},
    {"fp8", HLMI_METHOD_FP8, is_fp8},
    {"bitsandbytes", HLMI_METHOD_BITSANDBYTES, is_any},
    {"torchao", HLMI_METHOD_TORCHAO, is_any},
    {"modelopt", HLMI_METHOD_MODELOPT, is_modelopt},
    {"FP8", HLMI_METHOD_MODELOPT, is_modelopt},
    {"NVFP4", HLMI_METHOD_MODELOPT, is_modelopt},
};

static hlm_status take(const hlmi_store *s, const char *file, const char *key, const hlmi_json *v, hlmi_scheme *out)
{
    const char *name = method_of(v);
    if (!name && bits_of(v)) name = "gptq"; /* quantize_config.json of the first tools */
    out->bits = bits_of(v);
    snprintf(out->said, sizeof out->said, "%s", name ? name : "");
    describe(s, file, key, v, out);
    for (size_t i = 0; i < sizeof methods / sizeof *methods && name; i++) {
        if (strcmp(methods[i].name, name) != 0) continue;
        out->name = methods[i].name;
        out->method = methods[i].method;
        return methods[i].known(v, out) ? HLM_OK : refuse(out);
    }
    return refuse(out);
}

/* A side file of a tool: `inside` is the object in it that counts (NULL: the whole). */
static hlm_status check_side_file(const hlmi_store *s, const char *name, const char *inside, hlmi_scheme *out)
{
    hlmi_json *v;
    hlm_status st = hlmi_store_object(s, name, SIDE_MAX, &v);
    const hlmi_json *settings = inside ? hlmi_json_get(v, inside) : v;
    /* other tools have files of these names, too */
    if (method_of(settings) || bits_of(settings)) st = take(s, name, inside ? inside : "bits", settings, out);
    hlmi_json_free(v);
    return st;
}

hlm_status hlmi_scheme_find(const hlmi_store *s, hlmi_scheme *out)
{
    static const char *const keys[] = {"quantization_config", "compression_config", "quantization", "quant_config",
                                       "quantize_config"};
    static const char *const inner[] = {"text_config", "llm_config", "language_config"};
    static const char *const files[][2] = {
        {"quantize_config.json", NULL}, {"quant_config.json", NULL}, {"hf_quant_config.json", "quantization"}};
    *out = (hlmi_scheme){.method = HLMI_METHOD_NONE};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const hlmi_json *v = hlmi_json_get(s->config, keys[i]);
        for (size_t k = 0; k < sizeof inner / sizeof *inner && is_off(v); k++)
            v = hlmi_json_get(hlmi_json_get(s->config, inner[k]), keys[i]);
        if (!is_off(v)) return take(s, "config.json", keys[i], v, out);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files && !out->method; i++)
        HLMI_DO(check_side_file(s, files[i][0], files[i][1], out));
    return HLM_OK;
}
