//! Generation as an iterator: the loop of [`Context::generate`], turned inside out.
use std::ops::ControlFlow;

use crate::cache::Cache;
use crate::context::Context;
use crate::error::{Error, Result, Status};
use crate::flags::{Detokenize, Finish, Head};
use crate::generate::Request;
use crate::sampler::Sampler;
use crate::step::Step;
use crate::stop::Stop;
use crate::text::TextStream;

/// Tokens of the prompt run between two calls of progress.
const PROMPT_PART: usize = 512;

/// A generated token and the text that became certain with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// `None` for the last item, if text was held back until the end.
    pub id: Option<i32>,
    /// Perhaps empty; a token that ends the answer has no text.
    pub text: String,
}

/// Generated tokens, computed as they are asked for; see [`Context::stream`].
pub struct Stream<'a> {
    ctx: &'a mut Context,
    cache: &'a mut Cache,
    sampler: Draw<'a>,
    request: Request<'a>,
    logits: Vec<f32>,
    /// `None` for a model without tokenizer.
    text: Option<TextStream>,
    stop: Stop<'a>,
    state: State,
    n_generated: usize,
    finish: Option<Finish>,
}

enum Draw<'a> {
    Own(Sampler),
    Borrowed(&'a mut Sampler),
}

enum State {
    Prompt,
    /// This token was given out, and has not been run.
    Token(i32),
    /// All tokens were given out; held text may be left.
    Text,
    End,
}

impl Context {
    /// The same as [`generate`](Context::generate), as an iterator. Nothing is computed before it is asked for. After
    /// an error it ends. Dropped early, the cache holds what was run: all given tokens but the last.
    pub fn stream<'a>(
        &'a mut self,
        cache: &'a mut Cache,
        sampler: Option<&'a mut Sampler>,
        request: Request<'a>,
    ) -> Result<Stream<'a>> {
        if request.prompt.is_empty() && cache.is_empty() {
            return Err(Error::new(Status::Empty, "stream: no prompt, and the cache is empty"));
        }
        let sampler = match sampler {
            Some(s) if s.model().as_ptr() != self.model().as_ptr() => {
                return Err(Error::new(Status::Mismatch, "stream: the sampler belongs to another model"));
            }
            Some(s) => Draw::Borrowed(s),
            None => Draw::Own(Sampler::greedy(self.model())?),
        };
        let flags = if request.show_special { Detokenize::NONE } else { Detokenize::SKIP_SPECIAL };
        let text = match TextStream::new(self.model(), flags) {
            Err(e) if e.status() == Status::Unsupported => None,
            other => Some(other?),
        };
        match Head::from_raw(self.model().raw_info().head) {
            Head::Text => {}
            Head::None => return Err(Error::new(Status::Unsupported, "stream: the model has no head, so no text")),
            _ => return Err(Error::new(Status::Unsupported, "stream: the model's head gives classes, not text")),
        }
        let logits = vec![0.0; self.model().vocab_size()];
        let stop = Stop::new(request.stop)?;
        let state = State::Prompt;
        Ok(Stream { ctx: self, cache, sampler, request, logits, text, stop, state, n_generated: 0, finish: None })
    }
}

impl Stream<'_> {
    /// Why it ended; `None` as long as it goes on, and after an error.
    pub fn finish(&self) -> Option<Finish> {
        self.finish
    }

    /// Tokens generated so far, the ending one included.
    pub fn n_generated(&self) -> usize {
        self.n_generated
    }

    fn run_prompt(&mut self) -> Result<()> {
        if self.request.prompt.is_empty() {
            self.logits = self.ctx.logits(self.cache)?;
            return Ok(());
        }
        let total = self.request.prompt.len();
        let mut done = 0;
        for part in self.request.prompt.chunks(PROMPT_PART) {
            done += part.len();
            let step = Step::new(self.cache, part).adapter(self.request.adapter);
            let step = if done == total { step.logits(&mut self.logits) } else { step };
            self.ctx.decode(&mut [step])?;
            if let Some(progress) = &mut self.request.progress {
                if let ControlFlow::Break(()) = progress(done, total) {
                    let sentence = format!("stream: progress stopped it after {done} of {total} prompt tokens");
                    return Err(Error::new(Status::Cancelled, sentence));
                }
            }
        }
        Ok(())
    }

    fn run_token(&mut self, id: i32) -> Result<()> {
        let ids = [id];
        let step = Step::new(self.cache, &ids).adapter(self.request.adapter);
        self.ctx.decode(&mut [step.logits(&mut self.logits)])
    }

    fn draw(&mut self) -> Result<i32> {
        let sampler = match &mut self.sampler {
            Draw::Own(sampler) => sampler,
            Draw::Borrowed(sampler) => sampler,
        };
        let id = sampler.sample(&self.logits)?;
        sampler.accept(id)?;
        Ok(id)
    }

    fn ends(&self, id: i32) -> bool {
        (!self.request.ignore_eos && self.ctx.model().token_ends(id)) || self.request.stop_tokens.contains(&id)
    }

    /// Draws the next token from the logits.
    fn next_token(&mut self) -> Result<Token> {
        let id = self.draw()?;
        let end = self.ends(id);
        let text = match &mut self.text {
            Some(stream) if !end => self.stop.feed(stream.push(id)?),
            _ => String::new(),
        };
        self.n_generated += 1;
        if end {
            self.finish = Some(Finish::StopToken);
        } else if self.stop.found {
            self.finish = Some(Finish::StopString);
        } else if self.request.max_tokens != 0 && self.n_generated >= self.request.max_tokens {
            self.finish = Some(Finish::Length);
        }
        self.state = if self.finish.is_some() { State::Text } else { State::Token(id) };
        Ok(Token { id: Some(id), text })
    }

    /// What was held back, if it is anything.
    fn last_text(&mut self) -> Result<Option<Token>> {
        self.state = State::End;
        let text = match &mut self.text {
            Some(stream) if matches!(self.finish, Some(Finish::Length | Finish::Full)) => {
                self.stop.close(stream.cut()?)
            }
            Some(stream) => self.stop.close(stream.finish()?),
            None => String::new(),
        };
        Ok(if text.is_empty() { None } else { Some(Token { id: None, text }) })
    }

    fn advance(&mut self) -> Result<Option<Token>> {
        match self.state {
            State::Prompt => {
                self.run_prompt()?;
                if let Some(stream) = &mut self.text {
                    stream.begin(&self.cache.tokens()?)?;
                }
            }
            State::Token(id) => match self.run_token(id) {
                Err(e) if e.status() == Status::Full => {
                    self.finish = Some(Finish::Full);
                    return self.last_text();
                }
                done => done?,
            },
            State::Text => return self.last_text(),
            State::End => return Ok(None),
        }
        self.next_token().map(Some)
    }
}

impl Iterator for Stream<'_> {
    type Item = Result<Token>;

    fn next(&mut self) -> Option<Result<Token>> {
        let item = self.advance();
        if item.is_err() {
            self.state = State::End;
            self.finish = None;
        }
        item.transpose()
    }
}

impl std::iter::FusedIterator for Stream<'_> {}
