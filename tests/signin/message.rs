//! EIP-4361: the text of a message, held against the one the siwe package writes.

use agentkeys_edge_broker::config::{Resource, Statement};
use agentkeys_edge_broker::signin::{ChainId, Challenge, DateTimeText, SiweMessage, StartRequest};
use serde::Deserialize;

use crate::support::{NOW, at, config, vectors};

#[derive(Deserialize)]
struct Vectors {
    messages: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    name: String,
    scheme: Option<String>,
    domain: String,
    address: String,
    statement: Option<String>,
    uri: String,
    version: String,
    chain_id: u64,
    nonce: String,
    issued_at: String,
    expiration_time: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    message: String,
}

/// The time of an RFC 3339 text of the vectors.
fn time(text: &str) -> DateTimeText {
    let seconds = match text {
        "2021-09-30T16:25:24Z" => 1_633_019_124,
        "2026-11-23T21:53:31Z" => NOW,
        "2026-11-23T22:03:31Z" => NOW + 600,
        other => panic!("what is {other} in Unix seconds?"),
    };
    DateTimeText::new(at(seconds)).unwrap()
}

fn of_vector(vector: &Vector) -> String {
    assert_eq!(vector.version, "1");
    SiweMessage {
        scheme: vector.scheme.as_deref(),
        domain: &vector.domain,
        address: &vector.address,
        statement: vector.statement.clone().map(|text| Statement::try_from(text).unwrap()).as_ref(),
        uri: &vector.uri,
        chain_id: ChainId::try_from(vector.chain_id).unwrap(),
        nonce: &vector.nonce,
        issued_at: time(&vector.issued_at),
        expires_at: vector.expiration_time.as_deref().map(time),
        resources: &vector.resources.iter().cloned().map(|uri| Resource::try_from(uri).unwrap()).collect::<Vec<_>>(),
    }
    .to_string()
}

#[test]
fn a_message_is_what_the_siwe_package_writes() {
    let Vectors { messages } = vectors("sign-in.json");
    assert!(messages.len() >= 11);
    for vector in messages {
        assert_eq!(of_vector(&vector), vector.message, "{}", vector.name);
    }
}

#[test]
fn every_field_is_in_the_text() {
    let Vectors { messages } = vectors("sign-in.json");
    let vector = || {
        serde_json::from_value::<Vector>(serde_json::json!({
        "name": "", "scheme": "http", "domain": "a.example", "address": messages[0].address, "statement": "s", "uri": "https://a.example",
        "version": "1", "chainId": 1, "nonce": "00000000", "issuedAt": "2021-09-30T16:25:24Z",
        "expirationTime": "2026-11-23T21:53:31Z", "resources": ["a:b"], "message": ""
    }))
    .unwrap()
    };
    let whole = of_vector(&vector());
    let without: [fn(&mut Vector); 10] = [
        |vector| vector.scheme = None,
        |vector| "b.example".clone_into(&mut vector.domain),
        |vector| vector.address.make_ascii_lowercase(),
        |vector| vector.statement = None,
        |vector| "https://b.example".clone_into(&mut vector.uri),
        |vector| vector.chain_id = 2,
        |vector| "00000001".clone_into(&mut vector.nonce),
        |vector| "2026-11-23T21:53:31Z".clone_into(&mut vector.issued_at),
        |vector| vector.expiration_time = None,
        |vector| vector.resources = vec![],
    ];
    for (n, change) in without.into_iter().enumerate() {
        let mut changed = vector();
        change(&mut changed);
        assert_ne!(of_vector(&changed), whole, "field {n}");
    }
}

#[test]
fn a_challenge_s_message_is_made_of_the_configuration_and_the_request() {
    let Vectors { messages } = vectors("sign-in.json");
    let random: Vec<u8> = (0..32).map(|n| if n < 16 { 0xff } else { n - 16 }).collect();
    let challenge = |variables: &[(&str, &str)], chain_id: u64| {
        let wallet = messages[3].address.to_lowercase().parse().unwrap();
        let request = StartRequest { wallet, chain_id: chain_id.try_into().unwrap() };
        Challenge::new(&config(variables), request, random.as_slice().try_into().unwrap(), at(NOW)).unwrap().message
    };
    let expected = |name: &str| &messages.iter().find(|vector| vector.name == name).unwrap().message;
    assert_eq!(&challenge(&[], 1), expected("the broker's default"));
    assert_eq!(&challenge(&[("ISSUER", "https://keys.example.com/a/b")], 1), expected("an issuer with a path"));
    assert_eq!(&challenge(&[("ISSUER", "http://localhost:8787")], 1), expected("a development issuer"));
    assert_eq!(&challenge(&[], 9_007_199_254_740_991), expected("another chain"));
    assert_eq!(&challenge(&[("SIGNIN_RESOURCES", r#"["urn:example:tenant:a%2Fb?x=1#y"]"#)], 1), expected("one resource"));
}
