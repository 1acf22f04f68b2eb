/* Adapters for tests, from nothing but the names and shapes of a model's tensors. */
#define _POSIX_C_SOURCE 200809L
#include "make_adapter.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANK = 2, PATH = 4096 };

/* The header of a folder's weights, or NULL. */
static json_t *read_header(const char *model)
{
    char path[PATH];
    uint64_t n = 0;
    json_t *header = NULL;
    snprintf(path, sizeof path, "%s/model.safetensors", model);
    FILE *f = fopen(path, "rb");
    char *text = f && fread(&n, sizeof n, 1, f) == 1 && n < 1u << 24 ? malloc(n) : NULL;
    if (text && fread(text, 1, n, f) == n) header = json_loadb(text, n, 0, NULL);
    free(text);
    if (f) fclose(f);
    return header;
}

/* Is it the weight of a linear layer? */
static int wanted(const char *name)
{
    static const char *const ends[] = {"_proj.weight",      ".dense.weight",  ".query_key_value.weight",
                                       "_h.weight",         ".fc1.weight",    ".fc2.weight",
                                       "put_linear.weight", ".linear.weight", "gate.weight",
                                       ".w1.weight",        ".w2.weight",     ".w3.weight"};
    const size_t len = strlen(name);
    if (strstr(name, "adapter")) return 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const size_t n = strlen(ends[i]);
        if (len > n && strcmp(name + len - n, ends[i]) == 0) return 1;
    }
    return strcmp(name, "lm_head.weight") == 0;
}

typedef struct writing {
    json_t *header;
    FILE *data;
    uint64_t at;
    uint32_t random;
} writing;

/* One factor of a matrix: random numbers, small ones. */
static void add_factor(writing *w, const char *name, size_t len, const char *which, json_int_t rows, json_int_t cols)
{
    char key[512];
    snprintf(key, sizeof key, "base_model.model.%.*s.%s.weight", (int)len, name, which);
    for (json_int_t i = 0; i < rows * cols; i++) {
        w->random = w->random * 1664525u + 1013904223u;
        const float x = ((float)(w->random >> 8) / 8388608.0f - 1.0f) * 0.2f;
        fwrite(&x, sizeof x, 1, w->data);
    }
    const uint64_t end = w->at + (uint64_t)(rows * cols) * sizeof(float);
    json_object_set_new(w->header, key,
                        json_pack("{s:s, s:[I, I], s:[I, I]}", "dtype", "F32", "shape", rows, cols, "data_offsets",
                                  (json_int_t)w->at, (json_int_t)end));
    w->at = end;
}

static unsigned add_matrices(writing *w, json_t *model)
{
    const char *name;
    json_t *tensor;
    unsigned n = 0;
    json_object_foreach(model, name, tensor)
    {
        const json_t *shape = json_object_get(tensor, "shape");
        w->random = w->random * 1664525u + 1013904223u;
        if (json_array_size(shape) != 2 || !wanted(name) || w->random >> 30 == 0) continue;
        const size_t len = strlen(name) - strlen(".weight");
        add_factor(w, name, len, "lora_A", RANK, json_integer_value(json_array_get(shape, 1)));
        add_factor(w, name, len, "lora_B", json_integer_value(json_array_get(shape, 0)), RANK);
        n++;
    }
    return n;
}

/* header, then what `data` holds. */
static int write_tensors(const char *folder, const writing *w)
{
    char path[PATH], buffer[4096];
    snprintf(path, sizeof path, "%s/adapter_model.safetensors", folder);
    FILE *f = fopen(path, "wb");
    char *text = json_dumps(w->header, JSON_COMPACT);
    const uint64_t n = text ? strlen(text) : 0;
    int ok = f && text && fwrite(&n, sizeof n, 1, f) == 1 && fwrite(text, 1, n, f) == n;
    rewind(w->data);
    for (size_t m; ok && (m = fread(buffer, 1, sizeof buffer, w->data)) > 0;) ok = fwrite(buffer, 1, m, f) == m;
    free(text);
    return f && fclose(f) == 0 && ok;
}

static int write_config(const char *folder)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/adapter_config.json", folder);
    FILE *f = fopen(path, "wb");
    const int ok = f && fprintf(f, "{\"peft_type\": \"LORA\", \"r\": %d, \"lora_alpha\": 3}\n", RANK) > 0;
    return f && fclose(f) == 0 && ok;
}

unsigned make_adapter(const char *model, const char *folder, uint32_t seed)
{
    json_t *header = read_header(model);
    writing w = {.header = json_object(), .data = tmpfile(), .random = seed};
    unsigned n = 0;
    if (header && w.data && w.header && mkdir(folder, 0700) == 0) n = add_matrices(&w, header);
    if (n && (!write_tensors(folder, &w) || !write_config(folder))) n = 0;
    if (w.data) fclose(w.data);
    json_decref(w.header);
    json_decref(header);
    return n;
}

void remove_adapter(const char *folder)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/adapter_model.safetensors", folder);
    remove(path);
    snprintf(path, sizeof path, "%s/adapter_config.json", folder);
    remove(path);
    rmdir(folder);
}
