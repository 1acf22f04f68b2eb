/* Folders whose weights are not the numbers that the settings speak of: quantised ones, of which this version reads
 * none. They are told by their settings before the weights are opened, because their tensors have other names, types
 * and files. */
#include <stdio.h>
#include <string.h>

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
    return 0;
}

/* The sentence about a setting that is on. compressed-tensors and the like have formats within the method. */
static hlm_status refuse(const hlmi_store *s, const char *file, const char *key, const hlmi_json *v)
{
    char method[HLMI_QUOTE_MAX + 60] = "a method without a name", bits[32] = "", more[HLMI_QUOTE_MAX + 40] = "";
    const char *name = method_of(v), *format = hlmi_json_string(v, "format");
    if (name) snprintf(method, sizeof method, "the method %s", hlmi_quoted(name, strlen(name)).s);
    if (format && format != name) snprintf(more, sizeof more, ", format %s", hlmi_quoted(format, strlen(format)).s);
    if (bits_of(v)) snprintf(bits, sizeof bits, ", %lld bits", (long long)bits_of(v));
    return hlmi_fail(HLM_E_UNSUPPORTED,
                     "%s/%s: %s: the weights are quantised by %s%s%s, which this version does not read: give the model "
                     "in f32, f16 or bf16, or a GGUF file of it",
                     s->path, file, key, method, more, bits);
}

/* A side file of a tool: `inside` is the object in it that counts (NULL: the whole). */
static hlm_status check_side_file(const hlmi_store *s, const char *name, const char *inside)
{
    hlmi_json *v;
    hlm_status st = hlmi_store_object(s, name, SIDE_MAX, &v);
    const hlmi_json *settings = inside ? hlmi_json_get(v, inside) : v;
    /* other tools have files of these names, too */
    if (method_of(settings) || bits_of(settings)) st = refuse(s, name, inside ? inside : "bits", settings);
    hlmi_json_free(v);
    return st;
}

hlm_status hlmi_refuse_quantised(const hlmi_store *s)
{
    static const char *const keys[] = {"quantization_config", "compression_config", "quantization", "quant_config",
                                       "quantize_config"};
    static const char *const inner[] = {"text_config", "llm_config", "language_config"};
    static const char *const files[][2] = {
        {"quantize_config.json", NULL}, {"quant_config.json", NULL}, {"hf_quant_config.json", "quantization"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const hlmi_json *v = hlmi_json_get(s->config, keys[i]);
        for (size_t k = 0; k < sizeof inner / sizeof *inner && is_off(v); k++)
            v = hlmi_json_get(hlmi_json_get(s->config, inner[k]), keys[i]);
        if (!is_off(v)) return refuse(s, "config.json", keys[i], v);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) HLMI_DO(check_side_file(s, files[i][0], files[i][1]));
    return HLM_OK;
}
