/* Time of one draw for common chains: fastest of many, in microseconds. */
#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "sample/philox.h"
#include "unit/fake_model.h"

enum { DRAWS = 200 };

/* About normal with standard deviation 3, and every 6,000th token 15 above. */
static void fill(float *logits, int32_t vocab)
{
    for (int32_t i = 0; i < vocab; i++) {
        double sum = 0;
        for (int32_t j = 0; j < 12; j++) sum += hlmi_philox_uniform(3, (uint64_t)i * 12 + (uint64_t)j);
        logits[i] = (float)((sum - 6) * 3) + (i % 6000 == 7 ? 15.0f : 0.0f);
    }
}

static double fastest(hlm_sampler *s, const float *logits)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < DRAWS; i++) {
        int32_t token;
        const uint64_t begin = hlmi_os_now();
        if (hlm_sampler_sample(s, logits, &token) != HLM_OK) return -1;
        const uint64_t took = hlmi_os_now() - begin;
        best = took < best ? took : best;
    }
    return (double)best / 1e3;
}

int main(void)
{
    static const struct {
        const char *name;
        hlm_sampler_params p;
    } chains[] = {
        {"greedy", {0}},
        {"greedy, penalties", {.repetition_penalty = 1.1f}},
        {"temperature", {.temperature = 1}},
        {"top_k 40", {.temperature = 1, .top_k = 40}},
        {"top_k 40, top_p 0.95, min_p 0.05", {.temperature = 0.8f, .top_k = 40, .top_p = 0.95f, .min_p = 0.05f}},
        {"min_p 0.05", {.temperature = 1, .min_p = 0.05f}},
        {"top_p 0.5", {.temperature = 1, .top_p = 0.5f}},
        {"top_p 0.9", {.temperature = 1, .top_p = 0.9f}},
        {"typical_p 0.9", {.temperature = 1, .typical_p = 0.9f}},
    };
    static const int32_t vocabs[] = {49152, 128256};
    static float logits[128256];
    for (size_t v = 0; v < 2; v++) {
        fill(logits, vocabs[v]);
        for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
            hlm_model m;
            hlm_sampler *s = NULL;
            hlm_sampler_params p = chains[i].p;
            p.struct_size = sizeof p;
            fake_model_init(&m, vocabs[v]);
            if (hlm_sampler_new(&s, &m, &p) != HLM_OK) return EXIT_FAILURE;
            printf("%6d tokens  %-34s %8.1f us\n", vocabs[v], chains[i].name, fastest(s, logits));
            hlm_sampler_free(s);
        }
    }
    return EXIT_SUCCESS;
}
