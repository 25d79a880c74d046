//! What a session may do, and its end.

use serde::{Serialize, Serializer};

use super::credential::{live_session, session_hash};
use super::{Broker, Outside};
use crate::aws::{Audience, Roles, SourceIdentity, TagKey, TagValue};
use crate::error::{Failure, Fault};
use crate::event::Event;
use crate::http::{Incoming, Response};
use crate::session::{SessionRecord, index_key, record_key};
use crate::time::UnixTime;
use crate::{Ports, SessionStore};

impl Broker {
    /// `GET /v1/session`: what this session may do.
    pub(super) async fn describe<P: Ports>(
        &self,
        request: &impl Incoming,
        outside: &Outside<'_, P>,
        event: &mut Event,
    ) -> Result<Response, Failure> {
        let hash = session_hash(request, event)?;
        let session = live_session(&hash, outside, event).await?;
        let default = core::slice::from_ref(&self.config.audiences.first().audience);
        Ok(Response::json(200, &Description::new(&session, default)).no_store())
    }
}

/// `DELETE /v1/session`: the record first, since it is what mints, then its index entry.
pub(super) async fn revoke<P: Ports>(request: &impl Incoming, outside: &Outside<'_, P>, event: &mut Event) -> Result<Response, Failure> {
    let hash = session_hash(request, event)?;
    let session = live_session(&hash, outside, event).await?;
    for key in [record_key(&hash), index_key(&session.wallet, &hash)] {
        outside.store.delete(&key).await.map_err(|_| Fault::Store)?;
    }
    Ok(Response::empty(204).no_store())
}

/// The answer to `GET /v1/session`, by the record's names.
#[derive(Serialize)]
struct Description<'a> {
    wallet: &'a str,
    created_at: UnixTime,
    expires_at: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    audiences: &'a [Audience],
    #[serde(serialize_with = "as_object")]
    tags: &'a [(TagKey, TagValue)],
    transitive_tags: &'a [TagKey],
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<&'a Roles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<&'a SourceIdentity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_token_ttl: Option<u64>,
}

impl<'a> Description<'a> {
    fn new(session: &'a SessionRecord, default_audience: &'a [Audience]) -> Self {
        Self {
            wallet: session.wallet.as_str(),
            created_at: session.created_at,
            expires_at: session.expires_at,
            label: session.label.as_deref(),
            audiences: session.audiences.as_deref().unwrap_or(default_audience),
            tags: session.tags().tags(),
            transitive_tags: session.tags().transitive(),
            roles: session.roles.as_ref(),
            source_identity: session.source_identity.as_ref(),
            max_token_ttl: session.max_token_ttl,
        }
    }
}

/// `{"Key": "value"}`, as the record has them.
fn as_object<S: Serializer>(tags: &[(TagKey, TagValue)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(tags.iter().map(|(key, value)| (key, value)))
}
