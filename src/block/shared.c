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
    hlmi_project(b, in->x, in->norm, (hlmi_linear){.w = {{.w = l->a}}}, low);
    hlmi_half_project(b, (hlmi_half){.rows = low, .w = {.w = l->b}}, HLMI_EP_ADD, y);
    hlmi_scratch_release(b, mark);
}

static void copy(hlmi_builder *b, hlmi_rows y)
{
    b->ops->combine(b, &(hlmi_combine){.kind = HLMI_COMBINE_COPY, .cols = b->plan->hidden_size, .a = b->x, .y = y});
}

/* a = the attention's output */
static void attend(hlmi_builder *b, const hlmi_shared_params *p, hlmi_rows a)
{
    const size_t nq = hlmi_width(p->attn.q), nk = hlmi_width(p->attn.k), nv = hlmi_width(p->attn.v);
    const input in = {b->pair, &p->attn.norm};
    const hlmi_rows q = hlmi_scratch_rows(b, b->max_rows, nq + nk + nv);
    const hlmi_rows k = hlmi_rows_from(q, nq), v = hlmi_rows_from(k, nk);
    const hlmi_linear qkv = {.w = {p->attn.q, p->attn.k, p->attn.v}, .wide = {false, false, true}};
    copy(b, b->pair);
    hlmi_project(b, in.x, in.norm, qkv, q);
    add_low_rank(b, &in, &p->q, q);
    add_low_rank(b, &in, &p->k, k);
    add_low_rank(b, &in, &p->v, v);
    hlmi_half_project(b, hlmi_attn_of(b, &p->attn, q), HLMI_EP_STORE, a);
}

/* t = the feed-forward of a */
static void feed_forward(hlmi_builder *b, const hlmi_shared_params *p, hlmi_rows a, hlmi_rows t)
{
    const size_t n = hlmi_width(p->gate_up) / 2;
    const input in = {a, &p->ff_norm};
    const hlmi_rows gate = hlmi_scratch_rows(b, b->max_rows, 2 * n), up = hlmi_rows_from(gate, n);
    hlmi_project(b, a, in.norm, (hlmi_linear){.w = {p->gate_up}}, gate);
    add_low_rank(b, &in, &p->ff, gate);
    hlmi_combine_with(b, HLMI_COMBINE_GELU_ERF, n, up, gate);
    hlmi_half_project(b, (hlmi_half){.rows = up, .w = p->down, .wide = true}, HLMI_EP_STORE, t);
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
    hlmi_half_project(b, (hlmi_half){.rows = t, .w = {.w = p->linear}}, HLMI_EP_ADD, a);
    hlmi_half_add(b, hlmi_mamba2_in(b, &p->ssm, a));
}

const hlmi_block_type hlmi_block_shared = {.record = record, .replay = hlmi_mamba2_replay};
