/* Gated delta nets (Yang et al. 2024), as in Qwen3-Next. */
#include "block/halves.h"

/* Convolution and delta rule over rows of [q | k | v | a | b], into y [value heads * value size]. */
static void recur(hlmi_builder *b, const hlmi_delta_params *p, const float *rows, size_t ld, float *y, size_t ldy)
{
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t keys = p->key_heads * r->rows, ldc = hlmi_ld(r->channels);
    float *x = hlmi_scratch_rows(b, b->max_rows, r->channels);
    b->ops->conv(
        b, &(hlmi_conv){.rec = p->rec, .weight = p->taps, .silu = true, .x = rows, .ldx = ld, .y = x, .ldy = ldc});
    b->ops->delta(b,
                  &(hlmi_delta){.rec = p->rec,
                                .key_heads = p->key_heads,
                                .a = p->decay,
                                .dt_bias = p->dt_bias,
                                .q_norm = &p->q_norm,
                                .k_norm = &p->k_norm,
                                .q = x,
                                .k = x + keys,
                                .v = x + 2 * keys,
                                .xa = rows + r->channels,
                                .xb = rows + r->channels + r->heads,
                                .ldqkv = ldc,
                                .ldab = ld,
                                .y = y,
                                .ldy = ldy});
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_delta_params *p = params;
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t keys = p->key_heads * r->rows, values = r->heads * r->cols, width = r->channels + r->extra + values;
    const size_t ld = hlmi_ld(width), ldy = hlmi_ld(values);
    if (b->taps) b->ops->tap(b, p->layer, NULL);
    float *rows = hlmi_scratch_rows(b, b->max_rows, width), *y = hlmi_scratch_rows(b, b->max_rows, values);
    float *z = rows + r->channels + r->extra;
    b->ops->linear(b,
                   &(hlmi_linear){.x = b->x,
                                  .ldx = b->ldx,
                                  .norm = &p->norm,
                                  .n = 4,
                                  .w = {p->q, p->k, p->v, p->z},
                                  .y = {rows, rows + keys, rows + 2 * keys, z},
                                  .ldy = ld});
    b->ops->linear(b,
                   &(hlmi_linear){.x = b->x,
                                  .ldx = b->ldx,
                                  .norm = &p->norm,
                                  .n = 2,
                                  .w = {p->a, p->b},
                                  .exact = true,
                                  .y = {rows + r->channels, rows + r->channels + r->heads},
                                  .ldy = ld});
    b->ops->log_write(b, p->rec, rows, ld);
    recur(b, p, rows, ld, y, ldy);
    b->ops->norm_rows(b,
                      &(hlmi_norm_rows){.norm = &p->head_norm,
                                        .groups = r->heads,
                                        .kind = HLMI_GATE_SILU_AFTER,
                                        .x = y,
                                        .g = z,
                                        .ldx = ldy,
                                        .ldg = ld,
                                        .y = y,
                                        .ldy = ldy});
    hlmi_half_add(b, &(hlmi_half){.rows = y, .ld = ldy, .w = p->out});
}

static void replay(hlmi_builder *b, const void *params)
{
    const hlmi_delta_params *p = params;
    const hlmi_recurrence *r = &b->plan->rec[p->rec];
    const size_t ld = hlmi_ld(r->channels + r->extra), values = r->heads * r->cols;
    float *rows = hlmi_scratch_rows(b, b->max_rows, r->channels + r->extra);
    float *y = hlmi_scratch_rows(b, b->max_rows, values);
    b->ops->log_read(b, p->rec, rows, ld);
    recur(b, p, rows, ld, y, hlmi_ld(values));
}

const hlmi_block_type hlmi_block_delta = {.record = record, .replay = replay};
