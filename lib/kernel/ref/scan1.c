/* Mamba-1's scan in plain C. */
#include "base/softplusf.h"
#include "kernel/ref/halves.h"
#include "kernel/ref/ref.h"

/* One channel of one token, whose state before it is `in`. */
static void update(const hlmi_scan1_run *r, const float *in, size_t t, size_t c)
{
    const float *b = r->b + t * r->ldbc, *out = r->c + t * r->ldbc;
    const float x = r->x[t * r->ldx + c];
    const float dt = hlmi_softplusf(r->dt[t * r->lddt + c] + (r->dt_bias ? r->dt_bias[c] : 0.0f)), dx = dt * x;
    float sum = 0.0f;
    for (size_t i = 0; i < r->rows; i++) {
        const size_t at = i * r->ld + c;
        const float s = hlmi_fmaf(hlmi_expf_inline(dt * r->a[at]), in[at], dx * b[i]);
        sum = hlmi_fmaf(s, out[i], sum);
        r->out[at] = hlmi_ref_round(r->type, s);
    }
    const float y = hlmi_fmaf(r->d[c], x, sum);
    const float z = r->z ? r->z[t * r->ldz + c] : 0.0f;
    r->y[t * r->ldy + c] = r->z ? z / (1.0f + hlmi_expf_inline(-z)) * y : y;
}

static void scan1(const hlmi_scan1_run *r)
{
    for (size_t t = 0; t < r->tokens; t++)
        for (size_t c = 0; c < r->channels; c++) update(r, t == 0 ? r->in : r->out, t, c);
}

void hlmi_ref_scan1(hlmi_kernels *k)
{
    k->scan1 = scan1;
}
