//! Files that only their owner reads, and that are never half written.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::session_token::shown;

/// Replaces a file, or makes it: a new one (0600) beside it is written, synced, and takes its name. Who reads the name
/// finds the old content or the new, whole.
pub(crate) fn replace(file: &Path, text: &str) -> Result<(), Error> {
    let cannot = |error: std::io::Error| Error::file(format!("{} cannot be written: {}", shown(file), error.kind()));
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // tempfile makes it 0600.
    let mut new = tempfile::Builder::new().prefix(".edge-broker-").tempfile_in(directory).map_err(cannot)?;
    new.write_all(text.as_bytes()).and_then(|()| new.as_file().sync_all()).map_err(cannot)?;
    new.persist(file).map_err(|error| cannot(error.error))?;
    // The name outlives a power cut once its directory is synced; where that cannot be done, the file is there all the same.
    if let Ok(directory) = std::fs::File::open(directory) {
        let _ = directory.sync_all();
    }
    Ok(())
}

/// Makes a directory for private files (0700). One that is there has to be this user's own, and nobody else may write in it;
/// it is never changed. `option` names another.
pub(crate) fn directory(directory: &Path, option: &str) -> Result<(), Error> {
    make(directory).map_err(|error| no_directory(directory, &error))?;
    check(directory, option).map(drop)
}

/// Whether a directory for private files is there; one that is has to be this user's own, and nobody else may write in it.
pub(crate) fn check(directory: &Path, option: &str) -> Result<bool, Error> {
    match is_private(directory) {
        Ok(true) => Ok(true),
        Ok(false) => Err(Error::file(format!(
            "{} is no place for private files: somebody else owns it or may write in it; name another with {option}",
            shown(directory)
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(no_directory(directory, &error)),
    }
}

/// A directory of this user: the one that a variable of XDG names, else the one below `HOME`.
pub(crate) fn home(variable: &str, below: &str) -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below)))
}

fn no_directory(directory: &Path, error: &std::io::Error) -> Error {
    Error::file(format!("{} cannot be a directory for private files: {}", shown(directory), error.kind()))
}

#[cfg(unix)]
fn make(directory: &Path) -> std::io::Result<()> {
    std::os::unix::fs::DirBuilderExt::mode(std::fs::DirBuilder::new().recursive(true), 0o700).create(directory)
}

#[cfg(unix)]
fn is_private(directory: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(directory)?;
    if !found.is_dir() {
        return Err(std::io::ErrorKind::NotADirectory.into());
    }
    Ok(found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o022 == 0)
}

#[cfg(not(unix))]
fn make(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)
}

#[cfg(not(unix))]
fn is_private(directory: &Path) -> std::io::Result<bool> {
    std::fs::metadata(directory).map(|_| true)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_private_and_replaced_whole() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("token");
        std::fs::write(&file, "an older and longer text").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let reader = std::fs::File::open(&file).unwrap();
        replace(&file, "new").unwrap();
        assert_eq!((std::fs::read_to_string(&file).unwrap().as_str(), mode(&file)), ("new", 0o600));
        assert_eq!(std::io::read_to_string(reader).unwrap(), "an older and longer text", "who has it open reads on");
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_cannot_be_written_is_said_and_nothing_is_left() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(replace(&root.path().join("no/such/token"), "new").unwrap_err().code(), 74);
        std::fs::create_dir(root.path().join("directory")).unwrap();
        assert_eq!(replace(&root.path().join("directory"), "new").unwrap_err().code(), 74);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_is_made_private_and_one_that_is_not_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b");
        directory(&deep, "--dir").unwrap();
        assert_eq!(mode(&deep), 0o700);
        for (given, good) in [(0o755, true), (0o750, true), (0o775, false), (0o777, false), (0o1777, false)] {
            std::fs::set_permissions(&deep, std::fs::Permissions::from_mode(given)).unwrap();
            assert_eq!(directory(&deep, "--dir").is_ok(), good, "{given:o}");
            assert_eq!(check(&deep, "--dir").ok(), good.then_some(true), "{given:o}");
            assert_eq!(mode(&deep), given & 0o777, "it is left as it is");
        }
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(directory(&file, "--dir").unwrap_err().code(), 74);
        assert_eq!(check(&file, "--dir").unwrap_err().code(), 74);
        assert!(check(&root.path().join("none"), "--dir").is_ok_and(|there| !there), "and it is not made");
        assert!(!root.path().join("none").exists());
    }
}
