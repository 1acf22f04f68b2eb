/* Fuzz target: a Hugging Face folder. The input is config.json and the index, each ended by a zero byte, and then the
 * bytes of the weight file: model.safetensors when the index is empty, otherwise the shard "s". */
#include "fuzz/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void config(const hlmi_store *s)
{
    PROMISED(hlmi_json_is(hlmi_store_config(s), HLMI_JSON_OBJECT));
}

/* Takes a text off the front of the input. */
static size_t text_length(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    return end ? (size_t)(end - data) : size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memfs fs = {.n = 0};
    size_t n = text_length(data, size);
    memfs_add(&fs, "d/config.json", data, n);
    data += n + (n < size);
    size -= n + (n < size);
    n = text_length(data, size);
    if (n) memfs_add(&fs, "d/model.safetensors.index.json", data, n);
    const char *weights = n ? "d/s" : "d/model.safetensors";
    data += n + (n < size);
    size -= n + (n < size);
    memfs_add(&fs, weights, data, size);
    walk(&fs, "d", config);
    return 0;
}
