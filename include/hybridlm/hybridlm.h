/* libhybridlm: hybrid (attention + state-space) and Transformer language models inside other people's programs. This
 * header is the whole public API and its manual.
 *
 * Contents, in this order
 *  - status         what calls return, and the sentence behind it
 *  - objects        the handles
 *  - text           tokens, text as it comes, chats
 *  - model          loading, facts
 *  - context        pools of pages, contexts, what they will take
 *  - cache          the state of one sequence: fork, rewind, mark
 *  - generate       prompt in, tokens out; what a text scores; its vector
 *  - decode         steps of the model, whole or in slices
 *  - sampler        how tokens are drawn
 *  - prefix cache   what texts begin with in common is run once
 *  - snapshots      sequences as files
 *  - adapters       LoRA and DoRA
 *  - host           memory, threads, log and files of the caller's
 *
 * Example: a text goes on (docs/first.c is a whole program)
 *
 *      hlm_model *model = NULL;
 *      hlm_context *ctx = NULL;
 *      hlm_cache *cache = NULL;
 *      int32_t ids[256];
 *      hlm_generate_params p = {.struct_size = sizeof p, .prompt = ids, .max_tokens = 100, .on_token = print};
 *      hlm_status st = hlm_model_load(&model, "model.gguf", NULL);
 *      if (st == HLM_OK) st = hlm_ctx_new(&ctx, model, NULL);
 *      if (st == HLM_OK) st = hlm_cache_new(&cache, hlm_ctx_pool(ctx), NULL);
 *      if (st == HLM_OK) st = hlm_tokenize(model, "Once", 4, HLM_TOKENIZE_ADD_SPECIAL, ids, 256, &p.n_prompt);
 *      if (st == HLM_OK) st = hlm_generate(ctx, cache, NULL, &p, NULL);
 *
 *   print(user, token, text, len) is the caller's and gets the text as it comes. After a failure hlm_last_error()
 *   says why. hlm_cache_free, hlm_ctx_free and hlm_model_release end it, in any order.
 *
 * Conventions
 *  - A call is named hlm_OBJECT_verb after the object that it asks or changes. What a context computes has a short
 *    name: hlm_generate, hlm_decode_step, hlm_score, hlm_embed; so have hlm_tokenize and hlm_detokenize.
 *  - Every call that can fail returns an hlm_status; results come through out-parameters, which are written only on
 *    success unless said otherwise. hlm_last_error() holds a sentence for people.
 *  - Handles are opaque. A function that makes one sets *out to NULL on failure; what it made is the caller's to free.
 *    A child keeps its parents alive (a cache its pool, a pool its model), so handles may be freed in any order and on
 *    any thread, but not while a call uses them. Every free or release function takes NULL.
 *  - Every call may fail with HLM_E_ARG (a NULL where something is needed, a number out of range, a struct_size that
 *    can not be) and those that take structs or flags with HLM_E_UNSUPPORTED (a field or bit of a newer version);
 *    "Errors" below names what comes besides, or more exactly.
 *  - Parameter and result structs go by pointer and start with struct_size, set by the caller to sizeof the struct
 *    (hlm_message and hlm_logit_bias, which form arrays, have none and never change). Zero in any other field means the
 *    default, and a NULL parameter struct means all defaults. Structs grow only at the end. struct_size below today's
 *    sizeof must be that of an earlier version, else HLM_E_ARG. A larger struct than the library knows is accepted when
 *    the bytes it does not know are zero, else HLM_E_UNSUPPORTED.
 *  - What a parameter struct points to is the caller's, and is read or written during the call only, unless its field
 *    says that it is copied or kept.
 *  - A call that takes an array or a text with its length refuses a length above 2^29 with HLM_E_LIMIT before it reads
 *    anything of it; a step with more tokens than its cache can hold is refused likewise, with HLM_E_FULL.
 *  - Token ids are int32_t, counts of tokens and bytes size_t, positions int64_t, logits float. Matrices are row-major.
 *    Strings are UTF-8; paths too, on every system.
 *  - Numbers do not depend on how the calling thread rounds: every call computes to nearest, with denormals and without
 *    traps, and when it returns the thread's rounding mode, flush to zero, unmasked exceptions and sticky flags are
 *    what they were (x86: MXCSR and the x87's words, aarch64: FPCR, FPSR). Callbacks run with the caller's own, on the
 *    thread of the call.
 *  - The library never prints, exits, aborts, reads the environment or installs signal handlers, and has no global
 *    state but the error text of each thread and what jansson, which reads JSON, has one of for the whole process: its
 *    allocator (malloc, whatever allocator is given here, unless the host calls json_set_alloc_funcs) and the seed of
 *    its hash tables, drawn at random by the first call that reads JSON, unless the host has set it by
 *    json_object_seed.
 *  - No call needs more than 96 KB of its thread's stack.
 *
 * The promise: on a CPU the same build of the library, model file, load parameters, types of the pool, adapters and
 * tokens give the same logits bit for bit, whatever the batch, the cut of the prompt into steps, the number of threads,
 * or whether the state came by decoding or by fork, on all machines of one kernel class
 * (hlm_model_info.kernel_class). */
#ifndef HYBRIDLM_H
#define HYBRIDLM_H

#include <stddef.h>
#include <stdint.h>

#include <hybridlm/version.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef HLM_API
#  if defined(_WIN32) && defined(HLM_BUILD)
#    define HLM_API __declspec(dllexport)
#  elif defined(_WIN32) && !defined(HLM_STATIC)
#    define HLM_API __declspec(dllimport)
#  elif defined(__GNUC__) && defined(HLM_BUILD)
#    define HLM_API __attribute__((visibility("default")))
#  else
#    define HLM_API
#  endif
#endif

/* Results that are not to be thrown away. Who defines it as nothing hears no warnings. */
#ifndef HLM_NODISCARD
#  if (defined(__cplusplus) && __cplusplus >= 201703L) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L)
#    define HLM_NODISCARD [[nodiscard]]
#  elif defined(__GNUC__)
#    define HLM_NODISCARD __attribute__((warn_unused_result))
#  else
#    define HLM_NODISCARD
#  endif
#endif

/* ---- status -------------------------------------------------------------------------------- */

/** Result of a call: HLM_OK or one of the negative HLM_E_ values. Values are never renumbered; new ones are added at
 *  the end. */
typedef int32_t hlm_status;

enum {
    HLM_OK = 0,
    /** A pointer is NULL, a number is outside its range, or two arguments contradict each other. */
    HLM_E_ARG = -1,
    /** The allocator, or a byte cap, had no more memory. */
    HLM_E_NOMEM = -2,
    /** A file could not be opened or read. */
    HLM_E_IO = -3,
    /** A file says something that is wrong or contradictory. */
    HLM_E_FORMAT = -4,
    /** Well formed, but not known to this version: an architecture, a tensor type, a tokenizer, or a field of a newer
     *  struct. */
    HLM_E_UNSUPPORTED = -5,
    /** A token id is negative or not below the vocabulary size. */
    HLM_E_TOKEN = -6,
    /** The cache would grow past its max_tokens. */
    HLM_E_FULL = -7,
    /** hlm_ctx_cancel(), a progress callback or an executor stopped the call. */
    HLM_E_CANCELLED = -8,
    /** The object is in use by another call. */
    HLM_E_BUSY = -9,
    /** Objects that do not belong together: a cache of another model or pool, a context of the process that this one
     *  was forked from. */
    HLM_E_MISMATCH = -10,
    /** A position that can not be returned to. */
    HLM_E_UNREACHABLE = -11,
    /** No tokens where at least one is needed. */
    HLM_E_EMPTY = -12,
    /** The output buffer is too small; the size needed has been written. */
    HLM_E_SPACE = -13,
    /** A chat template raised an error or broke a rule of the language. */
    HLM_E_TEMPLATE = -14,
    /** A budget (template steps, output size, regular expression) ran out. */
    HLM_E_LIMIT = -15,
    /** A broken invariant of the library itself; please report it. */
    HLM_E_INTERNAL = -16
};

/** HLM_ABI_VERSION of the library in use (not of the header compiled against). */
HLM_API uint32_t hlm_abi_version(void);

/** Version of the library in use, "MAJOR.MINOR.PATCH". Static storage. */
HLM_API const char *hlm_version(void);

/** Name of a status, such as "HLM_E_FORMAT"; "HLM_E_?" for an unknown one. Static storage. */
HLM_API const char *hlm_status_name(hlm_status status);

/** What went wrong in the calling thread's latest call that returns an hlm_status: one sentence naming file, field and
 *  value where there are any; "" when that call succeeded, and before the first. Calls that return no status (frees,
 *  releases, retains, hlm_ctx_cancel, and those that return a number, a string or a pool) leave it as it is. In a
 *  callback it is that of the calls made there, which leave the sentence of the call around them alone. Valid until the
 *  thread's next call that returns a status; never NULL. */
HLM_API const char *hlm_last_error(void);

/* ---- objects ------------------------------------------------------------------------------- */

/** Weights, tokenizer and layer plan; immutable after load, reference counted. Any number of threads may use one. */
typedef struct hlm_model hlm_model;
/** Where states live: pages of one model, a byte cap. Share freely. */
typedef struct hlm_pool hlm_pool;
/** What it takes to compute: threads, scratch. One call at a time, but for hlm_ctx_cancel. */
typedef struct hlm_context hlm_context;
/** The state of one sequence, a value. One call at a time. */
typedef struct hlm_cache hlm_cache;
/** A chain of samplers and its random state. One call at a time. */
typedef struct hlm_sampler hlm_sampler;
/** Incremental detokenisation. One call at a time. */
typedef struct hlm_text_stream hlm_text_stream;
/** What is added to matrices of a model for the tokens of steps that name it: LoRA and DoRA. The model's own weights
 *  stay as they are, so that steps with different adapters, and with none, run in one batch. Immutable and reference
 *  counted. */
typedef struct hlm_adapter hlm_adapter;

/* What the caller may supply: "host" below. */
typedef struct hlm_allocator hlm_allocator;
typedef struct hlm_log hlm_log;
typedef struct hlm_executor hlm_executor;
typedef struct hlm_vfs hlm_vfs;

/* ---- text ---------------------------------------------------------------------------------- */

enum {
    /** Add what the tokenizer puts around a text (bos, eos, ...). */
    HLM_TOKENIZE_ADD_SPECIAL = 1u << 0,
    /** Markers such as <|im_end|> in the text become their special tokens. Never for text of untrusted origin. */
    HLM_TOKENIZE_PARSE_SPECIAL = 1u << 1
};

/** Text to token ids. Ill-formed UTF-8 is read as U+FFFD, one for each maximal bad sequence.
 *  text    [len] bytes, not ended by 0; may be NULL when len is 0.
 *  flags   HLM_TOKENIZE_... bits or 0.
 *  out     [cap]; may be NULL when cap is 0.
 *  *n      receives the number of ids, also with HLM_E_SPACE.
 *  Errors  HLM_E_SPACE, HLM_E_UNSUPPORTED (the model has no tokenizer), HLM_E_LIMIT (a text above 512 MB, or a budget
 *          ran out), HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_tokenize(const hlm_model *model, const char *text, size_t len, uint32_t flags,
                                              int32_t *out, size_t cap, size_t *n);

enum {
    /** Leave out special tokens. */
    HLM_DETOKENIZE_SKIP_SPECIAL = 1u << 0
};

/** Token ids to text, not ended by 0. Bytes that are no UTF-8 become U+FFFD.
 *  tokens  [n_tokens]; may be NULL when n_tokens is 0.
 *  flags   HLM_DETOKENIZE_... bits or 0.
 *  out     [cap]; may be NULL when cap is 0.
 *  *n      receives the number of bytes, also with HLM_E_SPACE.
 *  Errors  HLM_E_TOKEN, HLM_E_SPACE, HLM_E_UNSUPPORTED (no tokenizer), HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_detokenize(const hlm_model *model, const int32_t *tokens, size_t n_tokens,
                                                uint32_t flags, char *out, size_t cap, size_t *n);

/** 1 when `token` ends an answer (eos, end of turn, ...), else 0; also for a model without tokenizer, an id outside the
 *  vocabulary, or NULL. */
HLM_API int32_t hlm_model_token_ends(const hlm_model *model, int32_t token);

/** Text of one token after another, for streaming. The pieces joined equal hlm_detokenize of all tokens, and no piece
 *  ends inside a character. flags as for hlm_detokenize.
 *  Errors  HLM_E_UNSUPPORTED (no tokenizer), HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_text_stream_new(hlm_text_stream **out, hlm_model *model, uint32_t flags);
/** *text [*len] is the text that became certain (it may be empty), not ended by 0, valid until the next call on the
 *  stream.
 *  Errors  HLM_E_TOKEN (the stream is as before), HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_text_stream_push(hlm_text_stream *stream, int32_t token, const char **text,
                                                      size_t *len);
/** What is left at the end (an unfinished character as U+FFFD), as above; the
 *  stream is then as new. Errors  HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_text_stream_finish(hlm_text_stream *stream, const char **text, size_t *len);
HLM_API void hlm_text_stream_free(hlm_text_stream *stream);

/** In place of a token id where embeddings were given. */
#define HLM_TOKEN_NONE (-1)

/** Go on behind a text: the stream is as if these tokens had been pushed and their text given, whatever it was before.
 *  SentencePiece's tokens drop the space in front of a text's first word only, and characters may be spelled over
 *  several tokens, so the text of an answer is not that of its tokens alone.
 *  tokens   [n] all tokens before, as hlm_cache_tokens gives them; HLM_TOKEN_NONE stands for no text.
 *  Errors  HLM_E_ARG, HLM_E_TOKEN, HLM_E_LIMIT (more than 2^29; the stream is then as before), HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_text_stream_begin(hlm_text_stream *stream, const int32_t *tokens, size_t n);
/** The end of the tokens, but not of the text: what is left as with hlm_text_stream_finish, without what later tokens
 *  may change, as the beginning of a character. A stream that begins behind the same tokens gives that. The stream is
 *  then as new.
 *  The pieces joined equal hlm_detokenize of all tokens wherever a text is cut so; but for a tokenizer.json whose
 *  decoder needs the joined text as a whole (a Replace behind a Fuse):
 *  there an unfinished character is U+FFFD. Errors  HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_text_stream_cut(hlm_text_stream *stream, const char **text, size_t *len);

enum {
    /** Do not end with the opening of an assistant's answer. */
    HLM_CHAT_NO_GENERATION_PROMPT = 1u << 0
};

typedef struct hlm_chat_params {
    size_t struct_size;
    /** HLM_CHAT_... bits. */
    uint32_t flags;
    /** Must be 0. */
    uint32_t reserved;
    /** JSON array of tool schemas, or NULL. */
    const char *tools_json;
    /** JSON object whose members become variables of the template, or NULL. */
    const char *extra_json;
    /** A template to use instead of the model's, or NULL. */
    const char *chat_template;
    /** Seconds since 1970 (UTC) that strftime_now shows. 0: the system's clock. */
    int64_t now;
    /** Which of several templates, unless chat_template is given: one of the model's files ("default", "tool_use",
     *  "rag", ...) or a built-in one ("chatml", "huozi", "huozi_roles", "hymba", "llama2", "llama3", "mixtral",
     *  "persimmon", "phi", "phi_chat"). NULL: the files' tool_use when there are tools and such a template, else their
     *  default, else, when they have no template, the built-in one that fits the model. */
    const char *template_name;
} hlm_chat_params;

/** Messages to text by the model's chat template.
 *  messages_json  [{"role": "user", "content": "..."}, ...], ended by 0.
 *  params         NULL: the model's template, an assistant's answer opened.
 *  out [cap]      not ended by 0; *n receives the bytes, also with HLM_E_SPACE.
 *  Errors  HLM_E_ARG, HLM_E_FORMAT (the JSON), HLM_E_UNSUPPORTED (no template), HLM_E_TEMPLATE, HLM_E_LIMIT,
 *          HLM_E_SPACE, HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_chat_render(const hlm_model *model, const char *messages_json,
                                                 const hlm_chat_params *params, char *out, size_t cap, size_t *n);

/** Messages to tokens: the tokens of hlm_chat_render's text, except that special tokens come only from what the
 *  template itself writes. A marker that a message, a tool or extra_json spells is plain text, however the template
 *  cuts or joins it. The template's own: its literals, bos_token and eos_token, members of extra_json whose name ends
 *  in "_token", and roles made of letters, digits, '_' and '-'. Nothing is added around the text: templates write bos
 *  themselves.
 *  out [cap]      *n receives the tokens, also with HLM_E_SPACE.
 *  Errors  those of hlm_chat_render; HLM_E_UNSUPPORTED without a tokenizer, too. */
HLM_NODISCARD HLM_API hlm_status hlm_chat_tokenize(const hlm_model *model, const char *messages_json,
                                                   const hlm_chat_params *params, int32_t *out, size_t cap, size_t *n);

/** Text of the template that hlm_chat_render uses with these params: their own, one of the model's files or a built-in
 *  one. It tells which variables of extra_json have an effect.
 *  params         NULL: the model's default.
 *  out [cap]      not ended by 0; *n receives the bytes, also with HLM_E_SPACE.
 *  Errors  HLM_E_ARG, HLM_E_UNSUPPORTED (no template), HLM_E_SPACE. */
HLM_NODISCARD HLM_API hlm_status hlm_chat_template_text(const hlm_model *model, const hlm_chat_params *params,
                                                        char *out, size_t cap, size_t *n);

/** A message whose content is text: {"role": role, "content": content}. This struct does not grow; what needs more
 *  members (tool calls, a name) is written as JSON. */
typedef struct hlm_message {
    /** "system", "user", "assistant", ...: UTF-8, ended by 0. */
    const char *role;
    /** UTF-8, ended by 0; may be empty. Any character may occur, also quotes and line ends. */
    const char *content;
} hlm_message;

/** hlm_chat_render for messages [n_messages], which are read during the call only: the same bytes as for the same
 *  messages as JSON. No messages: may be NULL.
 *  Errors  those of hlm_chat_render; HLM_E_ARG (a role or content is NULL) and HLM_E_FORMAT (it is no UTF-8) name the
 *          message and the field. */
HLM_NODISCARD HLM_API hlm_status hlm_chat_render_messages(const hlm_model *model, const hlm_message *messages,
                                                          size_t n_messages, const hlm_chat_params *params, char *out,
                                                          size_t cap, size_t *n);

/** hlm_chat_tokenize for messages [n_messages], likewise.
 *  Errors  those of hlm_chat_render_messages; HLM_E_UNSUPPORTED without a tokenizer, too. */
HLM_NODISCARD HLM_API hlm_status hlm_chat_tokenize_messages(const hlm_model *model, const hlm_message *messages,
                                                            size_t n_messages, const hlm_chat_params *params,
                                                            int32_t *out, size_t cap, size_t *n);

/* ---- model --------------------------------------------------------------------------------- */

enum {
    /** Read weights into memory instead of mapping the file. A mapped file that another process truncates while it is
     *  in use ends the program with SIGBUS, which no library can prevent: use this for files that others may change. */
    HLM_LOAD_READ = 1u << 0,
    /** Use no instruction whose sums differ between CPUs (today: bf16 dot products, and VNNI for q8_0 weights), so that
     *  all x86-64 and aarch64 machines give the same bits, whatever hlm_model_params.cpu says: one kernel class,
     *  "portable". */
    HLM_LOAD_PORTABLE = 1u << 1,
    /** Tokenizer and chat template only; contexts, pools and adapters are refused. */
    HLM_LOAD_VOCAB_ONLY = 1u << 2,
    /** Read every weight and refuse NaN and infinity. */
    HLM_LOAD_CHECK_WEIGHTS = 1u << 3,
    /** For a model with memory tokens (Hymba): caches begin without them, and the caller runs them itself, as the first
     *  embeddings of each sequence. Without the flag they are computed once a pool, stand before every text, and count
     *  in no position, length or limit. */
    HLM_LOAD_NO_MEMORY_TOKENS = 1u << 4,
    /** Read no weights, only what tells of them: for hlm_model_info_get, hlm_model_weight and hlm_model_plan_memory;
     *  contexts, pools and adapters are refused. Names, shapes and types are checked. */
    HLM_LOAD_HEADERS = 1u << 5,
    /** hlm_model_params.quantise concerns an embedding that is the head too as well. */
    HLM_LOAD_QUANTISE_TIED = 1u << 6
};

enum {
    /** int8 per block for quantised weights, bf16 for bf16 weights where the CPU has the instruction, f32 for all
     *  else. */
    HLM_ACTIVATIONS_DEFAULT = 0,
    /** f32 on the stored weights: slower, free of activation rounding. */
    HLM_ACTIVATIONS_F32 = 1
};

typedef struct hlm_model_params {
    size_t struct_size;
    /** HLM_LOAD_... bits. */
    uint32_t flags;
    /** HLM_ACTIVATIONS_... */
    int32_t activations;
    /** The best instruction set to use, by name: "ref" (plain C), "avx2", "avx512". NULL: the best there is. The CPU's
     *  own limits always hold. */
    const char *cpu;
    /** Where path is; NULL: the system's files. Copied. */
    const hlm_vfs *vfs;
    /** NULL: the C library's. Copied; used by everything made from this model. */
    const hlm_allocator *allocator;
    /** NULL: silence. Copied. */
    const hlm_log *log;
    /** Called with bytes done and in total, from the loading thread. A value other than 0 ends the load with
     *  HLM_E_CANCELLED. */
    int32_t (*progress)(void *user, uint64_t done, uint64_t total);
    /** The first argument of progress. */
    void *progress_user;
    /** What matrices are quantised to while they are read, by name: "q8_0" (blocks of 32, 8 bits), "q4_0" (blocks of
     *  32, 4 bits), "int4" (4 bits in groups of 128 with a minimum each, as torchao's int4_weight_only). NULL: they
     *  stay as in the file. It concerns matrices of plain numbers (f32, f16, bf16, f64) that are multiplied and whose
     *  rows fill whole blocks. Vectors, convolutions, routers, embeddings (one that is the head too unless
     *  HLM_LOAD_QUANTISE_TIED asks for it) and what is quantised in the file stay as they are. Results are those of a
     *  file with such weights; snapshots are taken by models of the same files loaded with the same name. */
    const char *quantise;
} hlm_model_params;

/** Load a GGUF file (of a split one any part), a folder that holds one, or a Hugging Face folder (config.json,
 *  safetensors or pytorch_model.bin, and tokenizer.json, tokenizer.model or vocab.json with merges.txt), or a release
 *  of Llama or Mistral (params.json and consolidated.*). With HLM_LOAD_VOCAB_ONLY a path to a tokenizer.json, a .model,
 *  vocab.json or merges.txt works too. Added tokens beyond the embedding's rows are left out and logged.
 *  On success *out holds one reference. The path is not needed afterwards; a mapped file must not change while the
 *  model lives (see HLM_LOAD_READ).
 *  Errors  HLM_E_IO, HLM_E_FORMAT, HLM_E_UNSUPPORTED (an architecture, a type, a method of quantisation, a tokenizer,
 *          an instruction set, a type to quantise to, by name), HLM_E_ARG (also: a folder with several GGUF models, by
 *          their names), HLM_E_TEMPLATE (a chat template's syntax), HLM_E_LIMIT (a file's JSON, template or tokenizer
 *          is too large or too deep), HLM_E_NOMEM, HLM_E_CANCELLED (by progress). */
HLM_NODISCARD HLM_API hlm_status hlm_model_load(hlm_model **out, const char *path, const hlm_model_params *params);

/** One reference more, or one less; the last one frees the model. Any thread. */
HLM_API void hlm_model_retain(hlm_model *model);
HLM_API void hlm_model_release(hlm_model *model);

/** What a model's head computes. */
enum {
    /** Logits over the vocabulary. */
    HLM_HEAD_TEXT = 0,
    /** Logits over classes of a text, to be read at its last token (...ForSequenceClassification). */
    HLM_HEAD_SEQUENCE = 1,
    /** Logits over classes of each token (...ForTokenClassification). */
    HLM_HEAD_TOKEN = 2,
    /** None: the model ends with its final norm (LlamaModel, MistralModel, ...) and is for hlm_embed and hidden states.
     *  Logits, text and scores are refused with HLM_E_UNSUPPORTED; vocab_size is that of the embedding. */
    HLM_HEAD_NONE = 3
};

/** Facts about a model. Strings live as long as the model, are ended by 0 and never NULL. With HLM_LOAD_VOCAB_ONLY
 *  numbers but vocab_size, the token ids and has_chat_template are 0, and the strings but kernel_class are "". */
typedef struct hlm_model_info {
    size_t struct_size;
    /** Architecture as the file names it: "llama", "qwen2", ... */
    const char *arch;
    /** The model's own name, or "". */
    const char *name;
    /** Weight type that holds most bytes: "q4_1", "bf16", ...; of matrices that were quantised at load the one that
     *  they are kept in. */
    const char *weight_type;
    /** Kernels chosen: "ref", "avx2", "avx512", "avx512-vnni-bf16", ...; "portable" with HLM_LOAD_PORTABLE, on every
     *  CPU. Models loaded with equal parameters and an equal class give equal bits, and take each other's snapshots. */
    const char *kernel_class;
    /** Rows of the embedding; token ids are below it. */
    int32_t vocab_size;
    int32_t n_layers;
    int32_t hidden_size;
    /** Of attention: most query heads of a layer; KV heads and numbers in a head of the first layer with attention. 0
     *  without attention. */
    int32_t n_heads;
    int32_t n_kv_heads;
    int32_t head_dim;
    /** Longest text the model was made for, in tokens, with its rotary scaling. Not a limit:
     *  hlm_cache_params.max_tokens is. */
    int64_t max_positions;
    uint64_t n_parameters;
    /** Parameters that one token is computed with: all but the rows of an embedding that is no head, and the experts
     *  that it does not choose. */
    uint64_t n_active_parameters;
    /** Bytes of weights in the file, and in memory as loaded. */
    uint64_t file_bytes;
    uint64_t weight_bytes;
    /** Bytes of weights read to generate one token. */
    uint64_t bytes_per_token;
    /** Token ids, -1 where the model has none. */
    int32_t bos_token;
    int32_t eos_token;
    int32_t pad_token;
    int32_t unk_token;
    /** 1 when the files carry a default chat template, else 0. */
    int32_t has_chat_template;
    /** What the model's head computes of a row, HLM_HEAD_... */
    int32_t head;
    /** Classes of a classification head, else 0. */
    int32_t n_labels;
    /** 0. */
    int32_t reserved;
} hlm_model_info;

/** Set info->struct_size first; fields beyond it are left out, and bytes beyond what the library knows become 0. */
HLM_NODISCARD HLM_API hlm_status hlm_model_info_get(const hlm_model *model, hlm_model_info *info);

/** One of the matrices and vectors that a model is computed with. Strings live as long as the model. */
typedef struct hlm_weight_info {
    size_t struct_size;
    /** How many there are. */
    size_t n_weights;
    /** The tensor that holds it, perhaps beside others, its type ("q4_1"), and its sizes, outermost first and 0 behind
     *  the last. */
    const char *tensor;
    const char *type;
    uint64_t dims[4];
    /** The kind of block that it is for ("attn", "mamba2"), and what it is there ("q"). */
    const char *block;
    const char *role;
    /** Its layer, and its expert or use of a shared block; -1 where it has none. */
    int32_t layer;
    int32_t item;
    /** Outputs and inputs of a matrix; of a vector its length, and cols 0. */
    uint64_t rows;
    uint64_t cols;
    /** Rows that stay together when a matrix is divided: a head's, a group's, or what kernels take at once. */
    uint64_t unit;
    /** Bytes in the file, and in memory as loaded. */
    uint64_t file_bytes;
    uint64_t bytes;
    /** The type that it is kept in: a matrix in `type`, unless hlm_model_params.quantise made it another, a vector as
     *  "f32". */
    const char *kept_type;
} hlm_weight_info;

/** Weight i of the model, in the order in which a token meets them. Set info->struct_size first.
 *  Errors  HLM_E_ARG (there is no weight i), HLM_E_UNSUPPORTED (HLM_LOAD_VOCAB_ONLY). */
HLM_NODISCARD HLM_API hlm_status hlm_model_weight(const hlm_model *model, size_t i, hlm_weight_info *info);

/** Name of class i of a classification head, as the files say it; NULL where they do not, or there is no such class.
 *  Valid as long as the model. */
HLM_API const char *hlm_model_label(const hlm_model *model, int32_t i);

/** Numbers in a row of hidden states of a kind (HLM_HIDDEN_...); 0: the model has none of that kind. */
HLM_API size_t hlm_model_hidden_width(const hlm_model *model, int32_t kind);

/* ---- files --------------------------------------------------------------------------------- */

/** What lies in the files of a model or an adapter, also of one that can not be run: settings, tensors, and why it is
 *  refused. Immutable: any number of threads may ask it at the same time. */
typedef struct hlm_file hlm_file;

/** Opens a GGUF file (by any of its parts, also one whose others are not there), a folder of a model or an adapter, or
 *  a file of weights alone, and reads headers and settings, no weights. What is damaged or unknown does not fail: what
 *  could be read before is there, and what is wrong is told by hlm_file_problem.
 *  params  allocator, vfs and HLM_LOAD_READ count; NULL: defaults.
 *  *out    the caller's, for hlm_file_free; NULL after a failure.
 *  Errors  HLM_E_IO, HLM_E_FORMAT (it is none of these), HLM_E_ARG (also: a folder with several GGUF models, by their
 *          names), HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_file_open(hlm_file **out, const char *path, const hlm_model_params *params);
/** NULL is fine. */
HLM_API void hlm_file_free(hlm_file *file);

/** Strings live as long as the hlm_file, and say what the files say: any bytes but 0 can be in them. */
typedef struct hlm_file_info {
    size_t struct_size;
    /** "GGUF", "folder", or of weights alone "safetensors" and "PyTorch". */
    const char *container;
    /** Of GGUF; else 0. */
    uint32_t version;
    /** Is it an adapter (by general.type of GGUF, a folder by its adapter_config.json)? */
    int32_t is_adapter;
    /** general.architecture, or model_type of config.json; "" where there is none. */
    const char *arch;
    /** The method of a folder's settings ("gptq"), what general.file_type of GGUF stands for ("Q4_K_M"); "" where
     *  nothing is said. */
    const char *quantisation;
    /** Bytes of all weight files. */
    uint64_t bytes;
    /** Weight files, settings, tensors, and reasons why it can not be run. */
    size_t n_parts;
    size_t n_keys;
    size_t n_tensors;
    size_t n_problems;
} hlm_file_info;

/** Set info->struct_size first. Errors  HLM_E_ARG. */
HLM_NODISCARD HLM_API hlm_status hlm_file_info_get(const hlm_file *file, hlm_file_info *info);

/** Path of weight file i, and in *bytes (may be NULL) its size. NULL when there is no such file. */
HLM_API const char *hlm_file_part(const hlm_file *file, size_t i, uint64_t *bytes);

/** Why it can not be run, sentence i; NULL behind the last. They are of what headers and settings tell; tokenizer, chat
 *  template and the weights of quantised folders are not looked at, so hlm_model_load (with HLM_LOAD_HEADERS) may
 *  refuse what has none. Of many that are alike the first are there, and a sentence with the number of the others. */
HLM_API const char *hlm_file_problem(const hlm_file *file, size_t i);

/** A setting: metadata of GGUF, a member of config.json or adapter_config.json. Strings as in hlm_file_info. */
typedef struct hlm_file_key_info {
    size_t struct_size;
    const char *name;
    /** "u8" ... "f64", "bool", "string", "array" of GGUF; "object", "array", "string", "integer", "number", "bool",
     *  "null" of JSON. */
    const char *type;
    /** Of GGUF's arrays, the type of their items; else "". */
    const char *item;
    /** Items of an array, members of an object; else 1. */
    uint64_t n_items;
} hlm_file_key_info;

/** Setting i, in the order of the file. Set info->struct_size first. Errors  HLM_E_ARG. */
HLM_NODISCARD HLM_API hlm_status hlm_file_key(const hlm_file *file, size_t i, hlm_file_key_info *info);

/** Value of setting i as JSON in printable ASCII, with nothing but escapes for all else; bytes that are no UTF-8 become
 *  U+FFFD, and numbers that JSON does not have "NaN", "Infinity" and "-Infinity".
 *  max_items  of each array in it, so many are written. 0: all.
 *  out [cap]  receives it, without a 0 behind it; may be NULL for cap 0.
 *  *n         its length, also with HLM_E_SPACE.
 *  Errors     HLM_E_ARG, HLM_E_SPACE, HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_file_value(const hlm_file *file, size_t i, size_t max_items, char *out, size_t cap,
                                                size_t *n);

/** A tensor as it lies in its file. Strings as in hlm_file_info. */
typedef struct hlm_file_tensor_info {
    size_t struct_size;
    const char *name;
    /** "q4_1"; of types that are not known what the file says. */
    const char *type;
    /** Its sizes, outermost first; n_dims is 1 to 4, and of more the last 4 are told. */
    size_t n_dims;
    uint64_t dims[4];
    /** In the file; 0 where nobody can tell. */
    uint64_t bytes;
    /** Path of the file. */
    const char *part;
    /** Why it can be no weight, a clause; "": it can. */
    const char *unfit;
} hlm_file_tensor_info;

/** Tensor i, in the order of the files. Set info->struct_size first. Errors  HLM_E_ARG. */
HLM_NODISCARD HLM_API hlm_status hlm_file_tensor(const hlm_file *file, size_t i, hlm_file_tensor_info *info);

/* ---- context ------------------------------------------------------------------------------- */

/** Types of KV rows and of recurrent state; INT8 only of KV rows, each with a scale of its own for each head. */
enum { HLM_TYPE_DEFAULT = 0, HLM_TYPE_F32 = 1, HLM_TYPE_F16 = 2, HLM_TYPE_BF16 = 3, HLM_TYPE_INT8 = 4 };

/** What becomes of KV rows that no attention window will reach again. */
enum {
    /** They are kept: a Transformer can go back to any position at once. */
    HLM_WINDOW_KEEP = 0,
    /** Rows of layers with a window are given back behind it, unless a mark needs them, or hlm_pool_params.undo_tokens
     *  twice over reach there. Each sequence gives back its own: what it shares with others is free when they have,
     *  too. A rewind behind that finds the nearest position whose rows are there, and the next step computes the tokens
     *  from there again. Transformers then set automatic marks too, and a mark counts with the rows that it keeps.
     *  Without layers with windows it has no effect. */
    HLM_WINDOW_GIVE_BACK = 1
};

typedef struct hlm_pool_params {
    size_t struct_size;
    /** KV type, HLM_TYPE_...; default f16, or f32 for a model loaded with HLM_ACTIVATIONS_F32. */
    int32_t kv_type;
    /** Type of recurrent state, HLM_TYPE_F32 (default), F16 or BF16: convolutions' inputs and scans' states are rounded
     *  to it after every token, in prompts too, so that results depend on the type but not on how tokens come. Half the
     *  bytes of states, and less exact (docs/performance.md). */
    int32_t state_type;
    /** Positions in a page, a power of two up to 4096. 0: 64. */
    int32_t page_tokens;
    /** HLM_WINDOW_...: rows behind attention windows. What a step adds is given back when it has ended, so a long
     *  prompt takes less memory in several steps. */
    int32_t window_rows;
    /** Cap on the bytes of all pages and states. 0: none. At the cap the prefix cache gives way, then automatic marks
     *  go, then a step fails with HLM_E_NOMEM and changes nothing. */
    uint64_t max_bytes;
    /** Most bytes of pages and states that the prefix cache holds (hlm_prefix_add). 0: 512 MiB; less than a page: there
     *  is none. */
    uint64_t prefix_bytes;
    /** Marks and undo log are for models with recurrent state, and with HLM_WINDOW_GIVE_BACK; other Transformers can be
     *  cut anywhere and need neither. Automatic marks are set at multiples of this many tokens and at the ends of
     *  prompts. 0: 512; negative: only at the ends of prompts. */
    int64_t mark_stride;
    /** Most bytes of a sequence's automatic marks, states of other uses included; those that leave the smallest gaps go
     *  first. 0: 64 MiB; less than a state: none. */
    uint64_t mark_bytes;
    /** The undo log: at least this many of the last tokens can be taken back without running the model again. 0: 16;
     *  negative: none. */
    int32_t undo_tokens;
    /** Must be 0. */
    int32_t reserved;
    /** What memory tokens are run with, of a model that has them (Hymba: rows before every text); NULL: the model
     *  alone. Steps name their own adapters; with this one they compute what the adapter was trained for. None with
     *  invocation tokens. Kept by the pool. */
    const hlm_adapter *memory_token_adapter;
} hlm_pool_params;

/** An empty pool with one reference; pages are allocated as they are needed.
 *  Errors  HLM_E_UNSUPPORTED (HLM_LOAD_VOCAB_ONLY, HLM_LOAD_HEADERS; a memory_token_adapter with invocation tokens),
 *          HLM_E_MISMATCH (an adapter of another model), HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_pool_new(hlm_pool **out, hlm_model *model, const hlm_pool_params *params);
/** One reference more, or one less; with the last one, caches and contexts included, its memory goes back to the
 *  allocator. Any thread. */
HLM_API void hlm_pool_retain(hlm_pool *pool);
HLM_API void hlm_pool_release(hlm_pool *pool);

/** Make an adapter known to a pool before a step runs with it: snapshots of sequences that were run with it can then be
 *  loaded. It may be loaded anew from the same files, with the same scale.
 *  Errors  HLM_E_MISMATCH (of another model), HLM_E_FULL (4096 adapters), HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_pool_adapt(hlm_pool *pool, const hlm_adapter *adapter);

typedef struct hlm_pool_info {
    size_t struct_size;
    /** Bytes of pages and states in use by caches and the prefix cache, a shared one once. */
    uint64_t used_bytes;
    /** Bytes held from the allocator: pages that caches gave back stay with the pool for the next. */
    uint64_t held_bytes;
} hlm_pool_info;

/** What a pool's pages and states take now. Set out->struct_size first. Any thread. */
HLM_NODISCARD HLM_API hlm_status hlm_pool_info_get(const hlm_pool *pool, hlm_pool_info *out);

typedef struct hlm_ctx_params {
    size_t struct_size;
    /** Threads that compute, the calling one included, up to 1024, but no more than cores that the process may use;
     *  with an executor, the tasks of a parallel-for.
     *  0: one for each of those cores, by its affinity and, on Linux, by the CPU quotas of its control groups (cpu.max,
     *  cfs_quota_us; the least on the way up, parts of a core rounded up). */
    int32_t n_threads;
    /** Must be 0. */
    int32_t reserved;
    /** Rows (tokens) computed at once; longer steps run in several tiles. More rows take more scratch. Up to 65536. 0:
     *  512. The results do not depend on it. */
    size_t max_rows;
    /** NULL: threads of the library, started here, ended by hlm_ctx_free. Copied. */
    const hlm_executor *executor;
    /** NULL: a pool of its own, with default parameters. */
    hlm_pool *pool;
} hlm_ctx_params;

/** Starts the threads and takes the scratch: what hlm_model_plan_memory says. Threads stay in the process that made
 *  them: in the child of a fork() calls on a context with threads of its own return HLM_E_MISMATCH; the child may free
 *  it, and make one of its own on the same pool.
 *  Errors  HLM_E_UNSUPPORTED (HLM_LOAD_VOCAB_ONLY, HLM_LOAD_HEADERS), HLM_E_MISMATCH (a pool of another model),
 *          HLM_E_NOMEM (memory, or the system's threads). */
HLM_NODISCARD HLM_API hlm_status hlm_ctx_new(hlm_context **out, hlm_model *model, const hlm_ctx_params *params);
/** Ends its threads. Not while a call on it runs: hlm_ctx_cancel, then wait for that call. */
HLM_API void hlm_ctx_free(hlm_context *ctx);

/** The context's pool, borrowed: retain it to keep it. NULL for NULL. */
HLM_API hlm_pool *hlm_ctx_pool(hlm_context *ctx);

/** As hlm_last_error, but of the latest failed call on this context (hlm_decode_step, hlm_step_begin, hlm_step_run,
 *  hlm_cache_logits, hlm_generate, hlm_score, hlm_embed), from any thread that holds the context; not of one that was
 *  HLM_E_BUSY, or whose arguments were refused before the context was looked at; "" before the first. Valid until the
 *  next call on it; never NULL. */
HLM_API const char *hlm_ctx_error(const hlm_context *ctx);

/** Stop the call that is running on ctx: it returns HLM_E_CANCELLED within about half a millisecond of computing, and
 *  what its last step did to caches is undone. Of a begun step (hlm_step_begin) the next hlm_step_run returns it. The
 *  request stays until a step has returned so: when no call is running, or the running one is past its last barrier and
 *  succeeds, the next step on ctx returns HLM_E_CANCELLED, once. A program that wants to go on after a call that was
 *  too quick for its cancel repeats that step.
 *  May be called from any thread and from a signal handler. NULL does nothing. */
HLM_API void hlm_ctx_cancel(hlm_context *ctx);

typedef struct hlm_plan_params {
    size_t struct_size;
    /** 0: 1. */
    size_t n_sequences;
    /** Tokens of each sequence. 0: the model's max_positions. */
    int64_t n_tokens;
    /** With HLM_WINDOW_GIVE_BACK: most tokens of a step on a sequence. 0: all may come in one. */
    int64_t step_tokens;
    /** The following as in hlm_pool_params. */
    int32_t kv_type;
    int32_t state_type;
    int32_t window_rows;
    /** Threads of the context; each has scratch of its own. 0: as in hlm_ctx_params. */
    int32_t n_threads;
    /** As in hlm_ctx_params. */
    size_t max_rows;
    /** As in hlm_pool_params. */
    uint64_t prefix_bytes;
} hlm_plan_params;

/** What a model, its sequences and one context take, in bytes. */
typedef struct hlm_memory_plan_info {
    size_t struct_size;
    uint64_t weights;
    /** For all sequences together; pages of 64 positions, counted whole. */
    uint64_t state;
    uint64_t state_per_token;
    /** What a sequence takes at any length (recurrent state, with undo log and automatic marks by the pool's defaults;
     *  0 for Transformers that keep all rows). */
    uint64_t state_per_sequence;
    /** Scratch of a context. */
    uint64_t scratch;
    /** The sum of weights, state and scratch. Tokenizer, page tables and the like, some MB, are not counted. */
    uint64_t total;
    /** What the pool's prefix cache may come to hold beside that, as texts are added to it (hlm_prefix_add,
     *  hlm_generate with reuse); not in total. hlm_pool_params.max_bytes is a cap on both. 0: there is none. */
    uint64_t prefix;
} hlm_memory_plan_info;

/** A dry run: computes the sizes that a pool and a context made with the same numbers will have, and keeps no memory.
 *  Set out->struct_size first.
 *  Errors  HLM_E_UNSUPPORTED (HLM_LOAD_VOCAB_ONLY), HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_model_plan_memory(const hlm_model *model, const hlm_plan_params *params,
                                                       hlm_memory_plan_info *out);

/* ---- cache --------------------------------------------------------------------------------- */

typedef struct hlm_cache_params {
    size_t struct_size;
    /** Most tokens it may hold, up to 2^31 - 1; more than the model's max_positions is allowed. 0: the model's
     *  max_positions. */
    int64_t max_tokens;
} hlm_cache_params;

/** An empty sequence in the pool; takes no pages yet. Errors  HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_new(hlm_cache **out, hlm_pool *pool, const hlm_cache_params *params);
/** Pages that no other cache shares go back to the pool. */
HLM_API void hlm_cache_free(hlm_cache *cache);

/** "At the present position" for hlm_cache_fork. */
#define HLM_NOW ((int64_t)-1)

/** A second sequence that begins with the first at_pos tokens of `cache` (HLM_NOW: all), with the same max_tokens.
 *  Copies no state: pages are shared until one of the two writes. The two are independent from then on, but for the
 *  guarantee of hlm_cache_reserve, which a fork ends.
 *  Errors  HLM_E_ARG (at_pos above the length, or negative and not HLM_NOW), HLM_E_NOMEM, HLM_E_BUSY. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_fork(hlm_cache **out, hlm_cache *cache, int64_t at_pos);

/** Forget the tokens from `pos` on; pages behind go back to the pool, those that hlm_cache_reserve took included.
 *  *pending (may be NULL) receives how many tokens before `pos` the next step has to recompute first; 0 for
 *  Transformers that keep all rows (hlm_pool_params.window_rows).
 *  Errors  HLM_E_ARG (pos negative or above the length), HLM_E_BUSY. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_rewind(hlm_cache *cache, int64_t pos, int64_t *pending);

/** Keep the state at the present position: rewind and fork to it cost nothing, until the cache is rewound to before it,
 *  or the mark is removed. One reference more for models with recurrent state; nothing for Transformers, and the rows
 *  of attention windows before it where those would be given back (hlm_pool_params.window_rows). Again at a position:
 *  nothing.
 *  Errors  HLM_E_UNREACHABLE (after a rewind, before the next step: the state is not there yet), HLM_E_NOMEM,
 *          HLM_E_BUSY. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_mark(hlm_cache *cache);
/** Remove the mark at a position; none there: nothing.
 *  Errors  HLM_E_ARG (pos negative or above the length), HLM_E_BUSY. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_unmark(hlm_cache *cache, int64_t pos);
/** The positions of all marks, automatic ones included, ascending, into pos [cap]; *n (may be NULL) receives how many
 *  there are, also with HLM_E_SPACE. pos NULL: only *n, and HLM_OK.
 *  Errors  HLM_E_ARG, HLM_E_SPACE (cap below *n), HLM_E_BUSY. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_marks(hlm_cache *cache, int64_t *pos, size_t cap, size_t *n);

/** Tokens held; 0 for NULL. Not while a call that makes it grow runs on another thread. */
HLM_API int64_t hlm_cache_length(const hlm_cache *cache);

/** Of the tokens held, how many before the end the next step has to recompute first: what hlm_cache_rewind told, also
 *  after a fork to an earlier position; 0 after a step, and for NULL. Not while a step on the cache runs. */
HLM_API int64_t hlm_cache_pending(const hlm_cache *cache);

/** Copies the n token ids from position `from` on into out [n].
 *  Errors  HLM_E_ARG when from + n is above the length, HLM_E_BUSY. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_tokens(const hlm_cache *cache, int64_t from, size_t n, int32_t *out);

/** Take the memory for n_tokens in all, those held included, now, so that no step up to there can fail for lack of
 *  pages or allocate them; up to the length: nothing. A later fork ends the guarantee, for both: pages are then shared,
 *  and the first to write into one copies it. So does a rewind.
 *  Errors  HLM_E_ARG (negative), HLM_E_FULL (above max_tokens), HLM_E_NOMEM, HLM_E_BUSY; the length and the tokens are
 *          as before, and what was taken goes back. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_reserve(hlm_cache *cache, int64_t n_tokens);

enum {
    /** The newest inputs of a layer's convolution, [channels, window], oldest first. */
    HLM_STATE_CONV = 0,
    /** The state of its scan: [channels, state size] for Mamba-1, [heads, head dim, state size] for Mamba-2, [heads,
     *  key dim, value dim] for delta rules. */
    HLM_STATE_SCAN = 1
};

/** Copies a layer's recurrent state at the cache's position into out [cap]; *n (may be NULL) receives the number of
 *  floats that there are, 0 for a layer without one, also with HLM_E_SPACE and HLM_E_UNREACHABLE. out NULL: only *n,
 *  and HLM_OK. `which`: HLM_STATE_...
 *  Errors  HLM_E_ARG, HLM_E_SPACE (cap below *n), HLM_E_UNREACHABLE (after a rewind the state is computed by the next
 *          step), HLM_E_NOMEM, HLM_E_BUSY. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_state(hlm_cache *cache, int32_t layer, int32_t which, float *out, size_t cap,
                                                 size_t *n);

/* ---- generate ------------------------------------------------------------------------------ */

/** Why hlm_generate ended. */
enum {
    HLM_FINISH_LENGTH = 0,
    /** A token that ends an answer, or one of stop_tokens. */
    HLM_FINISH_STOP_TOKEN = 1,
    HLM_FINISH_STOP_STRING = 2,
    /** The callback asked for it. */
    HLM_FINISH_CALLBACK = 3,
    /** The cache holds max_tokens. */
    HLM_FINISH_FULL = 4,
    /** hlm_ctx_cancel or progress stopped it (HLM_E_CANCELLED). */
    HLM_FINISH_CANCELLED = 5
};

/** Speculative decoding: tokens are guessed ahead (a draft), run in one step with the token before them, and kept as
 *  far as the sampler draws them from the model's own logits. The text, its distribution and the draws of the sampler
 *  are those of plain generation, token for token; only the time differs. Callbacks, ends and errors come at the same
 *  tokens, and the cache holds the same tokens at every return.
 *  Drafts come from the text itself (what followed the last time that it read the same), and from a second, smaller
 *  model. How much is drafted follows from how many drafts were right in this call and how long steps took. A model
 *  with recurrent state drafts no further than its pool's undo log reaches (hlm_pool_params.undo_tokens), so nothing of
 *  it is computed twice; without that log it drafts nothing.
 *  Memory: logits of n_branches * (n_draft + 1) rows. */
typedef struct hlm_speculation {
    size_t struct_size;
    /** Most tokens of a draft. 0: 8; at most 64. */
    int32_t n_draft;
    /** Longest run of last tokens that is looked up in the text so far. 0: 8; at most 64; negative: no drafts from the
     *  text. The latest 65536 tokens are looked at. */
    int32_t ngram;
    /** Drafts tried at once, as forks in one varlen batch. 0: 1; at most 8. More than 1 ends the guarantee of
     *  hlm_cache_reserve, as forks do. */
    int32_t n_branches;
    /** 1: drafts as much as these numbers allow at every token, whatever it costs or brings. */
    int32_t fixed;
    /** A context of a model with as many tokens in its vocabulary, or NULL. It is used during the call as the first
     *  context is; ngram drafts, where there are any, go first. */
    hlm_context *draft;
    /** A cache of that context's pool, kept from call to call: each brings it in line with the text, by what they begin
     *  with in common. NULL: one for the call, which reads the whole text first. */
    hlm_cache *draft_cache;
} hlm_speculation;

/** Everything it points to is the caller's and is read or written during the call only. */
typedef struct hlm_generate_params {
    size_t struct_size;
    /** [n_prompt] appended to the cache first. May be empty only if the cache is not: then it goes on from
     *  hlm_cache_logits. (With reuse: see there; not empty.) */
    const int32_t *prompt;
    size_t n_prompt;
    /** Most tokens to generate. 0: until the cache is full. */
    size_t max_tokens;
    /** [n_stop] strings, ended by 0, not empty. Text ends before the first that is complete; of those complete at the
     *  same byte, before the longest. */
    const char *const *stop;
    size_t n_stop;
    /** [n_stop_tokens] ids that end the answer, besides the model's own; may be NULL when n_stop_tokens is 0. */
    const int32_t *stop_tokens;
    size_t n_stop_tokens;
    /** 1: go on past tokens that end an answer. */
    int32_t ignore_eos;
    /** 1: special tokens appear in the text. */
    int32_t show_special;
    /** 1: prompt is the whole text from its beginning. The cache is first brought to what of it can be reused
     *  (hlm_cache_reuse), and afterwards added to the prefix cache. Where the state behind the whole prompt is there,
     *  as when it is tried again, nothing of it is run. */
    int32_t reuse;
    /** Must be 0. */
    int32_t reserved;
    /** NULL: off. */
    const hlm_speculation *speculation;
    /** As in hlm_step: invocation tokens are looked for in the prompt, what stands before it, and what is generated. */
    const hlm_adapter *adapter;
    /** Called after each part of the prompt with tokens done and in all; not 0 stops with HLM_E_CANCELLED. */
    int32_t (*progress)(void *user, size_t done, size_t total);
    /** Called for each token with the text that became certain ([len], perhaps none; a token that ends the answer has
     *  none); not 0 stops, with HLM_OK and HLM_FINISH_CALLBACK. The last call, with token -1, brings what was held
     *  back; it is not made after a call that stopped, or after an error.
     *  The text goes on behind that of the tokens that the cache holds (hlm_text_stream_begin). Where the tokens end
     *  but not the answer (HLM_FINISH_LENGTH, HLM_FINISH_FULL), the beginning of a character is left to the call that
     *  goes on (hlm_text_stream_cut): the text of an answer does not depend on how many calls it takes. Stop strings
     *  are looked for in the text of one call. */
    int32_t (*on_token)(void *user, int32_t token, const char *text, size_t len);
    /** The first argument of progress and on_token. */
    void *user;
    /** [tokens_cap] receives the generated ids, the ending one included; may be NULL. */
    int32_t *tokens;
    size_t tokens_cap;
} hlm_generate_params;

typedef struct hlm_generate_result {
    size_t struct_size;
    /** HLM_FINISH_... */
    int32_t finish;
    /** 0. */
    int32_t reserved;
    /** Tokens of the prompt, and tokens generated, the ending one included (also those beyond tokens_cap). */
    size_t n_prompt;
    size_t n_generated;
    /** Wall time of the prompt up to the first token's logits, and of the rest, in ns. */
    uint64_t prompt_ns;
    uint64_t generate_ns;
    /** With reuse: tokens of the prompt that were not run, but for the n_recomputed last of them. */
    size_t n_reused;
    size_t n_recomputed;
    /** Steps of the model after the prompt; tokens of drafts that were run in them, and those of them that became
     *  text. */
    size_t n_steps;
    size_t n_drafted;
    size_t n_accepted;
} hlm_generate_result;

/** Prompt in, tokens out. Afterwards the cache holds the prompt and all generated tokens but the last one, which has
 *  not been run.
 *  sampler NULL: greedy. result may be NULL, else set its struct_size first; it is written on success, and with
 *  HLM_E_CANCELLED for what was done until then. Callbacks come from the calling thread and must not call into ctx or
 *  the cache, but for hlm_ctx_cancel. The sampler accepts the generated tokens, not the prompt's.
 *  A model without tokenizer gives ids and no text.
 *  Errors  those of hlm_decode_step and hlm_sampler_sample, HLM_E_UNSUPPORTED (a head that is not HLM_HEAD_TEXT, the
 *          draft model's too), HLM_E_EMPTY (no prompt, and an empty cache or reuse), HLM_E_MISMATCH (a sampler of
 *          another model, a draft model of another vocabulary, a draft_cache of another pool); the cache then holds
 *          what was run before. */
HLM_NODISCARD HLM_API hlm_status hlm_generate(hlm_context *ctx, hlm_cache *cache, hlm_sampler *sampler,
                                              const hlm_generate_params *params, hlm_generate_result *result);

typedef struct hlm_score_params {
    size_t struct_size;
    /** [n_tokens] from the beginning of a text; at least 2. */
    const int32_t *tokens;
    size_t n_tokens;
    /** [n_tokens] what is rated: labels[i] after tokens[0] .. tokens[i - 1], for i from 1 on (labels[0] is not used). A
     *  negative label (-100) is left out: its log-probability is given as 0. NULL: the tokens. */
    const int32_t *labels;
    /** [n_tokens - 1] receives the log-probabilities, as natural logarithms; NaN where the model's logits are no
     *  distribution. May be NULL. */
    float *logprobs;
} hlm_score_params;

typedef struct hlm_score_result {
    size_t struct_size;
    /** Of the log-probabilities, added in double. The mean loss is -sum / n_scored. */
    double sum;
    /** How many were rated. */
    size_t n_scored;
} hlm_score_result;

/** Log-probability of each token, or label, given the tokens before it. result may be NULL, else set its struct_size
 *  first.
 *  Uses a sequence of its own, in the context's pool, and no [n_tokens, vocab_size] buffer.
 *  Errors  HLM_E_ARG, HLM_E_TOKEN, HLM_E_NOMEM, HLM_E_BUSY, HLM_E_CANCELLED, HLM_E_UNSUPPORTED (a model whose head is
 *          not HLM_HEAD_TEXT); what logprobs holds is then undefined. */
HLM_NODISCARD HLM_API hlm_status hlm_score(hlm_context *ctx, const hlm_score_params *params, hlm_score_result *result);

/** How hlm_embed makes one vector of a text's rows: their mean, the last, the first. */
enum { HLM_EMBED_MEAN = 0, HLM_EMBED_LAST = 1, HLM_EMBED_FIRST = 2 };

typedef struct hlm_embed_params {
    size_t struct_size;
    /** [n_tokens] from the beginning of a text; at least 1. */
    const int32_t *tokens;
    size_t n_tokens;
    /** HLM_EMBED_... */
    int32_t pooling;
    /** 1: scale the vector to length 1. */
    int32_t normalise;
} hlm_embed_params;

/** A text's vector, for search and comparison: of its rows after the final norm, which transformers calls
 *  last_hidden_state. Any model has them, whatever its head.
 *  out      [hidden_size].
 *  Uses a sequence of its own, in the context's pool.
 *  Errors  HLM_E_ARG, HLM_E_EMPTY, HLM_E_TOKEN, HLM_E_NOMEM, HLM_E_BUSY, HLM_E_CANCELLED. */
HLM_NODISCARD HLM_API hlm_status hlm_embed(hlm_context *ctx, const hlm_embed_params *params, float *out);

/* ---- decode -------------------------------------------------------------------------------- */

/** Which of a step's tokens give logits. */
enum {
    /** The last token. */
    HLM_ROWS_LAST = 0,
    HLM_ROWS_ALL = 1,
    /** The indices in hlm_step.rows. */
    HLM_ROWS_LIST = 2
};

/** Hidden states before the final norm, for hlm_hidden.layer. */
enum { HLM_HIDDEN_PRE_NORM = -1 };

/** What of a layer, for hlm_hidden.kind. The last two are for layers in which attention and a recurrence work side by
 *  side (Hymba): what each gives, before its norm. */
enum {
    /** Rows of hidden_size numbers between the layers. */
    HLM_HIDDEN_STREAM = 0,
    /** Of the attention: rows of hlm_model_hidden_width numbers. */
    HLM_HIDDEN_ATTENTION = 1,
    /** Of the recurrence, likewise. */
    HLM_HIDDEN_RECURRENCE = 2
};

/** A request for hidden states of every token of a step. */
typedef struct hlm_hidden {
    size_t struct_size;
    /** i < n_layers: the input of layer i; n_layers: after the final norm; HLM_HIDDEN_PRE_NORM: before it. */
    int32_t layer;
    /** HLM_HIDDEN_STREAM, ... Of the others `layer` is from 0 to n_layers - 1. */
    int32_t kind;
    /** [n_tokens, hidden_size], written by the step; by kind [n_tokens, hlm_model_hidden_width]. */
    float *out;
} hlm_hidden;

/** A request for the attention weights of every token of a step: a slower path of its own; the step's other results
 *  stay bit for bit the same. */
typedef struct hlm_attention {
    size_t struct_size;
    /** A layer with attention. */
    int32_t layer;
    /** Must be 0. */
    int32_t reserved;
    /** [n_heads, n_tokens, length of the cache after the step], written by the step: what each token takes from each
     *  position, 0 where it does not look. Of a layer with fewer heads than hlm_model_info.n_heads the first ones. */
    float *out;
} hlm_attention;

/** New tokens for one sequence. Everything it points to is the caller's and is read or written during the call only. */
typedef struct hlm_step {
    size_t struct_size;
    hlm_cache *cache;
    /** [n_tokens] token ids. */
    const int32_t *tokens;
    size_t n_tokens;
    /** [n_tokens, hidden_size] rows that layer 0 reads, in place of token ids (tokens is then NULL): images, soft
     *  prompts. hlm_cache_tokens gives HLM_TOKEN_NONE for them, and a state can not be computed again across them:
     *  after a rewind that leaves pending tokens among them a step fails with HLM_E_UNREACHABLE. */
    const float *embeddings;
    /** What the tokens are run with; NULL: the model alone. The sequence remembers it for each token, and whatever
     *  computes one again (rewinds, forks, snapshots, the prefix cache) uses it. The pool holds every adapter that a
     *  step has named.
     *  One with invocation tokens: after the step all of the sequence's tokens from their last place in it on are run
     *  with the adapter, and those before with the model alone, whatever they were run with so far, unless with a
     *  third: so a text computes the same however it is cut into steps. What that changes of earlier tokens is computed
     *  again by this step (few, where the place begins in the step or shortly before; a place further on takes those
     *  behind the former one). Without a place nothing is added. Embeddings are no part of one, and can not be computed
     *  again: HLM_E_UNREACHABLE. */
    const hlm_adapter *adapter;
    /** NULL: no logits. [number of rows, vocab_size], in the order of the tokens:
     *  1 row, n_tokens or n_rows, by logit_rows. Written by the step. With a classification head [number of rows,
     *  n_labels]: a text's class is read off its last token (HLM_HEAD_SEQUENCE), or every token has one
     *  (HLM_HEAD_TOKEN). Must be NULL with HLM_HEAD_NONE. */
    float *logits;
    /** HLM_ROWS_... */
    int32_t logit_rows;
    /** Must be 0. */
    int32_t reserved;
    /** [n_rows] indices into tokens, ascending, each once. For HLM_ROWS_LIST. */
    const size_t *rows;
    size_t n_rows;
    /** [n_hidden] requests; NULL where n_hidden is 0. */
    const hlm_hidden *const *hidden;
    size_t n_hidden;
    /** [n_attention] requests; NULL where n_attention is 0. */
    const hlm_attention *const *attention;
    size_t n_attention;
} hlm_step;

/** Run new tokens through the model: whole prompts, single tokens, or both, for n sequences in one varlen batch. Each
 *  cache grows by its tokens.
 *  steps   [n] one entry a sequence, no cache twice, all of the context's pool; read only during the call.
 *  Threads one call per context at a time; contexts of one model may run in
 *          parallel, on different caches.
 *  Errors  HLM_E_ARG, HLM_E_EMPTY (no steps, or one without tokens), HLM_E_TOKEN, HLM_E_FULL (also: 4096 adapters),
 *          HLM_E_MISMATCH (a cache of another pool, an adapter of another model), HLM_E_UNREACHABLE (pending tokens
 *          that were embeddings), HLM_E_BUSY (context or cache in use, or a cache twice), HLM_E_NOMEM,
 *          HLM_E_UNSUPPORTED (logits of a model without a head), HLM_E_CANCELLED. The sentence says which of the steps.
 *          Every cache is then as it was before the call, and what the out-arrays hold is undefined. */
HLM_NODISCARD HLM_API hlm_status hlm_decode_step(hlm_context *ctx, const hlm_step *const *steps, size_t n);

/** Begin the step that hlm_decode_step would run, to be computed in slices between other things: checks it and takes
 *  its memory, computes nothing. Structs, ids, rows and lists of requests are copied; embeddings, and what is written
 *  to (logits, hidden states, attention weights), must stay until the step has ended.
 *  Until then ctx is busy but for hlm_step_run, hlm_step_abort and hlm_ctx_cancel. The caches are what they were
 *  before: they can be read, forked and saved, also from other threads (hlm_cache_length and hlm_cache_pending: not
 *  while hlm_step_run runs); calls that would change one return HLM_E_BUSY. (Where an adapter with invocation tokens
 *  has tokens run again, they are seen as run again until the step has ended.) A cache that is freed before the step
 *  has ended is not the caller's any more: the step goes on, and its end frees it. hlm_ctx_free aborts the step.
 *  In a pool that does not have the model's memory tokens yet (Hymba) their rows are computed first, and the step's
 *  memory is taken after that.
 *  Errors  those of hlm_decode_step but HLM_E_CANCELLED; nothing is begun then. */
HLM_NODISCARD HLM_API hlm_status hlm_step_begin(hlm_context *ctx, const hlm_step *const *steps, size_t n);

/** Computes for budget_us microseconds; it stops in time if it can tell what the next piece of work will take, and
 *  always gets one done (0.2 ms is aimed at).
 *  *done receives 1 when the step has ended: the caches have grown, and the results are there, the same as
 *  hlm_decode_step's bit for bit; else 0, also on failure. A failure ends the step as hlm_step_abort does, but for
 *  HLM_E_ARG and HLM_E_BUSY, which leave it as it was.
 *  Errors  HLM_E_ARG (a budget of 0, or no step was begun), HLM_E_BUSY (another call on ctx), HLM_E_CANCELLED,
 *          HLM_E_NOMEM (after memory tokens, or tokens that an adapter with invocation tokens runs again, only). */
HLM_NODISCARD HLM_API hlm_status hlm_step_run(hlm_context *ctx, uint64_t budget_us, int32_t *done);

/** Ends a begun step: every cache is as it was before it. None was begun: nothing.
 *  Errors  HLM_E_ARG, HLM_E_BUSY (another call on ctx). */
HLM_NODISCARD HLM_API hlm_status hlm_step_abort(hlm_context *ctx);

/** The logits behind the last token that `cache` holds, once more: to draw another token after a fork or a rewind, from
 *  a snapshot that was loaded, or from a text that was reused.
 *  logits  [vocab_size] (with a classification head [n_labels]), bit for bit those of the step that ran that token.
 *  A model with recurrent state keeps the final hidden row with each state that a step has written, so at the end of a
 *  step, at marks, and in forks and snapshots of these, the head's matrix is all that is computed. Elsewhere
 *  (Transformers; a position that came out of the undo log; pending tokens) what is missing is computed: pending
 *  tokens, and the last token once more. The sequence is the same value afterwards, and nothing of it is pending.
 *  Others that share its pages or states notice nothing; while the call runs, the cache can be read and forked.
 *  Errors  HLM_E_EMPTY (no tokens), HLM_E_UNREACHABLE (what has to be computed again was an embedding), HLM_E_MISMATCH
 *          (a cache of another pool), HLM_E_BUSY (context or cache in use, or in a step), HLM_E_UNSUPPORTED
 *          (HLM_HEAD_NONE), HLM_E_NOMEM (automatic marks of the cache went first, as in a step), HLM_E_CANCELLED; the
 *          cache is as it was, and what logits holds is undefined. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_logits(hlm_context *ctx, hlm_cache *cache, float *logits);

/* ---- sampler ------------------------------------------------------------------------------- */

/** This struct does not grow. */
typedef struct hlm_logit_bias {
    int32_t token;
    /** Added to the token's logit; -INFINITY forbids it. */
    float bias;
} hlm_logit_bias;

/** A chain has these stages, and they run in this order, whatever the order of the fields:
 *    logit_bias              is added
 *    repetition_penalty      of the tokens that penalty_window holds
 *    frequency_penalty, presence_penalty    likewise
 *    top_k, typical_p, top_p, min_p         each sees the probabilities, at temperature 1, of the tokens that
 *                            those before it kept, and keeps at least one; among equals the lower id goes first
 *    temperature             divides the logits of what is left
 *    the draw
 *  A stage that a later version adds says between which of them it stands. All are off by default: greedy. Ranges:
 *  temperature and repetition_penalty 0 or more, top_k not negative, typical_p, top_p and min_p 0 to 1; all finite, but
 *  a bias may be -INFINITY. */
typedef struct hlm_sampler_params {
    size_t struct_size;
    /** Philox4x32-10 key: the same seed gives the same draws everywhere. */
    uint64_t seed;
    /** 0: greedy, the largest logit, the lowest id among equals. */
    float temperature;
    /** Keep the k largest. 0: all. */
    int32_t top_k;
    /** Keep the smallest set of most likely tokens with mass p. 0 or 1: off. */
    float top_p;
    /** Keep tokens at least min_p times as likely as the likeliest. 0: off. */
    float min_p;
    /** Locally typical sampling: keep the smallest set with mass p whose -ln p are nearest to the entropy. 0 or 1:
     *  off. */
    float typical_p;
    /** Divides positive and multiplies negative logits of seen tokens. 0 or 1: off. */
    float repetition_penalty;
    /** Subtracted once for each time a token was seen. */
    float frequency_penalty;
    /** Subtracted from every token that was seen. */
    float presence_penalty;
    /** Accepted tokens that the penalties look back on. 0: 64; negative: all. */
    int64_t penalty_window;
    const hlm_logit_bias *logit_bias;
    size_t n_logit_bias;
} hlm_sampler_params;

/** params and the list of biases are copied; NULL: greedy.
 *  Errors  HLM_E_ARG (a number outside its range, NaN too), HLM_E_TOKEN (a biased token outside the vocabulary),
 *          HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_sampler_new(hlm_sampler **out, hlm_model *model, const hlm_sampler_params *params);
/** The same chain, history and random state, independent from now on. Errors  HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_sampler_fork(hlm_sampler **out, const hlm_sampler *sampler);
/** Draw from logits [vocab_size], which are not changed. Counts as a draw, but
 *  not as accepted. Allocates nothing. Errors  HLM_E_ARG when no token is left
 *  (all NaN or -INFINITY); that is no draw. */
HLM_NODISCARD HLM_API hlm_status hlm_sampler_sample(hlm_sampler *sampler, const float *logits, int32_t *token);
/** Tell the penalties that `token` became part of the text (prompt tokens too, if they shall count).
 *  Errors  HLM_E_TOKEN, HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_sampler_accept(hlm_sampler *sampler, int32_t token);
HLM_API void hlm_sampler_free(hlm_sampler *sampler);

/* ---- prefix cache -------------------------------------------------------------------------- */

/* A pool remembers texts that were run in it, with their KV rows and states, so that a later text that begins like one
 * of them need not run its beginning again. It is a tree over token ids, which holds what texts have in common once,
 * under hlm_pool_params.prefix_bytes. What is cheapest to compute again for its bytes goes first, and of equals what
 * was used longest ago. Logits never depend on it. All calls may come from any thread. */

/** Remember the cache's tokens with their KV rows and the states at its marks and at its present position, for
 *  hlm_cache_reuse. Nothing is copied: pages and states are shared by reference. Of a text with embeddings only what
 *  stands before the first is remembered; of a model with recurrent state only what stands before the last state.
 *  Errors  HLM_E_NOMEM (nothing has changed), HLM_E_BUSY. */
HLM_NODISCARD HLM_API hlm_status hlm_prefix_add(hlm_cache *cache);

typedef struct hlm_reuse_params {
    size_t struct_size;
    /** [n_tokens] the whole text from its beginning; at least 1. */
    const int32_t *tokens;
    size_t n_tokens;
    /** What the text is run with; NULL: the model alone. The same tokens run with another adapter are another text.
     *  With invocation tokens it is looked for from their last place in the tokens on, and before that as the model's
     *  alone. */
    const hlm_adapter *adapter;
} hlm_reuse_params;

/** Bring `cache` to the longest beginning of a text that it holds itself, or the prefix cache does: whichever leaves
 *  less to compute, itself if that is the same. At least the last token is left, so that running it gives logits. Go on
 *  with tokens + *reused.
 *  reused   how many of them the cache holds afterwards; may be NULL.
 *  pending  how many of those the next step computes again first, 0 for Transformers that keep all rows; may be NULL.
 *           The state at their end becomes an automatic mark then.
 *  Marks of the cache within what is reused stay; memory of hlm_cache_reserve goes back.
 *  Errors  HLM_E_TOKEN, HLM_E_EMPTY (no tokens), HLM_E_MISMATCH (an adapter of another model), HLM_E_FULL (4096
 *          adapters), HLM_E_NOMEM, HLM_E_BUSY; the cache is as before. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_reuse(hlm_cache *cache, const hlm_reuse_params *params, size_t *reused,
                                                 size_t *pending);

/** Forget all texts. Caches keep what they share. */
HLM_NODISCARD HLM_API hlm_status hlm_prefix_clear(hlm_pool *pool);

typedef struct hlm_prefix_info {
    size_t struct_size;
    /** Pages and states held, each counted once, and the most there may be (0: no prefix cache). */
    uint64_t bytes;
    uint64_t max_bytes;
    /** Stretches of text between branches, tokens in all of them, states kept in them. */
    uint64_t nodes;
    uint64_t tokens;
    uint64_t states;
    /** Calls of hlm_cache_reuse so far, and those that reused a token, of either cache. */
    uint64_t lookups;
    uint64_t hits;
    /** Tokens of all those calls, how many were reused, and how many of these are computed again. */
    uint64_t tokens_asked;
    uint64_t tokens_reused;
    uint64_t tokens_recomputed;
    /** What went because of the budget, or of the pool's cap. */
    uint64_t evicted_tokens;
    uint64_t evicted_states;
} hlm_prefix_info;

/** Counts of a pool's prefix cache. Set out->struct_size first. Errors  HLM_E_ARG. */
HLM_NODISCARD HLM_API hlm_status hlm_prefix_info_get(const hlm_pool *pool, hlm_prefix_info *out);

/* ---- snapshots ----------------------------------------------------------------------------- */

/** Takes the bytes of a snapshot, in order. */
typedef struct hlm_writer {
    size_t struct_size;
    void *user;
    /** Takes all len bytes (never 0; up to 256 KiB) and returns 0; other values end the save with HLM_E_IO. data is
     *  valid during the call only. */
    int32_t (*write)(void *user, const void *data, size_t len);
} hlm_writer;

/** Gives the bytes of a snapshot, in order. */
typedef struct hlm_reader {
    size_t struct_size;
    void *user;
    /** Writes up to cap bytes (cap is never 0) to out and their number to *n, and returns 0; other values end the load
     *  with HLM_E_IO. *n 0: there are no more. */
    int32_t (*read)(void *user, void *out, size_t cap, size_t *n);
} hlm_reader;

/** Write what a sequence remembers: its tokens, KV rows and states, marks, undo log, and what they were computed with,
 *  with checksums over everything. Two saves of a sequence give the same bytes. Weights are not in it, and of a step
 *  that has been begun nothing. The first save or load of a model reads its weights in memory once, to tell the model
 *  from others (0.1 to 0.3 s a GB; asking for the bytes needed does it, too).
 *
 *  A path: written beside it (path and ".saving0", or a higher number while another save to the same path runs),
 *  brought to the disk, and renamed, so that the path has either what it had or all of the new, whenever the process or
 *  the machine stops. What a process that was killed has left is used again by the next save.
 *  A symbolic link is replaced, not followed; a folder, FIFO, socket or device is refused.
 *  A writer: it is called from this thread.
 *  Memory: *n receives the bytes needed, also with HLM_E_SPACE; out may be NULL when cap is 0.
 *  Errors  HLM_E_IO (the file or the writer; the path then has what it had), HLM_E_SPACE, HLM_E_NOMEM, HLM_E_BUSY. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_save(hlm_cache *cache, const char *path);
HLM_NODISCARD HLM_API hlm_status hlm_cache_save_to(hlm_cache *cache, const hlm_writer *writer);
HLM_NODISCARD HLM_API hlm_status hlm_cache_save_memory(hlm_cache *cache, void *out, size_t cap, size_t *n);

enum {
    /** Accept a state that was computed with other kernels or another choice of HLM_LOAD_PORTABLE. It goes on with
     *  these, and what follows is then no longer, bit for bit, what either machine would have given alone. */
    HLM_SNAPSHOT_OTHER_KERNELS = 1u << 0
};

/** A new sequence from a snapshot, as it was when it was saved: length, tokens, marks, max_tokens, and bit for bit the
 *  logits that follow. A pool with other page sizes or budgets takes it too: of marks that steps have set it keeps what
 *  its own budget allows, and of an undo log with another undo_tokens nothing (positions behind the last mark are then
 *  computed again after a rewind).
 *  A path or memory must hold the snapshot and nothing else. A reader is asked for exactly the bytes of the snapshot,
 *  so that it may stand inside something larger; it is called from this thread.
 *  flags: HLM_SNAPSHOT_... or 0.
 *  Errors  HLM_E_FORMAT (no snapshot, cut off, damaged, or followed by something), HLM_E_UNSUPPORTED (of another
 *          version of the format), HLM_E_MISMATCH (of another model or with an adapter that the pool does not know
 *          (hlm_pool_adapt), or another memory_token_adapter, of other KV or state types, without rows behind attention
 *          windows that the pool keeps (hlm_pool_params.window_rows), or computed with other kernels or load
 *          parameters: the sentence says which), HLM_E_IO, HLM_E_NOMEM (memory, or the pool's cap). Nothing is left of
 *          it then. */
HLM_NODISCARD HLM_API hlm_status hlm_cache_load(hlm_cache **out, hlm_pool *pool, const char *path, uint32_t flags);
HLM_NODISCARD HLM_API hlm_status hlm_cache_load_from(hlm_cache **out, hlm_pool *pool, const hlm_reader *reader,
                                                     uint32_t flags);
HLM_NODISCARD HLM_API hlm_status hlm_cache_load_memory(hlm_cache **out, hlm_pool *pool, const void *data, size_t n,
                                                       uint32_t flags);

/** Save all texts of the pool's prefix cache in a folder, which is made if its own folder exists. Each text is a
 *  snapshot in a file of its own, what texts have in common is stored once, and an index, which takes the place of the
 *  former one at the end, names them; then former texts are removed. One call at a time for a folder. Caches can be
 *  stepped meanwhile.
 *  Errors  HLM_E_IO, HLM_E_FULL (more than 2^20 texts), HLM_E_NOMEM; the folder is then as it was before, or not there
 *          if it was not. (If the system refuses to undo, too, it has either all of the new or what it had.) */
HLM_NODISCARD HLM_API hlm_status hlm_prefix_save(hlm_pool *pool, const char *folder);

/** Add the texts of such a folder to the pool's prefix cache, as many as its budget holds. A file that is damaged, cut
 *  off, missing, or not of this model, its load parameters and the pool's types and page size, is left out, with the
 *  texts that go on from it; *n_refused (may be NULL) receives how many were.
 *  flags: HLM_SNAPSHOT_... or 0.
 *  Errors  HLM_E_IO (no index), HLM_E_FORMAT (no index of this kind, or damaged), HLM_E_UNSUPPORTED, HLM_E_NOMEM; what
 *          was added before stays. */
HLM_NODISCARD HLM_API hlm_status hlm_prefix_load(hlm_pool *pool, const char *folder, uint32_t flags, size_t *n_refused);

/* ---- adapters ------------------------------------------------------------------------------ */

typedef struct hlm_adapter_params {
    size_t struct_size;
    /** Of what is added, on top of the adapter's own scale, -1e6 to 1e6; 0: 1. */
    float scale;
    /** Must be 0. */
    int32_t reserved;
    /** Where path is; NULL: the system's files. Used during the call only. */
    const hlm_vfs *vfs;
} hlm_adapter_params;

/** Load an adapter for a model: a folder as PEFT writes it (adapter_config.json and adapter_model.safetensors), or a
 *  GGUF file, whichever of the two the model is from. Its numbers are f32, f16 or bf16, and computed with in f32. An
 *  adapter with invocation tokens (activated LoRA) acts from the last place on at which a text has them, the first of
 *  them included: what a step that names it does is said at hlm_step.adapter.
 *  Errors  HLM_E_IO, HLM_E_FORMAT (a tensor of another shape, of a rank above 256, for no matrix of the model, or for
 *          one that the settings leave out), HLM_E_TOKEN (an invocation token), HLM_E_LIMIT (more than 1024 of them, or
 *          256 regular expressions of a setting, or one that takes too long), HLM_E_MISMATCH (of Falcon-H1 the other
 *          kind of file), HLM_E_UNSUPPORTED (a model of HLM_LOAD_VOCAB_ONLY or HLM_LOAD_HEADERS, other methods than
 *          LoRA and DoRA, settings that are not known and neither null, false, {} nor [], weights of the model's own
 *          that are not the model's, matrices of a folder's experts in one tensor), HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_adapter_load(hlm_adapter **out, hlm_model *model, const char *path,
                                                  const hlm_adapter_params *params);

/** Several adapters of one model as one, whose effects are added. An adapter with magnitudes (DoRA) can be joined only
 *  to those of other matrices, one with invocation tokens to those with the same.
 *  Errors  HLM_E_MISMATCH (of different models), HLM_E_UNSUPPORTED, HLM_E_LIMIT (a rank above 256), HLM_E_NOMEM. */
HLM_NODISCARD HLM_API hlm_status hlm_adapter_join(hlm_adapter **out, const hlm_adapter *const *adapters, size_t n);

/** One reference more, or one less. It keeps its model; pools keep the adapters that their sequences were run with. Any
 *  thread. */
HLM_API void hlm_adapter_retain(hlm_adapter *adapter);
HLM_API void hlm_adapter_release(hlm_adapter *adapter);

typedef struct hlm_adapter_info {
    size_t struct_size;
    /** Matrices that it adds to, its largest rank, bytes of memory. */
    size_t n_matrices;
    size_t rank;
    uint64_t bytes;
} hlm_adapter_info;

/** Set out->struct_size first. Errors  HLM_E_ARG. */
HLM_NODISCARD HLM_API hlm_status hlm_adapter_info_get(const hlm_adapter *adapter, hlm_adapter_info *out);

/* ---- host ---------------------------------------------------------------------------------- */

/** Memory. All memory of the library but jansson's comes from here. Both functions are needed and may be called from
 *  any thread, also at the same time. What `user` points to must outlive everything made with it. */
struct hlm_allocator {
    size_t struct_size;
    void *user;
    /** `size` bytes (never 0) aligned to `align` (a power of two), or NULL. */
    void *(*alloc)(void *user, size_t size, size_t align);
    /** Takes what alloc gave; never NULL. */
    void (*free)(void *user, void *ptr);
};

enum { HLM_LOG_DEBUG = 1, HLM_LOG_INFO = 2, HLM_LOG_WARN = 3 };

/** Text about progress and decisions, one line without newline a call. The struct is copied; what `user` points to must
 *  outlive everything made from the model. */
struct hlm_log {
    size_t struct_size;
    void *user;
    /** May be called from any thread. level is one of HLM_LOG_...; text is ended by 0 and valid during the call. */
    void (*write)(void *user, int32_t level, const char *text);
};

/** A task of a parallel-for: called once for each index. Tasks never wait for one another, need at most 16 KB of stack,
 *  and compute with the library's floating-point words and put back those they find. */
typedef void hlm_task(void *arg, size_t index);

/** The caller's job system. The library then starts no threads of its own. What `user` points to must outlive the
 *  context. parallel_for is called from the thread that called into the context, once for each part of the work between
 *  barriers, with n the context's number of threads. */
struct hlm_executor {
    size_t struct_size;
    void *user;
    /** Calls task(arg, i) for i in 0..n-1 on any threads, in any order, and returns when all have returned: 0 on
     *  success; other values mean that not every task ran, and the step fails with HLM_E_CANCELLED. */
    int32_t (*parallel_for)(void *user, size_t n, hlm_task *task, void *arg);
};

/** File access, for pack files and assets. Paths are those given to hlm_model_load or hlm_adapter_load and, for a
 *  folder, names joined to it by '/'. Functions return 0 on success; all but map are needed. The struct is copied; what
 *  `user` points to must outlive the models loaded through it. All functions may be called from any thread. */
struct hlm_vfs {
    size_t struct_size;
    void *user;
    /** *file receives a handle. A file that is not there: return 1; other values but 0 are other failures (a folder, no
     *  permission). */
    int32_t (*open)(void *user, const char *path, void **file);
    int32_t (*size)(void *user, void *file, uint64_t *size);
    /** Reads exactly n bytes at offset, or fails. */
    int32_t (*read_at)(void *user, void *file, uint64_t offset, void *out, size_t n);
    /** The whole file in memory, readable until close. NULL, or a failure: the library reads instead. Pages the library
     *  no longer needs are not given back through this interface. */
    int32_t (*map)(void *user, void *file, const void **data);
    void (*close)(void *user, void *file);
};

#ifdef __cplusplus
}
#endif

#endif
