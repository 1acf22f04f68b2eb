/* Template: a causal depthwise convolution over time, over the vectors of an ISA's simd.h, which the including file has
 * included before. Channels are outermost: the window of a vector of channels stays in registers over all tokens. Step
 * for step ref/conv.c. */
#ifndef HLMI_KERNEL_TMPL_CONV_H
#define HLMI_KERNEL_TMPL_CONV_H

#include "kernel/tmpl/exp.h"
#include "kernel/tmpl/halves.h"
#include "kernel/tmpl/part.h"
#include "kernel/walk.h"

enum { CONV_REGISTERS = 4 }; /* longest window that is held in registers */

HLMI_INLINE vf conv_result(const hlmi_conv_run *r, vf y)
{
    return r->silu ? vf_div(y, vf_add(vf_set1(1.0f), vf_exp(vf_neg(y)))) : y;
}

/* n channels from c on, n at most VF, through a window of a constant length. */
HLMI_INLINE void conv_short(const hlmi_conv_run *r, hlmi_state_type type, size_t window, size_t c, size_t n)
{
    const vf bias = r->bias ? vf_load_some(r->bias + c, n) : vf_set1(0.0f);
    vf w[CONV_REGISTERS], h[CONV_REGISTERS];
    for (size_t j = 0; j < window; j++) w[j] = vf_load_some(r->weight + j * r->ld + c, n);
    for (size_t j = 0; j < window; j++) h[j] = vf_load_some(r->in + j * r->ld + c, n);
    const float *x = r->x + c;
    float *y = r->y + c;
    for (size_t t = 0; t < r->tokens; t++, x += r->ldx, y += r->ldy) {
        vf sum = bias;
        for (size_t j = 0; j + 1 < window; j++) {
            h[j] = j + 2 == window ? vf_round_to(type, h[j + 1]) : h[j + 1]; /* the others are rounded */
            sum = vf_fma(w[j], h[j], sum);
        }
        h[window - 1] = vf_load_some(x, n);
        sum = vf_fma(w[window - 1], h[window - 1], sum);
        vf_store_some(y, conv_result(r, sum), n);
    }
    for (size_t j = 0; j < window; j++) vf_store_some(r->out + j * r->ld + c, vf_round_to(type, h[j]), n);
}

/* Input t of n channels from c on, as it is kept; negative ones are in the state. */
static inline vf conv_input(const hlmi_conv_run *r, ptrdiff_t t, size_t c, size_t n)
{
    if (t >= 0) return vf_round_to(r->type, vf_load_part(r->x + (size_t)t * r->ldx + c, n));
    return vf_load_part(r->in + (size_t)((ptrdiff_t)r->window + t) * r->ld + c, n);
}

static void conv_long(const hlmi_conv_run *r, size_t c, size_t n)
{
    const ptrdiff_t tokens = (ptrdiff_t)r->tokens, window = (ptrdiff_t)r->window;
    for (ptrdiff_t t = 0; t < tokens; t++) {
        vf sum = r->bias ? vf_load_part(r->bias + c, n) : vf_set1(0.0f);
        for (ptrdiff_t j = 0; j < window; j++) {
            const vf w = vf_load_part(r->weight + (size_t)j * r->ld + c, n);
            const bool own = j + 1 == window;
            sum = vf_fma(
                w, own ? vf_load_part(r->x + (size_t)t * r->ldx + c, n) : conv_input(r, t - window + 1 + j, c, n), sum);
        }
        vf_store_part(r->y + (size_t)t * r->ldy + c, conv_result(r, sum), n);
    }
    for (ptrdiff_t j = 0; j < window; j++)
        vf_store_part(r->out + (size_t)j * r->ld + c, conv_input(r, tokens - window + j, c, n), n);
}

static void conv_lanes(const hlmi_conv_run *r, size_t c, size_t n)
{
    const hlmi_state_type f32 = HLMI_STATE_F32;
    const bool whole = n == VF;
    if (r->type != f32 && r->window == 4) conv_short(r, r->type, 4, c, n);
    else if (r->window == 4 && whole) conv_short(r, f32, 4, c, VF);
    else if (r->window == 4) conv_short(r, f32, 4, c, n);
    else if (r->type != f32) conv_long(r, c, n);
    else if (r->window == 3 && whole) conv_short(r, f32, 3, c, VF);
    else if (r->window == 2 && whole) conv_short(r, f32, 2, c, VF);
    else conv_long(r, c, n);
}

static void conv(const hlmi_conv_run *r)
{
    for (size_t c = 0; c < r->channels; c += VF) conv_lanes(r, c, r->channels - c < VF ? r->channels - c : VF);
}

#endif
