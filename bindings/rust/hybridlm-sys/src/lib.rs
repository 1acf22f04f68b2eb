//! The C API of libhybridlm as it is, made by bindgen from `hybridlm.h`, which is its manual. The crate `hybridlm`
//! is the safe layer above.

#[rustfmt::skip]
#[allow(non_camel_case_types, missing_docs, rustdoc::all, clippy::all)]
mod bindings;

pub use bindings::*;

/// "At the present position" for [`hlm_cache_fork`]: the header's macro, which bindgen can not read.
pub const HLM_NOW: i64 = -1;
