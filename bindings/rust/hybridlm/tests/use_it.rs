//! The ordinary use of every handle, on a small model.
mod common;
use std::ops::ControlFlow;

use common::{context, data, fresh_logits, logits, lora, model, tokens};
use hybridlm::*;

#[test]
fn facts() {
    let info = model().info();
    assert_eq!((info.arch.as_str(), info.vocab_size, info.n_layers, info.hidden_size), ("llama", 288, 2, 16));
    assert_eq!((info.bos_token, info.eos_token), (Some(286), Some(287)));
    assert!(info.has_chat_template && info.weight_bytes > 0 && !info.kernel_class.is_empty());
    assert!(version().split('.').count() == 3);
}

#[test]
fn text_and_back() {
    let model = model();
    let text = "hello world, and the thing: \u{fc}\u{1f600}";
    let ids = tokens(&model, text);
    assert_eq!(model.detokenize(&ids, Detokenize::NONE).unwrap(), text);
    let mut stream = TextStream::new(&model, Detokenize::NONE).unwrap();
    let mut joined = String::new();
    for id in ids {
        joined.push_str(stream.push(id).unwrap());
    }
    joined.push_str(stream.finish().unwrap());
    assert_eq!(joined, text);
    assert_eq!(model.tokenize("<|end|>", Tokenize::PARSE_SPECIAL).unwrap(), [287]);
    assert!(tokens(&model, "<|end|>").len() > 1);
    assert_eq!(model.detokenize(&[287], Detokenize::SKIP_SPECIAL).unwrap(), "");
    assert!(model.token_ends(287) && !model.token_ends(1));
    assert_eq!(model.tokenize([0xff, b'a'], Tokenize::NONE).unwrap(), tokens(&model, "\u{fffd}a"));
}

#[test]
fn long_texts_need_a_second_try() {
    let model = model();
    let text = "\u{1f600}".repeat(1000);
    let ids = tokens(&model, &text);
    assert_eq!(model.detokenize(&ids, Detokenize::NONE).unwrap(), text);
}

#[test]
fn chat() {
    let model = model();
    let messages = messages_json(&[("user", "say \"hi\"\n\\ \u{1}<|end|>")]);
    let text = model.chat_render(&messages, &ChatOptions::new()).unwrap();
    assert_eq!(text, "<|begin|>user\nsay \"hi\"\n\\ \u{1}<|end|><|end|>\n<|begin|>assistant\n");
    let ids = model.chat_tokenize(&messages, &ChatOptions::new()).unwrap();
    assert_eq!(ids.iter().filter(|&&id| id == 287).count(), 1); // the message's marker is text
    let closed = model.chat_render(&messages, &ChatOptions::new().no_generation_prompt()).unwrap();
    assert!(text.starts_with(&closed) && text.len() > closed.len());
    let own = ChatOptions::new().chat_template("{{ messages[0].role }} {{ x }}").extra_json("{\"x\": 7}");
    assert_eq!(model.chat_render(&messages, &own).unwrap(), "user 7");
    let pairs = [("user", "say \"hi\"\n\\ \u{1}<|end|>")];
    assert_eq!(model.chat_render_messages(&pairs, &ChatOptions::new()).unwrap(), text);
    assert_eq!(model.chat_tokenize_messages(&pairs, &ChatOptions::new()).unwrap(), ids);
    assert_eq!(model.chat_render_messages(&pairs, &own).unwrap(), "user 7");
    let long = [("user".to_string(), "x".repeat(5000)), ("assistant".to_string(), String::new())];
    let json = messages_json(&long);
    let tokens = model.chat_tokenize_messages(&long, &ChatOptions::new()).unwrap();
    assert_eq!(tokens, model.chat_tokenize(&json, &ChatOptions::new()).unwrap());
}

#[test]
fn a_state_is_a_value() {
    let model = model();
    let mut ctx = context(&model);
    let ids = tokens(&model, "the hello world and the rest");
    let mut whole = Cache::new(ctx.pool()).unwrap();
    assert!(whole.is_empty());
    let want = logits(&mut ctx, &mut whole, &ids);
    assert_eq!(whole.tokens().unwrap(), ids);

    let mut cut = Cache::new(ctx.pool()).unwrap();
    logits(&mut ctx, &mut cut, &ids[..3]);
    let mut fork = cut.fork().unwrap();
    assert_eq!(logits(&mut ctx, &mut fork, &ids[3..]), want);
    assert_eq!(cut.len(), 3);
    assert_eq!(logits(&mut ctx, &mut cut, &ids[3..]), want);

    let again: Vec<u32> = ctx.logits(&mut cut).unwrap().into_iter().map(f32::to_bits).collect();
    assert_eq!(again, want);
    assert_eq!(ctx.logits(&mut Cache::new(ctx.pool()).unwrap()).unwrap_err().status(), Status::Empty);

    let mut early = whole.fork_at(2).unwrap();
    assert_eq!(logits(&mut ctx, &mut early, &ids[2..]), want);
    assert_eq!(whole.rewind(1).unwrap(), 0);
    whole.reserve(40).unwrap();
    assert_eq!(logits(&mut ctx, &mut whole, &ids[1..]), want);
}

#[test]
fn what_is_known_is_reused() {
    let model = model();
    let mut ctx = context(&model);
    let ids = tokens(&model, "the hello world and the rest");
    let (mut first, mut second) = (Cache::new(ctx.pool()).unwrap(), Cache::new(ctx.pool()).unwrap());
    let want = logits(&mut ctx, &mut first, &ids);
    first.prefix_add().unwrap();
    let found = second.reuse(&ids).unwrap();
    assert_eq!((found.reused, second.len()), (ids.len() - 1, ids.len() - 1));
    assert_eq!(logits(&mut ctx, &mut second, &ids[found.reused..]), want);
    let info = ctx.pool().prefix_info().unwrap();
    assert_eq!((info.tokens, info.hits), (ids.len() as u64, 1));

    let done =
        ctx.generate(&mut second, None, Request::new(&ids).max_tokens(3).reuse(true), |_, _| ControlFlow::Continue(()));
    assert_eq!(done.unwrap().n_reused, ids.len() - 1);
    let folder = std::env::temp_dir().join(format!("hybridlm-texts-{}", std::process::id()));
    let path = folder.to_str().unwrap();
    ctx.pool().prefix_save(path).unwrap();
    ctx.pool().prefix_clear().unwrap();
    assert_eq!(ctx.pool().prefix_load(path).unwrap(), 0);
    assert!(ctx.pool().prefix_info().unwrap().tokens >= ids.len() as u64);
    std::fs::remove_dir_all(&folder).unwrap();
    ctx.pool().prefix_clear().unwrap();
    assert_eq!(ctx.pool().prefix_info().unwrap().tokens, 0);
    assert!(second.reuse(&[]).is_err());
}

#[test]
fn many_sequences_in_one_step() {
    let model = model();
    let mut ctx = context(&model);
    let (vocab, width) = (model.vocab_size(), model.info().hidden_size);
    let (long, short) = (tokens(&model, "hello world and the rest"), tokens(&model, "the"));
    let (mut a, mut b) = (Cache::new(ctx.pool()).unwrap(), Cache::new(ctx.pool()).unwrap());
    let (mut all, mut last) = (vec![0.0; vocab * long.len()], vec![0.0; vocab]);
    let (mut first, mut end) = (vec![0.0; width * long.len()], vec![0.0; width * long.len()]);
    ctx.decode(&mut [
        Step::new(&mut a, &long)
            .logits_of(Rows::All, &mut all)
            .hidden(Hidden::Layer(0), &mut first)
            .hidden(Hidden::Final, &mut end),
        Step::new(&mut b, &short).logits(&mut last),
    ])
    .unwrap();
    assert!(first.iter().any(|x| *x != 0.0) && end.iter().any(|x| *x != 0.0) && first != end);

    let mut picked = vec![0.0; vocab * 2];
    let rows = [0, long.len() - 1];
    let mut again = Cache::new(ctx.pool()).unwrap();
    ctx.decode(&mut [Step::new(&mut again, &long).logits_of(Rows::List(&rows), &mut picked)]).unwrap();
    assert_eq!(picked[..vocab], all[..vocab]);
    assert_eq!(picked[vocab..], all[vocab * (long.len() - 1)..]);
    let mut alone = Cache::new(ctx.pool()).unwrap();
    let bits: Vec<u32> = last.iter().map(|x| x.to_bits()).collect();
    assert_eq!(logits(&mut ctx, &mut alone, &short), bits);
}

#[test]
fn rows_in_and_weights_out() {
    let model = model();
    let mut ctx = context(&model);
    let info = model.info();
    let ids = tokens(&model, "hello world");
    let want = fresh_logits(&mut ctx, &ids);
    let n = ids.len();
    let (mut rows, mut weights) = (vec![0.0; n * info.hidden_size], vec![0.0; info.n_heads * n * n]);
    let mut cache = Cache::new(ctx.pool()).unwrap();
    let step = Step::new(&mut cache, &ids).hidden(Hidden::Layer(0), &mut rows).attention(1, &mut weights);
    ctx.decode(&mut [step]).unwrap();
    for row in weights.chunks(n) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-3, "{row:?}");
    }
    // What the first layer read, given back to it.
    let mut logits = vec![0.0; model.row_size()];
    let mut again = Cache::new(ctx.pool()).unwrap();
    ctx.decode(&mut [Step::embeddings(&mut again, &rows).logits(&mut logits)]).unwrap();
    assert_eq!(logits.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), want);
    assert_eq!(again.tokens().unwrap(), vec![-1; n]);
    assert_eq!(cache.state(0, State::Scan).unwrap(), []);
    assert_eq!((info.head, info.n_labels, model.label(0)), (Head::Text, 0, None));
}

#[test]
fn recurrent_state_comes_back() {
    let model = Model::load(data("mamba2-dtlimit")).unwrap();
    let options = PoolOptions::new().mark_stride(-1).undo_tokens(4).mark_bytes(1 << 20);
    let pool = Pool::new(&model, &options).unwrap();
    let mut ctx = ContextOptions::new().threads(1).pool(&pool).build(&model).unwrap();
    let mut cache = Cache::new(&pool).unwrap();
    logits(&mut ctx, &mut cache, &[1, 2, 3]);
    cache.mark().unwrap();
    let state = cache.state(0, State::Scan).unwrap();
    assert!(!state.is_empty() && cache.marks().unwrap().contains(&3));
    let want = logits(&mut ctx, &mut cache, &[4, 5]);
    assert_eq!(cache.rewind(3).unwrap(), 0);
    assert_eq!(cache.state(0, State::Scan).unwrap(), state);
    assert_eq!(logits(&mut ctx, &mut cache, &[4, 5]), want);
    cache.unmark(3).unwrap();
    assert!(!cache.marks().unwrap().contains(&3));
}

#[test]
fn classes_of_a_text() {
    let model = Model::load(data("persimmon-seqcls")).unwrap();
    let info = model.info();
    assert_eq!((info.head, info.n_labels), (Head::Sequence, model.row_size()));
    assert!(model.label(0).is_some() && model.label(info.n_labels).is_none());
    let mut ctx = context(&model);
    let mut cache = Cache::new(ctx.pool()).unwrap();
    let mut classes = vec![0.0; info.n_labels];
    ctx.decode(&mut [Step::new(&mut cache, &[1, 2, 3]).logits(&mut classes)]).unwrap();
    let mut wrong = vec![0.0; info.vocab_size];
    assert!(ctx.decode(&mut [Step::new(&mut cache, &[1]).logits(&mut wrong)]).is_err());
    assert_eq!(ctx.stream(&mut cache, None, Request::new(&[1])).unwrap_err().status(), Status::Unsupported);
}

#[test]
fn vectors_and_labels() {
    let model = model();
    let mut ctx = context(&model);
    let ids = tokens(&model, "hello world");
    let vector = ctx.embed(&ids, Pooling::Mean, true).unwrap();
    assert!((vector.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
    assert_ne!(ctx.embed(&ids, Pooling::Last, false).unwrap(), ctx.embed(&ids, Pooling::First, false).unwrap());
    let (score, same) = (ctx.score(&ids).unwrap(), ctx.score_labels(&ids, &ids).unwrap());
    assert_eq!((score.logprobs, score.sum, ids.len() - 1), (same.logprobs, same.sum, same.count));
    let one = ctx.score_labels(&ids, &[-100, ids[1]]).unwrap();
    assert_eq!(one.count, 1);
}

#[test]
fn score_is_the_log_probability() {
    let model = model();
    let mut ctx = context(&model);
    let ids = tokens(&model, "hello world");
    let score = ctx.score(&ids).unwrap();
    assert_eq!(score.logprobs.len(), ids.len() - 1);
    let sum: f64 = score.logprobs.iter().map(|&x| f64::from(x)).sum();
    assert!((sum - score.sum).abs() < 1e-4 && score.sum < 0.0);
}

/// Text and ids by callback and by iterator, with how both ended.
type Run = (Vec<i32>, String, Option<Finish>);

fn both(
    ctx: &mut Context,
    limit: i64,
    sampling: &SamplerOptions,
    request: impl Fn() -> Request<'static>,
) -> (Run, Run) {
    let model = ctx.model().clone();
    let mut called: Run = Default::default();
    let mut cache = Cache::with_max_tokens(ctx.pool(), limit).unwrap();
    let mut sampler = Sampler::new(&model, sampling).unwrap();
    let done = ctx
        .generate(&mut cache, Some(&mut sampler), request(), |id, text| {
            called.0.extend(id);
            called.1.push_str(text);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(done.n_generated, called.0.len());
    called.2 = Some(done.finish);
    let held = cache.tokens().unwrap();

    let mut iterated: Run = Default::default();
    let mut cache = Cache::with_max_tokens(ctx.pool(), limit).unwrap();
    let mut sampler = Sampler::new(&model, sampling).unwrap();
    let mut stream = ctx.stream(&mut cache, Some(&mut sampler), request()).unwrap();
    for token in &mut stream {
        let token = token.unwrap();
        iterated.0.extend(token.id);
        iterated.1.push_str(&token.text);
    }
    iterated.2 = stream.finish();
    assert_eq!(stream.n_generated(), iterated.0.len());
    drop(stream);
    assert_eq!(cache.tokens().unwrap(), held);
    (called, iterated)
}

#[test]
fn the_iterator_is_the_callback_turned_inside_out() {
    const PROMPT: &[i32] = &[259, 264, 271];
    let mut ctx = ContextOptions::new().threads(1).build(&model()).unwrap();
    let mut finishes = Vec::new();
    for seed in 0..12 {
        let sampling = SamplerOptions::new().seed(seed).temperature(1.5).top_k(200).repetition_penalty(1.2);
        let requests: [fn() -> Request<'static>; 5] = [
            || Request::new(PROMPT).max_tokens(20),
            || Request::new(PROMPT).max_tokens(40).stop(&["e", "th", "\u{fffd}"]).show_special(true),
            || Request::new(PROMPT).stop_tokens(&[286, 40, 41, 42, 43, 44, 45]),
            || Request::new(PROMPT).ignore_eos(true),
            || Request::new(PROMPT).stop(&["never seen in any text"]).max_tokens(9),
        ];
        for request in requests {
            let (called, iterated) = both(&mut ctx, 30, &sampling, request);
            assert_eq!(called, iterated);
            finishes.extend(called.2);
        }
    }
    for finish in [Finish::Length, Finish::StopString, Finish::StopToken, Finish::Full] {
        assert!(finishes.contains(&finish), "{finish:?} never came");
    }
}

/// The logits after a step with an adapter, or without.
fn logits_with(ctx: &mut Context, cache: &mut Cache, adapter: Option<&Adapter>, ids: &[i32]) -> Vec<f32> {
    let mut out = vec![0.0; ctx.model().vocab_size()];
    ctx.decode(&mut [Step::new(cache, ids).adapter(adapter).logits(&mut out)]).unwrap();
    out
}

#[test]
fn adapters() {
    let (model, folder) = (model(), lora("adapters"));
    let (plus, minus) = (Adapter::load(&model, &folder).unwrap(), Adapter::with_scale(&model, &folder, -1.0).unwrap());
    let none = Adapter::join(&[&plus, &minus]).unwrap();
    let (info, joined) = (plus.info().unwrap(), none.info().unwrap());
    assert_eq!((info.n_matrices, info.rank, joined.n_matrices, joined.rank), (1, 1, 1, 2));
    assert!(info.bytes > 0 && plus.model().vocab_size() == model.vocab_size());

    let mut ctx = context(&model);
    let ids = tokens(&model, "hello world");
    let mut alone = |adapter: Option<&Adapter>| {
        let mut cache = Cache::new(ctx.pool()).unwrap();
        logits_with(&mut ctx, &mut cache, adapter, &ids)
    };
    let (own, changed, back) = (alone(None), alone(Some(&plus)), alone(Some(&none)));
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(distance(&own, &changed) > 1e-2 && distance(&own, &back) < 1e-4);

    // Both kinds in one batch, and what drops the handle early.
    let (mut a, mut b) = (Cache::new(ctx.pool()).unwrap(), Cache::new(ctx.pool()).unwrap());
    let (mut with, mut without) = (vec![0.0; own.len()], vec![0.0; own.len()]);
    let shared = plus.clone();
    drop(plus);
    let steps =
        &mut [Step::new(&mut a, &ids).adapter(&shared).logits(&mut with), Step::new(&mut b, &ids).logits(&mut without)];
    ctx.decode(steps).unwrap();
    assert_eq!((&with, &without), (&changed, &own));

    // A snapshot needs a pool that knows it; the prefix cache tells the texts apart.
    let pool = Pool::new(&model, &PoolOptions::new()).unwrap();
    let bytes = a.to_bytes().unwrap();
    assert_eq!(Cache::from_bytes(&pool, &bytes).unwrap_err().status(), Status::Mismatch);
    pool.adapt(&Adapter::load(&model, &folder).unwrap()).unwrap();
    assert_eq!(Cache::from_bytes(&pool, &bytes).unwrap().tokens().unwrap(), ids);
    a.prefix_add().unwrap();
    let mut like = Cache::new(ctx.pool()).unwrap();
    assert_eq!(like.reuse(&ids).unwrap().reused, 0);
    assert_eq!(like.reuse_with(&shared, &ids).unwrap().reused, ids.len() - 1);
    drop(shared);
    assert_eq!(ctx.logits(&mut a).unwrap(), changed);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn text_of_adapters() {
    let (model, folder) = (model(), lora("text"));
    let mut ctx = ContextOptions::new().threads(1).build(&model).unwrap();
    let adapter: &'static Adapter = Box::leak(Box::new(Adapter::load(&model, &folder).unwrap()));
    std::fs::remove_dir_all(folder).unwrap();
    let sampling = SamplerOptions::new().seed(3).temperature(1.5);
    const PROMPT: &[i32] = &[259, 264, 271];
    let (called, iterated) = both(&mut ctx, 30, &sampling, || Request::new(PROMPT).max_tokens(9).adapter(adapter));
    assert_eq!(called, iterated);
    assert_ne!(called.0, both(&mut ctx, 30, &sampling, || Request::new(PROMPT).max_tokens(9)).0 .0);
    let mut cache = Cache::new(ctx.pool()).unwrap();
    logits_with(&mut ctx, &mut cache, Some(adapter), PROMPT);
    let mut sampler = Sampler::new(&model, &sampling).unwrap();
    let request = Request::new(&[]).max_tokens(9).adapter(adapter);
    let tokens = ctx.stream(&mut cache, Some(&mut sampler), request).unwrap();
    assert_eq!(tokens.filter_map(|token| token.unwrap().id).collect::<Vec<_>>(), called.0);
}

#[test]
fn generation_goes_on_where_a_cache_ends() {
    let model = model();
    let mut ctx = context(&model);
    let ids = tokens(&model, "hello world");
    let mut cache = Cache::new(ctx.pool()).unwrap();
    let first = ctx.stream(&mut cache, None, Request::new(&ids).max_tokens(1)).unwrap().next().unwrap().unwrap();
    assert_eq!(cache.tokens().unwrap(), ids);
    let again = ctx.stream(&mut cache, None, Request::new(&[]).max_tokens(1)).unwrap().next().unwrap().unwrap();
    assert_eq!(first, again);
}

#[test]
fn drafts_change_nothing() {
    let model = model();
    let (mut ctx, mut drafter) = (context(&model), context(&model));
    let ids = tokens(&model, "hello world");
    let mut kept = Cache::new(drafter.pool()).unwrap();
    let mut written = |speculation: Option<Speculation<'_>>| {
        let (mut cache, mut said) = (Cache::new(ctx.pool()).unwrap(), Vec::new());
        let mut request = Request::new(&ids).max_tokens(30).ignore_eos(true);
        if let Some(speculation) = speculation {
            request = request.speculation(speculation);
        }
        let done = ctx.generate(&mut cache, None, request, |token, _| {
            said.extend(token);
            ControlFlow::Continue(())
        });
        (said, done.unwrap())
    };
    let (plain, slow) = written(None);
    let (text, _) = written(Some(Speculation::default().n_draft(4).ngram(2).n_branches(2).fixed(true)));
    assert_eq!(text, plain);
    let drafts = Speculation::default().ngram(-1).fixed(true).draft(&mut drafter, Some(&mut kept));
    let (text, fast) = written(Some(drafts));
    assert_eq!(text, plain);
    assert!(fast.n_steps < slow.n_steps / 2 && fast.n_accepted > 0 && fast.n_drafted >= fast.n_accepted);
    assert!(kept.len() > ids.len());
}

#[test]
fn snapshots() {
    let model = model();
    let (mut ctx, ids) = (context(&model), tokens(&model, "hello world"));
    let pool = ctx.pool().clone();
    let mut cache = Cache::new(&pool).unwrap();
    ctx.decode(&mut [Step::new(&mut cache, &ids)]).unwrap();
    let bytes = cache.to_bytes().unwrap();
    let path = std::env::temp_dir().join(format!("hybridlm-{}.snapshot", std::process::id()));
    cache.save(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    for loaded in [Cache::from_bytes(&pool, &bytes).unwrap(), Cache::load(&pool, &path).unwrap()] {
        assert_eq!(loaded.tokens().unwrap(), ids);
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(Cache::load(&pool, &path).err().unwrap().status(), Status::Io);
    assert_eq!(Cache::from_bytes(&pool, &bytes[1..]).err().unwrap().status(), Status::Format);
}

#[test]
fn samplers_fork() {
    let model = model();
    let logits: Vec<f32> = (0..288).map(|i| (i % 17) as f32 / 8.0).collect();
    let mut a = Sampler::new(&model, &SamplerOptions::new().seed(3).temperature(1.0)).unwrap();
    a.sample(&logits).unwrap();
    let mut b = a.fork().unwrap();
    let draws: Vec<i32> = (0..20).map(|_| a.sample(&logits).unwrap()).collect();
    assert_eq!(draws, (0..20).map(|_| b.sample(&logits).unwrap()).collect::<Vec<_>>());
    let mut greedy = Sampler::greedy(&model).unwrap();
    assert_eq!(greedy.sample(&logits).unwrap(), 16);
    let mut biased = Sampler::new(&model, &SamplerOptions::new().logit_bias(16, f32::NEG_INFINITY)).unwrap();
    assert_eq!(biased.sample(&logits).unwrap(), 33);
    greedy.accept(5).unwrap();
}

#[test]
fn memory_is_known_before_it_is_taken() {
    let model = model();
    let plan = model.memory_plan(&PlanOptions::new().sequences(4, 64).threads(1)).unwrap();
    assert_eq!(plan.total, plan.weights + plan.state + plan.scratch);
    assert_eq!(plan.weights, model.info().weight_bytes);
    let pool =
        Pool::new(&model, &PoolOptions::new().page_tokens(8).kv_type(KvType::F32).state_type(StateType::F32)).unwrap();
    let mut ctx = ContextOptions::new().threads(1).max_rows(16).pool(&pool).build(&model).unwrap();
    let mut cache = Cache::new(&pool).unwrap();
    logits(&mut ctx, &mut cache, &[1, 2, 3]);
    let usage = pool.usage().unwrap();
    assert!(usage.used > 0 && usage.held >= usage.used);
    drop(cache);
    assert_eq!(pool.usage().unwrap().used, 0);
}

#[test]
fn folders_load_too() {
    let model = ModelOptions::new().cpu(Cpu::Reference).activations(Activations::F32).load(data("tiny-llama")).unwrap();
    assert_eq!(model.info().kernel_class, "ref");
    let words = ModelOptions::new().vocab_only(true).load(data("tiny-llama")).unwrap();
    assert_eq!(tokens(&words, "hello"), tokens(&model, "hello"));
    assert_eq!(Context::new(&words).unwrap_err().status(), Status::Unsupported);
    let quantised = ModelOptions::new().quantise("q8_0").load(data("tiny-llama")).unwrap();
    assert!(quantised.info().weight_bytes < model.info().weight_bytes);
    assert_eq!(ModelOptions::new().quantise("q9").load(data("tiny-llama")).unwrap_err().status(), Status::Unsupported);
}
