//! What the tests share: small models of the project's own.
#![allow(dead_code)]
use std::path::PathBuf;

use hybridlm::{Cache, Context, ContextOptions, Model, Step, Tokenize};

pub fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../test/data/models").join(name)
}

/// A Llama of two layers with a tokenizer of 288 tokens and a chat template.
pub fn model() -> Model {
    Model::load(data("tiny-llama")).unwrap()
}

pub fn context(model: &Model) -> Context {
    ContextOptions::new().threads(2).build(model).unwrap()
}

pub fn tokens(model: &Model, text: &str) -> Vec<i32> {
    model.tokenize(text, Tokenize::NONE).unwrap()
}

/// The logits after `tokens`, as bits: the promise is equality.
pub fn logits(ctx: &mut Context, cache: &mut Cache, tokens: &[i32]) -> Vec<u32> {
    let mut out = vec![0.0; ctx.model().vocab_size()];
    ctx.decode(&mut [Step::new(cache, tokens).logits(&mut out)]).unwrap();
    out.iter().map(|x: &f32| x.to_bits()).collect()
}

/// The same in a sequence of its own.
pub fn fresh_logits(ctx: &mut Context, tokens: &[i32]) -> Vec<u32> {
    let mut cache = Cache::new(ctx.pool()).unwrap();
    logits(ctx, &mut cache, tokens)
}

/// A PEFT folder of rank 1 for a matrix of tiny-llama, as the test's own file; to be removed.
pub fn lora(test: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("hybridlm-rust-{}-{test}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("adapter_config.json"), r#"{"peft_type": "LORA", "r": 1, "lora_alpha": 1}"#).unwrap();
    let matrix = "base_model.model.model.layers.0.mlp.down_proj.lora_";
    let header = format!(
        "{{\"{matrix}A.weight\": {{\"dtype\": \"F32\", \"shape\": [1, 32], \"data_offsets\": [0, 128]}}, \
         \"{matrix}B.weight\": {{\"dtype\": \"F32\", \"shape\": [16, 1], \"data_offsets\": [128, 192]}}}}"
    );
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes());
    file.extend((0..48).flat_map(|i| ((i % 5) as f32 - 1.0).to_le_bytes()));
    std::fs::write(folder.join("adapter_model.safetensors"), file).unwrap();
    folder
}
