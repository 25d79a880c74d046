//! The remote namespace: the real wrangler against a double of Cloudflare's API.

use std::process::Command;

use serde_json::json;

use crate::cloudflare::{API_TOKEN, Cloudflare};
use crate::project::Project;
use crate::{Said, WALLET, index_of, key_of, record, run, token, wallet};

const REMOTE: [&str; 3] = ["--env", "production", "--remote"];

fn command(project: &Project, cloudflare: &Cloudflare, arguments: &[&str]) -> Command {
    let mut command = project.tool(&[&["session"], arguments, &REMOTE].concat());
    command.env("CLOUDFLARE_API_BASE_URL", cloudflare.address()).env("CLOUDFLARE_API_TOKEN", API_TOKEN);
    command.env("CLOUDFLARE_ACCOUNT_ID", "fedcba9876543210fedcba9876543210");
    command
}

#[test]
fn sessions_live_and_end_in_the_remote_namespace() {
    let Some(project) = Project::new() else { return };
    let cloudflare = Cloudflare::start();
    let session = |arguments: &[&str]| -> Said { run(&mut command(&project, &cloudflare, arguments)) };

    let mut hashes = Vec::new();
    for ttl in ["60s", "365d"] {
        let issued = session(&["issue", WALLET, "--ttl", ttl, "--label", "remote", "--json"]).expect(0).json();
        assert_eq!(issued["storage"], "remote");
        hashes.push(issued["hash"].as_str().unwrap().to_owned());
    }
    assert_eq!(cloudflare.keys().len(), 4);
    let index = cloudflare.pair(&format!("wallet/v1/{}/{}", wallet(), hashes[1]));
    assert_eq!((&index["value"], &index["metadata"]["label"]), (&json!(""), &json!("remote")));
    assert_eq!(index["expiration"], index["metadata"]["expires"]);

    // Two keys are two pages of the double.
    let listed = session(&["list", WALLET, "--json"]).expect(0).json();
    let states: Vec<_> = listed["sessions"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["live"; 2]);

    assert_eq!(session(&["show", &hashes[0][..12], "--json"]).expect(0).json()["hash"], hashes[0]);
    let said = session(&["revoke", &hashes[0]]).expect(0);
    assert!(said.stderr.contains("60 seconds or more"), "{said:?}");
    assert_eq!(cloudflare.keys().len(), 2);
    session(&["revoke", &hashes[0]]).expect(66);

    assert_eq!(session(&["revoke-all", WALLET, "--json"]).expect(0).json()["revoked"], 1);
    assert_eq!(cloudflare.keys(), Vec::<String>::new());
}

#[test]
fn a_wallet_s_end_leaves_other_wallets_alone() {
    let Some(project) = Project::new() else { return };
    let cloudflare = Cloudflare::start();
    let other = "0x0000000000000000000000000000000000000001";
    for (key, value) in [(key_of(1), record(WALLET).to_json().unwrap()), (index_of(1), String::new())] {
        cloudflare.put(&key, &value);
    }
    let others = format!("wallet/v1/{other}/{}", token(2).hash());
    for (key, value) in [(key_of(2), record(other).to_json().unwrap()), (others.clone(), String::new())] {
        cloudflare.put(&key, &value);
    }
    assert_eq!(run(&mut command(&project, &cloudflare, &["revoke-all", WALLET, "--json"])).expect(0).json()["revoked"], 1);
    assert_eq!(cloudflare.keys(), [key_of(2), others]);
}

#[test]
fn a_refused_credential_and_an_absent_api_are_explained() {
    let Some(project) = Project::new() else { return };
    let cloudflare = Cloudflare::start();
    let said = run(command(&project, &cloudflare, &["issue", WALLET]).env("CLOUDFLARE_API_TOKEN", "another")).expect(69);
    assert!(said.stderr.contains("wrangler login") && said.stdout.is_empty(), "{said:?}");
    let said = run(command(&project, &cloudflare, &["list", WALLET]).env_remove("CLOUDFLARE_API_TOKEN")).expect(69);
    assert!(said.stderr.contains("wrangler login"), "{said:?}");
    let said = run(command(&project, &cloudflare, &["list", WALLET]).env("CLOUDFLARE_API_BASE_URL", "http://127.0.0.1:9")).expect(69);
    assert!(said.stderr.contains("try again"), "{said:?}");
    assert!(cloudflare.keys().is_empty());
}
