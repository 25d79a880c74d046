//! The house: which rooms may know the Workers runtime. That the others compile here, where it is not, is these tests;
//! that naming it in them does not compile is shown in the documentation of the crate.

use std::fs;
use std::path::{Path, PathBuf};

/// What only `src/edge` names: the runtime's crates, and the way around their absence on the host.
const RUNTIME: [&str; 8] = ["worker::", "worker_sys", "web_sys", "js_sys", "wasm_bindgen", "getrandom", "target_arch", "target_family"];
/// What no room names: the clock and the files of a host.
const HOST: [&str; 5] = ["SystemTime", "Instant::now", "Utc::now", "std::fs", "std::env"];

fn sources() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(path);
            }
        }
    }
    sources
}

/// The code of a file: its lines without comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn is_edge(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "edge")
}

#[test]
fn only_the_edge_names_the_runtime() {
    let (edge, pure): (Vec<PathBuf>, Vec<PathBuf>) = sources().into_iter().partition(|path| is_edge(path));
    assert!(pure.len() > 20 && edge.len() > 3, "the rooms were found");
    for path in &pure {
        // The map itself says where the edge is: twice, and nothing more.
        let is_map = path.ends_with("src/lib.rs");
        for name in RUNTIME {
            let times = code(path).matches(name).count();
            assert_eq!(times, if is_map && name == "target_arch" { 2 } else { 0 }, "{} names {name}", path.display());
        }
    }
    // The twin: the same search finds the runtime where it is.
    let found = RUNTIME.iter().filter(|name| edge.iter().any(|path| code(path).contains(*name)));
    assert!(found.count() >= 3, "the search finds nothing anywhere");
}

#[test]
fn no_room_asks_for_the_time_or_the_machine() {
    for path in sources() {
        for name in HOST {
            assert!(!code(&path).contains(name), "{} names {name}", path.display());
        }
    }
}
