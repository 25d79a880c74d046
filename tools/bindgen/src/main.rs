//! `bindgen WASM OUT`: writes the JavaScript glue of the worker's wasm into the folder OUT.
//!
//! This is wasm-bindgen's own generator, as a library at the version of `Cargo.lock`: it always fits the
//! `wasm-bindgen` the worker was compiled with, and nothing has to be installed or downloaded for it.
//!
//! The crate `worker` exports classes for features that this worker has no use for. An export is never dead code to a
//! linker or an optimiser, so their halves of the glue are dropped here, and the functions that only they kept.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

/// The classes that nothing here makes or takes.
const UNUSED_CLASSES: [&str; 6] =
    ["ContainerStartupOptions", "IntoUnderlyingByteSource", "IntoUnderlyingSink", "IntoUnderlyingSource", "MinifyConfig", "R2Range"];

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [wasm, out] = arguments.as_slice() else { bail!("usage: bindgen WASM OUT") };
    let mut generated = Bindgen::new()
        .input_path(wasm)
        .out_name("broker")
        .module(true)?
        .typescript(false)
        // After a panic the next request gets a fresh instance: entry.js asks for it.
        .reset_state_function(true)
        .generate_output()
        .with_context(|| format!("{} is not the wasm of the worker", wasm.display()))?;
    let is_unused = |export: &str| UNUSED_CLASSES.iter().any(|class| belongs_to(export, class));
    let module = generated.wasm_mut();
    let unused: Vec<_> = module.exports.iter().filter(|export| is_unused(&export.name)).map(walrus::Export::id).collect();
    for export in unused {
        module.exports.delete(export);
    }
    walrus::passes::gc::run(module);
    generated.emit(out).with_context(|| format!("cannot write to {}", out.display()))?;

    let glue = out.join("broker.js");
    let text = std::fs::read_to_string(&glue).with_context(|| format!("cannot read {}", glue.display()))?;
    // The runtime gives a compiled module for a plain import; source-phase imports are not known to bundlers yet.
    let text = UNUSED_CLASSES.iter().fold(text.replace("import source ", "import "), |text, class| without_class(&text, class));
    std::fs::write(&glue, text).with_context(|| format!("cannot write {}", glue.display()))
}

/// Whether a wasm export is a member of a class: `__wbg_<class>_free`, `__wbg_get_<class>_x`, `<class>_method`.
fn belongs_to(export: &str, class: &str) -> bool {
    let name = ["__wbg_get_", "__wbg_set_", "__wbg_"].iter().find_map(|prefix| export.strip_prefix(prefix)).unwrap_or(export);
    name.strip_prefix(&class.to_lowercase()).is_some_and(|rest| rest.starts_with('_'))
}

/// The glue without the statements that define a class: the class itself, its finalizer, and the line that makes it
/// disposable. Each begins at the start of a line, and ends with the first line after it that closes at the start of one.
fn without_class(glue: &str, class: &str) -> String {
    let begins = [format!("export class {class} "), format!("class {class} "), format!("const {class}Finalization ")];
    let disposable = format!("{class}.prototype[Symbol.dispose] =");
    let mut kept = String::with_capacity(glue.len());
    let mut inside = false;
    for line in glue.lines() {
        if inside {
            inside = !line.starts_with('}');
        } else if begins.iter().any(|begin| line.starts_with(begin)) {
            inside = true;
        } else if !line.contains(&disposable) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}
