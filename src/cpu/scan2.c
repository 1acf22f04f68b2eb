/* Mamba-2's scan: the work is heads of spans, one head after the other, so that a worker has whole heads of nearly all
 * spans, however long each is. */
#include "cpu/held.h"

typedef struct scan2_arg {
    hlmi_scan2 a;
    hlmi_recurrence rec;
    const hlmi_kernels *k;
    const hlmi_state_layout *states;
} scan2_arg;

static void scan2_head(const scan2_arg *a, const hlmi_span *s, size_t head, float *room)
{
    const hlmi_scan2 *o = &a->a;
    const hlmi_recurrence *rec = &a->rec;
    const size_t group = head / (rec->heads / o->groups), state = head * rec->rows * rec->cols;
    hlmi_held h = {.k = a->k, .states = a->states, .rows = 1, .n = rec->rows * rec->cols, .room = room};
    hlmi_held_open(&h, hlmi_state_scan(s->in, a->states, o->rec), hlmi_state_scan(s->out, a->states, o->rec), state);
    const hlmi_scan2_run run = {.type = a->states->type,
                                .a = o->a[head],
                                .d = o->d[head],
                                .dt_bias = o->dt_bias[head],
                                .dt_min = o->dt_min,
                                .dt_max = o->dt_max,
                                .rows = rec->rows,
                                .cols = rec->cols,
                                .tokens = s->n,
                                .in = h.in,
                                .out = h.out,
                                .dt = hlmi_rows_at(o->dt, s->row) + head,
                                .lddt = o->dt.ld,
                                .x = hlmi_rows_at(o->x, s->row) + head * rec->cols,
                                .ldx = o->x.ld,
                                .b = hlmi_rows_at(o->b, s->row) + group * rec->rows,
                                .c = hlmi_rows_at(o->c, s->row) + group * rec->rows,
                                .ldbc = o->b.ld,
                                .y = hlmi_rows_at(o->y, s->row) + head * rec->cols,
                                .ldy = o->y.ld};
    a->k->scan2(&run);
    hlmi_held_close(&h);
}

static void scan2_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const scan2_arg *a = arg;
    const hlmi_tile *t = step;
    const hlmi_range r = hlmi_share(a->rec.heads * t->n_spans, worker, workers);
    float *room = (float *)hlmi_worker_scratch(t, worker, workers);
    for (size_t i = r.begin; i < r.end; i++) scan2_head(a, &t->spans[i % t->n_spans], i / t->n_spans, room);
}

void hlmi_cpu_scan2(hlmi_builder *b, const hlmi_scan2 *o)
{
    const scan2_arg a = {.a = *o, .rec = b->plan->rec[o->rec], .k = b->kernels, .states = b->states};
    hlmi_scratch_worker(b, hlmi_held_bytes(b->states, a.rec.rows * a.rec.cols));
    hlmi_emit(b, scan2_run, &a, sizeof a, 0, 0);
}
