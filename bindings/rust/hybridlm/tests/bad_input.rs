//! Bad input and misuse: an error with a sentence, never a crash. What must not even compile is in src/misuse.rs.
mod common;
use common::{context, data, logits, lora, model, tokens};
use hybridlm::*;

fn assert_error<T: std::fmt::Debug>(result: Result<T>, status: Status, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.status(), status, "{error}");
    assert!(error.sentence().contains(words), "'{error}' does not speak of '{words}'");
    assert_eq!(error.to_string(), error.sentence());
}

macro_rules! assert_impl {
    ($trait:path: $($handle:ty),*) => {
        const _: fn() = || {
            fn has<T: ?Sized + $trait>() {}
            $(has::<$handle>();)*
        };
    };
}

/// Does not compile for a type that has the trait: two `of` would fit.
macro_rules! assert_not_impl {
    ($trait:path: $($handle:ty),*) => {
        $(const _: fn() = || {
            trait Ambiguous<A> {
                fn of() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct HasIt;
            impl<T: ?Sized + $trait> Ambiguous<HasIt> for T {}
            <$handle as Ambiguous<_>>::of();
        };)*
    };
}

// Exactly what hybridlm.h promises about threads.
assert_impl!(Send: Model, Adapter, Pool, Context, Cache, Sampler, TextStream, Cancel, Error, SamplerOptions);
assert_impl!(Sync: Model, Adapter, Pool, Cancel, Error, SamplerOptions);
assert_not_impl!(Sync: Context, Cache, Sampler, TextStream);
assert_not_impl!(Clone: Context, Cache, Sampler, TextStream);

#[test]
fn files() {
    assert_error(Model::load("no/such/file.gguf"), Status::Io, "no/such/file.gguf");
    assert_error(Model::load("a\0b"), Status::Arg, "zero byte");
    assert_error(Model::load(data("tiny-llama/tokenizer.json")), Status::Format, "tokenizer.json");
}

#[test]
fn adapters() {
    let (model, folder) = (model(), lora("bad"));
    let other = Model::load(data("tiny-llama.gguf")).unwrap();
    assert_error(Adapter::load(&model, "no/such"), Status::Io, "no/such");
    assert_error(Adapter::load(&model, "a\0b"), Status::Arg, "zero byte");
    assert_error(Adapter::with_scale(&model, &folder, f32::NAN), Status::Arg, "scale");
    assert_error(Adapter::load(&other, &folder), Status::Format, "dimensional");
    assert_error(Adapter::join(&[]), Status::Arg, "no adapters");
    let adapter = Adapter::load(&model, &folder).unwrap();
    let again = Adapter::load(&common::model(), &folder).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    assert_error(Adapter::join(&[&adapter, &again]), Status::Mismatch, "another model");
    let mut ctx = context(&other);
    let mut cache = Cache::new(ctx.pool()).unwrap();
    assert_error(ctx.decode(&mut [Step::new(&mut cache, &[1]).adapter(&adapter)]), Status::Mismatch, "adapter");
    assert_error(cache.reuse_with(&adapter, &[1]), Status::Mismatch, "adapter");
    assert_error(ctx.pool().adapt(&adapter), Status::Mismatch, "adapter");
    assert!(cache.is_empty());
}

#[test]
fn wrong_sizes() {
    let model = model();
    let (vocab, width) = (model.vocab_size(), model.info().hidden_size);
    let mut ctx = context(&model);
    let mut cache = Cache::new(ctx.pool()).unwrap();
    for wrong in [0, vocab - 1, vocab + 1, 2 * vocab] {
        let mut out = vec![0.0; wrong];
        assert_error(ctx.decode(&mut [Step::new(&mut cache, &[1, 2]).logits(&mut out)]), Status::Arg, "logits");
    }
    let mut row = vec![0.0; vocab];
    let step = Step::new(&mut cache, &[1, 2]).logits_of(Rows::All, &mut row);
    assert_error(ctx.decode(&mut [step]), Status::Arg, "2 rows");
    for rows in [&[5][..], &[1, 0], &[0, 0]] {
        let mut out = vec![0.0; vocab * rows.len()];
        let step = Step::new(&mut cache, &[1, 2]).logits_of(Rows::List(rows), &mut out);
        assert_error(ctx.decode(&mut [step]), Status::Arg, "rows");
    }
    let mut hidden = vec![0.0; width];
    let step = Step::new(&mut cache, &[1, 2]).hidden(Hidden::Final, &mut hidden);
    assert_error(ctx.decode(&mut [step]), Status::Arg, "hidden");
    for wrong in [0, width - 1, width + 1] {
        let rows = vec![0.0; wrong];
        let error = ctx.decode(&mut [Step::embeddings(&mut cache, &rows)]).unwrap_err();
        assert_eq!(error.status(), if wrong == 0 { Status::Empty } else { Status::Arg });
    }
    let step = Step::new(&mut cache, &[1, 2]).attention(0, &mut hidden);
    assert_error(ctx.decode(&mut [step]), Status::Arg, "attention");
    assert_error(ctx.score_labels(&[1, 2], &[1]), Status::Arg, "1 labels");
    assert_error(cache.state(7, State::Conv), Status::Arg, "7");
    for layer in [3, usize::MAX] {
        let step = Step::new(&mut cache, &[1]).hidden(Hidden::Layer(layer), &mut hidden);
        assert_error(ctx.decode(&mut [step]), Status::Arg, "layer");
    }
    let mut sampler = Sampler::greedy(&model).unwrap();
    assert_error(sampler.sample(&row[1..]), Status::Arg, "287 logits");
    assert_error(sampler.sample(&vec![f32::NAN; vocab]), Status::Arg, "");
    assert!(cache.is_empty());
}

#[test]
fn wrong_tokens() {
    let model = model();
    let mut ctx = context(&model);
    let mut cache = Cache::new(ctx.pool()).unwrap();
    for wrong in [-1, 288, i32::MAX, i32::MIN] {
        assert_error(ctx.decode(&mut [Step::new(&mut cache, &[1, wrong])]), Status::Token, &wrong.to_string());
        assert_error(ctx.score(&[1, wrong]), Status::Token, &wrong.to_string());
        assert_error(model.detokenize(&[wrong], Detokenize::NONE), Status::Token, &wrong.to_string());
        assert_error(Sampler::greedy(&model).unwrap().accept(wrong), Status::Token, &wrong.to_string());
        let mut text = TextStream::new(&model, Detokenize::NONE).unwrap();
        assert_error(text.push(wrong), Status::Token, &wrong.to_string());
        assert!(!model.token_ends(wrong));
        let item = ctx.stream(&mut cache, None, Request::new(&[wrong])).unwrap().next().unwrap();
        assert_error(item, Status::Token, &wrong.to_string());
    }
    assert_error(ctx.decode(&mut []), Status::Empty, "");
    assert_error(ctx.decode(&mut [Step::new(&mut cache, &[])]), Status::Empty, "");
    assert_error(ctx.score(&[]), Status::Arg, "0 tokens");
    assert_error(ctx.stream(&mut cache, None, Request::new(&[])), Status::Empty, "no prompt");
    assert!(cache.is_empty());
}

#[test]
fn wrong_positions_and_numbers() {
    let model = model();
    let mut ctx = context(&model);
    let mut cache = Cache::with_max_tokens(ctx.pool(), 4).unwrap();
    logits(&mut ctx, &mut cache, &[1, 2, 3]);
    assert_error(cache.rewind(4), Status::Arg, "4");
    assert_error(cache.rewind(usize::MAX), Status::Arg, "position");
    assert_error(cache.fork_at(4), Status::Arg, "4");
    assert_error(cache.reserve(5), Status::Full, "4");
    assert_error(ctx.decode(&mut [Step::new(&mut cache, &[4, 5])]), Status::Full, "");
    assert_eq!(cache.tokens().unwrap(), [1, 2, 3]);
    assert_error(Cache::with_max_tokens(ctx.pool(), -1), Status::Arg, "-1");
    assert_error(ContextOptions::new().threads(u32::MAX).build(&model), Status::Arg, "threads");
    assert_error(Pool::new(&model, &PoolOptions::new().page_tokens(3)), Status::Arg, "page_tokens");
    assert_error(Sampler::new(&model, &SamplerOptions::new().temperature(f32::NAN)), Status::Arg, "temperature");
    assert_error(Sampler::new(&model, &SamplerOptions::new().logit_bias(288, 1.0)), Status::Token, "288");
    let capped = Pool::new(&model, &PoolOptions::new().max_bytes(1)).unwrap();
    let mut ctx = ContextOptions::new().threads(1).pool(&capped).build(&model).unwrap();
    let mut cache = Cache::new(&capped).unwrap();
    assert_error(ctx.decode(&mut [Step::new(&mut cache, &[1])]), Status::NoMemory, "");
}

#[test]
fn things_that_do_not_belong_together() {
    let (one, two) = (model(), model());
    let mut ctx = context(&one);
    let mut foreign = Cache::new(context(&two).pool()).unwrap();
    assert_error(ctx.decode(&mut [Step::new(&mut foreign, &[1])]), Status::Mismatch, "");
    let mut cache = Cache::new(ctx.pool()).unwrap();
    let mut sampler = Sampler::greedy(&two).unwrap();
    assert_error(ctx.stream(&mut cache, Some(&mut sampler), Request::new(&[1])), Status::Mismatch, "sampler");
    let go_on = |_: Option<i32>, _: &str| std::ops::ControlFlow::Continue(());
    assert_error(ctx.generate(&mut cache, Some(&mut sampler), Request::new(&[1]), go_on), Status::Mismatch, "sampler");
    let pool = Pool::new(&two, &PoolOptions::new()).unwrap();
    assert_error(ContextOptions::new().pool(&pool).build(&one), Status::Mismatch, "");
}

#[test]
fn wrong_texts() {
    let model = model();
    let mut ctx = context(&model);
    let mut cache = Cache::new(ctx.pool()).unwrap();
    let zero = tokens(&model, "a\0b"); // a character as any other
    assert_eq!(model.detokenize(&zero, Detokenize::NONE).unwrap(), "a\0b");
    assert_error(model.chat_render("[", &ChatOptions::new()), Status::Format, "");
    assert_error(model.chat_render("[]\0", &ChatOptions::new()), Status::Arg, "zero byte");
    let cut = [("user", "x"), ("user", "a\0b")];
    let named = "messages[1].content has a zero byte at 1";
    assert_error(model.chat_render_messages(&cut, &ChatOptions::new()), Status::Arg, named);
    assert_error(model.chat_tokenize_messages(&[("\0", "x")], &ChatOptions::new()), Status::Arg, "messages[0].role");
    assert_error(model.chat_render("[]", &ChatOptions::new().chat_template("{{ x")), Status::Template, "");
    assert_error(model.chat_render("[]", &ChatOptions::new().template_name("none")), Status::Unsupported, "none");
    let go_on = |_: Option<i32>, _: &str| std::ops::ControlFlow::Continue(());
    for stop in ["", "\0"] {
        let request = || Request::new(&[1]).stop(if stop.is_empty() { &[""] } else { &["\0"] });
        assert_eq!(ctx.generate(&mut cache, None, request(), go_on).unwrap_err().status(), Status::Arg);
    }
    assert_error(ctx.stream(&mut cache, None, Request::new(&[1]).stop(&[""])), Status::Arg, "empty string");
}

#[test]
fn children_outlive_parents_in_any_order() {
    // Handles of one family; the bits of `order` say which go before the others, and on which thread.
    for order in 0..64u32 {
        let model = model();
        let pool = Pool::new(&model, &PoolOptions::new()).unwrap();
        let mut ctx = ContextOptions::new().threads(2).pool(&pool).build(&model).unwrap();
        let mut cache = Cache::new(&pool).unwrap();
        logits(&mut ctx, &mut cache, &[1, 2, 3]);
        let fork = cache.fork().unwrap();
        let sampler = Sampler::greedy(&model).unwrap();
        let mut handles: Vec<Box<dyn std::any::Any + Send>> =
            vec![Box::new(model), Box::new(pool), Box::new(ctx), Box::new(cache), Box::new(fork), Box::new(sampler)];
        let mut late = Vec::new();
        for (i, handle) in handles.drain(..).enumerate() {
            if order >> i & 1 == 0 {
                std::thread::spawn(move || drop(handle)).join().unwrap();
            } else {
                late.push(handle);
            }
        }
        late.reverse();
        drop(late);
    }
}

#[test]
fn a_fork_goes_on_without_its_family() {
    let model = model();
    let mut ctx = context(&model);
    let mut cache = Cache::new(ctx.pool()).unwrap();
    logits(&mut ctx, &mut cache, &[1, 2, 3]);
    let fork = cache.fork().unwrap();
    drop((ctx, cache, model));
    assert_eq!(fork.tokens().unwrap(), [1, 2, 3]);
    assert_eq!(fork.fork_at(1).unwrap().len(), 1);
}

/// Two calls at once on a context, which only raw pointers can make: the second is told so.
#[test]
fn two_threads_on_one_context() {
    use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
    use std::sync::Arc;

    struct Meanwhile(Arc<AtomicPtr<sys::hlm_context>>, Arc<AtomicI32>);
    impl Executor for Meanwhile {
        fn parallel_for(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
            let (raw, status) = (&self.0, &self.1);
            let second = || unsafe {
                let tokens = [1, 2];
                let mut text = sys::hlm_score_params::default();
                text.struct_size = std::mem::size_of_val(&text);
                text.tokens = tokens.as_ptr();
                text.n_tokens = tokens.len();
                sys::hlm_score(raw.load(Ordering::Relaxed), &text, std::ptr::null_mut())
            };
            std::thread::scope(|s| status.store(s.spawn(second).join().unwrap(), Ordering::Relaxed));
            (0..n).for_each(task);
        }
    }

    let (raw, status) = (Arc::new(AtomicPtr::default()), Arc::new(AtomicI32::new(0)));
    let model = model();
    let executor = Meanwhile(raw.clone(), status.clone());
    let mut ctx = ContextOptions::new().threads(1).executor(executor).build(&model).unwrap();
    raw.store(ctx.as_ptr(), Ordering::Relaxed);
    ctx.score(&[1, 2, 3]).unwrap();
    assert_eq!(status.load(Ordering::Relaxed), sys::HLM_E_BUSY);

    // The safe way: one after another, from any thread.
    let shared = std::sync::Mutex::new(context(&model));
    let scores = std::thread::scope(|s| {
        let score = || shared.lock().unwrap().score(&[1, 2, 3]).unwrap();
        [(); 4].map(|()| s.spawn(score)).map(|t| t.join().unwrap())
    });
    assert!(scores.iter().all(|score| score == &scores[0]));
}

/// A model is shared without a lock; each thread has a context.
#[test]
fn one_model_many_threads() {
    let model = model();
    let runs = std::thread::scope(|s| {
        let run = || {
            let mut ctx = ContextOptions::new().threads(1).build(&model).unwrap();
            let mut cache = Cache::new(ctx.pool()).unwrap();
            logits(&mut ctx, &mut cache, &tokens(&model, "hello world"))
        };
        [(); 4].map(|()| s.spawn(run)).map(|t| t.join().unwrap())
    });
    assert!(runs.iter().all(|run| run == &runs[0]));
}
