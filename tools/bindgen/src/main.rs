//! `bindgen WASM OUT`: writes the JavaScript glue of the worker's wasm into the folder OUT.
//!
//! This is wasm-bindgen's own generator, as a library at the version of `Cargo.lock`: it always fits the
//! `wasm-bindgen` the worker was compiled with, and nothing has to be installed or downloaded for it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [wasm, out] = arguments.as_slice() else { bail!("usage: bindgen WASM OUT") };
    Bindgen::new()
        .input_path(wasm)
        .out_name("broker")
        .module(true)?
        .typescript(false)
        // After a panic the next request gets a fresh instance: entry.js asks for it.
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .generate(out)
        .with_context(|| format!("{} is not the wasm of the worker", wasm.display()))?;
    // The runtime gives a compiled module for a plain import; source-phase imports are not known to bundlers yet.
    let glue = out.join("broker.js");
    let text = std::fs::read_to_string(&glue).with_context(|| format!("cannot read {}", glue.display()))?;
    std::fs::write(&glue, text.replace("import source ", "import ")).with_context(|| format!("cannot write {}", glue.display()))
}
