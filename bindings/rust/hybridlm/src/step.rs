//! Steps: new tokens through the model, for one or many sequences at once.
use std::mem::size_of;
use std::ptr;

use crate::cache::Cache;
use crate::context::Context;
use crate::error::{check, Error, Result, Status};
use crate::flags::Hidden;
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
    tokens: &'a [i32],
    rows: Rows<'a>,
    logits: Option<&'a mut [f32]>,
    hidden: Vec<(Hidden, &'a mut [f32])>,
}

impl<'a> Step<'a> {
    /// Tokens to append; no logits.
    pub fn new(cache: &'a mut Cache, tokens: &'a [i32]) -> Step<'a> {
        Step { cache, tokens, rows: Rows::Last, logits: None, hidden: Vec::new() }
    }

    /// Where the logits of the last token go: as many as the vocabulary has tokens.
    pub fn logits(self, out: &'a mut [f32]) -> Step<'a> {
        self.logits_of(Rows::Last, out)
    }

    /// Where the logits of some tokens go: the rows one after another, each as long as the vocabulary.
    pub fn logits_of(mut self, rows: Rows<'a>, out: &'a mut [f32]) -> Step<'a> {
        self.rows = rows;
        self.logits = Some(out);
        self
    }

    /// Where hidden states of all tokens go: a row of `hidden_size` for each. May be asked for several layers.
    pub fn hidden(mut self, which: Hidden, out: &'a mut [f32]) -> Step<'a> {
        self.hidden.push((which, out));
        self
    }

    fn n_rows(&self) -> usize {
        match self.rows {
            Rows::Last => 1,
            Rows::All => self.tokens.len(),
            Rows::List(rows) => rows.len(),
        }
    }

    fn raw(&mut self) -> sys::hlm_step {
        let (rows, n_rows) = match self.rows {
            Rows::List(rows) => (rows.as_ptr(), rows.len()),
            _ => (ptr::null(), 0),
        };
        sys::hlm_step {
            struct_size: size_of::<sys::hlm_step>(),
            cache: self.cache.as_ptr(),
            tokens: self.tokens.as_ptr(),
            n_tokens: self.tokens.len(),
            logits: self.logits.as_mut().map_or(ptr::null_mut(), |out| out.as_mut_ptr()),
            logit_rows: (match self.rows {
                Rows::Last => sys::HLM_ROWS_LAST,
                Rows::All => sys::HLM_ROWS_ALL,
                Rows::List(_) => sys::HLM_ROWS_LIST,
            }) as i32,
            rows,
            n_rows,
            ..Default::default()
        }
    }
}

/// An out-array that is not as long as what will be written into it is refused before anything is computed.
fn check_len(what: &str, index: usize, rows: usize, width: usize, len: usize) -> Result<()> {
    if rows.checked_mul(width) == Some(len) {
        return Ok(());
    }
    let sentence = format!("decode: steps[{index}]: {what} has {len} numbers, {rows} rows of {width} are needed");
    Err(Error::new(Status::Arg, sentence))
}

impl Context {
    /// Runs new tokens through the model: whole prompts, single tokens, or both, for all sequences in one batch. Each
    /// cache grows by its tokens; after an error all are as before, and what the out-arrays hold is undefined.
    pub fn decode(&mut self, steps: &mut [Step<'_>]) -> Result<()> {
        let (vocab, width) = (self.model().vocab_size(), self.model().raw_info().hidden_size as usize);
        let layers = self.model().raw_info().n_layers;
        for (i, step) in steps.iter().enumerate() {
            if let Some(out) = &step.logits {
                check_len("logits", i, step.n_rows(), vocab, out.len())?;
            }
            for (_, out) in &step.hidden {
                check_len("hidden", i, step.tokens.len(), width, out.len())?;
            }
        }
        // Requests first: the steps point to them.
        let requests: Vec<Vec<sys::hlm_hidden>> = steps
            .iter_mut()
            .map(|step| step.hidden.iter_mut().map(|(which, out)| request(*which, layers, out)).collect())
            .collect();
        let request_lists: Vec<Vec<*const sys::hlm_hidden>> =
            requests.iter().map(|of_step| of_step.iter().map(|r| r as *const _).collect()).collect();
        let raw: Vec<sys::hlm_step> = steps
            .iter_mut()
            .zip(&request_lists)
            .map(|(step, list)| sys::hlm_step { hidden: list.as_ptr(), n_hidden: list.len(), ..step.raw() })
            .collect();
        let list: Vec<*const sys::hlm_step> = raw.iter().map(|step| step as *const _).collect();
        let done = check(unsafe { sys::hlm_decode_step(self.as_ptr(), list.as_ptr(), list.len()) });
        self.resume_panic();
        done
    }
}

fn request(which: Hidden, layers: i32, out: &mut [f32]) -> sys::hlm_hidden {
    let layer = match which {
        // Beyond i32 the library refuses it, as it does anything above the number of layers.
        Hidden::Layer(i) => i32::try_from(i).unwrap_or(i32::MAX),
        Hidden::PreNorm => sys::HLM_HIDDEN_PRE_NORM,
        Hidden::Final => layers,
    };
    sys::hlm_hidden { struct_size: size_of::<sys::hlm_hidden>(), layer, reserved: 0, out: out.as_mut_ptr() }
}
