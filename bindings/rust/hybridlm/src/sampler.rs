//! Samplers: how tokens are drawn.
use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::size_of;
use std::ptr::{self, NonNull};

use crate::error::{check, Error, Result, Status};
use crate::model::Model;
use crate::sys;

/// A chain of samplers and its random state. May move to another thread, but not be shared.
pub struct Sampler {
    raw: NonNull<sys::hlm_sampler>,
    model: Model,
    /// hybridlm.h: "One call at a time", so not `Sync`.
    _one_thread: PhantomData<Cell<()>>,
}

// hybridlm.h: handles may be freed on any thread, and calls come from any, one at a time.
unsafe impl Send for Sampler {}

impl Sampler {
    /// A sampler for tokens of `model`.
    pub fn new(model: &Model, options: &SamplerOptions) -> Result<Sampler> {
        let mut params = options.params;
        params.logit_bias = options.bias.as_ptr();
        params.n_logit_bias = options.bias.len();
        let mut raw = ptr::null_mut();
        check(unsafe { sys::hlm_sampler_new(&mut raw, model.as_ptr(), &params) })?;
        Sampler::adopt(raw, model)
    }

    /// The largest logit, the lowest id among equals.
    pub fn greedy(model: &Model) -> Result<Sampler> {
        Sampler::new(model, &SamplerOptions::new())
    }

    fn adopt(raw: *mut sys::hlm_sampler, model: &Model) -> Result<Sampler> {
        let raw = NonNull::new(raw).ok_or_else(|| Error::new(Status::Internal, "there is no sampler"))?;
        Ok(Sampler { raw, model: model.clone(), _one_thread: PhantomData })
    }

    /// The same chain, history and random state, independent from now on.
    pub fn fork(&self) -> Result<Sampler> {
        let mut raw = ptr::null_mut();
        check(unsafe { sys::hlm_sampler_fork(&mut raw, self.as_ptr()) })?;
        Sampler::adopt(raw, &self.model)
    }

    /// Draws from a row of logits, as long as the vocabulary. Counts as a draw, but not as accepted.
    pub fn sample(&mut self, logits: &[f32]) -> Result<i32> {
        if logits.len() != self.model.vocab_size() {
            let sentence = format!("sample: {} logits, {} tokens", logits.len(), self.model.vocab_size());
            return Err(Error::new(Status::Arg, sentence));
        }
        let mut token = 0;
        check(unsafe { sys::hlm_sampler_sample(self.as_ptr(), logits.as_ptr(), &mut token) })?;
        Ok(token)
    }

    /// Tells the penalties that `token` became part of the text.
    pub fn accept(&mut self, token: i32) -> Result<()> {
        check(unsafe { sys::hlm_sampler_accept(self.as_ptr(), token) })
    }

    /// The model whose tokens it draws.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The raw handle, borrowed.
    pub fn as_ptr(&self) -> *mut sys::hlm_sampler {
        self.raw.as_ptr()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        unsafe { sys::hlm_sampler_free(self.as_ptr()) }
    }
}

/// A chain, all off by default: greedy. Numbers outside their ranges are refused by [`Sampler::new`].
#[derive(Clone)]
pub struct SamplerOptions {
    /// Its pointers are NULL: `Sampler::new` sets them to `bias`.
    params: sys::hlm_sampler_params,
    bias: Vec<sys::hlm_logit_bias>,
}

// The pointers of `params` are NULL.
unsafe impl Send for SamplerOptions {}
unsafe impl Sync for SamplerOptions {}

impl SamplerOptions {
    /// Greedy.
    pub fn new() -> SamplerOptions {
        let params =
            sys::hlm_sampler_params { struct_size: size_of::<sys::hlm_sampler_params>(), ..Default::default() };
        SamplerOptions { params, bias: Vec::new() }
    }

    /// The same seed gives the same draws everywhere.
    pub fn seed(mut self, seed: u64) -> SamplerOptions {
        self.params.seed = seed;
        self
    }

    /// Adds `bias` to the token's logit; `f32::NEG_INFINITY` forbids it.
    pub fn logit_bias(mut self, token: i32, bias: f32) -> SamplerOptions {
        self.bias.push(sys::hlm_logit_bias { token, bias });
        self
    }

    /// Accepted tokens that the penalties look back on. 0: 64; negative: all.
    pub fn penalty_window(mut self, tokens: i64) -> SamplerOptions {
        self.params.penalty_window = tokens;
        self
    }

    /// Divides positive and multiplies negative logits of seen tokens. 0 or 1: off.
    pub fn repetition_penalty(mut self, penalty: f32) -> SamplerOptions {
        self.params.repetition_penalty = penalty;
        self
    }

    /// Subtracted once for each time a token was seen.
    pub fn frequency_penalty(mut self, penalty: f32) -> SamplerOptions {
        self.params.frequency_penalty = penalty;
        self
    }

    /// Subtracted from every token that was seen.
    pub fn presence_penalty(mut self, penalty: f32) -> SamplerOptions {
        self.params.presence_penalty = penalty;
        self
    }

    /// Keep the k largest. 0: all.
    pub fn top_k(mut self, k: i32) -> SamplerOptions {
        self.params.top_k = k;
        self
    }

    /// Locally typical sampling. 0 or 1: off.
    pub fn typical_p(mut self, p: f32) -> SamplerOptions {
        self.params.typical_p = p;
        self
    }

    /// Keep the smallest set of most likely tokens with mass p. 0 or 1: off.
    pub fn top_p(mut self, p: f32) -> SamplerOptions {
        self.params.top_p = p;
        self
    }

    /// Keep tokens at least min_p times as likely as the likeliest. 0: off.
    pub fn min_p(mut self, p: f32) -> SamplerOptions {
        self.params.min_p = p;
        self
    }

    /// 0: greedy.
    pub fn temperature(mut self, temperature: f32) -> SamplerOptions {
        self.params.temperature = temperature;
        self
    }
}

impl Default for SamplerOptions {
    fn default() -> SamplerOptions {
        SamplerOptions::new()
    }
}
