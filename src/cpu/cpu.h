/* What the CPU's ops share: how work is divided among workers. Every output is computed whole by one worker in the
 * kernel's order, so the division never shows in the numbers. */
#ifndef HLMI_CPU_CPU_H
#define HLMI_CPU_CPU_H

#include "base/assert.h"
#include "ops/ops.h"

typedef struct hlmi_range {
    size_t begin, end;
} hlmi_range;

/** Worker w's part of n items: consecutive, sizes differing by at most one. Parts nest: those of workers 2w and 2w + 1
 *  of twice as many are together w's. */
static inline hlmi_range hlmi_share(size_t n, size_t w, size_t workers)
{
    const uint64_t whole = n / workers, rest = n % workers;
    return (hlmi_range){(size_t)(whole * w + rest * w / workers), (size_t)(whole * (w + 1) + rest * (w + 1) / workers)};
}

/** y = norm(x), rows of norm->size; y may be x. */
static inline void hlmi_cpu_norm(const hlmi_kernels *k, const hlmi_norm *norm, float *y, const float *x)
{
    if (norm->kind == HLMI_NORM_LAYER) k->layer_norm(y, x, norm->weight, norm->bias, norm->size, norm->eps);
    else k->rms_norm(y, x, norm->weight, norm->size, norm->eps);
}

/** x through the norm, in y; without one (NULL) x itself. */
static inline const float *hlmi_cpu_normed(const hlmi_kernels *k, const hlmi_norm *norm, float *y, const float *x)
{
    if (!norm) return x;
    hlmi_cpu_norm(k, norm, y, x);
    return y;
}

/** In how many parts each worker of the team does a region. */
static inline size_t hlmi_team_parts(const hlmi_tile *t, size_t workers)
{
    hlmi_assert(t->workers > 0 && workers % t->workers == 0);
    return workers / t->workers;
}

/** The team's worker behind number `worker` of a region that may be divided into parts (exec/team.h). */
static inline size_t hlmi_team_worker(const hlmi_tile *t, size_t worker, size_t workers)
{
    return worker / hlmi_team_parts(t, workers);
}

/** The worker's private scratch. It keeps what a part leaves in it for the next part of the region, and no longer. */
static inline void *hlmi_worker_scratch(const hlmi_tile *t, size_t worker, size_t workers)
{
    return t->worker_scratch + hlmi_team_worker(t, worker, workers) * t->worker_stride;
}

#define HLMI_CPU_OP(op, ...) void hlmi_cpu_##op(hlmi_builder *b, __VA_ARGS__);
HLMI_OPS(HLMI_CPU_OP)
#undef HLMI_CPU_OP

#endif
