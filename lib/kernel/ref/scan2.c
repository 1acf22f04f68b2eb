/* Mamba-2's scan of one head in plain C. */
#include "base/expf.h"
#include "base/fma.h"
#include "base/softplusf.h"
#include "kernel/ref/halves.h"
#include "kernel/ref/ref.h"

/* v within [lo, hi]; NaN stays */
static float clamp(float v, float lo, float hi)
{
    v = lo > v ? lo : v;
    return hi < v ? hi : v;
}

static void scan2(const hlmi_scan2_run *r)
{
    const float *in = r->in;
    for (size_t t = 0; t < r->tokens; t++, in = r->out) {
        const float *x = r->x + t * r->ldx, *b = r->b + t * r->ldbc, *c = r->c + t * r->ldbc;
        const float dt = clamp(hlmi_softplusf(r->dt[t * r->lddt] + r->dt_bias), r->dt_min, r->dt_max);
        const float decay = hlmi_expf_inline(dt * r->a);
        for (size_t p = 0; p < r->cols; p++) {
            float y = r->d * x[p];
            for (size_t n = 0; n < r->rows; n++) {
                const float s = hlmi_fmaf(decay, in[n * r->cols + p], dt * b[n] * x[p]);
                r->out[n * r->cols + p] = hlmi_ref_round(r->type, s);
                y = hlmi_fmaf(s, c[n], y);
            }
            r->y[t * r->ldy + p] = y;
        }
    }
}

void hlmi_ref_scan2(hlmi_kernels *k)
{
    k->scan2 = scan2;
}
