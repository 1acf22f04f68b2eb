//! Status and sentence of a failed call.
use std::ffi::{CStr, CString};
use std::fmt;
use std::path::Path;

use crate::sys;

/// What went wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// A number is outside its range, a buffer has the wrong size, or two arguments contradict each other.
    Arg,
    /// The allocator, or a byte cap, had no more memory.
    NoMemory,
    /// A file could not be opened or read.
    Io,
    /// A file says something that is wrong or contradictory.
    Format,
    /// Well formed, but not known to this version.
    Unsupported,
    /// A token id is negative or not below the vocabulary size.
    Token,
    /// The cache would grow past its `max_tokens`.
    Full,
    /// A [`Cancel`](crate::Cancel) or a callback stopped the call.
    Cancelled,
    /// The object is in use by another call.
    Busy,
    /// Objects that do not belong together: a cache of another model or pool.
    Mismatch,
    /// A position that can not be returned to.
    Unreachable,
    /// No tokens where at least one is needed.
    Empty,
    /// An output buffer is too small.
    Space,
    /// A chat template raised an error or broke a rule of the language.
    Template,
    /// A budget ran out.
    Limit,
    /// A broken invariant of the library itself; please report it.
    Internal,
    /// A status that this version of the crate does not know.
    Other(i32),
}

impl Status {
    fn from_raw(raw: sys::hlm_status) -> Status {
        match raw {
            sys::HLM_E_ARG => Status::Arg,
            sys::HLM_E_NOMEM => Status::NoMemory,
            sys::HLM_E_IO => Status::Io,
            sys::HLM_E_FORMAT => Status::Format,
            sys::HLM_E_UNSUPPORTED => Status::Unsupported,
            sys::HLM_E_TOKEN => Status::Token,
            sys::HLM_E_FULL => Status::Full,
            sys::HLM_E_CANCELLED => Status::Cancelled,
            sys::HLM_E_BUSY => Status::Busy,
            sys::HLM_E_MISMATCH => Status::Mismatch,
            sys::HLM_E_UNREACHABLE => Status::Unreachable,
            sys::HLM_E_EMPTY => Status::Empty,
            sys::HLM_E_SPACE => Status::Space,
            sys::HLM_E_TEMPLATE => Status::Template,
            sys::HLM_E_LIMIT => Status::Limit,
            sys::HLM_E_INTERNAL => Status::Internal,
            other => Status::Other(other),
        }
    }
}

/// A failed call: its status, and a sentence for people that names file, field and value where there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    status: Status,
    sentence: String,
}

impl Error {
    pub(crate) fn new(status: Status, sentence: impl Into<String>) -> Error {
        Error { status, sentence: sentence.into() }
    }

    /// What went wrong, for programs.
    pub fn status(&self) -> Status {
        self.status
    }

    /// What went wrong, for people.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Error {}

/// What every call that can fail returns.
pub type Result<T> = std::result::Result<T, Error>;

/// The calling thread's latest failure; to be called at once after the call that failed.
pub(crate) fn check(raw: sys::hlm_status) -> Result<()> {
    if raw == sys::HLM_OK {
        return Ok(());
    }
    // Never NULL, and valid until this thread's next failing call.
    let sentence = unsafe { CStr::from_ptr(sys::hlm_last_error()) };
    Err(Error::new(Status::from_raw(raw), sentence.to_string_lossy()))
}

/// Text for the C library, which a zero byte would end early.
pub(crate) fn c_string(what: &str, text: &str) -> Result<CString> {
    CString::new(text).map_err(|e| Error::new(Status::Arg, format!("{what} has a zero byte at {}", e.nul_position())))
}

/// A path as the library takes it.
pub(crate) fn c_path(path: &Path) -> Result<CString> {
    let text = path.to_str().ok_or_else(|| Error::new(Status::Arg, format!("{}: not UTF-8", path.display())))?;
    c_string("the path", text)
}

/// Output of unknown size: `call(out, cap, n)` is repeated with the size it asks for. `T` is plain data.
pub(crate) fn sized<T: Copy + Default>(
    guess: usize,
    mut call: impl FnMut(*mut T, usize, *mut usize) -> sys::hlm_status,
) -> Result<Vec<T>> {
    let mut out = vec![T::default(); guess];
    let mut n = 0;
    loop {
        let raw = call(out.as_mut_ptr(), out.len(), &mut n);
        if raw != sys::HLM_E_SPACE || n <= out.len() {
            check(raw)?;
            out.truncate(n);
            return Ok(out);
        }
        out.resize(n, T::default());
    }
}
