/* hlm_sampler: owns the copied parameters, the history, the draw counter and the scratch of the chain. */
#include <string.h>

#include "base/call.h"
#include "base/params.h"
#include "base/size.h"
#include "plan/model_mem.h"
#include "sample/draw.h"
#include "sample/philox.h"
#include "sample/sampler.h"
#include "sample/softmax.h"
#include "sample/chain.h"

enum { DEFAULT_WINDOW = 64 };

struct hlm_sampler {
    hlmi_mem mem;
    hlm_model *model;
    size_t vocab;
    hlm_sampler_params params; /* its logit_bias is `bias` */
    hlm_logit_bias *bias;
    uint64_t draws;
    hlmi_history history; /* used when a stage looks at it */
    hlmi_cands cands; /* used when plain logits do not do */
    bool plain; /* greedy without any stage */
};

static hlm_status copy_bias(hlm_sampler *s)
{
    if (s->params.n_logit_bias == 0) return HLM_OK;
    const size_t bytes = s->params.n_logit_bias * sizeof *s->bias; /* an array of that size exists */
    s->bias = hlmi_alloc(&s->mem, bytes);
    if (!s->bias) return hlmi_nomem(bytes, "the sampler's logit bias");
    memcpy(s->bias, s->params.logit_bias, bytes);
    s->params.logit_bias = s->bias;
    return HLM_OK;
}

/* A sampler with checked parameters `p`. */
static hlm_status create(hlm_sampler **out, hlm_model *model, size_t vocab, const hlm_sampler_params *p)
{
    hlm_status st = HLM_OK;
    const hlmi_mem *mem = hlmi_model_mem(model);
    const int64_t window = p->penalty_window == 0 ? DEFAULT_WINDOW : p->penalty_window;
    hlm_sampler *s = hlmi_calloc(mem, 1, sizeof *s);
    if (!s) return hlmi_nomem(sizeof *s, "a sampler");
    *s = (hlm_sampler){.mem = *mem, .vocab = vocab, .params = *p};
    s->plain = p->temperature == 0 && !hlmi_chain_changes_best(p);
    hlm_model_retain(model);
    s->model = model;
    HLMI_TRY(copy_bias(s));
    if (!s->plain) HLMI_TRY(hlmi_cands_init(&s->cands, vocab, &s->mem));
    if (hlmi_chain_looks_back(p))
        HLMI_TRY(hlmi_history_init(&s->history, vocab, window < 0 ? 0 : (size_t)window, &s->mem));
    *out = s;
    return HLM_OK;
done:
    hlm_sampler_free(s);
    return st;
}

HLMI_CALL(hlm_sampler_new,
          (hlm_sampler **out, hlm_model *model, const hlm_sampler_params *params),
          (out, model, params))
{
    if (!out) return hlmi_fail(HLM_E_ARG, "hlm_sampler_new: out is NULL");
    *out = NULL;
    if (!model) return hlmi_fail(HLM_E_ARG, "hlm_sampler_new: model is NULL");
    hlm_sampler_params p;
    hlm_model_info info = {.struct_size = sizeof info};
    HLMI_DO(hlmi_params_read(&p, sizeof p, params, "hlm_sampler_params"));
    HLMI_DO(hlm_model_info_get(model, &info));
    if (info.vocab_size < 1)
        return hlmi_fail(HLM_E_ARG, "hlm_sampler_new: the model's vocabulary has %d tokens", info.vocab_size);
    HLMI_DO(hlmi_chain_check(&p, (size_t)info.vocab_size));
    return create(out, model, (size_t)info.vocab_size, &p);
}

HLMI_CALL(hlm_sampler_fork, (hlm_sampler **out, const hlm_sampler *sampler), (out, sampler))
{
    if (!out) return hlmi_fail(HLM_E_ARG, "hlm_sampler_fork: out is NULL");
    *out = NULL;
    if (!sampler) return hlmi_fail(HLM_E_ARG, "hlm_sampler_fork: sampler is NULL");
    hlm_sampler *s = NULL;
    HLMI_DO(create(&s, sampler->model, sampler->vocab, &sampler->params));
    const hlm_status st = hlmi_sampler_assign(s, sampler);
    if (st == HLM_OK) *out = s;
    else hlm_sampler_free(s);
    return st;
}

hlm_status hlmi_sampler_assign(hlm_sampler *to, const hlm_sampler *from)
{
    const hlm_status st = from->history.count ? hlmi_history_assign(&to->history, &from->history, &to->mem) : HLM_OK;
    if (st == HLM_OK) to->draws = from->draws;
    return st;
}

static hlm_status none_left(void)
{
    return hlmi_fail(HLM_E_ARG, "hlm_sampler_sample: no token is left; all logits are NaN or -infinity");
}

HLMI_CALL(hlm_sampler_sample, (hlm_sampler *sampler, const float *logits, int32_t *token), (sampler, logits, token))
{
    if (!sampler || !logits || !token)
        return hlmi_fail(HLM_E_ARG, "hlm_sampler_sample: %s is NULL",
                         !sampler      ? "sampler"
                             : !logits ? "logits"
                                       : "token");
    if (sampler->plain) {
        const size_t best = hlmi_argmax(logits, sampler->vocab);
        if (best == sampler->vocab) return none_left();
        *token = (int32_t)best;
    } else {
        hlmi_cands *c = &sampler->cands;
        hlmi_cands_load(c, logits, sampler->vocab);
        if (!hlmi_chain_run(&sampler->params, &sampler->history, c)) return none_left();
        const float t = sampler->params.temperature;
        const size_t i = t == 0 ? hlmi_argmax(c->logit, c->n)
                                : hlmi_draw(c, t, hlmi_philox_uniform(sampler->params.seed, sampler->draws));
        *token = hlmi_cands_id(c, i);
    }
    sampler->draws++;
    return HLM_OK;
}

HLMI_CALL(hlm_sampler_accept, (hlm_sampler *sampler, int32_t token), (sampler, token))
{
    if (!sampler) return hlmi_fail(HLM_E_ARG, "hlm_sampler_accept: sampler is NULL");
    if (token < 0 || (size_t)token >= sampler->vocab)
        return hlmi_fail(HLM_E_TOKEN, "hlm_sampler_accept: token %d, the vocabulary has %zu", token, sampler->vocab);
    if (!sampler->history.count) return HLM_OK; /* no stage asks */
    return hlmi_history_add(&sampler->history, token, &sampler->mem);
}

const hlm_model *hlmi_sampler_model(const hlm_sampler *sampler)
{
    return sampler->model;
}

void hlm_sampler_free(hlm_sampler *sampler)
{
    if (!sampler) return;
    const hlmi_mem mem = sampler->mem;
    hlmi_cands_free(&sampler->cands, &mem);
    hlmi_history_free(&sampler->history, &mem);
    hlmi_free(&mem, sampler->bias);
    hlm_model_release(sampler->model);
    hlmi_free(&mem, sampler);
}
