/* Fingerprints of models. */
#include "arch/fingerprint.h"

#include <stdio.h>
#include <string.h>

enum { CONFIG_MAX = 4 << 20 };
static const uint64_t odd = 0x9E3779B97F4A7C15u; /* spreads row numbers over the seeds */

void hlmi_fingerprint_init(hlmi_fingerprint *f, const hlmi_kernels *kernels)
{
    *f = (hlmi_fingerprint){.hash = kernels->hash};
    hlmi_lock_init(&f->lock);
}

uint64_t hlmi_fingerprint_key(const hlmi_fingerprint *f, const hlmi_tensor *t)
{
    const char *type = hlmi_type_get(t->type)->name;
    uint64_t key = f->hash(t->name, strlen(t->name), t->n_dims);
    key = f->hash(type, strlen(type), key);
    return f->hash(t->dims, t->n_dims * sizeof *t->dims, key);
}

void hlmi_fingerprint_row(hlmi_fingerprint *f, uint64_t key, uint64_t row, const void *data, size_t bytes)
{
    f->weights += f->hash(data, bytes, key + row * odd);
}

void hlmi_fingerprint_table(hlmi_fingerprint *f, const hlmi_late_table *table)
{
    if (f->n_late < HLMI_LATE_TABLES) {
        f->late[f->n_late++] = *table;
        return;
    }
    for (size_t r = 0; r < table->rows; r++)
        hlmi_fingerprint_row(f, table->key, r, table->data + r * table->row_bytes, table->row_bytes);
}

static bool shapes_numbers(const hlmi_kv *kv, const char *arch)
{
    const size_t n = strlen(arch);
    return strcmp(kv->key, "general.architecture") == 0 || (strncmp(kv->key, arch, n) == 0 && kv->key[n] == '.');
}

hlm_status hlmi_fingerprint_settings(hlmi_fingerprint *f, const hlmi_store *store, const hlmi_mem *mem,
                                     const char *arch)
{
    const hlmi_kv *kv;
    for (size_t i = 0; (kv = hlmi_store_kv_at(store, i)) != NULL; i++) {
        if (!shapes_numbers(kv, arch)) continue;
        const uint64_t key = f->hash(kv->key, strlen(kv->key), (uint64_t)kv->type);
        f->settings += f->hash(kv->data, kv->bytes, key);
    }
    if (hlmi_store_container(store) == HLMI_STORE_GGUF) return HLM_OK;
    char *text = NULL;
    size_t len = 0;
    const hlm_status st = hlmi_store_side_file(store, "config.json", CONFIG_MAX, &text, &len);
    if (st == HLM_OK && text) f->settings = f->hash(text, len, 1);
    hlmi_free(mem, text);
    return st;
}

void hlmi_fingerprint_get(hlmi_fingerprint *f, uint64_t out[2])
{
    hlmi_lock_take(&f->lock);
    while (f->n_late) {
        const hlmi_late_table *t = &f->late[--f->n_late];
        for (size_t r = 0; r < t->rows; r++)
            hlmi_fingerprint_row(f, t->key, r, t->data + r * t->row_bytes, t->row_bytes);
    }
    out[0] = f->weights;
    out[1] = f->settings;
    hlmi_lock_drop(&f->lock);
}
