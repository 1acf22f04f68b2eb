/* The gated delta rule in plain C. */
#include <string.h>

#include "base/fma.h"
#include "kernel/ref/halves.h"
#include "kernel/ref/ref.h"

static void token(const hlmi_delta_run *r, size_t t, const float *from, size_t at, size_t lanes)
{
    const float *q = r->q + t * r->ldqk, *k = r->k + t * r->ldqk, *v = r->v + t * r->ldv + at;
    float d[HLMI_DELTA_LANES] = {0}, y[HLMI_DELTA_LANES] = {0};
    for (size_t n = 0; n < r->rows; n++)
        for (size_t p = 0; p < lanes; p++) d[p] = hlmi_fmaf(k[n], from[n * r->ld + p], d[p]);
    for (size_t p = 0; p < lanes; p++) d[p] = r->beta[t] * hlmi_fmaf(-r->g[t], d[p], v[p]);
    for (size_t n = 0; n < r->rows; n++) {
        float *s = r->out + n * r->ld + at;
        for (size_t p = 0; p < lanes; p++) {
            const float now = hlmi_fmaf(k[n], d[p], r->g[t] * from[n * r->ld + p]);
            y[p] = hlmi_fmaf(q[n], now, y[p]);
            s[p] = hlmi_ref_round(r->type, now);
        }
    }
    memcpy(r->y + t * r->ldy + at, y, lanes * sizeof *y);
}

static void delta(const hlmi_delta_run *r)
{
    for (size_t at = 0; at < r->lanes; at += HLMI_DELTA_LANES) {
        const size_t left = r->lanes - at, lanes = left < HLMI_DELTA_LANES ? left : HLMI_DELTA_LANES;
        for (size_t t = 0; t < r->tokens; t++) token(r, t, (t == 0 ? r->in : r->out) + at, at, lanes);
    }
}

void hlmi_ref_delta(hlmi_kernels *k)
{
    k->delta = delta;
}
