/* Matrices of every method, made at random with their numbers beside them (coded_help.h). */
#ifndef TEST_UNIT_CODED_MAKE_H
#define TEST_UNIT_CODED_MAKE_H

#include "unit/coded_help.h"

/* ---- GPTQ ---- */

typedef struct gptq_form {
    size_t rows, cols, group; /* group 0: a whole row */
    unsigned bits;
    bool v2, listed, shuffled; /* g_idx is there; it does not just count */
} gptq_form;

static inline void make_gptq(coded *f, const gptq_form *o)
{
    const size_t group = o->group ? o->group : o->cols, groups = (o->cols + group - 1) / group;
    const size_t zero_words = (o->rows * o->bits + 31) / 32, most = (size_t)1 << o->bits;
    coded_new(f, "GPTQ", o->rows, o->cols);
    f->type = (o->shuffled && groups > 1) || group % 16 || o->cols % 32 ? HLMI_F32
        : o->bits == 8                                                  ? HLMI_RUNS_M
                                                                        : HLMI_RUNS;
    snprintf(f->config, sizeof f->config,
             "{\"quantization_config\":{\"quant_method\":\"gptq\",\"bits\":%u,\"group_size\":%d,\"desc_act\":%s,"
             "\"checkpoint_format\":\"%s\"}}",
             o->bits, o->group ? (int)group : -1, o->shuffled ? "true" : "false", o->v2 ? "gptq_v2" : "gptq");
    unsigned char *codes = coded_add(f, ".qweight", "I32", (o->cols * o->bits + 31) / 32, o->rows, 4);
    unsigned char *zeros = coded_add(f, ".qzeros", "I32", groups, zero_words, 4);
    double *scales = coded_scales(f, ".scales", "F16", groups, o->rows);
    unsigned char *list = o->listed ? coded_add(f, ".g_idx", "I32", o->cols, 0, 4) : NULL;
    double *zero = malloc(groups * o->rows * sizeof *zero);
    for (size_t i = 0; i < groups * o->rows; i++) {
        const uint32_t stored = any((uint32_t)most);
        set_bits(zeros + i / o->rows * zero_words * 4, 1, i % o->rows * o->bits, o->bits, stored);
        zero[i] = stored + !o->v2;
    }
    for (size_t k = 0; k < o->cols; k++) {
        const size_t g = o->shuffled ? any((uint32_t)groups) : k / group;
        if (list) list[k * 4] = (unsigned char)g;
        for (size_t r = 0; r < o->rows; r++) {
            const uint32_t code = any((uint32_t)most);
            set_bits(codes + r * 4, o->rows, k * o->bits, o->bits, code);
            coded_set(f, r, k, code, zero[g * o->rows + r], scales[g * o->rows + r], 0);
        }
    }
    free(zero);
    free(scales);
}

/* ---- AWQ ---- */

static inline void make_awq(coded *f, size_t rows, size_t cols, size_t group)
{
    static const size_t order[8] = {0, 2, 4, 6, 1, 3, 5, 7};
    const size_t groups = cols / group;
    coded_new(f, "AWQ", rows, cols);
    if (group % 16 || cols % 32) f->type = HLMI_F32;
    snprintf(f->config, sizeof f->config,
             "{\"quantization_config\":{\"quant_method\":\"awq\",\"bits\":4,\"group_size\":%zu,\"version\":\"gemm\","
             "\"zero_point\":true}}",
             group);
    unsigned char *codes = coded_add(f, ".qweight", "I32", cols, rows / 8, 4);
    unsigned char *zeros = coded_add(f, ".qzeros", "I32", groups, rows / 8, 4);
    double *scales = coded_scales(f, ".scales", "F16", groups, rows);
    for (size_t r = 0; r < rows; r++) {
        size_t nibble = 0;
        uint32_t zero = 0;
        while (order[nibble] != r % 8) nibble++;
        for (size_t k = 0; k < cols; k++) {
            const size_t g = k / group;
            const uint32_t code = any(16);
            if (k % group == 0) set_bits(zeros + (g * (rows / 8) + r / 8) * 4, 1, nibble * 4, 4, zero = any(16));
            set_bits(codes + (k * (rows / 8) + r / 8) * 4, 1, nibble * 4, 4, code);
            coded_set(f, r, k, code, zero, scales[g * rows + r], 0);
        }
    }
    free(scales);
}

/* ---- compressed-tensors ---- */

#define COMPRESSED(format, weights)                                                                                 \
  "{\"quantization_config\":{\"quant_method\":\"compressed-tensors\",\"format\":\"" format "\",\"config_groups\":{" \
  "\"group_0\":{\"targets\":[\"Linear\"],\"weights\":{" weights "}}}}}"

typedef struct packed_form {
    size_t rows, cols, group;
    unsigned bits;
    bool zeros, shuffled, unused; /* unused: a list of groups that says -1 everywhere */
} packed_form;

static inline void make_packed(coded *f, const packed_form *o)
{
    const size_t group = o->group ? o->group : o->cols, groups = o->cols / group;
    const size_t words = (o->cols * o->bits + 31) / 32;
    const int half = 1 << (o->bits - 1);
    unsigned char *zeros = NULL;
    int zero = 0;
    coded_new(f, "pack-quantized", o->rows, o->cols);
    f->type = (o->shuffled && groups > 1) || group % 16 || o->cols % 32 ? HLMI_F32
        : o->zeros && o->bits == 8                                      ? HLMI_RUNS_M
                                                                        : HLMI_RUNS;
    snprintf(f->config, sizeof f->config, COMPRESSED("pack-quantized", "\"num_bits\":%u,\"type\":\"int\""), o->bits);
    unsigned char *codes = coded_add(f, ".weight_packed", "I32", o->rows, words, 4);
    double *scales = coded_scales(f, ".weight_scale", "BF16", o->rows, groups);
    unsigned char *shape = coded_add(f, ".weight_shape", "I64", 2, 0, 8);
    shape[0] = (unsigned char)o->rows;
    shape[8] = (unsigned char)o->cols;
    if (o->zeros) zeros = coded_add(f, ".weight_zero_point", "I32", (o->rows * o->bits + 31) / 32, groups, 4);
    unsigned char *list = o->shuffled || o->unused ? coded_add(f, ".weight_g_idx", "I32", o->cols, 0, 4) : NULL;
    if (o->unused) memset(list, 255, o->cols * 4);
    int *of = calloc(o->cols + o->rows * groups, sizeof *of), *zero_of = of + o->cols;
    for (size_t k = 0; k < o->cols; k++) {
        of[k] = (int)(o->shuffled ? any((uint32_t)groups) : k / group);
        if (o->shuffled) list[k * 4] = (unsigned char)of[k];
    }
    for (size_t i = 0; i < o->rows * groups && o->zeros; i++) {
        zero_of[i] = zero = (int)any((uint32_t)half * 2) - half;
        set_bits(zeros + i % groups * 4, groups, i / groups * o->bits, o->bits, (uint32_t)(zero + half));
    }
    for (size_t r = 0; r < o->rows; r++) {
        for (size_t k = 0; k < o->cols; k++) {
            const int code = (int)any((uint32_t)half * 2) - half;
            const size_t at = r * groups + (size_t)of[k];
            set_bits(codes + r * words * 4, 1, k * o->bits, o->bits, (uint32_t)(code + half));
            coded_set(f, r, k, code, zero_of[at], scales[at], 0);
        }
    }
    free(of);
    free(scales);
}

/* Codes of one byte in X + `tail`, with a scale for `tall` rows and `group` columns of each; `vector`: one
 * dimension. */
static inline void make_bytes(coded *f, bool integers, const char *tail, const char *scale, const char *dtype,
                              size_t tall, size_t group, bool vector)
{
    const size_t groups = (f->cols + group - 1) / group, strips = (f->rows + tall - 1) / tall;
    const size_t fine = integers ? 16 : 32; /* groups that the types have */
    f->type = group % fine || f->cols % 32 ? HLMI_F32 : integers ? HLMI_RUNS : HLMI_F8_SCALED;
    unsigned char *codes = coded_add(f, tail, integers ? "I8" : "F8_E4M3", f->rows, f->cols, 1);
    double *scales = coded_scales(f, scale, dtype, strips, vector ? 0 : groups);
    for (size_t r = 0; r < f->rows; r++) {
        for (size_t k = 0; k < f->cols; k++) {
            unsigned char *c = &codes[r * f->cols + k];
            do *c = (unsigned char)any(256);
            while (!integers && (*c & 127) == 127); /* NaN */
            coded_set(f, r, k, integers ? (double)(int8_t)*c : e4m3(*c), 0, scales[r / tall * groups + k / group], 0);
        }
    }
    free(scales);
}

static const char by_float[] = COMPRESSED("float-quantized", "\"num_bits\":8,\"type\":\"float\"");
static const char by_int[] = COMPRESSED("int-quantized", "\"num_bits\":8,\"type\":\"int\"");

/* ---- FP4 ---- */

typedef enum fp4_form { NVFP4, NVFP4_MODELOPT, MXFP4 } fp4_form;

static inline void make_fp4(coded *f, size_t rows, size_t cols, fp4_form form)
{
    static const char *const configs[] = {COMPRESSED("nvfp4-pack-quantized", "\"num_bits\":4,\"type\":\"float\""),
                                          "{\"quantization\":{\"quant_algo\":\"NVFP4\"}}",
                                          COMPRESSED("mxfp4-pack-quantized", "\"num_bits\":4,\"type\":\"float\"")};
    const size_t group = form == MXFP4 ? 32 : 16;
    const double all = 0.375;
    coded_new(f, configs[form], rows, cols);
    if (cols % 32) f->type = HLMI_F32;
    snprintf(f->config, sizeof f->config, "%s", configs[form]);
    if (form == NVFP4_MODELOPT) snprintf(f->side, sizeof f->side, "hf_quant_config.json");
    unsigned char *codes = coded_add(f, form == NVFP4_MODELOPT ? ".weight" : ".weight_packed", "U8", rows, cols / 2, 1);
    unsigned char *scales = coded_add(f, ".weight_scale", form == MXFP4 ? "U8" : "F8_E4M3", rows, cols / group, 1);
    if (form == NVFP4) store_number(coded_add(f, ".weight_global_scale", "F32", 1, 0, 4), "F32", 0, 1 / all);
    if (form == NVFP4_MODELOPT) store_number(coded_add(f, ".weight_scale_2", "F32", 1, 0, 4), "F32", 0, all);
    for (size_t i = 0; i < rows * (cols / group); i++)
        scales[i] = (unsigned char)(form == MXFP4 ? i < 3 ? i : 120 + any(16) : any(126));
    for (size_t i = 0; i < rows * cols; i++) {
        const unsigned code = any(16);
        const unsigned char s = scales[i / group];
        codes[i / 2] |= (unsigned char)(code << (i % 2 * 4));
        coded_set(f, i / cols, i % cols, e2m1[code], 0, form == MXFP4 ? ldexp(1, s - 127) : e4m3(s) * all, 0);
    }
}

/* ---- bitsandbytes ---- */

static const char bnb4_config[] = "{\"quantization_config\":{\"quant_method\":\"bitsandbytes\",\"load_in_4bit\":true}}";

static inline void make_bnb4(coded *f, size_t rows, size_t cols, size_t block, bool nested)
{
    const size_t n = rows * cols / block;
    char state[200];
    double map[16], numbers[256], most[8];
    coded_new(f, nested ? "nf4, nested" : "nf4", rows, cols);
    f->type = HLMI_F32;
    snprintf(f->config, sizeof f->config, "%s", bnb4_config);
    unsigned char *codes = coded_add(f, ".weight", "U8", rows * cols / 2, 1, 1);
    unsigned char *table = coded_add(f, ".weight.quant_map", "F32", 16, 0, 4);
    for (size_t i = 0; i < 16; i++) store_number(table, "F32", i, map[i] = ((int)any(512) - 256) / 256.0);
    double *scales = nested ? malloc(n * sizeof *scales) : coded_scales(f, ".weight.absmax", "F32", n, 0);
    int at = snprintf(state, sizeof state, "{\"quant_type\":\"nf4\",\"blocksize\":%zu,\"shape\":[%zu,%zu]", block, rows,
                      cols);
    if (nested) {
        unsigned char *absmax = coded_add(f, ".weight.absmax", "U8", n, 0, 1);
        unsigned char *second = coded_add(f, ".weight.nested_quant_map", "F32", 256, 0, 4);
        unsigned char *blocks = coded_add(f, ".weight.nested_absmax", "F32", (n + 31) / 32, 0, 4);
        at += snprintf(state + at, sizeof state - (size_t)at, ",\"nested_blocksize\":32,\"nested_offset\":0.25");
        for (size_t i = 0; i < 256; i++) store_number(second, "F32", i, numbers[i] = ((double)i - 128) / 512);
        for (size_t i = 0; i < (n + 31) / 32; i++) store_number(blocks, "F32", i, most[i] = any_scale());
        for (size_t i = 0; i < n; i++) scales[i] = numbers[absmax[i] = (unsigned char)any(256)] * most[i / 32] + 0.25;
    }
    snprintf(state + at, sizeof state - (size_t)at, "}");
    memcpy(coded_add(f, ".weight.quant_state.bitsandbytes__nf4", "U8", strlen(state), 0, 1), state, strlen(state));
    for (size_t i = 0; i < rows * cols; i++) {
        const unsigned code = any(16);
        codes[i / 2] |= (unsigned char)(code << (i % 2 ? 0 : 4));
        coded_set(f, i / cols, i % cols, map[code], 0, scales[i / block], 0);
    }
    free(scales);
}

#endif
