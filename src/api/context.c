/* Making contexts: programs are recorded once for a sizing pass and then, with scratch in place, for good. */
#include "api/context.h"

#include <string.h>

#include "api/engine.h"
#include "base/assert.h"
#include "base/call.h"
#include "base/os.h"
#include "base/params.h"
#include "base/size.h"
#include "block/record.h"
#include "ops/ops.h"

enum { SLICE_ROWS = 64, SLICE_PRODUCT = 1 << 18 /* rows by columns */ };

enum { MAX_ROWS = 512, MOST_ROWS = 1 << 16, MOST_THREADS = 1024 };

/* ops: another table for the CPU than its own, or NULL */
static hlmi_builder builder(const hlmi_ops *ops, const hlm_model *m, const hlmi_page_layout *pages,
                            const hlmi_state_layout *states, size_t rows, size_t workers)
{
    hlmi_builder b = {.plan = &m->plan,
                      .kernels = &m->kernels,
                      .pages = pages,
                      .states = states,
                      .f32_activations = m->f32_activations,
                      .max_rows = rows,
                      .max_out = rows,
                      .workers = workers,
                      .base = (uint8_t *)(uintptr_t)HLMI_ALIGN}; /* sizing: an address nobody reads */
    for (size_t i = 0; i < m->n_places; i++) b.tables[i] = m->places[i]->ops;
    if (ops) b.tables[0] = ops;
    return b;
}

static size_t worker_stride(const hlmi_builder *b)
{
    return hlmi_round_up(b->worker_bytes, HLMI_ALIGN) + HLMI_ALIGN; /* no two workers share a line */
}

/* Scratch that the programs need, whichever runs; what the head takes alone is a part of what all blocks take. */
static hlm_status measure(hlmi_builder *b)
{
    HLMI_DO(hlmi_record(b, HLMI_RECORD_REPLAY));
    const size_t peak = b->peak, worker = b->worker_bytes;
    HLMI_DO(hlmi_record(b, HLMI_RECORD_ALL));
    b->peak = hlmi_max_size(b->peak, peak);
    b->worker_bytes = hlmi_max_size(b->worker_bytes, worker);
    return HLM_OK;
}

hlm_status hlmi_scratch_size(const hlm_model *model, const hlmi_page_layout *pages, const hlmi_state_layout *states,
                             int32_t n_threads, size_t max_rows, uint64_t *bytes)
{
    const size_t workers = n_threads > 0 ? (size_t)n_threads : hlmi_os_cores();
    hlmi_builder b = builder(NULL, model, pages, states, max_rows ? max_rows : MAX_ROWS, workers);
    const hlm_status st = measure(&b);
    *bytes = (uint64_t)b.peak + (uint64_t)worker_stride(&b) * workers;
    return st;
}

hlm_status hlmi_ctx_adds(const hlm_model *model, bool *adds)
{
    hlm_status st;
    hlmi_page_layout pages = {0};
    hlmi_state_layout states = {0};
    hlmi_builder b = builder(NULL, model, &pages, &states, 1, 1);
    b.adds = adds;
    HLMI_TRY(
        hlmi_page_layout_init(&pages, &model->plan, 0, model->f32_activations, HLMI_PAGE_TOKENS, false, &model->mem));
    HLMI_TRY(hlmi_state_layout_init(&states, &model->plan, 0, &model->mem));
    HLMI_TRY(hlmi_record(&b, HLMI_RECORD_ALL));
done:
    hlmi_page_layout_free(&pages, &model->mem);
    hlmi_state_layout_free(&states, &model->mem);
    return st;
}

/* One of the context's blocks. */
static void *take(hlm_context *c, size_t n, size_t size, hlm_status *st)
{
    void *p = *st == HLM_OK ? hlmi_calloc(&c->mem, n, size) : NULL;
    hlmi_assert(c->n_blocks < HLMI_CTX_BLOCKS);
    if (p) c->blocks[c->n_blocks++] = p;
    else if (*st == HLM_OK) *st = hlmi_nomem(n * size, "a context");
    return p;
}

static hlm_status make_tile(hlm_context *c)
{
    hlm_status st = HLM_OK;
    hlmi_tile *t = &c->tile;
    t->tokens = take(c, c->max_rows, sizeof *t->tokens, &st);
    t->embed = take(c, c->max_rows, sizeof *t->embed, &st);
    t->adapter = take(c, c->max_rows, sizeof *t->adapter, &st);
    t->pos = take(c, c->max_rows, sizeof *t->pos, &st);
    t->span_of = take(c, c->max_rows, sizeof *t->span_of, &st);
    t->spans = take(c, c->max_rows, sizeof *t->spans, &st);
    t->out_row = take(c, c->max_rows, sizeof *t->out_row, &st);
    t->out = take(c, c->max_rows, sizeof *t->out, &st);
    t->keep = take(c, c->max_rows, sizeof *t->keep, &st);
    t->log = take(c, c->max_rows, sizeof *t->log, &st);
    c->caches = take(c, c->max_rows, sizeof *c->caches, &st);
    return st == HLM_OK ? HLMI_GROW(&c->mem, c->leaves, c->cap_leaves, c->max_rows, "a context") : st;
}

/* Rows of a tile that runs in slices: the smallest part of a product, one band of output rows with all of the tile's,
 * is to take a fraction of a part's time. */
static size_t slice_rows(size_t max_rows, size_t widest)
{
    size_t rows = SLICE_ROWS;
    while (rows > 1 && rows * widest > SLICE_PRODUCT) rows /= 2;
    return hlmi_min_size(rows, max_rows);
}

static hlm_status record(hlm_context *c, const hlmi_ops *ops)
{
    static const hlmi_recording what[HLMI_PROGRAMS] = {
        [HLMI_REPLAY] = HLMI_RECORD_REPLAY, [HLMI_HEAD] = HLMI_RECORD_HEAD};
    hlmi_builder b =
        builder(ops, c->model, &c->pool->layout, &c->pool->states, c->max_rows, hlmi_team_workers(c->team));
    b.undo = c->pool->undo_tokens > 0;
    HLMI_DO(measure(&b));
    hlm_status st = HLM_OK;
    hlmi_tile *t = &c->tile;
    t->worker_stride = worker_stride(&b);
    t->workers = b.workers;
    c->slice_rows = slice_rows(c->max_rows, b.widest);
    b.base = take(c, 1, b.peak, &st);
    t->worker_scratch = take(c, b.workers, t->worker_stride, &st);
    for (size_t i = 0; i < HLMI_PROGRAMS && st == HLM_OK; i++) {
        if (i == HLMI_HEAD && !b.states->bytes) break; /* nobody keeps what it would be fed from */
        b.program = &c->programs[i];
        b.taps = i == HLMI_TAPPED;
        st = hlmi_record(&b, what[i]);
    }
    return st;
}

static hlm_status check_params(const hlm_ctx_params *p, const hlm_model *model)
{
    HLMI_DO(hlmi_model_runs(model));
    if (p->n_threads < 0 || p->n_threads > MOST_THREADS)
        return hlmi_fail(HLM_E_ARG, "hlm_ctx_params.n_threads is %d, can be 0 to %d", (int)p->n_threads, MOST_THREADS);
    if (p->max_rows > MOST_ROWS)
        return hlmi_fail(HLM_E_ARG, "hlm_ctx_params.max_rows is %zu, can be up to %d", p->max_rows, MOST_ROWS);
    if (p->reserved != 0) return hlmi_fail(HLM_E_ARG, "hlm_ctx_params.reserved is not 0");
    if (p->pool && p->pool->model != model) return hlmi_fail(HLM_E_MISMATCH, "the pool belongs to another model");
    return HLM_OK;
}

hlm_status hlmi_ctx_new(hlm_context **out, hlm_model *model, const hlm_ctx_params *params, const hlmi_ops *ops)
{
    hlm_ctx_params p;
    hlm_context *c = NULL;
    hlm_status st;
    if (out) *out = NULL;
    if (!out || !model) return hlmi_fail(HLM_E_ARG, "hlm_ctx_new: out and model are needed");
    HLMI_TRY(hlmi_params_read(&p, sizeof p, params, "hlm_ctx_params"));
    HLMI_TRY(check_params(&p, model));
    c = hlmi_calloc(&model->mem, 1, sizeof *c);
    if (!c) HLMI_TRY(hlmi_nomem(sizeof *c, "a context"));
    hlm_model_retain(model);
    c->model = model;
    c->mem = model->mem;
    for (size_t i = 0; i < HLMI_PROGRAMS; i++) c->programs[i].mem = model->mem;
    atomic_init(&c->busy, 0);
    c->max_rows = p.max_rows ? p.max_rows : MAX_ROWS;
    hlm_pool_retain(p.pool);
    c->pool = p.pool;
    if (!c->pool) HLMI_TRY(hlm_pool_new(&c->pool, model, NULL));
    HLMI_TRY(hlmi_team_new(&c->team, &c->mem, p.n_threads, hlmi_os_cores(), p.executor));
    HLMI_TRY(make_tile(c));
    HLMI_TRY(record(c, ops));
    *out = c;
    c = NULL;
done:
    hlm_ctx_free(c);
    return st;
}

HLMI_CALL(hlm_ctx_new, (hlm_context **out, hlm_model *model, const hlm_ctx_params *params), (out, model, params))
{
    return hlmi_ctx_new(out, model, params, NULL);
}

void hlm_ctx_free(hlm_context *ctx)
{
    if (!ctx) return;
    hlmi_step_drop(ctx);
    const hlmi_mem mem = ctx->mem;
    hlm_model *model = ctx->model;
    hlmi_team_free(ctx->team);
    for (size_t i = 0; i < HLMI_PROGRAMS; i++) hlmi_program_free(&ctx->programs[i]);
    for (size_t i = 0; i < ctx->n_blocks; i++) hlmi_free(&mem, ctx->blocks[i]);
    hlmi_free(&mem, ctx->leaves);
    hlmi_free(&mem, ctx->entries);
    hlmi_free(&mem, ctx->asked);
    hlmi_free(&mem, ctx->taps);
    hlmi_free(&mem, ctx->attn_taps);
    hlm_pool_release(ctx->pool);
    hlmi_free(&mem, ctx);
    hlm_model_release(model);
}

hlm_pool *hlm_ctx_pool(hlm_context *ctx)
{
    return ctx ? ctx->pool : NULL;
}

const char *hlm_ctx_error(const hlm_context *ctx)
{
    return ctx ? ctx->error : "";
}

void hlm_ctx_cancel(hlm_context *ctx)
{
    if (ctx) ctx->cancel = 1;
}

/* ---- api/engine.h ---- */

hlm_model *hlmi_ctx_model(const hlm_context *ctx)
{
    return ctx->model;
}

void hlmi_ctx_failed(hlm_context *ctx)
{
    memcpy(ctx->error, hlmi_error(), sizeof ctx->error);
}

bool hlmi_ctx_cancelled(const hlm_context *ctx)
{
    return ctx->cancel != 0;
}
