//! What holds for every command: refusals before anything runs, wrangler's failures, errors, help.

use serde_json::Value;

use crate::double::Double;
use crate::{WALLET, finish, run, token, tool};

#[test]
fn wrong_input_is_refused_before_wrangler_is_called() {
    let long = format!("a={}", "v".repeat(257));
    for (arguments, code) in [
        (&["issue", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"][..], 64),
        (&["issue", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae"], 64),
        (&["issue", WALLET, "--ttl", "59s"], 64),
        (&["issue", WALLET, "--ttl", "366d"], 64),
        (&["issue", WALLET, "--ttl", "soon"], 2),
        (&["issue", WALLET, "--tag", "aws:team=blue"], 64),
        (&["issue", WALLET, "--tag", &long], 64),
        (&["issue", WALLET, "--tag", "agentkeys_user_wallet=0x0"], 64),
        (&["issue", WALLET, "--transitive", "team"], 64),
        (&["issue", WALLET, "--role", "admin"], 64),
        (&["issue", WALLET, "--source-identity", "x"], 64),
        (&["issue", WALLET, "--audience", "two words"], 64),
        (&["issue", WALLET, "--max-token-ttl", "2h"], 64),
        (&["issue", WALLET, "--remote"], 2),
        (&["issue", WALLET, "--env", "production"], 2),
        (&["issue", WALLET, "--env", "../x", "--local"], 2),
        (&["issue"], 2),
        (&["list", "agent"], 64),
        (&["list", WALLET, "--remote"], 2),
        (&["show", "short"], 64),
        (&["show"], 2),
        (&["revoke"], 2),
        (&["revoke", "../../x"], 64),
        (&["revoke-all", "0x0"], 64),
        (&["revoke-all"], 2),
    ] {
        let double = Double::new();
        let said = double.run(&[&["session"], arguments].concat());
        assert_eq!((said.code, said.stdout.as_str()), (code, ""), "{arguments:?}: {said:?}");
        assert!(said.stderr.len() > 20, "it says what to do: {said:?}");
        assert!(double.calls().is_empty(), "{arguments:?}");
    }
}

#[test]
fn without_wrangler_nothing_is_stored_and_no_token_is_shown() {
    let double = Double::new();
    for program in ["./no/such/wrangler", "/", "/etc/hostname"] {
        let said = run(double.tool(&["session", "issue", WALLET]).env("EDGE_BROKER_WRANGLER", program)).expect(69);
        assert_eq!(said.stdout, "");
        assert!(said.stderr.contains("Nothing was stored") && said.stderr.contains("--wrangler"), "{said:?}");
    }
    let said = run(double.tool(&["session", "list", WALLET]).env_remove("EDGE_BROKER_WRANGLER").env("PATH", "/nowhere")).expect(69);
    assert!(said.stderr.contains("npm ci"), "{said:?}");
    assert!(double.leftovers().is_empty());
}

#[test]
fn the_option_names_a_wrangler_before_the_variable_does() {
    let double = Double::new();
    let said = double.run(&["session", "issue", WALLET, "--wrangler", "./no/such/wrangler"]).expect(69);
    assert!(said.stderr.contains("./no/such/wrangler"), "{said:?}");
    assert!(double.calls().is_empty());
}

#[test]
fn a_failing_wrangler_is_explained_and_never_repeated() {
    let script = "echo private-words; echo 'private-words: CLOUDFLARE_API_TOKEN' >&2; exit 1";
    for (arguments, code) in [
        (&["session", "issue", WALLET][..], 69),
        (&["session", "list", WALLET], 69),
        (&["session", "show", token(1).hash().as_str()], 69),
        (&["session", "revoke", token(1).hash().as_str()], 69),
        (&["session", "revoke-all", WALLET], 69),
    ] {
        let said = Double::new().answers(1, script).run(arguments).expect(code);
        assert_eq!(said.stdout, "", "no token, no result");
        assert!(said.stderr.contains("wrangler login"), "{said:?}");
        assert!(!said.stderr.contains("private-words"), "{said:?}");
        let said = Double::new().answers(1, script).run(&[arguments, &["--verbose"]].concat()).expect(code);
        assert_eq!(said.stderr.matches("private-words").count(), 2, "{said:?}");
    }
}

#[test]
fn a_hanging_wrangler_is_ended_at_its_limit() {
    let double = Double::new().answers(1, "touch \"$DOUBLE/started\"; sleep 60");
    let said = double.run(&["session", "issue", WALLET, "--wrangler-timeout", "1s"]).expect(69);
    assert!(said.stderr.contains("after 1s") && said.stderr.contains("session revoke"), "{said:?}");
    assert_eq!(said.stdout, "");
    assert!(double.path().join("started").exists());
    assert!(double.leftovers().is_empty(), "the file is gone");
}

#[test]
fn an_interrupt_ends_wrangler_and_removes_its_file() {
    let double = Double::new().answers(1, "touch \"$DOUBLE/started\"; sleep 4; touch \"$DOUBLE/late\"");
    let mut command = double.tool(&["session", "issue", WALLET]);
    let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    while !double.path().join("started").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(double.leftovers().len(), 1, "the file is there while wrangler runs");
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let said = finish(child).expect(130);
    assert!(said.stderr.contains("interrupted"), "{said:?}");
    assert_eq!(said.stdout, "");
    assert!(double.leftovers().is_empty());
    std::thread::sleep(std::time::Duration::from_millis(4_500));
    assert!(!double.path().join("late").exists(), "wrangler went on");
}

#[test]
fn a_token_on_the_command_line_is_refused_unread_and_unrepeated() {
    let token = token(1);
    for arguments in [
        vec!["session", "show", token.expose()],
        vec!["session", "revoke", token.expose(), "--json"],
        vec!["session", "revoke", "--token-file", token.expose()],
        vec!["session", token.expose()],
        vec![token.expose()],
    ] {
        let double = Double::new();
        let said = double.run(&arguments).expect(2);
        assert!(!said.stderr.contains(token.expose()) && said.stdout.is_empty(), "{said:?}");
        assert!(said.stderr.contains("--token-file"), "{said:?}");
        assert!(double.calls().is_empty());
    }
}

#[test]
fn errors_are_json_where_results_are() {
    let said = run(&mut tool(["session", "list", "agent", "--json"])).expect(64);
    let error: Value = serde_json::from_str(&said.stderr).unwrap();
    assert_eq!(error["error"]["code"], 64);
    assert!(error["error"]["message"].as_str().unwrap().contains("40 hex digits"));
}

#[test]
fn every_help_has_examples_and_the_first_has_the_exit_codes() {
    let codes = run(&mut tool(["--help"])).expect(0).stdout;
    for code in ["0", "2", "64", "65", "66", "69", "74", "130"] {
        assert!(codes.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{code}: {codes}");
    }
    for command in [
        &["allow", "add"][..],
        &["allow", "list"],
        &["allow", "remove"],
        &["allow", "show"],
        &["aws", "revoke-policy"],
        &["credentials"],
        &["keygen"],
        &["login"],
        &["logout"],
        &["prove"],
        &["session", "issue"],
        &["session", "list"],
        &["session", "show"],
        &["session", "revoke"],
        &["session", "revoke-all"],
        &["token"],
    ] {
        let help = run(&mut tool([command, &["--help"]].concat())).expect(0).stdout;
        let example = format!("edge-broker {}", command.join(" "));
        assert!(help.contains("Examples:") && help.contains(&example), "{help}");
    }
}

#[test]
fn the_readme_says_what_the_help_says() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let help = run(&mut tool(["--help"])).expect(0).stdout;
    let codes = help.split_once("Exit codes:\n").unwrap().1;
    for (code, meaning) in codes.lines().filter_map(|line| line.trim().split_once(' ')) {
        assert!(readme.contains(&format!("| {code} | {} |", meaning.trim())), "{code} {meaning}");
    }
    let commands = [
        &["allow", "add"][..],
        &["aws", "revoke-policy"],
        &["credentials"],
        &["keygen"],
        &["login"],
        &["logout"],
        &["prove"],
        &["session", "issue"],
        &["session", "list"],
        &["session", "show"],
        &["session", "revoke"],
        &["token"],
    ];
    let helps: String = commands.iter().map(|command| run(&mut tool(command.iter().chain(&["--help"]))).expect(0).stdout).collect();
    let ours = |word: &&str| {
        word.starts_with("--") && !["--release", "--package", "--help", "--role-name", "--policy-name", "--policy-document"].contains(word)
    };
    let options: Vec<&str> = readme.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')).filter(ours).collect();
    assert!(options.len() > 20, "{options:?}");
    for option in options.into_iter().filter(|option| !option.trim_matches('-').is_empty()) {
        assert!([' ', '\n'].iter().any(|end| helps.contains(&format!("{option}{end}"))), "{option} is in no help");
    }
}
