//! The local namespace: the real wrangler, and the storage that `wrangler dev` reads.

use agentkeys_edge_broker::session::{SessionRecord, SessionToken, index_prefix, record_key};
use serde_json::Value;

use crate::project::Project;
use crate::{WALLET, files_with, run_with_stdin, wallet};

/// What wrangler itself lists.
fn keys(project: &Project, environment: &str) -> Vec<String> {
    let said = project.wrangler(&["kv", "key", "list", "--binding=SESSIONS", "--local", environment]).expect(0);
    let keys: Vec<Value> = serde_json::from_str(&said.stdout).unwrap();
    keys.iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_session_is_issued_read_and_revoked_in_local_storage() {
    let Some(project) = Project::new() else { return };
    let issued = project
        .run(&[
            "session",
            "issue",
            WALLET,
            "--ttl",
            "60s",
            "--label",
            "ci \u{2713} \"quoted\"",
            "--tag",
            "team=blue",
            "--transitive",
            "team",
        ])
        .expect(0);
    let token: SessionToken = issued.stdout.trim_end().parse().unwrap();
    let hash = token.hash();

    // Wrangler itself, not the tool, says what is stored.
    let key = record_key(&hash);
    let text = project.wrangler(&["kv", "key", "get", &key, "--binding=SESSIONS", "--local", "--text"]).expect(0).stdout;
    let record = SessionRecord::parse(text.trim_end()).unwrap();
    assert_eq!(record.wallet, wallet());
    assert_eq!(record.tags().tags().len(), 1);
    assert_eq!(keys(&project, "--env="), [key.clone(), format!("{}{hash}", index_prefix(&wallet()))]);

    let listed = project.run(&["session", "list", WALLET, "--json"]).expect(0).json();
    assert_eq!(listed["sessions"][0]["hash"], hash.as_str());
    assert_eq!(listed["sessions"][0]["label"], "ci \u{2713} \"quoted\"");
    assert_eq!(listed["sessions"][0]["state"], "live");
    let shown = run_with_stdin(&mut project.tool(&["session", "show", "-", "--json"]), token.expose()).expect(0).json();
    assert_eq!(shown["record"]["transitive_tags"], serde_json::json!(["team"]));

    // The token's text is in no file: not in the storage, not in wrangler's logs.
    assert!(!files_with(project.root.path(), hash.as_str()).is_empty(), "what is stored is found by this search");
    assert_eq!(files_with(project.root.path(), token.expose()), Vec::<std::path::PathBuf>::new());

    project.run(&["session", "revoke", hash.short()]).expect(0);
    assert_eq!(keys(&project, "--env="), Vec::<String>::new());
    project.run(&["session", "revoke", hash.as_str()]).expect(66);
}

#[test]
fn environments_and_directories_are_kept_apart() {
    let Some(project) = Project::new() else { return };
    project.run(&["session", "issue", WALLET, "--env", "production", "--local"]).expect(0);
    project.run(&["session", "issue", WALLET, "--persist-to", "elsewhere"]).expect(0);
    assert_eq!(keys(&project, "--env=production").len(), 2);
    assert_eq!(keys(&project, "--env="), Vec::<String>::new());
    let elsewhere = project.run(&["session", "list", WALLET, "--json", "--persist-to", "elsewhere"]).expect(0).json();
    assert_eq!(elsewhere["sessions"].as_array().unwrap().len(), 1);
    // The variable that wrangler would follow has no say.
    let mut command = project.tool(&["session", "revoke-all", WALLET, "--json"]);
    assert_eq!(crate::run(command.env("CLOUDFLARE_ENV", "production")).expect(0).json()["revoked"], 0);
}

#[test]
fn revoke_all_ends_every_session_of_one_wallet() {
    let Some(project) = Project::new() else { return };
    let other = "0x0000000000000000000000000000000000000001";
    for wallet in [WALLET, WALLET, other] {
        project.run(&["session", "issue", wallet]).expect(0);
    }
    assert_eq!(project.run(&["session", "revoke-all", WALLET, "--json"]).expect(0).json()["revoked"], 2);
    assert_eq!(keys(&project, "--env=").len(), 2, "the other wallet's");
    assert_eq!(project.run(&["session", "list", other, "--json"]).expect(0).json()["sessions"][0]["state"], "live");
}

#[test]
fn a_project_that_is_not_ready_is_explained() {
    let Some(project) = Project::new() else { return };
    for (arguments, words) in [
        (&["--env", "nowhere", "--local"][..], "[env.NAME]"),
        (&["--env", "bare", "--local"], "binding SESSIONS"),
        (&["--config", "no.toml"], "--config"),
    ] {
        let said = project.run(&[&["session", "issue", WALLET], arguments].concat()).expect(69);
        assert!(said.stderr.contains(words), "{arguments:?}: {said:?}");
        assert_eq!(said.stdout, "", "no token of a session that is not stored");
    }
}
