//! What a program may supply (job system, memory, files, log), and panics in it: they come out at the call or end in
//! the callback, and never unwind through the library.
#![deny(unsafe_op_in_unsafe_fn)]
mod common;
use std::alloc::Layout;
use std::io;
use std::ops::ControlFlow;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use common::{context, data, fresh_logits, logits, model, tokens};
use hybridlm::*;

/// The words of a panic that `f` must end in.
fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).err().expect("a panic");
    payload.downcast_ref::<&str>().expect("a panic with words").to_string()
}

struct Scoped;
impl Executor for Scoped {
    fn parallel_for(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|s| (0..n).for_each(|i| drop(s.spawn(move || task(i)))));
    }
}

/// Works, until it is told to misbehave.
struct Moody(Arc<AtomicUsize>);
impl Executor for Moody {
    fn parallel_for(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        match self.0.load(Ordering::Relaxed) {
            0 => (0..n).for_each(task),
            1 => (1..n).for_each(task),                               // leaves one out
            2 => (0..n).chain(0..n).chain(5000..5010).for_each(task), // one more time, and tasks that are none
            _ => panic!("out of work"),
        }
    }
}

#[test]
fn a_job_system_computes_the_same() {
    let model = model();
    let ids = tokens(&model, "hello world and the rest");
    let mut ctx = context(&model);
    let want = fresh_logits(&mut ctx, &ids);
    let mut ctx = ContextOptions::new().threads(3).executor(Scoped).build(&model).unwrap();
    assert_eq!(fresh_logits(&mut ctx, &ids), want);
}

#[test]
fn a_job_system_that_is_wrong_harms_nobody() {
    let model = model();
    let ids = tokens(&model, "hello world");
    let mood = Arc::new(AtomicUsize::new(0));
    let mut ctx = ContextOptions::new().threads(2).executor(Moody(mood.clone())).build(&model).unwrap();
    let mut cache = Cache::new(ctx.pool()).unwrap();
    let want = logits(&mut ctx, &mut cache, &ids);
    cache.rewind(0).unwrap();

    mood.store(1, Ordering::Relaxed);
    let error = ctx.decode(&mut [Step::new(&mut cache, &ids)]).unwrap_err();
    assert_eq!((error.status(), cache.len()), (Status::Cancelled, 0));
    mood.store(3, Ordering::Relaxed);
    assert_eq!(panic_of(|| ctx.decode(&mut [Step::new(&mut cache, &ids)])), "out of work");
    assert_eq!(panic_of(|| ctx.score(&ids)), "out of work");
    assert_eq!(cache.len(), 0);
    mood.store(2, Ordering::Relaxed);
    assert_eq!(logits(&mut ctx, &mut cache, &ids), want);
}

#[test]
fn panics_while_generating_come_out() {
    let model = model();
    let ids = tokens(&model, "hello world");
    let mut ctx = context(&model);
    let mut cache = Cache::new(ctx.pool()).unwrap();
    let mut calls = 0;
    let run = || {
        ctx.generate(&mut cache, None, Request::new(&ids).max_tokens(5), |_, _| {
            calls += 1;
            panic!("in on_token")
        })
    };
    assert_eq!(panic_of(run), "in on_token");
    assert_eq!((calls, cache.tokens().unwrap()), (1, ids.clone()));

    let mut cache = Cache::new(ctx.pool()).unwrap();
    let request = Request::new(&ids).progress(|_, _| panic!("in progress"));
    let run = || ctx.generate(&mut cache, None, request, |_, _| ControlFlow::Continue(()));
    assert_eq!(panic_of(run), "in progress");
    let request = Request::new(&ids).progress(|_, _| panic!("in progress"));
    assert_eq!(panic_of(|| ctx.stream(&mut cache, None, request).unwrap().next()), "in progress");

    let mut cache = Cache::new(ctx.pool()).unwrap();
    logits(&mut ctx, &mut cache, &ids); // the context is as good as new
}

#[test]
fn a_callback_may_stop() {
    let model = model();
    let ids = tokens(&model, "hello world");
    let mut ctx = context(&model);
    let mut cache = Cache::new(ctx.pool()).unwrap();
    let mut n = 0;
    let done = ctx
        .generate(&mut cache, None, Request::new(&ids).ignore_eos(true), |_, _| {
            n += 1;
            if n == 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
    assert_eq!((done.finish, done.n_generated, n), (Finish::Callback, 3, 3));
    assert_eq!(done.n_prompt, ids.len());
    let mut parts = Vec::new();
    let request = Request::new(&ids).progress(|done, total| {
        parts.push((done, total));
        ControlFlow::Break(())
    });
    let error = ctx.generate(&mut cache, None, request, |_, _| ControlFlow::Continue(())).unwrap_err();
    assert_eq!((error.status(), parts), (Status::Cancelled, vec![(ids.len(), ids.len())]));
    assert_eq!(ctx.last_error(), error.sentence());
}

#[test]
fn a_load_tells_its_progress() {
    let mut seen = (0, 0);
    let options = ModelOptions::new().progress(|done, total| {
        seen = (done, total);
        ControlFlow::Continue(())
    });
    options.load(data("tiny-llama.gguf")).unwrap();
    assert!(0 < seen.0 && seen.0 <= seen.1, "{seen:?}");
    let options = ModelOptions::new().progress(|_, _| ControlFlow::Break(()));
    assert_eq!(options.load(data("tiny-llama.gguf")).unwrap_err().status(), Status::Cancelled);
    let options = ModelOptions::new().progress(|_, _| panic!("while loading"));
    assert_eq!(panic_of(|| options.load(data("tiny-llama.gguf"))), "while loading");
}

#[test]
fn a_log_gets_lines() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let mine = lines.clone();
    let options = ModelOptions::new().log(move |level, text| mine.lock().unwrap().push((level, text.to_owned())));
    let model = options.load(data("tiny-llama.gguf")).unwrap();
    let n = lines.lock().unwrap().len();
    assert!(n > 0);
    // A context still logs when the model's own handle is gone.
    let ctx = context(&model);
    drop(model);
    drop(ctx);
    let loud = ModelOptions::new().log(|_, _| panic!("in the log"));
    loud.load(data("tiny-llama.gguf")).unwrap();
}

/// A panic whose payload panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in the drop of a panic");
    }
}

#[test]
fn even_a_panic_that_panics_ends_in_the_log() {
    let loud = ModelOptions::new().log(|_, _| std::panic::panic_any(Bomb));
    loud.load(data("tiny-llama.gguf")).unwrap();
}

/// The system's memory, counted; blocks remember their layout in front of them.
struct Counted(Arc<AtomicI64>, Arc<AtomicI64>);

const FRONT: usize = 64;

unsafe impl Allocator for Counted {
    fn allocate(&self, size: usize, align: usize) -> *mut u8 {
        if self.1.fetch_sub(1, Ordering::Relaxed) <= 0 {
            panic!("no memory any more");
        }
        let align = align.max(FRONT);
        let layout = Layout::from_size_align(size + align, align).unwrap();
        let block = unsafe { std::alloc::alloc(layout) };
        assert!(!block.is_null());
        self.0.fetch_add(1, Ordering::Relaxed);
        unsafe {
            let given = block.add(align);
            given.sub(FRONT).cast::<Layout>().write(layout);
            given
        }
    }

    unsafe fn free(&self, block: *mut u8) {
        unsafe {
            let layout = block.sub(FRONT).cast::<Layout>().read();
            std::alloc::dealloc(block.sub(layout.align()), layout);
        }
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn memory_of_the_program() {
    let (blocks, left) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(i64::MAX)));
    let load = || ModelOptions::new().allocator(Counted(blocks.clone(), left.clone())).load(data("tiny-llama.gguf"));
    let model = load().unwrap();
    let mut ctx = context(&model);
    let mut cache = Cache::new(ctx.pool()).unwrap();
    logits(&mut ctx, &mut cache, &[1, 2, 3]);
    assert!(blocks.load(Ordering::Relaxed) > 0);
    drop((model, ctx));
    assert_eq!(cache.len(), 3); // the last handle, and its memory
    drop(cache);
    assert_eq!(blocks.load(Ordering::Relaxed), 0);
    for n in 0..20 {
        left.store(n, Ordering::Relaxed);
        assert_eq!(load().unwrap_err().status(), Status::NoMemory);
        assert_eq!(blocks.load(Ordering::Relaxed), 0);
    }
}

/// One file in memory, in several moods.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Mapped,
    Read,
    /// Says that it is longer than its bytes.
    Boasts,
    FailsToRead,
    PanicsInOpen,
    PanicsInSize,
    PanicsInRead,
    PanicsInBytes,
}

struct Memory(Arc<Vec<u8>>, Mood);

impl Files for Memory {
    fn open(&self, path: &str) -> io::Result<Box<dyn File>> {
        match path {
            "pack/model.gguf" if self.1 == Mood::PanicsInOpen => panic!("in open"),
            "pack/model.gguf" => Ok(Box::new(Memory(self.0.clone(), self.1))),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl File for Memory {
    fn size(&self) -> io::Result<u64> {
        match self.1 {
            Mood::PanicsInSize => panic!("in size"),
            Mood::Boasts => Ok(self.0.len() as u64 + 1_000_000),
            _ => Ok(self.0.len() as u64),
        }
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match self.1 {
            Mood::FailsToRead => return Err(io::ErrorKind::Other.into()),
            Mood::PanicsInRead => panic!("in read_at"),
            _ => {}
        }
        let rest = self.0.get(offset as usize..).and_then(|r| r.get(..out.len()));
        out.copy_from_slice(rest.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn bytes(&self) -> Option<&[u8]> {
        match self.1 {
            Mood::PanicsInBytes => panic!("in bytes"),
            Mood::Mapped | Mood::Boasts => Some(&self.0),
            _ => None,
        }
    }
}

#[test]
fn files_of_the_program() {
    let bytes = Arc::new(std::fs::read(data("tiny-llama.gguf")).unwrap());
    let load = |mood, path: &str| ModelOptions::new().load_from(Memory(bytes.clone(), mood), path);
    let ids = [1, 2, 3];
    let mut ctx = context(&Model::load(data("tiny-llama.gguf")).unwrap());
    let want = fresh_logits(&mut ctx, &ids);
    for mood in [Mood::Mapped, Mood::Read, Mood::PanicsInBytes] {
        let mut ctx = context(&load(mood, "pack/model.gguf").unwrap());
        assert_eq!(fresh_logits(&mut ctx, &ids), want);
    }
    for mood in [Mood::FailsToRead, Mood::PanicsInOpen, Mood::PanicsInSize, Mood::PanicsInRead] {
        let error = load(mood, "pack/model.gguf").unwrap_err();
        assert_eq!(error.status(), Status::Io, "{error}");
    }
    assert!(load(Mood::Read, "elsewhere").is_err());
    // Mapped memory that is shorter than it says is not used: what is there is read.
    let _ = load(Mood::Boasts, "pack/model.gguf");
}

#[test]
fn cancelling_from_another_thread() {
    let model = model();
    let mut ctx = context(&model);
    let cancel = ctx.canceller();
    let mut cache = Cache::with_max_tokens(ctx.pool(), 1 << 20).unwrap();
    let error = std::thread::scope(|s| {
        let run = s.spawn(|| {
            let request = Request::new(&[1, 2, 3]).ignore_eos(true);
            let mut cancelled = false;
            ctx.generate(&mut cache, None, request, |_, _| {
                if !cancelled {
                    std::thread::scope(|inner| inner.spawn(|| cancel.cancel()).join().unwrap());
                }
                cancelled = true;
                ControlFlow::Continue(())
            })
        });
        run.join().unwrap().unwrap_err()
    });
    assert_eq!(error.status(), Status::Cancelled);
    assert_eq!(cache.len(), 3);
    drop(ctx);
    cancel.cancel(); // of a context that is gone: nothing
}
