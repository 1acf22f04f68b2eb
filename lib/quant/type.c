/* The table of element types. */
#include "quant/type.h"

#include "quant/ggml.h"

#define PLAIN(id, text, size) \
  static const hlmi_type_info id = {.name = text, .block = 1, .bytes = size, .layout = HLMI_LAYOUT_NONE}
PLAIN(plain_i8, "i8", 1);
PLAIN(plain_u8, "u8", 1);
PLAIN(plain_i16, "i16", 2);
PLAIN(plain_u16, "u16", 2);
PLAIN(plain_i32, "i32", 4);
PLAIN(plain_u32, "u32", 4);
PLAIN(plain_i64, "i64", 8);
PLAIN(plain_u64, "u64", 8);
PLAIN(plain_bool, "bool", 1);
#undef PLAIN

static const hlmi_type_info *const types[HLMI_TYPE_COUNT] = {
    [HLMI_F32] = &hlmi_type_f32,   [HLMI_F16] = &hlmi_type_f16,   [HLMI_BF16] = &hlmi_type_bf16,
    [HLMI_Q4_0] = &hlmi_type_q4_0, [HLMI_Q4_1] = &hlmi_type_q4_1, [HLMI_Q5_0] = &hlmi_type_q5_0,
    [HLMI_Q5_1] = &hlmi_type_q5_1, [HLMI_Q8_0] = &hlmi_type_q8_0, [HLMI_Q4_K] = &hlmi_type_q4_k,
    [HLMI_Q6_K] = &hlmi_type_q6_k, [HLMI_F64] = &hlmi_type_f64,   [HLMI_I8] = &plain_i8,
    [HLMI_U8] = &plain_u8,         [HLMI_I16] = &plain_i16,       [HLMI_U16] = &plain_u16,
    [HLMI_I32] = &plain_i32,       [HLMI_U32] = &plain_u32,       [HLMI_I64] = &plain_i64,
    [HLMI_U64] = &plain_u64,       [HLMI_BOOL] = &plain_bool,
};

const hlmi_type_info *hlmi_type_get(hlmi_type type)
{
    return (unsigned)type < HLMI_TYPE_COUNT ? types[type] : NULL;
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
