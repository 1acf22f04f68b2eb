/* Hidden states on the way into a layer. */
#include "block/block.h"

static void record(hlmi_builder *b, const void *params)
{
    const hlmi_tap_params *p = params;
    if (b->taps) b->ops->tap(b, p->layer, NULL);
}

const hlmi_block_type hlmi_block_tap = {.record = record};
