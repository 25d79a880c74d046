//! One token, its key set and its arguments; running the tool over them; and what is asserted of every run.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use agentkeys_edge_broker::encoding::base64url;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::keys::{Key, P256};

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://keys.example.com";
pub(crate) const WALLET: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/agent";
pub(crate) const TAGS: &str = "https://aws.amazon.com/tags";
pub(crate) const ROLES: &str = "https://aws.amazon.com/roles";
pub(crate) const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

pub(crate) const INVALID: &str = "InvalidIdentityToken";
pub(crate) const EXPIRED: &str = "ExpiredTokenException";
/// Every code that a report could name; those that it does not give must not stand in it.
const CODES: [&str; 8] = [
    INVALID,
    EXPIRED,
    "ValidationError",
    "InternalFailure",
    "IDPCommunicationError",
    "IDPRejectedClaim",
    "PackedPolicyTooLarge",
    "AccessDenied",
];

/// A token in the making. It begins as one that STS takes: signed with ES256 by the key `k1` of the set, and tagged.
pub(crate) struct Case {
    name: String,
    header: String,
    claims: String,
    key: &'static Key,
    signature: Option<Vec<u8>>,
    token: Option<String>,
    keys: Value,
    arguments: Vec<String>,
    at: i64,
}

fn set(text: &str, member: &str, value: Option<Value>) -> String {
    let mut object: Map<String, Value> = serde_json::from_str(text).unwrap();
    match value {
        Some(value) => object.insert(member.to_owned(), value),
        None => object.remove(member),
    };
    Value::Object(object).to_string()
}

pub(crate) fn case(name: impl Into<String>) -> Case {
    let claims = json!({
        "iss": ISSUER, "sub": format!("agentkeys:agent:{WALLET}"), "aud": "sts.amazonaws.com", "iat": NOW, "exp": NOW + 300,
        "agentkeys_user_wallet": WALLET,
        TAGS: {"principal_tags": {"agentkeys_user_wallet": [WALLET]}, "transitive_tag_keys": ["agentkeys_user_wallet"]},
    });
    Case {
        name: name.into(),
        header: json!({"alg": "ES256", "kid": "k1", "typ": "JWT"}).to_string(),
        claims: claims.to_string(),
        key: &P256,
        signature: None,
        token: None,
        keys: json!({"keys": [P256.jwk("k1")]}),
        arguments: ["--issuer", ISSUER, "--audience", "sts.amazonaws.com", "--role", ROLE].map(str::to_owned).to_vec(),
        at: NOW,
    }
}

impl Case {
    /// With a claim set.
    pub(crate) fn claim(self, name: &str, value: Value) -> Self {
        Self { claims: set(&self.claims, name, Some(value)), ..self }
    }

    pub(crate) fn without_claim(self, name: &str) -> Self {
        Self { claims: set(&self.claims, name, None), ..self }
    }

    /// With the claims' text changed: for what no JSON library writes.
    pub(crate) fn claims_text(self, change: impl FnOnce(String) -> String) -> Self {
        Self { claims: change(self.claims), ..self }
    }

    pub(crate) fn header(self, name: &str, value: Value) -> Self {
        Self { header: set(&self.header, name, Some(value)), ..self }
    }

    pub(crate) fn without_header(self, name: &str) -> Self {
        Self { header: set(&self.header, name, None), ..self }
    }

    pub(crate) fn header_text(self, header: &str) -> Self {
        Self { header: header.to_owned(), ..self }
    }

    /// Signed by this key with this algorithm; the set has its public half under `k1`.
    pub(crate) fn signed_with(self, key: &'static Key, alg: &str) -> Self {
        let case = self.header("alg", json!(alg));
        Self { key, keys: json!({"keys": [key.jwk("k1")]}), ..case }
    }

    /// Signed by a key, whatever the set says.
    pub(crate) fn signed_by(self, key: &'static Key) -> Self {
        Self { key, ..self }
    }

    pub(crate) fn signature(self, signature: Vec<u8>) -> Self {
        Self { signature: Some(signature), ..self }
    }

    /// The token's text itself.
    pub(crate) fn token(self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self }
    }

    pub(crate) fn keys(self, keys: impl Into<Vec<Value>>) -> Self {
        Self { keys: json!({"keys": keys.into()}), ..self }
    }

    /// The one key of the set with a member set.
    pub(crate) fn jwk_member(mut self, member: &str, value: Value) -> Self {
        self.keys["keys"][0][member] = value;
        self
    }

    pub(crate) fn without_jwk_members(mut self, members: &[&str]) -> Self {
        for member in members {
            self.keys["keys"][0].as_object_mut().unwrap().remove(*member);
        }
        self
    }

    /// The key set's document itself.
    pub(crate) fn key_set(self, document: Value) -> Self {
        Self { keys: document, ..self }
    }

    /// Arguments in place of the usual ones.
    pub(crate) fn arguments(self, arguments: &[&str]) -> Self {
        Self { arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(), ..self }
    }

    pub(crate) fn at(self, at: i64) -> Self {
        Self { at, ..self }
    }

    /// The token as it is sent.
    pub(crate) fn text(&self) -> String {
        if let Some(token) = &self.token {
            return token.clone();
        }
        let input = format!("{}.{}", base64url(self.header.as_bytes()), base64url(self.claims.as_bytes()));
        let header: Value = serde_json::from_str(&self.header).unwrap_or_default();
        let alg = header["alg"].as_str().unwrap_or_default();
        let signature = self.signature.clone().unwrap_or_else(|| self.key.sign(alg, input.as_bytes()));
        format!("{input}.{}", base64url(&signature))
    }

    /// Runs the tool, for people and for machines, and holds the two against each other.
    fn report(&self) -> Value {
        let name = &self.name;
        let token = self.text();
        let folder = Folder::new();
        let (token_file, keys) = (folder.file("token", &token), folder.file("jwks.json", self.keys.to_string()));
        let mut arguments = vec!["check", "--token-file", &token_file, "--jwks", &keys];
        arguments.extend(self.arguments.iter().map(String::as_str));
        let at = self.at.to_string();
        arguments.extend(["--at", &at]);
        let human = run(&arguments, None);
        let machine = run(&[&arguments[..], &["--json"]].concat(), None);

        let report: Value = serde_json::from_slice(&machine.stdout).unwrap_or_else(|error| panic!("{name}: {error}: {machine:?}"));
        let (exit, first_word) = match report["verdict"].as_str() {
            Some("accepted") => (0, "accepted:"),
            Some("refused") => (1, "refused:"),
            other => panic!("{name}: verdict {other:?}"),
        };
        assert_eq!((human.status.code(), machine.status.code()), (Some(exit), Some(exit)), "{name}: {report}");
        let text = String::from_utf8(human.stdout).unwrap();
        assert!(text.starts_with(first_word), "{name}: {text}");
        assert!(human.stderr.is_empty() && machine.stderr.is_empty(), "{name}");
        let said = format!("{text}{report}");
        let code = report["error"]["code"].as_str();
        for other in CODES {
            assert_eq!(said.contains(other), Some(other) == code, "{name}: {other} in {said}");
        }
        if let Some(code) = code {
            assert!(text.contains(code) && text.contains("remedy: "), "{name}: {text}");
        }
        // Neither the token nor its signature is ever repeated.
        if token.len() > 20 {
            let signature = token.rsplit('.').next().filter(|signature| signature.len() > 20).unwrap_or(&token);
            assert!(!said.contains(&token) && !said.contains(signature), "{name}");
        }
        report
    }

    /// STS takes it, and it has these warnings.
    pub(crate) fn is_accepted_with(&self, warnings: &[&str]) {
        self.accepted_as(warnings, true);
    }

    /// By the rules STS would take it, and that was never seen.
    pub(crate) fn is_accepted_unrecorded(&self, warnings: &[&str]) {
        self.accepted_as(warnings, false);
    }

    fn accepted_as(&self, warnings: &[&str], recorded: bool) {
        let report = self.report();
        let name = &self.name;
        assert_eq!((&report["verdict"], &report["recorded"]), (&json!("accepted"), &json!(recorded)), "{name}: {report}");
        assert_eq!((&report["error"], &report["rule"], &report["remedy"]), (&Value::Null, &Value::Null, &Value::Null), "{name}");
        assert_eq!(report["also"], json!([]), "{name}");
        let ids: Vec<&str> = report["warnings"].as_array().unwrap().iter().map(|warning| warning["id"].as_str().unwrap()).collect();
        assert_eq!(ids, warnings, "{name}");
    }

    /// STS takes it, and there is nothing to warn of.
    pub(crate) fn is_accepted(&self) {
        self.is_accepted_with(&[]);
    }

    /// STS takes it, and there is nothing to warn of; the report is handed back.
    pub(crate) fn accepted_report(&self) -> Value {
        self.is_accepted();
        self.report()
    }

    /// STS refuses it with this code, by this rule alone, and both are recorded.
    pub(crate) fn is_refused(&self, code: &str, rule: &str) {
        self.refused_as(code, rule, true, true);
    }

    /// STS refuses it by this rule alone; which code it answers with is not recorded.
    pub(crate) fn is_refused_with_some_code(&self, rule: &str) {
        self.refused_as(INVALID, rule, true, false);
    }

    /// It is not recorded what STS does: the verdict is the cautious one, by this rule alone.
    pub(crate) fn is_doubtful(&self, code: &str, rule: &str) {
        self.refused_as(code, rule, false, false);
    }

    fn refused_as(&self, code: &str, rule: &str, rule_recorded: bool, code_recorded: bool) {
        let report = self.report();
        let name = &self.name;
        assert_eq!((report["error"]["code"].as_str(), report["rule"]["id"].as_str()), (Some(code), Some(rule)), "{name}: {report}");
        assert_eq!(report["also"], json!([]), "{name}");
        assert_eq!(report["rule"]["basis"] != json!("not recorded"), rule_recorded, "{name}");
        assert_eq!(report["error"]["code_recorded"], json!(code_recorded), "{name}");
        assert_eq!(report["recorded"], json!(rule_recorded && code_recorded), "{name}");
        assert_eq!(report["error"]["http_status"], json!(if code == "InternalFailure" { 500 } else { 400 }), "{name}");
    }

    /// The report on a token that is refused for several reasons.
    pub(crate) fn refused_report(&self) -> Value {
        let report = self.report();
        assert_eq!(report["verdict"], json!("refused"), "{}", self.name);
        report
    }
}

/// A folder of files for one run.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file; its path as an argument.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// Runs the tool to its end.
pub(crate) fn run(arguments: &[&str], stdin: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-broker"));
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A child that ends without reading closes the pipe; that is its right.
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), stdin.unwrap_or_default().as_bytes());
    child.wait_with_output().unwrap()
}
