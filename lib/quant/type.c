/* The table of element types. */
#include "quant/type.h"

#include <string.h>

#include "quant/ggml.h"

#define WEIGHT(constant, name) [HLMI_##constant] = &hlmi_type_##name,
#define PLAIN(constant, name, size) \
  [HLMI_##constant] = &(const hlmi_type_info){#name, 1, size, HLMI_LAYOUT_NONE, 0, 0, 0},

static const hlmi_type_info *const types[HLMI_TYPE_COUNT] = {HLMI_WEIGHT_TYPES(WEIGHT) HLMI_PLAIN_TYPES(PLAIN)};

const hlmi_type_info *hlmi_type_get(hlmi_type type)
{
    return (unsigned)type < HLMI_TYPE_COUNT ? types[type] : NULL;
}

hlmi_type hlmi_type_made(const char *name)
{
    unsigned i = 0;
    while (i < HLMI_TYPE_COUNT && !(types[i]->quantise && strcmp(types[i]->name, name) == 0)) i++;
    return (hlmi_type)i;
}

bool hlmi_type_row_bytes(hlmi_type type, uint64_t cols, uint64_t *bytes)
{
    const hlmi_type_info *t = hlmi_type_get(type);
    if (!t || cols % t->block != 0) return false;
    const uint64_t blocks = cols / t->block;
    if (blocks > UINT64_MAX / t->bytes) return false;
    *bytes = blocks * t->bytes;
    return true;
}
