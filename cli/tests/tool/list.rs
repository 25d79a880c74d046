//! `session list`: every state a session can be in, and answers that are none.

use agentkeys_edge_broker::session::SessionRecord;
use serde_json::{Value, json};

use crate::double::Double;
use crate::{WALLET, index_of, key_of, record, token, values, wallet};

#[test]
fn garbage_is_no_answer() {
    for garbage in ["", "echo Success!", "echo '{}'", "echo '[1,2]'", "echo '[{\"key\":1}]'", "printf '\\377\\000['"] {
        let said = Double::new().answers(1, garbage).run(&["session", "list", WALLET]).expect(69);
        assert!(said.stderr.contains("--verbose"), "{garbage}: {said:?}");
    }
    let hash = token(1).hash();
    for garbage in [
        "",
        "echo Success!",
        "echo '[]'",
        &format!("echo '{{\"{}\": 1}}'", key_of(1)),
        &format!("echo '{{\"{}\": {{\"value\":{{}}}}}}'", key_of(1)),
    ] {
        let double = Double::new().answers(1, garbage);
        double.run(&["session", "revoke", hash.as_str()]).expect(69);
        assert_eq!(double.calls().len(), 1, "nothing is deleted on such an answer: {garbage}");
    }
}

#[test]
fn list_shows_every_state() {
    let metadata = json!({ "created": 100, "expires": 4_000_000_000_u64, "label": "from the index" });
    let listed = json!([
        { "name": index_of(1), "expiration": 4_000_000_000_u64, "metadata": { "created": 1, "expires": 2 } },
        { "name": index_of(2), "metadata": metadata },
        { "name": index_of(3) },
        { "name": index_of(4), "metadata": { "created": "yesterday" } },
        { "name": format!("{}junk", index_of(5)) },
    ]);
    let mut live = record(WALLET);
    live.label = Some("sign-in".to_owned());
    let past = SessionRecord::new(wallet(), 100.try_into().unwrap(), 200.try_into().unwrap()).unwrap();
    let records = values(&[
        (key_of(1), Some(live.to_json().unwrap())),
        (key_of(2), None),
        (key_of(3), Some(past.to_json().unwrap())),
        (key_of(4), Some("{\"v\":2}".to_owned())),
    ]);
    let double = || Double::new().answers(1, &format!("echo ' ⛅️ wrangler'; cat <<'END'\n{listed:#}\nEND\n")).prints(2, &records);

    let said = double().run(&["session", "list", WALLET]).expect(0);
    for (seed, state, words) in
        [(1, "live", "sign-in"), (2, "gone", "from the index"), (3, "expired", "1970-01-01T00:03:20Z"), (4, "broken", "-")]
    {
        let hash = token(seed).hash();
        let row = said.stdout.lines().find(|line| line.starts_with(hash.short())).unwrap();
        assert!(row.ends_with(state) && row.contains(words), "{row}");
    }
    assert!(said.stderr.contains("1 of the wallet's index keys"), "{said:?}");

    let one = double();
    let json = one.run(&["session", "list", WALLET, "--json"]).expect(0).json();
    assert_eq!(json["wallet"], wallet().as_str());
    assert_eq!(json["sessions"].as_array().unwrap().len(), 4);
    let session =
        |seed: u8| json["sessions"].as_array().unwrap().iter().find(|one| one["hash"] == token(seed).hash().as_str()).unwrap().clone();
    assert_eq!(session(1)["record"]["label"], "sign-in");
    assert_eq!((&session(2)["state"], &session(2)["label"]), (&json!("gone"), &json!("from the index")));
    assert!(session(4).get("record").is_none());
    let calls = one.calls();
    assert_eq!(calls[0].command(), "kv key list");
    assert_eq!(calls[0].arguments[3], format!("--prefix=wallet/v1/{}/", wallet()));
    assert_eq!(calls[1].command(), "kv bulk get");
}

#[test]
fn a_wallet_without_sessions_is_no_error() {
    let said = Double::new().prints(1, &json!([])).run(&["session", "list", WALLET]).expect(0);
    assert_eq!(said.stdout, "");
    assert!(said.stderr.contains("no session"), "{said:?}");
    let said = Double::new().prints(1, &json!([])).run(&["session", "list", WALLET, "--json"]).expect(0);
    assert_eq!(said.json()["sessions"], json!([]));
}

#[test]
fn a_hundred_records_are_read_at_a_time() {
    let names: Vec<Value> = (0..=100).map(|seed| json!({ "name": index_of(seed) })).collect();
    let double = Double::new().prints(1, &json!(names)).prints(2, &json!({})).prints(3, &json!({}));
    let json = double.run(&["session", "list", WALLET, "--json"]).expect(0).json();
    assert_eq!(json["sessions"].as_array().unwrap().len(), 101);
    let sizes: Vec<usize> = double.calls()[1..].iter().map(|call| call.content.as_array().unwrap().len()).collect();
    assert_eq!(sizes, [100, 1], "Cloudflare's limit");
}
