/* What several blocks emit alike. */
#include "block/halves.h"

void hlmi_project(hlmi_builder *b, hlmi_rows x, const hlmi_norm *norm, hlmi_linear l, hlmi_rows y)
{
    l.x = x;
    l.norm = norm;
    for (; l.n < HLMI_LINEAR_MAX && l.w[l.n].w; l.n++) {
        if (l.y[l.n].at) y = l.y[l.n];
        l.y[l.n] = y;
        if (y.at) y = hlmi_rows_from(y, hlmi_width(l.w[l.n]));
    }
    b->ops->linear(b, &l);
}

void hlmi_half_project(hlmi_builder *b, hlmi_half h, hlmi_epilogue epilogue, hlmi_rows y)
{
    hlmi_project(b, h.rows, NULL, (hlmi_linear){.w = {h.w}, .wide = {h.wide}, .epilogue = epilogue}, y);
}

void hlmi_half_add(hlmi_builder *b, hlmi_half h)
{
    hlmi_half_project(b, h, HLMI_EP_ADD, b->x);
}

void hlmi_combine_with(hlmi_builder *b, hlmi_combine_kind kind, size_t cols, hlmi_rows y, hlmi_rows z)
{
    b->ops->combine(b, &(hlmi_combine){.kind = kind, .cols = cols, .a = y, .b = z, .y = y});
}

hlmi_rows hlmi_convolve(hlmi_builder *b, size_t rec, const float *taps, const float *bias, bool silu, hlmi_rows x)
{
    const hlmi_rows y = hlmi_scratch_rows(b, b->max_rows, b->plan->rec[rec].channels);
    b->ops->conv(b, &(hlmi_conv){.rec = rec, .weight = taps, .bias = bias, .silu = silu, .x = x, .y = y});
    return y;
}

hlmi_rows hlmi_logged(hlmi_builder *b, size_t rec)
{
    const hlmi_recurrence *r = &b->plan->rec[rec];
    const hlmi_rows rows = hlmi_scratch_rows(b, b->max_rows, r->channels + r->extra);
    b->ops->log_read(b, rec, rows);
    return rows;
}

hlmi_epilogue hlmi_activation(hlmi_mlp_kind kind)
{
    switch (kind) {
    case HLMI_MLP_SILU_GATED: return HLMI_EP_SILU_MUL;
    case HLMI_MLP_GELU: return HLMI_EP_GELU;
    case HLMI_MLP_RELU2: break;
    }
    return HLMI_EP_RELU2;
}
