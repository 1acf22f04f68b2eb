/* Token embeddings: the beginning of the residual stream. */
#include "block/block.h"

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_embed_params *p = params;
    b->ops->gather(b, &p->table, p->scale != 0.0f ? p->scale : 1.0f);
}

const hlmi_block_type hlmi_block_embed = {.name = "embed", .record = record};
