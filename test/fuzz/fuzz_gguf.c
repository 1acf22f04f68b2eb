/* Fuzz target: a GGUF file. */
#include "fuzz/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void settings(const hlmi_store *s)
{
    static const char *const keys[] = {
        "general.architecture", "general.alignment", "tokenizer.ggml.tokens", "tokenizer.ggml.scores", "x", "k"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const hlmi_kv *kv = hlmi_store_kv(s, keys[i]);
        const char *text;
        size_t at = 0, len;
        int64_t whole;
        double number;
        while (hlmi_kv_next_string(kv, &at, &text, &len)) walk_bytes(text, len);
        for (uint64_t k = 0; kv && k <= kv->count; k++) {
            const bool is_number = hlmi_kv_f64(kv, k, &number);
            PROMISED(is_number || !hlmi_kv_i64(kv, k, &whole));
            PROMISED(k < kv->count || !is_number);
        }
        if (kv) walk_bytes(kv->data, kv->bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memfs fs = {.n = 0};
    memfs_add(&fs, "m.gguf", data, size);
    walk(&fs, "m.gguf", settings);
    return 0;
}
