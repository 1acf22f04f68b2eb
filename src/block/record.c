/* Walking a plan into a program. */
#include "block/record.h"

#include "block/block.h"

static const hlmi_block_type *const types[] = {
#define TYPE(kind, name) [HLMI_BLOCK_##kind] = &hlmi_block_##name,
    HLMI_BLOCKS(TYPE)
#undef TYPE
};

static hlmi_record_fn *all_of(const hlmi_block_type *t)
{
    return t->record;
}

static hlmi_record_fn *replay_of(const hlmi_block_type *t)
{
    return t->replay;
}

static hlmi_record_fn *head_of(const hlmi_block_type *t)
{
    return t->from_kept;
}

static void begin(hlmi_builder *b)
{
    b->at = b->peak = b->worker_bytes = 0;
    b->st = HLM_OK;
}

static void at_place(hlmi_builder *b, size_t place)
{
    b->place = place;
    b->ops = b->tables[place];
}

/* The blocks that have such a way of recording. */
static hlm_status walk(hlmi_builder *b, hlmi_record_fn *(*of)(const hlmi_block_type *))
{
    const hlmi_plan *plan = b->plan;
    for (size_t i = 0; i < plan->n_blocks && b->st == HLM_OK; i++) {
        const size_t mark = hlmi_scratch_mark(b);
        hlmi_record_fn *record = of(types[plan->blocks[i].kind]);
        at_place(b, plan->blocks[i].place);
        if (record) record(b, plan->blocks[i].params);
        hlmi_scratch_release(b, mark);
    }
    return b->st;
}

/* The buffers that live through the whole program. */
static void take_shared(hlmi_builder *b)
{
    const hlmi_plan *plan = b->plan;
    b->x = hlmi_scratch_rows(b, b->max_rows, plan->hidden_size);
    if (plan->keeps_embedding) b->pair = hlmi_scratch_rows(b, b->max_rows, 2 * plan->hidden_size);
    for (size_t i = 0; i < plan->n_ropes; i++) {
        b->ropes[i].cos = hlmi_scratch_rows(b, b->max_rows, plan->ropes[i].half);
        b->ropes[i].sin = hlmi_scratch_rows(b, b->max_rows, plan->ropes[i].half);
    }
}

hlm_status hlmi_record(hlmi_builder *b)
{
    const hlmi_plan *plan = b->plan;
    begin(b);
    b->ropes = hlmi_calloc(&plan->mem, plan->n_ropes + 1, sizeof *b->ropes);
    if (!b->ropes) return hlmi_nomem(plan->n_ropes * sizeof *b->ropes, "a program");
    take_shared(b);
    at_place(b, 0);
    for (size_t i = 0; i < plan->n_ropes; i++) b->ops->rope_table(b, i);
    const hlm_status st = walk(b, all_of);
    hlmi_free(&plan->mem, b->ropes);
    b->ropes = NULL;
    return st;
}

hlm_status hlmi_record_replay(hlmi_builder *b)
{
    begin(b);
    return walk(b, replay_of);
}

hlm_status hlmi_record_head(hlmi_builder *b)
{
    begin(b);
    return walk(b, head_of);
}
