/* The benchmark of matrix products: decode (one token, weights from memory) and prefill (512 tokens), beside the peaks
 * of the same instructions on this machine. */
#include <stdio.h>
#include <string.h>

#include "gemm_case.h"
#include "peak.h"

typedef struct call {
    hlmi_gemm g;
    hlmi_gemm_fn *fn;
    size_t group_bytes, all_groups, at;
} call;

/* Successive calls walk through all of the weights, so that one token finds them in memory and not in a cache. */
static void run(void *arg)
{
    call *c = arg;
    if (c->at + c->g.groups > c->all_groups) c->at = 0;
    hlmi_gemm g = c->g;
    g.w = (const char *)c->g.w + c->at * c->group_bytes;
    c->fn(&g);
    c->at += c->g.groups;
}

static void bench(ck_run *t, const hlmi_kernels *k, const ck_peaks *p, const layout_form *f, bool f32, size_t cols,
                  size_t tokens)
{
    const hlmi_act act = f32 ? HLMI_ACT_F32 : k->act[f->layout];
    const double peak = act == HLMI_ACT_F32 ? p->f32 : act == HLMI_ACT_BF16 ? p->bf16 : p->int8;
    char name[64];
    snprintf(name, sizeof name, "%s%s k=%zu t=%zu", f32 ? "f32:" : "", f->name, cols, tokens);
    if (!ck_begin(t, "%s", name)) return;
    const size_t group_bytes = weights_group_bytes(f, cols), groups = 512 / f->rows;
    const size_t all = tokens == 1 ? ((size_t)96 << 20) / group_bytes : groups;
    const gemm_size size = {cols, tokens, all > groups ? all : groups};
    gemm_case c = gemm_case_make(t, k, f, act, WEIGHTS_RANDOM, size);
    call arg = {c.g, (f32 ? k->gemm_f32 : k->gemm)[f->layout], group_bytes, size.groups, 0};
    arg.g.groups = groups;
    const double seconds = ck_time(t, run, &arg);
    const double work = 2.0 * (double)(groups * f->rows * tokens) * (double)cols;
    ck_report(t, name, seconds, work, "GOP/s", peak, tokens == 1 ? (double)(group_bytes * groups) : 0);
    ck_end(t);
}

typedef struct pack_call {
    hlmi_pack_fn *fn;
    void *dst;
    const float *x;
    size_t stride, n, cols;
} pack_call;

static void run_pack(void *arg)
{
    const pack_call *c = arg;
    c->fn(c->dst, c->stride, c->x, c->cols, c->n, c->cols);
}

static void bench_pack(ck_run *t, hlmi_pack_fn *fn, hlmi_act act, const char *name)
{
    if (!ck_begin(t, "%s", name)) return;
    const size_t cols = 1536, n = 64, stride = hlmi_act_stride(act, cols);
    pack_call c = {fn, ck_bytes(t, 2 * n * stride), ck_floats(t, n * cols, 3.0f), stride, n, cols};
    ck_report(t, name, ck_time(t, run_pack, &c), (double)(n * cols), "Gelements/s", 0, 0);
    ck_end(t);
}

void gemm_bench(ck_run *t, const hlmi_kernels *k)
{
    static const size_t tokens[] = {1, 2, 4, 8, 16, 64, 512};
    const ck_peaks peaks = ck_peaks_measure(t, k);
    printf("%s: f32 %.0f, bf16 %.0f, int8 %.0f GOP/s, reading %.1f GB/s, all on one thread\n", k->name,
           peaks.f32 * 1e-9, peaks.bf16 * 1e-9, peaks.int8 * 1e-9, ck_read_bandwidth(t) * 1e-9);
    bench_pack(t, k->pack[HLMI_ACT_BF16], HLMI_ACT_BF16, "pack bf16");
    bench_pack(t, k->pack[HLMI_ACT_Q8], HLMI_ACT_Q8, "pack q8");
    bench_pack(t, k->pack_wide[HLMI_ACT_Q8], HLMI_ACT_Q8, "pack wide q8");
    bench_pack(t, k->pack[HLMI_ACT_Q16], HLMI_ACT_Q16, "pack q16");
    bench_pack(t, k->pack[HLMI_ACT_Q8K], HLMI_ACT_Q8K, "pack q8k");
    bench_pack(t, k->pack_wide[HLMI_ACT_Q8K], HLMI_ACT_Q8K, "pack wide q8k");
    for (size_t l = 0; l < HLMI_LAYOUT_COUNT; l++) {
        for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
            bench(t, k, &peaks, &layout_forms[l], false, layout_forms[l].unit_k == 256 ? 768 : 576, tokens[i]);
        }
        bench(t, k, &peaks, &layout_forms[l], false, 1536, 1);
        bench(t, k, &peaks, &layout_forms[l], false, 1536, 512);
        bench(t, k, &peaks, &layout_forms[l], true, 768, 1);
        bench(t, k, &peaks, &layout_forms[l], true, 768, 512);
    }
}
