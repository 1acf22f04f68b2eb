/* The drafts of --draft-ngram and --draft-model (see drafter.h). */
#include "drafter.h"

#include "report.h"
#include "session.h"

static int open_model(cli_drafter *d, const cli_options *o)
{
    const int rc = cli_load_model(o, o->draft_model, CLI_NEED_CONTEXT, &d->model);
    if (rc != CLI_OK) return rc;
    const hlm_ctx_params params = {.struct_size = sizeof params, .n_threads = (int32_t)o->threads};
    hlm_status st = hlm_ctx_new(&d->ctx, d->model, &params);
    if (st == HLM_OK) st = hlm_cache_new(&d->cache, hlm_ctx_pool(d->ctx), NULL);
    return st == HLM_OK ? CLI_OK : cli_fail_status(o, st, "the draft model's context could not be made");
}

int cli_drafter_open(cli_drafter *d, const cli_options *o)
{
    d->on = o->draft_ngram || o->draft_model;
    if (!d->on && (o->draft || o->branches))
        return cli_fail(o, CLI_USAGE, "Add --draft-ngram 8 or --draft-model PATH.", "--%s says how much, but not what",
                        o->draft ? "draft" : "branches");
    const int rc = o->draft_model ? open_model(d, o) : CLI_OK;
    d->params = (hlm_speculation){.struct_size = sizeof d->params,
                                  .n_draft = (int32_t)o->draft,
                                  .ngram = o->draft_ngram ? (int32_t)o->draft_ngram : -1,
                                  .n_branches = (int32_t)o->branches,
                                  .draft = d->ctx,
                                  .draft_cache = d->cache};
    return rc;
}

void cli_drafter_close(cli_drafter *d)
{
    hlm_cache_free(d->cache);
    hlm_ctx_free(d->ctx);
    hlm_model_release(d->model);
}

const hlm_speculation *cli_drafter_speculation(const cli_drafter *d)
{
    return d->on ? &d->params : NULL;
}
