/* Architectures: each turns settings and tensor names into a layer plan. A new one is a file here and a line in
 * table.c. */
#ifndef HLMI_ARCH_ARCH_H
#define HLMI_ARCH_ARCH_H

#include "arch/config.h"
#include "arch/want.h"

typedef struct hlmi_arch {
    const char *hf; /* model_type of config.json, or NULL */
    const char *gguf; /* general.architecture, or NULL */
    bool classifies; /* its reference has ...ForSequenceClassification and ...ForTokenClassification */
    const char *const *left_out; /* beginnings of names of tensors that are not looked at, the last NULL; NULL: none */
    const struct hlmi_decoder_spec *spec; /* of decoders (arch/decoder.h) that need no build of their own */
    /** Settings and wants into the plan; NULL: by the spec. */
    hlm_status (*build)(const hlmi_config *config, hlmi_wants *wants);
} hlmi_arch;

extern const hlmi_arch hlmi_arch_bamba;
extern const hlmi_arch hlmi_arch_falcon_h1;
extern const hlmi_arch hlmi_arch_falcon_mamba;
extern const hlmi_arch hlmi_arch_granite_hybrid;
extern const hlmi_arch hlmi_arch_hymba;
extern const hlmi_arch hlmi_arch_jamba;
extern const hlmi_arch hlmi_arch_lfm2;
extern const hlmi_arch hlmi_arch_llama;
extern const hlmi_arch hlmi_arch_mamba;
extern const hlmi_arch hlmi_arch_mamba2;
extern const hlmi_arch hlmi_arch_mistral;
extern const hlmi_arch hlmi_arch_mixtral;
extern const hlmi_arch hlmi_arch_nemotron_h;
extern const hlmi_arch hlmi_arch_persimmon;
extern const hlmi_arch hlmi_arch_phi;
extern const hlmi_arch hlmi_arch_qwen2;
extern const hlmi_arch hlmi_arch_qwen3;
extern const hlmi_arch hlmi_arch_qwen3_5;
extern const hlmi_arch hlmi_arch_qwen3_5_text;
extern const hlmi_arch hlmi_arch_qwen3_next;
extern const hlmi_arch hlmi_arch_zamba2;

/** The architecture that the store's files name; fills *config.
 *  HLM_E_UNSUPPORTED names the one found, HLM_E_FORMAT says that none is named. The name stays in `name` [cap]. */
hlm_status hlmi_arch_find(const hlmi_store *store, hlmi_config *config, char *name, size_t cap, const hlmi_arch **out);
/** Settings and wants of an architecture into the plan that they are declared for. */
hlm_status hlmi_arch_build(const hlmi_arch *arch, const hlmi_config *config, hlmi_wants *wants);

#endif
