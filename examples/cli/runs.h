/* What this version runs, by the names in the files. A test holds these lists against the library's own tables, and
 * docs/cli.md against these lists. */
#ifndef CLI_RUNS_H
#define CLI_RUNS_H

/** Types of weights. */
#define CLI_RUNS_TYPES                                                                                    \
  "f32, f16, bf16, f64, f8_e4m3, f8_e5m2, q1_0, q2_0, q2_K, q3_K, q4_0, q4_1, q4_K, q5_0, q5_1, q5_K, "   \
  "q6_K, q8_0, q8_1, q8_K, iq1_s, iq1_m, iq2_xxs, iq2_xs, iq2_s, iq3_xxs, iq3_s, iq4_nl, iq4_xs, tq1_0, " \
  "tq2_0, mxfp4, nvfp4"

/** model_type of Hugging Face folders. */
#define CLI_RUNS_FOLDERS                                                                                  \
  "bamba, falcon_h1, falcon_mamba, granitemoehybrid, hymba, jamba, lfm2, llama, mamba, mamba2, mistral, " \
  "mixtral, nemotron_h, persimmon, phi, qwen2, qwen3, qwen3_5, qwen3_5_text, qwen3_moe, qwen3_next, zamba2"

/** general.architecture of GGUF files. */
#define CLI_RUNS_GGUF                                                                                     \
  "falcon-h1, granite, granitehybrid, granitemoe, jamba, lfm2, lfm2moe, llama, mamba, mamba2, mistral3, " \
  "nemotron_h, nemotron_h_moe, phi2, qwen2, qwen3, qwen35, qwen35moe, qwen3moe, qwen3next"

#endif
