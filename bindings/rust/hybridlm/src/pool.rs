//! Pools: where the states of sequences live.
use std::mem::size_of;
use std::ptr::{self, NonNull};

use crate::adapter::Adapter;
use crate::error::{c_string, check, Error, Result, Status};
use crate::flags::{KvType, StateType};
use crate::model::{saturate, Model};
use crate::sys;

/// Pages of one model, and a cap on their bytes. Clones share it, and any number of threads may use one.
pub struct Pool {
    raw: NonNull<sys::hlm_pool>,
    model: Model,
}

// hybridlm.h: "Share freely."
unsafe impl Send for Pool {}
unsafe impl Sync for Pool {}

impl Pool {
    /// An empty pool; pages are allocated as they are needed.
    pub fn new(model: &Model, options: &PoolOptions) -> Result<Pool> {
        let mut raw = ptr::null_mut();
        check(unsafe { sys::hlm_pool_new(&mut raw, model.as_ptr(), &options.params()) })?;
        Pool::adopt(raw, model)
    }

    /// # Errors
    /// For NULL. Else `raw` is one reference to a pool of `model`.
    pub(crate) fn adopt(raw: *mut sys::hlm_pool, model: &Model) -> Result<Pool> {
        let raw = NonNull::new(raw).ok_or_else(|| Error::new(Status::Internal, "there is no pool"))?;
        Ok(Pool { raw, model: model.clone() })
    }

    /// The model whose states it holds.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Bytes of pages.
    pub fn usage(&self) -> Result<PoolUsage> {
        let mut out = sys::hlm_pool_info { struct_size: size_of::<sys::hlm_pool_info>(), ..Default::default() };
        check(unsafe { sys::hlm_pool_info_get(self.as_ptr(), &mut out) })?;
        Ok(PoolUsage { used: out.used_bytes, held: out.held_bytes })
    }

    /// Makes an adapter known before a step runs with it, for snapshots and texts of the prefix cache that are to be loaded.
    pub fn adapt(&self, adapter: &Adapter) -> Result<()> {
        check(unsafe { sys::hlm_pool_adapt(self.as_ptr(), adapter.as_ptr()) })
    }

    /// What the prefix cache holds, and how much it was of use.
    pub fn prefix_info(&self) -> Result<PrefixInfo> {
        let mut out = sys::hlm_prefix_info { struct_size: size_of::<sys::hlm_prefix_info>(), ..Default::default() };
        check(unsafe { sys::hlm_prefix_info_get(self.as_ptr(), &mut out) })?;
        Ok(PrefixInfo {
            bytes: out.bytes,
            tokens: out.tokens,
            states: out.states,
            lookups: out.lookups,
            hits: out.hits,
            tokens_asked: out.tokens_asked,
            tokens_reused: out.tokens_reused,
            tokens_recomputed: out.tokens_recomputed,
        })
    }

    /// Saves the texts of the prefix cache in a folder.
    pub fn prefix_save(&self, folder: &str) -> Result<()> {
        let folder = c_string("a folder", folder)?;
        check(unsafe { sys::hlm_prefix_save(self.as_ptr(), folder.as_ptr()) })
    }

    /// Adds the texts of such a folder. Returns how many were damaged, or of another model.
    pub fn prefix_load(&self, folder: &str) -> Result<usize> {
        let folder = c_string("a folder", folder)?;
        let mut refused = 0;
        check(unsafe { sys::hlm_prefix_load(self.as_ptr(), folder.as_ptr(), 0, &mut refused) })?;
        Ok(refused)
    }

    /// Forgets all texts of the prefix cache.
    pub fn prefix_clear(&self) -> Result<()> {
        check(unsafe { sys::hlm_prefix_clear(self.as_ptr()) })
    }

    /// The raw handle, borrowed.
    pub fn as_ptr(&self) -> *mut sys::hlm_pool {
        self.raw.as_ptr()
    }
}

impl Clone for Pool {
    fn clone(&self) -> Pool {
        unsafe { sys::hlm_pool_retain(self.as_ptr()) };
        Pool { raw: self.raw, model: self.model.clone() }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        unsafe { sys::hlm_pool_release(self.as_ptr()) }
    }
}

/// Bytes of pages of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUsage {
    /// In use by caches, a shared page once.
    pub used: u64,
    /// Held from the allocator: also those that caches gave back.
    pub held: u64,
}

/// Counts of a pool's prefix cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrefixInfo {
    /// Of pages and states, each once.
    pub bytes: u64,
    /// Tokens of all texts, what they have in common once.
    pub tokens: u64,
    /// States kept.
    pub states: u64,
    /// Calls of [`Cache::reuse`](crate::Cache::reuse), and of generating with it.
    pub lookups: u64,
    /// Those that reused a token.
    pub hits: u64,
    /// Tokens of all calls.
    pub tokens_asked: u64,
    /// How many of them were reused.
    pub tokens_reused: u64,
    /// How many of these were computed again.
    pub tokens_recomputed: u64,
}

/// How to make a pool.
#[derive(Clone)]
pub struct PoolOptions {
    /// Its pointers are NULL: [`PoolOptions::params`] sets them.
    raw: sys::hlm_pool_params,
    memory_token_adapter: Option<Adapter>,
}

// What they point to, once a pool is made, is Sync itself.
unsafe impl Send for PoolOptions {}
unsafe impl Sync for PoolOptions {}

impl PoolOptions {
    /// All defaults: no cap, pages of 64 positions.
    pub fn new() -> PoolOptions {
        let raw = sys::hlm_pool_params { struct_size: size_of::<sys::hlm_pool_params>(), ..Default::default() };
        PoolOptions { raw, memory_token_adapter: None }
    }

    /// For a call while these options live.
    fn params(&self) -> sys::hlm_pool_params {
        let adapter = self.memory_token_adapter.as_ref().map_or(ptr::null(), |a| a.as_ptr() as *const _);
        sys::hlm_pool_params { memory_token_adapter: adapter, ..self.raw }
    }

    /// What the rows before every text are run with, of a model that has any (Hymba's memory tokens).
    pub fn memory_token_adapter(mut self, adapter: &Adapter) -> PoolOptions {
        self.memory_token_adapter = Some(adapter.clone());
        self
    }

    /// Type of keys and values.
    pub fn kv_type(mut self, kv_type: KvType) -> PoolOptions {
        self.raw.kv_type = kv_type.raw();
        self
    }

    /// Type of recurrent state.
    pub fn state_type(mut self, state_type: StateType) -> PoolOptions {
        self.raw.state_type = state_type.raw();
        self
    }

    /// Positions in a page, a power of two up to 4096.
    pub fn page_tokens(mut self, n: u32) -> PoolOptions {
        self.raw.page_tokens = saturate(n);
        self
    }

    /// Cap on the bytes of all pages; 0 is none. At the cap a step fails with [`Status::NoMemory`] and changes nothing.
    pub fn max_bytes(mut self, bytes: u64) -> PoolOptions {
        self.raw.max_bytes = bytes;
        self
    }

    /// Automatic marks of recurrent state at multiples of so many tokens, and at the ends of prompts. 0: 512; negative:
    /// only at the ends of prompts.
    pub fn mark_stride(mut self, tokens: i64) -> PoolOptions {
        self.raw.mark_stride = tokens;
        self
    }

    /// Most bytes of a sequence's automatic marks. 0: 64 MiB.
    pub fn mark_bytes(mut self, bytes: u64) -> PoolOptions {
        self.raw.mark_bytes = bytes;
        self
    }

    /// At least so many of the last tokens can be taken back without running the model again. 0: 16; negative: none.
    pub fn undo_tokens(mut self, tokens: i32) -> PoolOptions {
        self.raw.undo_tokens = tokens;
        self
    }

    /// Most bytes that the prefix cache holds. 0: 512 MiB; less than a page: there is none.
    pub fn prefix_bytes(mut self, bytes: u64) -> PoolOptions {
        self.raw.prefix_bytes = bytes;
        self
    }
}

impl Default for PoolOptions {
    fn default() -> PoolOptions {
        PoolOptions::new()
    }
}
