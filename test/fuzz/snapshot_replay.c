/* snapshot_replay [N [SEED [FOLDER]]]: runs the fuzz target for snapshots without a fuzzer, over N changed snapshots of
 * each of its models, made here: checksums would make a corpus of files useless with the first change of the format.
 * With a FOLDER the unchanged ones are also written there, as a beginning for a fuzzer. */
#include "fuzz/fuzz_snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT = 13, HEAD = 200 };

static uint64_t state;

static size_t below(size_t n)
{
    return (size_t)(random_next(&state) % n);
}

/* A sequence with marks and a log, as the target wants it: two bytes before it. */
static uint8_t *seed_of(size_t model, size_t *size)
{
    const fuzz_model *m = fuzz_model_open(model);
    hlm_cache *c = NULL;
    const hlm_cache_params params = {.struct_size = sizeof params, .max_tokens = 40};
    if (hlm_cache_new(&c, m->pool[0], &params) != HLM_OK) return NULL;
    for (int32_t i = 0; i < TEXT; i++) {
        const int32_t id = i * 3 + 1;
        const hlm_step one = {.struct_size = sizeof one, .cache = c, .tokens = &id, .n_tokens = 1};
        const hlm_step *const steps[] = {&one};
        if (hlm_decode_step(m->ctx[0], steps, 1) != HLM_OK) return NULL;
        if (i == 5 && hlm_cache_mark(c) != HLM_OK) return NULL;
    }
    size_t n = 0;
    if (hlm_cache_save_memory(c, NULL, 0, &n) != HLM_E_SPACE) return NULL;
    uint8_t *seed = malloc(n + 2);
    if (!seed || hlm_cache_save_memory(c, seed + 2, n, &n) != HLM_OK) return NULL;
    hlm_cache_free(c);
    seed[0] = 7;
    seed[1] = (uint8_t)model;
    *size = n + 2;
    return seed;
}

/* One change: mostly of the small numbers at the beginning, which decide most. */
static void change(uint8_t *x, size_t *size)
{
    static const uint64_t odd[] = {0, 1, 2, 3, 64, 4095, 4097, 0x7FFFFFFF, 0xFFFFFFFF, (uint64_t)1 << 62, UINT64_MAX};
    const size_t n = *size - 2, head = n < HEAD + 200 ? n : HEAD + 200;
    uint8_t *at = x + 2 + (below(4) ? below(head) : below(n));
    const uint64_t value = odd[below(sizeof odd / sizeof *odd)];
    const size_t room = (size_t)(x + *size - at);
    switch (below(5)) {
    case 0: *at ^= (uint8_t)(1u << below(8)); break;
    case 1: *at = (uint8_t)random_next(&state); break;
    case 2: memcpy(at, &value, room < 8 ? room : below(2) ? 8 : 4); break;
    case 3: *at = (uint8_t)(*at + 1); break;
    default: *size = below(3) ? *size : 2 + below(n); break;
    }
}

static void write_seed(const char *folder, size_t model, const uint8_t *seed, size_t size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/snapshot%zu", folder, model);
    FILE *f = fopen(path, "wb");
    if (f) fwrite(seed, 1, size, f);
    if (f) fclose(f);
}

int main(int argc, char **argv)
{
    const unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 3000;
    unsigned long passed = 0;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL) / 86400; /* others every day */
    printf("seed %llu\n", (unsigned long long)state);
    for (size_t model = 0; model < FUZZ_MODELS; model++) {
        size_t size = 0;
        uint8_t *seed = seed_of(model, &size);
        if (!seed) {
            printf("no snapshot of model %zu: %s\n0 passed, 1 failed\n", model, hlm_last_error());
            return 1;
        }
        if (argc > 3) write_seed(argv[3], model, seed, size);
        uint8_t *x = malloc(size);
        for (unsigned long i = 0; x && i < n; i++, passed++) {
            size_t m = size;
            memcpy(x, seed, size);
            if (below(8)) x[0] = (uint8_t)(7 | random_next(&state));
            else x[0] = (uint8_t)random_next(&state);
            for (size_t k = 1 + below(3); k-- > 0 && m > 2;) change(x, &m);
            LLVMFuzzerTestOneInput(x, m);
        }
        free(seed);
        free(x);
    }
    printf("%lu passed, 0 failed\n", passed);
    return passed == 0;
}
