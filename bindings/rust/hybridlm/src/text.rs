//! Text and tokens.
use std::cell::Cell;
use std::marker::PhantomData;
use std::os::raw::c_char;
use std::ptr::{self, NonNull};

use crate::error::{check, sized, Error, Result, Status};
use crate::flags::{Detokenize, Tokenize};
use crate::model::Model;
use crate::sys;

/// Room for what a tokenizer adds around a text.
const SPECIALS: usize = 8;

impl Model {
    /// Text to token ids. Ill-formed UTF-8 is read as U+FFFD.
    pub fn tokenize(&self, text: impl AsRef<[u8]>, flags: Tokenize) -> Result<Vec<i32>> {
        let text = text.as_ref();
        sized(text.len() / 2 + SPECIALS, |out, cap, n| unsafe {
            sys::hlm_tokenize(self.as_ptr(), text.as_ptr().cast(), text.len(), flags.0, out, cap, n)
        })
    }

    /// Token ids to text. Bytes that are no UTF-8 become U+FFFD.
    pub fn detokenize(&self, tokens: &[i32], flags: Detokenize) -> Result<String> {
        let guess = tokens.len().saturating_mul(8);
        let bytes = sized(guess, |out: *mut u8, cap, n| unsafe {
            sys::hlm_detokenize(self.as_ptr(), tokens.as_ptr(), tokens.len(), flags.0, out.cast(), cap, n)
        })?;
        utf8(bytes)
    }
}

/// The library's text is UTF-8.
pub(crate) fn utf8(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|e| Error::new(Status::Internal, e.to_string()))
}

/// Text of one token after another: no piece ends inside a character. May move to another thread, but not be shared.
pub struct TextStream {
    raw: NonNull<sys::hlm_text_stream>,
    _model: Model,
    /// hybridlm.h: "One call at a time", so not `Sync`.
    _one_thread: PhantomData<Cell<()>>,
}

// hybridlm.h: handles may be freed on any thread, and calls come from any, one at a time.
unsafe impl Send for TextStream {}

impl TextStream {
    /// A stream at the beginning of a text.
    pub fn new(model: &Model, flags: Detokenize) -> Result<TextStream> {
        let mut raw = ptr::null_mut();
        check(unsafe { sys::hlm_text_stream_new(&mut raw, model.as_ptr(), flags.0) })?;
        let raw = NonNull::new(raw).ok_or_else(|| Error::new(Status::Internal, "there is no text stream"))?;
        Ok(TextStream { raw, _model: model.clone(), _one_thread: PhantomData })
    }

    /// The text that became certain with `token`; perhaps none.
    pub fn push(&mut self, token: i32) -> Result<&str> {
        let (mut text, mut len) = (ptr::null(), 0);
        check(unsafe { sys::hlm_text_stream_push(self.raw.as_ptr(), token, &mut text, &mut len) })?;
        unsafe { piece(text, len) }
    }

    /// Goes on behind these tokens, as [`Cache::tokens`](crate::Cache::tokens) gives them: the stream is as if they had
    /// been pushed.
    pub fn begin(&mut self, tokens: &[i32]) -> Result<()> {
        check(unsafe { sys::hlm_text_stream_begin(self.raw.as_ptr(), tokens.as_ptr(), tokens.len()) })
    }

    /// What is left where the tokens end, but not the text: nothing that later tokens may change. The stream is then as
    /// new.
    pub fn cut(&mut self) -> Result<&str> {
        let (mut text, mut len) = (ptr::null(), 0);
        check(unsafe { sys::hlm_text_stream_cut(self.raw.as_ptr(), &mut text, &mut len) })?;
        unsafe { piece(text, len) }
    }

    /// What is left at the end, an unfinished character as U+FFFD; the stream is then as new.
    pub fn finish(&mut self) -> Result<&str> {
        let (mut text, mut len) = (ptr::null(), 0);
        check(unsafe { sys::hlm_text_stream_finish(self.raw.as_ptr(), &mut text, &mut len) })?;
        unsafe { piece(text, len) }
    }
}

/// # Safety
/// `text` has `len` bytes that stay as they are for `'a`; it may be anything when there are none.
pub(crate) unsafe fn piece<'a>(text: *const c_char, len: usize) -> Result<&'a str> {
    if len == 0 {
        return Ok("");
    }
    let bytes = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), len) };
    std::str::from_utf8(bytes).map_err(|e| Error::new(Status::Internal, e.to_string()))
}

impl Drop for TextStream {
    fn drop(&mut self) {
        unsafe { sys::hlm_text_stream_free(self.raw.as_ptr()) }
    }
}
