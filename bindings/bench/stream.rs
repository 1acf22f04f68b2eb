//! Streaming generation in Rust, to be compared with stream.c.
//!     stream MODEL THREADS TOKENS iterator|callback     text to stdout; "N tokens/s" from the first token on to stderr
use std::io::Write;
use std::ops::ControlFlow;
use std::time::Instant;

use hybridlm::{Cache, ContextOptions, Model, Request, Tokenize};

#[derive(Default)]
struct Clock {
    first: Option<Instant>,
    last: Option<Instant>,
    tokens: u32,
}

impl Clock {
    fn token(&mut self, id: Option<i32>, text: &str) -> std::io::Result<()> {
        let mut out = std::io::stdout();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        if id.is_some() {
            self.last = Some(Instant::now());
            self.first = self.first.or(self.last);
            self.tokens += 1;
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let model = Model::load(&args[1])?;
    let mut ctx = ContextOptions::new()
        .threads(args[2].parse()?)
        .build(&model)?;
    let n_tokens: usize = args[3].parse()?;
    let mut cache = Cache::with_max_tokens(ctx.pool(), n_tokens as i64 + 64)?;
    let prompt = model.tokenize("Once upon a time", Tokenize::NONE)?;
    let request = Request::new(&prompt).max_tokens(n_tokens).ignore_eos(true);
    let mut clock = Clock::default();
    if args[4] == "iterator" {
        for token in ctx.stream(&mut cache, None, request)? {
            let token = token?;
            clock.token(token.id, &token.text)?;
        }
    } else {
        ctx.generate(&mut cache, None, request, |id, text| {
            match clock.token(id, text) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })?;
    }
    let seconds = clock
        .last
        .zip(clock.first)
        .map_or(0.0, |(last, first)| (last - first).as_secs_f64());
    eprintln!("{:.2} tokens/s", f64::from(clock.tokens - 1) / seconds);
    Ok(())
}
