//! Prompt in, tokens out, through the library's own loop; and scores.
use std::ffi::CString;
use std::mem::size_of;
use std::ops::ControlFlow;
use std::os::raw::{c_char, c_void};
use std::ptr;
use std::time::Duration;

use crate::adapter::{raw_adapter, Adapter};
use crate::cache::Cache;
use crate::callback::Caught;
use crate::context::Context;
use crate::error::{c_string, check, Error, Result, Status};
use crate::flags::{Finish, Pooling};
use crate::sampler::Sampler;
use crate::sys;
use crate::text::piece;

type Progress<'a> = Box<dyn FnMut(usize, usize) -> ControlFlow<()> + 'a>;

/// What to generate: for [`Context::generate`] and [`Context::stream`].
#[derive(Default)]
pub struct Request<'a> {
    pub(crate) prompt: &'a [i32],
    pub(crate) max_tokens: usize,
    pub(crate) stop: &'a [&'a str],
    pub(crate) stop_tokens: &'a [i32],
    pub(crate) ignore_eos: bool,
    pub(crate) show_special: bool,
    pub(crate) reuse: bool,
    pub(crate) speculation: Option<Speculation<'a>>,
    pub(crate) adapter: Option<&'a Adapter>,
    pub(crate) progress: Option<Progress<'a>>,
}

impl<'a> Request<'a> {
    /// Appends `prompt` to the cache first. It may be empty only if the cache is not.
    pub fn new(prompt: &'a [i32]) -> Request<'a> {
        Request { prompt, ..Request::default() }
    }

    /// Most tokens to generate. 0: until the cache is full.
    pub fn max_tokens(mut self, n: usize) -> Self {
        self.max_tokens = n;
        self
    }

    /// Strings before the first of which the text ends; none may be empty.
    pub fn stop(mut self, strings: &'a [&'a str]) -> Self {
        self.stop = strings;
        self
    }

    /// Tokens that end generation, besides the model's own.
    pub fn stop_tokens(mut self, tokens: &'a [i32]) -> Self {
        self.stop_tokens = tokens;
        self
    }

    /// Go on past tokens that end an answer.
    pub fn ignore_eos(mut self, on: bool) -> Self {
        self.ignore_eos = on;
        self
    }

    /// Special tokens appear in the text.
    pub fn show_special(mut self, on: bool) -> Self {
        self.show_special = on;
        self
    }

    /// The prompt is the whole text from its beginning: the cache is first brought to what is known of it, and added to the
    /// prefix cache afterwards. For [`Context::generate`].
    pub fn reuse(mut self, on: bool) -> Self {
        self.reuse = on;
        self
    }

    /// Drafts tokens ahead, which changes the time and never the text. For [`Context::generate`].
    pub fn speculation(mut self, speculation: Speculation<'a>) -> Self {
        self.speculation = Some(speculation);
        self
    }

    /// What the prompt and the tokens that follow are run with; `None`: the model alone.
    pub fn adapter(mut self, adapter: impl Into<Option<&'a Adapter>>) -> Self {
        self.adapter = adapter.into();
        self
    }

    /// Called after each part of the prompt with tokens done and in all; may stop with
    /// [`Status::Cancelled`](crate::Status::Cancelled).
    pub fn progress(mut self, progress: impl FnMut(usize, usize) -> ControlFlow<()> + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }
}

/// How to draft, for [`Request::speculation`]. The default drafts from the text itself.
#[derive(Default)]
pub struct Speculation<'a> {
    n_draft: i32,
    ngram: i32,
    n_branches: i32,
    fixed: bool,
    draft: Option<(&'a mut Context, Option<&'a mut Cache>)>,
}

impl<'a> Speculation<'a> {
    /// Most tokens of a draft, up to 64. 0: 8.
    pub fn n_draft(mut self, n: i32) -> Self {
        self.n_draft = n;
        self
    }

    /// Longest run of last tokens that is looked up in the text, up to 64. 0: 8; negative: no drafts from the text.
    pub fn ngram(mut self, n: i32) -> Self {
        self.ngram = n;
        self
    }

    /// Drafts tried at once, up to 8. 0: 1.
    pub fn n_branches(mut self, n: i32) -> Self {
        self.n_branches = n;
        self
    }

    /// Draft as much as the numbers allow at every token, whatever it costs or brings.
    pub fn fixed(mut self, on: bool) -> Self {
        self.fixed = on;
        self
    }

    /// A context of a smaller model with the same vocabulary drafts, on a cache that is kept from call to call, or without.
    pub fn draft(mut self, context: &'a mut Context, cache: Option<&'a mut Cache>) -> Self {
        self.draft = Some((context, cache));
        self
    }

    fn raw(&mut self) -> sys::hlm_speculation {
        let (draft, draft_cache) = match &mut self.draft {
            Some((context, cache)) => (context.as_ptr(), cache.as_mut().map_or(ptr::null_mut(), |c| c.as_ptr())),
            None => (ptr::null_mut(), ptr::null_mut()),
        };
        sys::hlm_speculation {
            struct_size: size_of::<sys::hlm_speculation>(),
            n_draft: self.n_draft,
            ngram: self.ngram,
            n_branches: self.n_branches,
            fixed: self.fixed as i32,
            draft,
            draft_cache,
        }
    }
}

/// How generation went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Generated {
    /// Why it ended.
    pub finish: Finish,
    /// Tokens of the prompt.
    pub n_prompt: usize,
    /// Tokens generated, the ending one included.
    pub n_generated: usize,
    /// Tokens of the prompt that were not run, but for the `n_recomputed` last of them.
    pub n_reused: usize,
    /// How many of those were computed again.
    pub n_recomputed: usize,
    /// Steps of the model after the prompt.
    pub n_steps: usize,
    /// Tokens of drafts that were run in them.
    pub n_drafted: usize,
    /// How many of those became text.
    pub n_accepted: usize,
    /// Wall time of the prompt, up to the first token's logits.
    pub prompt_time: Duration,
    /// Wall time of the rest.
    pub generate_time: Duration,
}

/// Log-probability of each token given those before it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Score {
    /// Natural logarithms, for all tokens but the first.
    pub logprobs: Vec<f32>,
    /// Their sum, added in double.
    pub sum: f64,
}

/// Log-probability of labels.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelScore {
    /// Natural logarithms, of `labels[1..]`; 0 for those left out.
    pub logprobs: Vec<f32>,
    /// Their sum, added in double.
    pub sum: f64,
    /// Labels that were rated.
    pub count: usize,
}

/// What the callbacks of one call see.
struct Calls<'t, 'p> {
    on_token: &'t mut dyn FnMut(Option<i32>, &str) -> ControlFlow<()>,
    progress: Option<Progress<'p>>,
    caught: Caught,
}

unsafe extern "C" fn on_token(user: *mut c_void, token: i32, text: *const c_char, len: usize) -> i32 {
    let calls = unsafe { &mut *(user as *mut Calls<'_, '_>) };
    let text = unsafe { piece(text, len) }.unwrap_or("\u{fffd}");
    let call = &mut calls.on_token;
    calls.caught.run(ControlFlow::Break(()), || call((token >= 0).then_some(token), text)).is_break() as i32
}

unsafe extern "C" fn progress(user: *mut c_void, done: usize, total: usize) -> i32 {
    let calls = unsafe { &mut *(user as *mut Calls<'_, '_>) };
    let call = &mut calls.progress;
    let flow = calls.caught.run(ControlFlow::Break(()), || match call {
        Some(progress) => progress(done, total),
        None => ControlFlow::Continue(()),
    });
    flow.is_break() as i32
}

impl Context {
    /// Generates until the request is fulfilled. `on_token` gets each token with the text that became certain, and may
    /// stop; the last call, without token, brings what was held back. Afterwards the cache holds the prompt and all
    /// generated tokens but the last one, which has not been run. A panic in a callback stops, and then goes on.
    pub fn generate(
        &mut self,
        cache: &mut Cache,
        sampler: Option<&mut Sampler>,
        request: Request<'_>,
        mut on_token_call: impl FnMut(Option<i32>, &str) -> ControlFlow<()>,
    ) -> Result<Generated> {
        let stop = request.stop.iter().map(|s| c_string("a stop string", s)).collect::<Result<Vec<CString>>>()?;
        let stop_list: Vec<*const c_char> = stop.iter().map(|s| s.as_ptr()).collect();
        let mut calls = Calls { on_token: &mut on_token_call, progress: request.progress, caught: Caught::default() };
        let mut speculation = request.speculation;
        let drafts = speculation.as_mut().map(Speculation::raw);
        let params = sys::hlm_generate_params {
            struct_size: size_of::<sys::hlm_generate_params>(),
            prompt: request.prompt.as_ptr(),
            n_prompt: request.prompt.len(),
            max_tokens: request.max_tokens,
            stop: stop_list.as_ptr(),
            n_stop: stop_list.len(),
            stop_tokens: request.stop_tokens.as_ptr(),
            n_stop_tokens: request.stop_tokens.len(),
            ignore_eos: request.ignore_eos as i32,
            show_special: request.show_special as i32,
            reuse: request.reuse as i32,
            speculation: drafts.as_ref().map_or(ptr::null(), |d| d),
            adapter: raw_adapter(request.adapter),
            progress: Some(progress),
            on_token: Some(on_token),
            user: (&mut calls as *mut Calls<'_, '_>).cast(),
            ..Default::default()
        };
        let mut out =
            sys::hlm_generate_result { struct_size: size_of::<sys::hlm_generate_result>(), ..Default::default() };
        let raw_sampler = sampler.map_or(ptr::null_mut(), |s| s.as_ptr());
        let done = check(unsafe { sys::hlm_generate(self.as_ptr(), cache.as_ptr(), raw_sampler, &params, &mut out) });
        calls.caught.resume();
        self.resume_panic();
        if let Some((drafter, _)) = speculation.and_then(|s| s.draft) {
            drafter.resume_panic();
        }
        done?;
        Ok(Generated {
            finish: Finish::from_raw(out.finish),
            n_prompt: out.n_prompt,
            n_generated: out.n_generated,
            n_reused: out.n_reused,
            n_recomputed: out.n_recomputed,
            n_steps: out.n_steps,
            n_drafted: out.n_drafted,
            n_accepted: out.n_accepted,
            prompt_time: Duration::from_nanos(out.prompt_ns),
            generate_time: Duration::from_nanos(out.generate_ns),
        })
    }

    /// Log-probability of each token given those before it, from the beginning of a text. At least 2 tokens.
    pub fn score(&mut self, tokens: &[i32]) -> Result<Score> {
        let LabelScore { logprobs, sum, .. } = self.rate(tokens, ptr::null())?;
        Ok(Score { logprobs, sum })
    }

    /// The same for given labels: `logprobs[i - 1]` is that of `labels[i]` after the tokens before it. A negative label
    /// is left out.
    pub fn score_labels(&mut self, tokens: &[i32], labels: &[i32]) -> Result<LabelScore> {
        if labels.len() != tokens.len() {
            let sentence = format!("score_labels: {} labels, {} tokens", labels.len(), tokens.len());
            return Err(Error::new(Status::Arg, sentence));
        }
        self.rate(tokens, labels.as_ptr())
    }

    /// `labels` is NULL, or there are as many as tokens.
    fn rate(&mut self, tokens: &[i32], labels: *const i32) -> Result<LabelScore> {
        let mut logprobs = vec![0.0; tokens.len().saturating_sub(1)];
        let params = sys::hlm_score_params {
            struct_size: size_of::<sys::hlm_score_params>(),
            tokens: tokens.as_ptr(),
            n_tokens: tokens.len(),
            labels,
            logprobs: logprobs.as_mut_ptr(),
        };
        let mut out = sys::hlm_score_result { struct_size: size_of::<sys::hlm_score_result>(), ..Default::default() };
        let done = check(unsafe { sys::hlm_score(self.as_ptr(), &params, &mut out) });
        self.resume_panic();
        done?;
        Ok(LabelScore { logprobs, sum: out.sum, count: out.n_scored })
    }

    /// A text's vector of `hidden_size`, for search and comparison; scaled to length 1 if `normalise`.
    pub fn embed(&mut self, tokens: &[i32], pooling: Pooling, normalise: bool) -> Result<Vec<f32>> {
        let mut out = vec![0.0; self.model().raw_info().hidden_size as usize];
        let params = sys::hlm_embed_params {
            struct_size: size_of::<sys::hlm_embed_params>(),
            tokens: tokens.as_ptr(),
            n_tokens: tokens.len(),
            pooling: pooling.raw(),
            normalise: normalise.into(),
        };
        let done = check(unsafe { sys::hlm_embed(self.as_ptr(), &params, out.as_mut_ptr()) });
        self.resume_panic();
        done?;
        Ok(out)
    }
}
