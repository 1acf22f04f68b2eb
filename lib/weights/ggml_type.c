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
    [9] = {"q8_1", HLMI_Q8_1},
    [10] = {"q2_K", HLMI_Q2_K},
    [11] = {"q3_K", HLMI_Q3_K},
    [12] = {"q4_K", HLMI_Q4_K},
    [13] = {"q5_K", HLMI_Q5_K},
    [14] = {"q6_K", HLMI_Q6_K},
    [15] = {"q8_K", HLMI_Q8_K},
    [16] = {"iq2_xxs", HLMI_IQ2_XXS},
    [17] = {"iq2_xs", HLMI_IQ2_XS},
    [18] = {"iq3_xxs", HLMI_IQ3_XXS},
    [19] = {"iq1_s", HLMI_IQ1_S},
    [20] = {"iq4_nl", HLMI_IQ4_NL},
    [21] = {"iq3_s", HLMI_IQ3_S},
    [22] = {"iq2_s", HLMI_IQ2_S},
    [23] = {"iq4_xs", HLMI_IQ4_XS},
    [24] = {"i8", HLMI_I8},
    [25] = {"i16", HLMI_I16},
    [26] = {"i32", HLMI_I32},
    [27] = {"i64", HLMI_I64},
    [28] = {"f64", HLMI_F64},
    [29] = {"iq1_m", HLMI_IQ1_M},
    [30] = {"bf16", HLMI_BF16},
    [31] = {"q4_0_4_4 (removed from the format)", NONE},
    [32] = {"q4_0_4_8 (removed from the format)", NONE},
    [33] = {"q4_0_8_8 (removed from the format)", NONE},
    [34] = {"tq1_0", HLMI_TQ1_0},
    [35] = {"tq2_0", HLMI_TQ2_0},
    [36] = {"iq4_nl_4_4 (removed from the format)", NONE},
    [37] = {"iq4_nl_4_8 (removed from the format)", NONE},
    [38] = {"iq4_nl_8_8 (removed from the format)", NONE},
    [39] = {"mxfp4", HLMI_MXFP4},
    [40] = {"nvfp4", HLMI_NVFP4},
    [41] = {"q1_0", HLMI_Q1_0},
    [42] = {"q2_0", HLMI_Q2_0},
};

bool hlmi_ggml_type(uint64_t number, hlmi_type *type, const char **name)
{
    *name = NULL;
    if (number >= sizeof entries / sizeof *entries) return false;
    *name = entries[number].name;
    *type = entries[number].type;
    return *type != NONE;
}
