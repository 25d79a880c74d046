//! `allow`: the list of those who may sign in, with a double of wrangler and with the real one.

use agentkeys_edge_broker::signin::{AllowRecord, allow_key};
use serde_json::{Value, json};

use crate::double::{Double, LOCAL};
use crate::project::Project;
use crate::{Said, WALLET, values, wallet};

const OTHER: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

fn allowed(wallet: &str, label: Option<&str>) -> String {
    let label = label.map(ToOwned::to_owned);
    AllowRecord { wallet: wallet.to_lowercase().parse().unwrap(), added_at: 1_795_470_116.try_into().unwrap(), label }.to_json().unwrap()
}

/// Wrangler's answer to a read of [`WALLET`]'s record.
fn stored(text: Option<&str>) -> Value {
    values(&[(allow_key(&wallet()), text.map(ToOwned::to_owned))])
}

/// The change that `add` reports, and the record that it stored, if it did.
fn added(before: Option<&str>, arguments: &[&str]) -> (String, Option<AllowRecord>, Said) {
    let double = Double::new().prints(1, &stored(before));
    let said = double.run(&[&["allow", "add", WALLET, "--json"], arguments].concat()).expect(0);
    let calls = double.calls();
    assert_eq!(calls[0].command(), "kv bulk get");
    assert_eq!(calls[0].content, json!([allow_key(&wallet())]));
    let record = calls.get(1).map(|call| {
        assert_eq!((call.command().as_str(), call.mode.as_str()), ("kv bulk put", "-rw-------"));
        let pair = &call.content[0];
        assert_eq!(pair["key"], allow_key(&wallet()).as_str());
        assert!(pair.get("expiration").is_none() && pair.get("metadata").is_none(), "it stays until it is removed: {pair}");
        let text = pair["value"].as_str().unwrap();
        assert!(AllowRecord::admits(Some(text), &wallet()), "the broker takes it: {text}");
        AllowRecord::parse(text).unwrap()
    });
    (said.json()["change"].as_str().unwrap().to_owned(), record, said)
}

#[test]
fn a_wallet_is_added_as_the_broker_reads_it() {
    let before = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let (change, record, said) = added(None, &["--label", "build \u{2713} agent"]);
    let record = record.unwrap();
    assert_eq!((change.as_str(), record.label.as_deref()), ("added", Some("build \u{2713} agent")));
    assert!(record.added_at.seconds() >= before);
    let json = said.json();
    assert_eq!((&json["wallet"], &json["storage"]), (&json!(wallet()), &json!("local")));
    assert_eq!(json["added_at"], record.added_at.seconds());
}

#[test]
fn adding_again_changes_what_is_said_and_nothing_else() {
    let plain = allowed(WALLET, None);
    let named = allowed(WALLET, Some("ci"));
    for (before, arguments, change, label) in [
        (&plain, &[][..], "unchanged", None),
        (&named, &[], "unchanged", None),
        (&named, &["--label", "ci"], "unchanged", None),
        (&plain, &["--label", "ci"], "changed", Some("ci")),
        (&named, &["--label", "build"], "changed", Some("build")),
    ] {
        let (said, record, _) = added(Some(before), arguments);
        assert_eq!((said.as_str(), record.as_ref().and_then(|record| record.label.as_deref())), (change, label), "{before} {arguments:?}");
        assert_eq!(record.is_some(), change == "changed");
        assert!(record.is_none_or(|record| record.added_at.seconds() == 1_795_470_116), "since when is kept");
    }
    for broken in ["{}", &plain.replace("\"v\":1", "\"v\":2"), &allowed(OTHER, None)] {
        let (change, record, said) = added(Some(broken), &[]);
        assert_eq!(change, "added");
        assert!(record.is_some() && said.stderr.contains("broken"), "{said:?}");
    }
}

#[test]
fn removing_ends_no_session_and_says_how_to() {
    for (before, removed, words) in
        [(Some(allowed(WALLET, None)), true, "was taken off"), (None, false, "was not seen"), (Some("{".to_owned()), true, "taken off")]
    {
        let double = Double::new().prints(1, &stored(before.as_deref()));
        let said = double.run(&["allow", "remove", WALLET]).expect(0);
        assert!(said.stdout.contains(words), "{said:?}");
        assert!(said.stderr.contains(&format!("edge-broker session revoke-all {WALLET}\n")), "{said:?}");
        let call = &double.calls()[1];
        assert_eq!((call.command().as_str(), &call.content), ("kv bulk delete", &json!([allow_key(&wallet())])));
        let double = Double::new().prints(1, &stored(before.as_deref()));
        assert_eq!(double.run(&["allow", "remove", WALLET, "--json"]).expect(0).json()["removed"], removed);
    }
    let double = Double::new().prints(1, &stored(None));
    let said = double.run(&["allow", "remove", WALLET, "--env", "production", "--remote"]).expect(0);
    assert!(
        said.stderr.contains(&format!("a minute from now: edge-broker session revoke-all {WALLET} --env production --remote")),
        "{said:?}"
    );
}

#[test]
fn show_tells_whether_a_wallet_is_let_in() {
    let show = |before: Option<&str>| Double::new().prints(1, &stored(before)).run(&["allow", "show", WALLET]);
    let said = show(Some(&allowed(WALLET, Some("ci")))).expect(0);
    for words in [WALLET, "2026-11-23T21:41:56Z", "ci"] {
        assert!(said.stdout.contains(words), "{said:?}");
    }
    assert!(show(None).expect(66).stderr.contains("is not on the local list of development"));
    for broken in ["", "{}", &allowed(OTHER, None)] {
        let said = show(Some(broken)).expect(65);
        assert!(said.stdout.is_empty() && said.stderr.contains("edge-broker allow add"), "{said:?}");
    }
}

#[test]
fn list_names_everybody_and_everything_broken() {
    let third = "0x8617e340b3d01fa5f11f306f4090fd50e238070d";
    let key = |wallet: &str| format!("signin-allow/v1/{wallet}");
    let (one, other) = (WALLET.to_lowercase(), OTHER.to_lowercase());
    let listed: Vec<Value> =
        [key(&one), key(&other), key(third), key(WALLET), key("x\u{1b}[31m")].iter().map(|name| json!({ "name": name })).collect();
    let records =
        values(&[(key(&one), Some(allowed(WALLET, Some("ci")))), (key(&other), Some("{\"v\":2}".to_owned())), (key(third), None)]);
    let double = || Double::new().prints(1, &json!(listed)).prints(2, &records);
    let said = double().run(&["allow", "list"]).expect(0);
    let rows: Vec<&str> = said.stdout.lines().skip(1).collect();
    assert_eq!(rows.len(), 3, "{said:?}");
    assert!(rows[0].starts_with(WALLET) && rows[0].ends_with("2026-11-23T21:41:56Z  listed  ci"), "{}", rows[0]);
    assert!(rows[1].starts_with(OTHER) && rows[1].contains("broken"), "{}", rows[1]);
    assert!(rows[2].contains("gone"), "{}", rows[2]);
    assert!(said.stderr.contains(&format!("The record of {OTHER} is broken")), "{said:?}");
    assert!(said.stderr.contains(&key(WALLET)) && said.stderr.contains("\\u{1b}") && !said.stderr.contains('\u{1b}'), "{said:?}");

    let json = double().run(&["allow", "list", "--json"]).expect(0).json();
    let states: Vec<&str> = json["wallets"].as_array().unwrap().iter().map(|entry| entry["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["listed", "broken", "gone"]);
    assert_eq!(json["wallets"][0]["added_at"], 1_795_470_116);
    assert_eq!(json["foreign_keys"].as_array().unwrap().len(), 2);

    let said = Double::new().prints(1, &json!([])).run(&["allow", "list"]).expect(0);
    assert!(said.stdout.is_empty() && said.stderr.contains("nobody is on the local list of development"), "{said:?}");
}

#[test]
fn wrong_input_is_refused_before_wrangler_is_called() {
    let long = "x".repeat(129);
    for (arguments, code) in [
        (&["add", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"][..], 64),
        (&["add", "agent"], 64),
        (&["add", WALLET, "--label", ""], 64),
        (&["add", WALLET, "--label", "a\nb"], 64),
        (&["add", WALLET, "--label", &long], 64),
        (&["add", WALLET, "--remote"], 2),
        (&["add"], 2),
        (&["remove", "0x0"], 64),
        (&["remove"], 2),
        (&["show"], 2),
        (&["list", "--env", "production"], 2),
        (&["list", WALLET], 2),
    ] {
        let double = Double::new();
        let said = double.run(&[&["allow"], arguments].concat());
        assert_eq!((said.code, said.stdout.as_str()), (code, ""), "{arguments:?}: {said:?}");
        assert!(double.calls().is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_wrangler_fails_at_is_not_called_done() {
    for (command, number, words) in
        [("add", 1, "--verbose"), ("add", 2, "not known"), ("remove", 2, "not known"), ("show", 1, "--verbose"), ("list", 1, "--verbose")]
    {
        let mut arguments = vec!["allow", command];
        arguments.extend((command != "list").then_some(WALLET));
        let mut double = Double::new();
        if number == 2 {
            double = double.prints(1, &stored(None));
        }
        let said = double.answers(number, "echo private-words >&2; exit 1").run(&arguments).expect(69);
        assert!(said.stdout.is_empty() && said.stderr.contains(words) && !said.stderr.contains("private-words"), "{said:?}");
    }
    let double = Double::new().prints(1, &stored(None));
    double.run(&["allow", "add", WALLET]).expect(0);
    assert_eq!(double.calls()[0].arguments[4..], LOCAL);
}

#[test]
fn the_list_is_kept_in_local_storage_as_the_broker_reads_it() {
    let Some(project) = Project::new() else { return };
    let added = project.run(&["allow", "add", WALLET, "--label", "ci", "--json"]).expect(0).json();
    // Wrangler itself, not the tool, says what is stored.
    let key = allow_key(&wallet());
    let text = project.wrangler(&["kv", "key", "get", &key, "--binding=SESSIONS", "--local", "--text"]).expect(0).stdout;
    assert!(AllowRecord::admits(Some(text.trim_end()), &wallet()), "{text}");
    assert_eq!(project.run(&["allow", "add", WALLET, "--json"]).expect(0).json()["change"], "unchanged");
    project.run(&["allow", "add", OTHER, "--env", "production", "--local"]).expect(0);
    let listed = project.run(&["allow", "list", "--json"]).expect(0).json();
    assert_eq!(listed["wallets"], json!([{ "wallet": wallet(), "state": "listed", "added_at": added["added_at"], "label": "ci" }]));
    project.run(&["allow", "show", OTHER]).expect(66);
    project.run(&["allow", "remove", WALLET]).expect(0);
    project.run(&["allow", "show", WALLET]).expect(66);
    assert_eq!(project.run(&["allow", "remove", WALLET, "--json"]).expect(0).json()["removed"], false, "and again");
}
