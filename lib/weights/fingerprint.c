/* Fingerprints of models. */
#include "weights/fingerprint.h"

#include <string.h>

#include "weights/store.h"

enum { CONFIG_MAX = 4 << 20 };

void hlmi_fingerprint_init(hlmi_fingerprint *f, hlmi_hash_fn *hash, const hlmi_mem *mem)
{
    *f = (hlmi_fingerprint){.hash = hash, .mem = *mem};
    hlmi_lock_init(&f->lock);
}

void hlmi_fingerprint_free(hlmi_fingerprint *f)
{
    if (f->noted) hlmi_free(&f->mem, f->noted);
    f->noted = NULL;
}

uint64_t hlmi_fingerprint_key(const hlmi_fingerprint *f, const hlmi_tensor *t, const char *quantised)
{
    const char *type = hlmi_type_get(t->type)->name;
    const uint64_t key = f->hash(type, strlen(type), f->hash(t->name, strlen(t->name), 0));
    const uint64_t shaped = f->hash(t->dims, t->n_dims * sizeof *t->dims, key);
    return quantised ? f->hash(quantised, strlen(quantised), shaped) : shaped;
}

void hlmi_fingerprint_add(hlmi_fingerprint *f, const hlmi_hashed_rows *rows)
{
    const uint8_t *row = rows->data;
    for (size_t i = 0; i < rows->n; i++)
        f->weights += f->hash(row + i * rows->bytes, rows->bytes, rows->key + rows->first + i);
}

hlm_status hlmi_fingerprint_note(hlmi_fingerprint *f, const hlmi_hashed_rows *rows)
{
    HLMI_DO(HLMI_GROW(&f->mem, f->noted, f->cap_noted, f->n_noted + 1, "the fingerprint"));
    f->noted[f->n_noted++] = *rows;
    return HLM_OK;
}

static bool shapes_numbers(const hlmi_kv *kv, const char *arch)
{
    const size_t n = strlen(arch);
    return strcmp(kv->key, "general.architecture") == 0 || (strncmp(kv->key, arch, n) == 0 && kv->key[n] == '.');
}

hlm_status hlmi_fingerprint_settings(hlmi_fingerprint *f, const hlmi_store *store, const char *arch)
{
    const hlmi_kv *kv;
    for (size_t i = 0; (kv = hlmi_store_kv_at(store, i)) != NULL; i++) {
        if (!shapes_numbers(kv, arch)) continue;
        const uint64_t key = f->hash(kv->key, strlen(kv->key), (uint64_t)kv->type);
        f->settings += f->hash(kv->data, kv->bytes, key);
    }
    if (hlmi_store_dialect(store) == HLMI_GGUF) return HLM_OK;
    char *text = NULL;
    size_t len = 0;
    hlm_status st = hlmi_store_side_file(store, "config.json", CONFIG_MAX, &text, &len);
    if (st == HLM_OK && !text) st = hlmi_store_side_file(store, "params.json", CONFIG_MAX, &text, &len);
    if (st == HLM_OK && text) f->settings = f->hash(text, len, 1);
    hlmi_free(&f->mem, text);
    return st;
}

void hlmi_fingerprint_get(hlmi_fingerprint *f, uint64_t out[2])
{
    hlmi_lock_take(&f->lock);
    while (f->n_noted) hlmi_fingerprint_add(f, &f->noted[--f->n_noted]);
    out[0] = f->weights;
    out[1] = f->settings;
    hlmi_lock_drop(&f->lock);
}
