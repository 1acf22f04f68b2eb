//! Contexts: what it takes to compute, the caller's job system, cancelling.
use std::cell::Cell;
use std::ffi::CStr;
use std::marker::PhantomData;
use std::mem::size_of;
use std::os::raw::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::callback::Caught;
use crate::error::{check, Error, Result, Status};
use crate::model::{saturate, Model};
use crate::pool::Pool;
use crate::sys;

/// Threads and scratch. May move to another thread, but not be shared: one call at a time, but for [`Cancel`].
pub struct Context {
    inner: Arc<Inner>,
    pool: Pool,
    /// hybridlm.h: "One call at a time, but for hlm_ctx_cancel", so not `Sync`.
    _one_thread: PhantomData<Cell<()>>,
}

struct Inner {
    raw: NonNull<sys::hlm_context>,
    executor: Option<Arc<Jobs>>,
    /// What the library's memory may need outlives the context.
    _model: Model,
}

// Through a shared `Inner` only hlm_ctx_cancel is called, which any thread may; `Context` holds back the rest.
unsafe impl Send for Inner {}
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        unsafe { sys::hlm_ctx_free(self.raw.as_ptr()) }
    }
}

impl Context {
    /// A thread for each core the process may use, and a pool of its own.
    pub fn new(model: &Model) -> Result<Context> {
        ContextOptions::new().build(model)
    }

    /// The model it computes with.
    pub fn model(&self) -> &Model {
        self.pool.model()
    }

    /// The pool whose caches it steps.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// What cancels the running call, from any thread.
    pub fn canceller(&self) -> Cancel {
        Cancel(Arc::downgrade(&self.inner))
    }

    /// The sentence of the latest failed call on this context; "" before the first.
    pub fn last_error(&self) -> String {
        unsafe { CStr::from_ptr(sys::hlm_ctx_error(self.as_ptr())) }.to_string_lossy().into_owned()
    }

    /// The raw handle, borrowed.
    pub fn as_ptr(&self) -> *mut sys::hlm_context {
        self.inner.raw.as_ptr()
    }

    /// To be called after each call that computes: goes on with a panic of the caller's executor.
    pub(crate) fn resume_panic(&mut self) {
        if let Some(jobs) = &self.inner.executor {
            let mut caught = std::mem::take(&mut *lock(&jobs.caught));
            caught.resume();
        }
    }
}

/// Stops the call that runs on a context. Does nothing when the context is gone.
#[derive(Clone)]
pub struct Cancel(Weak<Inner>);

impl Cancel {
    /// The running call returns [`Status::Cancelled`]; when none runs, the next does.
    /// Not for signal handlers, which may call [`sys::hlm_ctx_cancel`] on [`Context::as_ptr`].
    pub fn cancel(&self) {
        if let Some(inner) = self.0.upgrade() {
            unsafe { sys::hlm_ctx_cancel(inner.raw.as_ptr()) }
        }
    }
}

/// How to make a context.
#[derive(Clone, Default)]
pub struct ContextOptions {
    threads: u32,
    max_rows: usize,
    pool: Option<Pool>,
    executor: Option<Arc<dyn Executor>>,
}

impl ContextOptions {
    /// All defaults.
    pub fn new() -> ContextOptions {
        ContextOptions::default()
    }

    /// Threads that compute, the calling one included; with an executor, the tasks of a parallel-for. 0: one a core.
    pub fn threads(mut self, n: u32) -> ContextOptions {
        self.threads = n;
        self
    }

    /// Rows (tokens) computed at once. The results do not depend on it.
    pub fn max_rows(mut self, n: usize) -> ContextOptions {
        self.max_rows = n;
        self
    }

    /// A pool to share with other contexts.
    pub fn pool(mut self, pool: &Pool) -> ContextOptions {
        self.pool = Some(pool.clone());
        self
    }

    /// The caller's job system; the library then starts no threads.
    pub fn executor(mut self, executor: impl Executor + 'static) -> ContextOptions {
        self.executor = Some(Arc::new(executor));
        self
    }

    /// Starts the threads and takes the scratch.
    pub fn build(self, model: &Model) -> Result<Context> {
        let executor = self.executor.map(|executor| Arc::new(Jobs { executor, caught: Mutex::default() }));
        let raw_executor = executor.as_ref().map(|jobs| sys::hlm_executor {
            struct_size: size_of::<sys::hlm_executor>(),
            user: Arc::as_ptr(jobs) as *mut c_void,
            parallel_for: Some(parallel_for),
            ..Default::default()
        });
        let params = sys::hlm_ctx_params {
            struct_size: size_of::<sys::hlm_ctx_params>(),
            n_threads: saturate(self.threads),
            max_rows: self.max_rows,
            executor: raw_executor.as_ref().map_or(ptr::null(), |e| e),
            pool: self.pool.as_ref().map_or(ptr::null_mut(), Pool::as_ptr),
            ..Default::default()
        };
        let mut raw = ptr::null_mut();
        check(unsafe { sys::hlm_ctx_new(&mut raw, model.as_ptr(), &params) })?;
        let raw = NonNull::new(raw).ok_or_else(|| Error::new(Status::Internal, "there is no context"))?;
        let inner = Arc::new(Inner { raw, executor, _model: model.clone() });
        let pool = unsafe {
            let pool = sys::hlm_ctx_pool(raw.as_ptr()); // borrowed
            sys::hlm_pool_retain(pool);
            pool
        };
        Ok(Context { inner, pool: Pool::adopt(pool, model)?, _one_thread: PhantomData })
    }
}

/// A job system of the caller's.
pub trait Executor: Send + Sync {
    /// Calls `task(i)` once for each i in 0..n, on any threads, in any order, and returns when all have returned. Where
    /// not every task ran, or one did twice, the step fails with [`Status::Cancelled`]. A panic cancels the step too,
    /// and goes on when the step has been undone.
    fn parallel_for(&self, n: usize, task: &(dyn Fn(usize) + Sync));
}

struct Jobs {
    executor: Arc<dyn Executor>,
    caught: Mutex<Caught>,
}

/// A poisoned lock guards nothing that could be half done here.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

const MOST_TASKS: usize = 1024;

/// The library's tasks for one parallel-for. An executor is safe code and may be wrong: each index gets through once.
struct Tasks {
    task: unsafe extern "C" fn(*mut c_void, usize),
    arg: *mut c_void,
    n: usize,
    begun: [AtomicU64; MOST_TASKS / 64],
    done: AtomicUsize,
}

// `arg` is for the library's task, which may run on any thread.
unsafe impl Sync for Tasks {}

impl Tasks {
    fn run(&self, index: usize) {
        let bit = 1 << (index % 64);
        if index >= self.n || self.begun[index / 64].fetch_or(bit, Ordering::Relaxed) & bit != 0 {
            return;
        }
        unsafe { (self.task)(self.arg, index) };
        self.done.fetch_add(1, Ordering::Release);
    }
}

unsafe extern "C" fn parallel_for(user: *mut c_void, n: usize, task: sys::hlm_task, arg: *mut c_void) -> i32 {
    let jobs = unsafe { &*(user as *const Jobs) };
    let task = match task {
        Some(task) if n <= MOST_TASKS => task,
        _ => return 1,
    };
    let tasks = Tasks { task, arg, n, begun: Default::default(), done: AtomicUsize::new(0) };
    let mut caught = lock(&jobs.caught);
    caught.run((), || jobs.executor.parallel_for(n, &|index| tasks.run(index)));
    (tasks.done.load(Ordering::Acquire) != n) as i32
}
