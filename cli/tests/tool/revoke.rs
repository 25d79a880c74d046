//! `session revoke` and `revoke-all`: what is deleted, in which order, and what is never reported as done.

use serde_json::json;

use crate::double::Double;
use crate::{WALLET, index_of, key_of, stored, token, values, wallet};

#[test]
fn revoke_deletes_the_record_and_then_its_index_entry() {
    let double = Double::new().prints(1, &stored(1));
    let said = double.run(&["session", "revoke", token(1).hash().as_str(), "--env", "production", "--remote"]).expect(0);
    assert!(said.stderr.contains("60 seconds or more"), "{said:?}");
    let calls = double.calls();
    assert_eq!((calls[0].command(), calls[1].command()), ("kv bulk get".to_owned(), "kv bulk delete".to_owned()));
    assert_eq!(calls[1].content, json!([key_of(1), index_of(1)]));
    assert!(calls[1].arguments.contains(&"--force".to_owned()));
    assert!(calls.iter().all(|call| call.arguments.ends_with(&["--env=production".to_owned(), "--remote".to_owned()])));
}

#[test]
fn revoke_sends_the_deletion_also_where_no_record_is_seen() {
    let hash = token(1).hash();
    let double = Double::new().prints(1, &json!({}));
    let said = double.run(&["session", "revoke", hash.as_str()]).expect(66);
    assert_eq!(double.calls()[1].content, json!([key_of(1)]));
    assert!(said.stderr.contains("--wallet"), "{said:?}");

    let double = Double::new().prints(1, &json!({}));
    double.run(&["session", "revoke", hash.as_str(), "--wallet", WALLET]).expect(66);
    assert_eq!(double.calls()[1].content, json!([key_of(1), index_of(1)]));
}

#[test]
fn revoke_removes_a_broken_record() {
    let broken = values(&[(key_of(1), Some("{}".to_owned()))]);
    let hash = token(1).hash();
    let double = Double::new().prints(1, &broken);
    let said = double.run(&["session", "revoke", hash.as_str()]).expect(0);
    assert_eq!(double.calls()[1].content, json!([key_of(1)]));
    assert!(said.stderr.contains("--wallet"), "it says what stays: {said:?}");
    let double = Double::new().prints(1, &broken);
    double.run(&["session", "revoke", hash.as_str(), "--wallet", WALLET]).expect(0);
    assert_eq!(double.calls()[1].content, json!([key_of(1), index_of(1)]));
}

#[test]
fn revoke_refuses_the_session_of_another_wallet() {
    let double = Double::new().prints(1, &stored(1));
    double.run(&["session", "revoke", token(1).hash().as_str(), "--wallet", "0x0000000000000000000000000000000000000001"]).expect(64);
    assert_eq!(double.calls().len(), 1, "nothing was deleted");
}

#[test]
fn a_deletion_that_fails_is_never_reported_as_done() {
    let double = Double::new().prints(1, &stored(1)).answers(2, "exit 1");
    let said = double.run(&["session", "revoke", token(1).hash().as_str()]).expect(69);
    assert!(said.stdout.is_empty() && said.stderr.contains("run this again"), "{said:?}");
    let double = Double::new().prints(1, &json!([{ "name": index_of(1) }])).answers(2, "exit 1");
    let said = double.run(&["session", "revoke-all", WALLET]).expect(69);
    assert!(said.stdout.is_empty() && said.stderr.contains("run this again"), "{said:?}");
}

#[test]
fn revoke_all_deletes_every_record_and_then_the_whole_index() {
    let foreign = format!("wallet/v1/{}/junk", wallet());
    let listed = json!([{ "name": index_of(1) }, { "name": foreign }, { "name": index_of(2) }]);
    let double = Double::new().prints(1, &listed);
    let json = double.run(&["session", "revoke-all", WALLET, "--json"]).expect(0).json();
    assert_eq!(json["revoked"], 2);
    assert_eq!(double.calls()[1].content, json!([key_of(1), key_of(2), index_of(1), index_of(2), foreign]));

    let double = Double::new().prints(1, &json!([]));
    let said = double.run(&["session", "revoke-all", WALLET]).expect(0);
    assert!(said.stdout.starts_with("revoked 0 sessions"), "{said:?}");
    assert_eq!(double.calls().len(), 1);
}
