/* Loading models. */
#include "plan/model.h"

#include <stdio.h>
#include <string.h>

#include "api/places.h"
#include "api/templates.h"
#include "api/vocab.h"
#include "arch/arch.h"
#include "arch/loader.h"
#include "arch/rope.h"
#include "base/call.h"
#include "base/params.h"
#include "base/size.h"

static hlm_status check_params(const hlm_model_params *p)
{
    const uint32_t known = HLM_LOAD_READ | HLM_LOAD_PORTABLE | HLM_LOAD_VOCAB_ONLY | HLM_LOAD_CHECK_WEIGHTS |
        HLM_LOAD_NO_MEMORY_TOKENS | HLM_LOAD_HEADERS | HLM_LOAD_QUANTISE_TIED;
    if (p->flags & ~known)
        return hlmi_fail(HLM_E_UNSUPPORTED, "hlm_model_params.flags has unknown bits 0x%x", p->flags & ~known);
    if (p->activations < HLM_ACTIVATIONS_DEFAULT || p->activations > HLM_ACTIVATIONS_F32)
        return hlmi_fail(HLM_E_ARG, "hlm_model_params.activations is %d", (int)p->activations);
    return HLM_OK;
}

/* The type that matrices are quantised to. */
static hlm_status read_quantise(hlmi_type *out, const char *name)
{
    char known[96] = "";
    *out = name ? hlmi_type_made(name) : HLMI_F32;
    if (*out != HLMI_TYPE_COUNT) return HLM_OK;
    for (unsigned i = 0; i < HLMI_TYPE_COUNT; i++) {
        const hlmi_type_info *t = hlmi_type_get((hlmi_type)i);
        const size_t at = strlen(known);
        if (t->quantise) snprintf(known + at, sizeof known - at, "%s%s", at ? ", " : "", t->name);
    }
    return hlmi_fail(HLM_E_UNSUPPORTED, "hlm_model_params.quantise is '%.40s', which is none of %s", name, known);
}

/* A model and what of it only this folder knows. */
typedef struct loaded {
    hlm_model model;
    hlmi_templates templates;
} loaded;

static void model_free(hlm_model *m)
{
    const hlmi_mem mem = m->mem;
    hlmi_fingerprint_free(&m->fingerprint);
    hlmi_plan_free(&m->plan);
    hlmi_tokenizer_free(m->tokenizer);
    hlmi_store_close(m->store);
    hlmi_template_free(m->chat_template);
    hlmi_templates_free(m->templates, &mem);
    hlmi_free(&mem, m->arch);
    hlmi_free(&mem, m->name);
    hlmi_free(&mem, m);
}

static hlm_status model_alloc(hlm_model **out, const hlm_model_params *p)
{
    hlmi_mem mem;
    hlmi_logger log;
    unsigned cpu;
    hlmi_type quantise;
    if (!hlmi_cpu_limit(p->cpu, &cpu))
        return hlmi_fail(HLM_E_UNSUPPORTED, "hlm_model_params.cpu is '%.40s', which is no known instruction set",
                         p->cpu);
    HLMI_DO(read_quantise(&quantise, p->quantise));
    HLMI_DO(hlmi_mem_from(&mem, p->allocator));
    HLMI_DO(hlmi_log_from(&log, p->log));
    loaded *l = hlmi_calloc(&mem, 1, sizeof *l);
    if (!l) return hlmi_nomem(sizeof *l, "a model");
    hlm_model *m = &l->model;
    atomic_init(&m->refs, 1);
    m->end = model_free;
    m->templates = &l->templates;
    m->mem = mem;
    m->log = log;
    m->flags = p->flags;
    m->f32_activations = p->activations == HLM_ACTIVATIONS_F32;
    hlmi_plan_init(&m->plan, &mem);
    m->plan.quantise = quantise;
    m->plan.quantise_tied = (p->flags & HLM_LOAD_QUANTISE_TIED) != 0;
    hlmi_kernels_init(&m->kernels, cpu, (p->flags & HLM_LOAD_PORTABLE) != 0);
    *out = m;
    return HLM_OK;
}

static hlm_status keep_names(hlm_model *m, const char *arch, const char *name, size_t len)
{
    m->arch = hlmi_strndup(&m->mem, arch, strlen(arch));
    m->name = hlmi_strndup(&m->mem, name ? name : "", len);
    return m->arch && m->name ? HLM_OK : hlmi_nomem(len, "a name");
}

/* The vocabulary and the embedding must fit each other. */
static hlm_status check_vocab(const hlm_model *m)
{
    if (!m->tokenizer) return HLM_OK;
    const hlm_status st = hlmi_tokenizer_limit(m->tokenizer, m->plan.vocab_size, &m->log);
    return st == HLM_OK ? st : hlmi_fail_prefix(st, "%s: ", hlmi_store_path(m->store));
}

/* The numbers of the plan's table. */
static hlm_status read_weights(hlm_model *m, const hlm_model_params *p)
{
    hlmi_loader loader = {.store = m->store,
                          .plan = &m->plan,
                          .check_values = (p->flags & HLM_LOAD_CHECK_WEIGHTS) != 0,
                          .progress = p->progress,
                          .progress_user = p->progress_user,
                          .fingerprint = &m->fingerprint};
    const hlm_status st = hlmi_loader_run(&loader);
    return st == HLM_OK ? hlmi_rope_divide(&m->plan, hlmi_store_path(m->store)) : st;
}

static hlm_status load_weights(hlm_model *m, const hlm_model_params *p)
{
    hlmi_config config;
    const hlmi_arch *arch = NULL;
    char name[80];
    hlmi_str own;
    hlm_status st;
    HLMI_TRY(hlmi_arch_find(m->store, &config, name, sizeof name, &arch));
    HLMI_TRY(hlmi_config_string(&config, (hlmi_key){"_name_or_path", "general.name"}, &own));
    HLMI_TRY(keep_names(m, name, own.s, own.len));
    hlmi_fingerprint_init(&m->fingerprint, m->kernels.hash, &m->mem);
    HLMI_TRY(hlmi_fingerprint_settings(&m->fingerprint, m->store, name));
    HLMI_TRY(hlmi_arch_build(arch, &config, &m->plan));
    hlmi_places_choose(m);
    HLMI_TRY(hlmi_plan_place(&m->plan, m->places, hlmi_store_path(m->store)));
    if (!(p->flags & HLM_LOAD_HEADERS)) HLMI_TRY(read_weights(m, p));
    if (p->flags & HLM_LOAD_NO_MEMORY_TOKENS) m->plan.n_prefix = 0;
    HLMI_TRY(check_vocab(m));
    hlmi_log_line(&m->log, HLM_LOG_INFO, "%s: %s, %zu layers, %llu MB of weights, kernels %s%s",
                  hlmi_store_path(m->store), name, m->plan.n_layers, (unsigned long long)(m->plan.weight_bytes >> 20),
                  m->kernels.isa, p->flags & HLM_LOAD_PORTABLE ? ", portable" : "");
done:
    return st;
}

/* The tokenizer and the chat templates of the open store. */
static hlm_status load_text(hlm_model *m)
{
    HLMI_DO(hlmi_vocab_load(&m->tokenizer, &m->mem, m->store, &m->log));
    hlm_status st = hlmi_templates_load(m->templates, &m->mem, m->store);
    const hlmi_named_text *text = st == HLM_OK ? hlmi_templates_find(m->templates, "default") : NULL;
    if (text) {
        m->chat_text = text->text;
        st = hlmi_template_new(&m->mem, text->text, text->len, &m->chat_template);
    }
    return st == HLM_OK ? st : hlmi_fail_prefix(st, "%s: ", hlmi_store_path(m->store));
}

/* HLM_LOAD_VOCAB_ONLY may name a tokenizer's file itself. */
static hlm_status load_vocab(hlm_model *m, const hlmi_vfs *vfs, const char *path)
{
    if ((m->flags & HLM_LOAD_VOCAB_ONLY) && hlmi_vocab_is_file(path))
        return hlmi_vocab_load_file(&m->tokenizer, &m->mem, vfs, path);
    const hlm_status st = hlmi_store_open(&m->store, &m->mem, vfs, path,
                                          m->flags & HLM_LOAD_VOCAB_ONLY ? HLMI_STORE_SIDE_FILES : HLMI_STORE_MODEL);
    return st == HLM_OK ? load_text(m) : st;
}

HLMI_CALL(hlm_model_load, (hlm_model **out, const char *path, const hlm_model_params *params), (out, path, params))
{
    hlm_model_params p;
    hlm_model *m = NULL;
    hlmi_vfs vfs;
    hlm_status st;
    if (out) *out = NULL;
    if (!out || !path) return hlmi_fail(HLM_E_ARG, "hlm_model_load: out and path are needed");
    HLMI_TRY(hlmi_params_read(&p, sizeof p, params, "hlm_model_params"));
    HLMI_TRY(check_params(&p));
    HLMI_TRY(hlmi_vfs_from(&vfs, p.vfs, !(p.flags & HLM_LOAD_READ)));
    HLMI_TRY(model_alloc(&m, &p));
    HLMI_TRY(load_vocab(m, &vfs, path));
    HLMI_TRY(p.flags & HLM_LOAD_VOCAB_ONLY ? keep_names(m, "", "", 0) : load_weights(m, &p));
    if (p.flags & HLM_LOAD_VOCAB_ONLY && !m->tokenizer)
        HLMI_TRY(hlmi_fail(HLM_E_UNSUPPORTED, "%s: no tokenizer is there", path));
    *out = m;
    m = NULL;
done:
    if (m) model_free(m);
    return st;
}
