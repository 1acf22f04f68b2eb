/* Walking a plan into a program. */
#include "block/record.h"

#include "block/block.h"

static const hlmi_block_type *const types[] = {
#define TYPE(kind, name) [HLMI_BLOCK_##kind] = &hlmi_block_##name,
    HLMI_BLOCKS(TYPE)
#undef TYPE
};

static hlmi_record_fn *part_of(const hlmi_block_type *t, hlmi_recording what)
{
    return what == HLMI_RECORD_ALL ? t->record : what == HLMI_RECORD_REPLAY ? t->replay : t->from_kept;
}

static void at_place(hlmi_builder *b, size_t place)
{
    b->place = place;
    b->ops = b->tables[place];
}

/* The buffers that live through the whole program, and the rotations of its rows. */
static void take_shared(hlmi_builder *b)
{
    const hlmi_plan *plan = b->plan;
    b->x = hlmi_scratch_rows(b, b->max_rows, plan->hidden_size);
    if (plan->keeps_embedding) b->pair = hlmi_scratch_rows(b, b->max_rows, 2 * plan->hidden_size);
    for (size_t i = 0; i < plan->n_ropes; i++) {
        b->ropes[i].cos = hlmi_scratch_rows(b, b->max_rows, plan->ropes[i].half);
        b->ropes[i].sin = hlmi_scratch_rows(b, b->max_rows, plan->ropes[i].half);
    }
    at_place(b, 0);
    for (size_t i = 0; i < plan->n_ropes; i++) b->ops->rope_table(b, i);
}

hlm_status hlmi_record(hlmi_builder *b, hlmi_recording what)
{
    const hlmi_plan *plan = b->plan;
    b->at = b->peak = b->worker_bytes = 0;
    b->st = HLM_OK;
    b->ropes = hlmi_calloc(&plan->mem, plan->n_ropes + 1, sizeof *b->ropes);
    if (!b->ropes) return hlmi_nomem(plan->n_ropes * sizeof *b->ropes, "a program");
    if (what == HLMI_RECORD_ALL) take_shared(b);
    for (size_t i = 0; i < plan->n_blocks && b->st == HLM_OK; i++) {
        const size_t mark = hlmi_scratch_mark(b);
        hlmi_record_fn *record = part_of(types[plan->blocks[i].kind], what);
        at_place(b, plan->blocks[i].place);
        if (record) record(b, plan->blocks[i].params);
        hlmi_scratch_release(b, mark);
    }
    hlmi_free(&plan->mem, b->ropes);
    b->ropes = NULL;
    return b->st;
}
