/* Made from hybridlm.h by bindings/rust/generate.sh; not to be edited. */
pub const HLM_TOKEN_NONE: i32 = -1;
pub const HLM_VERSION_MAJOR: _bindgen_ty_1 = 0;
pub const HLM_VERSION_MINOR: _bindgen_ty_1 = 2;
pub const HLM_VERSION_PATCH: _bindgen_ty_1 = 0;
#[doc = " Number in the SONAME: grows only when a program built before would break."]
pub const HLM_ABI_VERSION: _bindgen_ty_1 = 1;
pub type _bindgen_ty_1 = ::std::os::raw::c_uint;
#[doc = " Result of a call: HLM_OK or one of the negative HLM_E_ values. Values are never renumbered; new ones are added at"]
#[doc = "  the end."]
pub type hlm_status = i32;
pub const HLM_OK: _bindgen_ty_2 = 0;
#[doc = " A pointer is NULL, a number is outside its range, or two arguments contradict each other."]
pub const HLM_E_ARG: _bindgen_ty_2 = -1;
#[doc = " The allocator, or a byte cap, had no more memory."]
pub const HLM_E_NOMEM: _bindgen_ty_2 = -2;
#[doc = " A file could not be opened or read."]
pub const HLM_E_IO: _bindgen_ty_2 = -3;
#[doc = " A file says something that is wrong or contradictory."]
pub const HLM_E_FORMAT: _bindgen_ty_2 = -4;
#[doc = " Well formed, but not known to this version: an architecture, a tensor type, a tokenizer, or a field of a newer"]
#[doc = "  struct."]
pub const HLM_E_UNSUPPORTED: _bindgen_ty_2 = -5;
#[doc = " A token id is negative or not below the vocabulary size."]
pub const HLM_E_TOKEN: _bindgen_ty_2 = -6;
#[doc = " The cache would grow past its max_tokens."]
pub const HLM_E_FULL: _bindgen_ty_2 = -7;
#[doc = " hlm_ctx_cancel(), a progress callback or an executor stopped the call."]
pub const HLM_E_CANCELLED: _bindgen_ty_2 = -8;
#[doc = " The object is in use by another call."]
pub const HLM_E_BUSY: _bindgen_ty_2 = -9;
#[doc = " Objects that do not belong together: a cache of another model or pool, a context of the process that this one"]
#[doc = "  was forked from."]
pub const HLM_E_MISMATCH: _bindgen_ty_2 = -10;
#[doc = " A position that can not be returned to."]
pub const HLM_E_UNREACHABLE: _bindgen_ty_2 = -11;
#[doc = " No tokens where at least one is needed."]
pub const HLM_E_EMPTY: _bindgen_ty_2 = -12;
#[doc = " The output buffer is too small; the size needed has been written."]
pub const HLM_E_SPACE: _bindgen_ty_2 = -13;
#[doc = " A chat template raised an error or broke a rule of the language."]
pub const HLM_E_TEMPLATE: _bindgen_ty_2 = -14;
#[doc = " A budget (template steps, output size, regular expression) ran out."]
pub const HLM_E_LIMIT: _bindgen_ty_2 = -15;
#[doc = " A broken invariant of the library itself; please report it."]
pub const HLM_E_INTERNAL: _bindgen_ty_2 = -16;
pub type _bindgen_ty_2 = ::std::os::raw::c_int;
extern "C" {
    #[doc = " HLM_ABI_VERSION of the library in use (not of the header compiled against)."]
    pub fn hlm_abi_version() -> u32;
}
extern "C" {
    #[doc = " Version of the library in use, \"MAJOR.MINOR.PATCH\". Static storage."]
    pub fn hlm_version() -> *const ::std::os::raw::c_char;
}
extern "C" {
    #[doc = " Name of a status, such as \"HLM_E_FORMAT\"; \"HLM_E_?\" for an unknown one. Static storage."]
    pub fn hlm_status_name(status: hlm_status) -> *const ::std::os::raw::c_char;
}
extern "C" {
    #[doc = " What went wrong in the calling thread's latest call that returns an hlm_status: one sentence naming file, field and"]
    #[doc = "  value where there are any; \"\" when that call succeeded, and before the first. Calls that return no status (frees,"]
    #[doc = "  releases, retains, hlm_ctx_cancel, and those that return a number, a string or a pool) leave it as it is. In a"]
    #[doc = "  callback it is that of the calls made there, which leave the sentence of the call around them alone. Valid until the"]
    #[doc = "  thread's next call that returns a status; never NULL."]
    pub fn hlm_last_error() -> *const ::std::os::raw::c_char;
}
#[repr(C)]
#[derive(Debug)]
pub struct hlm_model {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug)]
pub struct hlm_pool {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug)]
pub struct hlm_context {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug)]
pub struct hlm_cache {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug)]
pub struct hlm_sampler {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug)]
pub struct hlm_text_stream {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug)]
pub struct hlm_adapter {
    _unused: [u8; 0],
}
#[doc = " Add what the tokenizer puts around a text (bos, eos, ...)."]
pub const HLM_TOKENIZE_ADD_SPECIAL: _bindgen_ty_3 = 1;
#[doc = " Markers such as <|im_end|> in the text become their special tokens. Never for text of untrusted origin."]
pub const HLM_TOKENIZE_PARSE_SPECIAL: _bindgen_ty_3 = 2;
pub type _bindgen_ty_3 = ::std::os::raw::c_uint;
extern "C" {
    #[doc = " Text to token ids. Ill-formed UTF-8 is read as U+FFFD, one for each maximal bad sequence."]
    #[doc = "  text    [len] bytes, not ended by 0; may be NULL when len is 0."]
    #[doc = "  flags   HLM_TOKENIZE_... bits or 0."]
    #[doc = "  out     [cap]; may be NULL when cap is 0."]
    #[doc = "  *n      receives the number of ids, also with HLM_E_SPACE."]
    #[doc = "  Errors  HLM_E_SPACE, HLM_E_UNSUPPORTED (the model has no tokenizer), HLM_E_LIMIT (a text above 512 MB, or a budget"]
    #[doc = "          ran out), HLM_E_NOMEM."]
    pub fn hlm_tokenize(
        model: *const hlm_model,
        text: *const ::std::os::raw::c_char,
        len: usize,
        flags: u32,
        out: *mut i32,
        cap: usize,
        n: *mut usize,
    ) -> hlm_status;
}
#[doc = " Leave out special tokens."]
pub const HLM_DETOKENIZE_SKIP_SPECIAL: _bindgen_ty_4 = 1;
pub type _bindgen_ty_4 = ::std::os::raw::c_uint;
extern "C" {
    #[doc = " Token ids to text, not ended by 0. Bytes that are no UTF-8 become U+FFFD."]
    #[doc = "  tokens  [n_tokens]; may be NULL when n_tokens is 0."]
    #[doc = "  flags   HLM_DETOKENIZE_... bits or 0."]
    #[doc = "  out     [cap]; may be NULL when cap is 0."]
    #[doc = "  *n      receives the number of bytes, also with HLM_E_SPACE."]
    #[doc = "  Errors  HLM_E_TOKEN, HLM_E_SPACE, HLM_E_UNSUPPORTED (no tokenizer), HLM_E_NOMEM."]
    pub fn hlm_detokenize(
        model: *const hlm_model,
        tokens: *const i32,
        n_tokens: usize,
        flags: u32,
        out: *mut ::std::os::raw::c_char,
        cap: usize,
        n: *mut usize,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " 1 when `token` ends an answer (eos, end of turn, ...), else 0; also for a model without tokenizer, an id outside the"]
    #[doc = "  vocabulary, or NULL."]
    pub fn hlm_model_token_ends(model: *const hlm_model, token: i32) -> i32;
}
extern "C" {
    #[doc = " Text of one token after another, for streaming. The pieces joined equal hlm_detokenize of all tokens, and no piece"]
    #[doc = "  ends inside a character. flags as for hlm_detokenize."]
    #[doc = "  Errors  HLM_E_UNSUPPORTED (no tokenizer), HLM_E_NOMEM."]
    pub fn hlm_text_stream_new(
        out: *mut *mut hlm_text_stream,
        model: *mut hlm_model,
        flags: u32,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " *text [*len] is the text that became certain (it may be empty), not ended by 0, valid until the next call on the"]
    #[doc = "  stream."]
    #[doc = "  Errors  HLM_E_TOKEN (the stream is as before), HLM_E_NOMEM."]
    pub fn hlm_text_stream_push(
        stream: *mut hlm_text_stream,
        token: i32,
        text: *mut *const ::std::os::raw::c_char,
        len: *mut usize,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " What is left at the end (an unfinished character as U+FFFD), as above; the"]
    #[doc = "  stream is then as new. Errors  HLM_E_NOMEM."]
    pub fn hlm_text_stream_finish(
        stream: *mut hlm_text_stream,
        text: *mut *const ::std::os::raw::c_char,
        len: *mut usize,
    ) -> hlm_status;
}
extern "C" {
    pub fn hlm_text_stream_free(stream: *mut hlm_text_stream);
}
extern "C" {
    #[doc = " Go on behind a text: the stream is as if these tokens had been pushed and their text given, whatever it was before."]
    #[doc = "  SentencePiece's tokens drop the space in front of a text's first word only, and characters may be spelled over"]
    #[doc = "  several tokens, so the text of an answer is not that of its tokens alone."]
    #[doc = "  tokens   [n] all tokens before, as hlm_cache_tokens gives them; HLM_TOKEN_NONE stands for no text."]
    #[doc = "  Errors  HLM_E_ARG, HLM_E_TOKEN, HLM_E_LIMIT (more than 2^29; the stream is then as before), HLM_E_NOMEM."]
    pub fn hlm_text_stream_begin(
        stream: *mut hlm_text_stream,
        tokens: *const i32,
        n: usize,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " The end of the tokens, but not of the text: what is left as with hlm_text_stream_finish, without what later tokens"]
    #[doc = "  may change, as the beginning of a character. A stream that begins behind the same tokens gives that. The stream is"]
    #[doc = "  then as new."]
    #[doc = "  The pieces joined equal hlm_detokenize of all tokens wherever a text is cut so; but for a tokenizer.json whose"]
    #[doc = "  decoder needs the joined text as a whole (a Replace behind a Fuse):"]
    #[doc = "  there an unfinished character is U+FFFD. Errors  HLM_E_NOMEM."]
    pub fn hlm_text_stream_cut(
        stream: *mut hlm_text_stream,
        text: *mut *const ::std::os::raw::c_char,
        len: *mut usize,
    ) -> hlm_status;
}
#[doc = " Do not end with the opening of an assistant's answer."]
pub const HLM_CHAT_NO_GENERATION_PROMPT: _bindgen_ty_5 = 1;
pub type _bindgen_ty_5 = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_chat_params {
    pub struct_size: usize,
    #[doc = " HLM_CHAT_... bits."]
    pub flags: u32,
    #[doc = " Must be 0."]
    pub reserved: u32,
    #[doc = " JSON array of tool schemas, or NULL."]
    pub tools_json: *const ::std::os::raw::c_char,
    #[doc = " JSON object whose members become variables of the template, or NULL."]
    pub extra_json: *const ::std::os::raw::c_char,
    #[doc = " A template to use instead of the model's, or NULL."]
    pub chat_template: *const ::std::os::raw::c_char,
    #[doc = " Seconds since 1970 (UTC) that strftime_now shows. 0: the system's clock."]
    pub now: i64,
    #[doc = " Which of several templates, unless chat_template is given: one of the model's files (\"default\", \"tool_use\","]
    #[doc = "  \"rag\", ...) or a built-in one (\"chatml\", \"huozi\", \"huozi_roles\", \"hymba\", \"llama2\", \"llama3\", \"mixtral\","]
    #[doc = "  \"persimmon\", \"phi\", \"phi_chat\"). NULL: the files' tool_use when there are tools and such a template, else their"]
    #[doc = "  default, else, when they have no template, the built-in one that fits the model."]
    pub template_name: *const ::std::os::raw::c_char,
}
#[test]
fn bindgen_test_layout_hlm_chat_params() {
    assert_eq!(
        ::std::mem::size_of::<hlm_chat_params>(),
        56usize,
        concat!("Size of: ", stringify!(hlm_chat_params))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_chat_params>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_chat_params))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_chat_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_chat_params),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_flags() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_chat_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).flags) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_chat_params),
                "::",
                stringify!(flags)
            )
        );
    }
    test_field_flags();
    fn test_field_reserved() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_chat_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize
            },
            12usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_chat_params),
                "::",
                stringify!(reserved)
            )
        );
    }
    test_field_reserved();
    fn test_field_tools_json() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_chat_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).tools_json) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_chat_params),
                "::",
                stringify!(tools_json)
            )
        );
    }
    test_field_tools_json();
    fn test_field_extra_json() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_chat_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).extra_json) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_chat_params),
                "::",
                stringify!(extra_json)
            )
        );
    }
    test_field_extra_json();
    fn test_field_chat_template() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_chat_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).chat_template) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_chat_params),
                "::",
                stringify!(chat_template)
            )
        );
    }
    test_field_chat_template();
    fn test_field_now() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_chat_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).now) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_chat_params),
                "::",
                stringify!(now)
            )
        );
    }
    test_field_now();
    fn test_field_template_name() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_chat_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).template_name) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_chat_params),
                "::",
                stringify!(template_name)
            )
        );
    }
    test_field_template_name();
}
impl Default for hlm_chat_params {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " Messages to text by the model's chat template."]
    #[doc = "  messages_json  [{\"role\": \"user\", \"content\": \"...\"}, ...], ended by 0."]
    #[doc = "  params         NULL: the model's template, an assistant's answer opened."]
    #[doc = "  out [cap]      not ended by 0; *n receives the bytes, also with HLM_E_SPACE."]
    #[doc = "  Errors  HLM_E_ARG, HLM_E_FORMAT (the JSON), HLM_E_UNSUPPORTED (no template), HLM_E_TEMPLATE, HLM_E_LIMIT,"]
    #[doc = "          HLM_E_SPACE, HLM_E_NOMEM."]
    pub fn hlm_chat_render(
        model: *const hlm_model,
        messages_json: *const ::std::os::raw::c_char,
        params: *const hlm_chat_params,
        out: *mut ::std::os::raw::c_char,
        cap: usize,
        n: *mut usize,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Messages to tokens: the tokens of hlm_chat_render's text, except that special tokens come only from what the"]
    #[doc = "  template itself writes. A marker that a message, a tool or extra_json spells is plain text, however the template"]
    #[doc = "  cuts or joins it. The template's own: its literals, bos_token and eos_token, members of extra_json whose name ends"]
    #[doc = "  in \"_token\", and roles made of letters, digits, '_' and '-'. Nothing is added around the text: templates write bos"]
    #[doc = "  themselves."]
    #[doc = "  out [cap]      *n receives the tokens, also with HLM_E_SPACE."]
    #[doc = "  Errors  those of hlm_chat_render; HLM_E_UNSUPPORTED without a tokenizer, too."]
    pub fn hlm_chat_tokenize(
        model: *const hlm_model,
        messages_json: *const ::std::os::raw::c_char,
        params: *const hlm_chat_params,
        out: *mut i32,
        cap: usize,
        n: *mut usize,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Text of the template that hlm_chat_render uses with these params: their own, one of the model's files or a built-in"]
    #[doc = "  one. It tells which variables of extra_json have an effect."]
    #[doc = "  params         NULL: the model's default."]
    #[doc = "  out [cap]      not ended by 0; *n receives the bytes, also with HLM_E_SPACE."]
    #[doc = "  Errors  HLM_E_ARG, HLM_E_UNSUPPORTED (no template), HLM_E_SPACE."]
    pub fn hlm_chat_template_text(
        model: *const hlm_model,
        params: *const hlm_chat_params,
        out: *mut ::std::os::raw::c_char,
        cap: usize,
        n: *mut usize,
    ) -> hlm_status;
}
#[doc = " A message whose content is text: {\"role\": role, \"content\": content}. This struct does not grow; what needs more"]
#[doc = "  members (tool calls, a name) is written as JSON."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_message {
    #[doc = " \"system\", \"user\", \"assistant\", ...: UTF-8, ended by 0."]
    pub role: *const ::std::os::raw::c_char,
    #[doc = " UTF-8, ended by 0; may be empty. Any character may occur, also quotes and line ends."]
    pub content: *const ::std::os::raw::c_char,
}
#[test]
fn bindgen_test_layout_hlm_message() {
    assert_eq!(
        ::std::mem::size_of::<hlm_message>(),
        16usize,
        concat!("Size of: ", stringify!(hlm_message))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_message>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_message))
    );
    fn test_field_role() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_message>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).role) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_message),
                "::",
                stringify!(role)
            )
        );
    }
    test_field_role();
    fn test_field_content() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_message>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).content) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_message),
                "::",
                stringify!(content)
            )
        );
    }
    test_field_content();
}
impl Default for hlm_message {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " hlm_chat_render for messages [n_messages], which are read during the call only: the same bytes as for the same"]
    #[doc = "  messages as JSON. No messages: may be NULL."]
    #[doc = "  Errors  those of hlm_chat_render; HLM_E_ARG (a role or content is NULL) and HLM_E_FORMAT (it is no UTF-8) name the"]
    #[doc = "          message and the field."]
    pub fn hlm_chat_render_messages(
        model: *const hlm_model,
        messages: *const hlm_message,
        n_messages: usize,
        params: *const hlm_chat_params,
        out: *mut ::std::os::raw::c_char,
        cap: usize,
        n: *mut usize,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " hlm_chat_tokenize for messages [n_messages], likewise."]
    #[doc = "  Errors  those of hlm_chat_render_messages; HLM_E_UNSUPPORTED without a tokenizer, too."]
    pub fn hlm_chat_tokenize_messages(
        model: *const hlm_model,
        messages: *const hlm_message,
        n_messages: usize,
        params: *const hlm_chat_params,
        out: *mut i32,
        cap: usize,
        n: *mut usize,
    ) -> hlm_status;
}
#[doc = " Read weights into memory instead of mapping the file. A mapped file that another process truncates while it is"]
#[doc = "  in use ends the program with SIGBUS, which no library can prevent: use this for files that others may change."]
pub const HLM_LOAD_READ: _bindgen_ty_6 = 1;
#[doc = " Use no instruction whose sums differ between CPUs (today: bf16 dot products, and VNNI for q8_0 weights), so that"]
#[doc = "  all x86-64 and aarch64 machines give the same bits, whatever hlm_model_params.cpu says: one kernel class,"]
#[doc = "  \"portable\"."]
pub const HLM_LOAD_PORTABLE: _bindgen_ty_6 = 2;
#[doc = " Tokenizer and chat template only; contexts, pools and adapters are refused."]
pub const HLM_LOAD_VOCAB_ONLY: _bindgen_ty_6 = 4;
#[doc = " Read every weight and refuse NaN and infinity."]
pub const HLM_LOAD_CHECK_WEIGHTS: _bindgen_ty_6 = 8;
#[doc = " For a model with memory tokens (Hymba): caches begin without them, and the caller runs them itself, as the first"]
#[doc = "  embeddings of each sequence. Without the flag they are computed once a pool, stand before every text, and count"]
#[doc = "  in no position, length or limit."]
pub const HLM_LOAD_NO_MEMORY_TOKENS: _bindgen_ty_6 = 16;
#[doc = " Read no weights, only what tells of them: for hlm_model_info_get, hlm_model_weight and hlm_model_plan_memory;"]
#[doc = "  contexts, pools and adapters are refused. Names, shapes and types are checked."]
pub const HLM_LOAD_HEADERS: _bindgen_ty_6 = 32;
#[doc = " hlm_model_params.quantise concerns an embedding that is the head too as well."]
pub const HLM_LOAD_QUANTISE_TIED: _bindgen_ty_6 = 64;
pub type _bindgen_ty_6 = ::std::os::raw::c_uint;
#[doc = " int8 per block for quantised weights, bf16 for bf16 weights where the CPU has the instruction, f32 for all"]
#[doc = "  else."]
pub const HLM_ACTIVATIONS_DEFAULT: _bindgen_ty_7 = 0;
#[doc = " f32 on the stored weights: slower, free of activation rounding."]
pub const HLM_ACTIVATIONS_F32: _bindgen_ty_7 = 1;
pub type _bindgen_ty_7 = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_model_params {
    pub struct_size: usize,
    #[doc = " HLM_LOAD_... bits."]
    pub flags: u32,
    #[doc = " HLM_ACTIVATIONS_..."]
    pub activations: i32,
    #[doc = " The best instruction set to use, by name: \"ref\" (plain C), \"avx2\", \"avx512\". NULL: the best there is. The CPU's"]
    #[doc = "  own limits always hold."]
    pub cpu: *const ::std::os::raw::c_char,
    #[doc = " Where path is; NULL: the system's files. Copied."]
    pub vfs: *const hlm_vfs,
    #[doc = " NULL: the C library's. Copied; used by everything made from this model."]
    pub allocator: *const hlm_allocator,
    #[doc = " NULL: silence. Copied."]
    pub log: *const hlm_log,
    #[doc = " Called with bytes done and in total, from the loading thread. A value other than 0 ends the load with"]
    #[doc = "  HLM_E_CANCELLED."]
    pub progress: ::std::option::Option<
        unsafe extern "C" fn(user: *mut ::std::os::raw::c_void, done: u64, total: u64) -> i32,
    >,
    #[doc = " The first argument of progress."]
    pub progress_user: *mut ::std::os::raw::c_void,
    #[doc = " What matrices are quantised to while they are read, by name: \"q8_0\" (blocks of 32, 8 bits), \"q4_0\" (blocks of"]
    #[doc = "  32, 4 bits), \"int4\" (4 bits in groups of 128 with a minimum each, as torchao's int4_weight_only). NULL: they"]
    #[doc = "  stay as in the file. It concerns matrices of plain numbers (f32, f16, bf16, f64) that are multiplied and whose"]
    #[doc = "  rows fill whole blocks. Vectors, convolutions, routers, embeddings (one that is the head too unless"]
    #[doc = "  HLM_LOAD_QUANTISE_TIED asks for it) and what is quantised in the file stay as they are. Results are those of a"]
    #[doc = "  file with such weights; snapshots are taken by models of the same files loaded with the same name."]
    pub quantise: *const ::std::os::raw::c_char,
}
#[test]
fn bindgen_test_layout_hlm_model_params() {
    assert_eq!(
        ::std::mem::size_of::<hlm_model_params>(),
        72usize,
        concat!("Size of: ", stringify!(hlm_model_params))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_model_params>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_model_params))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_params),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_flags() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).flags) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_params),
                "::",
                stringify!(flags)
            )
        );
    }
    test_field_flags();
    fn test_field_activations() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).activations) as usize - ptr as usize
            },
            12usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_params),
                "::",
                stringify!(activations)
            )
        );
    }
    test_field_activations();
    fn test_field_cpu() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).cpu) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_params),
                "::",
                stringify!(cpu)
            )
        );
    }
    test_field_cpu();
    fn test_field_vfs() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).vfs) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_params),
                "::",
                stringify!(vfs)
            )
        );
    }
    test_field_vfs();
    fn test_field_allocator() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).allocator) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_params),
                "::",
                stringify!(allocator)
            )
        );
    }
    test_field_allocator();
    fn test_field_log() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).log) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_params),
                "::",
                stringify!(log)
            )
        );
    }
    test_field_log();
    fn test_field_progress() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).progress) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_params),
                "::",
                stringify!(progress)
            )
        );
    }
    test_field_progress();
    fn test_field_progress_user() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).progress_user) as usize - ptr as usize
            },
            56usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_params),
                "::",
                stringify!(progress_user)
            )
        );
    }
    test_field_progress_user();
    fn test_field_quantise() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).quantise) as usize - ptr as usize
            },
            64usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_params),
                "::",
                stringify!(quantise)
            )
        );
    }
    test_field_quantise();
}
impl Default for hlm_model_params {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " Load a GGUF file (of a split one any part), a folder that holds one, or a Hugging Face folder (config.json,"]
    #[doc = "  safetensors or pytorch_model.bin, and tokenizer.json, tokenizer.model or vocab.json with merges.txt), or a release"]
    #[doc = "  of Llama or Mistral (params.json and consolidated.*). With HLM_LOAD_VOCAB_ONLY a path to a tokenizer.json, a .model,"]
    #[doc = "  vocab.json or merges.txt works too. Added tokens beyond the embedding's rows are left out and logged."]
    #[doc = "  On success *out holds one reference. The path is not needed afterwards; a mapped file must not change while the"]
    #[doc = "  model lives (see HLM_LOAD_READ)."]
    #[doc = "  Errors  HLM_E_IO, HLM_E_FORMAT, HLM_E_UNSUPPORTED (an architecture, a type, a method of quantisation, a tokenizer,"]
    #[doc = "          an instruction set, a type to quantise to, by name), HLM_E_ARG (also: a folder with several GGUF models, by"]
    #[doc = "          their names), HLM_E_TEMPLATE (a chat template's syntax), HLM_E_LIMIT (a file's JSON, template or tokenizer"]
    #[doc = "          is too large or too deep), HLM_E_NOMEM, HLM_E_CANCELLED (by progress)."]
    pub fn hlm_model_load(
        out: *mut *mut hlm_model,
        path: *const ::std::os::raw::c_char,
        params: *const hlm_model_params,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " One reference more, or one less; the last one frees the model. Any thread."]
    pub fn hlm_model_retain(model: *mut hlm_model);
}
extern "C" {
    pub fn hlm_model_release(model: *mut hlm_model);
}
#[doc = " Logits over the vocabulary."]
pub const HLM_HEAD_TEXT: _bindgen_ty_8 = 0;
#[doc = " Logits over classes of a text, to be read at its last token (...ForSequenceClassification)."]
pub const HLM_HEAD_SEQUENCE: _bindgen_ty_8 = 1;
#[doc = " Logits over classes of each token (...ForTokenClassification)."]
pub const HLM_HEAD_TOKEN: _bindgen_ty_8 = 2;
#[doc = " None: the model ends with its final norm (LlamaModel, MistralModel, ...) and is for hlm_embed and hidden states."]
#[doc = "  Logits, text and scores are refused with HLM_E_UNSUPPORTED; vocab_size is that of the embedding."]
pub const HLM_HEAD_NONE: _bindgen_ty_8 = 3;
#[doc = " What a model's head computes."]
pub type _bindgen_ty_8 = ::std::os::raw::c_uint;
#[doc = " Facts about a model. Strings live as long as the model, are ended by 0 and never NULL. With HLM_LOAD_VOCAB_ONLY"]
#[doc = "  numbers but vocab_size, the token ids and has_chat_template are 0, and the strings but kernel_class are \"\"."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_model_info {
    pub struct_size: usize,
    #[doc = " Architecture as the file names it: \"llama\", \"qwen2\", ..."]
    pub arch: *const ::std::os::raw::c_char,
    #[doc = " The model's own name, or \"\"."]
    pub name: *const ::std::os::raw::c_char,
    #[doc = " Weight type that holds most bytes: \"q4_1\", \"bf16\", ...; of matrices that were quantised at load the one that"]
    #[doc = "  they are kept in."]
    pub weight_type: *const ::std::os::raw::c_char,
    #[doc = " Kernels chosen: \"ref\", \"avx2\", \"avx512\", \"avx512-vnni-bf16\", ...; \"portable\" with HLM_LOAD_PORTABLE, on every"]
    #[doc = "  CPU. Models loaded with equal parameters and an equal class give equal bits, and take each other's snapshots."]
    pub kernel_class: *const ::std::os::raw::c_char,
    #[doc = " Rows of the embedding; token ids are below it."]
    pub vocab_size: i32,
    pub n_layers: i32,
    pub hidden_size: i32,
    #[doc = " Of attention: most query heads of a layer; KV heads and numbers in a head of the first layer with attention. 0"]
    #[doc = "  without attention."]
    pub n_heads: i32,
    pub n_kv_heads: i32,
    pub head_dim: i32,
    #[doc = " Longest text the model was made for, in tokens, with its rotary scaling. Not a limit:"]
    #[doc = "  hlm_cache_params.max_tokens is."]
    pub max_positions: i64,
    pub n_parameters: u64,
    #[doc = " Parameters that one token is computed with: all but the rows of an embedding that is no head, and the experts"]
    #[doc = "  that it does not choose."]
    pub n_active_parameters: u64,
    #[doc = " Bytes of weights in the file, and in memory as loaded."]
    pub file_bytes: u64,
    pub weight_bytes: u64,
    #[doc = " Bytes of weights read to generate one token."]
    pub bytes_per_token: u64,
    #[doc = " Token ids, -1 where the model has none."]
    pub bos_token: i32,
    pub eos_token: i32,
    pub pad_token: i32,
    pub unk_token: i32,
    #[doc = " 1 when the files carry a default chat template, else 0."]
    pub has_chat_template: i32,
    #[doc = " What the model's head computes of a row, HLM_HEAD_..."]
    pub head: i32,
    #[doc = " Classes of a classification head, else 0."]
    pub n_labels: i32,
    #[doc = " 0."]
    pub reserved: i32,
}
#[test]
fn bindgen_test_layout_hlm_model_info() {
    assert_eq!(
        ::std::mem::size_of::<hlm_model_info>(),
        144usize,
        concat!("Size of: ", stringify!(hlm_model_info))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_model_info>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_model_info))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_arch() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).arch) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(arch)
            )
        );
    }
    test_field_arch();
    fn test_field_name() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).name) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(name)
            )
        );
    }
    test_field_name();
    fn test_field_weight_type() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).weight_type) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(weight_type)
            )
        );
    }
    test_field_weight_type();
    fn test_field_kernel_class() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).kernel_class) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(kernel_class)
            )
        );
    }
    test_field_kernel_class();
    fn test_field_vocab_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).vocab_size) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(vocab_size)
            )
        );
    }
    test_field_vocab_size();
    fn test_field_n_layers() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_layers) as usize - ptr as usize
            },
            44usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(n_layers)
            )
        );
    }
    test_field_n_layers();
    fn test_field_hidden_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).hidden_size) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(hidden_size)
            )
        );
    }
    test_field_hidden_size();
    fn test_field_n_heads() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_heads) as usize - ptr as usize
            },
            52usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(n_heads)
            )
        );
    }
    test_field_n_heads();
    fn test_field_n_kv_heads() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_kv_heads) as usize - ptr as usize
            },
            56usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(n_kv_heads)
            )
        );
    }
    test_field_n_kv_heads();
    fn test_field_head_dim() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).head_dim) as usize - ptr as usize
            },
            60usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(head_dim)
            )
        );
    }
    test_field_head_dim();
    fn test_field_max_positions() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).max_positions) as usize - ptr as usize
            },
            64usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(max_positions)
            )
        );
    }
    test_field_max_positions();
    fn test_field_n_parameters() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_parameters) as usize - ptr as usize
            },
            72usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(n_parameters)
            )
        );
    }
    test_field_n_parameters();
    fn test_field_n_active_parameters() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_active_parameters) as usize - ptr as usize
            },
            80usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(n_active_parameters)
            )
        );
    }
    test_field_n_active_parameters();
    fn test_field_file_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).file_bytes) as usize - ptr as usize
            },
            88usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(file_bytes)
            )
        );
    }
    test_field_file_bytes();
    fn test_field_weight_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).weight_bytes) as usize - ptr as usize
            },
            96usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(weight_bytes)
            )
        );
    }
    test_field_weight_bytes();
    fn test_field_bytes_per_token() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).bytes_per_token) as usize - ptr as usize
            },
            104usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(bytes_per_token)
            )
        );
    }
    test_field_bytes_per_token();
    fn test_field_bos_token() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).bos_token) as usize - ptr as usize
            },
            112usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(bos_token)
            )
        );
    }
    test_field_bos_token();
    fn test_field_eos_token() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).eos_token) as usize - ptr as usize
            },
            116usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(eos_token)
            )
        );
    }
    test_field_eos_token();
    fn test_field_pad_token() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).pad_token) as usize - ptr as usize
            },
            120usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(pad_token)
            )
        );
    }
    test_field_pad_token();
    fn test_field_unk_token() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).unk_token) as usize - ptr as usize
            },
            124usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(unk_token)
            )
        );
    }
    test_field_unk_token();
    fn test_field_has_chat_template() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).has_chat_template) as usize - ptr as usize
            },
            128usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(has_chat_template)
            )
        );
    }
    test_field_has_chat_template();
    fn test_field_head() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).head) as usize - ptr as usize
            },
            132usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(head)
            )
        );
    }
    test_field_head();
    fn test_field_n_labels() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_labels) as usize - ptr as usize
            },
            136usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(n_labels)
            )
        );
    }
    test_field_n_labels();
    fn test_field_reserved() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_model_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize
            },
            140usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_model_info),
                "::",
                stringify!(reserved)
            )
        );
    }
    test_field_reserved();
}
impl Default for hlm_model_info {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " Set info->struct_size first; fields beyond it are left out, and bytes beyond what the library knows become 0."]
    pub fn hlm_model_info_get(model: *const hlm_model, info: *mut hlm_model_info) -> hlm_status;
}
#[doc = " One of the matrices and vectors that a model is computed with. Strings live as long as the model."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_weight_info {
    pub struct_size: usize,
    #[doc = " How many there are."]
    pub n_weights: usize,
    #[doc = " The tensor that holds it, perhaps beside others, its type (\"q4_1\"), and its sizes, outermost first and 0 behind"]
    #[doc = "  the last."]
    pub tensor: *const ::std::os::raw::c_char,
    pub type_: *const ::std::os::raw::c_char,
    pub dims: [u64; 4usize],
    #[doc = " The kind of block that it is for (\"attn\", \"mamba2\"), and what it is there (\"q\")."]
    pub block: *const ::std::os::raw::c_char,
    pub role: *const ::std::os::raw::c_char,
    #[doc = " Its layer, and its expert or use of a shared block; -1 where it has none."]
    pub layer: i32,
    pub item: i32,
    #[doc = " Outputs and inputs of a matrix; of a vector its length, and cols 0."]
    pub rows: u64,
    pub cols: u64,
    #[doc = " Rows that stay together when a matrix is divided: a head's, a group's, or what kernels take at once."]
    pub unit: u64,
    #[doc = " Bytes in the file, and in memory as loaded."]
    pub file_bytes: u64,
    pub bytes: u64,
    #[doc = " The type that it is kept in: a matrix in `type`, unless hlm_model_params.quantise made it another, a vector as"]
    #[doc = "  \"f32\"."]
    pub kept_type: *const ::std::os::raw::c_char,
}
#[test]
fn bindgen_test_layout_hlm_weight_info() {
    assert_eq!(
        ::std::mem::size_of::<hlm_weight_info>(),
        136usize,
        concat!("Size of: ", stringify!(hlm_weight_info))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_weight_info>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_weight_info))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_n_weights() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_weights) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(n_weights)
            )
        );
    }
    test_field_n_weights();
    fn test_field_tensor() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).tensor) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(tensor)
            )
        );
    }
    test_field_tensor();
    fn test_field_type() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).type_) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(type_)
            )
        );
    }
    test_field_type();
    fn test_field_dims() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).dims) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(dims)
            )
        );
    }
    test_field_dims();
    fn test_field_block() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).block) as usize - ptr as usize
            },
            64usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(block)
            )
        );
    }
    test_field_block();
    fn test_field_role() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).role) as usize - ptr as usize
            },
            72usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(role)
            )
        );
    }
    test_field_role();
    fn test_field_layer() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).layer) as usize - ptr as usize
            },
            80usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(layer)
            )
        );
    }
    test_field_layer();
    fn test_field_item() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).item) as usize - ptr as usize
            },
            84usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(item)
            )
        );
    }
    test_field_item();
    fn test_field_rows() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).rows) as usize - ptr as usize
            },
            88usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(rows)
            )
        );
    }
    test_field_rows();
    fn test_field_cols() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).cols) as usize - ptr as usize
            },
            96usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(cols)
            )
        );
    }
    test_field_cols();
    fn test_field_unit() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).unit) as usize - ptr as usize
            },
            104usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(unit)
            )
        );
    }
    test_field_unit();
    fn test_field_file_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).file_bytes) as usize - ptr as usize
            },
            112usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(file_bytes)
            )
        );
    }
    test_field_file_bytes();
    fn test_field_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).bytes) as usize - ptr as usize
            },
            120usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(bytes)
            )
        );
    }
    test_field_bytes();
    fn test_field_kept_type() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_weight_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).kept_type) as usize - ptr as usize
            },
            128usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_weight_info),
                "::",
                stringify!(kept_type)
            )
        );
    }
    test_field_kept_type();
}
impl Default for hlm_weight_info {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " Weight i of the model, in the order in which a token meets them. Set info->struct_size first."]
    #[doc = "  Errors  HLM_E_ARG (there is no weight i), HLM_E_UNSUPPORTED (HLM_LOAD_VOCAB_ONLY)."]
    pub fn hlm_model_weight(
        model: *const hlm_model,
        i: usize,
        info: *mut hlm_weight_info,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Name of class i of a classification head, as the files say it; NULL where they do not, or there is no such class."]
    #[doc = "  Valid as long as the model."]
    pub fn hlm_model_label(model: *const hlm_model, i: i32) -> *const ::std::os::raw::c_char;
}
extern "C" {
    #[doc = " Numbers in a row of hidden states of a kind (HLM_HIDDEN_...); 0: the model has none of that kind."]
    pub fn hlm_model_hidden_width(model: *const hlm_model, kind: i32) -> usize;
}
#[repr(C)]
#[derive(Debug)]
pub struct hlm_file {
    _unused: [u8; 0],
}
extern "C" {
    #[doc = " Opens a GGUF file (by any of its parts, also one whose others are not there), a folder of a model or an adapter, or"]
    #[doc = "  a file of weights alone, and reads headers and settings, no weights. What is damaged or unknown does not fail: what"]
    #[doc = "  could be read before is there, and what is wrong is told by hlm_file_problem."]
    #[doc = "  params  allocator, vfs and HLM_LOAD_READ count; NULL: defaults."]
    #[doc = "  *out    the caller's, for hlm_file_free; NULL after a failure."]
    #[doc = "  Errors  HLM_E_IO, HLM_E_FORMAT (it is none of these), HLM_E_ARG (also: a folder with several GGUF models, by their"]
    #[doc = "          names), HLM_E_NOMEM."]
    pub fn hlm_file_open(
        out: *mut *mut hlm_file,
        path: *const ::std::os::raw::c_char,
        params: *const hlm_model_params,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " NULL is fine."]
    pub fn hlm_file_free(file: *mut hlm_file);
}
#[doc = " Strings live as long as the hlm_file, and say what the files say: any bytes but 0 can be in them."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_file_info {
    pub struct_size: usize,
    #[doc = " \"GGUF\", \"folder\", or of weights alone \"safetensors\" and \"PyTorch\"."]
    pub container: *const ::std::os::raw::c_char,
    #[doc = " Of GGUF; else 0."]
    pub version: u32,
    #[doc = " Is it an adapter (by general.type of GGUF, a folder by its adapter_config.json)?"]
    pub is_adapter: i32,
    #[doc = " general.architecture, or model_type of config.json; \"\" where there is none."]
    pub arch: *const ::std::os::raw::c_char,
    #[doc = " The method of a folder's settings (\"gptq\"), what general.file_type of GGUF stands for (\"Q4_K_M\"); \"\" where"]
    #[doc = "  nothing is said."]
    pub quantisation: *const ::std::os::raw::c_char,
    #[doc = " Bytes of all weight files."]
    pub bytes: u64,
    #[doc = " Weight files, settings, tensors, and reasons why it can not be run."]
    pub n_parts: usize,
    pub n_keys: usize,
    pub n_tensors: usize,
    pub n_problems: usize,
}
#[test]
fn bindgen_test_layout_hlm_file_info() {
    assert_eq!(
        ::std::mem::size_of::<hlm_file_info>(),
        80usize,
        concat!("Size of: ", stringify!(hlm_file_info))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_file_info>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_file_info))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_info),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_container() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).container) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_info),
                "::",
                stringify!(container)
            )
        );
    }
    test_field_container();
    fn test_field_version() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).version) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_info),
                "::",
                stringify!(version)
            )
        );
    }
    test_field_version();
    fn test_field_is_adapter() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).is_adapter) as usize - ptr as usize
            },
            20usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_info),
                "::",
                stringify!(is_adapter)
            )
        );
    }
    test_field_is_adapter();
    fn test_field_arch() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).arch) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_info),
                "::",
                stringify!(arch)
            )
        );
    }
    test_field_arch();
    fn test_field_quantisation() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).quantisation) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_info),
                "::",
                stringify!(quantisation)
            )
        );
    }
    test_field_quantisation();
    fn test_field_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).bytes) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_info),
                "::",
                stringify!(bytes)
            )
        );
    }
    test_field_bytes();
    fn test_field_n_parts() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_parts) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_info),
                "::",
                stringify!(n_parts)
            )
        );
    }
    test_field_n_parts();
    fn test_field_n_keys() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_keys) as usize - ptr as usize
            },
            56usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_info),
                "::",
                stringify!(n_keys)
            )
        );
    }
    test_field_n_keys();
    fn test_field_n_tensors() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_tensors) as usize - ptr as usize
            },
            64usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_info),
                "::",
                stringify!(n_tensors)
            )
        );
    }
    test_field_n_tensors();
    fn test_field_n_problems() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_problems) as usize - ptr as usize
            },
            72usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_info),
                "::",
                stringify!(n_problems)
            )
        );
    }
    test_field_n_problems();
}
impl Default for hlm_file_info {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " Set info->struct_size first. Errors  HLM_E_ARG."]
    pub fn hlm_file_info_get(file: *const hlm_file, info: *mut hlm_file_info) -> hlm_status;
}
extern "C" {
    #[doc = " Path of weight file i, and in *bytes (may be NULL) its size. NULL when there is no such file."]
    pub fn hlm_file_part(
        file: *const hlm_file,
        i: usize,
        bytes: *mut u64,
    ) -> *const ::std::os::raw::c_char;
}
extern "C" {
    #[doc = " Why it can not be run, sentence i; NULL behind the last. They are of what headers and settings tell; tokenizer, chat"]
    #[doc = "  template and the weights of quantised folders are not looked at, so hlm_model_load (with HLM_LOAD_HEADERS) may"]
    #[doc = "  refuse what has none. Of many that are alike the first are there, and a sentence with the number of the others."]
    pub fn hlm_file_problem(file: *const hlm_file, i: usize) -> *const ::std::os::raw::c_char;
}
#[doc = " A setting: metadata of GGUF, a member of config.json or adapter_config.json. Strings as in hlm_file_info."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_file_key_info {
    pub struct_size: usize,
    pub name: *const ::std::os::raw::c_char,
    #[doc = " \"u8\" ... \"f64\", \"bool\", \"string\", \"array\" of GGUF; \"object\", \"array\", \"string\", \"integer\", \"number\", \"bool\","]
    #[doc = "  \"null\" of JSON."]
    pub type_: *const ::std::os::raw::c_char,
    #[doc = " Of GGUF's arrays, the type of their items; else \"\"."]
    pub item: *const ::std::os::raw::c_char,
    #[doc = " Items of an array, members of an object; else 1."]
    pub n_items: u64,
}
#[test]
fn bindgen_test_layout_hlm_file_key_info() {
    assert_eq!(
        ::std::mem::size_of::<hlm_file_key_info>(),
        40usize,
        concat!("Size of: ", stringify!(hlm_file_key_info))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_file_key_info>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_file_key_info))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_key_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_key_info),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_name() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_key_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).name) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_key_info),
                "::",
                stringify!(name)
            )
        );
    }
    test_field_name();
    fn test_field_type() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_key_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).type_) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_key_info),
                "::",
                stringify!(type_)
            )
        );
    }
    test_field_type();
    fn test_field_item() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_key_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).item) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_key_info),
                "::",
                stringify!(item)
            )
        );
    }
    test_field_item();
    fn test_field_n_items() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_key_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_items) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_key_info),
                "::",
                stringify!(n_items)
            )
        );
    }
    test_field_n_items();
}
impl Default for hlm_file_key_info {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " Setting i, in the order of the file. Set info->struct_size first. Errors  HLM_E_ARG."]
    pub fn hlm_file_key(
        file: *const hlm_file,
        i: usize,
        info: *mut hlm_file_key_info,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Value of setting i as JSON in printable ASCII, with nothing but escapes for all else; bytes that are no UTF-8 become"]
    #[doc = "  U+FFFD, and numbers that JSON does not have \"NaN\", \"Infinity\" and \"-Infinity\"."]
    #[doc = "  max_items  of each array in it, so many are written. 0: all."]
    #[doc = "  out [cap]  receives it, without a 0 behind it; may be NULL for cap 0."]
    #[doc = "  *n         its length, also with HLM_E_SPACE."]
    #[doc = "  Errors     HLM_E_ARG, HLM_E_SPACE, HLM_E_NOMEM."]
    pub fn hlm_file_value(
        file: *const hlm_file,
        i: usize,
        max_items: usize,
        out: *mut ::std::os::raw::c_char,
        cap: usize,
        n: *mut usize,
    ) -> hlm_status;
}
#[doc = " A tensor as it lies in its file. Strings as in hlm_file_info."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_file_tensor_info {
    pub struct_size: usize,
    pub name: *const ::std::os::raw::c_char,
    #[doc = " \"q4_1\"; of types that are not known what the file says."]
    pub type_: *const ::std::os::raw::c_char,
    #[doc = " Its sizes, outermost first; n_dims is 1 to 4, and of more the last 4 are told."]
    pub n_dims: usize,
    pub dims: [u64; 4usize],
    #[doc = " In the file; 0 where nobody can tell."]
    pub bytes: u64,
    #[doc = " Path of the file."]
    pub part: *const ::std::os::raw::c_char,
    #[doc = " Why it can be no weight, a clause; \"\": it can."]
    pub unfit: *const ::std::os::raw::c_char,
}
#[test]
fn bindgen_test_layout_hlm_file_tensor_info() {
    assert_eq!(
        ::std::mem::size_of::<hlm_file_tensor_info>(),
        88usize,
        concat!("Size of: ", stringify!(hlm_file_tensor_info))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_file_tensor_info>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_file_tensor_info))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_tensor_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_tensor_info),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_name() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_tensor_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).name) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_tensor_info),
                "::",
                stringify!(name)
            )
        );
    }
    test_field_name();
    fn test_field_type() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_tensor_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).type_) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_tensor_info),
                "::",
                stringify!(type_)
            )
        );
    }
    test_field_type();
    fn test_field_n_dims() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_tensor_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_dims) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_tensor_info),
                "::",
                stringify!(n_dims)
            )
        );
    }
    test_field_n_dims();
    fn test_field_dims() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_tensor_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).dims) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_tensor_info),
                "::",
                stringify!(dims)
            )
        );
    }
    test_field_dims();
    fn test_field_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_tensor_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).bytes) as usize - ptr as usize
            },
            64usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_tensor_info),
                "::",
                stringify!(bytes)
            )
        );
    }
    test_field_bytes();
    fn test_field_part() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_tensor_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).part) as usize - ptr as usize
            },
            72usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_tensor_info),
                "::",
                stringify!(part)
            )
        );
    }
    test_field_part();
    fn test_field_unfit() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_file_tensor_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).unfit) as usize - ptr as usize
            },
            80usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_file_tensor_info),
                "::",
                stringify!(unfit)
            )
        );
    }
    test_field_unfit();
}
impl Default for hlm_file_tensor_info {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " Tensor i, in the order of the files. Set info->struct_size first. Errors  HLM_E_ARG."]
    pub fn hlm_file_tensor(
        file: *const hlm_file,
        i: usize,
        info: *mut hlm_file_tensor_info,
    ) -> hlm_status;
}
pub const HLM_TYPE_DEFAULT: _bindgen_ty_9 = 0;
pub const HLM_TYPE_F32: _bindgen_ty_9 = 1;
pub const HLM_TYPE_F16: _bindgen_ty_9 = 2;
pub const HLM_TYPE_BF16: _bindgen_ty_9 = 3;
pub const HLM_TYPE_INT8: _bindgen_ty_9 = 4;
#[doc = " Types of KV rows and of recurrent state; INT8 only of KV rows, each with a scale of its own for each head."]
pub type _bindgen_ty_9 = ::std::os::raw::c_uint;
#[doc = " They are kept: a Transformer can go back to any position at once."]
pub const HLM_WINDOW_KEEP: _bindgen_ty_10 = 0;
#[doc = " Rows of layers with a window are given back behind it, unless a mark needs them, or hlm_pool_params.undo_tokens"]
#[doc = "  twice over reach there. Each sequence gives back its own: what it shares with others is free when they have,"]
#[doc = "  too. A rewind behind that finds the nearest position whose rows are there, and the next step computes the tokens"]
#[doc = "  from there again. Transformers then set automatic marks too, and a mark counts with the rows that it keeps."]
#[doc = "  Without layers with windows it has no effect."]
pub const HLM_WINDOW_GIVE_BACK: _bindgen_ty_10 = 1;
#[doc = " What becomes of KV rows that no attention window will reach again."]
pub type _bindgen_ty_10 = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_pool_params {
    pub struct_size: usize,
    #[doc = " KV type, HLM_TYPE_...; default f16, or f32 for a model loaded with HLM_ACTIVATIONS_F32."]
    pub kv_type: i32,
    #[doc = " Type of recurrent state, HLM_TYPE_F32 (default), F16 or BF16: convolutions' inputs and scans' states are rounded"]
    #[doc = "  to it after every token, in prompts too, so that results depend on the type but not on how tokens come. Half the"]
    #[doc = "  bytes of states, and less exact (docs/performance.md)."]
    pub state_type: i32,
    #[doc = " Positions in a page, a power of two up to 4096. 0: 64."]
    pub page_tokens: i32,
    #[doc = " HLM_WINDOW_...: rows behind attention windows. What a step adds is given back when it has ended, so a long"]
    #[doc = "  prompt takes less memory in several steps."]
    pub window_rows: i32,
    #[doc = " Cap on the bytes of all pages and states. 0: none. At the cap the prefix cache gives way, then automatic marks"]
    #[doc = "  go, then a step fails with HLM_E_NOMEM and changes nothing."]
    pub max_bytes: u64,
    #[doc = " Most bytes of pages and states that the prefix cache holds (hlm_prefix_add). 0: 512 MiB; less than a page: there"]
    #[doc = "  is none."]
    pub prefix_bytes: u64,
    #[doc = " Marks and undo log are for models with recurrent state, and with HLM_WINDOW_GIVE_BACK; other Transformers can be"]
    #[doc = "  cut anywhere and need neither. Automatic marks are set at multiples of this many tokens and at the ends of"]
    #[doc = "  prompts. 0: 512; negative: only at the ends of prompts."]
    pub mark_stride: i64,
    #[doc = " Most bytes of a sequence's automatic marks, states of other uses included; those that leave the smallest gaps go"]
    #[doc = "  first. 0: 64 MiB; less than a state: none."]
    pub mark_bytes: u64,
    #[doc = " The undo log: at least this many of the last tokens can be taken back without running the model again. 0: 16;"]
    #[doc = "  negative: none."]
    pub undo_tokens: i32,
    #[doc = " Must be 0."]
    pub reserved: i32,
    #[doc = " What memory tokens are run with, of a model that has them (Hymba: rows before every text); NULL: the model"]
    #[doc = "  alone. Steps name their own adapters; with this one they compute what the adapter was trained for. None with"]
    #[doc = "  invocation tokens. Kept by the pool."]
    pub memory_token_adapter: *const hlm_adapter,
}
#[test]
fn bindgen_test_layout_hlm_pool_params() {
    assert_eq!(
        ::std::mem::size_of::<hlm_pool_params>(),
        72usize,
        concat!("Size of: ", stringify!(hlm_pool_params))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_pool_params>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_pool_params))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_params),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_kv_type() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).kv_type) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_params),
                "::",
                stringify!(kv_type)
            )
        );
    }
    test_field_kv_type();
    fn test_field_state_type() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).state_type) as usize - ptr as usize
            },
            12usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_params),
                "::",
                stringify!(state_type)
            )
        );
    }
    test_field_state_type();
    fn test_field_page_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).page_tokens) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_params),
                "::",
                stringify!(page_tokens)
            )
        );
    }
    test_field_page_tokens();
    fn test_field_window_rows() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).window_rows) as usize - ptr as usize
            },
            20usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_params),
                "::",
                stringify!(window_rows)
            )
        );
    }
    test_field_window_rows();
    fn test_field_max_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).max_bytes) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_params),
                "::",
                stringify!(max_bytes)
            )
        );
    }
    test_field_max_bytes();
    fn test_field_prefix_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).prefix_bytes) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_params),
                "::",
                stringify!(prefix_bytes)
            )
        );
    }
    test_field_prefix_bytes();
    fn test_field_mark_stride() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).mark_stride) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_params),
                "::",
                stringify!(mark_stride)
            )
        );
    }
    test_field_mark_stride();
    fn test_field_mark_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).mark_bytes) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_params),
                "::",
                stringify!(mark_bytes)
            )
        );
    }
    test_field_mark_bytes();
    fn test_field_undo_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).undo_tokens) as usize - ptr as usize
            },
            56usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_params),
                "::",
                stringify!(undo_tokens)
            )
        );
    }
    test_field_undo_tokens();
    fn test_field_reserved() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize
            },
            60usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_params),
                "::",
                stringify!(reserved)
            )
        );
    }
    test_field_reserved();
    fn test_field_memory_token_adapter() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).memory_token_adapter) as usize - ptr as usize
            },
            64usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_params),
                "::",
                stringify!(memory_token_adapter)
            )
        );
    }
    test_field_memory_token_adapter();
}
impl Default for hlm_pool_params {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " An empty pool with one reference; pages are allocated as they are needed."]
    #[doc = "  Errors  HLM_E_UNSUPPORTED (HLM_LOAD_VOCAB_ONLY, HLM_LOAD_HEADERS; a memory_token_adapter with invocation tokens),"]
    #[doc = "          HLM_E_MISMATCH (an adapter of another model), HLM_E_NOMEM."]
    pub fn hlm_pool_new(
        out: *mut *mut hlm_pool,
        model: *mut hlm_model,
        params: *const hlm_pool_params,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " One reference more, or one less; with the last one, caches and contexts included, its memory goes back to the"]
    #[doc = "  allocator. Any thread."]
    pub fn hlm_pool_retain(pool: *mut hlm_pool);
}
extern "C" {
    pub fn hlm_pool_release(pool: *mut hlm_pool);
}
extern "C" {
    #[doc = " Make an adapter known to a pool before a step runs with it: snapshots of sequences that were run with it can then be"]
    #[doc = "  loaded. It may be loaded anew from the same files, with the same scale."]
    #[doc = "  Errors  HLM_E_MISMATCH (of another model), HLM_E_FULL (4096 adapters), HLM_E_NOMEM."]
    pub fn hlm_pool_adapt(pool: *mut hlm_pool, adapter: *const hlm_adapter) -> hlm_status;
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct hlm_pool_info {
    pub struct_size: usize,
    #[doc = " Bytes of pages and states in use by caches and the prefix cache, a shared one once."]
    pub used_bytes: u64,
    #[doc = " Bytes held from the allocator: pages that caches gave back stay with the pool for the next."]
    pub held_bytes: u64,
}
#[test]
fn bindgen_test_layout_hlm_pool_info() {
    assert_eq!(
        ::std::mem::size_of::<hlm_pool_info>(),
        24usize,
        concat!("Size of: ", stringify!(hlm_pool_info))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_pool_info>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_pool_info))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_info),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_used_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).used_bytes) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_info),
                "::",
                stringify!(used_bytes)
            )
        );
    }
    test_field_used_bytes();
    fn test_field_held_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_pool_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).held_bytes) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_pool_info),
                "::",
                stringify!(held_bytes)
            )
        );
    }
    test_field_held_bytes();
}
extern "C" {
    #[doc = " What a pool's pages and states take now. Set out->struct_size first. Any thread."]
    pub fn hlm_pool_info_get(pool: *const hlm_pool, out: *mut hlm_pool_info) -> hlm_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_ctx_params {
    pub struct_size: usize,
    #[doc = " Threads that compute, the calling one included, up to 1024, but no more than cores that the process may use;"]
    #[doc = "  with an executor, the tasks of a parallel-for."]
    #[doc = "  0: one for each of those cores, by its affinity and, on Linux, by the CPU quotas of its control groups (cpu.max,"]
    #[doc = "  cfs_quota_us; the least on the way up, parts of a core rounded up)."]
    pub n_threads: i32,
    #[doc = " Must be 0."]
    pub reserved: i32,
    #[doc = " Rows (tokens) computed at once; longer steps run in several tiles. More rows take more scratch. Up to 65536. 0:"]
    #[doc = "  512. The results do not depend on it."]
    pub max_rows: usize,
    #[doc = " NULL: threads of the library, started here, ended by hlm_ctx_free. Copied."]
    pub executor: *const hlm_executor,
    #[doc = " NULL: a pool of its own, with default parameters."]
    pub pool: *mut hlm_pool,
}
#[test]
fn bindgen_test_layout_hlm_ctx_params() {
    assert_eq!(
        ::std::mem::size_of::<hlm_ctx_params>(),
        40usize,
        concat!("Size of: ", stringify!(hlm_ctx_params))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_ctx_params>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_ctx_params))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_ctx_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_ctx_params),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_n_threads() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_ctx_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_threads) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_ctx_params),
                "::",
                stringify!(n_threads)
            )
        );
    }
    test_field_n_threads();
    fn test_field_reserved() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_ctx_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize
            },
            12usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_ctx_params),
                "::",
                stringify!(reserved)
            )
        );
    }
    test_field_reserved();
    fn test_field_max_rows() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_ctx_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).max_rows) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_ctx_params),
                "::",
                stringify!(max_rows)
            )
        );
    }
    test_field_max_rows();
    fn test_field_executor() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_ctx_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).executor) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_ctx_params),
                "::",
                stringify!(executor)
            )
        );
    }
    test_field_executor();
    fn test_field_pool() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_ctx_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).pool) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_ctx_params),
                "::",
                stringify!(pool)
            )
        );
    }
    test_field_pool();
}
impl Default for hlm_ctx_params {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " Starts the threads and takes the scratch: what hlm_model_plan_memory says. Threads stay in the process that made"]
    #[doc = "  them: in the child of a fork() calls on a context with threads of its own return HLM_E_MISMATCH; the child may free"]
    #[doc = "  it, and make one of its own on the same pool."]
    #[doc = "  Errors  HLM_E_UNSUPPORTED (HLM_LOAD_VOCAB_ONLY, HLM_LOAD_HEADERS), HLM_E_MISMATCH (a pool of another model),"]
    #[doc = "          HLM_E_NOMEM (memory, or the system's threads)."]
    pub fn hlm_ctx_new(
        out: *mut *mut hlm_context,
        model: *mut hlm_model,
        params: *const hlm_ctx_params,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Ends its threads. Not while a call on it runs: hlm_ctx_cancel, then wait for that call."]
    pub fn hlm_ctx_free(ctx: *mut hlm_context);
}
extern "C" {
    #[doc = " The context's pool, borrowed: retain it to keep it. NULL for NULL."]
    pub fn hlm_ctx_pool(ctx: *mut hlm_context) -> *mut hlm_pool;
}
extern "C" {
    #[doc = " As hlm_last_error, but of the latest failed call on this context (hlm_decode_step, hlm_step_begin, hlm_step_run,"]
    #[doc = "  hlm_cache_logits, hlm_generate, hlm_score, hlm_embed), from any thread that holds the context; not of one that was"]
    #[doc = "  HLM_E_BUSY, or whose arguments were refused before the context was looked at; \"\" before the first. Valid until the"]
    #[doc = "  next call on it; never NULL."]
    pub fn hlm_ctx_error(ctx: *const hlm_context) -> *const ::std::os::raw::c_char;
}
extern "C" {
    #[doc = " Stop the call that is running on ctx: it returns HLM_E_CANCELLED within about half a millisecond of computing, and"]
    #[doc = "  what its last step did to caches is undone. Of a begun step (hlm_step_begin) the next hlm_step_run returns it. The"]
    #[doc = "  request stays until a step has returned so: when no call is running, or the running one is past its last barrier and"]
    #[doc = "  succeeds, the next step on ctx returns HLM_E_CANCELLED, once. A program that wants to go on after a call that was"]
    #[doc = "  too quick for its cancel repeats that step."]
    #[doc = "  May be called from any thread and from a signal handler. NULL does nothing."]
    pub fn hlm_ctx_cancel(ctx: *mut hlm_context);
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct hlm_plan_params {
    pub struct_size: usize,
    #[doc = " 0: 1."]
    pub n_sequences: usize,
    #[doc = " Tokens of each sequence. 0: the model's max_positions."]
    pub n_tokens: i64,
    #[doc = " With HLM_WINDOW_GIVE_BACK: most tokens of a step on a sequence. 0: all may come in one."]
    pub step_tokens: i64,
    #[doc = " The following as in hlm_pool_params."]
    pub kv_type: i32,
    pub state_type: i32,
    pub window_rows: i32,
    #[doc = " Threads of the context; each has scratch of its own. 0: as in hlm_ctx_params."]
    pub n_threads: i32,
    #[doc = " As in hlm_ctx_params."]
    pub max_rows: usize,
    #[doc = " As in hlm_pool_params."]
    pub prefix_bytes: u64,
}
#[test]
fn bindgen_test_layout_hlm_plan_params() {
    assert_eq!(
        ::std::mem::size_of::<hlm_plan_params>(),
        64usize,
        concat!("Size of: ", stringify!(hlm_plan_params))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_plan_params>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_plan_params))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_plan_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_plan_params),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_n_sequences() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_plan_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_sequences) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_plan_params),
                "::",
                stringify!(n_sequences)
            )
        );
    }
    test_field_n_sequences();
    fn test_field_n_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_plan_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_tokens) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_plan_params),
                "::",
                stringify!(n_tokens)
            )
        );
    }
    test_field_n_tokens();
    fn test_field_step_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_plan_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).step_tokens) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_plan_params),
                "::",
                stringify!(step_tokens)
            )
        );
    }
    test_field_step_tokens();
    fn test_field_kv_type() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_plan_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).kv_type) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_plan_params),
                "::",
                stringify!(kv_type)
            )
        );
    }
    test_field_kv_type();
    fn test_field_state_type() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_plan_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).state_type) as usize - ptr as usize
            },
            36usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_plan_params),
                "::",
                stringify!(state_type)
            )
        );
    }
    test_field_state_type();
    fn test_field_window_rows() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_plan_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).window_rows) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_plan_params),
                "::",
                stringify!(window_rows)
            )
        );
    }
    test_field_window_rows();
    fn test_field_n_threads() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_plan_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_threads) as usize - ptr as usize
            },
            44usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_plan_params),
                "::",
                stringify!(n_threads)
            )
        );
    }
    test_field_n_threads();
    fn test_field_max_rows() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_plan_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).max_rows) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_plan_params),
                "::",
                stringify!(max_rows)
            )
        );
    }
    test_field_max_rows();
    fn test_field_prefix_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_plan_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).prefix_bytes) as usize - ptr as usize
            },
            56usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_plan_params),
                "::",
                stringify!(prefix_bytes)
            )
        );
    }
    test_field_prefix_bytes();
}
#[doc = " What a model, its sequences and one context take, in bytes."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct hlm_memory_plan_info {
    pub struct_size: usize,
    pub weights: u64,
    #[doc = " For all sequences together; pages of 64 positions, counted whole."]
    pub state: u64,
    pub state_per_token: u64,
    #[doc = " What a sequence takes at any length (recurrent state, with undo log and automatic marks by the pool's defaults;"]
    #[doc = "  0 for Transformers that keep all rows)."]
    pub state_per_sequence: u64,
    #[doc = " Scratch of a context."]
    pub scratch: u64,
    #[doc = " The sum of weights, state and scratch. Tokenizer, page tables and the like, some MB, are not counted."]
    pub total: u64,
    #[doc = " What the pool's prefix cache may come to hold beside that, as texts are added to it (hlm_prefix_add,"]
    #[doc = "  hlm_generate with reuse); not in total. hlm_pool_params.max_bytes is a cap on both. 0: there is none."]
    pub prefix: u64,
}
#[test]
fn bindgen_test_layout_hlm_memory_plan_info() {
    assert_eq!(
        ::std::mem::size_of::<hlm_memory_plan_info>(),
        64usize,
        concat!("Size of: ", stringify!(hlm_memory_plan_info))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_memory_plan_info>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_memory_plan_info))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_memory_plan_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_memory_plan_info),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_weights() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_memory_plan_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).weights) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_memory_plan_info),
                "::",
                stringify!(weights)
            )
        );
    }
    test_field_weights();
    fn test_field_state() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_memory_plan_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).state) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_memory_plan_info),
                "::",
                stringify!(state)
            )
        );
    }
    test_field_state();
    fn test_field_state_per_token() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_memory_plan_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).state_per_token) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_memory_plan_info),
                "::",
                stringify!(state_per_token)
            )
        );
    }
    test_field_state_per_token();
    fn test_field_state_per_sequence() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_memory_plan_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).state_per_sequence) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_memory_plan_info),
                "::",
                stringify!(state_per_sequence)
            )
        );
    }
    test_field_state_per_sequence();
    fn test_field_scratch() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_memory_plan_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).scratch) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_memory_plan_info),
                "::",
                stringify!(scratch)
            )
        );
    }
    test_field_scratch();
    fn test_field_total() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_memory_plan_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).total) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_memory_plan_info),
                "::",
                stringify!(total)
            )
        );
    }
    test_field_total();
    fn test_field_prefix() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_memory_plan_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).prefix) as usize - ptr as usize
            },
            56usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_memory_plan_info),
                "::",
                stringify!(prefix)
            )
        );
    }
    test_field_prefix();
}
extern "C" {
    #[doc = " A dry run: computes the sizes that a pool and a context made with the same numbers will have, and keeps no memory."]
    #[doc = "  Set out->struct_size first."]
    #[doc = "  Errors  HLM_E_UNSUPPORTED (HLM_LOAD_VOCAB_ONLY), HLM_E_NOMEM."]
    pub fn hlm_model_plan_memory(
        model: *const hlm_model,
        params: *const hlm_plan_params,
        out: *mut hlm_memory_plan_info,
    ) -> hlm_status;
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct hlm_cache_params {
    pub struct_size: usize,
    #[doc = " Most tokens it may hold, up to 2^31 - 1; more than the model's max_positions is allowed. 0: the model's"]
    #[doc = "  max_positions."]
    pub max_tokens: i64,
}
#[test]
fn bindgen_test_layout_hlm_cache_params() {
    assert_eq!(
        ::std::mem::size_of::<hlm_cache_params>(),
        16usize,
        concat!("Size of: ", stringify!(hlm_cache_params))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_cache_params>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_cache_params))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_cache_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_cache_params),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_max_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_cache_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).max_tokens) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_cache_params),
                "::",
                stringify!(max_tokens)
            )
        );
    }
    test_field_max_tokens();
}
extern "C" {
    #[doc = " An empty sequence in the pool; takes no pages yet. Errors  HLM_E_NOMEM."]
    pub fn hlm_cache_new(
        out: *mut *mut hlm_cache,
        pool: *mut hlm_pool,
        params: *const hlm_cache_params,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Pages that no other cache shares go back to the pool."]
    pub fn hlm_cache_free(cache: *mut hlm_cache);
}
extern "C" {
    #[doc = " A second sequence that begins with the first at_pos tokens of `cache` (HLM_NOW: all), with the same max_tokens."]
    #[doc = "  Copies no state: pages are shared until one of the two writes. The two are independent from then on, but for the"]
    #[doc = "  guarantee of hlm_cache_reserve, which a fork ends."]
    #[doc = "  Errors  HLM_E_ARG (at_pos above the length, or negative and not HLM_NOW), HLM_E_NOMEM, HLM_E_BUSY."]
    pub fn hlm_cache_fork(
        out: *mut *mut hlm_cache,
        cache: *mut hlm_cache,
        at_pos: i64,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Forget the tokens from `pos` on; pages behind go back to the pool, those that hlm_cache_reserve took included."]
    #[doc = "  *pending (may be NULL) receives how many tokens before `pos` the next step has to recompute first; 0 for"]
    #[doc = "  Transformers that keep all rows (hlm_pool_params.window_rows)."]
    #[doc = "  Errors  HLM_E_ARG (pos negative or above the length), HLM_E_BUSY."]
    pub fn hlm_cache_rewind(cache: *mut hlm_cache, pos: i64, pending: *mut i64) -> hlm_status;
}
extern "C" {
    #[doc = " Keep the state at the present position: rewind and fork to it cost nothing, until the cache is rewound to before it,"]
    #[doc = "  or the mark is removed. One reference more for models with recurrent state; nothing for Transformers, and the rows"]
    #[doc = "  of attention windows before it where those would be given back (hlm_pool_params.window_rows). Again at a position:"]
    #[doc = "  nothing."]
    #[doc = "  Errors  HLM_E_UNREACHABLE (after a rewind, before the next step: the state is not there yet), HLM_E_NOMEM,"]
    #[doc = "          HLM_E_BUSY."]
    pub fn hlm_cache_mark(cache: *mut hlm_cache) -> hlm_status;
}
extern "C" {
    #[doc = " Remove the mark at a position; none there: nothing."]
    #[doc = "  Errors  HLM_E_ARG (pos negative or above the length), HLM_E_BUSY."]
    pub fn hlm_cache_unmark(cache: *mut hlm_cache, pos: i64) -> hlm_status;
}
extern "C" {
    #[doc = " The positions of all marks, automatic ones included, ascending, into pos [cap]; *n (may be NULL) receives how many"]
    #[doc = "  there are, also with HLM_E_SPACE. pos NULL: only *n, and HLM_OK."]
    #[doc = "  Errors  HLM_E_ARG, HLM_E_SPACE (cap below *n), HLM_E_BUSY."]
    pub fn hlm_cache_marks(
        cache: *mut hlm_cache,
        pos: *mut i64,
        cap: usize,
        n: *mut usize,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Tokens held; 0 for NULL. Not while a call that makes it grow runs on another thread."]
    pub fn hlm_cache_length(cache: *const hlm_cache) -> i64;
}
extern "C" {
    #[doc = " Of the tokens held, how many before the end the next step has to recompute first: what hlm_cache_rewind told, also"]
    #[doc = "  after a fork to an earlier position; 0 after a step, and for NULL. Not while a step on the cache runs."]
    pub fn hlm_cache_pending(cache: *const hlm_cache) -> i64;
}
extern "C" {
    #[doc = " Copies the n token ids from position `from` on into out [n]."]
    #[doc = "  Errors  HLM_E_ARG when from + n is above the length, HLM_E_BUSY."]
    pub fn hlm_cache_tokens(
        cache: *const hlm_cache,
        from: i64,
        n: usize,
        out: *mut i32,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Take the memory for n_tokens in all, those held included, now, so that no step up to there can fail for lack of"]
    #[doc = "  pages or allocate them; up to the length: nothing. A later fork ends the guarantee, for both: pages are then shared,"]
    #[doc = "  and the first to write into one copies it. So does a rewind."]
    #[doc = "  Errors  HLM_E_ARG (negative), HLM_E_FULL (above max_tokens), HLM_E_NOMEM, HLM_E_BUSY; the length and the tokens are"]
    #[doc = "          as before, and what was taken goes back."]
    pub fn hlm_cache_reserve(cache: *mut hlm_cache, n_tokens: i64) -> hlm_status;
}
#[doc = " The newest inputs of a layer's convolution, [channels, window], oldest first."]
pub const HLM_STATE_CONV: _bindgen_ty_11 = 0;
#[doc = " The state of its scan: [channels, state size] for Mamba-1, [heads, head dim, state size] for Mamba-2, [heads,"]
#[doc = "  key dim, value dim] for delta rules."]
pub const HLM_STATE_SCAN: _bindgen_ty_11 = 1;
pub type _bindgen_ty_11 = ::std::os::raw::c_uint;
extern "C" {
    #[doc = " Copies a layer's recurrent state at the cache's position into out [cap]; *n (may be NULL) receives the number of"]
    #[doc = "  floats that there are, 0 for a layer without one, also with HLM_E_SPACE and HLM_E_UNREACHABLE. out NULL: only *n,"]
    #[doc = "  and HLM_OK. `which`: HLM_STATE_..."]
    #[doc = "  Errors  HLM_E_ARG, HLM_E_SPACE (cap below *n), HLM_E_UNREACHABLE (after a rewind the state is computed by the next"]
    #[doc = "          step), HLM_E_NOMEM, HLM_E_BUSY."]
    pub fn hlm_cache_state(
        cache: *mut hlm_cache,
        layer: i32,
        which: i32,
        out: *mut f32,
        cap: usize,
        n: *mut usize,
    ) -> hlm_status;
}
pub const HLM_FINISH_LENGTH: _bindgen_ty_12 = 0;
#[doc = " A token that ends an answer, or one of stop_tokens."]
pub const HLM_FINISH_STOP_TOKEN: _bindgen_ty_12 = 1;
#[doc = " A token that ends an answer, or one of stop_tokens."]
pub const HLM_FINISH_STOP_STRING: _bindgen_ty_12 = 2;
#[doc = " The callback asked for it."]
pub const HLM_FINISH_CALLBACK: _bindgen_ty_12 = 3;
#[doc = " The cache holds max_tokens."]
pub const HLM_FINISH_FULL: _bindgen_ty_12 = 4;
#[doc = " hlm_ctx_cancel or progress stopped it (HLM_E_CANCELLED)."]
pub const HLM_FINISH_CANCELLED: _bindgen_ty_12 = 5;
#[doc = " Why hlm_generate ended."]
pub type _bindgen_ty_12 = ::std::os::raw::c_uint;
#[doc = " Speculative decoding: tokens are guessed ahead (a draft), run in one step with the token before them, and kept as"]
#[doc = "  far as the sampler draws them from the model's own logits. The text, its distribution and the draws of the sampler"]
#[doc = "  are those of plain generation, token for token; only the time differs. Callbacks, ends and errors come at the same"]
#[doc = "  tokens, and the cache holds the same tokens at every return."]
#[doc = "  Drafts come from the text itself (what followed the last time that it read the same), and from a second, smaller"]
#[doc = "  model. How much is drafted follows from how many drafts were right in this call and how long steps took. A model"]
#[doc = "  with recurrent state drafts no further than its pool's undo log reaches (hlm_pool_params.undo_tokens), so nothing of"]
#[doc = "  it is computed twice; without that log it drafts nothing."]
#[doc = "  Memory: logits of n_branches * (n_draft + 1) rows."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_speculation {
    pub struct_size: usize,
    #[doc = " Most tokens of a draft. 0: 8; at most 64."]
    pub n_draft: i32,
    #[doc = " Longest run of last tokens that is looked up in the text so far. 0: 8; at most 64; negative: no drafts from the"]
    #[doc = "  text. The latest 65536 tokens are looked at."]
    pub ngram: i32,
    #[doc = " Drafts tried at once, as forks in one varlen batch. 0: 1; at most 8. More than 1 ends the guarantee of"]
    #[doc = "  hlm_cache_reserve, as forks do."]
    pub n_branches: i32,
    #[doc = " 1: drafts as much as these numbers allow at every token, whatever it costs or brings."]
    pub fixed: i32,
    #[doc = " A context of a model with as many tokens in its vocabulary, or NULL. It is used during the call as the first"]
    #[doc = "  context is; ngram drafts, where there are any, go first."]
    pub draft: *mut hlm_context,
    #[doc = " A cache of that context's pool, kept from call to call: each brings it in line with the text, by what they begin"]
    #[doc = "  with in common. NULL: one for the call, which reads the whole text first."]
    pub draft_cache: *mut hlm_cache,
}
#[test]
fn bindgen_test_layout_hlm_speculation() {
    assert_eq!(
        ::std::mem::size_of::<hlm_speculation>(),
        40usize,
        concat!("Size of: ", stringify!(hlm_speculation))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_speculation>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_speculation))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_speculation>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_speculation),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_n_draft() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_speculation>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_draft) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_speculation),
                "::",
                stringify!(n_draft)
            )
        );
    }
    test_field_n_draft();
    fn test_field_ngram() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_speculation>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).ngram) as usize - ptr as usize
            },
            12usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_speculation),
                "::",
                stringify!(ngram)
            )
        );
    }
    test_field_ngram();
    fn test_field_n_branches() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_speculation>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_branches) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_speculation),
                "::",
                stringify!(n_branches)
            )
        );
    }
    test_field_n_branches();
    fn test_field_fixed() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_speculation>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).fixed) as usize - ptr as usize
            },
            20usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_speculation),
                "::",
                stringify!(fixed)
            )
        );
    }
    test_field_fixed();
    fn test_field_draft() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_speculation>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).draft) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_speculation),
                "::",
                stringify!(draft)
            )
        );
    }
    test_field_draft();
    fn test_field_draft_cache() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_speculation>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).draft_cache) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_speculation),
                "::",
                stringify!(draft_cache)
            )
        );
    }
    test_field_draft_cache();
}
impl Default for hlm_speculation {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " Everything it points to is the caller's and is read or written during the call only."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_generate_params {
    pub struct_size: usize,
    #[doc = " [n_prompt] appended to the cache first. May be empty only if the cache is not: then it goes on from"]
    #[doc = "  hlm_cache_logits. (With reuse: see there; not empty.)"]
    pub prompt: *const i32,
    pub n_prompt: usize,
    #[doc = " Most tokens to generate. 0: until the cache is full."]
    pub max_tokens: usize,
    #[doc = " [n_stop] strings, ended by 0, not empty. Text ends before the first that is complete; of those complete at the"]
    #[doc = "  same byte, before the longest."]
    pub stop: *const *const ::std::os::raw::c_char,
    pub n_stop: usize,
    #[doc = " [n_stop_tokens] ids that end the answer, besides the model's own; may be NULL when n_stop_tokens is 0."]
    pub stop_tokens: *const i32,
    pub n_stop_tokens: usize,
    #[doc = " 1: go on past tokens that end an answer."]
    pub ignore_eos: i32,
    #[doc = " 1: special tokens appear in the text."]
    pub show_special: i32,
    #[doc = " 1: prompt is the whole text from its beginning. The cache is first brought to what of it can be reused"]
    #[doc = "  (hlm_cache_reuse), and afterwards added to the prefix cache. Where the state behind the whole prompt is there,"]
    #[doc = "  as when it is tried again, nothing of it is run."]
    pub reuse: i32,
    #[doc = " Must be 0."]
    pub reserved: i32,
    #[doc = " NULL: off."]
    pub speculation: *const hlm_speculation,
    #[doc = " As in hlm_step: invocation tokens are looked for in the prompt, what stands before it, and what is generated."]
    pub adapter: *const hlm_adapter,
    #[doc = " Called after each part of the prompt with tokens done and in all; not 0 stops with HLM_E_CANCELLED."]
    pub progress: ::std::option::Option<
        unsafe extern "C" fn(user: *mut ::std::os::raw::c_void, done: usize, total: usize) -> i32,
    >,
    #[doc = " Called for each token with the text that became certain ([len], perhaps none; a token that ends the answer has"]
    #[doc = "  none); not 0 stops, with HLM_OK and HLM_FINISH_CALLBACK. The last call, with token -1, brings what was held"]
    #[doc = "  back; it is not made after a call that stopped, or after an error."]
    #[doc = "  The text goes on behind that of the tokens that the cache holds (hlm_text_stream_begin). Where the tokens end"]
    #[doc = "  but not the answer (HLM_FINISH_LENGTH, HLM_FINISH_FULL), the beginning of a character is left to the call that"]
    #[doc = "  goes on (hlm_text_stream_cut): the text of an answer does not depend on how many calls it takes. Stop strings"]
    #[doc = "  are looked for in the text of one call."]
    pub on_token: ::std::option::Option<
        unsafe extern "C" fn(
            user: *mut ::std::os::raw::c_void,
            token: i32,
            text: *const ::std::os::raw::c_char,
            len: usize,
        ) -> i32,
    >,
    #[doc = " The first argument of progress and on_token."]
    pub user: *mut ::std::os::raw::c_void,
    #[doc = " [tokens_cap] receives the generated ids, the ending one included; may be NULL."]
    pub tokens: *mut i32,
    pub tokens_cap: usize,
}
#[test]
fn bindgen_test_layout_hlm_generate_params() {
    assert_eq!(
        ::std::mem::size_of::<hlm_generate_params>(),
        136usize,
        concat!("Size of: ", stringify!(hlm_generate_params))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_generate_params>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_generate_params))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_prompt() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).prompt) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(prompt)
            )
        );
    }
    test_field_prompt();
    fn test_field_n_prompt() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_prompt) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(n_prompt)
            )
        );
    }
    test_field_n_prompt();
    fn test_field_max_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).max_tokens) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(max_tokens)
            )
        );
    }
    test_field_max_tokens();
    fn test_field_stop() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).stop) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(stop)
            )
        );
    }
    test_field_stop();
    fn test_field_n_stop() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_stop) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(n_stop)
            )
        );
    }
    test_field_n_stop();
    fn test_field_stop_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).stop_tokens) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(stop_tokens)
            )
        );
    }
    test_field_stop_tokens();
    fn test_field_n_stop_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_stop_tokens) as usize - ptr as usize
            },
            56usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(n_stop_tokens)
            )
        );
    }
    test_field_n_stop_tokens();
    fn test_field_ignore_eos() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).ignore_eos) as usize - ptr as usize
            },
            64usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(ignore_eos)
            )
        );
    }
    test_field_ignore_eos();
    fn test_field_show_special() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).show_special) as usize - ptr as usize
            },
            68usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(show_special)
            )
        );
    }
    test_field_show_special();
    fn test_field_reuse() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).reuse) as usize - ptr as usize
            },
            72usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(reuse)
            )
        );
    }
    test_field_reuse();
    fn test_field_reserved() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize
            },
            76usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(reserved)
            )
        );
    }
    test_field_reserved();
    fn test_field_speculation() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).speculation) as usize - ptr as usize
            },
            80usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(speculation)
            )
        );
    }
    test_field_speculation();
    fn test_field_adapter() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).adapter) as usize - ptr as usize
            },
            88usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(adapter)
            )
        );
    }
    test_field_adapter();
    fn test_field_progress() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).progress) as usize - ptr as usize
            },
            96usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(progress)
            )
        );
    }
    test_field_progress();
    fn test_field_on_token() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).on_token) as usize - ptr as usize
            },
            104usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(on_token)
            )
        );
    }
    test_field_on_token();
    fn test_field_user() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).user) as usize - ptr as usize
            },
            112usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(user)
            )
        );
    }
    test_field_user();
    fn test_field_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).tokens) as usize - ptr as usize
            },
            120usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(tokens)
            )
        );
    }
    test_field_tokens();
    fn test_field_tokens_cap() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).tokens_cap) as usize - ptr as usize
            },
            128usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_params),
                "::",
                stringify!(tokens_cap)
            )
        );
    }
    test_field_tokens_cap();
}
impl Default for hlm_generate_params {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct hlm_generate_result {
    pub struct_size: usize,
    #[doc = " HLM_FINISH_..."]
    pub finish: i32,
    #[doc = " 0."]
    pub reserved: i32,
    #[doc = " Tokens of the prompt, and tokens generated, the ending one included (also those beyond tokens_cap)."]
    pub n_prompt: usize,
    pub n_generated: usize,
    #[doc = " Wall time of the prompt up to the first token's logits, and of the rest, in ns."]
    pub prompt_ns: u64,
    pub generate_ns: u64,
    #[doc = " With reuse: tokens of the prompt that were not run, but for the n_recomputed last of them."]
    pub n_reused: usize,
    pub n_recomputed: usize,
    #[doc = " Steps of the model after the prompt; tokens of drafts that were run in them, and those of them that became"]
    #[doc = "  text."]
    pub n_steps: usize,
    pub n_drafted: usize,
    pub n_accepted: usize,
}
#[test]
fn bindgen_test_layout_hlm_generate_result() {
    assert_eq!(
        ::std::mem::size_of::<hlm_generate_result>(),
        88usize,
        concat!("Size of: ", stringify!(hlm_generate_result))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_generate_result>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_generate_result))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_result),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_finish() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).finish) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_result),
                "::",
                stringify!(finish)
            )
        );
    }
    test_field_finish();
    fn test_field_reserved() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize
            },
            12usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_result),
                "::",
                stringify!(reserved)
            )
        );
    }
    test_field_reserved();
    fn test_field_n_prompt() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_prompt) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_result),
                "::",
                stringify!(n_prompt)
            )
        );
    }
    test_field_n_prompt();
    fn test_field_n_generated() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_generated) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_result),
                "::",
                stringify!(n_generated)
            )
        );
    }
    test_field_n_generated();
    fn test_field_prompt_ns() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).prompt_ns) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_result),
                "::",
                stringify!(prompt_ns)
            )
        );
    }
    test_field_prompt_ns();
    fn test_field_generate_ns() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).generate_ns) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_result),
                "::",
                stringify!(generate_ns)
            )
        );
    }
    test_field_generate_ns();
    fn test_field_n_reused() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_reused) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_result),
                "::",
                stringify!(n_reused)
            )
        );
    }
    test_field_n_reused();
    fn test_field_n_recomputed() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_recomputed) as usize - ptr as usize
            },
            56usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_result),
                "::",
                stringify!(n_recomputed)
            )
        );
    }
    test_field_n_recomputed();
    fn test_field_n_steps() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_steps) as usize - ptr as usize
            },
            64usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_result),
                "::",
                stringify!(n_steps)
            )
        );
    }
    test_field_n_steps();
    fn test_field_n_drafted() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_drafted) as usize - ptr as usize
            },
            72usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_result),
                "::",
                stringify!(n_drafted)
            )
        );
    }
    test_field_n_drafted();
    fn test_field_n_accepted() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_generate_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_accepted) as usize - ptr as usize
            },
            80usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_generate_result),
                "::",
                stringify!(n_accepted)
            )
        );
    }
    test_field_n_accepted();
}
extern "C" {
    #[doc = " Prompt in, tokens out. Afterwards the cache holds the prompt and all generated tokens but the last one, which has"]
    #[doc = "  not been run."]
    #[doc = "  sampler NULL: greedy. result may be NULL, else set its struct_size first; it is written on success, and with"]
    #[doc = "  HLM_E_CANCELLED for what was done until then. Callbacks come from the calling thread and must not call into ctx or"]
    #[doc = "  the cache, but for hlm_ctx_cancel. The sampler accepts the generated tokens, not the prompt's."]
    #[doc = "  A model without tokenizer gives ids and no text."]
    #[doc = "  Errors  those of hlm_decode_step and hlm_sampler_sample, HLM_E_UNSUPPORTED (a head that is not HLM_HEAD_TEXT, the"]
    #[doc = "          draft model's too), HLM_E_EMPTY (no prompt, and an empty cache or reuse), HLM_E_MISMATCH (a sampler of"]
    #[doc = "          another model, a draft model of another vocabulary, a draft_cache of another pool); the cache then holds"]
    #[doc = "          what was run before."]
    pub fn hlm_generate(
        ctx: *mut hlm_context,
        cache: *mut hlm_cache,
        sampler: *mut hlm_sampler,
        params: *const hlm_generate_params,
        result: *mut hlm_generate_result,
    ) -> hlm_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_score_params {
    pub struct_size: usize,
    #[doc = " [n_tokens] from the beginning of a text; at least 2."]
    pub tokens: *const i32,
    pub n_tokens: usize,
    #[doc = " [n_tokens] what is rated: labels[i] after tokens[0] .. tokens[i - 1], for i from 1 on (labels[0] is not used). A"]
    #[doc = "  negative label (-100) is left out: its log-probability is given as 0. NULL: the tokens."]
    pub labels: *const i32,
    #[doc = " [n_tokens - 1] receives the log-probabilities, as natural logarithms; NaN where the model's logits are no"]
    #[doc = "  distribution. May be NULL."]
    pub logprobs: *mut f32,
}
#[test]
fn bindgen_test_layout_hlm_score_params() {
    assert_eq!(
        ::std::mem::size_of::<hlm_score_params>(),
        40usize,
        concat!("Size of: ", stringify!(hlm_score_params))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_score_params>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_score_params))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_score_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_score_params),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_score_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).tokens) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_score_params),
                "::",
                stringify!(tokens)
            )
        );
    }
    test_field_tokens();
    fn test_field_n_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_score_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_tokens) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_score_params),
                "::",
                stringify!(n_tokens)
            )
        );
    }
    test_field_n_tokens();
    fn test_field_labels() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_score_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).labels) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_score_params),
                "::",
                stringify!(labels)
            )
        );
    }
    test_field_labels();
    fn test_field_logprobs() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_score_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).logprobs) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_score_params),
                "::",
                stringify!(logprobs)
            )
        );
    }
    test_field_logprobs();
}
impl Default for hlm_score_params {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct hlm_score_result {
    pub struct_size: usize,
    #[doc = " Of the log-probabilities, added in double. The mean loss is -sum / n_scored."]
    pub sum: f64,
    #[doc = " How many were rated."]
    pub n_scored: usize,
}
#[test]
fn bindgen_test_layout_hlm_score_result() {
    assert_eq!(
        ::std::mem::size_of::<hlm_score_result>(),
        24usize,
        concat!("Size of: ", stringify!(hlm_score_result))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_score_result>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_score_result))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_score_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_score_result),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_sum() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_score_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).sum) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_score_result),
                "::",
                stringify!(sum)
            )
        );
    }
    test_field_sum();
    fn test_field_n_scored() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_score_result>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_scored) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_score_result),
                "::",
                stringify!(n_scored)
            )
        );
    }
    test_field_n_scored();
}
extern "C" {
    #[doc = " Log-probability of each token, or label, given the tokens before it. result may be NULL, else set its struct_size"]
    #[doc = "  first."]
    #[doc = "  Uses a sequence of its own, in the context's pool, and no [n_tokens, vocab_size] buffer."]
    #[doc = "  Errors  HLM_E_ARG, HLM_E_TOKEN, HLM_E_NOMEM, HLM_E_BUSY, HLM_E_CANCELLED, HLM_E_UNSUPPORTED (a model whose head is"]
    #[doc = "          not HLM_HEAD_TEXT); what logprobs holds is then undefined."]
    pub fn hlm_score(
        ctx: *mut hlm_context,
        params: *const hlm_score_params,
        result: *mut hlm_score_result,
    ) -> hlm_status;
}
pub const HLM_EMBED_MEAN: _bindgen_ty_13 = 0;
pub const HLM_EMBED_LAST: _bindgen_ty_13 = 1;
pub const HLM_EMBED_FIRST: _bindgen_ty_13 = 2;
#[doc = " How hlm_embed makes one vector of a text's rows: their mean, the last, the first."]
pub type _bindgen_ty_13 = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_embed_params {
    pub struct_size: usize,
    #[doc = " [n_tokens] from the beginning of a text; at least 1."]
    pub tokens: *const i32,
    pub n_tokens: usize,
    #[doc = " HLM_EMBED_..."]
    pub pooling: i32,
    #[doc = " 1: scale the vector to length 1."]
    pub normalise: i32,
}
#[test]
fn bindgen_test_layout_hlm_embed_params() {
    assert_eq!(
        ::std::mem::size_of::<hlm_embed_params>(),
        32usize,
        concat!("Size of: ", stringify!(hlm_embed_params))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_embed_params>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_embed_params))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_embed_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_embed_params),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_embed_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).tokens) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_embed_params),
                "::",
                stringify!(tokens)
            )
        );
    }
    test_field_tokens();
    fn test_field_n_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_embed_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_tokens) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_embed_params),
                "::",
                stringify!(n_tokens)
            )
        );
    }
    test_field_n_tokens();
    fn test_field_pooling() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_embed_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).pooling) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_embed_params),
                "::",
                stringify!(pooling)
            )
        );
    }
    test_field_pooling();
    fn test_field_normalise() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_embed_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).normalise) as usize - ptr as usize
            },
            28usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_embed_params),
                "::",
                stringify!(normalise)
            )
        );
    }
    test_field_normalise();
}
impl Default for hlm_embed_params {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " A text's vector, for search and comparison: of its rows after the final norm, which transformers calls"]
    #[doc = "  last_hidden_state. Any model has them, whatever its head."]
    #[doc = "  out      [hidden_size]."]
    #[doc = "  Uses a sequence of its own, in the context's pool."]
    #[doc = "  Errors  HLM_E_ARG, HLM_E_EMPTY, HLM_E_TOKEN, HLM_E_NOMEM, HLM_E_BUSY, HLM_E_CANCELLED."]
    pub fn hlm_embed(
        ctx: *mut hlm_context,
        params: *const hlm_embed_params,
        out: *mut f32,
    ) -> hlm_status;
}
#[doc = " The last token."]
pub const HLM_ROWS_LAST: _bindgen_ty_14 = 0;
#[doc = " The last token."]
pub const HLM_ROWS_ALL: _bindgen_ty_14 = 1;
#[doc = " The indices in hlm_step.rows."]
pub const HLM_ROWS_LIST: _bindgen_ty_14 = 2;
#[doc = " Which of a step's tokens give logits."]
pub type _bindgen_ty_14 = ::std::os::raw::c_uint;
pub const HLM_HIDDEN_PRE_NORM: _bindgen_ty_15 = -1;
#[doc = " Hidden states before the final norm, for hlm_hidden.layer."]
pub type _bindgen_ty_15 = ::std::os::raw::c_int;
#[doc = " Rows of hidden_size numbers between the layers."]
pub const HLM_HIDDEN_STREAM: _bindgen_ty_16 = 0;
#[doc = " Of the attention: rows of hlm_model_hidden_width numbers."]
pub const HLM_HIDDEN_ATTENTION: _bindgen_ty_16 = 1;
#[doc = " Of the recurrence, likewise."]
pub const HLM_HIDDEN_RECURRENCE: _bindgen_ty_16 = 2;
#[doc = " What of a layer, for hlm_hidden.kind. The last two are for layers in which attention and a recurrence work side by"]
#[doc = "  side (Hymba): what each gives, before its norm."]
pub type _bindgen_ty_16 = ::std::os::raw::c_uint;
#[doc = " A request for hidden states of every token of a step."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_hidden {
    pub struct_size: usize,
    #[doc = " i < n_layers: the input of layer i; n_layers: after the final norm; HLM_HIDDEN_PRE_NORM: before it."]
    pub layer: i32,
    #[doc = " HLM_HIDDEN_STREAM, ... Of the others `layer` is from 0 to n_layers - 1."]
    pub kind: i32,
    #[doc = " [n_tokens, hidden_size], written by the step; by kind [n_tokens, hlm_model_hidden_width]."]
    pub out: *mut f32,
}
#[test]
fn bindgen_test_layout_hlm_hidden() {
    assert_eq!(
        ::std::mem::size_of::<hlm_hidden>(),
        24usize,
        concat!("Size of: ", stringify!(hlm_hidden))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_hidden>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_hidden))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_hidden>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_hidden),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_layer() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_hidden>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).layer) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_hidden),
                "::",
                stringify!(layer)
            )
        );
    }
    test_field_layer();
    fn test_field_kind() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_hidden>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).kind) as usize - ptr as usize
            },
            12usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_hidden),
                "::",
                stringify!(kind)
            )
        );
    }
    test_field_kind();
    fn test_field_out() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_hidden>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).out) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_hidden),
                "::",
                stringify!(out)
            )
        );
    }
    test_field_out();
}
impl Default for hlm_hidden {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " A request for the attention weights of every token of a step: a slower path of its own; the step's other results"]
#[doc = "  stay bit for bit the same."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_attention {
    pub struct_size: usize,
    #[doc = " A layer with attention."]
    pub layer: i32,
    #[doc = " Must be 0."]
    pub reserved: i32,
    #[doc = " [n_heads, n_tokens, length of the cache after the step], written by the step: what each token takes from each"]
    #[doc = "  position, 0 where it does not look. Of a layer with fewer heads than hlm_model_info.n_heads the first ones."]
    pub out: *mut f32,
}
#[test]
fn bindgen_test_layout_hlm_attention() {
    assert_eq!(
        ::std::mem::size_of::<hlm_attention>(),
        24usize,
        concat!("Size of: ", stringify!(hlm_attention))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_attention>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_attention))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_attention>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_attention),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_layer() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_attention>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).layer) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_attention),
                "::",
                stringify!(layer)
            )
        );
    }
    test_field_layer();
    fn test_field_reserved() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_attention>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize
            },
            12usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_attention),
                "::",
                stringify!(reserved)
            )
        );
    }
    test_field_reserved();
    fn test_field_out() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_attention>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).out) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_attention),
                "::",
                stringify!(out)
            )
        );
    }
    test_field_out();
}
impl Default for hlm_attention {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " New tokens for one sequence. Everything it points to is the caller's and is read or written during the call only."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_step {
    pub struct_size: usize,
    pub cache: *mut hlm_cache,
    #[doc = " [n_tokens] token ids."]
    pub tokens: *const i32,
    pub n_tokens: usize,
    #[doc = " [n_tokens, hidden_size] rows that layer 0 reads, in place of token ids (tokens is then NULL): images, soft"]
    #[doc = "  prompts. hlm_cache_tokens gives HLM_TOKEN_NONE for them, and a state can not be computed again across them:"]
    #[doc = "  after a rewind that leaves pending tokens among them a step fails with HLM_E_UNREACHABLE."]
    pub embeddings: *const f32,
    #[doc = " What the tokens are run with; NULL: the model alone. The sequence remembers it for each token, and whatever"]
    #[doc = "  computes one again (rewinds, forks, snapshots, the prefix cache) uses it. The pool holds every adapter that a"]
    #[doc = "  step has named."]
    #[doc = "  One with invocation tokens: after the step all of the sequence's tokens from their last place in it on are run"]
    #[doc = "  with the adapter, and those before with the model alone, whatever they were run with so far, unless with a"]
    #[doc = "  third: so a text computes the same however it is cut into steps. What that changes of earlier tokens is computed"]
    #[doc = "  again by this step (few, where the place begins in the step or shortly before; a place further on takes those"]
    #[doc = "  behind the former one). Without a place nothing is added. Embeddings are no part of one, and can not be computed"]
    #[doc = "  again: HLM_E_UNREACHABLE."]
    pub adapter: *const hlm_adapter,
    #[doc = " NULL: no logits. [number of rows, vocab_size], in the order of the tokens:"]
    #[doc = "  1 row, n_tokens or n_rows, by logit_rows. Written by the step. With a classification head [number of rows,"]
    #[doc = "  n_labels]: a text's class is read off its last token (HLM_HEAD_SEQUENCE), or every token has one"]
    #[doc = "  (HLM_HEAD_TOKEN). Must be NULL with HLM_HEAD_NONE."]
    pub logits: *mut f32,
    #[doc = " HLM_ROWS_..."]
    pub logit_rows: i32,
    #[doc = " Must be 0."]
    pub reserved: i32,
    #[doc = " [n_rows] indices into tokens, ascending, each once. For HLM_ROWS_LIST."]
    pub rows: *const usize,
    pub n_rows: usize,
    #[doc = " [n_hidden] requests; NULL where n_hidden is 0."]
    pub hidden: *const *const hlm_hidden,
    pub n_hidden: usize,
    #[doc = " [n_attention] requests; NULL where n_attention is 0."]
    pub attention: *const *const hlm_attention,
    pub n_attention: usize,
}
#[test]
fn bindgen_test_layout_hlm_step() {
    assert_eq!(
        ::std::mem::size_of::<hlm_step>(),
        112usize,
        concat!("Size of: ", stringify!(hlm_step))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_step>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_step))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_cache() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).cache) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(cache)
            )
        );
    }
    test_field_cache();
    fn test_field_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).tokens) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(tokens)
            )
        );
    }
    test_field_tokens();
    fn test_field_n_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_tokens) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(n_tokens)
            )
        );
    }
    test_field_n_tokens();
    fn test_field_embeddings() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).embeddings) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(embeddings)
            )
        );
    }
    test_field_embeddings();
    fn test_field_adapter() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).adapter) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(adapter)
            )
        );
    }
    test_field_adapter();
    fn test_field_logits() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).logits) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(logits)
            )
        );
    }
    test_field_logits();
    fn test_field_logit_rows() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).logit_rows) as usize - ptr as usize
            },
            56usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(logit_rows)
            )
        );
    }
    test_field_logit_rows();
    fn test_field_reserved() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize
            },
            60usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(reserved)
            )
        );
    }
    test_field_reserved();
    fn test_field_rows() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).rows) as usize - ptr as usize
            },
            64usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(rows)
            )
        );
    }
    test_field_rows();
    fn test_field_n_rows() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_rows) as usize - ptr as usize
            },
            72usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(n_rows)
            )
        );
    }
    test_field_n_rows();
    fn test_field_hidden() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).hidden) as usize - ptr as usize
            },
            80usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(hidden)
            )
        );
    }
    test_field_hidden();
    fn test_field_n_hidden() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_hidden) as usize - ptr as usize
            },
            88usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(n_hidden)
            )
        );
    }
    test_field_n_hidden();
    fn test_field_attention() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).attention) as usize - ptr as usize
            },
            96usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(attention)
            )
        );
    }
    test_field_attention();
    fn test_field_n_attention() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_step>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_attention) as usize - ptr as usize
            },
            104usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_step),
                "::",
                stringify!(n_attention)
            )
        );
    }
    test_field_n_attention();
}
impl Default for hlm_step {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " Run new tokens through the model: whole prompts, single tokens, or both, for n sequences in one varlen batch. Each"]
    #[doc = "  cache grows by its tokens."]
    #[doc = "  steps   [n] one entry a sequence, no cache twice, all of the context's pool; read only during the call."]
    #[doc = "  Threads one call per context at a time; contexts of one model may run in"]
    #[doc = "          parallel, on different caches."]
    #[doc = "  Errors  HLM_E_ARG, HLM_E_EMPTY (no steps, or one without tokens), HLM_E_TOKEN, HLM_E_FULL (also: 4096 adapters),"]
    #[doc = "          HLM_E_MISMATCH (a cache of another pool, an adapter of another model), HLM_E_UNREACHABLE (pending tokens"]
    #[doc = "          that were embeddings), HLM_E_BUSY (context or cache in use, or a cache twice), HLM_E_NOMEM,"]
    #[doc = "          HLM_E_UNSUPPORTED (logits of a model without a head), HLM_E_CANCELLED. The sentence says which of the steps."]
    #[doc = "          Every cache is then as it was before the call, and what the out-arrays hold is undefined."]
    pub fn hlm_decode_step(
        ctx: *mut hlm_context,
        steps: *const *const hlm_step,
        n: usize,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Begin the step that hlm_decode_step would run, to be computed in slices between other things: checks it and takes"]
    #[doc = "  its memory, computes nothing. Structs, ids, rows and lists of requests are copied; embeddings, and what is written"]
    #[doc = "  to (logits, hidden states, attention weights), must stay until the step has ended."]
    #[doc = "  Until then ctx is busy but for hlm_step_run, hlm_step_abort and hlm_ctx_cancel. The caches are what they were"]
    #[doc = "  before: they can be read, forked and saved, also from other threads (hlm_cache_length and hlm_cache_pending: not"]
    #[doc = "  while hlm_step_run runs); calls that would change one return HLM_E_BUSY. (Where an adapter with invocation tokens"]
    #[doc = "  has tokens run again, they are seen as run again until the step has ended.) A cache that is freed before the step"]
    #[doc = "  has ended is not the caller's any more: the step goes on, and its end frees it. hlm_ctx_free aborts the step."]
    #[doc = "  In a pool that does not have the model's memory tokens yet (Hymba) their rows are computed first, and the step's"]
    #[doc = "  memory is taken after that."]
    #[doc = "  Errors  those of hlm_decode_step but HLM_E_CANCELLED; nothing is begun then."]
    pub fn hlm_step_begin(
        ctx: *mut hlm_context,
        steps: *const *const hlm_step,
        n: usize,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Computes for budget_us microseconds; it stops in time if it can tell what the next piece of work will take, and"]
    #[doc = "  always gets one done (0.2 ms is aimed at)."]
    #[doc = "  *done receives 1 when the step has ended: the caches have grown, and the results are there, the same as"]
    #[doc = "  hlm_decode_step's bit for bit; else 0, also on failure. A failure ends the step as hlm_step_abort does, but for"]
    #[doc = "  HLM_E_ARG and HLM_E_BUSY, which leave it as it was."]
    #[doc = "  Errors  HLM_E_ARG (a budget of 0, or no step was begun), HLM_E_BUSY (another call on ctx), HLM_E_CANCELLED,"]
    #[doc = "          HLM_E_NOMEM (after memory tokens, or tokens that an adapter with invocation tokens runs again, only)."]
    pub fn hlm_step_run(ctx: *mut hlm_context, budget_us: u64, done: *mut i32) -> hlm_status;
}
extern "C" {
    #[doc = " Ends a begun step: every cache is as it was before it. None was begun: nothing."]
    #[doc = "  Errors  HLM_E_ARG, HLM_E_BUSY (another call on ctx)."]
    pub fn hlm_step_abort(ctx: *mut hlm_context) -> hlm_status;
}
extern "C" {
    #[doc = " The logits behind the last token that `cache` holds, once more: to draw another token after a fork or a rewind, from"]
    #[doc = "  a snapshot that was loaded, or from a text that was reused."]
    #[doc = "  logits  [vocab_size] (with a classification head [n_labels]), bit for bit those of the step that ran that token."]
    #[doc = "  A model with recurrent state keeps the final hidden row with each state that a step has written, so at the end of a"]
    #[doc = "  step, at marks, and in forks and snapshots of these, the head's matrix is all that is computed. Elsewhere"]
    #[doc = "  (Transformers; a position that came out of the undo log; pending tokens) what is missing is computed: pending"]
    #[doc = "  tokens, and the last token once more. The sequence is the same value afterwards, and nothing of it is pending."]
    #[doc = "  Others that share its pages or states notice nothing; while the call runs, the cache can be read and forked."]
    #[doc = "  Errors  HLM_E_EMPTY (no tokens), HLM_E_UNREACHABLE (what has to be computed again was an embedding), HLM_E_MISMATCH"]
    #[doc = "          (a cache of another pool), HLM_E_BUSY (context or cache in use, or in a step), HLM_E_UNSUPPORTED"]
    #[doc = "          (HLM_HEAD_NONE), HLM_E_NOMEM (automatic marks of the cache went first, as in a step), HLM_E_CANCELLED; the"]
    #[doc = "          cache is as it was, and what logits holds is undefined."]
    pub fn hlm_cache_logits(
        ctx: *mut hlm_context,
        cache: *mut hlm_cache,
        logits: *mut f32,
    ) -> hlm_status;
}
#[doc = " This struct does not grow."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct hlm_logit_bias {
    pub token: i32,
    #[doc = " Added to the token's logit; -INFINITY forbids it."]
    pub bias: f32,
}
#[test]
fn bindgen_test_layout_hlm_logit_bias() {
    assert_eq!(
        ::std::mem::size_of::<hlm_logit_bias>(),
        8usize,
        concat!("Size of: ", stringify!(hlm_logit_bias))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_logit_bias>(),
        4usize,
        concat!("Alignment of ", stringify!(hlm_logit_bias))
    );
    fn test_field_token() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_logit_bias>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).token) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_logit_bias),
                "::",
                stringify!(token)
            )
        );
    }
    test_field_token();
    fn test_field_bias() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_logit_bias>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).bias) as usize - ptr as usize
            },
            4usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_logit_bias),
                "::",
                stringify!(bias)
            )
        );
    }
    test_field_bias();
}
#[doc = " A chain has these stages, and they run in this order, whatever the order of the fields:"]
#[doc = "    logit_bias              is added"]
#[doc = "    repetition_penalty      of the tokens that penalty_window holds"]
#[doc = "    frequency_penalty, presence_penalty    likewise"]
#[doc = "    top_k, typical_p, top_p, min_p         each sees the probabilities, at temperature 1, of the tokens that"]
#[doc = "                            those before it kept, and keeps at least one; among equals the lower id goes first"]
#[doc = "    temperature             divides the logits of what is left"]
#[doc = "    the draw"]
#[doc = "  A stage that a later version adds says between which of them it stands. All are off by default: greedy. Ranges:"]
#[doc = "  temperature and repetition_penalty 0 or more, top_k not negative, typical_p, top_p and min_p 0 to 1; all finite, but"]
#[doc = "  a bias may be -INFINITY."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_sampler_params {
    pub struct_size: usize,
    #[doc = " Philox4x32-10 key: the same seed gives the same draws everywhere."]
    pub seed: u64,
    #[doc = " 0: greedy, the largest logit, the lowest id among equals."]
    pub temperature: f32,
    #[doc = " Keep the k largest. 0: all."]
    pub top_k: i32,
    #[doc = " Keep the smallest set of most likely tokens with mass p. 0 or 1: off."]
    pub top_p: f32,
    #[doc = " Keep tokens at least min_p times as likely as the likeliest. 0: off."]
    pub min_p: f32,
    #[doc = " Locally typical sampling: keep the smallest set with mass p whose -ln p are nearest to the entropy. 0 or 1:"]
    #[doc = "  off."]
    pub typical_p: f32,
    #[doc = " Divides positive and multiplies negative logits of seen tokens. 0 or 1: off."]
    pub repetition_penalty: f32,
    #[doc = " Subtracted once for each time a token was seen."]
    pub frequency_penalty: f32,
    #[doc = " Subtracted from every token that was seen."]
    pub presence_penalty: f32,
    #[doc = " Accepted tokens that the penalties look back on. 0: 64; negative: all."]
    pub penalty_window: i64,
    pub logit_bias: *const hlm_logit_bias,
    pub n_logit_bias: usize,
}
#[test]
fn bindgen_test_layout_hlm_sampler_params() {
    assert_eq!(
        ::std::mem::size_of::<hlm_sampler_params>(),
        72usize,
        concat!("Size of: ", stringify!(hlm_sampler_params))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_sampler_params>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_sampler_params))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_seed() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).seed) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(seed)
            )
        );
    }
    test_field_seed();
    fn test_field_temperature() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).temperature) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(temperature)
            )
        );
    }
    test_field_temperature();
    fn test_field_top_k() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).top_k) as usize - ptr as usize
            },
            20usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(top_k)
            )
        );
    }
    test_field_top_k();
    fn test_field_top_p() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).top_p) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(top_p)
            )
        );
    }
    test_field_top_p();
    fn test_field_min_p() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).min_p) as usize - ptr as usize
            },
            28usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(min_p)
            )
        );
    }
    test_field_min_p();
    fn test_field_typical_p() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).typical_p) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(typical_p)
            )
        );
    }
    test_field_typical_p();
    fn test_field_repetition_penalty() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).repetition_penalty) as usize - ptr as usize
            },
            36usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(repetition_penalty)
            )
        );
    }
    test_field_repetition_penalty();
    fn test_field_frequency_penalty() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).frequency_penalty) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(frequency_penalty)
            )
        );
    }
    test_field_frequency_penalty();
    fn test_field_presence_penalty() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).presence_penalty) as usize - ptr as usize
            },
            44usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(presence_penalty)
            )
        );
    }
    test_field_presence_penalty();
    fn test_field_penalty_window() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).penalty_window) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(penalty_window)
            )
        );
    }
    test_field_penalty_window();
    fn test_field_logit_bias() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).logit_bias) as usize - ptr as usize
            },
            56usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(logit_bias)
            )
        );
    }
    test_field_logit_bias();
    fn test_field_n_logit_bias() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_sampler_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_logit_bias) as usize - ptr as usize
            },
            64usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_sampler_params),
                "::",
                stringify!(n_logit_bias)
            )
        );
    }
    test_field_n_logit_bias();
}
impl Default for hlm_sampler_params {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " params and the list of biases are copied; NULL: greedy."]
    #[doc = "  Errors  HLM_E_ARG (a number outside its range, NaN too), HLM_E_TOKEN (a biased token outside the vocabulary),"]
    #[doc = "          HLM_E_NOMEM."]
    pub fn hlm_sampler_new(
        out: *mut *mut hlm_sampler,
        model: *mut hlm_model,
        params: *const hlm_sampler_params,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " The same chain, history and random state, independent from now on. Errors  HLM_E_NOMEM."]
    pub fn hlm_sampler_fork(out: *mut *mut hlm_sampler, sampler: *const hlm_sampler) -> hlm_status;
}
extern "C" {
    #[doc = " Draw from logits [vocab_size], which are not changed. Counts as a draw, but"]
    #[doc = "  not as accepted. Allocates nothing. Errors  HLM_E_ARG when no token is left"]
    #[doc = "  (all NaN or -INFINITY); that is no draw."]
    pub fn hlm_sampler_sample(
        sampler: *mut hlm_sampler,
        logits: *const f32,
        token: *mut i32,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Tell the penalties that `token` became part of the text (prompt tokens too, if they shall count)."]
    #[doc = "  Errors  HLM_E_TOKEN, HLM_E_NOMEM."]
    pub fn hlm_sampler_accept(sampler: *mut hlm_sampler, token: i32) -> hlm_status;
}
extern "C" {
    pub fn hlm_sampler_free(sampler: *mut hlm_sampler);
}
extern "C" {
    #[doc = " Remember the cache's tokens with their KV rows and the states at its marks and at its present position, for"]
    #[doc = "  hlm_cache_reuse. Nothing is copied: pages and states are shared by reference. Of a text with embeddings only what"]
    #[doc = "  stands before the first is remembered; of a model with recurrent state only what stands before the last state."]
    #[doc = "  Errors  HLM_E_NOMEM (nothing has changed), HLM_E_BUSY."]
    pub fn hlm_prefix_add(cache: *mut hlm_cache) -> hlm_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_reuse_params {
    pub struct_size: usize,
    #[doc = " [n_tokens] the whole text from its beginning; at least 1."]
    pub tokens: *const i32,
    pub n_tokens: usize,
    #[doc = " What the text is run with; NULL: the model alone. The same tokens run with another adapter are another text."]
    #[doc = "  With invocation tokens it is looked for from their last place in the tokens on, and before that as the model's"]
    #[doc = "  alone."]
    pub adapter: *const hlm_adapter,
}
#[test]
fn bindgen_test_layout_hlm_reuse_params() {
    assert_eq!(
        ::std::mem::size_of::<hlm_reuse_params>(),
        32usize,
        concat!("Size of: ", stringify!(hlm_reuse_params))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_reuse_params>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_reuse_params))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_reuse_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_reuse_params),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_reuse_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).tokens) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_reuse_params),
                "::",
                stringify!(tokens)
            )
        );
    }
    test_field_tokens();
    fn test_field_n_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_reuse_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_tokens) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_reuse_params),
                "::",
                stringify!(n_tokens)
            )
        );
    }
    test_field_n_tokens();
    fn test_field_adapter() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_reuse_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).adapter) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_reuse_params),
                "::",
                stringify!(adapter)
            )
        );
    }
    test_field_adapter();
}
impl Default for hlm_reuse_params {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " Bring `cache` to the longest beginning of a text that it holds itself, or the prefix cache does: whichever leaves"]
    #[doc = "  less to compute, itself if that is the same. At least the last token is left, so that running it gives logits. Go on"]
    #[doc = "  with tokens + *reused."]
    #[doc = "  reused   how many of them the cache holds afterwards; may be NULL."]
    #[doc = "  pending  how many of those the next step computes again first, 0 for Transformers that keep all rows; may be NULL."]
    #[doc = "           The state at their end becomes an automatic mark then."]
    #[doc = "  Marks of the cache within what is reused stay; memory of hlm_cache_reserve goes back."]
    #[doc = "  Errors  HLM_E_TOKEN, HLM_E_EMPTY (no tokens), HLM_E_MISMATCH (an adapter of another model), HLM_E_FULL (4096"]
    #[doc = "          adapters), HLM_E_NOMEM, HLM_E_BUSY; the cache is as before."]
    pub fn hlm_cache_reuse(
        cache: *mut hlm_cache,
        params: *const hlm_reuse_params,
        reused: *mut usize,
        pending: *mut usize,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Forget all texts. Caches keep what they share."]
    pub fn hlm_prefix_clear(pool: *mut hlm_pool) -> hlm_status;
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct hlm_prefix_info {
    pub struct_size: usize,
    #[doc = " Pages and states held, each counted once, and the most there may be (0: no prefix cache)."]
    pub bytes: u64,
    pub max_bytes: u64,
    #[doc = " Stretches of text between branches, tokens in all of them, states kept in them."]
    pub nodes: u64,
    pub tokens: u64,
    pub states: u64,
    #[doc = " Calls of hlm_cache_reuse so far, and those that reused a token, of either cache."]
    pub lookups: u64,
    pub hits: u64,
    #[doc = " Tokens of all those calls, how many were reused, and how many of these are computed again."]
    pub tokens_asked: u64,
    pub tokens_reused: u64,
    pub tokens_recomputed: u64,
    #[doc = " What went because of the budget, or of the pool's cap."]
    pub evicted_tokens: u64,
    pub evicted_states: u64,
}
#[test]
fn bindgen_test_layout_hlm_prefix_info() {
    assert_eq!(
        ::std::mem::size_of::<hlm_prefix_info>(),
        104usize,
        concat!("Size of: ", stringify!(hlm_prefix_info))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_prefix_info>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_prefix_info))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).bytes) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(bytes)
            )
        );
    }
    test_field_bytes();
    fn test_field_max_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).max_bytes) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(max_bytes)
            )
        );
    }
    test_field_max_bytes();
    fn test_field_nodes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).nodes) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(nodes)
            )
        );
    }
    test_field_nodes();
    fn test_field_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).tokens) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(tokens)
            )
        );
    }
    test_field_tokens();
    fn test_field_states() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).states) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(states)
            )
        );
    }
    test_field_states();
    fn test_field_lookups() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).lookups) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(lookups)
            )
        );
    }
    test_field_lookups();
    fn test_field_hits() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).hits) as usize - ptr as usize
            },
            56usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(hits)
            )
        );
    }
    test_field_hits();
    fn test_field_tokens_asked() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).tokens_asked) as usize - ptr as usize
            },
            64usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(tokens_asked)
            )
        );
    }
    test_field_tokens_asked();
    fn test_field_tokens_reused() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).tokens_reused) as usize - ptr as usize
            },
            72usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(tokens_reused)
            )
        );
    }
    test_field_tokens_reused();
    fn test_field_tokens_recomputed() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).tokens_recomputed) as usize - ptr as usize
            },
            80usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(tokens_recomputed)
            )
        );
    }
    test_field_tokens_recomputed();
    fn test_field_evicted_tokens() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).evicted_tokens) as usize - ptr as usize
            },
            88usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(evicted_tokens)
            )
        );
    }
    test_field_evicted_tokens();
    fn test_field_evicted_states() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_prefix_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).evicted_states) as usize - ptr as usize
            },
            96usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_prefix_info),
                "::",
                stringify!(evicted_states)
            )
        );
    }
    test_field_evicted_states();
}
extern "C" {
    #[doc = " Counts of a pool's prefix cache. Set out->struct_size first. Errors  HLM_E_ARG."]
    pub fn hlm_prefix_info_get(pool: *const hlm_pool, out: *mut hlm_prefix_info) -> hlm_status;
}
#[doc = " Takes the bytes of a snapshot, in order."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_writer {
    pub struct_size: usize,
    pub user: *mut ::std::os::raw::c_void,
    #[doc = " Takes all len bytes (never 0; up to 256 KiB) and returns 0; other values end the save with HLM_E_IO. data is"]
    #[doc = "  valid during the call only."]
    pub write: ::std::option::Option<
        unsafe extern "C" fn(
            user: *mut ::std::os::raw::c_void,
            data: *const ::std::os::raw::c_void,
            len: usize,
        ) -> i32,
    >,
}
#[test]
fn bindgen_test_layout_hlm_writer() {
    assert_eq!(
        ::std::mem::size_of::<hlm_writer>(),
        24usize,
        concat!("Size of: ", stringify!(hlm_writer))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_writer>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_writer))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_writer>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_writer),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_user() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_writer>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).user) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_writer),
                "::",
                stringify!(user)
            )
        );
    }
    test_field_user();
    fn test_field_write() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_writer>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).write) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_writer),
                "::",
                stringify!(write)
            )
        );
    }
    test_field_write();
}
impl Default for hlm_writer {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " Gives the bytes of a snapshot, in order."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_reader {
    pub struct_size: usize,
    pub user: *mut ::std::os::raw::c_void,
    #[doc = " Writes up to cap bytes (cap is never 0) to out and their number to *n, and returns 0; other values end the load"]
    #[doc = "  with HLM_E_IO. *n 0: there are no more."]
    pub read: ::std::option::Option<
        unsafe extern "C" fn(
            user: *mut ::std::os::raw::c_void,
            out: *mut ::std::os::raw::c_void,
            cap: usize,
            n: *mut usize,
        ) -> i32,
    >,
}
#[test]
fn bindgen_test_layout_hlm_reader() {
    assert_eq!(
        ::std::mem::size_of::<hlm_reader>(),
        24usize,
        concat!("Size of: ", stringify!(hlm_reader))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_reader>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_reader))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_reader>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_reader),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_user() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_reader>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).user) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_reader),
                "::",
                stringify!(user)
            )
        );
    }
    test_field_user();
    fn test_field_read() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_reader>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).read) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_reader),
                "::",
                stringify!(read)
            )
        );
    }
    test_field_read();
}
impl Default for hlm_reader {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " Write what a sequence remembers: its tokens, KV rows and states, marks, undo log, and what they were computed with,"]
    #[doc = "  with checksums over everything. Two saves of a sequence give the same bytes. Weights are not in it, and of a step"]
    #[doc = "  that has been begun nothing. The first save or load of a model reads its weights in memory once, to tell the model"]
    #[doc = "  from others (0.1 to 0.3 s a GB; asking for the bytes needed does it, too)."]
    #[doc = ""]
    #[doc = "  A path: written beside it (path and \".saving0\", or a higher number while another save to the same path runs),"]
    #[doc = "  brought to the disk, and renamed, so that the path has either what it had or all of the new, whenever the process or"]
    #[doc = "  the machine stops. What a process that was killed has left is used again by the next save."]
    #[doc = "  A symbolic link is replaced, not followed; a folder, FIFO, socket or device is refused."]
    #[doc = "  A writer: it is called from this thread."]
    #[doc = "  Memory: *n receives the bytes needed, also with HLM_E_SPACE; out may be NULL when cap is 0."]
    #[doc = "  Errors  HLM_E_IO (the file or the writer; the path then has what it had), HLM_E_SPACE, HLM_E_NOMEM, HLM_E_BUSY."]
    pub fn hlm_cache_save(cache: *mut hlm_cache, path: *const ::std::os::raw::c_char)
        -> hlm_status;
}
extern "C" {
    pub fn hlm_cache_save_to(cache: *mut hlm_cache, writer: *const hlm_writer) -> hlm_status;
}
extern "C" {
    pub fn hlm_cache_save_memory(
        cache: *mut hlm_cache,
        out: *mut ::std::os::raw::c_void,
        cap: usize,
        n: *mut usize,
    ) -> hlm_status;
}
#[doc = " Accept a state that was computed with other kernels or another choice of HLM_LOAD_PORTABLE. It goes on with"]
#[doc = "  these, and what follows is then no longer, bit for bit, what either machine would have given alone."]
pub const HLM_SNAPSHOT_OTHER_KERNELS: _bindgen_ty_17 = 1;
pub type _bindgen_ty_17 = ::std::os::raw::c_uint;
extern "C" {
    #[doc = " A new sequence from a snapshot, as it was when it was saved: length, tokens, marks, max_tokens, and bit for bit the"]
    #[doc = "  logits that follow. A pool with other page sizes or budgets takes it too: of marks that steps have set it keeps what"]
    #[doc = "  its own budget allows, and of an undo log with another undo_tokens nothing (positions behind the last mark are then"]
    #[doc = "  computed again after a rewind)."]
    #[doc = "  A path or memory must hold the snapshot and nothing else. A reader is asked for exactly the bytes of the snapshot,"]
    #[doc = "  so that it may stand inside something larger; it is called from this thread."]
    #[doc = "  flags: HLM_SNAPSHOT_... or 0."]
    #[doc = "  Errors  HLM_E_FORMAT (no snapshot, cut off, damaged, or followed by something), HLM_E_UNSUPPORTED (of another"]
    #[doc = "          version of the format), HLM_E_MISMATCH (of another model or with an adapter that the pool does not know"]
    #[doc = "          (hlm_pool_adapt), or another memory_token_adapter, of other KV or state types, without rows behind attention"]
    #[doc = "          windows that the pool keeps (hlm_pool_params.window_rows), or computed with other kernels or load"]
    #[doc = "          parameters: the sentence says which), HLM_E_IO, HLM_E_NOMEM (memory, or the pool's cap). Nothing is left of"]
    #[doc = "          it then."]
    pub fn hlm_cache_load(
        out: *mut *mut hlm_cache,
        pool: *mut hlm_pool,
        path: *const ::std::os::raw::c_char,
        flags: u32,
    ) -> hlm_status;
}
extern "C" {
    pub fn hlm_cache_load_from(
        out: *mut *mut hlm_cache,
        pool: *mut hlm_pool,
        reader: *const hlm_reader,
        flags: u32,
    ) -> hlm_status;
}
extern "C" {
    pub fn hlm_cache_load_memory(
        out: *mut *mut hlm_cache,
        pool: *mut hlm_pool,
        data: *const ::std::os::raw::c_void,
        n: usize,
        flags: u32,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Save all texts of the pool's prefix cache in a folder, which is made if its own folder exists. Each text is a"]
    #[doc = "  snapshot in a file of its own, what texts have in common is stored once, and an index, which takes the place of the"]
    #[doc = "  former one at the end, names them; then former texts are removed. One call at a time for a folder. Caches can be"]
    #[doc = "  stepped meanwhile."]
    #[doc = "  Errors  HLM_E_IO, HLM_E_FULL (more than 2^20 texts), HLM_E_NOMEM; the folder is then as it was before, or not there"]
    #[doc = "          if it was not. (If the system refuses to undo, too, it has either all of the new or what it had.)"]
    pub fn hlm_prefix_save(
        pool: *mut hlm_pool,
        folder: *const ::std::os::raw::c_char,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Add the texts of such a folder to the pool's prefix cache, as many as its budget holds. A file that is damaged, cut"]
    #[doc = "  off, missing, or not of this model, its load parameters and the pool's types and page size, is left out, with the"]
    #[doc = "  texts that go on from it; *n_refused (may be NULL) receives how many were."]
    #[doc = "  flags: HLM_SNAPSHOT_... or 0."]
    #[doc = "  Errors  HLM_E_IO (no index), HLM_E_FORMAT (no index of this kind, or damaged), HLM_E_UNSUPPORTED, HLM_E_NOMEM; what"]
    #[doc = "          was added before stays."]
    pub fn hlm_prefix_load(
        pool: *mut hlm_pool,
        folder: *const ::std::os::raw::c_char,
        flags: u32,
        n_refused: *mut usize,
    ) -> hlm_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_adapter_params {
    pub struct_size: usize,
    #[doc = " Of what is added, on top of the adapter's own scale, -1e6 to 1e6; 0: 1."]
    pub scale: f32,
    #[doc = " Must be 0."]
    pub reserved: i32,
    #[doc = " Where path is; NULL: the system's files. Used during the call only."]
    pub vfs: *const hlm_vfs,
}
#[test]
fn bindgen_test_layout_hlm_adapter_params() {
    assert_eq!(
        ::std::mem::size_of::<hlm_adapter_params>(),
        24usize,
        concat!("Size of: ", stringify!(hlm_adapter_params))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_adapter_params>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_adapter_params))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_adapter_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_adapter_params),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_scale() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_adapter_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).scale) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_adapter_params),
                "::",
                stringify!(scale)
            )
        );
    }
    test_field_scale();
    fn test_field_reserved() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_adapter_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize
            },
            12usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_adapter_params),
                "::",
                stringify!(reserved)
            )
        );
    }
    test_field_reserved();
    fn test_field_vfs() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_adapter_params>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).vfs) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_adapter_params),
                "::",
                stringify!(vfs)
            )
        );
    }
    test_field_vfs();
}
impl Default for hlm_adapter_params {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
extern "C" {
    #[doc = " Load an adapter for a model: a folder as PEFT writes it (adapter_config.json and adapter_model.safetensors), or a"]
    #[doc = "  GGUF file, whichever of the two the model is from. Its numbers are f32, f16 or bf16, and computed with in f32. An"]
    #[doc = "  adapter with invocation tokens (activated LoRA) acts from the last place on at which a text has them, the first of"]
    #[doc = "  them included: what a step that names it does is said at hlm_step.adapter."]
    #[doc = "  Errors  HLM_E_IO, HLM_E_FORMAT (a tensor of another shape, of a rank above 256, for no matrix of the model, or for"]
    #[doc = "          one that the settings leave out), HLM_E_TOKEN (an invocation token), HLM_E_LIMIT (more than 1024 of them, or"]
    #[doc = "          256 regular expressions of a setting, or one that takes too long), HLM_E_MISMATCH (of Falcon-H1 the other"]
    #[doc = "          kind of file), HLM_E_UNSUPPORTED (a model of HLM_LOAD_VOCAB_ONLY or HLM_LOAD_HEADERS, other methods than"]
    #[doc = "          LoRA and DoRA, settings that are not known and neither null, false, {} nor [], weights of the model's own"]
    #[doc = "          that are not the model's, matrices of a folder's experts in one tensor), HLM_E_NOMEM."]
    pub fn hlm_adapter_load(
        out: *mut *mut hlm_adapter,
        model: *mut hlm_model,
        path: *const ::std::os::raw::c_char,
        params: *const hlm_adapter_params,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " Several adapters of one model as one, whose effects are added. An adapter with magnitudes (DoRA) can be joined only"]
    #[doc = "  to those of other matrices, one with invocation tokens to those with the same."]
    #[doc = "  Errors  HLM_E_MISMATCH (of different models), HLM_E_UNSUPPORTED, HLM_E_LIMIT (a rank above 256), HLM_E_NOMEM."]
    pub fn hlm_adapter_join(
        out: *mut *mut hlm_adapter,
        adapters: *const *const hlm_adapter,
        n: usize,
    ) -> hlm_status;
}
extern "C" {
    #[doc = " One reference more, or one less. It keeps its model; pools keep the adapters that their sequences were run with. Any"]
    #[doc = "  thread."]
    pub fn hlm_adapter_retain(adapter: *mut hlm_adapter);
}
extern "C" {
    pub fn hlm_adapter_release(adapter: *mut hlm_adapter);
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct hlm_adapter_info {
    pub struct_size: usize,
    #[doc = " Matrices that it adds to, its largest rank, bytes of memory."]
    pub n_matrices: usize,
    pub rank: usize,
    pub bytes: u64,
}
#[test]
fn bindgen_test_layout_hlm_adapter_info() {
    assert_eq!(
        ::std::mem::size_of::<hlm_adapter_info>(),
        32usize,
        concat!("Size of: ", stringify!(hlm_adapter_info))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_adapter_info>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_adapter_info))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_adapter_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_adapter_info),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_n_matrices() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_adapter_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).n_matrices) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_adapter_info),
                "::",
                stringify!(n_matrices)
            )
        );
    }
    test_field_n_matrices();
    fn test_field_rank() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_adapter_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).rank) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_adapter_info),
                "::",
                stringify!(rank)
            )
        );
    }
    test_field_rank();
    fn test_field_bytes() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_adapter_info>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).bytes) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_adapter_info),
                "::",
                stringify!(bytes)
            )
        );
    }
    test_field_bytes();
}
extern "C" {
    #[doc = " Set out->struct_size first. Errors  HLM_E_ARG."]
    pub fn hlm_adapter_info_get(
        adapter: *const hlm_adapter,
        out: *mut hlm_adapter_info,
    ) -> hlm_status;
}
#[doc = " Memory. All memory of the library but jansson's comes from here. Both functions are needed and may be called from"]
#[doc = "  any thread, also at the same time. What `user` points to must outlive everything made with it."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_allocator {
    pub struct_size: usize,
    pub user: *mut ::std::os::raw::c_void,
    #[doc = " `size` bytes (never 0) aligned to `align` (a power of two), or NULL."]
    pub alloc: ::std::option::Option<
        unsafe extern "C" fn(
            user: *mut ::std::os::raw::c_void,
            size: usize,
            align: usize,
        ) -> *mut ::std::os::raw::c_void,
    >,
    #[doc = " Takes what alloc gave; never NULL."]
    pub free: ::std::option::Option<
        unsafe extern "C" fn(user: *mut ::std::os::raw::c_void, ptr: *mut ::std::os::raw::c_void),
    >,
}
#[test]
fn bindgen_test_layout_hlm_allocator() {
    assert_eq!(
        ::std::mem::size_of::<hlm_allocator>(),
        32usize,
        concat!("Size of: ", stringify!(hlm_allocator))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_allocator>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_allocator))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_allocator>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_allocator),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_user() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_allocator>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).user) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_allocator),
                "::",
                stringify!(user)
            )
        );
    }
    test_field_user();
    fn test_field_alloc() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_allocator>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).alloc) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_allocator),
                "::",
                stringify!(alloc)
            )
        );
    }
    test_field_alloc();
    fn test_field_free() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_allocator>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).free) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_allocator),
                "::",
                stringify!(free)
            )
        );
    }
    test_field_free();
}
impl Default for hlm_allocator {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const HLM_LOG_DEBUG: _bindgen_ty_18 = 1;
pub const HLM_LOG_INFO: _bindgen_ty_18 = 2;
pub const HLM_LOG_WARN: _bindgen_ty_18 = 3;
pub type _bindgen_ty_18 = ::std::os::raw::c_uint;
#[doc = " Text about progress and decisions, one line without newline a call. The struct is copied; what `user` points to must"]
#[doc = "  outlive everything made from the model."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_log {
    pub struct_size: usize,
    pub user: *mut ::std::os::raw::c_void,
    #[doc = " May be called from any thread. level is one of HLM_LOG_...; text is ended by 0 and valid during the call."]
    pub write: ::std::option::Option<
        unsafe extern "C" fn(
            user: *mut ::std::os::raw::c_void,
            level: i32,
            text: *const ::std::os::raw::c_char,
        ),
    >,
}
#[test]
fn bindgen_test_layout_hlm_log() {
    assert_eq!(
        ::std::mem::size_of::<hlm_log>(),
        24usize,
        concat!("Size of: ", stringify!(hlm_log))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_log>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_log))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_log>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_log),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_user() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_log>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).user) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_log),
                "::",
                stringify!(user)
            )
        );
    }
    test_field_user();
    fn test_field_write() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_log>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).write) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_log),
                "::",
                stringify!(write)
            )
        );
    }
    test_field_write();
}
impl Default for hlm_log {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " A task of a parallel-for: called once for each index. Tasks never wait for one another, need at most 16 KB of stack,"]
#[doc = "  and compute with the library's floating-point words and put back those they find."]
pub type hlm_task =
    ::std::option::Option<unsafe extern "C" fn(arg: *mut ::std::os::raw::c_void, index: usize)>;
#[doc = " The caller's job system. The library then starts no threads of its own. What `user` points to must outlive the"]
#[doc = "  context. parallel_for is called from the thread that called into the context, once for each part of the work between"]
#[doc = "  barriers, with n the context's number of threads."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_executor {
    pub struct_size: usize,
    pub user: *mut ::std::os::raw::c_void,
    #[doc = " Calls task(arg, i) for i in 0..n-1 on any threads, in any order, and returns when all have returned: 0 on"]
    #[doc = "  success; other values mean that not every task ran, and the step fails with HLM_E_CANCELLED."]
    pub parallel_for: ::std::option::Option<
        unsafe extern "C" fn(
            user: *mut ::std::os::raw::c_void,
            n: usize,
            task: hlm_task,
            arg: *mut ::std::os::raw::c_void,
        ) -> i32,
    >,
}
#[test]
fn bindgen_test_layout_hlm_executor() {
    assert_eq!(
        ::std::mem::size_of::<hlm_executor>(),
        24usize,
        concat!("Size of: ", stringify!(hlm_executor))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_executor>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_executor))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_executor>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_executor),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_user() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_executor>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).user) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_executor),
                "::",
                stringify!(user)
            )
        );
    }
    test_field_user();
    fn test_field_parallel_for() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_executor>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).parallel_for) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_executor),
                "::",
                stringify!(parallel_for)
            )
        );
    }
    test_field_parallel_for();
}
impl Default for hlm_executor {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " File access, for pack files and assets. Paths are those given to hlm_model_load or hlm_adapter_load and, for a"]
#[doc = "  folder, names joined to it by '/'. Functions return 0 on success; all but map are needed. The struct is copied; what"]
#[doc = "  `user` points to must outlive the models loaded through it. All functions may be called from any thread."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct hlm_vfs {
    pub struct_size: usize,
    pub user: *mut ::std::os::raw::c_void,
    #[doc = " *file receives a handle. A file that is not there: return 1; other values but 0 are other failures (a folder, no"]
    #[doc = "  permission)."]
    pub open: ::std::option::Option<
        unsafe extern "C" fn(
            user: *mut ::std::os::raw::c_void,
            path: *const ::std::os::raw::c_char,
            file: *mut *mut ::std::os::raw::c_void,
        ) -> i32,
    >,
    pub size: ::std::option::Option<
        unsafe extern "C" fn(
            user: *mut ::std::os::raw::c_void,
            file: *mut ::std::os::raw::c_void,
            size: *mut u64,
        ) -> i32,
    >,
    #[doc = " Reads exactly n bytes at offset, or fails."]
    pub read_at: ::std::option::Option<
        unsafe extern "C" fn(
            user: *mut ::std::os::raw::c_void,
            file: *mut ::std::os::raw::c_void,
            offset: u64,
            out: *mut ::std::os::raw::c_void,
            n: usize,
        ) -> i32,
    >,
    #[doc = " The whole file in memory, readable until close. NULL, or a failure: the library reads instead. Pages the library"]
    #[doc = "  no longer needs are not given back through this interface."]
    pub map: ::std::option::Option<
        unsafe extern "C" fn(
            user: *mut ::std::os::raw::c_void,
            file: *mut ::std::os::raw::c_void,
            data: *mut *const ::std::os::raw::c_void,
        ) -> i32,
    >,
    pub close: ::std::option::Option<
        unsafe extern "C" fn(user: *mut ::std::os::raw::c_void, file: *mut ::std::os::raw::c_void),
    >,
}
#[test]
fn bindgen_test_layout_hlm_vfs() {
    assert_eq!(
        ::std::mem::size_of::<hlm_vfs>(),
        56usize,
        concat!("Size of: ", stringify!(hlm_vfs))
    );
    assert_eq!(
        ::std::mem::align_of::<hlm_vfs>(),
        8usize,
        concat!("Alignment of ", stringify!(hlm_vfs))
    );
    fn test_field_struct_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_vfs>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).struct_size) as usize - ptr as usize
            },
            0usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_vfs),
                "::",
                stringify!(struct_size)
            )
        );
    }
    test_field_struct_size();
    fn test_field_user() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_vfs>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).user) as usize - ptr as usize
            },
            8usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_vfs),
                "::",
                stringify!(user)
            )
        );
    }
    test_field_user();
    fn test_field_open() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_vfs>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).open) as usize - ptr as usize
            },
            16usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_vfs),
                "::",
                stringify!(open)
            )
        );
    }
    test_field_open();
    fn test_field_size() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_vfs>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).size) as usize - ptr as usize
            },
            24usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_vfs),
                "::",
                stringify!(size)
            )
        );
    }
    test_field_size();
    fn test_field_read_at() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_vfs>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).read_at) as usize - ptr as usize
            },
            32usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_vfs),
                "::",
                stringify!(read_at)
            )
        );
    }
    test_field_read_at();
    fn test_field_map() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_vfs>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).map) as usize - ptr as usize
            },
            40usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_vfs),
                "::",
                stringify!(map)
            )
        );
    }
    test_field_map();
    fn test_field_close() {
        assert_eq!(
            unsafe {
                let uninit = ::std::mem::MaybeUninit::<hlm_vfs>::uninit();
                let ptr = uninit.as_ptr();
                ::std::ptr::addr_of!((*ptr).close) as usize - ptr as usize
            },
            48usize,
            concat!(
                "Offset of field: ",
                stringify!(hlm_vfs),
                "::",
                stringify!(close)
            )
        );
    }
    test_field_close();
}
impl Default for hlm_vfs {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
