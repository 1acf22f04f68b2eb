/* A program: the regions that compute one tile, recorded once for a context by walking the plan's blocks, and run for
 * every tile of every step. The builder is what blocks and ops see while recording; it also plans scratch memory, and a
 * first pass without memory tells how much is needed. */
#ifndef HLMI_EXEC_PROGRAM_H
#define HLMI_EXEC_PROGRAM_H

#include "exec/step.h"
#include "exec/team.h"
#include "plan/state_layout.h"

typedef struct hlmi_ops hlmi_ops; /* ops/ops.h */

typedef struct hlmi_program {
    hlmi_mem mem;
    hlmi_region *regions; /* each owns a block: its cost, and its argument behind */
    size_t n, cap;
} hlmi_program;

/** Rows of f32 in scratch, `ld` floats from one to the next. */
typedef struct hlmi_rows {
    float *at;
    size_t ld;
} hlmi_rows;

static inline float *hlmi_rows_at(hlmi_rows r, size_t i)
{
    return r.at + i * r.ld;
}

/** What the rows have from column `col` on. */
static inline hlmi_rows hlmi_rows_from(hlmi_rows r, size_t col)
{
    return (hlmi_rows){r.at + col, r.ld};
}

/** cos and sin of the tile's positions: [max_rows, half]. */
typedef struct hlmi_rope_rows {
    hlmi_rows cos, sin;
} hlmi_rope_rows;

typedef struct hlmi_builder {
    const hlmi_ops *tables[HLMI_PLACES]; /* of the model's places */
    const hlmi_ops *ops; /* of the block that is recorded, and its place */
    size_t place;
    const hlmi_plan *plan;
    const hlmi_kernels *kernels;
    const hlmi_page_layout *pages;
    const hlmi_state_layout *states;
    bool f32_activations;
    bool undo; /* the pool keeps an undo log */
    bool taps; /* hidden states can be asked for */
    size_t max_rows, max_out, workers;
    hlmi_program *program; /* NULL in the sizing pass */
    uint8_t *base; /* scratch; NULL in the sizing pass */
    size_t at, peak; /* bytes of scratch in use, and most at once */
    size_t worker_bytes; /* most private scratch an op wants */
    size_t widest; /* columns of the widest matrix */
    bool *adds; /* [weights of the plan] becomes true for the matrices that adapters are added to; NULL: nobody asks */
    hlm_status st; /* first failure; later calls do nothing */
    /* the buffers every block knows */
    hlmi_rows x; /* [max_rows, hidden_size] residual stream */
    hlmi_rows pair; /* where the plan keeps embeddings: [max_rows, 2 * hidden_size] the stream, then the embedding */
    hlmi_rope_rows *ropes; /* [n_ropes] */
} hlmi_builder;

/** Floats from row to row of a scratch matrix of n columns: whole cache lines, and not a multiple of 4 KB. */
size_t hlmi_ld(size_t n);
/** [rows, cols] floats of scratch (a fake address in the sizing pass). */
hlmi_rows hlmi_scratch_rows(hlmi_builder *b, size_t rows, size_t cols);
void *hlmi_scratch(hlmi_builder *b, size_t bytes);
/** Everything taken after hlmi_scratch_mark is free again: later ops may use the memory. */
static inline size_t hlmi_scratch_mark(const hlmi_builder *b)
{
    return b->at;
}
static inline void hlmi_scratch_release(hlmi_builder *b, size_t mark)
{
    b->at = mark;
}
/** The op wants this much of each worker's private scratch. */
void hlmi_scratch_worker(hlmi_builder *b, size_t bytes);
/** Append a region with a copy of its argument (size bytes). */
void hlmi_emit(hlmi_builder *b, hlmi_region_fn *run, const void *arg, size_t size, size_t min_rows, size_t max_rows);
/** The region emitted last is for rows with adapters. */
void hlmi_emitted_for_adapters(hlmi_builder *b);
/** The op adds to products of a matrix what adapters have for it. */
static inline void hlmi_adapts(hlmi_builder *b, const hlmi_matrix *m)
{
    if (b->adds && m->number) b->adds[m->number - 1] = true;
}
/** The region emitted last takes time by how far its rows look back, not by how many they are. */
void hlmi_emitted_by_past(hlmi_builder *b);

void hlmi_program_free(hlmi_program *p);

#endif
