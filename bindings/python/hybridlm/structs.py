"""Parameters (as keyword arguments) and results of calls, field by field as in the header.

Written by bindings/gen/gen.py from include/hybridlm/hybridlm.h; do not edit."""
from __future__ import annotations

from typing import NamedTuple, Optional, TypedDict


class ChatParams(TypedDict, total=False):
    """hlm_chat_params of the header."""

    #: HLM_CHAT_... bits.
    flags: int

    #: JSON array of tool schemas, or NULL.
    tools_json: str

    #: JSON object whose members become variables of the template, or NULL.
    extra_json: str

    #: A template to use instead of the model's, or NULL.
    chat_template: str

    #: Seconds since 1970 (UTC) that strftime_now shows. 0: the system's clock.
    now: int

    #: Which of several templates, unless chat_template is given: one of the model's files ("default", "tool_use",
    #: "rag", ...) or a built-in one ("chatml", "huozi", "huozi_roles", "hymba", "llama2", "llama3", "mixtral",
    #: "persimmon", "phi", "phi_chat"). NULL: the files' tool_use when there are tools and such a template, else their
    #: default, else, when they have no template, the built-in one that fits the model.
    template_name: str


class ModelParams(TypedDict, total=False):
    """hlm_model_params of the header."""

    #: HLM_LOAD_... bits.
    flags: int

    #: HLM_ACTIVATIONS_...
    activations: int

    #: The best instruction set to use, by name: "ref" (plain C), "avx2", "avx512". NULL: the best there is. The CPU's
    #: own limits always hold.
    cpu: str

    #: What matrices are quantised to while they are read, by name: "q8_0" (blocks of 32, 8 bits), "q4_0" (blocks of
    #: 32, 4 bits), "int4" (4 bits in groups of 128 with a minimum each, as torchao's int4_weight_only). NULL: they
    #: stay as in the file. It concerns matrices of plain numbers (f32, f16, bf16, f64) that are multiplied and whose
    #: rows fill whole blocks. Vectors, convolutions, routers, embeddings (one that is the head too unless
    #: HLM_LOAD_QUANTISE_TIED asks for it) and what is quantised in the file stay as they are. Results are those of a
    #: file with such weights; snapshots are taken by models of the same files loaded with the same name.
    quantise: str


class ModelInfo(NamedTuple):
    """Facts about a model. Strings live as long as the model, are ended by 0 and never NULL. With HLM_LOAD_VOCAB_ONLY
    numbers but vocab_size, the token ids and has_chat_template are 0, and the strings but kernel_class are ""."""

    #: Architecture as the file names it: "llama", "qwen2", ...
    arch: str

    #: The model's own name, or "".
    name: str

    #: Weight type that holds most bytes: "q4_1", "bf16", ...; of matrices that were quantised at load the one that
    #: they are kept in.
    weight_type: str

    #: Kernels chosen: "ref", "avx2", "avx512", "avx512-vnni-bf16", ...; "portable" with HLM_LOAD_PORTABLE, on every
    #: CPU. Models loaded with equal parameters and an equal class give equal bits, and take each other's snapshots.
    kernel_class: str

    #: Rows of the embedding; token ids are below it.
    vocab_size: int

    n_layers: int

    hidden_size: int

    #: Of attention: most query heads of a layer; KV heads and numbers in a head of the first layer with attention. 0
    #: without attention.
    n_heads: int

    n_kv_heads: int

    head_dim: int

    #: Longest text the model was made for, in tokens, with its rotary scaling. Not a limit:
    #: hlm_cache_params.max_tokens is.
    max_positions: int

    n_parameters: int

    #: Parameters that one token is computed with: all but the rows of an embedding that is no head, and the experts
    #: that it does not choose.
    n_active_parameters: int

    #: Bytes of weights in the file, and in memory as loaded.
    file_bytes: int

    weight_bytes: int

    #: Bytes of weights read to generate one token.
    bytes_per_token: int

    #: Token ids, -1 where the model has none.
    bos_token: int

    eos_token: int

    pad_token: int

    unk_token: int

    #: 1 when the files carry a default chat template, else 0.
    has_chat_template: int

    #: What the model's head computes of a row, HLM_HEAD_...
    head: int

    #: Classes of a classification head, else 0.
    n_labels: int


class WeightInfo(NamedTuple):
    """One of the matrices and vectors that a model is computed with. Strings live as long as the model."""

    #: How many there are.
    n_weights: int

    #: The tensor that holds it, perhaps beside others, its type ("q4_1"), and its sizes, outermost first and 0 behind
    #: the last.
    tensor: str

    type: str

    #: The kind of block that it is for ("attn", "mamba2"), and what it is there ("q").
    block: str

    role: str

    #: Its layer, and its expert or use of a shared block; -1 where it has none.
    layer: int

    item: int

    #: Outputs and inputs of a matrix; of a vector its length, and cols 0.
    rows: int

    cols: int

    #: Rows that stay together when a matrix is divided: a head's, a group's, or what kernels take at once.
    unit: int

    #: Bytes in the file, and in memory as loaded.
    file_bytes: int

    bytes: int

    #: The type that it is kept in: a matrix in `type`, unless hlm_model_params.quantise made it another, a vector as
    #: "f32".
    kept_type: str


class FileInfo(NamedTuple):
    """Strings live as long as the hlm_file, and say what the files say: any bytes but 0 can be in them."""

    #: "GGUF", "folder", or of weights alone "safetensors" and "PyTorch".
    container: str

    #: Of GGUF; else 0.
    version: int

    #: Is it an adapter (by general.type of GGUF, a folder by its adapter_config.json)?
    is_adapter: int

    #: general.architecture, or model_type of config.json; "" where there is none.
    arch: str

    #: The method of a folder's settings ("gptq"), what general.file_type of GGUF stands for ("Q4_K_M"); "" where
    #: nothing is said.
    quantisation: str

    #: Bytes of all weight files.
    bytes: int

    #: Weight files, settings, tensors, and reasons why it can not be run.
    n_parts: int

    n_keys: int

    n_tensors: int

    n_problems: int


class FileKeyInfo(NamedTuple):
    """A setting: metadata of GGUF, a member of config.json or adapter_config.json. Strings as in hlm_file_info."""

    name: str

    #: "u8" ... "f64", "bool", "string", "array" of GGUF; "object", "array", "string", "integer", "number", "bool",
    #: "null" of JSON.
    type: str

    #: Of GGUF's arrays, the type of their items; else "".
    item: str

    #: Items of an array, members of an object; else 1.
    n_items: int


class FileTensorInfo(NamedTuple):
    """A tensor as it lies in its file. Strings as in hlm_file_info."""

    name: str

    #: "q4_1"; of types that are not known what the file says.
    type: str

    #: Its sizes, outermost first; n_dims is 1 to 4, and of more the last 4 are told.
    n_dims: int

    #: In the file; 0 where nobody can tell.
    bytes: int

    #: Path of the file.
    part: str

    #: Why it can be no weight, a clause; "": it can.
    unfit: str


class PoolParams(TypedDict, total=False):
    """hlm_pool_params of the header."""

    #: KV type, HLM_TYPE_...; default f16, or f32 for a model loaded with HLM_ACTIVATIONS_F32.
    kv_type: int

    #: Type of recurrent state, HLM_TYPE_F32 (default), F16 or BF16: convolutions' inputs and scans' states are rounded
    #: to it after every token, in prompts too, so that results depend on the type but not on how tokens come. Half the
    #: bytes of states, and less exact (docs/performance.md).
    state_type: int

    #: Positions in a page, a power of two up to 4096. 0: 64.
    page_tokens: int

    #: HLM_WINDOW_...: rows behind attention windows. What a step adds is given back when it has ended, so a long
    #: prompt takes less memory in several steps.
    window_rows: int

    #: Cap on the bytes of all pages and states. 0: none. At the cap the prefix cache gives way, then automatic marks
    #: go, then a step fails with HLM_E_NOMEM and changes nothing.
    max_bytes: int

    #: Most bytes of pages and states that the prefix cache holds (hlm_prefix_add). 0: 512 MiB; less than a page: there
    #: is none.
    prefix_bytes: int

    #: Marks and undo log are for models with recurrent state, and with HLM_WINDOW_GIVE_BACK; other Transformers can be
    #: cut anywhere and need neither. Automatic marks are set at multiples of this many tokens and at the ends of
    #: prompts. 0: 512; negative: only at the ends of prompts.
    mark_stride: int

    #: Most bytes of a sequence's automatic marks, states of other uses included; those that leave the smallest gaps go
    #: first. 0: 64 MiB; less than a state: none.
    mark_bytes: int

    #: The undo log: at least this many of the last tokens can be taken back without running the model again. 0: 16;
    #: negative: none.
    undo_tokens: int


class PoolInfo(NamedTuple):
    """hlm_pool_info of the header."""

    #: Bytes of pages and states in use by caches and the prefix cache, a shared one once.
    used_bytes: int

    #: Bytes held from the allocator: pages that caches gave back stay with the pool for the next.
    held_bytes: int


class CtxParams(TypedDict, total=False):
    """hlm_ctx_params of the header."""

    #: Threads that compute, the calling one included, up to 1024, but no more than cores that the process may use;
    #: with an executor, the tasks of a parallel-for.
    #: 0: one for each of those cores, by its affinity and, on Linux, by the CPU quotas of its control groups (cpu.max,
    #: cfs_quota_us; the least on the way up, parts of a core rounded up).
    n_threads: int

    #: Rows (tokens) computed at once; longer steps run in several tiles. More rows take more scratch. Up to 65536. 0:
    #: 512. The results do not depend on it.
    max_rows: int


class PlanParams(TypedDict, total=False):
    """hlm_plan_params of the header."""

    #: 0: 1.
    n_sequences: int

    #: Tokens of each sequence. 0: the model's max_positions.
    n_tokens: int

    #: With HLM_WINDOW_GIVE_BACK: most tokens of a step on a sequence. 0: all may come in one.
    step_tokens: int

    #: The following as in hlm_pool_params.
    kv_type: int

    state_type: int

    window_rows: int

    #: Threads of the context; each has scratch of its own. 0: as in hlm_ctx_params.
    n_threads: int

    #: As in hlm_ctx_params.
    max_rows: int

    #: As in hlm_pool_params.
    prefix_bytes: int


class MemoryPlanInfo(NamedTuple):
    """What a model, its sequences and one context take, in bytes."""

    weights: int

    #: For all sequences together; pages of 64 positions, counted whole.
    state: int

    state_per_token: int

    #: What a sequence takes at any length (recurrent state, with undo log and automatic marks by the pool's defaults;
    #: 0 for Transformers that keep all rows).
    state_per_sequence: int

    #: Scratch of a context.
    scratch: int

    #: The sum of weights, state and scratch. Tokenizer, page tables and the like, some MB, are not counted.
    total: int

    #: What the pool's prefix cache may come to hold beside that, as texts are added to it (hlm_prefix_add,
    #: hlm_generate with reuse); not in total. hlm_pool_params.max_bytes is a cap on both. 0: there is none.
    prefix: int


class CacheParams(TypedDict, total=False):
    """hlm_cache_params of the header."""

    #: Most tokens it may hold, up to 2^31 - 1; more than the model's max_positions is allowed. 0: the model's
    #: max_positions.
    max_tokens: int


class GenerateParams(TypedDict, total=False):
    """Everything it points to is the caller's and is read or written during the call only."""

    n_prompt: int

    #: Most tokens to generate. 0: until the cache is full.
    max_tokens: int

    n_stop: int

    n_stop_tokens: int

    #: 1: go on past tokens that end an answer.
    ignore_eos: int

    #: 1: special tokens appear in the text.
    show_special: int

    #: 1: prompt is the whole text from its beginning. The cache is first brought to what of it can be reused
    #: (hlm_cache_reuse), and afterwards added to the prefix cache. Where the state behind the whole prompt is there,
    #: as when it is tried again, nothing of it is run.
    reuse: int

    tokens_cap: int


class GenerateResult(NamedTuple):
    """hlm_generate_result of the header."""

    #: HLM_FINISH_...
    finish: int

    #: Tokens of the prompt, and tokens generated, the ending one included (also those beyond tokens_cap).
    n_prompt: int

    n_generated: int

    #: Wall time of the prompt up to the first token's logits, and of the rest, in ns.
    prompt_ns: int

    generate_ns: int

    #: With reuse: tokens of the prompt that were not run, but for the n_recomputed last of them.
    n_reused: int

    n_recomputed: int

    #: Steps of the model after the prompt; tokens of drafts that were run in them, and those of them that became
    #: text.
    n_steps: int

    n_drafted: int

    n_accepted: int


class ScoreParams(TypedDict, total=False):
    """hlm_score_params of the header."""

    n_tokens: int


class ScoreResult(NamedTuple):
    """hlm_score_result of the header."""

    #: Of the log-probabilities, added in double. The mean loss is -sum / n_scored.
    sum: float

    #: How many were rated.
    n_scored: int


class EmbedParams(TypedDict, total=False):
    """hlm_embed_params of the header."""

    n_tokens: int

    #: HLM_EMBED_...
    pooling: int

    #: 1: scale the vector to length 1.
    normalise: int


class SamplerParams(TypedDict, total=False):
    """A chain has these stages, and they run in this order, whatever the order of the fields:
      logit_bias              is added
      repetition_penalty      of the tokens that penalty_window holds
      frequency_penalty, presence_penalty    likewise
      top_k, typical_p, top_p, min_p         each sees the probabilities, at temperature 1, of the tokens that
                              those before it kept, and keeps at least one; among equals the lower id goes first
      temperature             divides the logits of what is left
      the draw
    A stage that a later version adds says between which of them it stands. All are off by default: greedy. Ranges:
    temperature and repetition_penalty 0 or more, top_k not negative, typical_p, top_p and min_p 0 to 1; all finite, but
    a bias may be -INFINITY."""

    #: Philox4x32-10 key: the same seed gives the same draws everywhere.
    seed: Optional[int]

    #: 0: greedy, the largest logit, the lowest id among equals.
    temperature: float

    #: Keep the k largest. 0: all.
    top_k: int

    #: Keep the smallest set of most likely tokens with mass p. 0 or 1: off.
    top_p: float

    #: Keep tokens at least min_p times as likely as the likeliest. 0: off.
    min_p: float

    #: Locally typical sampling: keep the smallest set with mass p whose -ln p are nearest to the entropy. 0 or 1:
    #: off.
    typical_p: float

    #: Divides positive and multiplies negative logits of seen tokens. 0 or 1: off.
    repetition_penalty: float

    #: Subtracted once for each time a token was seen.
    frequency_penalty: float

    #: Subtracted from every token that was seen.
    presence_penalty: float

    #: Accepted tokens that the penalties look back on. 0: 64; negative: all.
    penalty_window: int

    n_logit_bias: int


class ReuseParams(TypedDict, total=False):
    """hlm_reuse_params of the header."""

    n_tokens: int


class PrefixInfo(NamedTuple):
    """hlm_prefix_info of the header."""

    #: Pages and states held, each counted once, and the most there may be (0: no prefix cache).
    bytes: int

    max_bytes: int

    #: Stretches of text between branches, tokens in all of them, states kept in them.
    nodes: int

    tokens: int

    states: int

    #: Calls of hlm_cache_reuse so far, and those that reused a token, of either cache.
    lookups: int

    hits: int

    #: Tokens of all those calls, how many were reused, and how many of these are computed again.
    tokens_asked: int

    tokens_reused: int

    tokens_recomputed: int

    #: What went because of the budget, or of the pool's cap.
    evicted_tokens: int

    evicted_states: int


class AdapterParams(TypedDict, total=False):
    """hlm_adapter_params of the header."""

    #: Of what is added, on top of the adapter's own scale, -1e6 to 1e6; 0: 1.
    scale: float


class AdapterInfo(NamedTuple):
    """hlm_adapter_info of the header."""

    #: Matrices that it adds to, its largest rank, bytes of memory.
    n_matrices: int

    rank: int

    bytes: int


__all__ = [
    "ChatParams",
    "ModelParams",
    "ModelInfo",
    "WeightInfo",
    "FileInfo",
    "FileKeyInfo",
    "FileTensorInfo",
    "PoolParams",
    "PoolInfo",
    "CtxParams",
    "PlanParams",
    "MemoryPlanInfo",
    "CacheParams",
    "GenerateParams",
    "GenerateResult",
    "ScoreParams",
    "ScoreResult",
    "EmbedParams",
    "SamplerParams",
    "ReuseParams",
    "PrefixInfo",
    "AdapterParams",
    "AdapterInfo",
]
