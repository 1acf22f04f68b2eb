/* Inputs for the fuzz target for settings: what the folders of test/data/models hold, and changes of it that keep the
 * form, so that most of them get behind the JSON: other values of settings, settings of other families, sizes changed
 * in settings and tensors alike, tensors that are missing, renamed, doubled or of another shape or type. */
#define _GNU_SOURCE 1
#include "fuzz/fuzz_config.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#ifndef MODELS
#  define MODELS "test/data/models" /* from the project's folder */
#endif

enum { SEEDS = 128, PLACES = 1024, LINES = 2048, TABLE = 1 << 17 };

static const char *const hostile[] = {
    "0",
    "1",
    "2",
    "3",
    "-1",
    "7",
    "8",
    "16",
    "64",
    "128",
    "255",
    "4096",
    "65536",
    "65537",
    "1048576",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "0.5",
    "1.0",
    "-0.0",
    "1e-320",
    "1e38",
    "1e39",
    "1e308",
    "-1e308",
    "{\"__float__\": \"NaN\"}",
    "{\"__float__\": \"Infinity\"}",
    "{\"__float__\": \"-Infinity\"}",
    "null",
    "true",
    "false",
    "\"\"",
    "\"auto\"",
    "\"silu\"",
    "\"gelu\"",
    "\"relu2\"",
    "\"linear\"",
    "\"yarn\"",
    "\"llama3\"",
    "\"longrope\"",
    "\"dynamic\"",
    "\"full_attention\"",
    "\"mamba\"",
    "\"*\"",
    "\"M-*E\"",
    "[]",
    "[0]",
    "[1, 1]",
    "[-1]",
    "[4294967296]",
    "[[]]",
    "[0, 1, 2, 3, 4, 5, 6, 7]",
    "[\"full_attention\", \"sliding_attention\"]",
    "[null]",
    "{}",
    "{\"rope_type\": \"yarn\"}",
    "{\"rope_type\": \"llama3\", \"factor\": 8, \"original_max_position_embeddings\": 0}",
    "{\"rope_type\": \"longrope\", \"short_factor\": [1], \"long_factor\": [1]}",
    "{\"quant_method\": \"gptq\"}"};
enum { HOSTILE = sizeof hostile / sizeof *hostile };

static size_t below(uint64_t *random, size_t n)
{
    *random += 0x9E3779B97F4A7C15u;
    uint64_t z = *random;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (size_t)((z ^ (z >> 31)) % n);
}

/* ---- seeds ---- */

static char *read_file(const char *folder, const char *name, size_t *size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", MODELS, folder, name);
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    *size = 0;
    if (f && fseek(f, 0, SEEK_END) == 0) {
        *size = (size_t)ftell(f);
        text = malloc(*size + 1);
        rewind(f);
        if (text && fread(text, 1, *size, f) == *size) text[*size] = '\0';
    }
    if (f) fclose(f);
    return text;
}

static json_t *parse(const char *text, size_t n)
{
    const hlmi_mem mem = hlmi_mem_default();
    json_t *v = NULL;
    return hlmi_json_parse(&v, &mem, HLMI_JSON_SETTINGS, text, n, "it") == HLM_OK ? v : NULL;
}

static void write_table(FILE *out, const json_t *header)
{
    const char *name;
    json_t *t;
    json_object_foreach((json_t *)header, name, t)
    {
        if (strcmp(name, "__metadata__") == 0) continue;
        fprintf(out, "%s %s", name, json_string_value(json_object_get(t, "dtype")));
        const json_t *shape = json_object_get(t, "shape");
        for (size_t i = 0; i < json_array_size(shape); i++)
            fprintf(out, " %lld", (long long)json_integer_value(json_array_get(shape, i)));
        fputs("\n", out);
    }
}

static bool read_seed(config_seed *s, const char *folder)
{
    size_t n = 0, size = 0, length = 0;
    char *config = read_file(folder, "config.json", &n);
    char *file = read_file(folder, "model.safetensors", &size);
    for (size_t i = 0; file && size >= 8 && i < 8; i++) length |= (size_t)(unsigned char)file[i] << (8 * i);
    json_t *header = file && length < size - 8 ? parse(file + 8, length) : NULL;
    FILE *out = config && header ? open_memstream((char **)&s->data, &s->size) : NULL;
    if (out) {
        snprintf(s->name, sizeof s->name, "%s", folder);
        fwrite(config, 1, n, out);
        fputc(0, out);
        write_table(out, header);
        fclose(out);
    }
    json_decref(header);
    free(config);
    free(file);
    return out != NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const config_seed *)a)->name, ((const config_seed *)b)->name);
}

const config_seed *config_seeds(size_t *n)
{
    static config_seed all[SEEDS];
    static size_t found;
    DIR *dir = found ? NULL : opendir(MODELS);
    for (const struct dirent *e; dir && found < SEEDS && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.' && read_seed(&all[found], e->d_name)) found++;
    if (dir) {
        closedir(dir);
        qsort(all, found, sizeof *all, by_name);
    }
    *n = found;
    return all;
}

/* ---- settings ---- */

typedef struct place {
    json_t *holder;
    const char *key; /* NULL: an element of an array */
    size_t index;
    json_t *value;
} place;

static size_t collect(json_t *v, place *out, size_t n)
{
    const char *key;
    json_t *m;
    size_t i;
    json_object_foreach(v, key, m)
    {
        if (n < PLACES) out[n++] = (place){v, key, 0, m};
        n = collect(m, out, n);
    }
    json_array_foreach(v, i, m)
    {
        if (n < PLACES) out[n++] = (place){v, NULL, i, m};
        n = collect(m, out, n);
    }
    return n;
}

static void put(const place *p, json_t *value)
{
    if (p->key) json_object_set_new(p->holder, p->key, value);
    else json_array_set_new(p->holder, p->index, value);
}

static json_t *hostile_value(uint64_t *random)
{
    return json_loads(hostile[below(random, HOSTILE)], JSON_DECODE_ANY, NULL);
}

/* A setting of another folder. */
static void borrow(json_t *config, uint64_t *random)
{
    static json_t *configs[SEEDS];
    place places[PLACES];
    size_t n;
    const config_seed *seeds = config_seeds(&n);
    if (n == 0) return;
    const size_t i = below(random, n);
    if (!configs[i]) configs[i] = parse((const char *)seeds[i].data, strlen((const char *)seeds[i].data));
    const size_t m = collect(configs[i], places, 0);
    const place *p = m ? &places[below(random, m)] : NULL;
    if (p && p->key) json_object_set_new(config, p->key, json_deep_copy(p->value));
}

/* A size in the settings and, mostly, where the tensors have it. */
static void resize(const place *p, char *table, uint64_t *random)
{
    static char copy[TABLE];
    const json_int_t old = json_integer_value(p->value);
    const uint64_t x = (uint64_t)old, sizes[] = {x * 2, x / 2, x + 1, x - 1, 1, 3, x * 3, x + 8};
    const json_int_t now = (json_int_t)sizes[below(random, sizeof sizes / sizeof *sizes)];
    put(p, json_integer(now));
    FILE *out = fmemopen(copy, sizeof copy, "w");
    if (!out) return;
    for (char *at = table; *at;) {
        char *end;
        const unsigned long long dim = *at == ' ' ? strtoull(at + 1, &end, 10) : 0;
        const bool number = *at == ' ' && end != at + 1 && (*end == ' ' || *end == '\n');
        if (number) fprintf(out, " %lld", (long long)dim == old ? (long long)now : (long long)dim);
        else fputc(*at, out);
        at = number ? end : at + 1;
    }
    fputc(0, out);
    if (ftell(out) < TABLE - 1) memcpy(table, copy, (size_t)ftell(out));
    fclose(out);
}

static void change_settings(json_t *config, char *table, uint64_t *random)
{
    place places[PLACES];
    const size_t n = collect(config, places, 0);
    if (n == 0) return;
    const place *p = &places[below(random, n)], *q = &places[below(random, n)];
    switch (below(random, 7)) {
    case 0:
    case 1: put(p, hostile_value(random)); break;
    case 2:
    case 3:
        if (json_is_integer(p->value)) resize(p, table, random);
        else put(p, json_deep_copy(q->value));
        break;
    case 4:
        if (p->key) json_object_del(p->holder, p->key);
        else json_array_remove(p->holder, p->index);
        break;
    case 5: borrow(config, random); break;
    default:
        if (json_is_array(p->value)) json_array_append_new(p->value, hostile_value(random));
        else put(p, json_deep_copy(q->value));
        break;
    }
}

/* ---- tensors ---- */

/* One line changed; out has room. */
static void change_line(const char *line, char *out, size_t room, uint64_t *random)
{
    static const char *const dtypes[] = {"F32", "F16", "BF16", "F64", "I64", "U8", "F8_E4M3", "I8", "BOOL", "X"};
    static const char *const dims[] = {" 0",  " 1", " 3", " 64", " 1048576", " 4294967296", " 18446744073709551615",
                                       " 7 7"};
    char name[256] = "", dtype[32] = "";
    int used = 0;
    sscanf(line, "%255s %31s%n", name, dtype, &used);
    const char *shape = line + used, *last = strrchr(shape, ' ');
    const int most = last ? (int)(last - shape) : 0;
    const size_t n = strlen(name);
    switch (below(random, 6)) {
    case 0: snprintf(out, room, "%s %s%s", name, dtypes[below(random, sizeof dtypes / sizeof *dtypes)], shape); break;
    case 1:
        snprintf(out, room, "%s %s%.*s%s", name, dtype, most, shape, dims[below(random, sizeof dims / sizeof *dims)]);
        break;
    case 2: snprintf(out, room, "%s %s%s%.*s", name, dtype, last ? last : "", most, shape); break;
    case 3: snprintf(out, room, "%s %s%s 1", name, dtype, shape); break;
    case 4: /* a digit: another layer */
        for (size_t i = 0; i < n; i++)
            if (name[i] >= '0' && name[i] <= '9') name[i] = (char)('0' + below(random, 10));
        snprintf(out, room, "%s %s%s", name, dtype, shape);
        break;
    default:
        if (n > 7 && strcmp(name + n - 7, ".weight") == 0) snprintf(name + n - 7, 6, ".bias");
        else if (n) name[below(random, n)] = 'x';
        snprintf(out, room, "%s %s%s", name, dtype, shape);
        break;
    }
}

/* A line dropped, doubled or changed. */
static void change_tensors(char *table, uint64_t *random)
{
    static char copy[TABLE];
    size_t lines = 0, i = 0;
    for (const char *at = table; (at = strchr(at, '\n')) != NULL; at++) lines++;
    if (lines == 0) return;
    const size_t which = below(random, lines), how = below(random, 5);
    FILE *out = fmemopen(copy, sizeof copy, "w");
    char *rest = table;
    for (char *line; out && (line = strsep(&rest, "\n")) != NULL; i++) {
        char changed[1024] = "";
        if (!*line || (i == which && how == 0)) continue;
        if (i == which && how > 1) change_line(line, changed, sizeof changed, random);
        else if (i == which) fprintf(out, "%s\n", line);
        fprintf(out, "%s\n", *changed ? changed : line);
    }
    if (out) {
        fputc(0, out);
        if (ftell(out) < TABLE - 1) memcpy(table, copy, (size_t)ftell(out));
        fclose(out);
    }
}

/* A causal model without its head, as embedding models are: LlamaModel, and names without "model.". */
static void drop_head(json_t *config, char *table)
{
    static const char causal[] = "ForCausalLM", prefix[] = "model.";
    json_t *classes = json_object_get(config, "architectures");
    const char *name = json_string_value(json_array_get(classes, 0)), *end = name ? strstr(name, causal) : NULL;
    char class[64];
    if (!end) return;
    snprintf(class, sizeof class, "%.*sModel", (int)(end - name), name);
    json_array_set_new(classes, 0, json_string(class));
    char *to = table, *rest = table;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (!*line || strncmp(line, "lm_head.", 8) == 0) continue;
        if (strncmp(line, prefix, sizeof prefix - 1) == 0) line += sizeof prefix - 1;
        const size_t n = strlen(line);
        memmove(to, line, n);
        to[n] = '\n';
        to += n + 1;
    }
    *to = '\0';
}

size_t config_change(uint8_t *data, size_t size, size_t max, uint64_t *random)
{
    static char table[TABLE];
    const uint8_t *end = memchr(data, 0, size);
    const size_t n = end ? (size_t)(end - data) : size, rest = end ? size - n - 1 : 0;
    json_t *config = end && rest + 2 < TABLE ? parse((const char *)data, n) : NULL;
    char *text = NULL;
    size_t made = 0;
    if (config) {
        memcpy(table, end + 1, rest);
        table[rest] = '\0';
        if (below(random, 16) == 0) drop_head(config, table);
        for (size_t k = below(random, 4); k-- > 0;) {
            if (below(random, 4)) change_settings(config, table, random);
            else change_tensors(table, random);
        }
        text = json_dumps(config, JSON_ENSURE_ASCII);
    }
    if (text && strlen(text) + 1 + strlen(table) <= max) {
        const size_t m = strlen(text) + 1;
        memcpy(data, text, m);
        memcpy(data + m, table, strlen(table));
        made = m + strlen(table);
    }
    free(text);
    json_decref(config);
    return made;
}
