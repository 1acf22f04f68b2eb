/* Mamba-1's scan: each worker takes some channels, of every span, so that spans of different lengths are no matter. */
#include "base/size.h"
#include "cpu/held.h"

enum { LINE = 16 }; /* channels: a cache line */

typedef struct scan1_arg {
    hlmi_scan1 a;
    hlmi_recurrence rec;
    const hlmi_kernels *k;
    const hlmi_state_layout *states;
} scan1_arg;

/* Channels [c, c + n) of a span. */
static void scan_span(const scan1_arg *a, const hlmi_span *s, hlmi_held *h, size_t c, size_t n)
{
    const hlmi_scan1 *o = &a->a;
    hlmi_held_open(h, hlmi_state_scan(s->in, a->states, o->rec), hlmi_state_scan(s->out, a->states, o->rec), c);
    const hlmi_scan1_run run = {.type = a->states->type,
                                .a = o->a + c,
                                .dt_bias = o->dt_bias ? o->dt_bias + c : NULL,
                                .d = o->d + c,
                                .rows = a->rec.rows,
                                .channels = n,
                                .tokens = s->n,
                                .in = h->in,
                                .out = h->out,
                                .ld = a->rec.cols,
                                .x = hlmi_rows_at(o->x, s->row) + c,
                                .ldx = o->x.ld,
                                .dt = hlmi_rows_at(o->dt, s->row) + c,
                                .lddt = o->dt.ld,
                                .b = hlmi_rows_at(o->b, s->row),
                                .c = hlmi_rows_at(o->c, s->row),
                                .ldbc = o->b.ld,
                                .z = o->z.at ? hlmi_rows_at(o->z, s->row) + c : NULL,
                                .ldz = o->z.ld,
                                .y = hlmi_rows_at(o->y, s->row) + c,
                                .ldy = o->y.ld};
    a->k->scan1(&run);
    hlmi_held_close(h);
}

static void scan1_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const scan1_arg *a = arg;
    const hlmi_tile *t = step;
    const hlmi_range r = hlmi_share(hlmi_div_up(a->rec.cols, LINE), worker, workers);
    if (r.begin == r.end) return;
    const size_t c = r.begin * LINE, n = hlmi_min_size(r.end * LINE, a->rec.cols) - c;
    hlmi_held h = {.k = a->k, .states = a->states, .rows = a->rec.rows, .n = n, .ld = a->rec.cols};
    h.room = (float *)hlmi_worker_scratch(t, worker, workers);
    for (size_t i = 0; i < t->n_spans; i++) scan_span(a, &t->spans[i], &h, c, n);
}

void hlmi_cpu_scan1(hlmi_builder *b, const hlmi_scan1 *o)
{
    const scan1_arg a = {.a = *o, .rec = b->plan->rec[o->rec], .k = b->kernels, .states = b->states};
    hlmi_scratch_worker(b, hlmi_held_bytes(b->states, a.rec.rows * a.rec.cols));
    hlmi_emit(b, scan1_run, &a, sizeof a, 0, 0);
}
