/* Rotary positions: tables of cos and sin for a tile, then turning q and k and writing k and v into their pages. Su et
 * al. 2021 (RoFormer), in the rotate-half form: pairs (i, i + half). Angles are the f32 product of position and
 * frequency, as the models were trained with. */
#include <string.h>

#include "base/math.h"
#include "base/size.h"
#include "cpu/cpu.h"

typedef struct table_arg {
    const hlmi_rope *rope;
    hlmi_rope_rows rows;
} table_arg;

/* Frequency i of a dynamic-NTK model for the text that ends at pos (transformers' _compute_dynamic_ntk_parameters with
 * seq_len = pos + 1). */
static float dynamic_freq(const hlmi_rope *r, double log_base, size_t i)
{
    return (float)hlmi_exp(-log_base * (double)i / (double)r->half);
}

static double dynamic_log_base(const hlmi_rope *r, int64_t pos)
{
    const double dim = 2.0 * (double)r->half;
    const double stretch = r->dynamic_factor * (double)(pos + 1) / (double)r->dynamic_from - (r->dynamic_factor - 1.0);
    return hlmi_log(r->theta) + hlmi_log(stretch) * dim / (dim - 2.0);
}

static void table_row(const hlmi_rope *r, int64_t pos, float *c, float *s)
{
    const bool dynamic = r->dynamic_from && pos >= r->dynamic_from;
    const double log_base = dynamic ? dynamic_log_base(r, pos) : 0.0;
    for (size_t i = 0; i < r->half; i++) {
        const float freq = dynamic ? dynamic_freq(r, log_base, i) : r->inv_freq[i];
        double sn, cs;
        hlmi_sincos((double)((float)pos * freq), &sn, &cs);
        c[i] = (float)cs * r->attention_factor;
        s[i] = (float)sn * r->attention_factor;
    }
}

static void table_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const table_arg *a = arg;
    const hlmi_tile *t = step;
    const hlmi_range r = hlmi_share(t->n_rows, worker, workers);
    for (size_t i = r.begin; i < r.end; i++)
        table_row(a->rope, t->pos[i], hlmi_rows_at(a->rows.cos, i), hlmi_rows_at(a->rows.sin, i));
}

void hlmi_cpu_rope_table(hlmi_builder *b, size_t i)
{
    const table_arg a = {.rope = &b->plan->ropes[i], .rows = b->ropes[i]};
    hlmi_emit(b, table_run, &a, sizeof a, 0, 0);
}

typedef struct append_arg {
    hlmi_attention a;
    hlmi_kv_layer kv;
    const hlmi_kernels *k;
    const hlmi_page_layout *pages;
    hlmi_rope_rows turn;
    size_t half; /* 0: positions do not turn q and k */
} append_arg;

static void turn(const append_arg *a, float *head, const hlmi_norm *norm, size_t row)
{
    if (norm) hlmi_cpu_norm(a->k, norm, head, head);
    if (a->half) a->k->rope(head, hlmi_rows_at(a->turn.cos, row), hlmi_rows_at(a->turn.sin, row), a->half);
}

/* One row, one KV head and the query heads that share it. */
static void append_one(const append_arg *a, const hlmi_tile *t, size_t row, size_t head)
{
    const hlmi_attention *o = &a->a;
    const size_t hd = a->kv.head_dim, group = o->n_heads / a->kv.n_kv_heads;
    float *q = hlmi_rows_at(o->q, row) + head * group * hd;
    for (size_t g = 0; g < group; g++) turn(a, q + g * hd, o->q_norm, row);
    if (!o->k.at) return; /* another layer's rows */
    if (!(t->keep[row] >> a->pages->kv[o->kv].track & 1))
        return; /* computed again, with the same bits: they are there */
    char *rows = hlmi_rows_of(t->spans[t->span_of[row]].pages, a->pages, o->kv, t->pos[row]);
    float *k = hlmi_rows_at(o->k, row) + head * hd;
    const float *v = hlmi_rows_at(o->v, row) + head * a->kv.v_dim;
    turn(a, k, o->k_norm, row);
    a->k->kv_write[a->pages->format](hlmi_page_k(rows, a->pages, o->kv, head), hlmi_page_v(rows, a->pages, o->kv, head),
                                     hlmi_page_k_scale(rows, a->pages, o->kv, head),
                                     hlmi_page_v_scale(rows, a->pages, o->kv, head), k, v, a->pages->stride,
                                     (size_t)t->pos[row] % a->pages->tokens, hd, a->kv.v_dim);
}

static void append_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const append_arg *a = arg;
    const hlmi_tile *t = step;
    const size_t heads = a->kv.n_kv_heads;
    const hlmi_range r = hlmi_share(t->n_rows * heads, worker, workers);
    for (size_t i = r.begin; i < r.end; i++) append_one(a, t, i / heads, i % heads);
}

void hlmi_cpu_rope_append(hlmi_builder *b, const hlmi_attention *o)
{
    append_arg a = {.a = *o, .kv = b->plan->kv[o->kv], .k = b->kernels, .pages = b->pages};
    if (o->rope != HLMI_NO_ROPE) {
        a.turn = b->ropes[o->rope];
        a.half = b->plan->ropes[o->rope].half;
    }
    hlmi_emit(b, append_run, &a, sizeof a, 0, 0);
}
