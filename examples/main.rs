//! The shortest useful program in Rust: asks a model a question and prints the answer as it comes.
//!     HYBRIDLM_LIB_DIR=build/src/library cargo run --manifest-path bindings/rust/Cargo.toml --release \
//!         --example main -- MODEL.gguf "What is gravity?"
use std::io::Write;

use hybridlm::{Cache, ChatOptions, Context, Model, Request};

fn answer(path: &str, question: &str) -> hybridlm::Result<()> {
    let model = Model::load(path)?;
    let mut ctx = Context::new(&model)?;
    let mut cache = Cache::new(ctx.pool())?;
    let prompt = model.chat_tokenize_messages(&[("user", question)], &ChatOptions::new())?;
    for token in ctx.stream(&mut cache, None, Request::new(&prompt).max_tokens(512))? {
        print!("{}", token?.text);
        let _ = std::io::stdout().flush(); // a closed pipe is no failure of the model
    }
    println!();
    Ok(())
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.len() != 3 {
        eprintln!("usage: main MODEL QUESTION");
        std::process::exit(2);
    }
    if let Err(e) = answer(&args[1], &args[2]) {
        eprintln!("main: {e}");
        std::process::exit(1);
    }
}
