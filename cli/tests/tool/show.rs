//! `session show`: the ways to name a session, and what is not shown.

use serde_json::json;

use crate::double::Double;
use crate::{Said, files_with, key_of, run, run_with_stdin, stored, token, values};

#[test]
fn show_takes_a_hash_its_start_or_the_token() {
    let token = token(1);
    let hash = token.hash();
    let shows = |said: Said| assert_eq!(said.expect(0).json()["hash"], hash.as_str());

    shows(Double::new().prints(1, &stored(1)).run(&["session", "show", hash.as_str(), "--json"]));
    let double = Double::new().prints(1, &json!([{ "name": key_of(1) }])).prints(2, &stored(1));
    shows(double.run(&["session", "show", hash.short(), "--json"]));
    assert_eq!(double.calls()[0].arguments[3], format!("--prefix=session/v1/{}", hash.short()));

    let file = Double::new().prints(1, &stored(1));
    std::fs::write(file.path().join("secret"), format!("{}\n", token.expose())).unwrap();
    shows(file.run(&["session", "show", "--token-file", "secret", "--json"]));
    for arguments in [&["session", "show", "-", "--json"], &["session", "show", "--token-file=-", "--json"]] {
        let double = Double::new().prints(1, &stored(1));
        shows(run_with_stdin(&mut double.tool(arguments), token.expose()));
        assert!(files_with(double.path(), token.expose()).is_empty());
    }
    let double = Double::new().prints(1, &stored(1));
    shows(run(double.tool(&["session", "show", "--json"]).env("EDGE_BROKER_SESSION_TOKEN", token.expose())));
    assert!(files_with(double.path(), token.expose()).is_empty(), "wrangler's environment has the token");
}

#[test]
fn show_refuses_what_is_not_there_broken_or_ambiguous() {
    let hash = token(1).hash();
    Double::new().prints(1, &values(&[(key_of(1), None)])).run(&["session", "show", hash.as_str()]).expect(66);
    Double::new().prints(1, &json!({})).run(&["session", "show", hash.as_str()]).expect(66);
    let broken = values(&[(key_of(1), Some("{\"v\":1,\"secret\":\"words\"}".to_owned()))]);
    let said = Double::new().prints(1, &broken).run(&["session", "show", hash.as_str()]).expect(65);
    assert!(said.stderr.contains("session.v1.schema.json") && !said.stderr.contains("words"), "{said:?}");
    Double::new().prints(1, &json!([])).run(&["session", "show", hash.short()]).expect(66);
    let other = format!("{}{}", &key_of(1)[..53], "A");
    let two = json!([{ "name": key_of(1) }, { "name": other }]);
    Double::new().prints(1, &two).run(&["session", "show", hash.short()]).expect(64);
}
