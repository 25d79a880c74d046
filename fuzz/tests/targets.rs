//! Every target over its committed seeds, without the fuzzer; and the twins: what the targets assert can fail.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use edge_broker_fuzz::{TARGETS, repeated};
// What the instrumented code counts by.
use libfuzzer_sys as _;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn names(folder: &str) -> BTreeSet<String> {
    files(folder).iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn every_target_holds_over_its_seeds() {
    for (name, target) in TARGETS {
        let seeds = files(&format!("seeds/{name}"));
        assert!(seeds.len() >= 3, "{name}");
        for seed in seeds {
            let input = fs::read(&seed).unwrap();
            assert!(input.len() <= 4_096, "{} is no small seed", seed.display());
            target(&input);
        }
        target(b"");
    }
}

#[test]
fn every_target_has_its_program_and_its_seeds_and_no_other_has() {
    let targets: BTreeSet<String> = TARGETS.map(|(name, _)| name.to_owned()).into();
    assert_eq!(names("seeds"), targets);
    assert_eq!(names("targets"), targets);
    assert!(names("dictionaries").is_subset(&targets));
}

#[test]
fn a_message_that_repeats_its_input_is_found() {
    let input = b"{\"audience\":\"a secret that nobody should see\"}";
    for message in ["The audience a secret that nobody should see is wrong.", "xxa secret that nobody sxx"] {
        assert!(repeated(message, input, 20).is_some(), "{message}");
        assert!(catch_unwind(|| assert_eq!(repeated(message, input, 20), None)).is_err());
    }
    for message in ["The member audience is a text.", "a secret that nobody", ""] {
        assert_eq!(repeated(message, input, 21), None, "{message}");
    }
    let own = "agentkeys_user_wallet and agentkeys_actor_omni are set by the broker";
    assert_eq!(repeated(own, br#"{"tags":{"agentkeys_user_wallet":"x","agentkeys_actor_omni":"y"}}"#, 20), None);
}
