/* The convolution of recurrent layers: each worker takes some channels, of every span, so that spans of different
 * lengths are no matter. */
#include "base/size.h"
#include "cpu/held.h"

enum { LINE = 16 }; /* channels: a cache line */

typedef struct conv_arg {
    hlmi_conv a;
    hlmi_recurrence rec;
    const hlmi_kernels *k;
    const hlmi_state_layout *states;
} conv_arg;

static void conv_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const conv_arg *a = arg;
    const hlmi_conv *o = &a->a;
    const hlmi_tile *t = step;
    const hlmi_range r = hlmi_share(hlmi_div_up(a->rec.channels, LINE), worker, workers);
    if (r.begin == r.end) return;
    const size_t c = r.begin * LINE, n = hlmi_min_size(r.end * LINE, a->rec.channels) - c, ld = a->rec.channels;
    hlmi_held h = {.k = a->k, .states = a->states, .rows = a->rec.window, .n = n, .ld = ld};
    h.room = (float *)hlmi_worker_scratch(t, worker, workers);
    for (size_t i = 0; i < t->n_spans; i++) {
        const hlmi_span *s = &t->spans[i];
        hlmi_held_open(&h, hlmi_state_conv(s->in, a->states, o->rec), hlmi_state_conv(s->out, a->states, o->rec), c);
        const hlmi_conv_run run = {.type = a->states->type,
                                   .weight = o->weight + c,
                                   .bias = o->bias ? o->bias + c : NULL,
                                   .silu = o->silu,
                                   .window = a->rec.window,
                                   .channels = n,
                                   .tokens = s->n,
                                   .in = h.in,
                                   .out = h.out,
                                   .ld = ld,
                                   .x = hlmi_rows_at(o->x, s->row) + c,
                                   .ldx = o->x.ld,
                                   .y = hlmi_rows_at(o->y, s->row) + c,
                                   .ldy = o->y.ld};
        a->k->conv(&run);
        hlmi_held_close(&h);
    }
}

void hlmi_cpu_conv(hlmi_builder *b, const hlmi_conv *o)
{
    const conv_arg a = {.a = *o, .rec = b->plan->rec[o->rec], .k = b->kernels, .states = b->states};
    hlmi_scratch_worker(b, hlmi_held_bytes(b->states, a.rec.window * a.rec.channels));
    hlmi_emit(b, conv_run, &a, sizeof a, 0, 0);
}
