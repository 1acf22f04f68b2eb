//! Models: loading, facts, memory.
use std::ffi::CStr;
use std::mem::size_of;
use std::ops::ControlFlow;
use std::os::raw::{c_char, c_void};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use crate::callback::Caught;
use crate::error::{c_string, check, Error, Result, Status};
use crate::flags::{Activations, Cpu, Head, Hidden, KvType, LogLevel, StateType};
use crate::host::{Allocator, Files, Host};
use crate::sys;

/// Weights, tokenizer and layer plan; immutable after loading. Clones share it, and any number of threads may use one.
#[derive(Clone)]
pub struct Model(Arc<Owned>);

struct Owned {
    raw: NonNull<sys::hlm_model>,
    info: sys::hlm_model_info,
    /// Outlives the release of `raw`: fields go after `drop`.
    _host: Arc<Host>,
}

// hybridlm.h: "Any number of threads may use one." The strings of `info` live as long as the model.
unsafe impl Send for Owned {}
unsafe impl Sync for Owned {}

impl Drop for Owned {
    fn drop(&mut self) {
        unsafe { sys::hlm_model_release(self.raw.as_ptr()) }
    }
}

impl Model {
    /// Loads a GGUF file or a Hugging Face folder, all defaults.
    pub fn load(path: impl AsRef<Path>) -> Result<Model> {
        ModelOptions::new().load(path)
    }

    fn adopt(raw: *mut sys::hlm_model, host: Arc<Host>) -> Result<Model> {
        let raw = NonNull::new(raw).ok_or_else(|| Error::new(Status::Internal, "a load gave no model"))?;
        let info = sys::hlm_model_info { struct_size: size_of::<sys::hlm_model_info>(), ..Default::default() };
        let mut owned = Owned { raw, info, _host: host };
        check(unsafe { sys::hlm_model_info_get(raw.as_ptr(), &mut owned.info) })?;
        Ok(Model(Arc::new(owned)))
    }

    /// The raw handle, borrowed.
    pub fn as_ptr(&self) -> *mut sys::hlm_model {
        self.0.raw.as_ptr()
    }

    pub(crate) fn raw_info(&self) -> &sys::hlm_model_info {
        &self.0.info
    }

    /// Numbers in a row of logits: the vocabulary, the classes of a classification head, or 0 without a head.
    pub fn row_size(&self) -> usize {
        let info = &self.0.info;
        (if Head::from_raw(info.head) == Head::Text { info.vocab_size } else { info.n_labels }) as usize
    }

    /// Numbers in a row of hidden states; 0: the model has none of that kind.
    pub fn hidden_width(&self, which: Hidden) -> usize {
        unsafe { sys::hlm_model_hidden_width(self.as_ptr(), which.kind()) }
    }

    /// Name of a class of a classification head, where the files say it.
    pub fn label(&self, class: usize) -> Option<String> {
        let name = unsafe { sys::hlm_model_label(self.as_ptr(), i32::try_from(class).ok()?) };
        (!name.is_null()).then(|| string(name))
    }

    /// Tokens in the vocabulary.
    pub fn vocab_size(&self) -> usize {
        self.0.info.vocab_size as usize
    }

    /// Whether `token` ends an answer (eos, end of turn, ...).
    pub fn token_ends(&self, token: i32) -> bool {
        unsafe { sys::hlm_model_token_ends(self.as_ptr(), token) != 0 }
    }

    /// Facts about the model.
    pub fn info(&self) -> ModelInfo {
        let i = &self.0.info;
        ModelInfo {
            arch: string(i.arch),
            name: string(i.name),
            weight_type: string(i.weight_type),
            kernel_class: string(i.kernel_class),
            vocab_size: i.vocab_size as usize,
            n_layers: i.n_layers as usize,
            hidden_size: i.hidden_size as usize,
            n_heads: i.n_heads as usize,
            n_kv_heads: i.n_kv_heads as usize,
            head_dim: i.head_dim as usize,
            max_positions: i.max_positions,
            n_parameters: i.n_parameters,
            n_active_parameters: i.n_active_parameters,
            file_bytes: i.file_bytes,
            weight_bytes: i.weight_bytes,
            bytes_per_token: i.bytes_per_token,
            bos_token: token(i.bos_token),
            eos_token: token(i.eos_token),
            pad_token: token(i.pad_token),
            unk_token: token(i.unk_token),
            has_chat_template: i.has_chat_template != 0,
            head: Head::from_raw(i.head),
            n_labels: i.n_labels as usize,
        }
    }

    /// What the model, its sequences and one context take; keeps no memory.
    pub fn memory_plan(&self, options: &PlanOptions) -> Result<MemoryPlan> {
        let mut out =
            sys::hlm_memory_plan_info { struct_size: size_of::<sys::hlm_memory_plan_info>(), ..Default::default() };
        check(unsafe { sys::hlm_model_plan_memory(self.as_ptr(), &options.0, &mut out) })?;
        Ok(MemoryPlan {
            weights: out.weights,
            state: out.state,
            state_per_token: out.state_per_token,
            state_per_sequence: out.state_per_sequence,
            scratch: out.scratch,
            total: out.total,
            prefix: out.prefix,
        })
    }
}

/// A string of the library, which lives as long as the model and is never NULL.
fn string(text: *const c_char) -> String {
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

fn token(id: i32) -> Option<i32> {
    (id >= 0).then_some(id)
}

/// Facts about a model. Loaded with `vocab_only`, most are empty or 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub struct ModelInfo {
    /// Architecture as the file names it.
    pub arch: String,
    /// The model's own name, or "".
    pub name: String,
    /// Weight type that holds most bytes.
    pub weight_type: String,
    /// Kernels chosen; models loaded with equal options and an equal class give equal bits.
    pub kernel_class: String,
    pub vocab_size: usize,
    pub n_layers: usize,
    pub hidden_size: usize,
    pub n_heads: usize,
    pub n_kv_heads: usize,
    pub head_dim: usize,
    /// Longest text the model was made for, in tokens. Not a limit.
    pub max_positions: i64,
    pub n_parameters: u64,
    /// Parameters that one token is computed with.
    pub n_active_parameters: u64,
    /// Bytes of weights in the file.
    pub file_bytes: u64,
    /// Bytes of weights in memory.
    pub weight_bytes: u64,
    /// Bytes of weights read to generate one token.
    pub bytes_per_token: u64,
    pub bos_token: Option<i32>,
    pub eos_token: Option<i32>,
    pub pad_token: Option<i32>,
    pub unk_token: Option<i32>,
    pub has_chat_template: bool,
    pub head: Head,
    /// Classes of a classification head, else 0.
    pub n_labels: usize,
}

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub struct MemoryPlan {
    pub weights: u64,
    /// For all sequences together.
    pub state: u64,
    pub state_per_token: u64,
    /// What a sequence takes at any length.
    pub state_per_sequence: u64,
    pub scratch: u64,
    /// The sum of weights, state and scratch.
    pub total: u64,
    /// What the pool's prefix cache may come to hold beside that.
    pub prefix: u64,
}

/// For which sequences and context [`Model::memory_plan`] plans.
#[derive(Clone)]
pub struct PlanOptions(sys::hlm_plan_params);

impl PlanOptions {
    /// One sequence as long as the model was made for, and a default context.
    pub fn new() -> PlanOptions {
        PlanOptions(sys::hlm_plan_params { struct_size: size_of::<sys::hlm_plan_params>(), ..Default::default() })
    }

    /// How many sequences, and tokens in each.
    pub fn sequences(mut self, n: usize, tokens: i64) -> PlanOptions {
        self.0.n_sequences = n;
        self.0.n_tokens = tokens;
        self
    }

    /// Type of keys and values.
    pub fn kv_type(mut self, kv_type: KvType) -> PlanOptions {
        self.0.kv_type = kv_type.raw();
        self
    }

    /// Type of recurrent state.
    pub fn state_type(mut self, state_type: StateType) -> PlanOptions {
        self.0.state_type = state_type.raw();
        self
    }

    /// Most bytes of the pool's prefix cache; 0: the default.
    pub fn prefix_bytes(mut self, n: u64) -> PlanOptions {
        self.0.prefix_bytes = n;
        self
    }

    /// Threads of the context.
    pub fn threads(mut self, n: u32) -> PlanOptions {
        self.0.n_threads = saturate(n);
        self
    }

    /// Rows computed at once.
    pub fn max_rows(mut self, n: usize) -> PlanOptions {
        self.0.max_rows = n;
        self
    }
}

impl Default for PlanOptions {
    fn default() -> PlanOptions {
        PlanOptions::new()
    }
}

/// Numbers beyond i32 are refused by the library as those beyond its own limits are.
pub(crate) fn saturate(n: u32) -> i32 {
    n.min(i32::MAX as u32) as i32
}

type Progress<'a> = Box<dyn FnMut(u64, u64) -> ControlFlow<()> + 'a>;

/// How to load a model.
#[derive(Default)]
pub struct ModelOptions<'a> {
    flags: u32,
    activations: Activations,
    cpu: Cpu,
    quantise: Option<String>,
    host: Host,
    progress: Option<Progress<'a>>,
}

impl<'a> ModelOptions<'a> {
    /// All defaults.
    pub fn new() -> ModelOptions<'a> {
        ModelOptions::default()
    }

    fn flag(mut self, flag: u32, on: bool) -> Self {
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
        self
    }

    /// Read weights into memory instead of mapping the file: for files that others may change or truncate.
    pub fn read(self, on: bool) -> Self {
        self.flag(sys::HLM_LOAD_READ, on)
    }

    /// The same bits on all x86-64 and aarch64 machines.
    pub fn portable(self, on: bool) -> Self {
        self.flag(sys::HLM_LOAD_PORTABLE, on)
    }

    /// Tokenizer and chat template only; contexts and pools are refused.
    pub fn vocab_only(self, on: bool) -> Self {
        self.flag(sys::HLM_LOAD_VOCAB_ONLY, on)
    }

    /// Read every weight and refuse NaN and infinity.
    pub fn check_weights(self, on: bool) -> Self {
        self.flag(sys::HLM_LOAD_CHECK_WEIGHTS, on)
    }

    /// For a model with memory tokens: the caller runs them itself, as the first embeddings of each sequence.
    pub fn no_memory_tokens(self, on: bool) -> Self {
        self.flag(sys::HLM_LOAD_NO_MEMORY_TOKENS, on)
    }

    /// Precision of activations.
    pub fn activations(mut self, activations: Activations) -> Self {
        self.activations = activations;
        self
    }

    /// Upper bound on the instruction sets used.
    pub fn cpu(mut self, cpu: Cpu) -> Self {
        self.cpu = cpu;
        self
    }

    /// What plain matrices are quantised to while they are read: "q8_0", "q4_0" or "int4".
    pub fn quantise(mut self, name: &str) -> Self {
        self.quantise = Some(name.to_string());
        self
    }

    /// `quantise` concerns an embedding that is the head too as well.
    pub fn quantise_tied(self, on: bool) -> Self {
        self.flag(sys::HLM_LOAD_QUANTISE_TIED, on)
    }

    /// Lines about progress and decisions, without newline, from any thread. A panic in it goes no further.
    pub fn log(mut self, log: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> Self {
        self.host.log = Some(Box::new(log));
        self
    }

    /// Memory for the model and everything made from it.
    pub fn allocator(mut self, allocator: impl Allocator + 'static) -> Self {
        self.host.allocator = Some(Box::new(allocator));
        self
    }

    /// Called while loading with bytes done and in total; may end the load, which then fails with
    /// [`Status::Cancelled`]. A panic ends it too, and goes on when the load has been undone.
    pub fn progress(mut self, progress: impl FnMut(u64, u64) -> ControlFlow<()> + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Loads a GGUF file or a Hugging Face folder; with `vocab_only` a path to a tokenizer.json, too.
    pub fn load(self, path: impl AsRef<Path>) -> Result<Model> {
        let path = path.as_ref();
        let text = path.to_str().ok_or_else(|| Error::new(Status::Arg, format!("{}: not UTF-8", path.display())))?;
        self.run(text)
    }

    /// The same through the caller's file access.
    pub fn load_from(mut self, files: impl Files + 'static, path: &str) -> Result<Model> {
        self.host.files = Some(Box::new(files));
        self.run(path)
    }

    fn run(self, path: &str) -> Result<Model> {
        let path = c_string("the path", path)?;
        let quantise = self.quantise.as_deref().map(|name| c_string("quantise", name)).transpose()?;
        let host = Arc::new(self.host);
        let (allocator, log, vfs) = (host.raw_allocator(), host.raw_log(), host.raw_vfs());
        let mut loading = Loading { progress: self.progress, caught: Caught::default() };
        let mut params = sys::hlm_model_params {
            struct_size: size_of::<sys::hlm_model_params>(),
            flags: self.flags,
            activations: self.activations.raw(),
            cpu: self.cpu.raw(),
            quantise: quantise.as_ref().map_or(ptr::null(), |name| name.as_ptr()),
            ..Default::default()
        };
        if host.files.is_some() {
            params.vfs = &vfs;
        }
        if host.allocator.is_some() {
            params.allocator = &allocator;
        }
        if host.log.is_some() {
            params.log = &log;
        }
        if loading.progress.is_some() {
            params.progress = Some(progress);
            params.progress_user = (&mut loading as *mut Loading<'_>).cast();
        }
        let mut raw = ptr::null_mut();
        let done = check(unsafe { sys::hlm_model_load(&mut raw, path.as_ptr(), &params) });
        loading.caught.resume();
        done?;
        Model::adopt(raw, host)
    }
}

/// What the callback of one load sees.
struct Loading<'a> {
    progress: Option<Progress<'a>>,
    caught: Caught,
}

unsafe extern "C" fn progress(user: *mut c_void, done: u64, total: u64) -> i32 {
    let loading = unsafe { &mut *(user as *mut Loading<'_>) };
    let call = &mut loading.progress;
    let flow = loading.caught.run(ControlFlow::Break(()), || match call {
        Some(progress) => progress(done, total),
        None => ControlFlow::Continue(()),
    });
    flow.is_break() as i32
}
