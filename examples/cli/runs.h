/* What this version runs, by the names in the files. A test holds these lists against the library's own tables, and
 * docs/cli.md against these lists. */
#ifndef CLI_RUNS_H
#define CLI_RUNS_H

/** Types of weights. */
#define CLI_RUNS_TYPES "f32, f16, bf16, f64, q4_0, q4_1, q5_0, q5_1, q8_0, q4_K, q6_K"

/** model_type of Hugging Face folders. */
#define CLI_RUNS_FOLDERS                                                                                  \
  "bamba, falcon_h1, falcon_mamba, granitemoehybrid, hymba, jamba, lfm2, llama, mamba, mamba2, mistral, " \
  "mixtral, nemotron_h, persimmon, phi, qwen2, qwen3, qwen3_5, qwen3_5_text, qwen3_next, zamba2"

/** general.architecture of GGUF files. */
#define CLI_RUNS_GGUF "llama, mistral3, qwen2, qwen3"

#endif
