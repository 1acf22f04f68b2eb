/* Tensor types of GGUF files by their numbers, with the names of those that are refused. */
#include "weights/ggml_type.h"

#include <stddef.h>

typedef struct entry {
    const char *name; /* NULL: never given out */
    hlmi_type type; /* HLMI_TYPE_COUNT: not supported */
} entry;

#define OURS(id, t) \
  {                 \
    id, t           \
  }
#define OTHER(id)       \
  {                     \
    id, HLMI_TYPE_COUNT \
  }
static const entry entries[] = {
    [0] = OURS("f32", HLMI_F32),
    [1] = OURS("f16", HLMI_F16),
    [2] = OURS("q4_0", HLMI_Q4_0),
    [3] = OURS("q4_1", HLMI_Q4_1),
    [4] = OTHER("q4_2 (removed from the format)"),
    [5] = OTHER("q4_3 (removed from the format)"),
    [6] = OURS("q5_0", HLMI_Q5_0),
    [7] = OURS("q5_1", HLMI_Q5_1),
    [8] = OURS("q8_0", HLMI_Q8_0),
    [9] = OTHER("q8_1"),
    [10] = OTHER("q2_K"),
    [11] = OTHER("q3_K"),
    [12] = OURS("q4_K", HLMI_Q4_K),
    [13] = OTHER("q5_K"),
    [14] = OURS("q6_K", HLMI_Q6_K),
    [15] = OTHER("q8_K"),
    [16] = OTHER("iq2_xxs"),
    [17] = OTHER("iq2_xs"),
    [18] = OTHER("iq3_xxs"),
    [19] = OTHER("iq1_s"),
    [20] = OTHER("iq4_nl"),
    [21] = OTHER("iq3_s"),
    [22] = OTHER("iq2_s"),
    [23] = OTHER("iq4_xs"),
    [24] = OURS("i8", HLMI_I8),
    [25] = OURS("i16", HLMI_I16),
    [26] = OURS("i32", HLMI_I32),
    [27] = OURS("i64", HLMI_I64),
    [28] = OURS("f64", HLMI_F64),
    [29] = OTHER("iq1_m"),
    [30] = OURS("bf16", HLMI_BF16),
    [31] = OTHER("q4_0_4_4 (removed from the format)"),
    [32] = OTHER("q4_0_4_8 (removed from the format)"),
    [33] = OTHER("q4_0_8_8 (removed from the format)"),
    [34] = OTHER("tq1_0"),
    [35] = OTHER("tq2_0"),
    [36] = OTHER("iq4_nl_4_4 (removed from the format)"),
    [37] = OTHER("iq4_nl_4_8 (removed from the format)"),
    [38] = OTHER("iq4_nl_8_8 (removed from the format)"),
    [39] = OTHER("mxfp4"),
    [40] = OTHER("nvfp4"),
    [41] = OTHER("q1_0"),
};
#undef OURS
#undef OTHER

bool hlmi_ggml_type(uint32_t number, hlmi_type *type, const char **name)
{
    *name = NULL;
    if (number >= sizeof entries / sizeof *entries) return false;
    *name = entries[number].name;
    *type = entries[number].type;
    return *type != HLMI_TYPE_COUNT;
}
