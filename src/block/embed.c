/* Token embeddings: the beginning of the residual stream. */
#include "block/block.h"

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_embed_params *p = params;
    b->ops->gather(b, p->table, p->scale != 0.0f ? p->scale : 1.0f);
    const size_t n = b->plan->hidden_size;
    if (b->plan->keeps_embedding)
        b->ops->combine(
            b, &(hlmi_combine){.kind = HLMI_COMBINE_COPY, .cols = n, .a = b->x, .y = hlmi_rows_from(b->pair, n)});
}

const hlmi_block_type hlmi_block_embed = {.record = record};
