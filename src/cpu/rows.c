/* Ops that move rows: embeddings in, out rows and hidden states out. */
#include <string.h>

#include "base/size.h"
#include "cpu/cpu.h"

typedef struct gather_arg {
    const hlmi_matrix *table;
    hlmi_rows x;
    float scale;
    const hlmi_kernels *k;
} gather_arg;

static void gather_row(float *y, const hlmi_matrix *m, size_t row)
{
    if (m->layout == HLMI_LAYOUT_NONE) {
        uint64_t bytes = 0;
        hlmi_type_row_bytes(m->type, m->cols, &bytes);
        hlmi_type_get(m->type)->dequantise(y, m->raw + row * bytes, m->cols);
        return;
    }
    const hlmi_layout_info *l = hlmi_layout_get(m->layout);
    const size_t group = hlmi_layout_group_bytes(m->layout, m->cols);
    l->read_row(y, 1, (const char *)m->packed + row / l->rows * group, row % l->rows, 0, m->cols);
}

static void gather_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const gather_arg *a = arg;
    const hlmi_tile *t = step;
    const hlmi_range r = hlmi_share(t->n_rows, worker, workers);
    for (size_t i = r.begin; i < r.end; i++) {
        float *x = hlmi_rows_at(a->x, i);
        if (t->tokens[i] == HLM_TOKEN_NONE) {
            memcpy(x, t->embed[i], a->table->cols * sizeof *x);
            continue;
        }
        gather_row(x, a->table, (size_t)t->tokens[i]);
        if (a->scale != 1.0f) a->k->scale(x, x, a->scale, a->table->cols);
    }
}

void hlmi_cpu_gather(hlmi_builder *b, const hlmi_matrix *table, float scale)
{
    const gather_arg a = {.table = table, .x = b->x, .scale = scale, .k = b->kernels};
    hlmi_emit(b, gather_run, &a, sizeof a, 0, 0);
}

typedef struct pick_arg {
    hlmi_rows x, y;
    size_t cols;
    const hlmi_state_layout *states;
} pick_arg;

static void pick_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const pick_arg *a = arg;
    const hlmi_tile *t = step;
    const hlmi_range r = hlmi_share(t->n_out, worker, workers);
    for (size_t i = r.begin; i < r.end; i++)
        memcpy(hlmi_rows_at(a->y, i), hlmi_rows_at(a->x, t->out_row[i]), a->cols * sizeof(float));
    const hlmi_range spans = hlmi_share(t->n_spans, worker, workers);
    for (size_t i = spans.begin; i < spans.end; i++) {
        const hlmi_span *s = &t->spans[i];
        if (s->out)
            memcpy(hlmi_state_hidden(s->out, a->states), hlmi_rows_at(a->x, s->row + s->n - 1),
                   a->cols * sizeof(float));
    }
}

static void kept_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const pick_arg *a = arg;
    const hlmi_tile *t = step;
    const hlmi_range r = hlmi_share(t->n_out, worker, workers);
    for (size_t i = r.begin; i < r.end; i++)
        memcpy(hlmi_rows_at(a->y, i), hlmi_state_hidden(t->spans[i].in, a->states), a->cols * sizeof(float));
}

static void emit_pick(hlmi_builder *b, hlmi_region_fn *run, hlmi_rows y)
{
    const pick_arg a = {.x = b->x, .y = y, .cols = b->plan->hidden_size, .states = b->states};
    hlmi_emit(b, run, &a, sizeof a, 0, 0);
}

void hlmi_cpu_pick_rows(hlmi_builder *b, hlmi_rows y)
{
    emit_pick(b, pick_run, y);
}

void hlmi_cpu_kept_rows(hlmi_builder *b, hlmi_rows y)
{
    emit_pick(b, kept_run, y);
}

typedef struct tap_arg {
    int32_t layer, kind;
    hlmi_rows x;
    size_t cols;
    const hlmi_norm *norm;
    const hlmi_kernels *k;
} tap_arg;

static void tap_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const tap_arg *a = arg;
    const hlmi_tile *t = step;
    for (size_t i = 0; i < t->n_taps; i++) {
        const hlmi_tap *tap = &t->taps[i];
        if (tap->layer != a->layer || tap->kind != a->kind) continue;
        const hlmi_range r = hlmi_share(tap->n, worker, workers);
        for (size_t row = r.begin; row < r.end; row++) {
            const float *x = hlmi_rows_at(a->x, tap->row + row);
            float *y = tap->out + row * a->cols;
            if (a->norm) hlmi_cpu_norm(a->k, a->norm, y, x);
            else memcpy(y, x, a->cols * sizeof *y);
        }
    }
}

void hlmi_cpu_tap(hlmi_builder *b, int32_t layer, const hlmi_norm *norm)
{
    const tap_arg a = {.layer = layer,
                       .kind = HLM_HIDDEN_STREAM,
                       .x = b->x,
                       .cols = b->plan->hidden_size,
                       .norm = norm,
                       .k = b->kernels};
    hlmi_emit(b, tap_run, &a, sizeof a, 0, 0);
}

void hlmi_cpu_tap_branch(hlmi_builder *b, const hlmi_branch *o)
{
    const tap_arg a = {.layer = o->layer, .kind = o->kind, .x = o->rows, .cols = o->cols};
    hlmi_emit(b, tap_run, &a, sizeof a, 0, 0);
}
