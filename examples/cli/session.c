/* Model, context, cache and sampler from the options (see session.h). */
#define _POSIX_C_SOURCE 200809L
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters.h"
#include "interrupt.h"
#include "report.h"

static int32_t on_load(void *user, uint64_t done, uint64_t total)
{
    cli_progress_show(user, (double)done, (double)total);
    return cli_interrupted();
}

static hlm_status try_model(const cli_options *o, const char *path, cli_need need, hlm_model **out)
{
    cli_progress progress;
    cli_progress_start(&progress, o, "loading");
    const hlm_model_params params = {
        .struct_size = sizeof params,
        .flags = (need == CLI_NEED_VOCAB       ? (uint32_t)HLM_LOAD_VOCAB_ONLY
                      : need == CLI_NEED_FACTS ? (uint32_t)HLM_LOAD_HEADERS
                                               : 0) |
            (o->read ? (uint32_t)HLM_LOAD_READ : 0) | (o->portable ? (uint32_t)HLM_LOAD_PORTABLE : 0) |
            (o->check ? (uint32_t)HLM_LOAD_CHECK_WEIGHTS : 0) |
            (o->quantise_tied ? (uint32_t)HLM_LOAD_QUANTISE_TIED : 0),
        .activations = o->activations,
        .cpu = cli_cpu(o),
        .quantise = o->quantise,
        .progress = on_load,
        .progress_user = &progress,
    };
    const hlm_status st = hlm_model_load(out, path, &params);
    cli_progress_end(&progress);
    return st;
}

static int fail_load(const cli_options *o, hlm_status st)
{
    return cli_fail_status(o, st, "the model could not be loaded");
}

int cli_load_model(const cli_options *o, const char *path, cli_need need, hlm_model **out)
{
    const hlm_status st = try_model(o, path, need, out);
    return st == HLM_OK ? CLI_OK : fail_load(o, st);
}

/* *refused (may be NULL) receives what would be told of a model that is not loaded. */
static int load(cli_session *s, cli_need need, hlm_status *refused)
{
    const cli_options *o = s->o;
    const char *path = o->model ? o->model : getenv("HYBRIDLM_MODEL");
    static const char hint[] = "Give one with -m PATH or in HYBRIDLM_MODEL; ./quickstart.sh fetches a small one.";
    if ((!path || !*path) && o->argument)
        return cli_fail(o, CLI_USAGE, hint, "no model: '%.60s' is no file or folder, so it was taken for the text",
                        o->argument);
    if (!path || !*path) return cli_fail(o, CLI_USAGE, hint, "no model");
    s->path = path;
    const hlm_status st = try_model(o, path, need, &s->model);
    if (refused) *refused = st;
    if (st != HLM_OK) return refused ? CLI_OK : fail_load(o, st);
    s->info.struct_size = sizeof s->info;
    const hlm_status info = hlm_model_info_get(s->model, &s->info);
    cli_plain(s->name, sizeof s->name, info == HLM_OK ? s->info.name : "");
    s->info.name = s->name;
    return info == HLM_OK ? CLI_OK : cli_fail_status(o, info, "the model's facts could not be read");
}

static int make_context(cli_session *s)
{
    const hlm_pool_params pool = {.struct_size = sizeof pool,
                                  .kv_type = s->o->kv,
                                  .state_type = s->o->state,
                                  .window_rows = s->o->window_rows,
                                  .memory_token_adapter =
                                      s->adapter /* which makes it known: snapshots and texts with it can be loaded */};
    hlm_status st = hlm_pool_new(&s->pool, s->model, &pool);
    if (st == HLM_OK) {
        const hlm_ctx_params ctx = {.struct_size = sizeof ctx, .n_threads = (int32_t)s->o->threads, .pool = s->pool};
        st = hlm_ctx_new(&s->ctx, s->model, &ctx);
    }
    if (st != HLM_OK) return cli_fail_status(s->o, st, "the context could not be made");
    cli_interrupt_target(s->ctx);
    return CLI_OK;
}

static int make_cache(cli_session *s)
{
    s->max_tokens = s->o->ctx ? s->o->ctx : s->info.max_positions;
    const hlm_cache_params params = {.struct_size = sizeof params, .max_tokens = s->max_tokens};
    const hlm_status st = hlm_cache_new(&s->cache, s->pool, &params);
    return st == HLM_OK ? CLI_OK : cli_fail_status(s->o, st, "the cache could not be made");
}

void cli_session_new_seed(cli_session *s)
{
    uint32_t seed = 0;
    if (s->o->seed >= 0) {
        s->seed = (uint64_t)s->o->seed;
        return;
    }
    FILE *f = fopen("/dev/urandom", "rb");
    if (!f || fread(&seed, sizeof seed, 1, f) != 1) seed = (uint32_t)(cli_seconds() * 1e6) ^ (uint32_t)getpid();
    if (f) fclose(f);
    s->seed = seed; /* short enough to be typed, and exact in every reader of JSON */
}

void cli_session_tell_seed(const cli_session *s, bool drawn)
{
    if (drawn && s->o->seed < 0)
        cli_remark(s->o, "seed %llu; --seed %llu gives the same again", (unsigned long long)s->seed,
                   (unsigned long long)s->seed);
}

int cli_session_sampler(const cli_session *s, double temperature, hlm_sampler **out)
{
    const cli_options *o = s->o;
    const hlm_sampler_params params = {
        .struct_size = sizeof params,
        .seed = s->seed,
        .penalty_window = o->penalty_window,
        .repetition_penalty = (float)o->repeat_penalty,
        .frequency_penalty = (float)o->frequency_penalty,
        .presence_penalty = (float)o->presence_penalty,
        .top_k = (int32_t)o->top_k,
        .typical_p = (float)o->typical_p,
        .top_p = (float)o->top_p,
        .min_p = (float)o->min_p,
        .temperature = (float)temperature,
    };
    const hlm_status st = hlm_sampler_new(out, s->model, &params);
    return st == HLM_OK ? CLI_OK : cli_fail_status(o, st, "these sampling options do not work");
}

int cli_session_input(const cli_session *s, cli_ids *ids)
{
    const cli_options *o = s->o;
    if (o->ids && (o->prompt || o->file)) return cli_fail(o, CLI_USAGE, NULL, "give a text or --ids, not both");
    if (o->ids) return cli_read_ids(o, o->ids, ids);
    cli_text text = {0};
    int rc = cli_read_input(o, &text);
    if (rc == CLI_OK) {
        const hlm_status st = cli_tokenize(s->model, text.data, text.len, cli_tokenize_flags(o), ids);
        if (st != HLM_OK) rc = cli_fail_status(o, st, "the text could not be tokenized");
    }
    cli_text_free(&text);
    return rc;
}

int cli_session_open(cli_session *s, const cli_options *o, cli_need need)
{
    *s = (cli_session){.o = o};
    cli_session_new_seed(s);
    int rc = load(s, need, NULL);
    if (rc == CLI_OK && need >= CLI_NEED_CONTEXT) rc = cli_adapters_open(o, s->model, &s->adapter);
    if (rc == CLI_OK && need >= CLI_NEED_CONTEXT) rc = make_context(s);
    if (rc == CLI_OK && need >= CLI_NEED_CACHE) rc = make_cache(s);
    if (rc == CLI_OK && need >= CLI_NEED_SAMPLER) rc = cli_session_sampler(s, o->temperature, &s->sampler);
    if (rc == CLI_OK && need >= CLI_NEED_SAMPLER) rc = cli_drafter_open(&s->drafter, o);
    return rc;
}

int cli_session_facts(cli_session *s, const cli_options *o, hlm_status *refused)
{
    *s = (cli_session){.o = o};
    return load(s, CLI_NEED_FACTS, refused);
}

int cli_session_refused(const cli_session *s, hlm_status refused)
{
    return fail_load(s->o, refused);
}

void cli_session_close(cli_session *s)
{
    cli_interrupt_target(NULL);
    cli_drafter_close(&s->drafter);
    hlm_sampler_free(s->sampler);
    hlm_cache_free(s->cache);
    hlm_ctx_free(s->ctx);
    hlm_adapter_release(s->adapter);
    hlm_pool_release(s->pool);
    hlm_model_release(s->model);
}

void cli_session_recall(cli_session *s)
{
    const char *folder = s->o->prefix_folder;
    size_t refused = 0;
    if (!folder) return;
    const hlm_status st = hlm_prefix_load(s->pool, folder, 0, &refused);
    if (st == HLM_E_IO) cli_remark(s->o, "%s holds no texts yet", folder);
    else if (st != HLM_OK) cli_remark(s->o, "%s", hlm_last_error());
    if (refused)
        cli_remark(s->o, "%zu texts of %s are damaged, or not of this model and its adapters", refused, folder);
}

void cli_session_keep(cli_session *s)
{
    if (!s->o->prefix_folder) return;
    if (hlm_prefix_save(s->pool, s->o->prefix_folder) != HLM_OK) cli_remark(s->o, "%s", hlm_last_error());
}
