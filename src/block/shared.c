/* Shared Transformer blocks before Mamba-2, as in Zamba2. */
#include "block/halves.h"

/* Rows and what they are normed with on the way into matrices. */
typedef struct input {
    hlmi_rows x;
    const hlmi_norm *norm;
} input;

/* y = y + B A norm(x) */
static void add_low_rank(hlmi_builder *b, const input *in, const hlmi_low_rank *l, hlmi_rows y)
{
    if (!l->a) return;
    const size_t mark = hlmi_scratch_mark(b);
    const hlmi_rows low = hlmi_scratch_rows(b, b->max_rows, l->a->rows);
    b->ops->linear(b, &(hlmi_linear){.x = in->x, .norm = in->norm, .n = 1, .w = {l->a}, .y = {low}});
    b->ops->linear(b, &(hlmi_linear){.x = low, .n = 1, .w = {l->b}, .epilogue = HLMI_EP_ADD, .y = {y}});
    hlmi_scratch_release(b, mark);
}

static void copy(hlmi_builder *b, hlmi_rows y)
{
    b->ops->combine(b, &(hlmi_combine){.kind = HLMI_COMBINE_COPY, .cols = b->plan->hidden_size, .a = b->x, .y = y});
}

/* a = the attention's output */
static void attend(hlmi_builder *b, const hlmi_shared_params *p, hlmi_rows a)
{
    const size_t nq = p->attn.q->rows, nk = p->attn.k->rows, nv = p->attn.v->rows;
    const input in = {b->pair, &p->attn.norm};
    const hlmi_rows q = hlmi_scratch_rows(b, b->max_rows, nq + nk + nv), k = hlmi_rows_from(q, nq),
                    v = hlmi_rows_from(k, nk);
    copy(b, b->pair);
    b->ops->linear(b,
                   &(hlmi_linear){.x = in.x,
                                  .norm = in.norm,
                                  .n = 3,
                                  .w = {p->attn.q, p->attn.k, p->attn.v},
                                  .wide = {false, false, true},
                                  .y = {q, k, v}});
    add_low_rank(b, &in, &p->q, q);
    add_low_rank(b, &in, &p->k, k);
    add_low_rank(b, &in, &p->v, v);
    const hlmi_half h = hlmi_attn_of(b, &p->attn, q);
    hlmi_half_project(b, &h, HLMI_EP_STORE, a);
}

/* t = the feed-forward of a */
static void feed_forward(hlmi_builder *b, const hlmi_shared_params *p, hlmi_rows a, hlmi_rows t)
{
    const size_t n = p->gate_up->rows / 2;
    const input in = {a, &p->ff_norm};
    const hlmi_rows gate = hlmi_scratch_rows(b, b->max_rows, 2 * n), up = hlmi_rows_from(gate, n);
    b->ops->linear(
        b, &(hlmi_linear){.x = a, .norm = in.norm, .n = 1, .w = {p->gate_up}, .bias = {p->gate_up_bias}, .y = {gate}});
    add_low_rank(b, &in, &p->ff, gate);
    b->ops->combine(b, &(hlmi_combine){.kind = HLMI_COMBINE_GELU_ERF, .cols = n, .a = up, .b = gate, .y = up});
    const hlmi_half h = {.rows = up, .w = p->down, .bias = p->down_bias, .wide = true};
    hlmi_half_project(b, &h, HLMI_EP_STORE, t);
}

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_shared_params *p = params;
    const size_t n = b->plan->hidden_size;
    if (b->taps) b->ops->tap(b, p->attn.layer, NULL);
    const hlmi_rows a = hlmi_scratch_rows(b, b->max_rows, n), t = hlmi_scratch_rows(b, b->max_rows, n);
    attend(b, p, a);
    feed_forward(b, p, a, t);
    copy(b, a); /* from here on a is the input of Mamba-2 */
    const hlmi_half h = {.rows = t, .w = p->linear};
    hlmi_half_project(b, &h, HLMI_EP_ADD, a);
    const hlmi_half ssm = hlmi_mamba2_in(b, &p->ssm, a);
    hlmi_half_add(b, &ssm);
}

static void replay(hlmi_builder *b, const void *params)
{
    const hlmi_shared_params *p = params;
    hlmi_mamba2_replay(b, &p->ssm);
}

const hlmi_block_type hlmi_block_shared = {.record = record, .replay = replay};
