//! Values computed elsewhere: the omni, the thumbprints of RFC 7638 and of published keys, the session token's hash.
//!
//! The omni's come from `printf agentkeysevm0x… | sha256sum`; the EC key's is RFC 7517 §A.1's first key, whose thumbprint was
//! computed with `printf '{"crv":…,"kty":…,"x":…,"y":…}' | openssl dgst -sha256 -binary | basenc --base64url`.

use agentkeys_edge_broker::keys::PublicKey;
use agentkeys_edge_broker::session::{SessionToken, index_key, index_prefix, record_key};
use agentkeys_edge_broker::wallet::Wallet;

/// Wallet and omni.
const OMNIS: [(&str, &str); 3] = [
    ("0x0000000000000000000000000000000000000000", "c3f7249ad2f03d898a95fdbe95113041282dd1f5a115d14a65d7e7ede4afee5f"),
    ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "53984203621218b030ee73424e3d702762ea42ae840bb6daa56b6883c1e824e8"),
    ("0xffffffffffffffffffffffffffffffffffffffff", "cae2eb9fe876cce920c352f48a685a445c2ded6bea7119f45248c02f6258d246"),
];

/// RFC 7517 §A.1.
const EC_X: &str = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
const EC_Y: &str = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";
const EC_THUMBPRINT: &str = "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s";

const RSA_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

/// Base64url of the SHA-256 of the token of 32 zero bytes.
const ZERO_TOKEN_HASH: &str = "-tGQleKIxCsTvn5Fsmetl6JWm0NggA4k9JZ3uNIyXwY";

#[test]
fn the_omni_of_a_wallet() {
    for (wallet, omni) in OMNIS {
        assert_eq!(wallet.parse::<Wallet>().unwrap().actor_omni(), omni, "{wallet}");
    }
}

#[test]
fn the_thumbprint_of_a_key() {
    let ec = PublicKey::p256(EC_X.to_owned(), EC_Y.to_owned()).unwrap();
    assert_eq!(ec.thumbprint(), EC_THUMBPRINT);
    // RFC 7638 §3.1.
    let rsa = PublicKey::rsa(RSA_N.to_owned(), "AQAB".to_owned()).unwrap();
    assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // The same numbers with one bit changed are another key.
    let other = PublicKey::p256(EC_Y.to_owned(), EC_X.to_owned()).unwrap();
    assert_ne!(other.thumbprint(), ec.thumbprint());
}

#[test]
fn the_keys_of_a_session_in_the_store() {
    let token = SessionToken::from_random(&[0; 32]);
    assert_eq!(token.expose(), "aks_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(record_key(&token.hash()), format!("session/v1/{ZERO_TOKEN_HASH}"));
    let (wallet, _) = OMNIS[1];
    assert_eq!(index_key(&wallet.parse().unwrap(), &token.hash()), format!("wallet/v1/{wallet}/{ZERO_TOKEN_HASH}"));
    assert_eq!(index_prefix(&wallet.parse().unwrap()), format!("wallet/v1/{wallet}/"));
}
