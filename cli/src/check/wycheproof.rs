//! Project Wycheproof's vectors, held against the verifier: every case of every file is run and accounted for.
//!
//! The files of the six algorithms are in `tests/vectors/`. Those of JSON Web Signature, Key and Crypto are in no package
//! registry and so not among them (`tests/vectors/README.md`): name the folder that has them,
//! `WYCHEPROOF=…/testvectors_v1 cargo test --package edge-broker wycheproof -- --include-ignored`.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;

use agentkeys_edge_broker::encoding::{base64url, lower_hex};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::jose::{Alg, Jws};
use super::keys::KeySet;
use super::signature::{signed_by, verifies};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    number_of_tests: usize,
    test_groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    /// Of a primitive.
    public_key: Option<Numbers>,
    /// Of a JWS: the key, or the key set, as the text of it or as it is.
    public: Option<Value>,
    private: Option<Value>,
    tests: Vec<Case>,
}

/// Big-endian, in hex.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Numbers {
    uncompressed: Option<String>,
    modulus: Option<String>,
    public_exponent: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    tc_id: u32,
    comment: String,
    result: String,
    msg: Option<String>,
    sig: Option<String>,
    jws: Option<Value>,
    jwe: Option<Value>,
}

/// A file of a folder, held against its hash.
fn read(folder: &str, file: &str, hash: &str) -> Vectors {
    let text = fs::read_to_string(format!("{folder}/{file}")).unwrap_or_else(|error| panic!("{folder}/{file}: {error}"));
    assert_eq!(lower_hex(&Sha256::digest(&text)), hash, "{file} is another version of the file");
    serde_json::from_str(&text).unwrap()
}

/// The folder of the files that are here.
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors");

fn own(file: &str) -> Vectors {
    let sums = fs::read_to_string(format!("{OWN}/SHA256SUMS")).unwrap();
    let hash = sums.lines().find_map(|line| line.strip_suffix(file)).unwrap().trim();
    read(OWN, file, hash)
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|start| u8::from_str_radix(&text[start..start + 2], 16).unwrap()).collect()
}

/// A number as a JWK has it: without leading zeroes.
fn number(text: &str) -> String {
    let bytes = hex(text);
    base64url(&bytes[bytes.iter().position(|byte| *byte != 0).unwrap()..])
}

impl Numbers {
    /// A set of this one key.
    fn key_set(&self, crv: &str) -> KeySet {
        let jwk = match (&self.uncompressed, &self.modulus, &self.public_exponent) {
            (Some(point), _, _) => {
                let (x, y) = point[2..].split_at((point.len() - 2) / 2);
                json!({"kty": "EC", "crv": crv, "x": base64url(&hex(x)), "y": base64url(&hex(y)), "kid": "k"})
            }
            (None, Some(n), Some(e)) => json!({"kty": "RSA", "n": number(n), "e": number(e), "kid": "k"}),
            _ => panic!("a key of another type"),
        };
        KeySet::parse(json!({"keys": [jwk]}).to_string().as_bytes()).ok().unwrap()
    }
}

/// How often the verifier accepted and refused what a file says of its cases: valid, acceptable, invalid.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    valid: [u32; 2],
    acceptable: [u32; 2],
    invalid: [u32; 2],
}

/// Runs a file's cases; the first of two numbers is what is accepted.
fn tally(file: &str, alg: Alg, crv: &str) -> Tally {
    let Vectors { number_of_tests, test_groups } = own(file);
    let (mut tally, mut run) = (Tally::default(), 0);
    for Group { public_key, tests, .. } in test_groups {
        let keys = public_key.unwrap().key_set(crv);
        for Case { tc_id, comment, result, msg, sig, .. } in tests {
            run += 1;
            let (message, signature) = (hex(&msg.unwrap()), hex(&sig.unwrap()));
            // A key that check does not use verifies nothing.
            let accepted = keys.key_for(alg, Some("k")).is_ok_and(|key| verifies(alg, key, &message, &signature));
            let count = match result.as_str() {
                "valid" => &mut tally.valid,
                "acceptable" => &mut tally.acceptable,
                "invalid" => &mut tally.invalid,
                other => panic!("{tc_id} {comment}: {other}"),
            };
            count[usize::from(!accepted)] += 1;
        }
    }
    assert_eq!(run, number_of_tests, "{file}");
    tally
}

/// Every valid signature verifies and no invalid one. The one that is acceptable (an RSA padding whose algorithm has no
/// parameters, where RFC 8017 has NULL) is refused.
#[test]
fn wycheproof_s_signatures_in_jose_form_are_told_apart() {
    for (file, alg, crv, valid, invalid, acceptable) in [
        ("ecdsa_secp256r1_sha256_p1363_test.json", Alg::Es256, "P-256", 173, 89, 0),
        ("ecdsa_secp384r1_sha384_p1363_test.json", Alg::Es384, "P-384", 193, 87, 0),
        ("ecdsa_secp521r1_sha512_p1363_test.json", Alg::Es512, "P-521", 231, 87, 0),
        ("rsa_signature_2048_sha256_test.json", Alg::Rs256, "", 9, 249, 1),
        ("rsa_signature_2048_sha384_test.json", Alg::Rs384, "", 7, 250, 1),
        ("rsa_signature_2048_sha512_test.json", Alg::Rs512, "", 8, 250, 1),
    ] {
        let expected = Tally { valid: [valid, 0], acceptable: [0, acceptable], invalid: [0, invalid] };
        assert_eq!(tally(file, alg, crv), expected, "{file}");
    }
}

/// The twin: under another algorithm of the key's type, and on another curve, no valid case verifies. Of the invalid ones one
/// does, which is a signature with that very hash.
#[test]
fn wycheproof_s_signatures_under_another_algorithm_are_refused() {
    for (file, alg, crv, invalid_accepted) in [
        ("ecdsa_secp256r1_sha256_p1363_test.json", Alg::Es384, "P-256", 0),
        ("ecdsa_secp256r1_sha256_p1363_test.json", Alg::Es256, "P-384", 0),
        ("rsa_signature_2048_sha256_test.json", Alg::Rs512, "", 1),
    ] {
        let Tally { valid, acceptable, invalid } = tally(file, alg, crv);
        assert_eq!((valid[0], acceptable[0], invalid[0]), (0, 0, invalid_accepted), "{file} {alg}");
    }
}

/// What `check` makes of a case, and why where it is not what the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Account {
    /// Valid, and accepted.
    Accepts,
    /// Invalid, and refused.
    Refuses,
    /// Valid, and refused: beyond what STS verifies, or by a rule of STS's.
    RefusesBeyond(&'static str),
    /// Invalid, and accepted: by a rule of STS's, or a judgement that check does not make.
    AcceptsBeyond(&'static str),
}

use Account::{Accepts, AcceptsBeyond, Refuses, RefusesBeyond};

const HMAC: Account = RefusesBeyond("STS takes no HS*: the key is a secret of issuer and verifier, and no key set is one");
const PSS: Account = RefusesBeyond("STS takes no PS*");
const KEY_OPS: Account = RefusesBeyond("STS uses no key with key_ops");
const ENCRYPTED: Account = RefusesBeyond("STS takes signed tokens: a JWE is none");
const KEY_ALG: Account = AcceptsBeyond("STS goes by the token's alg, and not by the key's: here they differ");
const ROCA: Account = AcceptsBeyond("a weak modulus is not looked for: STS is not known to, and the signature is the key's");

/// The cases of a file by their numbers, each account with the numbers it is for.
type Accounts = &'static [(Account, &'static [RangeInclusive<u32>])];

const SIGNATURES: Accounts = &[
    (Accepts, &[18..=18, 33..=33, 259..=271, 345..=345, 347..=347, 378..=378]),
    (
        Refuses,
        &[
            2..=17,
            19..=32,
            34..=258,
            276..=286,
            289..=319,
            324..=324,
            329..=331,
            333..=333,
            335..=335,
            337..=344,
            353..=356,
            360..=371,
            374..=375,
            379..=401,
        ],
    ),
    (HMAC, &[1..=1, 348..=348, 352..=352, 357..=359, 372..=373, 376..=377]),
    (PSS, &[272..=275, 287..=288, 320..=323, 325..=328, 346..=346, 350..=350]),
    (KEY_OPS, &[349..=349, 351..=351]),
    (KEY_ALG, &[332..=332, 334..=334, 336..=336]),
];

const KEYS: Accounts = &[
    (Accepts, &[5..=5]),
    (Refuses, &[1..=1, 3..=4, 6..=6, 8..=12, 16..=18, 21..=26]),
    (HMAC, &[2..=2, 13..=15]),
    (KEY_ALG, &[19..=20]),
    (ROCA, &[7..=7]),
];

const BOTH: Accounts = &[
    (Accepts, &[18..=18, 33..=33]),
    (Refuses, &[2..=17, 19..=32, 34..=45, 47..=47, 49..=49, 51..=66, 68..=83]),
    (HMAC, &[1..=1, 48..=48]),
    (ENCRYPTED, &[50..=50, 67..=67]),
    (ROCA, &[46..=46]),
];

/// Runs every case, and says where it is not what it is accounted for.
fn unaccounted(Vectors { number_of_tests, test_groups }: Vectors, accounts: Accounts) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    let of = |number: u32| accounts.iter().filter(move |(_, numbers)| numbers.iter().any(|range| range.contains(&number)));
    for Group { public, private, tests, .. } in test_groups {
        let keys = match public.or(private).unwrap() {
            Value::String(text) => serde_json::from_str(&text).unwrap(),
            value => value,
        };
        let keys = if keys["keys"].is_array() { keys } else { json!({"keys": [keys]}) };
        let keys = KeySet::parse(keys.to_string().as_bytes()).ok().unwrap();
        for Case { tc_id, comment, result, jws, jwe, .. } in tests {
            assert!(seen.insert(tc_id), "{tc_id} is there twice");
            let token = jws.or(jwe).map_or_else(String::new, |jws| jws.as_str().map_or_else(|| jws.to_string(), str::to_owned));
            let accepted = Jws::parse(&token)
                .ok()
                .is_some_and(|jws| keys.key_for(jws.alg, jws.kid.as_deref()).is_ok_and(|key| signed_by(&jws, key).is_ok()));
            let account: Vec<Account> = of(tc_id).map(|(account, _)| *account).collect();
            let found = match (result.as_str(), accepted) {
                ("valid", true) => matches!(account[..], [Accepts]),
                ("valid", false) => matches!(account[..], [RefusesBeyond(_)]),
                ("invalid", true) => matches!(account[..], [AcceptsBeyond(_)]),
                ("invalid", false) => matches!(account[..], [Refuses]),
                _ => false,
            };
            if !found {
                wrong.push(format!("{tc_id} {comment}: {result}, accepted: {accepted}, accounted for: {account:?}"));
            }
        }
    }
    if seen.len() != number_of_tests {
        wrong.push(format!("{} of {number_of_tests} cases were run", seen.len()));
    }
    wrong
}

fn from_wycheproof(file: &str, hash: &str) -> Vectors {
    let folder = std::env::var("WYCHEPROOF").unwrap_or_else(|_| OWN.to_owned());
    read(&folder, file, hash)
}

#[test]
#[ignore = "needs json_web_signature_test.json of Wycheproof: WYCHEPROOF=folder"]
fn every_case_of_json_web_signature_is_accounted_for() {
    let vectors = from_wycheproof("json_web_signature_test.json", "8e687a06fe8359f4ec51480f1a9f73c8faebd6f4c01b818b843b44eee54fd5d9");
    assert_eq!(unaccounted(vectors, SIGNATURES), Vec::<String>::new());
}

#[test]
#[ignore = "needs json_web_key_test.json of Wycheproof: WYCHEPROOF=folder"]
fn every_case_of_json_web_key_is_accounted_for() {
    let vectors = from_wycheproof("json_web_key_test.json", "be983255bce26406f97020ec5458b33930a90d5f868e604fcd569c300aba2862");
    assert_eq!(unaccounted(vectors, KEYS), Vec::<String>::new());
}

#[test]
#[ignore = "needs json_web_crypto_test.json of Wycheproof: WYCHEPROOF=folder"]
fn every_case_of_json_web_crypto_is_accounted_for() {
    let vectors = from_wycheproof("json_web_crypto_test.json", "dcd58ac9548a7d6173437a691e4cc307dcd3cec9fd814a39cd2a94531cf4f8ce");
    assert_eq!(unaccounted(vectors, BOTH), Vec::<String>::new());
}

/// The twin: a case that is accounted for otherwise, not at all or twice, and one that is missing, is found.
#[test]
fn a_case_that_is_not_accounted_for_is_found() {
    // The example of RFC 7515 §A.3, and the same without its signature.
    let (header, payload) =
        ("eyJhbGciOiJFUzI1NiJ9", "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ");
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let key = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "kid": "k"});
    let vectors = |number: u32| {
        let case = |number, result, signature| json!({"tcId": number, "comment": "", "result": result, "jws": format!("{header}.{payload}.{signature}")});
        let tests = [case(1, "valid", signature), case(2, "invalid", "")];
        serde_json::from_value(json!({"numberOfTests": number, "testGroups": [{"public": key, "tests": tests}]})).unwrap()
    };
    assert_eq!(unaccounted(vectors(2), &[(Accepts, &[1..=1]), (Refuses, &[2..=2])]), Vec::<String>::new());
    let wrong: [(u32, Accounts, usize); 6] = [
        (3, &[(Accepts, &[1..=1]), (Refuses, &[2..=2])], 1),
        (2, &[(Accepts, &[1..=1])], 1),
        (2, &[(Accepts, &[1..=1]), (Refuses, &[1..=2])], 1),
        (2, &[(Accepts, &[1..=2])], 1),
        (2, &[(Refuses, &[1..=2])], 1),
        (2, &[(HMAC, &[1..=1]), (KEY_ALG, &[2..=2])], 2),
    ];
    for (number, accounts, count) in wrong {
        assert_eq!(unaccounted(vectors(number), accounts).len(), count, "{accounts:?}");
    }
}
