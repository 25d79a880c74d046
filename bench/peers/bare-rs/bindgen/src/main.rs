//! The part of the `wasm-bindgen` command line that `worker-build` uses, over the same library as the real one.
//!
//! `worker-build` runs the program that `WASM_BINDGEN_BIN` names, and downloads one where there is none. This one comes out
//! of the lock file instead. It takes exactly the flags of worker-build 0.8.7 and refuses any other, so that a newer
//! worker-build cannot be half-obeyed.

#![forbid(unsafe_code)]

use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut bindgen = Bindgen::new();
    // What the real command line sets without being asked; worker-build always asks for no TypeScript.
    bindgen.demangle(true).typescript(false);
    let mut out_dir = None;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--out-dir" => out_dir = Some(PathBuf::from(value()?)),
            "--out-name" => {
                bindgen.out_name(&value()?);
            }
            "--target" => match value()?.as_str() {
                "module" => {
                    bindgen.module(true)?;
                }
                other => bail!("no such target here: {other}"),
            },
            "--no-typescript" => {
                bindgen.typescript(false);
            }
            "--no-demangle" => {
                bindgen.demangle(false);
            }
            "--experimental-reset-state-function" => {
                bindgen.reset_state_function(true);
            }
            "--force-enable-abort-handler" => {
                bindgen.force_enable_abort_handler(true);
            }
            other if other.starts_with("--") => bail!("no such flag here: {other}"),
            input => {
                bindgen.input_path(input);
            }
        }
    }
    bindgen.generate(out_dir.context("--out-dir is missing")?)
}
