/* Recording a plan into a program. */
#include "exec/program.h"

#include <string.h>

#include "base/size.h"
#include "block/block.h"
#include "ops/ops.h"

enum { LINE = 16 /* floats of a cache line */, WAY = 1024 /* floats of 4 KB */ };

size_t hlmi_ld(size_t n)
{
    const size_t ld = hlmi_round_up(n, LINE);
    return ld % WAY == 0 ? ld + LINE : ld;
}

void *hlmi_scratch(hlmi_builder *b, size_t bytes)
{
    uint8_t *p = (uint8_t *)((uintptr_t)b->base + b->at);
    size_t end;
    if (bytes > SIZE_MAX - HLMI_ALIGN || !hlmi_add_size(b->at, hlmi_round_up(bytes, HLMI_ALIGN), &end)) {
        if (b->st == HLM_OK) b->st = hlmi_nomem(bytes, "scratch");
        return p;
    }
    b->at = end;
    b->peak = hlmi_max_size(b->peak, end);
    return p;
}

float *hlmi_scratch_rows(hlmi_builder *b, size_t rows, size_t cols)
{
    size_t bytes;
    if (!hlmi_mul_size(rows, hlmi_ld(cols) * sizeof(float), &bytes)) bytes = SIZE_MAX;
    return hlmi_scratch(b, bytes);
}

void hlmi_scratch_worker(hlmi_builder *b, size_t bytes)
{
    b->worker_bytes = hlmi_max_size(b->worker_bytes, bytes);
}

static hlm_status keep_arg(hlmi_program *p, const void *arg, size_t size, const void **kept)
{
    void *copy = hlmi_alloc(&p->mem, size);
    if (!copy) return hlmi_nomem(size, "a program");
    memcpy(copy, arg, size);
    void *items = p->args;
    const hlm_status st = hlmi_grow(&p->mem, &items, &p->cap_args, p->n_args + 1, sizeof *p->args, "a program");
    p->args = items;
    if (st != HLM_OK) {
        hlmi_free(&p->mem, copy);
        return st;
    }
    p->args[p->n_args++] = copy;
    *kept = copy;
    return HLM_OK;
}

void hlmi_emit(hlmi_builder *b, hlmi_region_fn *run, const void *arg, size_t size, size_t min_rows, size_t max_rows)
{
    hlmi_program *p = b->program;
    if (!p || b->st != HLM_OK) return;
    const void *kept = NULL;
    b->st = keep_arg(p, arg, size, &kept);
    if (b->st != HLM_OK) return;
    void *items = p->regions;
    b->st = hlmi_grow(&p->mem, &items, &p->cap, p->n + 1, sizeof *p->regions, "a program");
    p->regions = items;
    if (b->st != HLM_OK) return;
    p->regions[p->n++] = (hlmi_region){.run = run, .arg = kept, .min_rows = min_rows, .max_rows = max_rows};
}

void hlmi_emitted_by_past(hlmi_builder *b)
{
    if (b->program && b->st == HLM_OK) b->program->regions[b->program->n - 1].by_past = true;
}

void hlmi_emitted_for_adapters(hlmi_builder *b)
{
    if (b->program && b->st == HLM_OK) b->program->regions[b->program->n - 1].adapted = true;
}

/* Every region of a program that is recorded may be divided. */
static hlm_status take_costs(hlmi_builder *b)
{
    hlmi_program *p = b->program;
    if (!p || b->st != HLM_OK) return b->st;
    p->costs = hlmi_calloc(&p->mem, p->n + 1, sizeof *p->costs);
    if (!p->costs) return hlmi_nomem(p->n * sizeof *p->costs, "a program");
    for (size_t i = 0; i < p->n; i++) p->regions[i].cost = &p->costs[i];
    return HLM_OK;
}

/* The buffers that live through the whole program. */
static void take_shared(hlmi_builder *b)
{
    const hlmi_plan *plan = b->plan;
    b->ldx = hlmi_ld(plan->hidden_size);
    b->x = hlmi_scratch_rows(b, b->max_rows, plan->hidden_size);
    b->ldpair = hlmi_ld(2 * plan->hidden_size);
    b->pair = plan->keeps_embedding ? hlmi_scratch_rows(b, b->max_rows, 2 * plan->hidden_size) : NULL;
    for (size_t i = 0; i < plan->n_ropes; i++) {
        b->rope_cos[i] = hlmi_scratch_rows(b, b->max_rows, plan->ropes[i].half);
        b->rope_sin[i] = hlmi_scratch_rows(b, b->max_rows, plan->ropes[i].half);
    }
}

hlm_status hlmi_program_record(hlmi_builder *b)
{
    const hlmi_plan *plan = b->plan;
    b->at = b->peak = b->worker_bytes = 0;
    b->st = HLM_OK;
    float **ropes = hlmi_calloc(&plan->mem, 2 * plan->n_ropes + 1, sizeof *ropes);
    if (!ropes) return hlmi_nomem(plan->n_ropes * sizeof *ropes, "a program");
    b->rope_cos = ropes;
    b->rope_sin = ropes + plan->n_ropes;
    take_shared(b);
    for (size_t i = 0; i < plan->n_ropes; i++) b->ops->rope_table(b, i);
    for (size_t i = 0; i < plan->n_blocks && b->st == HLM_OK; i++) {
        const size_t mark = hlmi_scratch_mark(b);
        plan->blocks[i].type->record(b, plan->blocks[i].params);
        hlmi_scratch_release(b, mark);
    }
    hlmi_free(&plan->mem, ropes);
    b->rope_cos = b->rope_sin = NULL;
    return take_costs(b);
}

typedef void record_fn(hlmi_builder *b, const void *params);

static record_fn *replay_of(const hlmi_block_type *t)
{
    return t->replay;
}

static record_fn *head_of(const hlmi_block_type *t)
{
    return t->from_kept;
}

/* The blocks that have such a way of recording, without what all share. */
static hlm_status record_some(hlmi_builder *b, record_fn *(*of)(const hlmi_block_type *))
{
    const hlmi_plan *plan = b->plan;
    b->at = b->peak = b->worker_bytes = 0;
    b->st = HLM_OK;
    b->ldx = hlmi_ld(plan->hidden_size);
    for (size_t i = 0; i < plan->n_blocks && b->st == HLM_OK; i++) {
        const size_t mark = hlmi_scratch_mark(b);
        record_fn *record = of(plan->blocks[i].type);
        if (record) record(b, plan->blocks[i].params);
        hlmi_scratch_release(b, mark);
    }
    return take_costs(b);
}

hlm_status hlmi_program_record_replay(hlmi_builder *b)
{
    return record_some(b, replay_of);
}

hlm_status hlmi_program_record_head(hlmi_builder *b)
{
    return record_some(b, head_of);
}

void hlmi_program_free(hlmi_program *p)
{
    for (size_t i = 0; i < p->n_args; i++) hlmi_free(&p->mem, p->args[i]);
    hlmi_free(&p->mem, p->args);
    hlmi_free(&p->mem, p->regions);
    hlmi_free(&p->mem, p->costs);
    *p = (hlmi_program){.mem = p->mem};
}
