"""The C API as it is: constants, structs, callbacks and functions of hybridlm.h.

All pointers are addresses (c_void_p), but for strings ended by 0, which are bytes.

Written by bindings/gen/gen.py from include/hybridlm/hybridlm.h; do not edit."""
from __future__ import annotations

from ctypes import (
    CDLL,
    CFUNCTYPE,
    Structure,
    c_char,
    c_double,
    c_float,
    c_int16,
    c_int32,
    c_int64,
    c_int8,
    c_size_t,
    c_uint16,
    c_uint32,
    c_uint64,
    c_uint8,
    c_void_p,
    c_char_p,
    sizeof,
)
from typing import Any

HLM_VERSION_MAJOR = 0
HLM_VERSION_MINOR = 2
HLM_VERSION_PATCH = 0
HLM_ABI_VERSION = 1
HLM_OK = 0
HLM_E_ARG = -1
HLM_E_NOMEM = -2
HLM_E_IO = -3
HLM_E_FORMAT = -4
HLM_E_UNSUPPORTED = -5
HLM_E_TOKEN = -6
HLM_E_FULL = -7
HLM_E_CANCELLED = -8
HLM_E_BUSY = -9
HLM_E_MISMATCH = -10
HLM_E_UNREACHABLE = -11
HLM_E_EMPTY = -12
HLM_E_SPACE = -13
HLM_E_TEMPLATE = -14
HLM_E_LIMIT = -15
HLM_E_INTERNAL = -16
HLM_TOKENIZE_ADD_SPECIAL = 1
HLM_TOKENIZE_PARSE_SPECIAL = 2
HLM_DETOKENIZE_SKIP_SPECIAL = 1
HLM_CHAT_NO_GENERATION_PROMPT = 1
HLM_LOAD_READ = 1
HLM_LOAD_PORTABLE = 2
HLM_LOAD_VOCAB_ONLY = 4
HLM_LOAD_CHECK_WEIGHTS = 8
HLM_LOAD_NO_MEMORY_TOKENS = 16
HLM_LOAD_HEADERS = 32
HLM_LOAD_QUANTISE_TIED = 64
HLM_ACTIVATIONS_DEFAULT = 0
HLM_ACTIVATIONS_F32 = 1
HLM_HEAD_TEXT = 0
HLM_HEAD_SEQUENCE = 1
HLM_HEAD_TOKEN = 2
HLM_HEAD_NONE = 3
HLM_TYPE_DEFAULT = 0
HLM_TYPE_F32 = 1
HLM_TYPE_F16 = 2
HLM_TYPE_BF16 = 3
HLM_TYPE_INT8 = 4
HLM_WINDOW_KEEP = 0
HLM_WINDOW_GIVE_BACK = 1
HLM_STATE_CONV = 0
HLM_STATE_SCAN = 1
HLM_FINISH_LENGTH = 0
HLM_FINISH_STOP_TOKEN = 1
HLM_FINISH_STOP_STRING = 2
HLM_FINISH_CALLBACK = 3
HLM_FINISH_FULL = 4
HLM_FINISH_CANCELLED = 5
HLM_EMBED_MEAN = 0
HLM_EMBED_LAST = 1
HLM_EMBED_FIRST = 2
HLM_ROWS_LAST = 0
HLM_ROWS_ALL = 1
HLM_ROWS_LIST = 2
HLM_HIDDEN_PRE_NORM = -1
HLM_HIDDEN_STREAM = 0
HLM_HIDDEN_ATTENTION = 1
HLM_HIDDEN_RECURRENCE = 2
HLM_SNAPSHOT_OTHER_KERNELS = 1
HLM_LOG_DEBUG = 1
HLM_LOG_INFO = 2
HLM_LOG_WARN = 3
HLM_TOKEN_NONE = -1
HLM_NOW = -1

hlm_task = CFUNCTYPE(None, c_void_p, c_size_t)
hlm_model_params_progress = CFUNCTYPE(c_int32, c_void_p, c_uint64, c_uint64)
hlm_generate_params_progress = CFUNCTYPE(c_int32, c_void_p, c_size_t, c_size_t)
hlm_generate_params_on_token = CFUNCTYPE(c_int32, c_void_p, c_int32, c_void_p, c_size_t)
hlm_writer_write = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_size_t)
hlm_reader_read = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_size_t, c_void_p)
hlm_allocator_alloc = CFUNCTYPE(c_void_p, c_void_p, c_size_t, c_size_t)
hlm_allocator_free = CFUNCTYPE(None, c_void_p, c_void_p)
hlm_log_write = CFUNCTYPE(None, c_void_p, c_int32, c_void_p)
hlm_executor_parallel_for = CFUNCTYPE(c_int32, c_void_p, c_size_t, c_void_p, c_void_p)
hlm_vfs_open = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p)
hlm_vfs_size = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p)
hlm_vfs_read_at = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_uint64, c_void_p, c_size_t)
hlm_vfs_map = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p)
hlm_vfs_close = CFUNCTYPE(None, c_void_p, c_void_p)


class hlm_chat_params(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("flags", c_uint32),
        ("reserved", c_uint32),
        ("tools_json", c_char_p),
        ("extra_json", c_char_p),
        ("chat_template", c_char_p),
        ("now", c_int64),
        ("template_name", c_char_p),
    ]


class hlm_message(Structure):
    """A message whose content is text: {"role": role, "content": content}. This struct does not grow; what needs more
    members (tool calls, a name) is written as JSON."""
    _fields_ = [
        ("role", c_char_p),
        ("content", c_char_p),
    ]


class hlm_model_params(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("flags", c_uint32),
        ("activations", c_int32),
        ("cpu", c_char_p),
        ("vfs", c_void_p),
        ("allocator", c_void_p),
        ("log", c_void_p),
        ("progress", hlm_model_params_progress),
        ("progress_user", c_void_p),
        ("quantise", c_char_p),
    ]


class hlm_model_info(Structure):
    """Facts about a model. Strings live as long as the model, are ended by 0 and never NULL. With HLM_LOAD_VOCAB_ONLY
    numbers but vocab_size, the token ids and has_chat_template are 0, and the strings but kernel_class are ""."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("arch", c_char_p),
        ("name", c_char_p),
        ("weight_type", c_char_p),
        ("kernel_class", c_char_p),
        ("vocab_size", c_int32),
        ("n_layers", c_int32),
        ("hidden_size", c_int32),
        ("n_heads", c_int32),
        ("n_kv_heads", c_int32),
        ("head_dim", c_int32),
        ("max_positions", c_int64),
        ("n_parameters", c_uint64),
        ("n_active_parameters", c_uint64),
        ("file_bytes", c_uint64),
        ("weight_bytes", c_uint64),
        ("bytes_per_token", c_uint64),
        ("bos_token", c_int32),
        ("eos_token", c_int32),
        ("pad_token", c_int32),
        ("unk_token", c_int32),
        ("has_chat_template", c_int32),
        ("head", c_int32),
        ("n_labels", c_int32),
        ("reserved", c_int32),
    ]


class hlm_weight_info(Structure):
    """One of the matrices and vectors that a model is computed with. Strings live as long as the model."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("n_weights", c_size_t),
        ("tensor", c_char_p),
        ("type", c_char_p),
        ("dims", c_uint64 * 4),
        ("block", c_char_p),
        ("role", c_char_p),
        ("layer", c_int32),
        ("item", c_int32),
        ("rows", c_uint64),
        ("cols", c_uint64),
        ("unit", c_uint64),
        ("file_bytes", c_uint64),
        ("bytes", c_uint64),
        ("kept_type", c_char_p),
    ]


class hlm_file_info(Structure):
    """Strings live as long as the hlm_file, and say what the files say: any bytes but 0 can be in them."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("container", c_char_p),
        ("version", c_uint32),
        ("is_adapter", c_int32),
        ("arch", c_char_p),
        ("quantisation", c_char_p),
        ("bytes", c_uint64),
        ("n_parts", c_size_t),
        ("n_keys", c_size_t),
        ("n_tensors", c_size_t),
        ("n_problems", c_size_t),
    ]


class hlm_file_key_info(Structure):
    """A setting: metadata of GGUF, a member of config.json or adapter_config.json. Strings as in hlm_file_info."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("type", c_char_p),
        ("item", c_char_p),
        ("n_items", c_uint64),
    ]


class hlm_file_tensor_info(Structure):
    """A tensor as it lies in its file. Strings as in hlm_file_info."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("type", c_char_p),
        ("n_dims", c_size_t),
        ("dims", c_uint64 * 4),
        ("bytes", c_uint64),
        ("part", c_char_p),
        ("unfit", c_char_p),
    ]


class hlm_pool_params(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("kv_type", c_int32),
        ("state_type", c_int32),
        ("page_tokens", c_int32),
        ("window_rows", c_int32),
        ("max_bytes", c_uint64),
        ("prefix_bytes", c_uint64),
        ("mark_stride", c_int64),
        ("mark_bytes", c_uint64),
        ("undo_tokens", c_int32),
        ("reserved", c_int32),
        ("memory_token_adapter", c_void_p),
    ]


class hlm_pool_info(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("used_bytes", c_uint64),
        ("held_bytes", c_uint64),
    ]


class hlm_ctx_params(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("n_threads", c_int32),
        ("reserved", c_int32),
        ("max_rows", c_size_t),
        ("executor", c_void_p),
        ("pool", c_void_p),
    ]


class hlm_plan_params(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("n_sequences", c_size_t),
        ("n_tokens", c_int64),
        ("step_tokens", c_int64),
        ("kv_type", c_int32),
        ("state_type", c_int32),
        ("window_rows", c_int32),
        ("n_threads", c_int32),
        ("max_rows", c_size_t),
        ("prefix_bytes", c_uint64),
    ]


class hlm_memory_plan_info(Structure):
    """What a model, its sequences and one context take, in bytes."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("weights", c_uint64),
        ("state", c_uint64),
        ("state_per_token", c_uint64),
        ("state_per_sequence", c_uint64),
        ("scratch", c_uint64),
        ("total", c_uint64),
        ("prefix", c_uint64),
    ]


class hlm_cache_params(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("max_tokens", c_int64),
    ]


class hlm_speculation(Structure):
    """Speculative decoding: tokens are guessed ahead (a draft), run in one step with the token before them, and kept as
    far as the sampler draws them from the model's own logits. The text, its distribution and the draws of the sampler
    are those of plain generation, token for token; only the time differs. Callbacks, ends and errors come at the same
    tokens, and the cache holds the same tokens at every return.
    Drafts come from the text itself (what followed the last time that it read the same), and from a second, smaller
    model. How much is drafted follows from how many drafts were right in this call and how long steps took. A model
    with recurrent state drafts no further than its pool's undo log reaches (hlm_pool_params.undo_tokens), so nothing of
    it is computed twice; without that log it drafts nothing.
    Memory: logits of n_branches * (n_draft + 1) rows."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("n_draft", c_int32),
        ("ngram", c_int32),
        ("n_branches", c_int32),
        ("fixed", c_int32),
        ("draft", c_void_p),
        ("draft_cache", c_void_p),
    ]


class hlm_generate_params(Structure):
    """Everything it points to is the caller's and is read or written during the call only."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("prompt", c_void_p),
        ("n_prompt", c_size_t),
        ("max_tokens", c_size_t),
        ("stop", c_void_p),
        ("n_stop", c_size_t),
        ("stop_tokens", c_void_p),
        ("n_stop_tokens", c_size_t),
        ("ignore_eos", c_int32),
        ("show_special", c_int32),
        ("reuse", c_int32),
        ("reserved", c_int32),
        ("speculation", c_void_p),
        ("adapter", c_void_p),
        ("progress", hlm_generate_params_progress),
        ("on_token", hlm_generate_params_on_token),
        ("user", c_void_p),
        ("tokens", c_void_p),
        ("tokens_cap", c_size_t),
    ]


class hlm_generate_result(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("finish", c_int32),
        ("reserved", c_int32),
        ("n_prompt", c_size_t),
        ("n_generated", c_size_t),
        ("prompt_ns", c_uint64),
        ("generate_ns", c_uint64),
        ("n_reused", c_size_t),
        ("n_recomputed", c_size_t),
        ("n_steps", c_size_t),
        ("n_drafted", c_size_t),
        ("n_accepted", c_size_t),
    ]


class hlm_score_params(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("tokens", c_void_p),
        ("n_tokens", c_size_t),
        ("labels", c_void_p),
        ("logprobs", c_void_p),
    ]


class hlm_score_result(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("sum", c_double),
        ("n_scored", c_size_t),
    ]


class hlm_embed_params(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("tokens", c_void_p),
        ("n_tokens", c_size_t),
        ("pooling", c_int32),
        ("normalise", c_int32),
    ]


class hlm_hidden(Structure):
    """A request for hidden states of every token of a step."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("layer", c_int32),
        ("kind", c_int32),
        ("out", c_void_p),
    ]


class hlm_attention(Structure):
    """A request for the attention weights of every token of a step: a slower path of its own; the step's other results
    stay bit for bit the same."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("layer", c_int32),
        ("reserved", c_int32),
        ("out", c_void_p),
    ]


class hlm_step(Structure):
    """New tokens for one sequence. Everything it points to is the caller's and is read or written during the call only."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("cache", c_void_p),
        ("tokens", c_void_p),
        ("n_tokens", c_size_t),
        ("embeddings", c_void_p),
        ("adapter", c_void_p),
        ("logits", c_void_p),
        ("logit_rows", c_int32),
        ("reserved", c_int32),
        ("rows", c_void_p),
        ("n_rows", c_size_t),
        ("hidden", c_void_p),
        ("n_hidden", c_size_t),
        ("attention", c_void_p),
        ("n_attention", c_size_t),
    ]


class hlm_logit_bias(Structure):
    """This struct does not grow."""
    _fields_ = [
        ("token", c_int32),
        ("bias", c_float),
    ]


class hlm_sampler_params(Structure):
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
    _fields_ = [
        ("struct_size", c_size_t),
        ("seed", c_uint64),
        ("temperature", c_float),
        ("top_k", c_int32),
        ("top_p", c_float),
        ("min_p", c_float),
        ("typical_p", c_float),
        ("repetition_penalty", c_float),
        ("frequency_penalty", c_float),
        ("presence_penalty", c_float),
        ("penalty_window", c_int64),
        ("logit_bias", c_void_p),
        ("n_logit_bias", c_size_t),
    ]


class hlm_reuse_params(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("tokens", c_void_p),
        ("n_tokens", c_size_t),
        ("adapter", c_void_p),
    ]


class hlm_prefix_info(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("bytes", c_uint64),
        ("max_bytes", c_uint64),
        ("nodes", c_uint64),
        ("tokens", c_uint64),
        ("states", c_uint64),
        ("lookups", c_uint64),
        ("hits", c_uint64),
        ("tokens_asked", c_uint64),
        ("tokens_reused", c_uint64),
        ("tokens_recomputed", c_uint64),
        ("evicted_tokens", c_uint64),
        ("evicted_states", c_uint64),
    ]


class hlm_writer(Structure):
    """Takes the bytes of a snapshot, in order."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("user", c_void_p),
        ("write", hlm_writer_write),
    ]


class hlm_reader(Structure):
    """Gives the bytes of a snapshot, in order."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("user", c_void_p),
        ("read", hlm_reader_read),
    ]


class hlm_adapter_params(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("scale", c_float),
        ("reserved", c_int32),
        ("vfs", c_void_p),
    ]


class hlm_adapter_info(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("n_matrices", c_size_t),
        ("rank", c_size_t),
        ("bytes", c_uint64),
    ]


class hlm_allocator(Structure):
    """Memory. All memory of the library but jansson's comes from here. Both functions are needed and may be called from
    any thread, also at the same time. What `user` points to must outlive everything made with it."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("user", c_void_p),
        ("alloc", hlm_allocator_alloc),
        ("free", hlm_allocator_free),
    ]


class hlm_log(Structure):
    """Text about progress and decisions, one line without newline a call. The struct is copied; what `user` points to must
    outlive everything made from the model."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("user", c_void_p),
        ("write", hlm_log_write),
    ]


class hlm_executor(Structure):
    """The caller's job system. The library then starts no threads of its own. What `user` points to must outlive the
    context. parallel_for is called from the thread that called into the context, once for each part of the work between
    barriers, with n the context's number of threads."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("user", c_void_p),
        ("parallel_for", hlm_executor_parallel_for),
    ]


class hlm_vfs(Structure):
    """File access, for pack files and assets. Paths are those given to hlm_model_load or hlm_adapter_load and, for a
    folder, names joined to it by '/'. Functions return 0 on success; all but map are needed. The struct is copied; what
    `user` points to must outlive the models loaded through it. All functions may be called from any thread."""
    _fields_ = [
        ("struct_size", c_size_t),
        ("user", c_void_p),
        ("open", hlm_vfs_open),
        ("size", hlm_vfs_size),
        ("read_at", hlm_vfs_read_at),
        ("map", hlm_vfs_map),
        ("close", hlm_vfs_close),
    ]


#: name -> result, parameters, the header's comment
FUNCTIONS: dict[str, tuple[Any, list[Any], str]] = {
    "hlm_abi_version": (c_uint32, [],
        'HLM_ABI_VERSION of the library in use (not of the header compiled against).'),
    "hlm_version": (c_char_p, [],
        'Version of the library in use, "MAJOR.MINOR.PATCH". Static storage.'),
    "hlm_status_name": (c_char_p, [c_int32],
        'Name of a status, such as "HLM_E_FORMAT"; "HLM_E_?" for an unknown one. Static storage.'),
    "hlm_last_error": (c_char_p, [],
        "What went wrong in the calling thread's latest call that returns an hlm_status: one sentence naming file, field and\n"
        'value where there are any; "" when that call succeeded, and before the first. Calls that return no status (frees,\n'
        'releases, retains, hlm_ctx_cancel, and those that return a number, a string or a pool) leave it as it is. In a\n'
        'callback it is that of the calls made there, which leave the sentence of the call around them alone. Valid until the\n'
        "thread's next call that returns a status; never NULL."),
    "hlm_tokenize": (c_int32, [c_void_p, c_char_p, c_size_t, c_uint32, c_void_p, c_size_t, c_void_p],
        'Text to token ids. Ill-formed UTF-8 is read as U+FFFD, one for each maximal bad sequence.\n'
        'text    [len] bytes, not ended by 0; may be NULL when len is 0.\n'
        'flags   HLM_TOKENIZE_... bits or 0.\n'
        'out     [cap]; may be NULL when cap is 0.\n'
        '*n      receives the number of ids, also with HLM_E_SPACE.\n'
        'Errors  HLM_E_SPACE, HLM_E_UNSUPPORTED (the model has no tokenizer), HLM_E_LIMIT (a text above 512 MB, or a budget\n'
        '        ran out), HLM_E_NOMEM.'),
    "hlm_detokenize": (c_int32, [c_void_p, c_void_p, c_size_t, c_uint32, c_void_p, c_size_t, c_void_p],
        'Token ids to text, not ended by 0. Bytes that are no UTF-8 become U+FFFD.\n'
        'tokens  [n_tokens]; may be NULL when n_tokens is 0.\n'
        'flags   HLM_DETOKENIZE_... bits or 0.\n'
        'out     [cap]; may be NULL when cap is 0.\n'
        '*n      receives the number of bytes, also with HLM_E_SPACE.\n'
        'Errors  HLM_E_TOKEN, HLM_E_SPACE, HLM_E_UNSUPPORTED (no tokenizer), HLM_E_NOMEM.'),
    "hlm_model_token_ends": (c_int32, [c_void_p, c_int32],
        '1 when `token` ends an answer (eos, end of turn, ...), else 0; also for a model without tokenizer, an id outside the\n'
        'vocabulary, or NULL.'),
    "hlm_text_stream_new": (c_int32, [c_void_p, c_void_p, c_uint32],
        'Text of one token after another, for streaming. The pieces joined equal hlm_detokenize of all tokens, and no piece\n'
        'ends inside a character. flags as for hlm_detokenize.\n'
        'Errors  HLM_E_UNSUPPORTED (no tokenizer), HLM_E_NOMEM.'),
    "hlm_text_stream_push": (c_int32, [c_void_p, c_int32, c_void_p, c_void_p],
        '*text [*len] is the text that became certain (it may be empty), not ended by 0, valid until the next call on the\n'
        'stream.\n'
        'Errors  HLM_E_TOKEN (the stream is as before), HLM_E_NOMEM.'),
    "hlm_text_stream_finish": (c_int32, [c_void_p, c_void_p, c_void_p],
        'What is left at the end (an unfinished character as U+FFFD), as above; the\n'
        'stream is then as new. Errors  HLM_E_NOMEM.'),
    "hlm_text_stream_free": (None, [c_void_p], ""),
    "hlm_text_stream_begin": (c_int32, [c_void_p, c_void_p, c_size_t],
        'Go on behind a text: the stream is as if these tokens had been pushed and their text given, whatever it was before.\n'
        "SentencePiece's tokens drop the space in front of a text's first word only, and characters may be spelled over\n"
        'several tokens, so the text of an answer is not that of its tokens alone.\n'
        'tokens   [n] all tokens before, as hlm_cache_tokens gives them; HLM_TOKEN_NONE stands for no text.\n'
        'Errors  HLM_E_ARG, HLM_E_TOKEN, HLM_E_LIMIT (more than 2^29; the stream is then as before), HLM_E_NOMEM.'),
    "hlm_text_stream_cut": (c_int32, [c_void_p, c_void_p, c_void_p],
        'The end of the tokens, but not of the text: what is left as with hlm_text_stream_finish, without what later tokens\n'
        'may change, as the beginning of a character. A stream that begins behind the same tokens gives that. The stream is\n'
        'then as new.\n'
        'The pieces joined equal hlm_detokenize of all tokens wherever a text is cut so; but for a tokenizer.json whose\n'
        'decoder needs the joined text as a whole (a Replace behind a Fuse):\n'
        'there an unfinished character is U+FFFD. Errors  HLM_E_NOMEM.'),
    "hlm_chat_render": (c_int32, [c_void_p, c_char_p, c_void_p, c_void_p, c_size_t, c_void_p],
        "Messages to text by the model's chat template.\n"
        'messages_json  [{"role": "user", "content": "..."}, ...], ended by 0.\n'
        "params         NULL: the model's template, an assistant's answer opened.\n"
        'out [cap]      not ended by 0; *n receives the bytes, also with HLM_E_SPACE.\n'
        'Errors  HLM_E_ARG, HLM_E_FORMAT (the JSON), HLM_E_UNSUPPORTED (no template), HLM_E_TEMPLATE, HLM_E_LIMIT,\n'
        '        HLM_E_SPACE, HLM_E_NOMEM.'),
    "hlm_chat_tokenize": (c_int32, [c_void_p, c_char_p, c_void_p, c_void_p, c_size_t, c_void_p],
        "Messages to tokens: the tokens of hlm_chat_render's text, except that special tokens come only from what the\n"
        'template itself writes. A marker that a message, a tool or extra_json spells is plain text, however the template\n'
        "cuts or joins it. The template's own: its literals, bos_token and eos_token, members of extra_json whose name ends\n"
        'in "_token", and roles made of letters, digits, \'_\' and \'-\'. Nothing is added around the text: templates write bos\n'
        'themselves.\n'
        'out [cap]      *n receives the tokens, also with HLM_E_SPACE.\n'
        'Errors  those of hlm_chat_render; HLM_E_UNSUPPORTED without a tokenizer, too.'),
    "hlm_chat_template_text": (c_int32, [c_void_p, c_void_p, c_void_p, c_size_t, c_void_p],
        "Text of the template that hlm_chat_render uses with these params: their own, one of the model's files or a built-in\n"
        'one. It tells which variables of extra_json have an effect.\n'
        "params         NULL: the model's default.\n"
        'out [cap]      not ended by 0; *n receives the bytes, also with HLM_E_SPACE.\n'
        'Errors  HLM_E_ARG, HLM_E_UNSUPPORTED (no template), HLM_E_SPACE.'),
    "hlm_chat_render_messages": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p, c_void_p, c_size_t, c_void_p],
        'hlm_chat_render for messages [n_messages], which are read during the call only: the same bytes as for the same\n'
        'messages as JSON. No messages: may be NULL.\n'
        'Errors  those of hlm_chat_render; HLM_E_ARG (a role or content is NULL) and HLM_E_FORMAT (it is no UTF-8) name the\n'
        '        message and the field.'),
    "hlm_chat_tokenize_messages": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p, c_void_p, c_size_t, c_void_p],
        'hlm_chat_tokenize for messages [n_messages], likewise.\n'
        'Errors  those of hlm_chat_render_messages; HLM_E_UNSUPPORTED without a tokenizer, too.'),
    "hlm_model_load": (c_int32, [c_void_p, c_char_p, c_void_p],
        'Load a GGUF file (of a split one any part), a folder that holds one, or a Hugging Face folder (config.json,\n'
        'safetensors or pytorch_model.bin, and tokenizer.json, tokenizer.model or vocab.json with merges.txt), or a release\n'
        'of Llama or Mistral (params.json and consolidated.*). With HLM_LOAD_VOCAB_ONLY a path to a tokenizer.json, a .model,\n'
        "vocab.json or merges.txt works too. Added tokens beyond the embedding's rows are left out and logged.\n"
        'On success *out holds one reference. The path is not needed afterwards; a mapped file must not change while the\n'
        'model lives (see HLM_LOAD_READ).\n'
        'Errors  HLM_E_IO, HLM_E_FORMAT, HLM_E_UNSUPPORTED (an architecture, a type, a method of quantisation, a tokenizer,\n'
        '        an instruction set, a type to quantise to, by name), HLM_E_ARG (also: a folder with several GGUF models, by\n'
        "        their names), HLM_E_TEMPLATE (a chat template's syntax), HLM_E_LIMIT (a file's JSON, template or tokenizer\n"
        '        is too large or too deep), HLM_E_NOMEM, HLM_E_CANCELLED (by progress).'),
    "hlm_model_retain": (None, [c_void_p],
        'One reference more, or one less; the last one frees the model. Any thread.'),
    "hlm_model_release": (None, [c_void_p], ""),
    "hlm_model_info_get": (c_int32, [c_void_p, c_void_p],
        'Set info->struct_size first; fields beyond it are left out, and bytes beyond what the library knows become 0.'),
    "hlm_model_weight": (c_int32, [c_void_p, c_size_t, c_void_p],
        'Weight i of the model, in the order in which a token meets them. Set info->struct_size first.\n'
        'Errors  HLM_E_ARG (there is no weight i), HLM_E_UNSUPPORTED (HLM_LOAD_VOCAB_ONLY).'),
    "hlm_model_label": (c_char_p, [c_void_p, c_int32],
        'Name of class i of a classification head, as the files say it; NULL where they do not, or there is no such class.\n'
        'Valid as long as the model.'),
    "hlm_model_hidden_width": (c_size_t, [c_void_p, c_int32],
        'Numbers in a row of hidden states of a kind (HLM_HIDDEN_...); 0: the model has none of that kind.'),
    "hlm_file_open": (c_int32, [c_void_p, c_char_p, c_void_p],
        'Opens a GGUF file (by any of its parts, also one whose others are not there), a folder of a model or an adapter, or\n'
        'a file of weights alone, and reads headers and settings, no weights. What is damaged or unknown does not fail: what\n'
        'could be read before is there, and what is wrong is told by hlm_file_problem.\n'
        'params  allocator, vfs and HLM_LOAD_READ count; NULL: defaults.\n'
        "*out    the caller's, for hlm_file_free; NULL after a failure.\n"
        'Errors  HLM_E_IO, HLM_E_FORMAT (it is none of these), HLM_E_ARG (also: a folder with several GGUF models, by their\n'
        '        names), HLM_E_NOMEM.'),
    "hlm_file_free": (None, [c_void_p],
        'NULL is fine.'),
    "hlm_file_info_get": (c_int32, [c_void_p, c_void_p],
        'Set info->struct_size first. Errors  HLM_E_ARG.'),
    "hlm_file_part": (c_char_p, [c_void_p, c_size_t, c_void_p],
        'Path of weight file i, and in *bytes (may be NULL) its size. NULL when there is no such file.'),
    "hlm_file_problem": (c_char_p, [c_void_p, c_size_t],
        'Why it can not be run, sentence i; NULL behind the last. They are of what headers and settings tell; tokenizer, chat\n'
        'template and the weights of quantised folders are not looked at, so hlm_model_load (with HLM_LOAD_HEADERS) may\n'
        'refuse what has none. Of many that are alike the first are there, and a sentence with the number of the others.'),
    "hlm_file_key": (c_int32, [c_void_p, c_size_t, c_void_p],
        'Setting i, in the order of the file. Set info->struct_size first. Errors  HLM_E_ARG.'),
    "hlm_file_value": (c_int32, [c_void_p, c_size_t, c_size_t, c_void_p, c_size_t, c_void_p],
        'Value of setting i as JSON in printable ASCII, with nothing but escapes for all else; bytes that are no UTF-8 become\n'
        'U+FFFD, and numbers that JSON does not have "NaN", "Infinity" and "-Infinity".\n'
        'max_items  of each array in it, so many are written. 0: all.\n'
        'out [cap]  receives it, without a 0 behind it; may be NULL for cap 0.\n'
        '*n         its length, also with HLM_E_SPACE.\n'
        'Errors     HLM_E_ARG, HLM_E_SPACE, HLM_E_NOMEM.'),
    "hlm_file_tensor": (c_int32, [c_void_p, c_size_t, c_void_p],
        'Tensor i, in the order of the files. Set info->struct_size first. Errors  HLM_E_ARG.'),
    "hlm_pool_new": (c_int32, [c_void_p, c_void_p, c_void_p],
        'An empty pool with one reference; pages are allocated as they are needed.\n'
        'Errors  HLM_E_UNSUPPORTED (HLM_LOAD_VOCAB_ONLY, HLM_LOAD_HEADERS; a memory_token_adapter with invocation tokens),\n'
        '        HLM_E_MISMATCH (an adapter of another model), HLM_E_NOMEM.'),
    "hlm_pool_retain": (None, [c_void_p],
        'One reference more, or one less; with the last one, caches and contexts included, its memory goes back to the\n'
        'allocator. Any thread.'),
    "hlm_pool_release": (None, [c_void_p], ""),
    "hlm_pool_adapt": (c_int32, [c_void_p, c_void_p],
        'Make an adapter known to a pool before a step runs with it: snapshots of sequences that were run with it can then be\n'
        'loaded. It may be loaded anew from the same files, with the same scale.\n'
        'Errors  HLM_E_MISMATCH (of another model), HLM_E_FULL (4096 adapters), HLM_E_NOMEM.'),
    "hlm_pool_info_get": (c_int32, [c_void_p, c_void_p],
        "What a pool's pages and states take now. Set out->struct_size first. Any thread."),
    "hlm_ctx_new": (c_int32, [c_void_p, c_void_p, c_void_p],
        'Starts the threads and takes the scratch: what hlm_model_plan_memory says. Threads stay in the process that made\n'
        'them: in the child of a fork() calls on a context with threads of its own return HLM_E_MISMATCH; the child may free\n'
        'it, and make one of its own on the same pool.\n'
        'Errors  HLM_E_UNSUPPORTED (HLM_LOAD_VOCAB_ONLY, HLM_LOAD_HEADERS), HLM_E_MISMATCH (a pool of another model),\n'
        "        HLM_E_NOMEM (memory, or the system's threads)."),
    "hlm_ctx_free": (None, [c_void_p],
        'Ends its threads. Not while a call on it runs: hlm_ctx_cancel, then wait for that call.'),
    "hlm_ctx_pool": (c_void_p, [c_void_p],
        "The context's pool, borrowed: retain it to keep it. NULL for NULL."),
    "hlm_ctx_error": (c_char_p, [c_void_p],
        'As hlm_last_error, but of the latest failed call on this context (hlm_decode_step, hlm_step_begin, hlm_step_run,\n'
        'hlm_cache_logits, hlm_generate, hlm_score, hlm_embed), from any thread that holds the context; not of one that was\n'
        'HLM_E_BUSY, or whose arguments were refused before the context was looked at; "" before the first. Valid until the\n'
        'next call on it; never NULL.'),
    "hlm_ctx_cancel": (None, [c_void_p],
        'Stop the call that is running on ctx: it returns HLM_E_CANCELLED within about half a millisecond of computing, and\n'
        'what its last step did to caches is undone. Of a begun step (hlm_step_begin) the next hlm_step_run returns it. The\n'
        'request stays until a step has returned so: when no call is running, or the running one is past its last barrier and\n'
        'succeeds, the next step on ctx returns HLM_E_CANCELLED, once. A program that wants to go on after a call that was\n'
        'too quick for its cancel repeats that step.\n'
        'May be called from any thread and from a signal handler. NULL does nothing.'),
    "hlm_model_plan_memory": (c_int32, [c_void_p, c_void_p, c_void_p],
        'A dry run: computes the sizes that a pool and a context made with the same numbers will have, and keeps no memory.\n'
        'Set out->struct_size first.\n'
        'Errors  HLM_E_UNSUPPORTED (HLM_LOAD_VOCAB_ONLY), HLM_E_NOMEM.'),
    "hlm_cache_new": (c_int32, [c_void_p, c_void_p, c_void_p],
        'An empty sequence in the pool; takes no pages yet. Errors  HLM_E_NOMEM.'),
    "hlm_cache_free": (None, [c_void_p],
        'Pages that no other cache shares go back to the pool.'),
    "hlm_cache_fork": (c_int32, [c_void_p, c_void_p, c_int64],
        'A second sequence that begins with the first at_pos tokens of `cache` (HLM_NOW: all), with the same max_tokens.\n'
        'Copies no state: pages are shared until one of the two writes. The two are independent from then on, but for the\n'
        'guarantee of hlm_cache_reserve, which a fork ends.\n'
        'Errors  HLM_E_ARG (at_pos above the length, or negative and not HLM_NOW), HLM_E_NOMEM, HLM_E_BUSY.'),
    "hlm_cache_rewind": (c_int32, [c_void_p, c_int64, c_void_p],
        'Forget the tokens from `pos` on; pages behind go back to the pool, those that hlm_cache_reserve took included.\n'
        '*pending (may be NULL) receives how many tokens before `pos` the next step has to recompute first; 0 for\n'
        'Transformers that keep all rows (hlm_pool_params.window_rows).\n'
        'Errors  HLM_E_ARG (pos negative or above the length), HLM_E_BUSY.'),
    "hlm_cache_mark": (c_int32, [c_void_p],
        'Keep the state at the present position: rewind and fork to it cost nothing, until the cache is rewound to before it,\n'
        'or the mark is removed. One reference more for models with recurrent state; nothing for Transformers, and the rows\n'
        'of attention windows before it where those would be given back (hlm_pool_params.window_rows). Again at a position:\n'
        'nothing.\n'
        'Errors  HLM_E_UNREACHABLE (after a rewind, before the next step: the state is not there yet), HLM_E_NOMEM,\n'
        '        HLM_E_BUSY.'),
    "hlm_cache_unmark": (c_int32, [c_void_p, c_int64],
        'Remove the mark at a position; none there: nothing.\n'
        'Errors  HLM_E_ARG (pos negative or above the length), HLM_E_BUSY.'),
    "hlm_cache_marks": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p],
        'The positions of all marks, automatic ones included, ascending, into pos [cap]; *n (may be NULL) receives how many\n'
        'there are, also with HLM_E_SPACE. pos NULL: only *n, and HLM_OK.\n'
        'Errors  HLM_E_ARG, HLM_E_SPACE (cap below *n), HLM_E_BUSY.'),
    "hlm_cache_length": (c_int64, [c_void_p],
        'Tokens held; 0 for NULL. Not while a call that makes it grow runs on another thread.'),
    "hlm_cache_pending": (c_int64, [c_void_p],
        'Of the tokens held, how many before the end the next step has to recompute first: what hlm_cache_rewind told, also\n'
        'after a fork to an earlier position; 0 after a step, and for NULL. Not while a step on the cache runs.'),
    "hlm_cache_tokens": (c_int32, [c_void_p, c_int64, c_size_t, c_void_p],
        'Copies the n token ids from position `from` on into out [n].\n'
        'Errors  HLM_E_ARG when from + n is above the length, HLM_E_BUSY.'),
    "hlm_cache_reserve": (c_int32, [c_void_p, c_int64],
        'Take the memory for n_tokens in all, those held included, now, so that no step up to there can fail for lack of\n'
        'pages or allocate them; up to the length: nothing. A later fork ends the guarantee, for both: pages are then shared,\n'
        'and the first to write into one copies it. So does a rewind.\n'
        'Errors  HLM_E_ARG (negative), HLM_E_FULL (above max_tokens), HLM_E_NOMEM, HLM_E_BUSY; the length and the tokens are\n'
        '        as before, and what was taken goes back.'),
    "hlm_cache_state": (c_int32, [c_void_p, c_int32, c_int32, c_void_p, c_size_t, c_void_p],
        "Copies a layer's recurrent state at the cache's position into out [cap]; *n (may be NULL) receives the number of\n"
        'floats that there are, 0 for a layer without one, also with HLM_E_SPACE and HLM_E_UNREACHABLE. out NULL: only *n,\n'
        'and HLM_OK. `which`: HLM_STATE_...\n'
        'Errors  HLM_E_ARG, HLM_E_SPACE (cap below *n), HLM_E_UNREACHABLE (after a rewind the state is computed by the next\n'
        '        step), HLM_E_NOMEM, HLM_E_BUSY.'),
    "hlm_generate": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p],
        'Prompt in, tokens out. Afterwards the cache holds the prompt and all generated tokens but the last one, which has\n'
        'not been run.\n'
        'sampler NULL: greedy. result may be NULL, else set its struct_size first; it is written on success, and with\n'
        'HLM_E_CANCELLED for what was done until then. Callbacks come from the calling thread and must not call into ctx or\n'
        "the cache, but for hlm_ctx_cancel. The sampler accepts the generated tokens, not the prompt's.\n"
        'A model without tokenizer gives ids and no text.\n'
        'Errors  those of hlm_decode_step and hlm_sampler_sample, HLM_E_UNSUPPORTED (a head that is not HLM_HEAD_TEXT, the\n'
        "        draft model's too), HLM_E_EMPTY (no prompt, and an empty cache or reuse), HLM_E_MISMATCH (a sampler of\n"
        '        another model, a draft model of another vocabulary, a draft_cache of another pool); the cache then holds\n'
        '        what was run before.'),
    "hlm_score": (c_int32, [c_void_p, c_void_p, c_void_p],
        'Log-probability of each token, or label, given the tokens before it. result may be NULL, else set its struct_size\n'
        'first.\n'
        "Uses a sequence of its own, in the context's pool, and no [n_tokens, vocab_size] buffer.\n"
        'Errors  HLM_E_ARG, HLM_E_TOKEN, HLM_E_NOMEM, HLM_E_BUSY, HLM_E_CANCELLED, HLM_E_UNSUPPORTED (a model whose head is\n'
        '        not HLM_HEAD_TEXT); what logprobs holds is then undefined.'),
    "hlm_embed": (c_int32, [c_void_p, c_void_p, c_void_p],
        "A text's vector, for search and comparison: of its rows after the final norm, which transformers calls\n"
        'last_hidden_state. Any model has them, whatever its head.\n'
        'out      [hidden_size].\n'
        "Uses a sequence of its own, in the context's pool.\n"
        'Errors  HLM_E_ARG, HLM_E_EMPTY, HLM_E_TOKEN, HLM_E_NOMEM, HLM_E_BUSY, HLM_E_CANCELLED.'),
    "hlm_decode_step": (c_int32, [c_void_p, c_void_p, c_size_t],
        'Run new tokens through the model: whole prompts, single tokens, or both, for n sequences in one varlen batch. Each\n'
        'cache grows by its tokens.\n'
        "steps   [n] one entry a sequence, no cache twice, all of the context's pool; read only during the call.\n"
        'Threads one call per context at a time; contexts of one model may run in\n'
        '        parallel, on different caches.\n'
        'Errors  HLM_E_ARG, HLM_E_EMPTY (no steps, or one without tokens), HLM_E_TOKEN, HLM_E_FULL (also: 4096 adapters),\n'
        '        HLM_E_MISMATCH (a cache of another pool, an adapter of another model), HLM_E_UNREACHABLE (pending tokens\n'
        '        that were embeddings), HLM_E_BUSY (context or cache in use, or a cache twice), HLM_E_NOMEM,\n'
        '        HLM_E_UNSUPPORTED (logits of a model without a head), HLM_E_CANCELLED. The sentence says which of the steps.\n'
        '        Every cache is then as it was before the call, and what the out-arrays hold is undefined.'),
    "hlm_step_begin": (c_int32, [c_void_p, c_void_p, c_size_t],
        'Begin the step that hlm_decode_step would run, to be computed in slices between other things: checks it and takes\n'
        'its memory, computes nothing. Structs, ids, rows and lists of requests are copied; embeddings, and what is written\n'
        'to (logits, hidden states, attention weights), must stay until the step has ended.\n'
        'Until then ctx is busy but for hlm_step_run, hlm_step_abort and hlm_ctx_cancel. The caches are what they were\n'
        'before: they can be read, forked and saved, also from other threads (hlm_cache_length and hlm_cache_pending: not\n'
        'while hlm_step_run runs); calls that would change one return HLM_E_BUSY. (Where an adapter with invocation tokens\n'
        'has tokens run again, they are seen as run again until the step has ended.) A cache that is freed before the step\n'
        "has ended is not the caller's any more: the step goes on, and its end frees it. hlm_ctx_free aborts the step.\n"
        "In a pool that does not have the model's memory tokens yet (Hymba) their rows are computed first, and the step's\n"
        'memory is taken after that.\n'
        'Errors  those of hlm_decode_step but HLM_E_CANCELLED; nothing is begun then.'),
    "hlm_step_run": (c_int32, [c_void_p, c_uint64, c_void_p],
        'Computes for budget_us microseconds; it stops in time if it can tell what the next piece of work will take, and\n'
        'always gets one done (0.2 ms is aimed at).\n'
        '*done receives 1 when the step has ended: the caches have grown, and the results are there, the same as\n'
        "hlm_decode_step's bit for bit; else 0, also on failure. A failure ends the step as hlm_step_abort does, but for\n"
        'HLM_E_ARG and HLM_E_BUSY, which leave it as it was.\n'
        'Errors  HLM_E_ARG (a budget of 0, or no step was begun), HLM_E_BUSY (another call on ctx), HLM_E_CANCELLED,\n'
        '        HLM_E_NOMEM (after memory tokens, or tokens that an adapter with invocation tokens runs again, only).'),
    "hlm_step_abort": (c_int32, [c_void_p],
        'Ends a begun step: every cache is as it was before it. None was begun: nothing.\n'
        'Errors  HLM_E_ARG, HLM_E_BUSY (another call on ctx).'),
    "hlm_cache_logits": (c_int32, [c_void_p, c_void_p, c_void_p],
        'The logits behind the last token that `cache` holds, once more: to draw another token after a fork or a rewind, from\n'
        'a snapshot that was loaded, or from a text that was reused.\n'
        'logits  [vocab_size] (with a classification head [n_labels]), bit for bit those of the step that ran that token.\n'
        'A model with recurrent state keeps the final hidden row with each state that a step has written, so at the end of a\n'
        "step, at marks, and in forks and snapshots of these, the head's matrix is all that is computed. Elsewhere\n"
        '(Transformers; a position that came out of the undo log; pending tokens) what is missing is computed: pending\n'
        'tokens, and the last token once more. The sequence is the same value afterwards, and nothing of it is pending.\n'
        'Others that share its pages or states notice nothing; while the call runs, the cache can be read and forked.\n'
        'Errors  HLM_E_EMPTY (no tokens), HLM_E_UNREACHABLE (what has to be computed again was an embedding), HLM_E_MISMATCH\n'
        '        (a cache of another pool), HLM_E_BUSY (context or cache in use, or in a step), HLM_E_UNSUPPORTED\n'
        '        (HLM_HEAD_NONE), HLM_E_NOMEM (automatic marks of the cache went first, as in a step), HLM_E_CANCELLED; the\n'
        '        cache is as it was, and what logits holds is undefined.'),
    "hlm_sampler_new": (c_int32, [c_void_p, c_void_p, c_void_p],
        'params and the list of biases are copied; NULL: greedy.\n'
        'Errors  HLM_E_ARG (a number outside its range, NaN too), HLM_E_TOKEN (a biased token outside the vocabulary),\n'
        '        HLM_E_NOMEM.'),
    "hlm_sampler_fork": (c_int32, [c_void_p, c_void_p],
        'The same chain, history and random state, independent from now on. Errors  HLM_E_NOMEM.'),
    "hlm_sampler_sample": (c_int32, [c_void_p, c_void_p, c_void_p],
        'Draw from logits [vocab_size], which are not changed. Counts as a draw, but\n'
        'not as accepted. Allocates nothing. Errors  HLM_E_ARG when no token is left\n'
        '(all NaN or -INFINITY); that is no draw.'),
    "hlm_sampler_accept": (c_int32, [c_void_p, c_int32],
        'Tell the penalties that `token` became part of the text (prompt tokens too, if they shall count).\n'
        'Errors  HLM_E_TOKEN, HLM_E_NOMEM.'),
    "hlm_sampler_free": (None, [c_void_p], ""),
    "hlm_prefix_add": (c_int32, [c_void_p],
        "Remember the cache's tokens with their KV rows and the states at its marks and at its present position, for\n"
        'hlm_cache_reuse. Nothing is copied: pages and states are shared by reference. Of a text with embeddings only what\n'
        'stands before the first is remembered; of a model with recurrent state only what stands before the last state.\n'
        'Errors  HLM_E_NOMEM (nothing has changed), HLM_E_BUSY.'),
    "hlm_cache_reuse": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p],
        'Bring `cache` to the longest beginning of a text that it holds itself, or the prefix cache does: whichever leaves\n'
        'less to compute, itself if that is the same. At least the last token is left, so that running it gives logits. Go on\n'
        'with tokens + *reused.\n'
        'reused   how many of them the cache holds afterwards; may be NULL.\n'
        'pending  how many of those the next step computes again first, 0 for Transformers that keep all rows; may be NULL.\n'
        '         The state at their end becomes an automatic mark then.\n'
        'Marks of the cache within what is reused stay; memory of hlm_cache_reserve goes back.\n'
        'Errors  HLM_E_TOKEN, HLM_E_EMPTY (no tokens), HLM_E_MISMATCH (an adapter of another model), HLM_E_FULL (4096\n'
        '        adapters), HLM_E_NOMEM, HLM_E_BUSY; the cache is as before.'),
    "hlm_prefix_clear": (c_int32, [c_void_p],
        'Forget all texts. Caches keep what they share.'),
    "hlm_prefix_info_get": (c_int32, [c_void_p, c_void_p],
        "Counts of a pool's prefix cache. Set out->struct_size first. Errors  HLM_E_ARG."),
    "hlm_cache_save": (c_int32, [c_void_p, c_char_p],
        'Write what a sequence remembers: its tokens, KV rows and states, marks, undo log, and what they were computed with,\n'
        'with checksums over everything. Two saves of a sequence give the same bytes. Weights are not in it, and of a step\n'
        'that has been begun nothing. The first save or load of a model reads its weights in memory once, to tell the model\n'
        'from others (0.1 to 0.3 s a GB; asking for the bytes needed does it, too).\n'
        '\n'
        'A path: written beside it (path and ".saving0", or a higher number while another save to the same path runs),\n'
        'brought to the disk, and renamed, so that the path has either what it had or all of the new, whenever the process or\n'
        'the machine stops. What a process that was killed has left is used again by the next save.\n'
        'A symbolic link is replaced, not followed; a folder, FIFO, socket or device is refused.\n'
        'A writer: it is called from this thread.\n'
        'Memory: *n receives the bytes needed, also with HLM_E_SPACE; out may be NULL when cap is 0.\n'
        'Errors  HLM_E_IO (the file or the writer; the path then has what it had), HLM_E_SPACE, HLM_E_NOMEM, HLM_E_BUSY.'),
    "hlm_cache_save_to": (c_int32, [c_void_p, c_void_p], ""),
    "hlm_cache_save_memory": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p], ""),
    "hlm_cache_load": (c_int32, [c_void_p, c_void_p, c_char_p, c_uint32],
        'A new sequence from a snapshot, as it was when it was saved: length, tokens, marks, max_tokens, and bit for bit the\n'
        'logits that follow. A pool with other page sizes or budgets takes it too: of marks that steps have set it keeps what\n'
        'its own budget allows, and of an undo log with another undo_tokens nothing (positions behind the last mark are then\n'
        'computed again after a rewind).\n'
        'A path or memory must hold the snapshot and nothing else. A reader is asked for exactly the bytes of the snapshot,\n'
        'so that it may stand inside something larger; it is called from this thread.\n'
        'flags: HLM_SNAPSHOT_... or 0.\n'
        'Errors  HLM_E_FORMAT (no snapshot, cut off, damaged, or followed by something), HLM_E_UNSUPPORTED (of another\n'
        '        version of the format), HLM_E_MISMATCH (of another model or with an adapter that the pool does not know\n'
        '        (hlm_pool_adapt), or another memory_token_adapter, of other KV or state types, without rows behind attention\n'
        '        windows that the pool keeps (hlm_pool_params.window_rows), or computed with other kernels or load\n'
        "        parameters: the sentence says which), HLM_E_IO, HLM_E_NOMEM (memory, or the pool's cap). Nothing is left of\n"
        '        it then.'),
    "hlm_cache_load_from": (c_int32, [c_void_p, c_void_p, c_void_p, c_uint32], ""),
    "hlm_cache_load_memory": (c_int32, [c_void_p, c_void_p, c_void_p, c_size_t, c_uint32], ""),
    "hlm_prefix_save": (c_int32, [c_void_p, c_char_p],
        "Save all texts of the pool's prefix cache in a folder, which is made if its own folder exists. Each text is a\n"
        'snapshot in a file of its own, what texts have in common is stored once, and an index, which takes the place of the\n'
        'former one at the end, names them; then former texts are removed. One call at a time for a folder. Caches can be\n'
        'stepped meanwhile.\n'
        'Errors  HLM_E_IO, HLM_E_FULL (more than 2^20 texts), HLM_E_NOMEM; the folder is then as it was before, or not there\n'
        '        if it was not. (If the system refuses to undo, too, it has either all of the new or what it had.)'),
    "hlm_prefix_load": (c_int32, [c_void_p, c_char_p, c_uint32, c_void_p],
        "Add the texts of such a folder to the pool's prefix cache, as many as its budget holds. A file that is damaged, cut\n"
        "off, missing, or not of this model, its load parameters and the pool's types and page size, is left out, with the\n"
        'texts that go on from it; *n_refused (may be NULL) receives how many were.\n'
        'flags: HLM_SNAPSHOT_... or 0.\n'
        'Errors  HLM_E_IO (no index), HLM_E_FORMAT (no index of this kind, or damaged), HLM_E_UNSUPPORTED, HLM_E_NOMEM; what\n'
        '        was added before stays.'),
    "hlm_adapter_load": (c_int32, [c_void_p, c_void_p, c_char_p, c_void_p],
        'Load an adapter for a model: a folder as PEFT writes it (adapter_config.json and adapter_model.safetensors), or a\n'
        'GGUF file, whichever of the two the model is from. Its numbers are f32, f16 or bf16, and computed with in f32. An\n'
        'adapter with invocation tokens (activated LoRA) acts from the last place on at which a text has them, the first of\n'
        'them included: what a step that names it does is said at hlm_step.adapter.\n'
        'Errors  HLM_E_IO, HLM_E_FORMAT (a tensor of another shape, of a rank above 256, for no matrix of the model, or for\n'
        '        one that the settings leave out), HLM_E_TOKEN (an invocation token), HLM_E_LIMIT (more than 1024 of them, or\n'
        '        256 regular expressions of a setting, or one that takes too long), HLM_E_MISMATCH (of Falcon-H1 the other\n'
        '        kind of file), HLM_E_UNSUPPORTED (a model of HLM_LOAD_VOCAB_ONLY or HLM_LOAD_HEADERS, other methods than\n'
        "        LoRA and DoRA, settings that are not known and neither null, false, {} nor [], weights of the model's own\n"
        "        that are not the model's, matrices of a folder's experts in one tensor), HLM_E_NOMEM."),
    "hlm_adapter_join": (c_int32, [c_void_p, c_void_p, c_size_t],
        'Several adapters of one model as one, whose effects are added. An adapter with magnitudes (DoRA) can be joined only\n'
        'to those of other matrices, one with invocation tokens to those with the same.\n'
        'Errors  HLM_E_MISMATCH (of different models), HLM_E_UNSUPPORTED, HLM_E_LIMIT (a rank above 256), HLM_E_NOMEM.'),
    "hlm_adapter_retain": (None, [c_void_p],
        'One reference more, or one less. It keeps its model; pools keep the adapters that their sequences were run with. Any\n'
        'thread.'),
    "hlm_adapter_release": (None, [c_void_p], ""),
    "hlm_adapter_info_get": (c_int32, [c_void_p, c_void_p],
        'Set out->struct_size first. Errors  HLM_E_ARG.'),
}


def declare(library: CDLL) -> None:
    """Give every function of the library its types. AttributeError names one that it lacks."""
    for name, (result, parameters, _) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = parameters


def sizes() -> dict[str, tuple[int, int]]:
    """The size of every struct, as recorded and as ctypes lays it out."""
    return {
        "hlm_chat_params": (56, sizeof(hlm_chat_params)),
        "hlm_message": (16, sizeof(hlm_message)),
        "hlm_model_params": (72, sizeof(hlm_model_params)),
        "hlm_model_info": (144, sizeof(hlm_model_info)),
        "hlm_weight_info": (136, sizeof(hlm_weight_info)),
        "hlm_file_info": (80, sizeof(hlm_file_info)),
        "hlm_file_key_info": (40, sizeof(hlm_file_key_info)),
        "hlm_file_tensor_info": (88, sizeof(hlm_file_tensor_info)),
        "hlm_pool_params": (72, sizeof(hlm_pool_params)),
        "hlm_pool_info": (24, sizeof(hlm_pool_info)),
        "hlm_ctx_params": (40, sizeof(hlm_ctx_params)),
        "hlm_plan_params": (64, sizeof(hlm_plan_params)),
        "hlm_memory_plan_info": (64, sizeof(hlm_memory_plan_info)),
        "hlm_cache_params": (16, sizeof(hlm_cache_params)),
        "hlm_speculation": (40, sizeof(hlm_speculation)),
        "hlm_generate_params": (136, sizeof(hlm_generate_params)),
        "hlm_generate_result": (88, sizeof(hlm_generate_result)),
        "hlm_score_params": (40, sizeof(hlm_score_params)),
        "hlm_score_result": (24, sizeof(hlm_score_result)),
        "hlm_embed_params": (32, sizeof(hlm_embed_params)),
        "hlm_hidden": (24, sizeof(hlm_hidden)),
        "hlm_attention": (24, sizeof(hlm_attention)),
        "hlm_step": (112, sizeof(hlm_step)),
        "hlm_logit_bias": (8, sizeof(hlm_logit_bias)),
        "hlm_sampler_params": (72, sizeof(hlm_sampler_params)),
        "hlm_reuse_params": (32, sizeof(hlm_reuse_params)),
        "hlm_prefix_info": (104, sizeof(hlm_prefix_info)),
        "hlm_writer": (24, sizeof(hlm_writer)),
        "hlm_reader": (24, sizeof(hlm_reader)),
        "hlm_adapter_params": (24, sizeof(hlm_adapter_params)),
        "hlm_adapter_info": (32, sizeof(hlm_adapter_info)),
        "hlm_allocator": (32, sizeof(hlm_allocator)),
        "hlm_log": (24, sizeof(hlm_log)),
        "hlm_executor": (24, sizeof(hlm_executor)),
        "hlm_vfs": (56, sizeof(hlm_vfs)),
    }
