/* Qwen3.5: gated delta nets and attention with an output gate, dense feed-forward; of models with vision the text part.
 * Reference: transformers' modeling_qwen3_5. Text has the same position in all sections of its rotation (mrope_section),
 * which makes that the plain one. */
#include "arch/delta_net.h"

static hlm_status setup(hlmi_decoder *d)
{
    hlmi_delta_net *n = hlmi_plan_alloc(d->plan, 1, sizeof *n);
    if (!n) return hlmi_nomem(sizeof *n, "settings");
    d->family = n;
    return hlmi_delta_net_read(d->c, n);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    hlm_status st;
    hlmi_mlp_params mlp;
    HLMI_TRY(hlmi_delta_net_layer(d, d->family, i));
    HLMI_TRY(hlmi_decoder_mlp(d, i, &mlp));
    HLMI_TRY(hlmi_plan_add(d->plan, HLMI_BLOCK_MLP, &mlp, sizeof mlp));
done:
    return st;
}

static hlm_status build_tied(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan, bool tied)
{
    hlmi_decoder_spec spec = hlmi_delta_net_spec;
    spec.tied = tied;
    spec.sizes = (hlmi_class_sizes){.vocab = 248320,
                                    .hidden = 4096,
                                    .ff = 12288,
                                    .layers = 32,
                                    .heads = 16,
                                    .kv_heads = 4,
                                    .head_dim = 256,
                                    .positions = 32768};
    spec.setup = setup;
    spec.layer = layer;
    return hlmi_decoder_build(&spec, c, l, plan);
}

static hlm_status build(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    return build_tied(c, l, plan, false);
}

/* The settings of the text lie in text_config; what joins embedding and head may lie outside. */
static hlm_status build_text_of(const hlmi_config *c, hlmi_loader *l, hlmi_plan *plan)
{
    hlmi_config text = *c;
    bool tied = false;
    text.json = hlmi_json_get(c->json, "text_config");
    if (!hlmi_json_is(text.json, HLMI_JSON_OBJECT))
        return hlmi_fail(HLM_E_FORMAT, "%s: text_config is missing or no object", hlmi_store_path(c->store));
    const hlm_status st = hlmi_config_bool(c, (hlmi_key){"tie_word_embeddings", NULL}, false, &tied);
    return st == HLM_OK ? build_tied(&text, l, plan, tied) : st;
}

/* What sees, and what predicts further tokens. */
static const char *const left_out[] = {"model.visual.", "visual.", "mtp.", "model.mtp.", NULL};

const hlmi_arch hlmi_arch_qwen3_5_text = {
    .hf = "qwen3_5_text", .classifies = true, .left_out = left_out, .build = build};
const hlmi_arch hlmi_arch_qwen3_5 = {.hf = "qwen3_5", .left_out = left_out, .build = build_text_of};
