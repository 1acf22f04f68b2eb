/* Tensor types of GGUF files by their numbers, with the names of those that are refused. */
#include "weights/ggml_type.h"

#include <stddef.h>

typedef struct entry {
    const char *name; /* NULL: never given out */
    hlmi_type type; /* NONE: not supported */
} entry;

#define NONE HLMI_TYPE_COUNT

static const entry entries[] = {
    [0] = {"f32", HLMI_F32},
    [1] = {"f16", HLMI_F16},
    [2] = {"q4_0", HLMI_Q4_0},
    [3] = {"q4_1", HLMI_Q4_1},
    [4] = {"q4_2 (removed from the format)", NONE},
    [5] = {"q4_3 (removed from the format)", NONE},
    [6] = {"q5_0", HLMI_Q5_0},
    [7] = {"q5_1", HLMI_Q5_1},
    [8] = {"q8_0", HLMI_Q8_0},
    [9] = {"q8_1", NONE},
    [10] = {"q2_K", NONE},
    [11] = {"q3_K", NONE},
    [12] = {"q4_K", HLMI_Q4_K},
    [13] = {"q5_K", NONE},
    [14] = {"q6_K", HLMI_Q6_K},
    [15] = {"q8_K", NONE},
    [16] = {"iq2_xxs", NONE},
    [17] = {"iq2_xs", NONE},
    [18] = {"iq3_xxs", NONE},
    [19] = {"iq1_s", NONE},
    [20] = {"iq4_nl", NONE},
    [21] = {"iq3_s", NONE},
    [22] = {"iq2_s", NONE},
    [23] = {"iq4_xs", NONE},
    [24] = {"i8", HLMI_I8},
    [25] = {"i16", HLMI_I16},
    [26] = {"i32", HLMI_I32},
    [27] = {"i64", HLMI_I64},
    [28] = {"f64", HLMI_F64},
    [29] = {"iq1_m", NONE},
    [30] = {"bf16", HLMI_BF16},
    [31] = {"q4_0_4_4 (removed from the format)", NONE},
    [32] = {"q4_0_4_8 (removed from the format)", NONE},
    [33] = {"q4_0_8_8 (removed from the format)", NONE},
    [34] = {"tq1_0", NONE},
    [35] = {"tq2_0", NONE},
    [36] = {"iq4_nl_4_4 (removed from the format)", NONE},
    [37] = {"iq4_nl_4_8 (removed from the format)", NONE},
    [38] = {"iq4_nl_8_8 (removed from the format)", NONE},
    [39] = {"mxfp4", NONE},
    [40] = {"nvfp4", NONE},
    [41] = {"q1_0", NONE},
};

bool hlmi_ggml_type(uint64_t number, hlmi_type *type, const char **name)
{
    *name = NULL;
    if (number >= sizeof entries / sizeof *entries) return false;
    *name = entries[number].name;
    *type = entries[number].type;
    return *type != NONE;
}
