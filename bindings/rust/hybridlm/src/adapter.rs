//! Adapters: what is added to matrices of a model.
use std::mem::size_of;
use std::path::Path;
use std::ptr::{self, NonNull};

use crate::error::{c_path, check, Error, Result, Status};
use crate::model::Model;
use crate::sys;

/// LoRA or DoRA of a model, for the steps and requests that name it. The model's own weights stay as they are. Immutable;
/// clones share it, and any number of threads may use one.
pub struct Adapter {
    raw: NonNull<sys::hlm_adapter>,
    /// What its memory may need is alive for as long as the model.
    model: Model,
}

// hybridlm.h: "Immutable and reference counted."
unsafe impl Send for Adapter {}
unsafe impl Sync for Adapter {}

impl Adapter {
    /// Loads a folder as PEFT writes it, or a GGUF file, whichever of the two the model is from.
    pub fn load(model: &Model, path: impl AsRef<Path>) -> Result<Adapter> {
        Adapter::with_scale(model, path, 1.0)
    }

    /// The same, and so many times of what it adds; 0 is 1.
    pub fn with_scale(model: &Model, path: impl AsRef<Path>, scale: f32) -> Result<Adapter> {
        let path = c_path(path.as_ref())?;
        let struct_size = size_of::<sys::hlm_adapter_params>();
        let params = sys::hlm_adapter_params { struct_size, scale, ..Default::default() };
        let mut raw = ptr::null_mut();
        check(unsafe { sys::hlm_adapter_load(&mut raw, model.as_ptr(), path.as_ptr(), &params) })?;
        Adapter::adopt(raw, model)
    }

    /// Several of one model as one, whose effects are added.
    pub fn join(adapters: &[&Adapter]) -> Result<Adapter> {
        let first = adapters.first().ok_or_else(|| Error::new(Status::Arg, "join: there are no adapters"))?;
        let parts: Vec<*const sys::hlm_adapter> = adapters.iter().map(|a| a.as_ptr() as *const _).collect();
        let mut raw = ptr::null_mut();
        check(unsafe { sys::hlm_adapter_join(&mut raw, parts.as_ptr(), parts.len()) })?;
        Adapter::adopt(raw, &first.model)
    }

    fn adopt(raw: *mut sys::hlm_adapter, model: &Model) -> Result<Adapter> {
        let raw = NonNull::new(raw).ok_or_else(|| Error::new(Status::Internal, "there is no adapter"))?;
        Ok(Adapter { raw, model: model.clone() })
    }

    /// The model that it is for.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// How large it is.
    pub fn info(&self) -> Result<AdapterInfo> {
        let mut out = sys::hlm_adapter_info { struct_size: size_of::<sys::hlm_adapter_info>(), ..Default::default() };
        check(unsafe { sys::hlm_adapter_info_get(self.as_ptr(), &mut out) })?;
        Ok(AdapterInfo { n_matrices: out.n_matrices, rank: out.rank, bytes: out.bytes })
    }

    /// The raw handle, borrowed.
    pub fn as_ptr(&self) -> *mut sys::hlm_adapter {
        self.raw.as_ptr()
    }
}

/// The raw handle, NULL for none.
pub(crate) fn raw_adapter(adapter: Option<&Adapter>) -> *const sys::hlm_adapter {
    adapter.map_or(ptr::null(), |a| a.as_ptr())
}

impl Clone for Adapter {
    fn clone(&self) -> Adapter {
        unsafe { sys::hlm_adapter_retain(self.as_ptr()) };
        Adapter { raw: self.raw, model: self.model.clone() }
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        unsafe { sys::hlm_adapter_release(self.as_ptr()) }
    }
}

/// How large an adapter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterInfo {
    /// Matrices that it adds to.
    pub n_matrices: usize,
    /// Its largest rank.
    pub rank: usize,
    /// Bytes of memory.
    pub bytes: u64,
}
