/* Fuzz target: weights as torch.save writes them. An input that begins as such a file is one; one that begins as JSON
 * is a release: params.json, ended by a zero byte, and consolidated.safetensors; another is the pickle of an archive
 * with one storage, "0", of 64 bytes. */
#include "fuzz/walk.h"
#include "unit/torch_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void config(const hlmi_store *s)
{
    PROMISED(hlmi_store_dialect(s) == HLMI_HF);
}

static bool begins(const uint8_t *data, size_t size, const char *with, size_t n)
{
    return size >= n && memcmp(data, with, n) == 0;
}

static void add_release(memfs *fs, const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, 0, size);
    const size_t n = end ? (size_t)(end - data) : size, skip = n + (n < size);
    memfs_add(fs, "d/params.json", data, n);
    memfs_add(fs, "d/consolidated.safetensors", data + skip, size - skip);
}

static void add_saved(memfs *fs, const uint8_t *data, size_t size)
{
    static const uint8_t storage[64] = {0};
    bytes b = {.n = 0};
    const member members[] = {{"a/data.pkl", data, size}, {"a/data/0", storage, sizeof storage}};
    if (begins(data, size, "PK\3\4", 4) || begins(data, size, "\x80\x02\x8A\x0A\x6C\xFC", 6)) put(&b, data, size);
    else put_zip(&b, members, 2, 0);
    memfs_add(fs, "d/config.json", "{}", 2);
    memfs_add(fs, "d/pytorch_model.bin", b.data, b.n);
    free(b.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memfs fs = {.n = 0};
    if (begins(data, size, "{", 1)) add_release(&fs, data, size);
    else add_saved(&fs, data, size);
    walk(&fs, "d", config);
    return 0;
}
