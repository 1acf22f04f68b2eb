/* Quantised folders: of every method and form a matrix is what a plain reference makes of the same codes, however its
 * rows are read; and what is wrong in such folders is refused by its name. */
#include "unit/coded_make.h"

/* ---- what the store reads ---- */

static void check_rows(const coded *f, const float *y, size_t first, size_t n)
{
    for (size_t i = 0; i < n * f->cols; i++) {
        const double want = f->weight[first * f->cols + i], reach = f->reach[first * f->cols + i];
        ck_assert_msg(fabs(y[i] - want) <= reach * 0x1p-22, "%s: row %zu, column %zu is %.9g, expected %.9g", f->what,
                      first + i / f->cols, i % f->cols, y[i], want);
    }
}

/* All rows, `step` at a time. */
static void check_read(const coded *f, const hlmi_store *s, const hlmi_tensor *t, size_t step)
{
    const size_t row = (size_t)t->bytes / f->rows;
    unsigned char *buf = malloc(row * step);
    float *y = malloc(f->cols * step * sizeof *y);
    for (size_t r = 0; r < f->rows; r += step) {
        const size_t n = step < f->rows - r ? step : f->rows - r;
        const uint8_t *p = NULL;
        ck_assert_msg(hlmi_store_read(s, t, r * row, n * row, buf, &p) == HLM_OK, "%s: %s", f->what, hlmi_error());
        hlmi_type_get(t->type)->dequantise(y, p, n * f->cols);
        check_rows(f, y, r, n);
    }
    free(y);
    free(buf);
}

/* Writes, reads and frees it. */
static void check(coded *f)
{
    memfs fs = {.n = 0};
    coded_write(f, &fs);
    for (int map = 0; map < 2; map++) {
        hlmi_store *s;
        ck_assert_msg(coded_open(&s, &fs, map) == HLM_OK, "%s: %s", f->what, hlmi_error());
        const hlmi_tensor *t = hlmi_store_find(s, "X.weight");
        ck_assert_msg(t && hlmi_store_count(s) == 1, "%s: there is more than the matrix, or less", f->what);
        ck_assert_msg(t->n_dims == 2 && t->dims[0] == f->rows && t->dims[1] == f->cols, "%s: its shape", f->what);
        ck_assert_msg(t->type == f->type, "%s is of type %s", f->what, hlmi_type_get(t->type)->name);
        ck_assert(!hlmi_store_mapped(s, t));
        check_read(f, s, t, f->rows);
        check_read(f, s, t, 1);
        check_read(f, s, t, 7);
        hlmi_store_close(s);
    }
    ck_assert_uint_eq(fs.open, 0);
    memfs_clear(&fs);
    coded_free(f);
}

START_TEST(gptq)
{
    static const gptq_form forms[] = {
        {64, 128, 32, 4, false, true, false}, {40, 96, 96, 4, true, true, false},  {72, 64, 0, 4, false, false, false},
        {33, 128, 64, 4, false, true, true},  {36, 96, 32, 3, false, true, false}, {100, 64, 16, 2, true, true, false},
        {37, 64, 32, 8, false, true, false},  {32, 64, 64, 8, true, true, true},   {5, 32, 8, 4, false, true, false},
        {11, 160, 64, 4, false, true, false}, {70, 128, 128, 3, true, true, true}, {33, 16, 16, 2, false, true, false},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        coded f;
        make_gptq(&f, &forms[i]);
        check(&f);
    }
}
END_TEST

START_TEST(awq)
{
    static const size_t forms[][3] = {{64, 64, 32}, {40, 96, 96}, {8, 128, 16}, {104, 40, 8}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        coded f;
        make_awq(&f, forms[i][0], forms[i][1], forms[i][2]);
        check(&f);
    }
}
END_TEST

START_TEST(packed_integers)
{
    static const packed_form forms[] = {
        {64, 128, 32, 4, false, false, false}, {33, 64, 0, 4, false, false, false}, {36, 96, 32, 4, true, false, false},
        {40, 64, 16, 8, true, false, false},   {7, 64, 0, 8, false, false, true},   {50, 128, 32, 4, true, true, false},
        {65, 100, 20, 4, true, false, false},  {3, 32, 32, 8, true, true, false},   {34, 36, 0, 4, true, false, true},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        coded f;
        make_packed(&f, &forms[i]);
        check(&f);
    }
}
END_TEST

START_TEST(compressed_bytes)
{
    static const struct {
        size_t rows, cols, tall, group; /* 0: all */
        const char *dtype;
        bool vector;
    } forms[] = {
        {40, 64, 1, 0, "BF16", false},  {33, 50, 1, 0, "F32", true},     {17, 64, 0, 0, "F32", true},
        {64, 64, 0, 0, "BF16", false},  {70, 100, 16, 32, "F32", false}, {9, 64, 1, 16, "F16", false},
        {96, 40, 32, 64, "F32", false}, {5, 64, 16, 16, "BF16", false},
    };
    for (size_t i = 0; i < 2 * (sizeof forms / sizeof *forms); i++) {
        const size_t tall = forms[i / 2].tall, group = forms[i / 2].group;
        coded f;
        coded_new(&f, i % 2 ? "int-quantized" : "float-quantized", forms[i / 2].rows, forms[i / 2].cols);
        snprintf(f.config, sizeof f.config, "%s", i % 2 ? by_int : by_float);
        if (tall > 1)
            snprintf(
                f.config, sizeof f.config,
                COMPRESSED("naive-quantized", "\"strategy\":\"block\",\"num_bits\":8,\"block_structure\":[%zu,%zu]"),
                tall, group);
        make_bytes(&f, i % 2, ".weight", ".weight_scale", forms[i / 2].dtype, tall ? tall : f.rows,
                   group ? group : f.cols, forms[i / 2].vector);
        coded_add(&f, ".input_scale", "F32", 1, 0, 4);
        check(&f);
    }
}
END_TEST

/* Integers of which a zero point is taken, of compressed-tensors and torchao. */
START_TEST(bytes_with_zeros)
{
    for (int torchao = 0; torchao < 2; torchao++) {
        coded f;
        coded_new(&f, torchao ? "torchao int8" : "int-quantized", 35, 64);
        snprintf(f.config, sizeof f.config, "%s",
                 torchao ? "{\"quantization_config\":{\"quant_method\":\"torchao\"}}" : by_int);
        make_bytes(&f, true, torchao ? "._weight_qdata" : ".weight", torchao ? "._weight_scale" : ".weight_scale",
                   "F32", 1, 32, false);
        int8_t *zeros = (int8_t *)coded_add(&f, torchao ? "._weight_zero_point" : ".weight_zero_point", "I8", 35, 2, 1);
        for (size_t i = 0; i < f.rows * f.cols; i++) {
            float scale;
            int8_t *zero = &zeros[i / f.cols * 2 + i % f.cols / 32];
            const coded_tensor *t = coded_find(&f, torchao ? "._weight_scale" : ".weight_scale");
            memcpy(&scale, t->data.data + (zero - zeros) * 4, 4);
            if (i % 32 == 0) *zero = (int8_t)((int)any(256) - 128);
            coded_set(&f, i / f.cols, i % f.cols, f.weight[i] / scale, *zero, scale, 0);
        }
        f.type = HLMI_RUNS_M;
        check(&f);
    }
}
END_TEST

/* ---- fp8, ModelOpt, floats of torchao ---- */

START_TEST(bytes_of_other_methods)
{
    static const struct {
        const char *config, *side, *tail, *scale;
        bool integers;
        size_t rows, cols, tall, group;
    } forms[] = {
        {"{\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":[32,48],\"activation_scheme\":"
         "\"dynamic\"}}",
         "", ".weight", ".weight_scale_inv", false, 70, 100, 32, 48},
        {"{\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":[128,128]}}", "", ".weight",
         ".weight_scale_inv", false, 130, 140, 128, 128},
        {"{\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":[128,128]}}", "", ".weight",
         ".weight_scale_inv", false, 33, 64, 128, 128},
        {"{\"quantization_config\":{\"quant_method\":\"fp8\"}}", "", ".weight", ".qscale_weight", false, 12, 48, 12,
         48},
        {"{\"quantization\":{\"quant_algo\":\"FP8\",\"kv_cache_quant_algo\":\"FP8\"}}", "hf_quant_config.json",
         ".weight", ".weight_scale", false, 12, 48, 12, 48},
        {"{\"quantization_config\":{\"quant_method\":\"torchao\",\"quant_type\":{}}}", "", "._weight_qdata",
         "._weight_scale", false, 40, 50, 1, 50},
        {"{\"quantization_config\":{\"quant_method\":\"torchao\",\"quant_type\":{}}}", "", "._weight_qdata",
         "._weight_scale", true, 40, 64, 1, 64},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        coded f;
        coded_new(&f, forms[i].scale, forms[i].rows, forms[i].cols);
        snprintf(f.config, sizeof f.config, "%s", forms[i].config);
        snprintf(f.side, sizeof f.side, "%s", forms[i].side);
        make_bytes(&f, forms[i].integers, forms[i].tail, forms[i].scale, "F32", forms[i].tall, forms[i].group, false);
        check(&f);
    }
}
END_TEST

/* Int4Tensor: signed nibbles, scales and zeros of [groups][rows]. */
START_TEST(torchao_int4)
{
    enum { ROWS = 44, COLS = 64, GROUP = 32 };
    coded f;
    coded_new(&f, "torchao int4", ROWS, COLS);
    snprintf(f.config, sizeof f.config, "{\"quantization_config\":{\"quant_method\":\"torchao\"}}");
    unsigned char *codes = coded_add(&f, "._weight_qdata", "I8", ROWS, COLS / 2, 1);
    double *scales = coded_scales(&f, "._weight_scale", "BF16", COLS / GROUP, ROWS);
    double *zeros = coded_scales(&f, "._weight_zero_point", "BF16", COLS / GROUP, ROWS);
    f.type = HLMI_RUNS_M;
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t k = 0; k < COLS; k++) {
            const int code = (int)any(16) - 8;
            const size_t at = k / GROUP * ROWS + r;
            codes[r * (COLS / 2) + k / 2] |= (unsigned char)((code & 15) << (k % 2 ? 4 : 0));
            coded_set(&f, r, k, code, 0, scales[at], zeros[at]);
        }
    }
    free(scales);
    free(zeros);
    check(&f);
}
END_TEST

START_TEST(four_bit_floats)
{
    for (int form = NVFP4; form <= MXFP4; form++) {
        coded f;
        make_fp4(&f, 37, 64, (fp4_form)form);
        check(&f);
    }
    coded f;
    make_fp4(&f, 64, 48, NVFP4);
    check(&f);
}
END_TEST

START_TEST(bitsandbytes_of_4_bits)
{
    for (int nested = 0; nested < 2; nested++) {
        coded f;
        make_bnb4(&f, 35, 128, 64, nested);
        check(&f);
        make_bnb4(&f, 6, 64, 16, nested);
        check(&f);
        make_bnb4(&f, 12, 48, 64, nested); /* blocks go on in the next row */
        check(&f);
    }
}
END_TEST

START_TEST(bitsandbytes_of_8_bits)
{
    coded f;
    coded_new(&f, "bitsandbytes int8", 39, 64);
    snprintf(f.config, sizeof f.config, "{\"quantization_config\":{\"load_in_8bit\":true}}");
    make_bytes(&f, true, ".weight", ".SCB", "F32", 1, 64, true);
    coded_add(&f, ".weight_format", "U8", 1, 0, 1);
    for (size_t i = 0; i < f.rows * f.cols; i++) {
        f.weight[i] /= 127;
        f.reach[i] /= 127;
    }
    check(&f);
}
END_TEST

/* ---- NVFP4 in GGUF files ---- */

enum { NV_BLOCK = 36, NV_TENSORS = 6 };

/* Numbers of nvfp4 blocks of 64: four scales, and of each 16 elements the low halves of 8 bytes first. */
static double nvfp4_at(const unsigned char *blocks, size_t i)
{
    const unsigned char *b = blocks + i / 64 * NV_BLOCK;
    const size_t k = i % 64;
    return e4m3(b[k / 16]) * e2m1[b[4 + k / 16 * 8 + k % 8] >> (k % 16 / 8 * 4) & 15];
}

/* X.weight [5, 128] and E.weight [3, 4, 64] with their scales, of `n_scales` experts, and P.weight [2, 64] without. */
static void write_nvfp4(memfs *fs, const unsigned char *blocks, const float *scales, size_t n_scales)
{
    static const uint64_t x[] = {128, 5}, e[] = {64, 4, 3}, p[] = {64, 2}, one[] = {1};
    const uint64_t some[] = {n_scales};
    bytes b = {.n = 0};
    put_front(&b, 3, NV_TENSORS, 0);
    put_tensor(&b, "X.weight", 2, x, 40, 0);
    put_tensor(&b, "E.weight", 3, e, 40, 384);
    put_tensor(&b, "P.weight", 2, p, 40, 832);
    put_tensor(&b, "X.scale", 1, one, 0, 928);
    put_tensor(&b, "X.input_scale", 1, one, 0, 960);
    put_tensor(&b, "E.scale", 1, some, 0, 992);
    put_padding(&b, 32);
    put(&b, blocks, 10 * NV_BLOCK);
    put_padding(&b, 32);
    put(&b, blocks + 10 * NV_BLOCK, 12 * NV_BLOCK);
    put_padding(&b, 32);
    put(&b, blocks + 22 * NV_BLOCK, 2 * NV_BLOCK);
    put_padding(&b, 32);
    put(&b, scales, 4);
    put_padding(&b, 32);
    put(&b, scales, 4);
    put_padding(&b, 32);
    put(&b, scales + 1, n_scales * 4);
    put_padding(&b, 32);
    memfs_add(fs, "m.gguf", b.data, b.n);
    free(b.data);
}

static void check_nvfp4(const hlmi_store *s, const char *name, const unsigned char *blocks, const float *scales,
                        size_t per_scale)
{
    const hlmi_tensor *t = hlmi_store_find(s, name);
    const size_t cols = (size_t)t->dims[t->n_dims - 1],
                 n = (size_t)t->bytes / hlmi_type_get(t->type)->bytes * hlmi_type_get(t->type)->block;
    unsigned char *buf = malloc((size_t)t->bytes);
    float *y = malloc(n * sizeof *y);
    const uint8_t *p = NULL;
    const size_t row = (size_t)t->bytes / (n / cols);
    for (size_t r = 0; r < n / cols; r++) {
        ck_assert_msg(hlmi_store_read(s, t, r * row, row, buf, &p) == HLM_OK, "%s", hlmi_error());
        hlmi_type_get(t->type)->dequantise(y + r * cols, p, cols);
    }
    for (size_t i = 0; i < n; i++) {
        const double want = nvfp4_at(blocks, i) * (per_scale ? scales[i / per_scale] : 1);
        ck_assert_msg(fabs(y[i] - want) <= fabs(want) * 0x1p-22, "%s: number %zu is %g, expected %g", name, i, y[i],
                      want);
    }
    free(y);
    free(buf);
}

START_TEST(nvfp4_of_gguf_files)
{
    static const float scales[] = {0.3f, 2.5f, -0.125f, 7, 1};
    unsigned char blocks[24 * NV_BLOCK];
    const hlmi_mem mem = hlmi_mem_default();
    for (size_t i = 0; i < sizeof blocks; i++) blocks[i] = (unsigned char)any(i % NV_BLOCK < 4 ? 127 : 256);
    for (int map = 0; map < 2; map++) {
        for (size_t experts = 2; experts < 5; experts++) {
            memfs fs = {.n = 0};
            hlmi_store *s;
            write_nvfp4(&fs, blocks, scales, experts);
            const hlmi_vfs vfs = memfs_vfs(&fs, map);
            const hlm_status st = hlmi_store_open(&s, &mem, &vfs, "m.gguf", HLMI_STORE_MODEL);
            if (experts != 3) {
                ck_assert_int_eq(st, HLM_E_FORMAT);
                ck_assert_ptr_nonnull(strstr(hlmi_error(), "m.gguf: tensor 'E.scale': "));
            } else {
                ck_assert_msg(st == HLM_OK && hlmi_store_count(s) == 3, "%s", hlmi_error());
                check_nvfp4(s, "X.weight", blocks, scales, 5 * 128);
                check_nvfp4(s, "E.weight", blocks + 10 * NV_BLOCK, scales + 1, 4 * 64);
                check_nvfp4(s, "P.weight", blocks + 22 * NV_BLOCK, NULL, 0);
                ck_assert_int_eq(hlmi_store_find(s, "P.weight")->type, HLMI_NVFP4);
            }
            hlmi_store_close(s);
            ck_assert_uint_eq(fs.open, 0);
            memfs_clear(&fs);
        }
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {gptq,
                                  awq,
                                  packed_integers,
                                  compressed_bytes,
                                  bytes_with_zeros,
                                  bytes_of_other_methods,
                                  torchao_int4,
                                  four_bit_floats,
                                  bitsandbytes_of_4_bits,
                                  bitsandbytes_of_8_bits,
                                  nvfp4_of_gguf_files};
    return suite_run("quantised", tests, sizeof tests / sizeof *tests);
}
