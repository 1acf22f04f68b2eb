/* The parts that models are made of: what each is called in a block, how its tensor's name ends, and what becomes of
 * its numbers. A family's table says how files spell them. Names are without the tail; %zu is the layer, %e the expert,
 * or a shared block's use. */
#ifndef HLMI_ARCH_PART_H
#define HLMI_ARCH_PART_H

#include "plan/weights.h"

/** X(part, what it is in its block, how its name ends, what becomes of its numbers in each dialect) */
#define HLMI_PARTS_ARE(X)                                                                                \
  X(EMBED, "embedding", ".weight", 0, 0)                                                                 \
  X(FINAL_NORM, "norm", ".weight", 0, 0)                                                                 \
  X(HEAD, "head", ".weight", 0, 0)                                                                       \
  X(SCORE, "head", ".weight", 0, 0) /* the head of classes */                                            \
  X(MEMORY, "memory", "", 0, 0) /* rows before every text */                                             \
  X(ROPE_FREQS, "rotation", ".weight", 0, 0)                                                             \
  /* attention */                                                                                        \
  X(ATTN_NORM, "norm", ".weight", 0, 0) /* of whatever mixer a layer has */                              \
  X(Q, "q", ".weight", 0, 0)                                                                             \
  X(K, "k", ".weight", 0, 0)                                                                             \
  X(QKV, "qkv", ".weight", 0, 0) /* all three, used where a GGUF file has them so */                     \
  X(V, "v", ".weight", 0, 0)                                                                             \
  X(ATTN_GATE, "gate", ".weight", 0, 0)                                                                  \
  X(O, "o", ".weight", 0, 0)                                                                             \
  X(Q_NORM, "q norm", ".weight", 0, 0)                                                                   \
  X(K_NORM, "k norm", ".weight", 0, 0)                                                                   \
  X(ATTN_OUT_NORM, "attention norm", ".weight", 0, 0)                                                    \
  /* feed-forward */                                                                                     \
  X(MLP_NORM, "norm", ".weight", 0, 0)                                                                   \
  X(GATE, "gate", ".weight", 0, 0)                                                                       \
  X(UP, "up", ".weight", 0, 0)                                                                           \
  X(DOWN, "down", ".weight", 0, 0)                                                                       \
  X(ROUTER, "router", ".weight", 0, 0)                                                                   \
  X(ROUTER_BIAS, "router bias", "", 0, 0)                                                                \
  X(EXPERT_GATE, "gate", ".weight", 0, 0) /* tensors of one expert */                                    \
  X(EXPERT_UP, "up", ".weight", 0, 0)                                                                    \
  X(EXPERT_DOWN, "down", ".weight", 0, 0)                                                                \
  X(STACK_GATE, "gate", ".weight", 0, 0) /* tensors [experts, rows, cols], used where a file has them */ \
  X(STACK_UP, "up", ".weight", 0, 0)                                                                     \
  X(STACK_BOTH, "gate up", ".weight", 0, 0) /* gate and up of each expert, one under the other */        \
  X(STACK_DOWN, "down", ".weight", 0, 0)                                                                 \
  X(SHARED_SCALE, "shared scale", ".weight", 0, 0) /* of the shared expert, by row */                    \
  X(SHARED_GATE, "shared gate", ".weight", 0, 0)                                                         \
  X(SHARED_UP, "shared up", ".weight", 0, 0)                                                             \
  X(SHARED_DOWN, "shared down", ".weight", 0, 0)                                                         \
  X(LATENT_IN, "latent in", ".weight", 0, 0)                                                             \
  X(LATENT_OUT, "latent out", ".weight", 0, 0)                                                           \
  /* recurrences and convolutions */                                                                     \
  X(SSM_Z, "z", ".weight", 0, 0)                                                                         \
  X(SSM_X, "x", ".weight", 0, 0)                                                                         \
  X(SSM_B, "B", ".weight", 0, 0)                                                                         \
  X(SSM_C, "C", ".weight", 0, 0)                                                                         \
  X(SSM_LOW, "low", ".weight", 0, 0) /* of which SSM_DT makes steps */                                   \
  X(SSM_DT, "dt", ".weight", 0, 0)                                                                       \
  X(SSM_TAPS, "taps", ".weight", HLMI_MAKE_TAPS, HLMI_MAKE_TRANSPOSED)                                   \
  X(SSM_DECAY, "decay", "", HLMI_MAKE_NEG_EXP, 0)                                                        \
  X(SSM_SKIP, "D", "", 0, 0)                                                                             \
  X(SSM_DT_BIAS, "dt bias", "", 0, 0)                                                                    \
  X(SSM_NORM, "gate norm", ".weight", 0, 0) /* with the gate */                                          \
  X(SSM_LOW_NORM, "low norm", ".weight", 0, 0)                                                           \
  X(SSM_B_NORM, "B norm", ".weight", 0, 0)                                                               \
  X(SSM_C_NORM, "C norm", ".weight", 0, 0)                                                               \
  X(SSM_OUT_NORM, "recurrence norm", ".weight", 0, 0)                                                    \
  X(SSM_OUT, "out", ".weight", 0, 0)                                                                     \
  X(DELTA_Q, "q", ".weight", 0, 0)                                                                       \
  X(DELTA_K, "k", ".weight", 0, 0)                                                                       \
  X(DELTA_V, "v", ".weight", 0, 0)                                                                       \
  X(DELTA_A, "a", ".weight", 0, 0)                                                                       \
  X(DELTA_B, "b", ".weight", 0, 0)                                                                       \
  /* shared blocks: what a use of one has of its own */                                                  \
  X(LINEAR, "linear", ".weight", 0, 0)                                                                   \
  X(LOW_Q_A, "q low", ".weight", 0, 0)                                                                   \
  X(LOW_Q_B, "q up", ".weight", 0, 0)                                                                    \
  X(LOW_K_A, "k low", ".weight", 0, 0)                                                                   \
  X(LOW_K_B, "k up", ".weight", 0, 0)                                                                    \
  X(LOW_V_A, "v low", ".weight", 0, 0)                                                                   \
  X(LOW_V_B, "v up", ".weight", 0, 0)                                                                    \
  X(LOW_UP_A, "gate up low", ".weight", 0, 0)                                                            \
  X(LOW_UP_B, "gate up up", ".weight", 0, 0)

typedef enum hlmi_part {
#define HLMI_PART_NUMBER(part, role, tail, hf, gguf) HLMI_PART_##part,
    HLMI_PARTS_ARE(HLMI_PART_NUMBER)
#undef HLMI_PART_NUMBER
        HLMI_PARTS
} hlmi_part;

typedef struct hlmi_part_info {
    const char *role, *tail;
    unsigned make[HLMI_DIALECTS];
} hlmi_part_info;

extern const hlmi_part_info hlmi_part_infos[HLMI_PARTS];

/* Lines of tables that families share, behind a prefix. */
#define HLMI_LAYER "model.layers.%zu."
#define HLMI_NAMES_ENDS(root, embed, norm)                                                             \
  [HLMI_PART_EMBED] = {root embed, "token_embd"}, [HLMI_PART_FINAL_NORM] = {root norm, "output_norm"}, \
  [HLMI_PART_HEAD] = {"lm_head", "output"}, [HLMI_PART_SCORE] = {"score", NULL}
#define HLMI_NAMES_NORMS(mixer, mlp)                               \
  [HLMI_PART_ATTN_NORM] = {HLMI_LAYER mixer, "blk.%zu.attn_norm"}, \
  [HLMI_PART_MLP_NORM] = {HLMI_LAYER mlp, "blk.%zu.ffn_norm"}
#define HLMI_NAMES_QK_NORMS(q, k) \
  [HLMI_PART_Q_NORM] = {HLMI_LAYER q, "blk.%zu.attn_q_norm"}, [HLMI_PART_K_NORM] = {HLMI_LAYER k, "blk.%zu.attn_k_norm"}
#define HLMI_NAMES_QKV(p)                                                                                 \
  [HLMI_PART_Q] = {p "q_proj", "blk.%zu.attn_q"}, [HLMI_PART_K] = {p "k_proj", "blk.%zu.attn_k"},         \
  [HLMI_PART_V] = {p "v_proj", "blk.%zu.attn_v"}, [HLMI_PART_ATTN_GATE] = {p "q_proj", "blk.%zu.attn_q"}, \
  [HLMI_PART_QKV] = {NULL, "blk.%zu.attn_qkv"}
#define HLMI_NAMES_ATTENTION(p) HLMI_NAMES_QKV(p), [HLMI_PART_O] = {p "o_proj", "blk.%zu.attn_output"}
#define HLMI_NAMES_MLP(p)                                                                                   \
  [HLMI_PART_GATE] = {p "gate_proj", "blk.%zu.ffn_gate"}, [HLMI_PART_UP] = {p "up_proj", "blk.%zu.ffn_up"}, \
  [HLMI_PART_DOWN] = {p "down_proj", "blk.%zu.ffn_down"}
#define HLMI_NAMES_EXPERTS(p, gate, up, down)                                                                     \
  [HLMI_PART_EXPERT_GATE] = {p "experts.%e." gate, "blk.%zu.ffn_gate.%e"},                                        \
  [HLMI_PART_EXPERT_UP] = {p "experts.%e." up, "blk.%zu.ffn_up.%e"},                                              \
  [HLMI_PART_EXPERT_DOWN] = {p "experts.%e." down, "blk.%zu.ffn_down.%e"},                                        \
  [HLMI_PART_STACK_GATE] = {NULL, "blk.%zu.ffn_gate_exps"}, [HLMI_PART_STACK_UP] = {NULL, "blk.%zu.ffn_up_exps"}, \
  [HLMI_PART_STACK_DOWN] = {NULL, "blk.%zu.ffn_down_exps"},                                                       \
  [HLMI_PART_STACK_BOTH] = {NULL, "blk.%zu.ffn_gate_up_exps"}
#define HLMI_NAMES_MIXER(p)                                                                                        \
  [HLMI_PART_SSM_TAPS] = {p "conv1d", "blk.%zu.ssm_conv1d"}, [HLMI_PART_SSM_DECAY] = {p "A_log", "blk.%zu.ssm_a"}, \
  [HLMI_PART_SSM_SKIP] = {p "D", "blk.%zu.ssm_d"}, [HLMI_PART_SSM_OUT] = {p "out_proj", "blk.%zu.ssm_out"}
/* one: what follows the names of things that a family can have several of */
#define HLMI_NAMES_MAMBA1(p, one)                                                                                      \
  [HLMI_PART_SSM_TAPS] = {p "conv1d", "blk.%zu.ssm_conv1d"}, [HLMI_PART_SSM_DECAY] = {p "A_log" one, "blk.%zu.ssm_a"}, \
  [HLMI_PART_SSM_SKIP] = {p "D" one, "blk.%zu.ssm_d"}, [HLMI_PART_SSM_OUT] = {p "out_proj", "blk.%zu.ssm_out"},        \
  [HLMI_PART_SSM_X] = {p "in_proj", "blk.%zu.ssm_in"}, [HLMI_PART_SSM_Z] = {p "in_proj", "blk.%zu.ssm_in"},            \
  [HLMI_PART_SSM_LOW] = {p "x_proj" one, "blk.%zu.ssm_x"}, [HLMI_PART_SSM_B] = {p "x_proj" one, "blk.%zu.ssm_x"},      \
  [HLMI_PART_SSM_C] = {p "x_proj" one, "blk.%zu.ssm_x"}, [HLMI_PART_SSM_DT] = {p "dt_proj" one, "blk.%zu.ssm_dt"}
#define HLMI_NAMES_MAMBA1_NORMS(dt, b, c)                                                                     \
  [HLMI_PART_SSM_LOW_NORM] = {dt, "blk.%zu.ssm_dt_norm"}, [HLMI_PART_SSM_B_NORM] = {b, "blk.%zu.ssm_b_norm"}, \
  [HLMI_PART_SSM_C_NORM] = {c, "blk.%zu.ssm_c_norm"}
#define HLMI_NAMES_MAMBA2(p)                                                                                    \
  HLMI_NAMES_MIXER(p),                                                                                          \
      [HLMI_PART_SSM_Z] = {p "in_proj", "blk.%zu.ssm_in"}, [HLMI_PART_SSM_X] = {p "in_proj", "blk.%zu.ssm_in"}, \
      [HLMI_PART_SSM_B] = {p "in_proj", "blk.%zu.ssm_in"}, [HLMI_PART_SSM_C] = {p "in_proj", "blk.%zu.ssm_in"}, \
      [HLMI_PART_SSM_DT] = {p "in_proj", "blk.%zu.ssm_in"},                                                     \
      [HLMI_PART_SSM_DT_BIAS] = {p "dt_bias", "blk.%zu.ssm_dt.bias"},                                           \
      [HLMI_PART_SSM_NORM] = {p "norm", "blk.%zu.ssm_norm"}

#endif
