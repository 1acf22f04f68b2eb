/* q8_1 and q8_K: what llama.cpp makes of activations; some files hold them. */
#include "quant/scaled.h"

typedef struct hlmi_q8_1 {
    uint8_t d[2], sum[2], qs[32];
} hlmi_q8_1;
typedef struct hlmi_q8_k {
    uint8_t d[4], qs[256], sums[32];
} hlmi_q8_k;

static void split(hlmi_run *runs, float d, const uint8_t *qs, size_t n)
{
    for (size_t r = 0; r < n; r++, qs += HLMI_RUN) {
        runs[r] = (hlmi_run){.d = d};
        memcpy(runs[r].q, qs, HLMI_RUN);
    }
}

static void q8_1_split(hlmi_run *runs, const void *block)
{
    const hlmi_q8_1 *b = block;
    split(runs, hlmi_load_f16(b->d), b->qs, 2);
}

static void q8_k_split(hlmi_run *runs, const void *block)
{
    const hlmi_q8_k *b = block;
    split(runs, hlmi_f32_from_bits(hlmi_load32(b->d)), b->qs, 16);
}

HLMI_SCALED_TYPE(q8_1, "q8_1", 32, Q8)
HLMI_SCALED_TYPE(q8_k, "q8_K", 256, S8)
