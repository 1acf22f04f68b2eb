//! What must not compile. Each case stands beside its twin that does, so that it is the one line that fails.
//!
//! A handle that was dropped or moved away:
//! ```no_run
//! let model = hybridlm::Model::load("m")?;
//! println!("{}", model.vocab_size());
//! drop(model);
//! # Ok::<(), hybridlm::Error>(())
//! ```
//! ```compile_fail
//! let model = hybridlm::Model::load("m")?;
//! drop(model);
//! println!("{}", model.vocab_size());
//! # Ok::<(), hybridlm::Error>(())
//! ```
//!
//! A context used by two threads at once; moving it is fine:
//! ```no_run
//! # let model = hybridlm::Model::load("m")?;
//! let mut ctx = hybridlm::Context::new(&model)?;
//! std::thread::spawn(move || ctx.score(&[1, 2]));
//! # Ok::<(), hybridlm::Error>(())
//! ```
//! ```compile_fail
//! # let model = hybridlm::Model::load("m")?;
//! let mut ctx = hybridlm::Context::new(&model)?;
//! std::thread::scope(|s| {
//!     s.spawn(|| ctx.score(&[1, 2]));
//!     s.spawn(|| ctx.score(&[1, 2]));
//! });
//! # Ok::<(), hybridlm::Error>(())
//! ```
//! ```compile_fail
//! # let model = hybridlm::Model::load("m")?;
//! let ctx = hybridlm::Context::new(&model)?;
//! std::thread::scope(|s| s.spawn(|| ctx.last_error()).join());
//! # Ok::<(), hybridlm::Error>(())
//! ```
//!
//! A cache twice in one batch, or one that a step still needs:
//! ```no_run
//! # use hybridlm::{Cache, Context, Model, Step};
//! # let model = Model::load("m")?;
//! # let mut ctx = Context::new(&model)?;
//! # let (mut a, mut b) = (Cache::new(ctx.pool())?, Cache::new(ctx.pool())?);
//! ctx.decode(&mut [Step::new(&mut a, &[1]), Step::new(&mut b, &[1])])?;
//! # Ok::<(), hybridlm::Error>(())
//! ```
//! ```compile_fail
//! # use hybridlm::{Cache, Context, Model, Step};
//! # let model = Model::load("m")?;
//! # let mut ctx = Context::new(&model)?;
//! # let (mut a, mut b) = (Cache::new(ctx.pool())?, Cache::new(ctx.pool())?);
//! ctx.decode(&mut [Step::new(&mut a, &[1]), Step::new(&mut a, &[1])])?;
//! # Ok::<(), hybridlm::Error>(())
//! ```
//! ```compile_fail
//! # use hybridlm::{Cache, Context, Model, Step};
//! # let model = Model::load("m")?;
//! # let mut ctx = Context::new(&model)?;
//! # let (mut a, mut b) = (Cache::new(ctx.pool())?, Cache::new(ctx.pool())?);
//! let mut step = Step::new(&mut a, &[1]);
//! drop(a);
//! ctx.decode(std::slice::from_mut(&mut step))?;
//! # Ok::<(), hybridlm::Error>(())
//! ```
//!
//! Logits that are gone before the step is run:
//! ```no_run
//! # use hybridlm::{Cache, Context, Model, Step};
//! # let model = Model::load("m")?;
//! # let mut ctx = Context::new(&model)?;
//! # let mut cache = Cache::new(ctx.pool())?;
//! let mut logits = vec![0.0; 8];
//! let mut step = Step::new(&mut cache, &[1]).logits(&mut logits);
//! ctx.decode(std::slice::from_mut(&mut step))?;
//! drop(logits);
//! # Ok::<(), hybridlm::Error>(())
//! ```
//! ```compile_fail
//! # use hybridlm::{Cache, Context, Model, Step};
//! # let model = Model::load("m")?;
//! # let mut ctx = Context::new(&model)?;
//! # let mut cache = Cache::new(ctx.pool())?;
//! let mut logits = vec![0.0; 8];
//! let mut step = Step::new(&mut cache, &[1]).logits(&mut logits);
//! drop(logits);
//! ctx.decode(std::slice::from_mut(&mut step))?;
//! # Ok::<(), hybridlm::Error>(())
//! ```
//!
//! Calls into the context or the cache from a callback, or while a stream goes on:
//! ```no_run
//! # use hybridlm::{Cache, Context, Model, Request};
//! # use std::ops::ControlFlow;
//! # let model = Model::load("m")?;
//! # let mut ctx = Context::new(&model)?;
//! # let mut cache = Cache::new(ctx.pool())?;
//! let cancel = ctx.canceller();
//! ctx.generate(&mut cache, None, Request::new(&[1]), |_, _| {
//!     cancel.cancel();
//!     ControlFlow::Continue(())
//! })?;
//! # Ok::<(), hybridlm::Error>(())
//! ```
//! ```compile_fail
//! # use hybridlm::{Cache, Context, Model, Request};
//! # use std::ops::ControlFlow;
//! # let model = Model::load("m")?;
//! # let mut ctx = Context::new(&model)?;
//! # let mut cache = Cache::new(ctx.pool())?;
//! ctx.generate(&mut cache, None, Request::new(&[1]), |_, _| {
//!     println!("{}", cache.len());
//!     ControlFlow::Continue(())
//! })?;
//! # Ok::<(), hybridlm::Error>(())
//! ```
//! ```compile_fail
//! # use hybridlm::{Cache, Context, Model, Request};
//! # let model = Model::load("m")?;
//! # let mut ctx = Context::new(&model)?;
//! # let mut cache = Cache::new(ctx.pool())?;
//! let mut stream = ctx.stream(&mut cache, None, Request::new(&[1]))?;
//! stream.next();
//! cache.rewind(0)?;
//! stream.next();
//! # Ok::<(), hybridlm::Error>(())
//! ```
//!
//! A piece of text that outlives the next call on its stream:
//! ```no_run
//! # let model = hybridlm::Model::load("m")?;
//! # let mut text = hybridlm::TextStream::new(&model, hybridlm::Detokenize::NONE)?;
//! let first = text.push(1)?.to_owned();
//! let second = text.push(2)?;
//! println!("{first}{second}");
//! # Ok::<(), hybridlm::Error>(())
//! ```
//! ```compile_fail
//! # let model = hybridlm::Model::load("m")?;
//! # let mut text = hybridlm::TextStream::new(&model, hybridlm::Detokenize::NONE)?;
//! let first = text.push(1)?;
//! let second = text.push(2)?;
//! println!("{first}{second}");
//! # Ok::<(), hybridlm::Error>(())
//! ```
//!
//! A log that other threads may not call:
//! ```no_run
//! let lines = std::sync::Mutex::new(0);
//! hybridlm::ModelOptions::new().log(move |_, _| *lines.lock().unwrap() += 1).load("m")?;
//! # Ok::<(), hybridlm::Error>(())
//! ```
//! ```compile_fail
//! let lines = std::cell::RefCell::new(0);
//! hybridlm::ModelOptions::new().log(move |_, _| *lines.borrow_mut() += 1).load("m")?;
//! # Ok::<(), hybridlm::Error>(())
//! ```
