/* Matrix products and packing of activations. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/half.h"
#include "gemm_case.h"
#include "kernel/act.h"

#ifdef CK_EMULATED
enum { COLS_STEP = 4 }; /* emulated kernels are slow */
#else
enum { COLS_STEP = 1 };
#endif

static const char *const act_names[HLMI_ACT_COUNT] = {"f32", "bf16", "q8", "q8k", "q16"};

static void pack(const hlmi_kernels *k, hlmi_act act, void *dst, size_t stride, const float *x, size_t n, size_t cols)
{
    if (act != HLMI_ACT_F32) {
        k->pack[act](dst, stride, x, cols, n, cols);
        return;
    }
    for (size_t i = 0; i < n; i++) memcpy((char *)dst + i * stride, x + i * cols, cols * sizeof *x);
}

gemm_case gemm_case_make(ck_run *t, const hlmi_kernels *k, const layout_form *f, hlmi_act act, weights_kind kind,
                         gemm_size size)
{
    const size_t ldx = hlmi_act_stride(act, size.cols), ldy = size.groups * f->rows;
    gemm_case c = {.x = ck_floats(t, size.tokens * size.cols, 3.0f)};
    void *packed = ck_bytes(t, size.tokens * ldx);
    pack(k, act, packed, ldx, c.x, size.tokens, size.cols);
    c.g = (hlmi_gemm){.y = ck_out(t, size.tokens * ldy),
                      .ldy = ldy,
                      .w = weights_random(t, f, size.cols, size.groups, kind),
                      .groups = size.groups,
                      .x = packed,
                      .ldx = ldx,
                      .tokens = size.tokens,
                      .cols = size.cols};
    return c;
}

/* ---- spec: the reference against double ---- */

static double act_value(hlmi_act act, const void *row, size_t k)
{
    const hlmi_act_q8 *q8 = (const hlmi_act_q8 *)row + k / 32;
    const hlmi_act_q8k *q8k = (const hlmi_act_q8k *)row + k / 256;
    const hlmi_act_q16 *q16 = (const hlmi_act_q16 *)row + k / 32;
    switch (act) {
    case HLMI_ACT_F32: return (double)((const float *)row)[k];
    case HLMI_ACT_Q16: return (double)q16->d * q16->q[k % 32 / 4 * 4 + k % 2 * 2 + k % 4 / 2];
    case HLMI_ACT_BF16: return (double)hlmi_bf16_to_f32(((const uint16_t *)row)[k]);
    case HLMI_ACT_Q8: return (double)q8->d * q8->q[k % 32];
    case HLMI_ACT_Q8K: return (double)q8k->d * q8k->q[k % 256];
    case HLMI_ACT_COUNT: break;
    }
    return 0;
}

/* Bound: each of the `steps` roundings of a sum errs by 2^-24 of at most the sum of sizes; scales and the integer to
 * float conversion add at most 4 more. */
static void spec_product(ck_run *t, const hlmi_kernels *ref, const layout_form *f, bool f32, gemm_size size)
{
    const hlmi_act act = f32 ? HLMI_ACT_F32 : ref->act[f->layout];
    static const weights_kind kinds[] = {WEIGHTS_RANDOM, WEIGHTS_LARGEST};
    for (size_t i = 0; i < 2; i++) {
        if (!ck_begin(t, "spec %s x %s cols %zu kind %zu", f->name, act_names[act], size.cols, i)) continue;
        const gemm_case c = gemm_case_make(t, ref, f, act, kinds[i], size);
        (f32 ? ref->gemm_f32 : ref->gemm)[f->layout](&c.g);
        const size_t steps = act == HLMI_ACT_Q8 || act == HLMI_ACT_Q16 ? size.cols / 32 * 2
            : act == HLMI_ACT_Q8K                                      ? size.cols / 256 * 2
                                                                       : size.cols;
        for (size_t token = 0; token < size.tokens; token++) {
            const void *row = (const char *)c.g.x + token * c.g.ldx;
            for (size_t r = 0; r < size.groups * f->rows; r++) {
                double want = 0, sum = 0, one;
                for (size_t k = 0; k < size.cols; k++) {
                    const double a = act_value(act, row, k);
                    want += a * weights_value(f, c.g.w, size.cols, r, k, &one);
                    sum += fabs(a) * one;
                }
                const double got = (double)c.g.y[token * c.g.ldy + r],
                             bound = sum * (double)(steps + 4) * 0x1p-24 + 0x1p-120;
                ck_check(t, fabs(got - want) <= bound, "token %zu row %zu is %g, not %g +- %g", token, r, got, want,
                         bound);
            }
        }
        ck_end(t);
    }
}

static void spec_pack_q8(ck_run *t, const hlmi_kernels *ref)
{
    if (!ck_begin(t, "spec pack q8")) return;
    const float *x = ck_floats(t, 4096, 5.0f);
    hlmi_act_q8 *a = ck_bytes(t, 128 * sizeof *a);
    ref->pack[HLMI_ACT_Q8](a, 0, x, 0, 1, 4096);
    for (size_t b = 0; b < 128; b++) {
        int sum = 0;
        for (size_t k = 0; k < 32; k++) {
            const double d = (double)a[b].d, off = fabs(d * a[b].q[k] - (double)x[b * 32 + k]);
            ck_check(t, off <= d * (0.5 + 1e-5), "element %zu is off by %g of a step %g", b * 32 + k, off, d);
            sum += a[b].q[k];
        }
        ck_check(t, a[b].sum8 == -8 * sum && a[b].sum128 == -128 * sum, "sums of block %zu", b);
        ck_check(t, a[b].dsum == a[b].d * (float)sum, "scaled sum of block %zu", b);
    }
    ck_end(t);
}

static void spec_pack_q16(ck_run *t, const hlmi_kernels *ref)
{
    if (!ck_begin(t, "spec pack q16")) return;
    const float *x = ck_floats(t, 4096, 5.0f);
    hlmi_act_q16 *a = ck_bytes(t, 128 * sizeof *a);
    ref->pack[HLMI_ACT_Q16](a, 0, x, 0, 1, 4096);
    for (size_t k = 0; k < 4096; k++) {
        const double d = (double)a[k / 32].d, off = fabs(act_value(HLMI_ACT_Q16, a, k) - (double)x[k]);
        ck_check(t, off <= d * (0.5 + 1e-2), "element %zu is off by %g of a step %g", k, off, d);
    }
    ck_end(t);
}

static void spec_pack_q8k(ck_run *t, const hlmi_kernels *ref)
{
    if (!ck_begin(t, "spec pack q8k")) return;
    const float *x = ck_floats(t, 4096, 5.0f);
    hlmi_act_q8k *a = ck_bytes(t, 16 * sizeof *a);
    ref->pack[HLMI_ACT_Q8K](a, 0, x, 0, 1, 4096);
    for (size_t b = 0; b < 16; b++) {
        int sum[16] = {0};
        for (size_t k = 0; k < 256; k++) {
            const double d = (double)a[b].d, off = fabs(d * a[b].q[k] - (double)x[b * 256 + k]);
            ck_check(t, off <= d * (0.5 + 1e-5), "element %zu is off by %g of a step %g", b * 256 + k, off, d);
            sum[k / 16] += a[b].q[k];
        }
        for (size_t s = 0; s < 16; s++) {
            ck_check(t, a[b].sum16[s] == sum[s], "sum of 16 number %zu of block %zu", s, b);
            ck_check(t, a[b].sum32[s / 2] == sum[s / 2 * 2] + sum[s / 2 * 2 + 1], "sum of 32 number %zu of block %zu",
                     s / 2, b);
        }
    }
    ck_end(t);
}

/* Both rows together miss x by half a step of the second, whose step is at most 1 / 250 of the first's. */
static void spec_pack_wide(ck_run *t, const hlmi_kernels *ref, hlmi_act act)
{
    if (!ck_begin(t, "spec pack wide %s", act_names[act])) return;
    const size_t cols = 4096, stride = hlmi_act_stride(act, cols), unit = act == HLMI_ACT_Q8 ? 32 : 256;
    const float *x = ck_floats(t, cols, 5.0f);
    char *rows = ck_bytes(t, 2 * stride), *plain = ck_bytes(t, stride);
    ref->pack[act](plain, stride, x, cols, 1, cols);
    ref->pack_wide[act](rows, stride, x, cols, 1, cols);
    for (size_t k = 0; k < cols; k++) {
        const double first = act_value(act, rows, k), both = first + act_value(act, rows + stride, k);
        double most = 0;
        for (size_t i = k / unit * unit; i < (k / unit + 1) * unit; i++) most = fmax(most, fabs((double)x[i]));
        const double off = fabs(both - (double)x[k]);
        ck_check(t, first == act_value(act, plain, k), "element %zu of the first row is not pack's", k);
        ck_check(t, off <= most / (127.0 * 250.0 * 2.0), "element %zu is off by %g of %g", k, off, most);
    }
    ck_end(t);
}

static void spec(ck_run *t, const hlmi_kernels *ref)
{
    for (size_t l = 0; l < HLMI_LAYOUT_COUNT; l++) {
        const layout_form *f = &layout_forms[l];
        static const size_t any[] = {1, 2, 37, 96, 512}, blocks[] = {32, 288}, super[] = {256, 768};
        const size_t *cols = f->unit_k == 256 ? super : f->unit_k == 32 ? blocks : any;
        for (size_t i = 0; i < (f->unit_k < 32 ? 5u : 2u); i++) {
            const gemm_size size = {.cols = cols[i], .tokens = 3, .groups = 2};
            spec_product(t, ref, f, false, size);
            spec_product(t, ref, f, true, size);
        }
    }
    spec_pack_q8(t, ref);
    spec_pack_q16(t, ref);
    spec_pack_q8k(t, ref);
    spec_pack_wide(t, ref, HLMI_ACT_Q8);
    spec_pack_wide(t, ref, HLMI_ACT_Q8K);
}

/* ---- check: an ISA against the reference ---- */

static void check_product(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const layout_form *f, bool f32,
                          weights_kind kind, gemm_size size)
{
    hlmi_gemm_fn *want = (f32 ? ref->gemm_f32 : ref->gemm)[f->layout], *got = (f32 ? k->gemm_f32 : k->gemm)[f->layout];
    const hlmi_act act = f32 ? HLMI_ACT_F32 : ref->act[f->layout];
    if (want == got) return;
    if (!ck_begin(t, "gemm %s x %s kind %d cols %zu tokens %zu groups %zu", f->name, act_names[act], (int)kind,
                  size.cols, size.tokens, size.groups))
        return;
    ck_check(t, k->act[f->layout] == ref->act[f->layout], "another form of activations");
    gemm_case c = gemm_case_make(t, ref, f, act, kind, size);
    const float *expected = c.g.y;
    want(&c.g);
    c.g.y = ck_out(t, size.tokens * c.g.ldy);
    got(&c.g);
    ck_same_floats(t, "y", c.g.y, expected, size.tokens * c.g.ldy);
    ck_end(t);
}

static void check_layout(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, const layout_form *f, bool f32)
{
    static const size_t any[] = {1, 2, 3, 31, 32, 33, 64, 101, 259, 640};
    static const size_t blocks[] = {1, 2, 3, 7, 8, 9, 16, 18, 33, 48};
    for (size_t i = 0; i < 10; i += COLS_STEP) {
        const size_t cols = f->unit_k < 32 ? any[i] : f->unit_k == 32 ? blocks[i] * 32 : (i % 5 + 1) * 256;
        for (size_t tokens = 1; tokens <= 20; tokens++) {
            const gemm_size size = {.cols = cols, .tokens = tokens, .groups = 1 + (tokens + i) % 3};
            check_product(t, ref, k, f, f32, (weights_kind)((tokens + i) % WEIGHTS_KINDS), size);
        }
    }
    static const gemm_size large[] = {{256, 37, 4}, {1536, 64, 3}, {768, 203, 2}, {1536, 330, 1}};
    for (size_t i = 0; i < (f32 ? 2u : 4u); i++) check_product(t, ref, k, f, f32, WEIGHTS_RANDOM, large[i]);
}

/* Activations that make quantising hard: zeros, faults, values at the ends of f32's range, ties. */
static void spoil(ck_run *t, float *x, size_t n)
{
    static const float odd[] = {0.0f,  -0.0f,  0x1p-149f, 0x1p-126f, 0x1p-121f, 0x1.fcp-120f,
                                3e38f, -3e38f, 127.0f,    0.5f,      -1.5f};
    for (size_t b = 0; b + 32 <= n; b += 32) {
        const uint32_t how = ck_below(t, 6);
        for (size_t k = b; k < b + 32; k++) {
            if (how == 0) x[k] = 0;
            if (how == 1) x[k] = odd[ck_below(t, 11)];
            if (how == 2) x[k] *= 0x1p-124f;
            if (how == 3) x[k] = (float)(int)ck_below(t, 255) * 0.5f - 63.5f + (k == b ? 127.0f : 0.0f);
        }
        if (how == 4 && ck_below(t, 8) == 0) x[b + ck_below(t, 32)] = hlmi_f32_from_bits(0x7F800000u | ck_below(t, 2));
        if (how == 4 && ck_below(t, 8) == 0) x[b + ck_below(t, 32)] = hlmi_f32_from_bits(0xFF800000u | ck_below(t, 2));
    }
}

static void check_pack(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k, hlmi_act act, bool wide)
{
    hlmi_pack_fn *expected = (wide ? ref->pack_wide : ref->pack)[act], *fn = (wide ? k->pack_wide : k->pack)[act];
    if (expected == fn) return;
    for (size_t i = 1; i <= 40; i++) {
        const size_t cols = act == HLMI_ACT_BF16 ? i * 3 + i / 20 * 100
            : act != HLMI_ACT_Q8K                ? i * 32
                                                 : i * 256,
                     n = 1 + i % 5;
        if (!ck_begin(t, "pack%s %s cols %zu", wide ? " wide" : "", act_names[act], cols)) continue;
        const size_t ldx = cols + i % 7, stride = hlmi_act_stride(act, cols), rows = wide ? 2 * n : n;
        float *x = ck_floats(t, n * ldx, 10.0f);
        if (i > 4) spoil(t, x, n * ldx);
        void *want = ck_bytes(t, rows * stride), *got = ck_bytes(t, rows * stride);
        expected(want, stride, x, ldx, n, cols);
        fn(got, stride, x, ldx, n, cols);
        ck_same_bytes(t, "packed rows", got, want, rows * stride);
        ck_end(t);
    }
}

static void check(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k)
{
    for (hlmi_act act = HLMI_ACT_BF16; act < HLMI_ACT_COUNT; act++) {
        check_pack(t, ref, k, act, false);
        check_pack(t, ref, k, act, true);
    }
    for (size_t l = 0; l < HLMI_LAYOUT_COUNT; l++) {
        check_layout(t, ref, k, &layout_forms[l], false);
        check_layout(t, ref, k, &layout_forms[l], true);
    }
}

const ck_suite ck_gemm_suite = {"gemm", spec, check, gemm_bench};
