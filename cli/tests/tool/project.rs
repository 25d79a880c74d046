//! A project with the repository's own wrangler.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::{Said, run, tool};

/// A project with a `wrangler.toml` of its own, and the wrangler of this repository.
pub(crate) struct Project {
    pub(crate) root: TempDir,
    path: std::ffi::OsString,
}

impl Project {
    /// `None`, said aloud, where this machine cannot run wrangler; with `EDGE_BROKER_REQUIRE_WRANGLER` that is a failure.
    pub(crate) fn new() -> Option<Self> {
        let wrangler = match wrangler() {
            Ok(wrangler) => wrangler,
            Err(reason) if std::env::var_os("EDGE_BROKER_REQUIRE_WRANGLER").is_some() => panic!("wrangler is required: {reason}"),
            Err(reason) => {
                eprintln!("skipped: {reason}");
                return None;
            }
        };
        let root = tempfile::tempdir().unwrap();
        std::fs::write(
            root.path().join("wrangler.toml"),
            "name = \"sessions\"\nmain = \"worker.js\"\ncompatibility_date = \"2026-01-01\"\n\
             [[kv_namespaces]]\nbinding = \"SESSIONS\"\nid = \"local\"\n\
             [env.production]\nname = \"sessions-production\"\n\
             [[env.production.kv_namespaces]]\nbinding = \"SESSIONS\"\nid = \"0123456789abcdef0123456789abcdef\"\n\
             [env.bare]\nname = \"sessions-bare\"\n",
        )
        .unwrap();
        let mut path = wrangler.into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        Some(Self { root, path })
    }

    /// Wrangler's own configuration and logs stay in the project too.
    fn here(&self, mut command: Command) -> Command {
        command.current_dir(self.root.path()).env("PATH", &self.path).env("XDG_CONFIG_HOME", self.root.path().join("config"));
        command.env("TMPDIR", self.root.path()).env("WRANGLER_SEND_METRICS", "false");
        for variable in ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_BASE_URL"] {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn tool(&self, arguments: &[&str]) -> Command {
        self.here(tool(arguments))
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        run(&mut self.tool(arguments))
    }

    /// Wrangler itself, for a second opinion.
    pub(crate) fn wrangler(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new("wrangler");
        command.args(arguments).stdin(Stdio::null());
        run(&mut self.here(command))
    }
}

/// The directory of the repository's wrangler, if the Node on PATH runs it.
fn wrangler() -> Result<PathBuf, String> {
    let bin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node_modules/.bin");
    let bin = bin.canonicalize().map_err(|_| "node_modules is not there (npm ci)".to_owned())?;
    let program = bin.join("wrangler");
    if !program.is_file() {
        return Err("node_modules has no wrangler (npm ci)".to_owned());
    }
    let version = Command::new(&program).arg("--version").env("WRANGLER_SEND_METRICS", "false").stdin(Stdio::null()).output();
    match version {
        Ok(output) if output.status.success() => Ok(bin),
        _ => Err("wrangler does not run with the Node on PATH (it takes 22.12 or later)".to_owned()),
    }
}
