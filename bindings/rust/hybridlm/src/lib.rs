//! Runs hybrid and Transformer language models on the CPU: the safe layer above libhybridlm.
//!
//! A [`Model`] is weights and tokenizer, a [`Context`] what it takes to compute, a [`Cache`] the state of one sequence.
//! Handles keep alive what they need, so they may be dropped in any order.
//!
//! ```no_run
//! use hybridlm::{Cache, Context, Model, Request};
//! # fn main() -> hybridlm::Result<()> {
//! let model = Model::load("model.gguf")?;
//! let mut ctx = Context::new(&model)?;
//! let mut cache = Cache::new(ctx.pool())?;
//! let prompt = model.tokenize("The capital of France is", hybridlm::Tokenize::ADD_SPECIAL)?;
//! for token in ctx.stream(&mut cache, None, Request::new(&prompt).max_tokens(32))? {
//!     print!("{}", token?.text);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What a call computes, and when it fails, stands in `hybridlm.h`; how this crate shows it, in `docs/rust.md`.
#![warn(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]
// Raw structs are written with `..Default::default()` even where all fields are named: they grow with the header.
#![allow(clippy::needless_update)]

mod adapter;
mod cache;
mod callback;
mod chat;
mod context;
mod error;
mod flags;
mod generate;
mod host;
mod model;
mod pool;
mod sampler;
mod step;
mod stop;
mod stream;
mod text;

pub use adapter::{Adapter, AdapterInfo};
pub use cache::{Cache, Reuse};
pub use chat::{messages_json, ChatOptions};
pub use context::{Cancel, Context, ContextOptions, Executor};
pub use error::{Error, Result, Status};
pub use flags::{
    Activations, Cpu, Detokenize, Finish, Head, Hidden, KvType, LogLevel, Pooling, State, StateType, Tokenize,
};
pub use generate::{Generated, LabelScore, Request, Score, Speculation};
pub use host::{Allocator, File, Files};
pub use model::{MemoryPlan, Model, ModelInfo, ModelOptions, PlanOptions};
pub use pool::{Pool, PoolOptions, PoolUsage, PrefixInfo};
pub use sampler::{Sampler, SamplerOptions};
pub use step::{Rows, Step};
pub use stream::{Stream, Token};
pub use text::TextStream;

/// The raw C API, for what this crate does not show.
pub use hybridlm_sys as sys;

/// Version of the library in use, "MAJOR.MINOR.PATCH".
pub fn version() -> &'static str {
    // Static storage, ASCII.
    unsafe { std::ffi::CStr::from_ptr(sys::hlm_version()) }.to_str().unwrap_or("?")
}

macro_rules! opaque {
    ($($handle:ident$(<$life:lifetime>)?)*) => {
        $(impl std::fmt::Debug for $handle$(<$life>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($handle)).finish_non_exhaustive()
            }
        })*
    };
}

opaque! { Model Adapter Pool Context Cache Sampler TextStream Cancel ModelOptions<'_> ContextOptions Stream<'_> }

#[cfg(doctest)]
mod misuse;

#[cfg(doctest)]
#[doc = include_str!("../../../../docs/rust.md")]
mod page {}
