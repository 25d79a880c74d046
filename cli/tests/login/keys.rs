//! The key: how it is handed over, and what is none.

use std::os::unix::fs::PermissionsExt;

use crate::broker::Setup;
use crate::{Home, write_private};

#[test]
fn a_key_comes_from_a_private_file_or_from_stdin() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let key = home.key();
    for text in [key.digits.clone(), format!("0x{}", key.digits), format!("{}\r\n", key.digits.to_uppercase())] {
        write_private(&key.file, &text);
        home.login(&broker, &key, &[]).expect(0);
        home.run_with_stdin(&["login", "--issuer", &broker.url, "--wallet-key-file", "-"], &text).expect(0);
    }
    assert_eq!(broker.sessions().len(), 6);
    assert!(broker.sessions().values().all(|wallet| *wallet == key.wallet));
    // A pipe, as a shell's <(…) hands it over, is nobody's file.
    let script = format!(
        "cat {} | {} login --issuer {} --wallet-key-file /dev/fd/0",
        key.file.display(),
        env!("CARGO_BIN_EXE_edge-broker"),
        broker.url
    );
    let mut shell = std::process::Command::new("sh");
    home.said(shell.args(["-c", &script]).env("HOME", home.root.path())).expect(0);
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let key = home.key();
    for mode in [0o644, 0o640, 0o604, 0o660] {
        std::fs::set_permissions(&key.file, std::fs::Permissions::from_mode(mode)).unwrap();
        home.login(&broker, &key, &[]).refused(64, "chmod 600");
    }
    let link = home.path("link");
    std::os::unix::fs::symlink(&key.file, &link).unwrap();
    home.run(&["login", "--issuer", &broker.url, "--wallet-key-file", "link"]).refused(64, "chmod 600");
    assert!(broker.asked("").is_empty());
    std::fs::set_permissions(&key.file, std::fs::Permissions::from_mode(0o400)).unwrap();
    home.run(&["login", "--issuer", &broker.url, "--wallet-key-file", "link"]).expect(0);
}

#[test]
fn what_is_no_key_is_refused_and_never_repeated() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let key = home.key();
    let keystore = format!(r#"{{"version":3,"crypto":{{"ciphertext":"{}"}}}}"#, key.digits);
    for text in [
        "",
        "0x",
        &key.digits[1..],
        &format!("{}00", key.digits),
        &format!("{0}{0}", key.digits),
        &keystore,
        &" ".repeat(100_000),
        &"0".repeat(64),
    ] {
        write_private(&key.file, text);
        home.login(&broker, &key, &[]).refused(64, "64 hex digits");
        home.run_with_stdin(&["login", "--issuer", &broker.url, "--wallet-key-file", "-"], text).refused(64, "64 hex digits");
    }
    std::fs::write(&key.file, [0xff; 64]).unwrap();
    home.login(&broker, &key, &[]).refused(64, "64 hex digits");
    home.run(&["login", "--issuer", &broker.url, "--wallet-key-file", "no/such/file"]).refused(74, "cannot be read");
    home.run(&["login", "--issuer", &broker.url, "--wallet-key-file", "."]).refused(74, "cannot be read");
    assert!(broker.asked("").is_empty());
}

#[test]
fn a_key_on_the_command_line_is_refused_unread_and_unrepeated() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let key = home.key();
    for argument in [format!("0x{}", key.digits), format!("--wallet-key-file={}", key.digits), format!("--chain-id={}", key.digits)] {
        home.run(&["login", "--issuer", &broker.url, &argument]).refused(2, "--wallet-key-file -");
        home.run(&["login", "--json", "--wallet-key-file", &argument]).refused(2, "--wallet-key-file -");
    }
    assert!(broker.asked("").is_empty());
}
