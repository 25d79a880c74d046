//! `keygen`: what stands on stdout, what on stderr, and that Web Crypto takes the key.

use crate::{run, run_with_stdin, tool};
use agentkeys_edge_broker::keys::{Alg, PrivateKey};
use serde_json::{Map, Value};

/// The secret's text, the key in it, and what was said about it.
fn keygen(arguments: &[&str]) -> (String, PrivateKey, String) {
    let said = run(&mut tool(["keygen"].iter().chain(arguments))).expect(0);
    let secret = said.stdout.strip_suffix('\n').unwrap().to_owned();
    assert!(!secret.contains('\n'), "one line");
    let key = PrivateKey::parse(&secret).unwrap();
    (secret, key, said.stderr)
}

fn members(secret: &str) -> Map<String, Value> {
    serde_json::from_str(secret).unwrap()
}

fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

#[test]
fn stdout_is_the_private_jwk_alone_and_stderr_says_what_to_write_down() {
    for (arguments, alg) in
        [(&[][..], Alg::Es256), (&["--alg", "ES256"], Alg::Es256), (&["--alg", "RS256"], Alg::Rs256), (&["--x5c"], Alg::Es256)]
    {
        let (secret, key, said) = keygen(arguments);
        assert_eq!(key.alg(), alg);
        assert!(said.contains(key.public().kid()), "{said}");
        assert!(said.contains(alg.as_str()), "{said}");
        for private in ["d", "p", "q", "dp", "dq", "qi"] {
            if let Some(value) = members(&secret).get(private) {
                assert!(!said.contains(value.as_str().unwrap()), "{private} on stderr");
            }
        }
    }
}

#[test]
fn a_key_signs_from_now_or_from_later() {
    let before = now();
    let (_, key, said) = keygen(&[]);
    assert!((before..=now()).contains(&key.not_before().seconds()));
    assert!(said.contains("now"), "{said}");
    for (text, seconds) in [("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800)] {
        let before = now();
        let (_, key, said) = keygen(&["--activate-in", text]);
        assert!((before..=now()).contains(&key.not_before().seconds().checked_sub(seconds).unwrap()), "{text}");
        assert!(said.contains("published at once"), "{said}");
    }
}

#[test]
fn with_json_what_is_said_is_json_too() {
    let (_, key, said) = keygen(&["--json", "--activate-in", "24h"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["kid"], key.public().kid());
    assert_eq!(said["alg"], "ES256");
    assert_eq!(said["nbf"], key.not_before().seconds());
}

#[test]
fn the_published_entry_of_a_certified_key_has_its_certificate() {
    let (secret, key, _) = keygen(&["--x5c"]);
    let published = serde_json::to_value(key.public()).unwrap();
    assert_eq!(published["x5c"], members(&secret)["x5c"]);
    assert!(published.get("d").is_none());
}

#[test]
fn what_makes_no_key_is_refused_with_empty_stdout() {
    for (arguments, code) in [
        (&["--alg", "EdDSA"][..], 2),
        (&["--alg", "PS256"], 2),
        (&["--bits", "1024", "--alg", "RS256"], 2),
        (&["--bits", "2048"], 2),
        (&["--activate-in", "1w"], 2),
        (&["--activate-in", "-1s"], 2),
        (&["--activate-in", "366d"], 64),
        (&["--alg", "RS256", "--bits", "4096", "--x5c"], 64),
    ] {
        let said = run(&mut tool(["keygen"].iter().chain(arguments)));
        assert_eq!((said.code, said.stdout.as_str()), (code, ""), "{arguments:?}: {said:?}");
        assert!(!said.stderr.is_empty());
    }
}

/// Imports each line as the worker does, signs, and verifies with the public members; a certificate has to verify too.
const WEB_CRYPTO: &str = r#"
const { X509Certificate, createPublicKey, createPrivateKey } = require("node:crypto");
(async () => {
  for (const line of require("node:fs").readFileSync(0, "utf8").trim().split("\n")) {
    const { kid, nbf, x5c, alg, ...jwk } = JSON.parse(line);
    const algorithm = jwk.kty === "EC" ? { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } : { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const pub = jwk.kty === "EC" ? { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y } : { kty: jwk.kty, n: jwk.n, e: jwk.e };
    const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
    const verifier = await crypto.subtle.importKey("jwk", pub, algorithm, false, ["verify"]);
    const message = new TextEncoder().encode("isolation");
    const signature = await crypto.subtle.sign(algorithm, key, message);
    if (!(await crypto.subtle.verify(algorithm, verifier, signature, message))) throw new Error("signature");
    if (await crypto.subtle.verify(algorithm, verifier, signature, new Uint8Array(9))) throw new Error("any message");
    if (x5c) {
      const certificate = new X509Certificate(Buffer.from(x5c[0], "base64"));
      if (!certificate.verify(createPublicKey({ key: pub, format: "jwk" }))) throw new Error("certificate signature");
      if (!certificate.checkPrivateKey(createPrivateKey({ key: jwk, format: "jwk" }))) throw new Error("certificate key");
      const years = (new Date(certificate.validTo) - new Date(certificate.validFrom)) / 31557600000;
      if (Math.abs(years - 10) > 0.01) throw new Error("certificate validity");
    }
    console.log("ok", alg, kid);
  }
})().catch((error) => { console.error(error.message); process.exit(1); });
"#;

#[test]
fn web_crypto_imports_signs_and_verifies_every_kind() {
    if std::process::Command::new("node").arg("--version").output().is_err() {
        assert!(std::env::var_os("EDGE_BROKER_REQUIRE_WRANGLER").is_none(), "Node is required");
        eprintln!("skipped: there is no Node on PATH");
        return;
    }
    let kinds: [&[&str]; 5] =
        [&[], &["--x5c"], &["--alg", "RS256"], &["--alg", "RS256", "--x5c"], &["--alg", "RS256", "--bits", "3072", "--x5c"]];
    let secrets: Vec<String> = kinds.iter().map(|arguments| keygen(arguments).0).collect();
    let mut node = std::process::Command::new("node");
    let said = run_with_stdin(node.args(["-e", WEB_CRYPTO]), &secrets.join("\n")).expect(0);
    assert_eq!(said.stdout.lines().count(), kinds.len(), "{said:?}");
}
