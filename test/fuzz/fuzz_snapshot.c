/* Fuzz target: a snapshot. The first byte says what is put right before it is loaded (bit 0: checksums, 1: the size in
 * the head, 2: model and kernels of the head) and where (bit 3: with HLM_SNAPSHOT_OTHER_KERNELS, 4: into a pool of
 * other pages), the second which model. What loads is used: forked, rewound, run and saved. */
#include "fuzz/fuzz_snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/promised.h"
#include "fuzz/snapshot_sums.h"
#include "plan/model.h"
#include "../calls.h"

#ifndef MODELS
#  define MODELS "test/data/models" /* from the project's folder */
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[FUZZ_MODELS] = {MODELS "/tiny-llama.gguf", MODELS "/falcon-h1-options",
                                               MODELS "/hymba-options", MODELS "/experts"};
static fuzz_model opened[FUZZ_MODELS];

fuzz_model *fuzz_model_open(size_t i)
{
    fuzz_model *m = &opened[i];
    if (m->model) return m;
    PROMISED(hlm_model_load(&m->model, paths[i], NULL) == HLM_OK);
    const bool give_back = i == FUZZ_MODELS - 1;
    for (size_t p = 0; p < 2; p++) {
        const hlm_pool_params pp = {.struct_size = sizeof pp,
                                    .page_tokens = p ? 16 : 2,
                                    .mark_stride = 4,
                                    .mark_bytes = give_back ? 1 : 1 << 20,
                                    .undo_tokens = give_back ? -1
                                        : p                  ? 5
                                                             : 3,
                                    .window_rows = give_back ? HLM_WINDOW_GIVE_BACK : HLM_WINDOW_KEEP};
        PROMISED(hlm_pool_new(&m->pool[p], m->model, &pp) == HLM_OK);
        const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .max_rows = 16, .pool = m->pool[p]};
        PROMISED(hlm_ctx_new(&m->ctx[p], m->model, &cp) == HLM_OK);
    }
    return m;
}

static void run(const fuzz_model *m, size_t p, hlm_cache *c)
{
    static const int32_t ids[] = {1, 2, 3};
    const hlm_step one = {.struct_size = sizeof one, .cache = c, .tokens = ids, .n_tokens = 3};
    const hlm_step *const steps[] = {&one};
    const hlm_status st = hlm_decode_step(m->ctx[p], steps, 1);
    PROMISED(st == HLM_OK || st == HLM_E_FULL || st == HLM_E_UNREACHABLE);
}

/* A loaded sequence is a sequence. */
static void use(const fuzz_model *m, size_t p, hlm_cache *c)
{
    const int64_t length = hlm_cache_length(c);
    int64_t marks[64];
    size_t n = 0;
    hlm_cache *f = NULL;
    const hlm_status st = hlm_cache_marks(c, marks, 64, &n);
    for (size_t i = 0; i < n && st == HLM_OK; i++) PROMISED(marks[i] <= length);
    for (int64_t at = length; at >= 0; at -= 1 + length / 3) {
        PROMISED(hlm_cache_fork(&f, c, at) == HLM_OK);
        run(m, p, f);
        hlm_cache_free(f);
    }
    n = 0;
    PROMISED(hlm_cache_save_memory(c, NULL, 0, &n) == HLM_E_SPACE);
    void *again = malloc(n);
    PROMISED(again && hlm_cache_save_memory(c, again, n, &n) == HLM_OK);
    PROMISED(hlm_cache_load_memory(&f, m->pool[p], again, n, 0) == HLM_OK);
    hlm_cache_free(f);
    free(again);
    run(m, p, c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    const uint8_t how = data[0];
    const fuzz_model *m = fuzz_model_open(data[1] % FUZZ_MODELS);
    const size_t p = (how >> 4) & 1, n = size - 2;
    uint8_t *copy = malloc(n ? n : 1);
    hlmi_snapshot_head own, *head = (hlmi_snapshot_head *)(void *)copy;
    PROMISED(copy);
    memcpy(copy, data + 2, n);
    hlmi_snapshot_head_of(&own, m->pool[p]);
    if ((how & 2) && n >= sizeof *head) head->total = n;
    if ((how & 4) && n >= sizeof *head) {
        memcpy(head->model, own.model, sizeof own.model);
        memcpy(head->kernels, own.kernels, sizeof own.kernels);
    }
    if (how & 1) sums_fix(&m->model->kernels, copy, n);
    hlm_cache *c = NULL;
    uint64_t before = 0, after = 0;
    PROMISED(call_usage(m->pool[p], &before, NULL) == HLM_OK);
    const hlm_status st = hlm_cache_load_memory(&c, m->pool[p], copy, n, how & 8 ? HLM_SNAPSHOT_OTHER_KERNELS : 0);
    PROMISED((st == HLM_OK) == (c != NULL));
    if (st == HLM_OK) use(m, p, c);
    else PROMISED(strlen(hlm_last_error()) > 5);
    hlm_cache_free(c);
    PROMISED(call_usage(m->pool[p], &after, NULL) == HLM_OK && before == after);
    free(copy);
    return 0;
}
