/* Architectures: each turns settings and tensor names into a layer plan. A new one is a file here and a line in the
 * list below. */
#ifndef HLMI_ARCH_ARCH_H
#define HLMI_ARCH_ARCH_H

#include "arch/config.h"
#include "arch/want.h"

typedef struct hlmi_arch {
    hlmi_key name; /* model_type of config.json, general.architecture */
    const char *also[2]; /* other names that GGUF files have for its models; NULL: none */
    bool multiplied; /* multipliers of its settings are in the weights of GGUF files */
    bool classifies; /* its reference has ...ForSequenceClassification and ...ForTokenClassification */
    const char *const *left_out; /* beginnings of names of tensors that are not looked at, the last NULL; NULL: none */
    const struct hlmi_decoder_spec *spec; /* of decoders (arch/decoder.h) that need no build of their own */
    /** Settings and wants into the plan; NULL: by the spec. */
    hlm_status (*build)(const hlmi_config *config, hlmi_wants *wants);
} hlmi_arch;

/** All of them: hlmi_arch_bamba, which a file here defines, and so on. */
#define HLMI_ARCHS(X) \
  X(bamba)            \
  X(falcon_h1)        \
  X(falcon_mamba)     \
  X(granite)          \
  X(granite_hybrid)   \
  X(granite_moe)      \
  X(hymba)            \
  X(jamba)            \
  X(lfm2)             \
  X(lfm2_moe)         \
  X(llama)            \
  X(mamba)            \
  X(mamba2)           \
  X(mistral)          \
  X(mixtral)          \
  X(nemotron_h)       \
  X(nemotron_h_moe)   \
  X(persimmon)        \
  X(phi)              \
  X(qwen2)            \
  X(qwen3)            \
  X(qwen3_5)          \
  X(qwen3_5_moe)      \
  X(qwen3_5_text)     \
  X(qwen3_moe)        \
  X(qwen3_next)       \
  X(zamba2)

#define HLMI_ARCH_DECLARE(name) extern const hlmi_arch hlmi_arch_##name;
HLMI_ARCHS(HLMI_ARCH_DECLARE)
#undef HLMI_ARCH_DECLARE

/** The one of that name in a dialect, or NULL. */
const hlmi_arch *hlmi_arch_named(const char *name, hlmi_dialect dialect);
/** The architecture that the store's files name; fills *config.
 *  HLM_E_UNSUPPORTED names the one found, HLM_E_FORMAT says that none is named. The name stays in `name` [cap]. */
hlm_status hlmi_arch_find(const hlmi_store *store, hlmi_config *config, char *name, size_t cap, const hlmi_arch **out);
/** Its settings, and what it wants of the file, into the plan. A tensor that nothing asks for is refused. */
hlm_status hlmi_arch_build(const hlmi_arch *arch, const hlmi_config *config, hlmi_plan *plan);
/** Notes what hlmi_arch_build would refuse, and of the tensors that nothing asks for every one. */
hlm_status hlmi_arch_review(const hlmi_arch *arch, const hlmi_config *config, const hlmi_mem *mem,
                            const hlmi_notes *notes);

#endif
