/* What the tests of folders share: models of test/data/models, changed, loaded and compared. */
#ifndef TEST_UNIT_FOLDERS_HELP_H
#define TEST_UNIT_FOLDERS_HELP_H

#include "unit/memmodel.h"
#include "unit/suite.h"

static const char *folder = "test/data/models";

static inline mm_folder *read_folder(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return mm_folder_read(path);
}

/* Loads what the folder is now; the sentence is in hlm_last_error. */
static inline hlm_status load(const mm_folder *f, hlm_model **m)
{
    mm fs = {.n = 0};
    *m = NULL;
    mm_folder_write(f, &fs);
    const hlm_status st = mm_load(m, &fs, "m", 0);
    mm_clear(&fs);
    return st;
}

static inline float *logits_of(const mm_folder *f, size_t *n)
{
    hlm_model *m = NULL;
    ck_assert_msg(load(f, &m) == HLM_OK, "%s", hlm_last_error());
    float *out = mm_logits(m, n);
    ck_assert_msg(out != NULL, "%s", hlm_last_error());
    hlm_model_release(m);
    return out;
}

static inline void check_same(const mm_folder *f, const float *want, size_t n, const char *what)
{
    size_t found = 0;
    float *got = logits_of(f, &found);
    ck_assert_msg(found == n && memcmp(got, want, n * sizeof *got) == 0, "%s: other logits", what);
    free(got);
}

static inline void check_refused(const mm_folder *f, hlm_status status, const char *words)
{
    hlm_model *m = NULL;
    const hlm_status st = load(f, &m);
    ck_assert_msg(st == status && strstr(hlm_last_error(), words), "%s: '%s' lacks '%s', status %d",
                  json_string_value(json_object_get(f->config, "model_type")), hlm_last_error(), words, st);
}

/* All models of the folder that have a head of text, the class without one, and what the tensors' names begin with. */
static const struct {
    const char *model, *headless, *root;
} families[] = {
    {"llama3", "LlamaModel", "model."},
    {"mistral", "MistralModel", "model."},
    {"experts", "MixtralModel", "model."},
    {"qwen2", "Qwen2Model", "model."},
    {"qwen3", "Qwen3Model", "model."},
    {"phi", "PhiModel", "model."},
    {"persimmon", "PersimmonModel", "model."},
    {"falcon-h1-options", "FalconH1Model", "model."},
    {"granite4-dense", "GraniteMoeHybridModel", "model."},
    {"hymba-options", "HymbaModel", "model."},
    {"jamba", "JambaModel", "model."},
    {"lfm2", "Lfm2Model", "model."},
    {"falcon-mamba", "FalconMambaModel", "backbone."},
    {"mamba2-dtlimit", "Mamba2Model", "backbone."},
    {"nemotron-h-moe", "NemotronHModel", "backbone."},
    {"qwen3-next", "Qwen3NextModel", "model."},
    {"qwen3_5-options", "Qwen3_5TextModel", "model."},
    {"zamba2-options", "Zamba2Model", "model."},
};
enum { FAMILIES = sizeof families / sizeof *families };

#endif
