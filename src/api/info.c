/* Facts about models, and what they will take. */
#include <stdio.h>
#include <string.h>

#include "api/context.h"
#include "base/call.h"
#include "base/params.h"
#include "base/size.h"
#include "plan/model.h"
#include "state/radix.h"
#include "text/tokenizer.h"
#include "weights/store.h"

/* The matrix type that holds most bytes. */
static const char *main_type(const hlmi_plan *p)
{
    size_t best = 0;
    for (size_t i = 1; i < HLMI_TYPE_COUNT; i++)
        if (p->type_bytes[i] > p->type_bytes[best]) best = i;
    return p->type_bytes[best] ? hlmi_type_get((hlmi_type)best)->name : "";
}

HLMI_CALL(hlm_model_info_get, (const hlm_model *model, hlm_model_info *info), (model, info))
{
    if (!model || !info) return hlmi_fail(HLM_E_ARG, "hlm_model_info_get: model and info are needed");
    const hlmi_plan *p = &model->plan;
    hlmi_special_ids ids = {-1, -1, -1, -1};
    if (model->tokenizer) ids = hlmi_tokenizer_special(model->tokenizer);
    const bool vocab_only = (model->flags & HLM_LOAD_VOCAB_ONLY) != 0;
    const hlm_model_info full = {
        .arch = model->arch,
        .name = model->name,
        .weight_type = main_type(p),
        .kernel_class = model->kernels.name,
        .vocab_size = vocab_only ? hlmi_tokenizer_size(model->tokenizer) : (int32_t)p->vocab_size,
        .n_layers = (int32_t)p->n_layers,
        .hidden_size = (int32_t)p->hidden_size,
        .n_heads = (int32_t)p->n_heads,
        .n_kv_heads = (int32_t)p->n_kv_heads,
        .head_dim = (int32_t)p->head_dim,
        .max_positions = p->max_positions,
        .n_parameters = p->n_parameters,
        .file_bytes = vocab_only ? 0 : hlmi_store_bytes(model->store),
        .weight_bytes = p->weight_bytes,
        .bytes_per_token = p->bytes_per_token,
        .bos_token = ids.bos,
        .eos_token = ids.eos,
        .pad_token = ids.pad,
        .unk_token = ids.unk,
        .has_chat_template = model->chat_template != NULL,
        .head = p->head,
        .n_labels = p->head == HLM_HEAD_TEXT ? 0 : (int32_t)p->n_out,
        .n_active_parameters = p->n_active,
    };
    return hlmi_result_write(info, &full, sizeof full, "hlm_model_info");
}

/* The names of HLMI_BLOCK_... */
static const char *const block_names[] = {
#define NAME(kind, name) #name,
    HLMI_BLOCKS(NAME)
#undef NAME
};

/* A layer or an item where the weight's name has a place for it. */
static int32_t placed(const hlmi_weight *w, const char *place, size_t number)
{
    return strstr(hlmi_key_in(w->want.name, w->dialect), place) ? (int32_t)number : -1;
}

static hlm_weight_info weight_info(const hlmi_plan *p, const hlmi_weight *w)
{
    const hlmi_type_info *type = hlmi_type_get(w->tensor->type);
    const uint64_t n = (uint64_t)w->want.rows * hlmi_max_size(1, w->want.cols);
    hlm_weight_info info = {
        .n_weights = p->n_weights,
        .tensor = w->tensor->name,
        .type = type->name,
        .block = block_names[p->blocks[w->block].kind],
        .role = w->want.role,
        .layer = placed(w, "%zu", w->want.layer),
        .item = w->want.expert ? (int32_t)w->want.item : placed(w, "%e", w->want.item),
        .rows = w->want.rows,
        .cols = w->want.cols,
        .unit = w->want.unit,
        .file_bytes = n / type->block * type->bytes,
        .bytes = w->use == HLMI_USE_NUMBERS ? n * sizeof *w->numbers : w->matrix.bytes,
        .kept_type = hlmi_type_get(w->use == HLMI_USE_NUMBERS ? HLMI_F32 : w->matrix.type)->name,
    };
    if (!info.unit) info.unit = w->use == HLMI_USE_PRODUCT ? hlmi_layout_get(w->matrix.layout)->rows : 1;
    for (uint32_t i = 0; i < w->tensor->n_dims; i++) info.dims[i] = w->tensor->dims[i];
    return info;
}

HLMI_CALL(hlm_model_weight, (const hlm_model *model, size_t i, hlm_weight_info *info), (model, i, info))
{
    if (!model || !info) return hlmi_fail(HLM_E_ARG, "hlm_model_weight: model and info are needed");
    HLMI_DO(hlmi_model_planned(model));
    if (i >= model->plan.n_weights)
        return hlmi_fail(HLM_E_ARG, "hlm_model_weight: %zu, the model has %zu weights", i, model->plan.n_weights);
    const hlm_weight_info full = weight_info(&model->plan, model->plan.weights[i]);
    return hlmi_result_write(info, &full, sizeof full, "hlm_weight_info");
}

size_t hlm_model_hidden_width(const hlm_model *model, int32_t kind)
{
    if (!model) return 0;
    if (kind == HLM_HIDDEN_STREAM) return model->plan.hidden_size;
    return kind == HLM_HIDDEN_ATTENTION || kind == HLM_HIDDEN_RECURRENCE ? model->plan.branch_size : 0;
}

const char *hlm_model_label(const hlm_model *model, int32_t i)
{
    char key[16];
    if (!model || i < 0 || model->plan.head == HLM_HEAD_TEXT || (size_t)i >= model->plan.n_out) return NULL;
    snprintf(key, sizeof key, "%d", (int)i);
    return hlmi_json_string(hlmi_json_get(hlmi_store_config(model->store), "id2label"), key);
}

int32_t hlm_model_token_ends(const hlm_model *model, int32_t token)
{
    return model && model->tokenizer && hlmi_tokenizer_ends(model->tokenizer, token);
}

/* full->state: what all sequences take, and what the pool holds once, the state before the first token and the sequence
 * of the model's prefix. */
static hlm_status plan_state(const hlmi_plan *plan, const hlm_plan_params *p, const hlmi_page_layout *pages,
                             const hlmi_state_layout *states, int64_t slack, hlm_memory_plan_info *full)
{
    const uint64_t most = UINT64_MAX / 4, per = pages->tokens, prefix = plan->n_prefix;
    const uint64_t tokens = p->n_tokens ? (uint64_t)p->n_tokens : (uint64_t)plan->max_positions;
    const uint64_t count = p->n_sequences ? p->n_sequences : 1;
    const uint64_t n_pages =
        (prefix + tokens + per - 1) / per - prefix / per; /* whole pages of the prefix are shared */
    const uint64_t whole = hlmi_pool_pages_bytes(pages), state = hlmi_state_bytes(states);
    const uint64_t once = state + (prefix ? (prefix + per - 1) / per * whole + state : 0);
    const uint64_t step = p->step_tokens ? (uint64_t)p->step_tokens : tokens;
    const bool fits = n_pages <= most / whole && full->state_per_sequence <= most;
    uint64_t each = full->state_per_sequence;
    for (size_t t = 0; t < pages->n_tracks && fits; t++) {
        const uint64_t window = pages->tracks[t].window, span = window + (uint64_t)slack + step;
        const uint64_t reach = window ? hlmi_pages_of(span, per) + (prefix % per != 0) : n_pages;
        each += (n_pages < reach ? n_pages : reach) * hlmi_page_bytes(pages, t);
    }
    if (!fits || each > most / count)
        return hlmi_fail(HLM_E_ARG, "hlm_plan_params: %llu sequences of %llu tokens", (unsigned long long)count,
                         (unsigned long long)tokens);
    full->state = each * count + once;
    return HLM_OK;
}

HLMI_CALL(hlm_model_plan_memory,
          (const hlm_model *model, const hlm_plan_params *params, hlm_memory_plan_info *out),
          (model, params, out))
{
    hlm_plan_params p;
    hlmi_page_layout pages = {0};
    hlmi_state_layout states = {0};
    int64_t slack = 0;
    if (!model || !out) return hlmi_fail(HLM_E_ARG, "hlm_model_plan_memory: model and out are needed");
    const hlmi_plan *plan = &model->plan;
    hlm_status st;
    HLMI_TRY(hlmi_model_planned(model));
    HLMI_TRY(hlmi_params_read(&p, sizeof p, params, "hlm_plan_params"));
    if (p.n_tokens < 0 || p.n_threads < 0)
        HLMI_TRY(hlmi_fail(HLM_E_ARG, "hlm_plan_params: n_tokens and n_threads can not be negative"));
    if (p.step_tokens < 0 || p.window_rows < HLM_WINDOW_KEEP || p.window_rows > HLM_WINDOW_GIVE_BACK)
        HLMI_TRY(hlmi_fail(HLM_E_ARG, "hlm_plan_params: steps of %lld tokens, window_rows %d", (long long)p.step_tokens,
                           (int)p.window_rows));
    HLMI_TRY(hlmi_page_layout_init(&pages, plan, p.kv_type, model->f32_activations, HLMI_PAGE_TOKENS,
                                   p.window_rows == HLM_WINDOW_GIVE_BACK, &model->mem));
    HLMI_TRY(hlmi_state_layout_init(&states, plan, p.state_type, &model->mem));
    hlm_memory_plan_info full = {.weights = plan->weight_bytes, .state_per_token = pages.per_token};
    HLMI_TRY(hlmi_pool_sequence_bytes(&pages, &states, &full.state_per_sequence, &slack));
    HLMI_TRY(plan_state(plan, &p, &pages, &states, slack, &full));
    HLMI_TRY(hlmi_scratch_size(model, &pages, &states, p.n_threads, p.max_rows, &full.scratch));
    full.prefix = hlmi_radix_budget(&pages, p.prefix_bytes);
    full.total = full.weights + full.state + full.scratch;
    st = hlmi_result_write(out, &full, sizeof full, "hlm_memory_plan_info");
done:
    hlmi_page_layout_free(&pages, &model->mem);
    hlmi_state_layout_free(&states, &model->mem);
    return st;
}
