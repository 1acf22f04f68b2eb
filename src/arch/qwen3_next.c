/* Qwen3-Next, and Qwen3.5 with experts: gated delta nets and attention with an output gate, sparse feed-forward with a
 * shared expert. Reference: transformers' modeling_qwen3_next. */
#include "arch/delta_net.h"
#include "arch/qwen_experts.h"

#define MLP HLMI_LAYER "mlp."
#define NET HLMI_LAYER "linear_attn."
static const hlmi_key names[HLMI_PARTS] = {
    HLMI_NAMES_DELTA(NET),
    [HLMI_PART_DELTA_Q] = {NET "in_proj_qkvz", "blk.%zu.attn_qkv"},
    [HLMI_PART_DELTA_K] = {NET "in_proj_qkvz", "blk.%zu.attn_qkv"},
    [HLMI_PART_DELTA_V] = {NET "in_proj_qkvz", "blk.%zu.attn_qkv"},
    [HLMI_PART_SSM_Z] = {NET "in_proj_qkvz", "blk.%zu.attn_gate"},
    [HLMI_PART_DELTA_B] = {NET "in_proj_ba", "blk.%zu.ssm_ba"},
    [HLMI_PART_DELTA_A] = {NET "in_proj_ba", "blk.%zu.ssm_ba"},
    HLMI_NAMES_QWEN_EXPERTS(MLP),
    HLMI_NAMES_QWEN_SHARED(MLP),
};

static const hlmi_key names_3_5[HLMI_PARTS] = {
    HLMI_NAMES_DELTA(NET),
    HLMI_NAMES_DELTA_APART(NET),
    HLMI_NAMES_QWEN_EXPERTS(MLP),
    HLMI_NAMES_QWEN_SHARED(MLP),
};

typedef struct family {
    hlmi_delta_net net;
    hlmi_qwen_experts experts;
} family;

static hlm_status setup(hlmi_decoder *d)
{
    static const hlmi_qwen_usual usual = {512, 10, 512, true, true};
    family *f = d->family;
    HLMI_DO(hlmi_delta_net_read(d, &f->net));
    return hlmi_qwen_experts_read(d, &usual, &f->experts);
}

static hlm_status layer(const hlmi_decoder *d, size_t i)
{
    const family *f = d->family;
    HLMI_DO(hlmi_delta_net_layer(d, &f->net, i));
    return hlmi_qwen_experts_add(d, &f->experts, i);
}

static const family usual = {.net = {.fused = true}}, usual_3_5 = {.net = {.turns = true}};

#define SPEC                                                                                 \
  HLMI_DELTA_NET_SPEC, .sizes = {151936, 2048, 5632, 48, 16, 2, 256, 32768}, .setup = setup, \
                       .family_size = sizeof usual, .layer = layer
static const hlmi_decoder_spec spec = {SPEC, .names = names, .usual = &usual};
static const hlmi_decoder_spec spec_3_5 = {SPEC, .names = names_3_5, .usual = &usual_3_5};

static const char *const left_out[] = {"mtp.", "model.mtp.", NULL}; /* predict further tokens */

const hlmi_arch hlmi_arch_qwen3_next = {
    .name = {"qwen3_next", "qwen3next"}, .classifies = true, .left_out = left_out, .spec = &spec};
const hlmi_arch hlmi_arch_qwen3_5_moe = {.name = {NULL, "qwen35moe"}, .spec = &spec_3_5};
