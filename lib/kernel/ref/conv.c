/* A causal depthwise convolution over time in plain C. */
#include "base/expf.h"
#include "base/fma.h"
#include "kernel/ref/halves.h"
#include "kernel/ref/ref.h"

/* Input t of channel c as it is kept; the last `window` before the first token are in the state. */
static float input(const hlmi_conv_run *r, ptrdiff_t t, size_t c)
{
    if (t >= 0) return hlmi_ref_round(r->type, r->x[(size_t)t * r->ldx + c]);
    return r->in[((size_t)((ptrdiff_t)r->window + t)) * r->ld + c];
}

static void conv(const hlmi_conv_run *r)
{
    const ptrdiff_t tokens = (ptrdiff_t)r->tokens, window = (ptrdiff_t)r->window;
    for (size_t c = 0; c < r->channels; c++) {
        for (ptrdiff_t t = 0; t < tokens; t++) {
            float y = r->bias ? r->bias[c] : 0.0f;
            for (ptrdiff_t j = 0; j < window; j++) {
                const float x = j + 1 == window ? r->x[(size_t)t * r->ldx + c] : input(r, t - window + 1 + j, c);
                y = hlmi_fmaf(r->weight[(size_t)j * r->ld + c], x, y);
            }
            r->y[(size_t)t * r->ldy + c] = r->silu ? y / (1.0f + hlmi_expf_inline(-y)) : y;
        }
        /* upwards, because what moves down may lie in the same memory */
        for (ptrdiff_t j = 0; j < window; j++) r->out[(size_t)j * r->ld + c] = input(r, tokens - window + j, c);
    }
}

void hlmi_ref_conv(hlmi_kernels *k)
{
    k->conv = conv;
}
