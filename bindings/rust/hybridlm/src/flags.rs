//! Choices of the API: enums and sets of flags.
use std::ops::BitOr;
use std::os::raw::c_char;
use std::ptr;

use crate::sys;

macro_rules! flags {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $flag:ident = $value:expr,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// No flag.
            pub const NONE: $name = $name(0);
            $($(#[$doc])* pub const $flag: $name = $name($value);)*
        }

        impl BitOr for $name {
            type Output = $name;
            fn bitor(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }
        }
    };
}

flags! {
    /// How text becomes tokens. None: the text alone, markers of special tokens as plain text.
    Tokenize {
        /// Add what the tokenizer puts around a text (bos, eos, ...).
        ADD_SPECIAL = sys::HLM_TOKENIZE_ADD_SPECIAL,
        /// Markers such as `<|im_end|>` in the text become their special tokens. Never for text of untrusted origin.
        PARSE_SPECIAL = sys::HLM_TOKENIZE_PARSE_SPECIAL,
    }
}

flags! {
    /// How tokens become text. None: special tokens appear.
    Detokenize {
        /// Leave out special tokens.
        SKIP_SPECIAL = sys::HLM_DETOKENIZE_SKIP_SPECIAL,
    }
}

/// Precision of activations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activations {
    /// int8 per block for quantised weights, bf16 for bf16 weights where the CPU has the instruction, else f32.
    #[default]
    Default,
    /// f32 on the stored weights: slower, free of activation rounding.
    F32,
}

/// Upper bound on the instruction sets used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cpu {
    /// Whatever the CPU has.
    #[default]
    Best,
    /// Plain C.
    Reference,
    /// AVX2 at most.
    Avx2,
    /// AVX-512 at most.
    Avx512,
}

/// Type of keys and values in a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KvType {
    /// f16, or f32 for a model loaded with [`Activations::F32`].
    #[default]
    Default,
    /// 32 bits.
    F32,
    /// 16 bits, IEEE.
    F16,
    /// 16 bits, bfloat.
    Bf16,
    /// 8 bits, with a scale for each position and head.
    Int8,
}

/// Type of recurrent state in a pool: what it is rounded to after every token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StateType {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits, IEEE.
    F16,
    /// 16 bits, bfloat.
    Bf16,
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogLevel {
    /// For those who look for a fault.
    Debug,
    /// Decisions and progress.
    Info,
    /// Something is not as it should be.
    Warn,
}

/// Which hidden states of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// The input of a layer, counted from 0.
    Layer(usize),
    /// Before the final norm.
    PreNorm,
    /// After the final norm.
    Final,
    /// What a layer's attention gives, where a recurrence works beside it.
    Attention(usize),
    /// What such a layer's recurrence gives.
    Recurrence(usize),
}

/// What a model's head computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Head {
    /// Logits over the vocabulary.
    Text,
    /// Logits over classes of a text, to be read at its last token.
    Sequence,
    /// Logits over classes of each token.
    Token,
    /// None: the model has embeddings and hidden states, no logits.
    None,
    /// Something that this version of the crate does not know.
    Other(i32),
}

/// What a layer remembers of a sequence besides keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The newest inputs of its convolution.
    Conv,
    /// The state of its scan.
    Scan,
}

/// How one vector is made of a text's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// The last.
    Last,
    /// The first.
    First,
}

/// Why generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finish {
    /// As many tokens as were asked for.
    Length,
    /// A token that ends an answer, or one of the stop tokens.
    StopToken,
    /// One of the stop strings.
    StopString,
    /// The callback asked for it.
    Callback,
    /// The cache holds its `max_tokens`.
    Full,
    /// A reason that this version of the crate does not know.
    Other(i32),
}

impl Activations {
    pub(crate) fn raw(self) -> i32 {
        (match self {
            Activations::Default => sys::HLM_ACTIVATIONS_DEFAULT,
            Activations::F32 => sys::HLM_ACTIVATIONS_F32,
        }) as i32
    }
}

impl Cpu {
    /// Its name as C takes it.
    pub(crate) fn raw(self) -> *const c_char {
        let name: &'static [u8] = match self {
            Cpu::Best => return ptr::null(),
            Cpu::Reference => b"ref\0",
            Cpu::Avx2 => b"avx2\0",
            Cpu::Avx512 => b"avx512\0",
        };
        name.as_ptr().cast()
    }
}

impl KvType {
    pub(crate) fn raw(self) -> i32 {
        (match self {
            KvType::Default => sys::HLM_TYPE_DEFAULT,
            KvType::F32 => sys::HLM_TYPE_F32,
            KvType::F16 => sys::HLM_TYPE_F16,
            KvType::Bf16 => sys::HLM_TYPE_BF16,
            KvType::Int8 => sys::HLM_TYPE_INT8,
        }) as i32
    }
}

impl StateType {
    pub(crate) fn raw(self) -> i32 {
        (match self {
            StateType::F32 => sys::HLM_TYPE_F32,
            StateType::F16 => sys::HLM_TYPE_F16,
            StateType::Bf16 => sys::HLM_TYPE_BF16,
        }) as i32
    }
}

impl Head {
    pub(crate) fn from_raw(head: i32) -> Head {
        match head as u32 {
            sys::HLM_HEAD_TEXT => Head::Text,
            sys::HLM_HEAD_SEQUENCE => Head::Sequence,
            sys::HLM_HEAD_TOKEN => Head::Token,
            sys::HLM_HEAD_NONE => Head::None,
            _ => Head::Other(head),
        }
    }
}

impl State {
    pub(crate) fn raw(self) -> i32 {
        (match self {
            State::Conv => sys::HLM_STATE_CONV,
            State::Scan => sys::HLM_STATE_SCAN,
        }) as i32
    }
}

impl Hidden {
    pub(crate) fn kind(self) -> i32 {
        (match self {
            Hidden::Layer(_) | Hidden::PreNorm | Hidden::Final => sys::HLM_HIDDEN_STREAM,
            Hidden::Attention(_) => sys::HLM_HIDDEN_ATTENTION,
            Hidden::Recurrence(_) => sys::HLM_HIDDEN_RECURRENCE,
        }) as i32
    }
}

impl Pooling {
    pub(crate) fn raw(self) -> i32 {
        (match self {
            Pooling::Mean => sys::HLM_EMBED_MEAN,
            Pooling::Last => sys::HLM_EMBED_LAST,
            Pooling::First => sys::HLM_EMBED_FIRST,
        }) as i32
    }
}

impl LogLevel {
    pub(crate) fn from_raw(level: i32) -> LogLevel {
        match level as u32 {
            sys::HLM_LOG_DEBUG => LogLevel::Debug,
            sys::HLM_LOG_INFO => LogLevel::Info,
            _ => LogLevel::Warn,
        }
    }
}

impl Finish {
    pub(crate) fn from_raw(finish: i32) -> Finish {
        match finish as u32 {
            sys::HLM_FINISH_LENGTH => Finish::Length,
            sys::HLM_FINISH_STOP_TOKEN => Finish::StopToken,
            sys::HLM_FINISH_STOP_STRING => Finish::StopString,
            sys::HLM_FINISH_CALLBACK => Finish::Callback,
            sys::HLM_FINISH_FULL => Finish::Full,
            _ => Finish::Other(finish),
        }
    }
}
