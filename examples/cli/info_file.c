/* What lies in files (see info_file.h). */
#include "info_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "report.h"
#include "text.h"

enum {
    SHOWN_ITEMS = 16, /* of an array */
    SHOWN_BYTES = 160 /* of a value on a line */
};

/* ---- text from files ---- */

/** Does a terminal print it as one character, and nothing else? */
static bool is_plain(utf8proc_int32_t c)
{
    const utf8proc_category_t k = utf8proc_category(c);
    return k != UTF8PROC_CATEGORY_CC && k != UTF8PROC_CATEGORY_CF && k != UTF8PROC_CATEGORY_CN &&
        k != UTF8PROC_CATEGORY_CO && k != UTF8PROC_CATEGORY_CS && k != UTF8PROC_CATEGORY_ZL &&
        k != UTF8PROC_CATEGORY_ZP;
}

/** Bytes that are not printed as they are become \xNN. `width` columns at least, as far as those are ASCII. */
static void put(const char *s, int width)
{
    const size_t n = strlen(s);
    int printed = 0;
    for (size_t at = 0; at < n;) {
        utf8proc_int32_t c = -1;
        const utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)s + at, (utf8proc_ssize_t)(n - at), &c);
        if (len > 0 && is_plain(c)) {
            fwrite(s + at, 1, (size_t)len, stdout);
            at += (size_t)len;
            printed++;
        } else {
            printed += printf("\\x%02X", (unsigned)(unsigned char)s[at++]);
        }
    }
    if (printed < width) printf("%*s", width - printed, "");
}

static json_t *json_text(const char *s)
{
    cli_text clean = {0};
    cli_text_add_clean(&clean, s, strlen(s));
    json_t *text = json_string(clean.data ? clean.data : "");
    cli_text_free(&clean);
    return text;
}

static json_t *integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* ---- types ---- */

/** What all tensors of one type take. */
typedef struct share {
    const char *type;
    uint64_t tensors, bytes;
} share;

static int more_bytes(const void *a, const void *b)
{
    const share *x = a, *y = b;
    return x->bytes != y->bytes ? (x->bytes < y->bytes ? 1 : -1) : strcmp(x->type, y->type);
}

static hlm_file_tensor_info tensor_at(const cli_file *f, size_t i)
{
    hlm_file_tensor_info t = {.struct_size = sizeof t};
    if (hlm_file_tensor(f->file, i, &t) != HLM_OK) t.name = t.type = t.part = t.unfit = "";
    return t;
}

/** Each type once, the one with most bytes first; the caller's to free. Types are few, but in files that lie. */
static share *count_types(const cli_file *f, size_t *n)
{
    enum { TYPES_MAX = 64 };
    share *types = cli_alloc(TYPES_MAX, sizeof *types);
    *n = 0;
    for (size_t i = 0; i < f->info.n_tensors; i++) {
        const hlm_file_tensor_info t = tensor_at(f, i);
        size_t k = 0;
        while (k < *n && strcmp(types[k].type, t.type) != 0) k++;
        if (k == TYPES_MAX) k--, types[k].type = "others";
        else if (k == *n) types[(*n)++] = (share){.type = t.type};
        types[k].tensors++;
        types[k].bytes += t.bytes;
    }
    qsort(types, *n, sizeof *types, more_bytes);
    return types;
}

/* ---- settings ---- */

/** The value of setting i as JSON in ASCII, *t; false when it can not be had. */
static bool add_value(const cli_file *f, size_t i, cli_text *t)
{
    size_t n = 0;
    hlm_status st = hlm_file_value(f->file, i, SHOWN_ITEMS, NULL, 0, &n);
    if (st != HLM_OK && st != HLM_E_SPACE) return false;
    char *value = cli_alloc(n + 1, 1);
    st = hlm_file_value(f->file, i, SHOWN_ITEMS, value, n, &n);
    if (st == HLM_OK) cli_text_add(t, value, n);
    free(value);
    return st == HLM_OK && t->data;
}

static bool key_at(const cli_file *f, size_t i, hlm_file_key_info *key, cli_text *value)
{
    *key = (hlm_file_key_info){.struct_size = sizeof *key};
    return hlm_file_key(f->file, i, key) == HLM_OK && add_value(f, i, value);
}

static bool is_cut(const hlm_file_key_info *key)
{
    return strcmp(key->type, "array") == 0 && key->n_items > SHOWN_ITEMS;
}

static void put_value(const hlm_file_key_info *key, const cli_text *value)
{
    const size_t n = value->len < SHOWN_BYTES ? value->len : SHOWN_BYTES;
    printf("%.*s%s", (int)n, value->data, n < value->len ? "..." : "");
    if (is_cut(key)) printf("  (%llu items)", (unsigned long long)key->n_items);
    printf("\n");
}

int cli_file_print_keys(const cli_options *o, const cli_file *f)
{
    char type[40];
    printf("%-48s %-16s %s\n", "setting", "type", "value");
    for (size_t i = 0; i < f->info.n_keys; i++) {
        hlm_file_key_info key;
        cli_text value = {0};
        const bool had = key_at(f, i, &key, &value);
        if (had) {
            snprintf(type, sizeof type, "%s%s%s", key.type, *key.item ? " of " : "", key.item);
            put(key.name, 48);
            printf(" %-16s ", type);
            put_value(&key, &value);
        }
        cli_text_free(&value);
        if (!had) return cli_fail(o, CLI_FAILED, NULL, "the settings could not be listed: %s", hlm_last_error());
    }
    return CLI_OK;
}

json_t *cli_file_keys_json(const cli_file *f)
{
    json_t *keys = json_array();
    for (size_t i = 0; i < f->info.n_keys; i++) {
        hlm_file_key_info key;
        cli_text value = {0};
        if (key_at(f, i, &key, &value)) {
            /* an integer past 2^63 stays text */
            json_t *v = json_loadb(value.data, value.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
            json_t *entry = json_pack("{s:o, s:s, s:o, s:o}", "key", json_text(key.name), "type", key.type, "items",
                                      integer(key.n_items), "value", v ? v : json_text(value.data));
            if (*key.item) json_object_set_new(entry, "item_type", json_string(key.item));
            json_array_append_new(keys, entry);
        }
        cli_text_free(&value);
    }
    return keys;
}

/* ---- tensors ---- */

int cli_file_print_tensors(const cli_options *o, const cli_file *f)
{
    (void)o;
    printf("%-52s %-8s %-22s %12s\n", "tensor", "type", "shape", "bytes");
    for (size_t i = 0; i < f->info.n_tensors; i++) {
        const hlm_file_tensor_info t = tensor_at(f, i);
        char shape[96] = "";
        size_t at = 0;
        for (size_t k = 0; k < t.n_dims; k++)
            at += (size_t)snprintf(shape + at, sizeof shape - at, k ? ", %llu" : "%llu", (unsigned long long)t.dims[k]);
        put(t.name, 52);
        printf(" ");
        put(t.type, 8);
        printf(" %-22s %12llu", shape, (unsigned long long)t.bytes);
        if (*t.unfit) {
            printf("  ");
            put(t.unfit, 0);
        }
        printf("\n");
    }
    return CLI_OK;
}

json_t *cli_file_tensors_json(const cli_file *f)
{
    json_t *tensors = json_array();
    for (size_t i = 0; i < f->info.n_tensors; i++) {
        const hlm_file_tensor_info t = tensor_at(f, i);
        json_t *shape = json_array();
        for (size_t k = 0; k < t.n_dims; k++) json_array_append_new(shape, integer(t.dims[k]));
        json_t *entry = json_pack("{s:o, s:o, s:o, s:o, s:o}", "tensor", json_text(t.name), "type", json_text(t.type),
                                  "shape", shape, "file_bytes", integer(t.bytes), "part", json_text(t.part));
        if (*t.unfit) json_object_set_new(entry, "unfit", json_text(t.unfit));
        json_array_append_new(tensors, entry);
    }
    return tensors;
}

/* ---- the report ---- */

static bool is_scheme(const char *key)
{
    static const char *const keys[] = {"quantization_config", "compression_config", "quantization", "quant_config",
                                       "quantize_config"};
    for (size_t i = 0; i < CLI_COUNT(keys); i++)
        if (strcmp(keys[i], key) == 0) return true;
    return false;
}

static void print_quantisation(const cli_file *f)
{
    printf("  %-22s ", "quantisation");
    put(*f->info.quantisation ? f->info.quantisation : "-", 0);
    printf("\n");
    for (size_t i = 0; i < f->info.n_keys; i++) {
        hlm_file_key_info key = {.struct_size = sizeof key};
        cli_text value = {0};
        if (hlm_file_key(f->file, i, &key) == HLM_OK && is_scheme(key.name) && add_value(f, i, &value)) {
            printf("    %-20s ", key.name);
            put_value(&key, &value);
        }
        cli_text_free(&value);
    }
}

static void print_types(const cli_file *f)
{
    size_t n;
    share *types = count_types(f, &n);
    if (n) printf("types\n");
    for (size_t i = 0; i < n; i++) {
        printf("  ");
        put(types[i].type, 22);
        printf(" %6llu tensor%s %14llu bytes\n", (unsigned long long)types[i].tensors,
               types[i].tensors == 1 ? " " : "s", (unsigned long long)types[i].bytes);
    }
    free(types);
}

void cli_file_print(const cli_file *f)
{
    const hlm_file_info *m = &f->info;
    char version[16] = "";
    if (m->version) snprintf(version, sizeof version, " %u", m->version);
    printf("file\n  %-22s %s%s%s\n", "container", m->container, version, m->is_adapter ? ", an adapter" : "");
    printf("  %-22s ", "architecture");
    put(*m->arch ? m->arch : "-", 0);
    printf("\n");
    print_quantisation(f);
    for (size_t i = 0; i < m->n_parts; i++) {
        uint64_t bytes;
        const char *path = hlm_file_part(f->file, i, &bytes);
        printf("  %-22s ", i ? "" : m->n_parts == 1 ? "part" : "parts");
        put(path, 0);
        printf(", %llu bytes\n", (unsigned long long)bytes);
    }
    printf("  %-22s %zu\n", "settings", m->n_keys);
    printf("  %-22s %zu\n", "tensors", m->n_tensors);
    print_types(f);
}

json_t *cli_file_json(const cli_file *f)
{
    const hlm_file_info *m = &f->info;
    json_t *parts = json_array(), *types = json_array();
    for (size_t i = 0; i < m->n_parts; i++) {
        uint64_t bytes;
        const char *path = hlm_file_part(f->file, i, &bytes);
        json_array_append_new(parts, json_pack("{s:o, s:o}", "path", json_text(path), "bytes", integer(bytes)));
    }
    size_t n;
    share *shares = count_types(f, &n);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(types,
                              json_pack("{s:o, s:o, s:o}", "type", json_text(shares[i].type), "tensors",
                                        integer(shares[i].tensors), "bytes", integer(shares[i].bytes)));
    free(shares);
    return json_pack("{s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "container", m->container, "version",
                     integer(m->version), "is_adapter", m->is_adapter, "arch", json_text(m->arch), "quantisation",
                     json_text(m->quantisation), "bytes", integer(m->bytes), "parts", parts, "types", types, "n_keys",
                     integer(m->n_keys), "n_tensors", integer(m->n_tensors));
}

/* ---- why it can not be run ---- */

static void print_problem(const char *sentence)
{
    printf("cannot be run: ");
    put(sentence, 0);
    printf("\n");
}

/** What hlm_model_load says, unless it is among the others; of an adapter, which it takes for a model, it says
 *  nothing. */
static const char *load_sentence(const cli_file *f)
{
    for (size_t i = 0; i < f->info.n_problems; i++)
        if (f->info.is_adapter || strcmp(hlm_file_problem(f->file, i), f->refused) == 0) return NULL;
    return f->refused;
}

void cli_file_print_problems(const cli_file *f)
{
    if (!f->refused) return;
    for (size_t i = 0; i < f->info.n_problems; i++) print_problem(hlm_file_problem(f->file, i));
    if (load_sentence(f)) print_problem(load_sentence(f));
}

json_t *cli_file_problems_json(const cli_file *f)
{
    json_t *all = json_array();
    for (size_t i = 0; i < f->info.n_problems && f->refused; i++)
        json_array_append_new(all, json_text(hlm_file_problem(f->file, i)));
    if (f->refused && load_sentence(f)) json_array_append_new(all, json_text(load_sentence(f)));
    return all;
}
