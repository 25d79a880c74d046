//! `session issue`: what it has wrangler write, and where the token goes.

use agentkeys_edge_broker::session::{SessionRecord, SessionToken, index_key, record_key};
use serde_json::json;

use crate::double::{Double, LOCAL};
use crate::{WALLET, files_with, finish, wallet};

#[test]
fn issue_writes_index_and_record_in_one_private_file() {
    let double = Double::new();
    let said = double.run(&["session", "issue", WALLET, "--label", "ci", "--tag", "team=blue", "--ttl", "7d"]).expect(0);
    let token: SessionToken = said.stdout.trim_end().parse().unwrap();
    let calls = double.calls();
    assert_eq!(calls.len(), 1);
    let call = &calls[0];
    assert_eq!(call.command(), "kv bulk put");
    assert_eq!(call.arguments[4..], LOCAL);
    assert_eq!(call.mode, "-rw-------");
    assert_eq!(call.stdin, "");

    let pairs = call.content.as_array().unwrap();
    assert_eq!(pairs.len(), 2);
    assert_eq!(pairs[0]["key"], index_key(&wallet(), &token.hash()), "the index first: nothing is there unlisted");
    assert_eq!(pairs[1]["key"], record_key(&token.hash()));
    let record = SessionRecord::parse(pairs[1]["value"].as_str().unwrap()).unwrap();
    assert_eq!(record.wallet, wallet());
    assert_eq!(record.expires_at.since(record.created_at), 604_800);
    assert_eq!(pairs[0]["value"], "");
    let (created, expires) = (record.created_at.seconds(), record.expires_at.seconds());
    assert_eq!(pairs[0]["metadata"], json!({ "created": created, "expires": expires, "label": "ci" }));
    assert_eq!((pairs[0]["expiration"].as_u64(), pairs[1]["expiration"].as_u64()), (Some(expires), Some(expires)));
    assert!(double.leftovers().is_empty(), "the file is gone");
}

#[test]
fn the_token_is_on_stdout_once_and_nowhere_else() {
    let double = Double::new();
    let said = double.run(&["session", "issue", WALLET, "--verbose"]).expect(0);
    let token = said.stdout.trim_end();
    assert!(token.parse::<SessionToken>().is_ok());
    assert!(!said.stderr.contains(token), "{}", said.stderr);
    assert_eq!(files_with(double.path(), token), Vec::<std::path::PathBuf>::new(), "arguments, environment or files of wrangler");
}

#[test]
fn a_short_session_outlives_itself_in_kv_only() {
    let double = Double::new();
    double.run(&["session", "issue", WALLET, "--ttl", "60s", "--wrangler-timeout", "20s"]).expect(0);
    let content = &double.calls()[0].content;
    let record = SessionRecord::parse(content[1]["value"].as_str().unwrap()).unwrap();
    assert_eq!(record.expires_at.since(record.created_at), 60);
    // KV refuses less than 60 seconds from when it is asked, which may be 20 seconds later.
    assert_eq!(content[1]["expiration"], record.created_at.seconds() + 80);
    assert_eq!(content[0]["expiration"], content[1]["expiration"]);
}

#[test]
fn whatever_is_taken_is_stored_and_read_as_it_was_given() {
    for text in
        ["a\"b\\c", "\u{2028}\u{2029}", "\u{1f511} key", "${PATH} `id` $(id) %s", "</script>", "-", "--json", "\u{e9}\u{65}\u{301}", " "]
    {
        let double = Double::new();
        double.run(&["session", "issue", WALLET, &format!("--label={text}")]).expect(0);
        let content = &double.calls()[0].content;
        let record = SessionRecord::parse(content[1]["value"].as_str().unwrap()).unwrap();
        assert_eq!(record.label.as_deref(), Some(text));
        assert_eq!(content[0]["metadata"]["label"], text);
    }
    for (key, value) in [("Owner.mail", "a=b=c"), ("\u{43a}\u{43b}\u{44e}\u{447}", "\u{6f22}\u{5b57} 1"), ("a/b:c+d-e@f", "x y")] {
        let double = Double::new();
        double.run(&["session", "issue", WALLET, "--tag", &format!("{key}={value}"), "--transitive", key]).expect(0);
        let record = SessionRecord::parse(double.calls()[0].content[1]["value"].as_str().unwrap()).unwrap();
        let (stored_key, stored_value) = record.tags().tags().first().unwrap();
        assert_eq!((stored_key.as_str(), stored_value.as_str()), (key, value));
        assert_eq!(record.tags().transitive(), std::slice::from_ref(stored_key));
    }
}

#[test]
fn issue_as_json_names_everything() {
    let double = Double::new();
    let json = double.run(&["session", "issue", WALLET, "--json", "--env", "production", "--remote"]).expect(0).json();
    let token: SessionToken = json["token"].as_str().unwrap().parse().unwrap();
    assert_eq!(json["hash"], token.hash().as_str());
    assert_eq!((&json["environment"], &json["storage"]), (&json!("production"), &json!("remote")));
    assert_eq!(json["record"]["wallet"], wallet().as_str());
    assert_eq!(double.calls()[0].arguments[4..], ["--binding=SESSIONS", "--preview=false", "--env=production", "--remote"]);
}

#[test]
fn what_may_have_been_stored_can_be_revoked() {
    let double = Double::new().answers(1, "exit 1");
    let said = double.run(&["session", "issue", WALLET]).expect(69);
    let key = double.calls()[0].content[1]["key"].as_str().unwrap().to_owned();
    let hash = key.strip_prefix("session/v1/").unwrap();
    assert!(said.stderr.contains("not known") && said.stderr.contains(&format!("session revoke {hash}")), "{said:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_token_that_cannot_be_printed_is_named_as_lost() {
    let double = Double::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let child = double.tool(&["session", "issue", WALLET]).stdout(full).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let said = finish(child).expect(74);
    assert!(said.stderr.contains("lost") && said.stderr.contains("session revoke"), "{said:?}");
}
