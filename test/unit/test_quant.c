/* Element types and layouts: values against the gguf package's (fixtures), groups against their specification and
 * against the plain reading of the same bytes. test_quant FOLDER, by default test/data/quant. */
#include <stdio.h>
#include <string.h>

#include "base/half.h"
#include "quant/type.h"
#include "unit/quantise.h"
#include "unit/suite.h"

static const char *folder = "test/data/quant";

#define CONSTANT(constant, ...) HLMI_##constant,
static const hlmi_type weight_types[] = {HLMI_WEIGHT_TYPES(CONSTANT)};
enum {
    N_WEIGHT_TYPES = sizeof weight_types / sizeof *weight_types - 1, /* f64 is the last, and tested with f32 */
    GUARD = 64
};

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}

/* For loops over elements: ck_assert tells Check about each one, which takes a system call. */
#define REQUIRE(cond, ...)                  \
  do {                                      \
    if (!(cond)) ck_abort_msg(__VA_ARGS__); \
  } while (0)

/* ---- fixtures ---- */

static void *load(const char *name, const char *end, size_t *n)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, end);
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s is missing", path);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    void *p = malloc(*n);
    ck_assert_uint_eq(fread(p, 1, *n, f), *n);
    fclose(f);
    return p;
}

START_TEST(dequantise_equals_gguf)
{
    for (size_t i = 1; i < N_WEIGHT_TYPES; i++) { /* f32 is itself */
        const hlmi_type_info *t = hlmi_type_get(weight_types[i]);
        size_t in_bytes, out_bytes;
        void *in = load(t->name, ".bin", &in_bytes), *want = load(t->name, ".f32", &out_bytes);
        const size_t n = in_bytes / t->bytes * t->block;
        ck_assert_uint_eq(n * sizeof(float), out_bytes);
        unsigned char *shifted = malloc(in_bytes + 1); /* files do not align blocks */
        memcpy(shifted + 1, in, in_bytes);
        float *got = malloc(out_bytes);
        t->dequantise(got, shifted + 1, n);
        for (size_t k = 0; k < n; k++)
            REQUIRE(hlmi_f32_bits(got[k]) == hlmi_f32_bits(((float *)want)[k]), "%s element %zu: %a, expected %a",
                    t->name, k, (double)got[k], (double)((float *)want)[k]);
        free(got);
        free(shifted);
        free(want);
        free(in);
    }
}
END_TEST

START_TEST(quantise_equals_gguf)
{
    size_t bytes;
    float *x = load("floats", ".f32", &bytes);
    const size_t n = bytes / sizeof *x;
    for (size_t i = 1; i < N_WEIGHT_TYPES; i++) {
        const hlmi_type_info *t = hlmi_type_get(weight_types[i]);
        quantise_fn *const quantise = quantise_to(weight_types[i]);
        if (!quantise) continue;
        size_t want_bytes;
        unsigned char *want = load(t->name, ".quant", &want_bytes), *got = malloc(want_bytes);
        ck_assert_uint_eq(want_bytes, n / t->block * t->bytes);
        quantise(got, x, n);
        for (size_t k = 0; k < want_bytes; k++)
            REQUIRE(got[k] == want[k], "%s block %zu byte %zu: %02x, expected %02x", t->name, k / t->bytes,
                    k % t->bytes, got[k], want[k]);
        free(got);
        free(want);
    }
    free(x);
}
END_TEST

/* ---- layouts ---- */

static float half_at(const unsigned char *p)
{
    uint16_t h;
    memcpy(&h, p, sizeof h);
    return hlmi_f16_to_f32(h);
}

static int nibble(const unsigned char *chunks, size_t lanes, size_t r, size_t k)
{
    const unsigned char b = chunks[k / 8 * lanes * 4 + r * 4 + k % 4];
    return k % 8 < 4 ? b & 15 : b >> 4;
}

/* Element k of lane r, word for word as layout.h has it. */
static float spec_at(hlmi_layout layout, const unsigned char *g, size_t r, size_t k)
{
    const unsigned char *u;
    uint16_t h;
    uint32_t w;
    float f;
    switch (layout) {
    case HLMI_LAYOUT_F32: memcpy(&f, g + (k * 32 + r) * 4, 4); return f;
    case HLMI_LAYOUT_F16: return half_at(g + (k * 32 + r) * 2);
    case HLMI_LAYOUT_BF16: memcpy(&h, g + ((k / 2 * 32 + r) * 2 + k % 2) * 2, 2); return hlmi_bf16_to_f32(h);
    case HLMI_LAYOUT_Q4: u = g + k / 32 * 576; return half_at(u + 2 * r) * (float)(nibble(u + 64, 32, r, k % 32) - 8);
    case HLMI_LAYOUT_Q4M:
        u = g + k / 32 * 640;
        return half_at(u + 2 * r) * (float)nibble(u + 128, 32, r, k % 32) + half_at(u + 64 + 2 * r);
    case HLMI_LAYOUT_Q5M:
        u = g + k / 32 * 768;
        memcpy(&w, u + 640 + 4 * r, 4);
        return half_at(u + 2 * r) *
            (float)(nibble(u + 128, 32, r, k % 32) + (int)(w >> (k % 4 * 8 + k % 32 / 4) & 1) * 16) +
            half_at(u + 64 + 2 * r);
    case HLMI_LAYOUT_Q8:
        u = g + k / 32 * 1088;
        return half_at(u + 2 * r) * (float)(signed char)u[64 + k % 32 / 4 * 128 + r * 4 + k % 4];
    case HLMI_LAYOUT_K4:
    case HLMI_LAYOUT_K5:
        u = g + k / 256 * (layout == HLMI_LAYOUT_K4 ? 2368 : 2880);
        k %= 256;
        w = 0;
        if (layout == HLMI_LAYOUT_K5) memcpy(&w, u + 2368 + k / 32 * 64 + r * 4, 4);
        return half_at(u + 2 * r) * (float)u[64 + k / 32 * 16 + r] *
            (float)(nibble(u + 320 + k / 32 * 256, 16, r, k % 32) + (int)(w >> (k % 4 * 8 + k % 32 / 4) & 1) * 16) -
            half_at(u + 32 + 2 * r) * (float)u[192 + k / 32 * 16 + r];
    case HLMI_LAYOUT_K4T:
        u = g + k / 256 * 2240;
        k %= 256;
        return half_at(u + 2 * r) * (float)(signed char)u[64 + k / 32 * 16 + r] *
            (float)hlmi_k4t_values[nibble(u + 192 + k / 32 * 256, 16, r, k % 32)];
    case HLMI_LAYOUT_K6:
        u = g + k / 256 * 4416;
        k %= 256;
        return half_at(u + 2 * r) * (float)(signed char)u[64 + k / 16 * 16 + r] *
            (float)(signed char)u[320 + k / 4 * 64 + r * 4 + k % 4];
    case HLMI_LAYOUT_S8:
        u = g + k / 32 * 1280;
        memcpy(&f, u + k % 32 / 16 * 128 + 4 * r, 4);
        return f * (float)(signed char)u[256 + k % 32 / 4 * 128 + r * 4 + k % 4];
    case HLMI_LAYOUT_S8M:
        u = g + k / 32 * 1536;
        memcpy(&f, u + k % 32 / 16 * 128 + 4 * r, 4);
        f *= (float)(signed char)u[512 + k % 32 / 4 * 128 + r * 4 + k % 4];
        memcpy(&w, u + 256 + k % 32 / 16 * 128 + 4 * r, 4);
        return f + hlmi_f32_from_bits(w);
    case HLMI_LAYOUT_F8:
        u = g + k / 32 * 1152;
        memcpy(&f, u + 4 * r, 4);
        return f * hlmi_e4m3_to_f32(u[128 + k % 32 / 4 * 128 + r * 4 + k % 4]);
    default: ck_abort_msg("no such layout"); return 0;
    }
}

/* Random blocks whose f16 scales are finite; those of q5_0 below 4096, so that 16 d is finite too. */
static void fill_blocks(unsigned char *p, const hlmi_type_info *t, size_t n_blocks, uint64_t *seed)
{
    static const struct {
        const char *name;
        size_t at[2];
    } scales[] = {{"q4_0", {0, 0}},   {"q4_1", {0, 2}},     {"q5_0", {0, 0}},     {"q5_1", {0, 2}},
                  {"q8_0", {0, 0}},   {"q4_K", {0, 2}},     {"q6_K", {208, 208}}, {"q8_1", {0, 0}},
                  {"q2_K", {80, 82}}, {"q3_K", {108, 108}}, {"q5_K", {0, 2}},     {"q8_K", {2, 2}},
                  {"iq1_s", {0, 0}},  {"iq1_m", {54, 54}},  {"iq2_xxs", {0, 0}},  {"iq2_xs", {0, 0}},
                  {"iq2_s", {0, 0}},  {"iq3_xxs", {0, 0}},  {"iq3_s", {0, 0}},    {"iq4_nl", {0, 0}},
                  {"iq4_xs", {0, 0}}, {"tq1_0", {52, 52}},  {"tq2_0", {64, 64}},  {"q1_0", {0, 0}},
                  {"q2_0", {0, 0}},   {"f8_scaled", {2, 2}}};
    for (size_t b = 0; b < n_blocks; b++, p += t->bytes) {
        for (size_t i = 0; i < t->bytes; i++) p[i] = (unsigned char)next_random(seed);
        if (t->block == 1) p[t->bytes - 1] &= 0xBF; /* no infinity, no NaN */
        for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
            for (size_t f = 0; f < 2; f++)
                if (strcmp(scales[s].name, t->name) == 0) p[scales[s].at[f] + 1] &= 0xDF;
    }
}

/* Same bits; of q5_0, whose minimum of a unit is stored, the same number. */
static bool same(const hlmi_type_info *t, float a, float b)
{
    return hlmi_f32_bits(a) == hlmi_f32_bits(b) || (strcmp(t->name, "q5_0") == 0 && a == b);
}

static void check_ranges(const hlmi_type_info *t, const unsigned char *group, const float *want, size_t cols, size_t r)
{
    const hlmi_layout_info *l = hlmi_layout_get(t->layout);
    static const size_t at[] = {0, 1, 2, 15, 31, 32, 33, 64, 255, 256, 257},
                        len[] = {0, 1, 2, 31, 32, 33, 65, 256, 300};
    float *got = malloc((cols + 1) * sizeof *got);
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        for (size_t j = 0; j <= sizeof len / sizeof *len; j++) {
            const size_t rest = at[i] < cols ? cols - at[i] : 0, n = j < sizeof len / sizeof *len ? len[j] : rest;
            if (n > rest) continue;
            got[n] = 12345.0f;
            l->read_row(got, 1, group, r, at[i], n);
            REQUIRE(got[n] == 12345.0f, "%s writes past its %zu elements", t->name, n);
            for (size_t k = 0; k < n; k++) {
                REQUIRE(same(t, got[k], want[at[i] + k]),
                        "%s cols %zu row %zu: element %zu of %zu+%zu is %a, expected %a", t->name, cols, r, k, at[i], n,
                        (double)got[k], (double)want[at[i] + k]);
                REQUIRE(same(t, got[k], spec_at(t->layout, group, r, at[i] + k)), "%s row %zu: not where layout.h says",
                        t->name, r);
            }
        }
    }
    free(got);
}

static void check_tile(const hlmi_type_info *t, size_t cols, size_t n_rows, uint64_t *seed)
{
    const hlmi_layout_info *l = hlmi_layout_get(t->layout);
    const size_t row_bytes = cols / t->block * t->bytes, group_bytes = hlmi_layout_group_bytes(t->layout, cols);
    unsigned char *data = malloc(row_bytes * n_rows + 1), *group = aligned_alloc(64, group_bytes + GUARD);
    const void *rows[32] = {NULL};
    float *want = calloc(cols, sizeof *want);
    fill_blocks(data + 1, t, row_bytes * n_rows / t->bytes, seed);
    for (size_t r = 0; r < n_rows; r++) rows[r] = data + 1 + r * row_bytes;
    ck_assert_uint_eq(group_bytes % 64, 0);
    memset(group, 0xA5, group_bytes + GUARD);
    t->repack(group, rows, cols);
    for (size_t i = 0; i < GUARD; i++) REQUIRE(group[group_bytes + i] == 0xA5, "%s writes past its group", t->name);
    for (size_t r = 0; r < l->rows; r++) {
        if (r < n_rows) {
            t->dequantise(want, rows[r], cols);
            check_ranges(t, group, want, cols, r);
        } else {
            for (size_t k = 0; k < cols; k++)
                REQUIRE(spec_at(t->layout, group, r, k) == 0, "%s padding row %zu", t->name, r);
        }
    }
    free(want);
    free(group);
    free(data);
}

START_TEST(tiles_lose_nothing)
{
    uint64_t seed = 7;
    static const size_t plain[] = {1, 2, 3, 31, 32, 67, 576}, blocks[] = {1, 2, 3, 5};
    for (size_t i = 0; i < N_WEIGHT_TYPES; i++) {
        const hlmi_type_info *t = hlmi_type_get(weight_types[i]);
        const size_t r = hlmi_layout_get(t->layout)->rows;
        for (size_t c = 0; c < (t->block == 1 ? 7 : 4); c++) {
            const size_t cols = t->block == 1 ? plain[c] : blocks[c] * t->block;
            check_tile(t, cols, r, &seed);
            check_tile(t, cols, r - 1, &seed);
            check_tile(t, cols, 1, &seed);
        }
    }
}
END_TEST

/* An odd end of a bf16 row has a zero beside it. */
START_TEST(bf16_odd_end_is_zero)
{
    const uint16_t row[3] = {0x3F80, 0x4000, 0x4040};
    const void *rows[32] = {row};
    uint16_t group[2][32][2];
    memset(group, 0xFF, sizeof group);
    hlmi_type_get(HLMI_BF16)->repack(group, rows, 3);
    ck_assert_uint_eq(group[0][0][1], 0x4000);
    ck_assert_uint_eq(group[1][0][0], 0x4040);
    for (size_t r = 0; r < 32; r++) ck_assert_uint_eq(group[1][r][1], 0);
}
END_TEST

START_TEST(table_is_complete)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < HLMI_TYPE_COUNT; i++) {
        const hlmi_type_info *t = hlmi_type_get((hlmi_type)i);
        ck_assert_ptr_nonnull(t);
        ck_assert_ptr_nonnull(t->name);
        ck_assert(t->block > 0 && t->bytes > 0);
        ck_assert_int_eq(t->layout != HLMI_LAYOUT_NONE, t->repack != NULL);
        ck_assert_int_eq(t->dequantise != NULL, t->repack != NULL);
        ck_assert(hlmi_type_row_bytes((hlmi_type)i, t->block * 3, &bytes) && bytes == t->bytes * 3);
        ck_assert(t->block == 1 || !hlmi_type_row_bytes((hlmi_type)i, t->block + 1, &bytes));
    }
    ck_assert(!hlmi_type_row_bytes(HLMI_F32, UINT64_MAX / 2, &bytes));
    ck_assert_ptr_null(hlmi_type_get(HLMI_TYPE_COUNT));
    for (unsigned i = 0; i < HLMI_LAYOUT_COUNT; i++) {
        const hlmi_layout_info *l = hlmi_layout_get((hlmi_layout)i);
        ck_assert_ptr_nonnull(l->name);
        ck_assert_uint_eq(l->unit_bytes % 64, 0);
        ck_assert_uint_eq(hlmi_layout_group_bytes((hlmi_layout)i, 3 * l->unit_k), 3 * l->unit_bytes);
    }
    ck_assert_uint_eq(hlmi_layout_group_bytes(HLMI_LAYOUT_BF16, 5), 3 * 128);
    ck_assert_ptr_null(hlmi_layout_get(HLMI_LAYOUT_NONE));
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {table_is_complete, dequantise_equals_gguf, quantise_equals_gguf, tiles_lose_nothing,
                                  bf16_odd_end_is_zero};
    if (argc > 1) folder = argv[1];
    return suite_run("quant", tests, sizeof tests / sizeof *tests);
}
