/* Shared Transformer blocks before Mamba-2, as in Zamba2. */
#include "block/halves.h"

/* Rows and what they are normed with on the way into matrices. */
typedef struct input {
    const float *x;
    size_t ld;
    const hlmi_norm *norm;
} input;

/* y = y + B A norm(x) */
static void add_low_rank(hlmi_builder *b, const input *in, const hlmi_low_rank *l, float *y, size_t ldy)
{
    if (!l->a) return;
    const size_t mark = hlmi_scratch_mark(b), ld = hlmi_ld(l->a->rows);
    float *low = hlmi_scratch_rows(b, b->max_rows, l->a->rows);
    b->ops->linear(
        b, &(hlmi_linear){.x = in->x, .ldx = in->ld, .norm = in->norm, .n = 1, .w = {l->a}, .y = {low}, .ldy = ld});
    b->ops->linear(
        b, &(hlmi_linear){.x = low, .ldx = ld, .n = 1, .w = {l->b}, .epilogue = HLMI_EP_ADD, .y = {y}, .ldy = ldy});
    hlmi_scratch_release(b, mark);
}

static void copy(hlmi_builder *b, float *y, size_t ldy)
{
    b->ops->combine(
        b,
        &(hlmi_combine){
            .kind = HLMI_COMBINE_COPY, .cols = b->plan->hidden_size, .a = b->x, .lda = b->ldx, .y = y, .ldy = ldy});
}

/* a = the attention's output */
static void attend(hlmi_builder *b, const hlmi_shared_params *p, float *a, size_t lda)
{
    const size_t nq = p->attn.q->rows, nk = p->attn.k->rows, width = nq + nk + p->attn.v->rows, ld = hlmi_ld(width);
    const input in = {b->pair, b->ldpair, &p->attn.norm};
    float *q = hlmi_scratch_rows(b, b->max_rows, width), *k = q + nq, *v = k + nk;
    copy(b, b->pair, b->ldpair);
    b->ops->linear(b,
                   &(hlmi_linear){.x = in.x,
                                  .ldx = in.ld,
                                  .norm = in.norm,
                                  .n = 3,
                                  .w = {p->attn.q, p->attn.k, p->attn.v},
                                  .wide = {false, false, true},
                                  .y = {q, k, v},
                                  .ldy = ld});
    add_low_rank(b, &in, &p->q, q, ld);
    add_low_rank(b, &in, &p->k, k, ld);
    add_low_rank(b, &in, &p->v, v, ld);
    const hlmi_half h = hlmi_attn_of(b, &p->attn, q, ld);
    hlmi_half_project(b, &h, HLMI_EP_STORE, a, lda);
}

/* t = the feed-forward of a */
static void feed_forward(hlmi_builder *b, const hlmi_shared_params *p, const float *a, size_t lda, float *t, size_t ldt)
{
    const size_t n = p->gate_up->rows / 2, ld = hlmi_ld(2 * n);
    const input in = {a, lda, &p->ff_norm};
    float *gate = hlmi_scratch_rows(b, b->max_rows, 2 * n), *up = gate + n;
    b->ops->linear(b,
                   &(hlmi_linear){.x = a,
                                  .ldx = lda,
                                  .norm = in.norm,
                                  .n = 1,
                                  .w = {p->gate_up},
                                  .bias = {p->gate_up_bias},
                                  .y = {gate},
                                  .ldy = ld});
    add_low_rank(b, &in, &p->ff, gate, ld);
    b->ops->combine(
        b,
        &(hlmi_combine){
            .kind = HLMI_COMBINE_GELU_ERF, .cols = n, .a = up, .lda = ld, .b = gate, .ldb = ld, .y = up, .ldy = ld});
    const hlmi_half h = {.rows = up, .ld = ld, .w = p->down, .bias = p->down_bias, .wide = true};
    hlmi_half_project(b, &h, HLMI_EP_STORE, t, ldt);
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_shared_params *p = params;
    const size_t n = b->plan->hidden_size, ld = b->ldx;
    if (b->taps) b->ops->tap(b, p->attn.layer, NULL);
    float *a = hlmi_scratch_rows(b, b->max_rows, n), *t = hlmi_scratch_rows(b, b->max_rows, n);
    attend(b, p, a, ld);
    feed_forward(b, p, a, ld, t, ld);
    copy(b, a, ld); /* from here on a is the input of Mamba-2 */
    const hlmi_half h = {.rows = t, .ld = ld, .w = p->linear};
    hlmi_half_project(b, &h, HLMI_EP_ADD, a, ld);
    const hlmi_half ssm = hlmi_mamba2_in(b, &p->ssm, a, ld);
    hlmi_half_add(b, &ssm);
}

static void replay(hlmi_builder *b, const void *params)
{
    const hlmi_shared_params *p = params;
    hlmi_mamba2_replay(b, &p->ssm);
}

const hlmi_block_type hlmi_block_shared = {.record = record, .replay = replay};
