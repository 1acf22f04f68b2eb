/* Elementwise forms of rows. */
#include <string.h>

#include "cpu/cpu.h"

typedef struct combine_arg {
    hlmi_combine a;
    const hlmi_kernels *k;
} combine_arg;

static void combine_row(const combine_arg *a, float *y, const float *l, const float *r, size_t n)
{
    switch (a->a.kind) {
    case HLMI_COMBINE_MUL: a->k->mul(y, l, r, n); break;
    case HLMI_COMBINE_SIGMOID: a->k->sigmoid_mul(y, r, l, n); break;
    case HLMI_COMBINE_SILU: a->k->silu_mul(y, r, l, n); break;
    case HLMI_COMBINE_GELU_ERF: a->k->gelu_erf_mul(y, r, l, n); break;
    case HLMI_COMBINE_COPY: memcpy(y, l, n * sizeof *y); break;
    case HLMI_COMBINE_MEAN:
        a->k->add(y, l, r, n);
        a->k->scale(y, y, 0.5f, n);
        break;
    }
}

static void combine_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const combine_arg *a = arg;
    const hlmi_tile *t = step;
    const hlmi_combine *o = &a->a;
    const hlmi_range r = hlmi_share(t->n_rows, worker, workers);
    for (size_t i = r.begin; i < r.end; i++)
        combine_row(a, hlmi_rows_at(o->y, i), hlmi_rows_at(o->a, i), o->b.at ? hlmi_rows_at(o->b, i) : NULL, o->cols);
}

void hlmi_cpu_combine(hlmi_builder *b, const hlmi_combine *o)
{
    const combine_arg a = {.a = *o, .k = b->kernels};
    hlmi_emit(b, combine_run, &a, sizeof a, 0, 0);
}
