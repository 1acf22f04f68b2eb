/* adapter_replay [EVERY [FOLDER]]: runs the fuzz target for adapters without a fuzzer, over adapters that are made here
 * and changed: each byte before the numbers replaced, cut at every length of these, every setting with every kind of
 * value, numbers that are none. Of all cases one in EVERY is run. With a FOLDER the unchanged ones are also written
 * there, as a beginning for a fuzzer. */
#include "fuzz/fuzz_adapter.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 1 << 14, NUMBER = 2 /* bytes: bf16 in folders, f16 in GGUF files */, GGUF_ALIGN = 32 };

typedef struct input {
    uint8_t data[ROOM];
    size_t size, numbers; /* where the numbers begin */
} input;

typedef struct part {
    const char *name;
    size_t rows, cols; /* cols 0: a vector */
} part;

#define FOLDER_PART(matrix, rest) "base_model.model.model.layers.0." matrix "." rest
static const part folder_parts[] = {
    {FOLDER_PART("self_attn.q_proj", "lora_A.weight"), 2, 256},
    {FOLDER_PART("self_attn.q_proj", "lora_B.weight"), 256, 2},
    {FOLDER_PART("self_attn.v_proj", "lora_A.weight"), 1, 256},
    {FOLDER_PART("self_attn.v_proj", "lora_B.weight"), 64, 1},
    {FOLDER_PART("self_attn.q_proj", "lora_magnitude_vector"), 256, 0}, /* these for DoRA */
    {FOLDER_PART("self_attn.v_proj", "lora_magnitude_vector"), 64, 0},
};
enum { FOLDER_PARTS = sizeof folder_parts / sizeof *folder_parts, LORA_PARTS = FOLDER_PARTS - 2 };

static const part gguf_parts[] = {{"blk.0.attn_q.weight.lora_a", 2, 32},
                                  {"blk.0.attn_q.weight.lora_b", 32, 2},
                                  {"blk.1.ffn_up.weight.lora_a", 1, 32},
                                  {"blk.1.ffn_up.weight.lora_b", 32, 1}};
enum { GGUF_PARTS = sizeof gguf_parts / sizeof *gguf_parts };

typedef struct setting {
    const char *key, *value;
} setting;

static const setting settings[] = {
    {"peft_type", "\"LORA\""},
    {"r", "2"},
    {"lora_alpha", "4"},
    {"use_rslora", "true"},
    {"use_dora", "false"},
    {"rank_pattern", "{\"v_proj\": 1}"},
    {"alpha_pattern", "{\"layers.0.self_attn.q_proj\": 3}"},
    {"bias", "\"none\""},
    {"modules_to_save", "null"},
    {"target_parameters", "[]"},
    {"alora_invocation_tokens", "[]"},
    {"target_modules", "\".*(q|v)_proj\""},
    {"exclude_modules", "null"},
    {"init_lora_weights", "true"},
    {"layers_to_transform", "null"},
    {"layers_pattern", "null"},
    {"lora_dropout", "0.0"},
    {"of_tomorrow", "null"},
};
enum { SETTINGS = sizeof settings / sizeof *settings, USE_DORA = 4 };

/* NULL: the setting is not there. */
static const char *const values[] = {NULL,
                                     "[1]",
                                     "[1, 1]",
                                     "[0, \"q_proj\"]",
                                     "[\"q_proj\", \"v_proj\"]",
                                     "\"(q|v)_proj\"",
                                     "\"all-linear\"",
                                     "\"((a*)*)*[\"",
                                     "\"pissa\"",
                                     "{\"(q|v)_proj$\": 2, \"v.*\": 1}",
                                     "{\"\\\\1(?P<a>q){,2}[^]\": 1}",
                                     "0",
                                     "-1",
                                     "1",
                                     "2",
                                     "256",
                                     "257",
                                     "2147483648",
                                     "9223372036854775808",
                                     "1.5",
                                     "1e308",
                                     "-1e308",
                                     "1e-320",
                                     "1e999",
                                     "NaN",
                                     "-Infinity",
                                     "\"2\"",
                                     "\"\"",
                                     "null",
                                     "true",
                                     "false",
                                     "[]",
                                     "[2]",
                                     "{}",
                                     "{\"v_proj\": 1}",
                                     "{\"v_proj\": 1, \"q_proj\": 1e308}",
                                     "{\"v_proj\": 1, \"q_proj\": 1e-320}",
                                     "{\"v_proj\": 1, \"q_proj\": -2}",
                                     "{\"v_proj\": 1, \"q_proj\": null}",
                                     "{\"v_proj\": 1, \"\": 2}",
                                     "{\"(q|v)_proj\": 2}"};
enum { VALUES = sizeof values / sizeof *values };

static size_t every = 1, made;
static unsigned long passed;

/* ---- making them ---- */

static void add(input *in, const void *data, size_t n)
{
    if (n > ROOM - in->size) abort();
    memcpy(in->data + in->size, data, n);
    in->size += n;
}

static void add_text(input *in, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf((char *)in->data + in->size, ROOM - in->size, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= ROOM - in->size) abort();
    in->size += (size_t)n;
}

static void add_int(input *in, uint64_t x, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) add(in, &(uint8_t){(uint8_t)(x >> (8 * i))}, 1);
}

static size_t part_bytes(const part *p)
{
    return p->rows * (p->cols ? p->cols : 1) * NUMBER;
}

/* Small positive numbers, of either type. */
static void add_numbers(input *in, const part *parts, size_t n, size_t align)
{
    in->numbers = in->size;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < part_bytes(&parts[i]) / NUMBER; k++) add_int(in, 0x3C00 + k * 37 % 256, NUMBER);
        while ((in->size - in->numbers) % align) add_int(in, 0, 1);
    }
}

/* adapter_config.json with another value of one setting. */
static void add_config(input *in, bool dora, size_t key, const char *value)
{
    const char *between = "{";
    for (size_t i = 0; i < SETTINGS; i++) {
        const char *v = i == key ? value : dora && i == USE_DORA ? "true" : settings[i].value;
        if (!v) continue;
        add_text(in, "%s\"%s\": %s", between, settings[i].key, v);
        between = ", ";
    }
    add_text(in, "}");
}

/* As the target wants it: which model, the settings and a zero byte, the tensors. */
static void make_folder(input *in, bool dora, size_t key, const char *value)
{
    const size_t n = dora ? FOLDER_PARTS : LORA_PARTS;
    size_t at = 0;
    in->size = 0;
    add_int(in, FUZZ_FOLDER, 1);
    add_config(in, dora, key, value);
    add_int(in, 0, 1);
    const size_t length = in->size;
    add_int(in, 0, 8);
    for (size_t i = 0; i < n; i++) {
        const part *p = &folder_parts[i];
        add_text(in, "%s\"%s\": {\"dtype\": \"BF16\", \"shape\": [%zu", i ? ", " : "{", p->name, p->rows);
        if (p->cols) add_text(in, ", %zu", p->cols);
        add_text(in, "], \"data_offsets\": [%zu, %zu]}", at, at + part_bytes(p));
        at += part_bytes(p);
    }
    add_text(in, "}");
    const size_t end = in->size;
    in->size = length;
    add_int(in, end - length - 8, 8);
    in->size = end;
    add_numbers(in, folder_parts, n, 1);
}

static void add_string(input *in, const char *s)
{
    add_int(in, strlen(s), 8);
    add_text(in, "%s", s);
}

static void make_gguf(input *in)
{
    static const setting pairs[] = {
        {"general.architecture", "llama"}, {"general.type", "adapter"}, {"adapter.type", "lora"}};
    uint64_t at = 0;
    in->size = 0;
    add_int(in, FUZZ_GGUF, 1);
    add_text(in, "GGUF");
    add_int(in, 3, 4);
    add_int(in, GGUF_PARTS, 8);
    add_int(in, 4, 8);
    for (size_t i = 0; i < 3; i++) {
        add_string(in, pairs[i].key);
        add_int(in, 8, 4); /* a string */
        add_string(in, pairs[i].value);
    }
    add_string(in, "adapter.lora.alpha");
    add_int(in, 6, 4); /* f32 */
    add_int(in, 0x41000000, 4);
    for (size_t i = 0; i < GGUF_PARTS; i++) {
        const part *p = &gguf_parts[i];
        add_string(in, p->name);
        add_int(in, 2, 4);
        add_int(in, p->cols, 8);
        add_int(in, p->rows, 8);
        add_int(in, 1, 4); /* f16 */
        add_int(in, at, 8);
        at += (part_bytes(p) + GGUF_ALIGN - 1) / GGUF_ALIGN * GGUF_ALIGN;
    }
    while ((in->size - 1) % GGUF_ALIGN) add_int(in, 0, 1);
    add_numbers(in, gguf_parts, GGUF_PARTS, GGUF_ALIGN);
}

/* ---- running them ---- */

static void run(const uint8_t *data, size_t size)
{
    if (made++ % every) return;
    LLVMFuzzerTestOneInput(data, size);
    passed++;
}

/* Every byte but the first, which only says which model. */
static void run_bytes(input *in)
{
    static const uint8_t bytes[] = {0, 1, '"', '-', '0', '9', '}', 0x80, 0xFF};
    for (size_t i = 1; i < in->numbers; i++) {
        const uint8_t old = in->data[i];
        for (size_t k = 0; k <= sizeof bytes; k++) {
            in->data[i] = k < sizeof bytes ? bytes[k] : old ^ 1;
            if (in->data[i] != old) run(in->data, in->size);
        }
        in->data[i] = old;
    }
}

static void run_cuts(const input *in)
{
    for (size_t n = 1; n < in->numbers; n++) run(in->data, n);
    for (size_t n = in->numbers; n < in->size; n += 61) run(in->data, n);
    run(in->data, in->size - 1);
}

/* Infinite, NaN, the largest, the smallest and none, where tensors begin and end, and all over. */
static void run_numbers(input *in)
{
    static const uint16_t numbers[] = {0x7F80, 0xFFFF, 0x7F7F, 0x7BFF, 0xFBFF, 0x0001, 0x0000};
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        input all = *in;
        for (size_t i = in->numbers; i + NUMBER <= in->size; i += NUMBER) {
            memcpy(all.data + i, &numbers[k], NUMBER);
            if (i % 64 > 1 && i + 64 < in->size) continue;
            input one = *in;
            memcpy(one.data + i, &numbers[k], NUMBER);
            run(one.data, one.size);
        }
        run(all.data, all.size);
    }
}

static void run_settings(bool dora)
{
    static input in;
    for (size_t key = 0; key < SETTINGS; key++) {
        for (size_t v = 0; v < VALUES; v++) {
            make_folder(&in, dora, key, values[v]);
            run(in.data, in.size);
        }
    }
}

static void write_seed(const char *folder, const char *name, const input *in)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (f) fwrite(in->data, 1, in->size, f);
    if (f) fclose(f);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"lora", "dora", "gguf"};
    static input in;
    every = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    if (every == 0) every = 1;
    for (size_t i = 0; i < 3; i++) {
        const unsigned long before = fuzz_accepted();
        if (i == 2) make_gguf(&in);
        else make_folder(&in, i == 1, SETTINGS, NULL);
        LLVMFuzzerTestOneInput(in.data, in.size);
        if (fuzz_accepted() == before) {
            printf("%s is no adapter: %s\n0 passed, 1 failed\n", names[i], hlm_last_error());
            return 1;
        }
        if (argc > 2) write_seed(argv[2], names[i], &in);
        run_bytes(&in);
        run_cuts(&in);
        run_numbers(&in);
        if (i < 2) run_settings(i == 1);
    }
    printf("%lu were adapters\n%lu passed, 0 failed\n", fuzz_accepted(), passed);
    return passed == 0;
}
