//! Steps: new tokens through the model, for one or many sequences at once.
use std::mem::size_of;
use std::ptr;

use crate::adapter::{raw_adapter, Adapter};
use crate::cache::Cache;
use crate::context::Context;
use crate::error::{check, Error, Result, Status};
use crate::flags::Hidden;
use crate::model::Model;
use crate::sys;

/// Which of a step's tokens give logits.
#[derive(Clone, Copy, Debug, Default)]
pub enum Rows<'a> {
    /// The last one.
    #[default]
    Last,
    /// All.
    All,
    /// Those with these indices, ascending, each once.
    List(&'a [usize]),
}

/// New tokens for one sequence. That it borrows the cache keeps it from being in a batch twice.
pub struct Step<'a> {
    cache: &'a mut Cache,
    input: Input<'a>,
    rows: Rows<'a>,
    logits: Option<&'a mut [f32]>,
    hidden: Vec<(Hidden, &'a mut [f32])>,
    attention: Vec<(usize, &'a mut [f32])>,
    adapter: Option<&'a Adapter>,
}

#[derive(Clone, Copy)]
enum Input<'a> {
    Tokens(&'a [i32]),
    Embeddings(&'a [f32]),
}

impl<'a> Step<'a> {
    /// Tokens to append; no logits.
    pub fn new(cache: &'a mut Cache, tokens: &'a [i32]) -> Step<'a> {
        Step::of(cache, Input::Tokens(tokens))
    }

    /// Rows that the first layer reads in place of tokens, `hidden_size` numbers for each: images, soft prompts.
    pub fn embeddings(cache: &'a mut Cache, rows: &'a [f32]) -> Step<'a> {
        Step::of(cache, Input::Embeddings(rows))
    }

    fn of(cache: &'a mut Cache, input: Input<'a>) -> Step<'a> {
        Step { cache, input, rows: Rows::Last, logits: None, hidden: Vec::new(), attention: Vec::new(), adapter: None }
    }

    /// Where the logits of the last token go: as many as [`Model::row_size`] says.
    pub fn logits(self, out: &'a mut [f32]) -> Step<'a> {
        self.logits_of(Rows::Last, out)
    }

    /// Where the logits of some tokens go: the rows one after another.
    pub fn logits_of(mut self, rows: Rows<'a>, out: &'a mut [f32]) -> Step<'a> {
        self.rows = rows;
        self.logits = Some(out);
        self
    }

    /// Where hidden states of all tokens go: a row for each, as long as [`Model::hidden_width`] says. May be asked for
    /// several times.
    pub fn hidden(mut self, which: Hidden, out: &'a mut [f32]) -> Step<'a> {
        self.hidden.push((which, out));
        self
    }

    /// Where the attention weights of a layer go: for each head and new token, one for each position of the cache after
    /// the step. A slower path of its own, which changes nothing else.
    pub fn attention(mut self, layer: usize, out: &'a mut [f32]) -> Step<'a> {
        self.attention.push((layer, out));
        self
    }

    /// What the tokens are run with; `None`: the model alone. Each step of a batch may have another.
    pub fn adapter(mut self, adapter: impl Into<Option<&'a Adapter>>) -> Step<'a> {
        self.adapter = adapter.into();
        self
    }

    fn n_tokens(&self, width: usize) -> usize {
        match self.input {
            Input::Tokens(tokens) => tokens.len(),
            Input::Embeddings(rows) => rows.len() / width.max(1),
        }
    }

    fn n_rows(&self, n_tokens: usize) -> usize {
        match self.rows {
            Rows::Last => 1,
            Rows::All => n_tokens,
            Rows::List(rows) => rows.len(),
        }
    }

    /// Arrays that are not as long as what will be read from or written into them are refused before anything is
    /// computed.
    fn check(&self, index: usize, model: &Model) -> Result<()> {
        let info = model.raw_info();
        let width = info.hidden_size as usize;
        let n = self.n_tokens(width);
        if let Input::Embeddings(rows) = self.input {
            check_len("embeddings", index, n, width, rows.len())?;
        }
        if let Some(out) = &self.logits {
            check_len("logits", index, self.n_rows(n), model.row_size(), out.len())?;
        }
        for (which, out) in &self.hidden {
            check_len("hidden", index, n, model.hidden_width(*which), out.len())?;
        }
        for (_, out) in &self.attention {
            let length = self.cache.len().saturating_add(n);
            check_len("attention", index, (info.n_heads as usize).saturating_mul(n), length, out.len())?;
        }
        Ok(())
    }

    fn raw(&mut self, width: usize) -> sys::hlm_step {
        let (rows, n_rows) = match self.rows {
            Rows::List(rows) => (rows.as_ptr(), rows.len()),
            _ => (ptr::null(), 0),
        };
        let (tokens, embeddings) = match self.input {
            Input::Tokens(tokens) => (tokens.as_ptr(), ptr::null()),
            Input::Embeddings(rows) => (ptr::null(), rows.as_ptr()),
        };
        sys::hlm_step {
            struct_size: size_of::<sys::hlm_step>(),
            cache: self.cache.as_ptr(),
            tokens,
            embeddings,
            n_tokens: self.n_tokens(width),
            logits: self.logits.as_mut().map_or(ptr::null_mut(), |out| out.as_mut_ptr()),
            logit_rows: (match self.rows {
                Rows::Last => sys::HLM_ROWS_LAST,
                Rows::All => sys::HLM_ROWS_ALL,
                Rows::List(_) => sys::HLM_ROWS_LIST,
            }) as i32,
            rows,
            n_rows,
            adapter: raw_adapter(self.adapter),
            ..Default::default()
        }
    }
}

fn check_len(what: &str, index: usize, rows: usize, width: usize, len: usize) -> Result<()> {
    if rows.checked_mul(width) == Some(len) {
        return Ok(());
    }
    let sentence = format!("decode: steps[{index}]: {what} has {len} numbers, {rows} rows of {width} are needed");
    Err(Error::new(Status::Arg, sentence))
}

/// The raw requests of a step and the list of pointers to them.
struct Requests {
    hidden: Vec<sys::hlm_hidden>,
    attention: Vec<sys::hlm_attention>,
    hidden_list: Vec<*const sys::hlm_hidden>,
    attention_list: Vec<*const sys::hlm_attention>,
}

impl Requests {
    fn new(step: &mut Step<'_>, layers: i32) -> Requests {
        let hidden: Vec<_> = step.hidden.iter_mut().map(|(which, out)| hidden(*which, layers, out)).collect();
        let attention: Vec<_> = step.attention.iter_mut().map(|(layer, out)| attention(*layer, out)).collect();
        let hidden_list = hidden.iter().map(|r| r as *const _).collect();
        let attention_list = attention.iter().map(|r| r as *const _).collect();
        Requests { hidden, attention, hidden_list, attention_list } // a moved Vec keeps its elements where they are
    }

    fn fill(&self, step: &mut sys::hlm_step) {
        step.hidden = self.hidden_list.as_ptr();
        step.n_hidden = self.hidden.len();
        step.attention = self.attention_list.as_ptr();
        step.n_attention = self.attention.len();
    }
}

impl Context {
    /// Runs new tokens through the model: whole prompts, single tokens, or both, for all sequences in one batch. Each
    /// cache grows by its tokens; after an error all are as before, and what the out-arrays hold is undefined.
    pub fn decode(&mut self, steps: &mut [Step<'_>]) -> Result<()> {
        let info = *self.model().raw_info();
        for (i, step) in steps.iter().enumerate() {
            step.check(i, self.model())?;
        }
        let requests: Vec<Requests> = steps.iter_mut().map(|step| Requests::new(step, info.n_layers)).collect();
        let mut raw: Vec<sys::hlm_step> = steps.iter_mut().map(|step| step.raw(info.hidden_size as usize)).collect();
        raw.iter_mut().zip(&requests).for_each(|(step, requests)| requests.fill(step));
        let list: Vec<*const sys::hlm_step> = raw.iter().map(|step| step as *const _).collect();
        let done = check(unsafe { sys::hlm_decode_step(self.as_ptr(), list.as_ptr(), list.len()) });
        self.resume_panic();
        done
    }

    /// The logits behind a cache's last token once more, as its step gave them: after a fork, a rewind, a load.
    pub fn logits(&mut self, cache: &mut Cache) -> Result<Vec<f32>> {
        let mut out = vec![0.0; self.model().row_size()];
        let done = check(unsafe { sys::hlm_cache_logits(self.as_ptr(), cache.as_ptr(), out.as_mut_ptr()) });
        self.resume_panic();
        done?;
        Ok(out)
    }
}

/// A number of a layer; beyond i32 the library refuses it, as it does anything above the number of layers.
fn layer_number(layer: usize) -> i32 {
    i32::try_from(layer).unwrap_or(i32::MAX)
}

fn hidden(which: Hidden, layers: i32, out: &mut [f32]) -> sys::hlm_hidden {
    let layer = match which {
        Hidden::Layer(i) | Hidden::Attention(i) | Hidden::Recurrence(i) => layer_number(i),
        Hidden::PreNorm => sys::HLM_HIDDEN_PRE_NORM,
        Hidden::Final => layers,
    };
    let struct_size = size_of::<sys::hlm_hidden>();
    sys::hlm_hidden { struct_size, layer, kind: which.kind(), out: out.as_mut_ptr(), ..Default::default() }
}

fn attention(layer: usize, out: &mut [f32]) -> sys::hlm_attention {
    let struct_size = size_of::<sys::hlm_attention>();
    sys::hlm_attention { struct_size, layer: layer_number(layer), out: out.as_mut_ptr(), ..Default::default() }
}
