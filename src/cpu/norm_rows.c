/* Norms of groups within rows, with a gate before or after. A group of a row is one worker's. */
#include "cpu/cpu.h"

typedef struct norm_arg {
    hlmi_norm_rows a;
    const hlmi_kernels *k;
} norm_arg;

static hlmi_norm norm_of(const norm_arg *a, size_t group)
{
    hlmi_norm n = *a->a.norm;
    if (!a->a.wide) return n;
    n.weight += group * n.size;
    if (n.bias) n.bias += group * n.size;
    return n;
}

static void norm_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const norm_arg *a = arg;
    const hlmi_tile *t = step;
    const hlmi_norm_rows *o = &a->a;
    const size_t size = a->a.norm->size;
    const hlmi_range r = hlmi_share(t->n_rows * o->groups, worker, workers);
    for (size_t i = r.begin; i < r.end; i++) {
        const size_t row = i / o->groups, group = i % o->groups;
        const hlmi_norm norm = norm_of(a, group);
        const float *x = hlmi_rows_at(o->x, row) + group * size;
        float *y = hlmi_rows_at(o->y, row) + group * size;
        if (o->kind == HLMI_GATE_SILU_BEFORE) {
            a->k->silu_mul(y, hlmi_rows_at(o->g, row) + group * size, x, size);
            x = y;
        }
        hlmi_cpu_norm(a->k, &norm, y, x);
        if (o->kind == HLMI_GATE_SILU_AFTER) a->k->silu_mul(y, hlmi_rows_at(o->g, row) + group * size, y, size);
    }
}

void hlmi_cpu_norm_rows(hlmi_builder *b, const hlmi_norm_rows *o)
{
    const norm_arg a = {.a = *o, .k = b->kernels};
    hlmi_emit(b, norm_run, &a, sizeof a, 0, 0);
}
