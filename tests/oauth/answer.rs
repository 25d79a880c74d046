//! RFC 8693 §2.2.1: the answer, with the token that the mint's own steps make of the request.

use agentkeys_edge_broker::claims::TokenClaims;
use agentkeys_edge_broker::config::Config;
use agentkeys_edge_broker::keys::Alg;
use agentkeys_edge_broker::mint::{UnsignedToken, decide};
use agentkeys_edge_broker::oauth::token_answer;
use agentkeys_edge_broker::session::SessionRecord;
use agentkeys_edge_broker::time::UnixTime;
use serde_json::{Value, json};

use super::with;

#[test]
fn the_answer_is_rfc_8693_s_and_names_the_type_that_was_asked_for() {
    let config = Config::parse(|name| (name == "ISSUER").then(|| "https://keys.example.com".to_owned())).unwrap();
    let (now, wallet) = (UnixTime::EPOCH.plus(1_000), "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed".parse().unwrap());
    let session = SessionRecord::new(wallet, now, now.plus(200)).unwrap();
    for name in ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"] {
        let request = with(&[("audience", "sts.amazonaws.com"), ("requested_token_type", name)]).unwrap();
        let decision = decide(&config, &session, &request.asked, now).unwrap();
        let claims = TokenClaims::new(&config, &session, &decision.audience, "jti").unwrap();
        let token = UnsignedToken::new("kid", Alg::Es256, claims, &decision).unwrap().sign_with(&[7; 64]).unwrap();
        let response = token_answer(&token, request.token_type, decision.expires_at.since(now));
        assert_eq!((response.status, response.header("cache-control")), (200, Some("no-store")));
        assert_eq!(
            serde_json::from_str::<Value>(response.body_text()).unwrap(),
            json!({"access_token": token.expose(), "issued_token_type": name, "token_type": "N_A", "expires_in": 200})
        );
    }
}
