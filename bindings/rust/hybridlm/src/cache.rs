//! Caches: the state of a sequence, a value.
use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::size_of;
use std::path::Path;
use std::ptr::{self, NonNull};

use crate::adapter::{raw_adapter, Adapter};
use crate::error::{c_path, check, sized, Error, Result, Status};
use crate::flags::State;
use crate::model::Model;
use crate::pool::Pool;
use crate::sys;

/// The state of one sequence. May move to another thread, but not be shared: one call at a time.
pub struct Cache {
    raw: NonNull<sys::hlm_cache>,
    /// What its pages' memory may need is alive for as long as the model.
    model: Model,
    /// hybridlm.h: "One call at a time", so not `Sync`.
    _one_thread: PhantomData<Cell<()>>,
}

// hybridlm.h: handles may be freed on any thread, and calls come from any, one at a time.
unsafe impl Send for Cache {}

impl Cache {
    /// An empty sequence that holds up to as many tokens as the model was made for; takes no pages yet.
    pub fn new(pool: &Pool) -> Result<Cache> {
        Cache::with_max_tokens(pool, 0)
    }

    /// The same with a limit of its own, up to 2^31 - 1 tokens; 0 is the model's.
    pub fn with_max_tokens(pool: &Pool, max_tokens: i64) -> Result<Cache> {
        let struct_size = size_of::<sys::hlm_cache_params>();
        let params = sys::hlm_cache_params { struct_size, max_tokens, ..Default::default() };
        let mut raw = ptr::null_mut();
        check(unsafe { sys::hlm_cache_new(&mut raw, pool.as_ptr(), &params) })?;
        Cache::adopt(raw, pool.model())
    }

    fn adopt(raw: *mut sys::hlm_cache, model: &Model) -> Result<Cache> {
        let raw = NonNull::new(raw).ok_or_else(|| Error::new(Status::Internal, "there is no cache"))?;
        Ok(Cache { raw, model: model.clone(), _one_thread: PhantomData })
    }

    /// A sequence from a snapshot in a file.
    pub fn load(pool: &Pool, path: impl AsRef<Path>) -> Result<Cache> {
        let path = c_path(path.as_ref())?;
        let mut raw = ptr::null_mut();
        check(unsafe { sys::hlm_cache_load(&mut raw, pool.as_ptr(), path.as_ptr(), 0) })?;
        Cache::adopt(raw, pool.model())
    }

    /// A sequence from a snapshot in memory.
    pub fn from_bytes(pool: &Pool, bytes: &[u8]) -> Result<Cache> {
        let mut raw = ptr::null_mut();
        check(unsafe { sys::hlm_cache_load_memory(&mut raw, pool.as_ptr(), bytes.as_ptr().cast(), bytes.len(), 0) })?;
        Cache::adopt(raw, pool.model())
    }

    /// Writes a snapshot: the file has what it had, or all of the new.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path.as_ref())?;
        check(unsafe { sys::hlm_cache_save(self.as_ptr(), path.as_ptr()) })
    }

    /// A snapshot in memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        sized(0, |out: *mut u8, cap, n| unsafe { sys::hlm_cache_save_memory(self.as_ptr(), out.cast(), cap, n) })
    }

    /// A second sequence that begins with all tokens of this one. Copies no state: pages are shared until one writes.
    pub fn fork(&self) -> Result<Cache> {
        self.fork_raw(sys::HLM_NOW)
    }

    /// A second sequence that begins with the first `at` tokens.
    pub fn fork_at(&self, at: usize) -> Result<Cache> {
        self.fork_raw(position(at)?)
    }

    fn fork_raw(&self, at: i64) -> Result<Cache> {
        let mut raw = ptr::null_mut();
        check(unsafe { sys::hlm_cache_fork(&mut raw, self.as_ptr(), at) })?;
        Cache::adopt(raw, &self.model)
    }

    /// Forgets the tokens from `pos` on. Returns how many tokens before it the next step has to recompute first; 0 for
    /// Transformers.
    pub fn rewind(&mut self, pos: usize) -> Result<usize> {
        let mut pending = 0;
        check(unsafe { sys::hlm_cache_rewind(self.as_ptr(), position(pos)?, &mut pending) })?;
        Ok(pending as usize)
    }

    /// Tokens before the end that the next step has to recompute first, after a rewind or a fork to an earlier position.
    pub fn pending(&self) -> usize {
        unsafe { sys::hlm_cache_pending(self.as_ptr()) as usize }
    }

    /// Goes to the longest beginning of a text that this or the pool's prefix cache holds: `tokens[reused..]` are to be run
    /// next. At least the last token is left.
    pub fn reuse(&mut self, tokens: &[i32]) -> Result<Reuse> {
        self.reuse_with(None, tokens)
    }

    /// The same for a text that is run with an adapter: the same tokens run with another are another text.
    pub fn reuse_with<'a>(&mut self, adapter: impl Into<Option<&'a Adapter>>, tokens: &[i32]) -> Result<Reuse> {
        let (mut reused, mut pending) = (0, 0);
        let params = sys::hlm_reuse_params {
            struct_size: size_of::<sys::hlm_reuse_params>(),
            tokens: tokens.as_ptr(),
            n_tokens: tokens.len(),
            adapter: raw_adapter(adapter.into()),
        };
        check(unsafe { sys::hlm_cache_reuse(self.as_ptr(), &params, &mut reused, &mut pending) })?;
        Ok(Reuse { reused, pending })
    }

    /// Lets the pool's prefix cache remember this text. Copies nothing.
    pub fn prefix_add(&self) -> Result<()> {
        check(unsafe { sys::hlm_prefix_add(self.as_ptr()) })
    }

    /// Keeps the state at the present position: rewind and fork to it cost nothing.
    pub fn mark(&mut self) -> Result<()> {
        check(unsafe { sys::hlm_cache_mark(self.as_ptr()) })
    }

    /// Removes the mark at a position; none there: nothing.
    pub fn unmark(&mut self, pos: usize) -> Result<()> {
        check(unsafe { sys::hlm_cache_unmark(self.as_ptr(), position(pos)?) })
    }

    /// The positions of all marks, automatic ones included, ascending.
    pub fn marks(&self) -> Result<Vec<usize>> {
        let pos = sized(8, |out, cap, n| unsafe { sys::hlm_cache_marks(self.as_ptr(), out, cap, n) })?;
        Ok(pos.into_iter().map(|pos: i64| pos as usize).collect())
    }

    /// Tokens held.
    pub fn len(&self) -> usize {
        unsafe { sys::hlm_cache_length(self.as_ptr()) as usize }
    }

    /// Whether it holds no token.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids of the tokens held.
    pub fn tokens(&self) -> Result<Vec<i32>> {
        let mut out = vec![0; self.len()];
        check(unsafe { sys::hlm_cache_tokens(self.as_ptr(), 0, out.len(), out.as_mut_ptr()) })?;
        Ok(out)
    }

    /// A layer's recurrent state at the cache's position; empty for a layer without one. After a rewind it is
    /// [`Status::Unreachable`] until the next step.
    pub fn state(&self, layer: usize, which: State) -> Result<Vec<f32>> {
        let (layer, which) = (i32::try_from(layer).unwrap_or(i32::MAX), which.raw()); // no model has so many
        let mut n = 0;
        check(unsafe { sys::hlm_cache_state(self.as_ptr(), layer, which, ptr::null_mut(), 0, &mut n) })?;
        let mut out = vec![0.0; n];
        check(unsafe { sys::hlm_cache_state(self.as_ptr(), layer, which, out.as_mut_ptr(), n, &mut n) })?;
        Ok(out)
    }

    /// Takes the memory for `n` tokens in all now, so that no step up to there can fail for lack of pages.
    pub fn reserve(&mut self, n: usize) -> Result<()> {
        check(unsafe { sys::hlm_cache_reserve(self.as_ptr(), position(n)?) })
    }

    /// The raw handle, borrowed.
    pub fn as_ptr(&self) -> *mut sys::hlm_cache {
        self.raw.as_ptr()
    }
}

/// What of a text need not be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reuse {
    /// Tokens that the cache now holds.
    pub reused: usize,
    /// How many of those the next step computes again first; 0 for Transformers.
    pub pending: usize,
}

/// A position as the library counts them.
fn position(n: usize) -> Result<i64> {
    i64::try_from(n).map_err(|_| Error::new(Status::Arg, format!("{n} is no position")))
}

impl Drop for Cache {
    fn drop(&mut self) {
        unsafe { sys::hlm_cache_free(self.as_ptr()) }
    }
}
