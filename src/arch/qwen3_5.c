/* Qwen3.5: gated delta nets and attention with an output gate, dense feed-forward; of models with vision the text part.
 * Reference: transformers' modeling_qwen3_5. Text has the same position in all sections of its rotation
 * (mrope_section), which makes that the plain one. */
#include "arch/delta_net.h"

#define NET HLMI_LAYER "linear_attn."
static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_DELTA(NET),
    HLMI_NAMES_DELTA_APART(NET),
};

static hlm_status setup(hlmi_decoder *d)
{
    return hlmi_delta_net_read(d, d->family);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    HLMI_DO(hlmi_delta_net_layer(d, d->family, i));
    return hlmi_decoder_add_mlp(d, i);
}

static const hlmi_delta_net usual = {.turns = true};

static const hlmi_decoder_spec spec = {HLMI_DELTA_NET_SPEC,
                                       .names = names,
                                       .sizes = {248320, 4096, 12288, 32, 16, 4, 256, 32768},
                                       .setup = setup,
                                       .family_size = sizeof usual,
                                       .usual = &usual,
                                       .layer = layer};

/* The settings of the text lie in text_config; what joins embedding and head may lie outside. */
static hlm_status build_text_of(const hlmi_config *c, hlmi_wants *w)
{
    hlmi_config text = *c;
    hlmi_decoder_spec own = spec;
    text.json = hlmi_json_get(c->json, "text_config");
    if (!hlmi_json_is(text.json, HLMI_JSON_OBJECT))
        return hlmi_fail(HLM_E_FORMAT, "%s: text_config is missing or no object", hlmi_store_path(c->store));
    HLMI_DO(hlmi_config_bool(c, (hlmi_key){"tie_word_embeddings", NULL}, false, &own.tied));
    return hlmi_decoder_build(&own, &text, w);
}

/* What sees, and what predicts further tokens. */
static const char *const left_out[] = {"model.visual.", "visual.", "mtp.", "model.mtp.", NULL};

const hlmi_arch hlmi_arch_qwen3_5_text = {
    .name = {"qwen3_5_text", "qwen35"}, .classifies = true, .left_out = left_out, .spec = &spec};
const hlmi_arch hlmi_arch_qwen3_5 = {
    .name = {"qwen3_5", NULL}, .also = {"qwen35"}, .left_out = left_out, .build = build_text_of};
