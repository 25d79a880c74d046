//! The grant: what a token may carry, told from the stored record, the configuration and the request as they are written,
//! by other code than the broker's. The property tests, the tests of the tool and the fuzz targets hold tokens against it.

use std::collections::BTreeMap;

use agentkeys_edge_broker::wallet::Wallet;
use serde_json::{Value, json};

/// What a token is made from, before any type of the broker has seen it.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) issuer: String,
    /// The audiences of the configuration, the default first.
    pub(crate) audiences: Vec<String>,
    pub(crate) token_ttl: u64,
    pub(crate) with_omni: bool,
    /// The stored record.
    pub(crate) record: Value,
    /// What the request names, where it names it.
    pub(crate) asked_audience: Option<String>,
    pub(crate) asked_ttl: Option<u64>,
    pub(crate) now: u64,
}

/// The claims of every token besides those of AWS.
const CLAIMS: [&str; 7] = ["iss", "sub", "aud", "iat", "exp", "jti", "agentkeys_user_wallet"];
const OMNI: &str = "agentkeys_actor_omni";
const TAGS: &str = "https://aws.amazon.com/tags";
const ROLES: &str = "https://aws.amazon.com/roles";
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

impl Grant {
    /// Whether a token's claims are within the grant; the first that is not, in words.
    ///
    /// # Errors
    /// The claim that is wider than, or other than, what was granted.
    pub(crate) fn holds(&self, claims: &Value) -> Result<(), String> {
        let claims = claims.as_object().ok_or("the claims are no object")?;
        let claim = |name: &str| claims.get(name).ok_or_else(|| format!("there is no {name}"));
        let wallet = self.record["wallet"].as_str().ok_or("the record has no wallet")?;
        let is = |name: &str, expected: Option<Value>| {
            let found = claims.get(name);
            if found == expected.as_ref() { Ok(()) } else { Err(format!("{name} is {found:?} and not {expected:?}")) }
        };
        is("iss", Some(json!(self.issuer)))?;
        is("sub", Some(json!(format!("agentkeys:agent:{wallet}"))))?;
        is("agentkeys_user_wallet", Some(json!(wallet)))?;
        is(ROLES, self.record.get("roles").cloned())?;
        is(SOURCE_IDENTITY, self.record.get("source_identity").cloned())?;
        self.audience(claim("aud")?)?;
        self.times(claim("iat")?, claim("exp")?)?;
        // The omni itself is held against values computed elsewhere (`vectors`).
        let omni = wallet.parse::<Wallet>().map_err(|wrong| wrong.to_string())?.actor_omni();
        is(OMNI, self.with_omni.then(|| json!(omni)))?;
        self.tags(claim(TAGS)?, wallet, claims.get(OMNI))?;
        let known = |name: &str| CLAIMS.contains(&name) || [OMNI, TAGS, ROLES, SOURCE_IDENTITY].contains(&name);
        claim("jti")?;
        match claims.keys().find(|name| !known(name)) {
            Some(other) => Err(format!("{other} is no claim of this broker")),
            None => Ok(()),
        }
    }

    /// One audience: of the session and of the configuration, and the one that was asked for.
    fn audience(&self, aud: &Value) -> Result<(), String> {
        let aud = aud.as_str().ok_or("aud is not one text")?;
        let own = match self.record.get("audiences").and_then(Value::as_array) {
            Some(list) => list.iter().any(|own| own == aud),
            None => self.audiences.first().is_some_and(|default| default == aud),
        };
        let configured = self.audiences.iter().any(|configured| configured == aud);
        let asked = self.asked_audience.as_deref().is_none_or(|asked| asked == aud);
        if own && configured && asked { Ok(()) } else { Err(format!("aud {aud:?} is outside session, configuration or request")) }
    }

    /// From now, within the ceiling, what was asked, and the session's life.
    fn times(&self, iat: &Value, exp: &Value) -> Result<(), String> {
        let (iat, exp) = iat.as_u64().zip(exp.as_u64()).ok_or("iat and exp are no whole numbers")?;
        let ceiling = self.record.get("max_token_ttl").map_or(Some(self.token_ttl), Value::as_u64).ok_or("a ceiling is a number")?;
        let ends = self.record["expires_at"].as_u64().ok_or("the record has no end")?;
        let longest = self.asked_ttl.map_or(ceiling, |asked| asked.min(ceiling));
        if iat == self.now && exp > iat && exp - iat <= longest && exp <= ends {
            Ok(())
        } else {
            Err(format!("iat {iat} and exp {exp} at {}, within {longest} seconds and until {ends}", self.now))
        }
    }

    /// Exactly the broker's own tags and the session's; transitive are its own and those the session says.
    fn tags(&self, claim: &Value, wallet: &str, omni: Option<&Value>) -> Result<(), String> {
        let mut own = vec![("agentkeys_user_wallet".to_owned(), json!(wallet))];
        own.extend(omni.map(|omni| (OMNI.to_owned(), omni.clone())));
        let of_session = self.record.get("tags").and_then(Value::as_object).cloned().unwrap_or_default();
        let transitive_of_session = self.record.get("transitive_tags").and_then(Value::as_array).cloned().unwrap_or_default();
        let transitive: Vec<Value> = own.iter().map(|(key, _)| json!(key)).chain(transitive_of_session).collect();
        let tags: BTreeMap<String, Value> = own.into_iter().chain(of_session).map(|(key, value)| (key, json!([value]))).collect();
        let expected = json!({"principal_tags": tags, "transitive_tag_keys": transitive});
        if *claim == expected { Ok(()) } else { Err(format!("the tags are {claim} and not {expected}")) }
    }
}
