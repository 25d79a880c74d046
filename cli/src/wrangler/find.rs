//! Which wrangler to run.
//!
//! In order: the one named on the command line or in `EDGE_BROKER_WRANGLER`; the one that the project has installed, in the
//! nearest `node_modules` above the working directory or the configuration; the one on `PATH`. The project's own is run as
//! `npx` would run it, with the project's `node` before any other, but without `npx`, which may ask or download.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The variable that names a wrangler.
const WRANGLER_VARIABLE: &str = "EDGE_BROKER_WRANGLER";
/// What to do where there is none.
pub(super) const REMEDY: &str = "run npm ci in the project, or name one with --wrangler or EDGE_BROKER_WRANGLER";

/// A program, and the `PATH` it needs where it is not our own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) program: PathBuf,
    pub(super) path: Option<OsString>,
}

pub(super) fn find(named: Option<PathBuf>, config: Option<&PathBuf>) -> Result<Found, Error> {
    let named = named.or_else(|| std::env::var_os(WRANGLER_VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from));
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(program) = named {
        // A bare name is looked up on PATH when it is run.
        return Ok(Found { program, path: None });
    }
    let working = std::env::current_dir().ok();
    let configured = config.and_then(|file| std::path::absolute(file).ok()).and_then(|file| file.parent().map(Path::to_path_buf));
    let starts = [working, configured];
    let in_project = starts.iter().flatten().find_map(|start| in_project(start));
    let found = in_project.map(|bin| Found { program: bin.join("wrangler"), path: before(&bin, &path) });
    found
        .or_else(|| on_path(&path).map(|program| Found { program, path: None }))
        .ok_or_else(|| Error::outside(format!("there is no wrangler here: {REMEDY}")))
}

/// The nearest `node_modules/.bin` with a wrangler in it, from a directory upwards.
fn in_project(start: &Path) -> Option<PathBuf> {
    let bins = start.ancestors().filter(|directory| !anybody_may_write(directory)).map(|directory| directory.join("node_modules/.bin"));
    bins.into_iter().find(|bin| bin.join("wrangler").is_file())
}

/// Whether a directory is like `/tmp`: wrangler acts with the operator's credentials, and anybody may have put one there.
fn anybody_may_write(directory: &Path) -> bool {
    #[cfg(unix)]
    return std::fs::metadata(directory).is_ok_and(|found| std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o002 != 0);
    #[cfg(not(unix))]
    return false;
}

fn on_path(path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|directory| directory.join("wrangler")).find(|program| program.is_file())
}

fn before(bin: &Path, path: &OsStr) -> Option<OsString> {
    std::env::join_paths(std::iter::once(bin.to_path_buf()).chain(std::env::split_paths(path))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let bin = root.path().join("node_modules/.bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join("wrangler"), "").unwrap();
        (root, bin)
    }

    #[test]
    fn the_project_s_wrangler_is_found_from_below() {
        let (root, bin) = project();
        let below = root.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        assert_eq!(in_project(&below), Some(bin.clone()));
        assert_eq!(in_project(root.path()), Some(bin));
    }

    #[test]
    #[cfg(unix)]
    fn where_anybody_may_write_no_program_is_taken() {
        use std::os::unix::fs::PermissionsExt;
        let (root, bin) = project();
        let below = root.path().join("a");
        std::fs::create_dir(&below).unwrap();
        assert_eq!(in_project(&below), Some(bin));
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(in_project(&below), None, "and nothing above it either: the test's own directory is below such a one");
    }

    #[test]
    fn the_project_s_programs_come_first_on_its_path() {
        let path = before(Path::new("/p/node_modules/.bin"), OsStr::new("/usr/bin:/bin")).unwrap();
        assert_eq!(path, "/p/node_modules/.bin:/usr/bin:/bin");
    }

    #[test]
    fn a_directory_of_that_name_is_no_program() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("wrangler")).unwrap();
        assert_eq!(on_path(root.path().as_os_str()), None);
        let (project, bin) = project();
        assert_eq!(on_path(bin.as_os_str()), Some(bin.join("wrangler")), "{project:?}");
    }
}
