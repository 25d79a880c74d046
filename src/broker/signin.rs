//! The two routes of sign-in, by the steps of [`crate::signin`].

use super::{Broker, Outside, body, client};
use crate::config::Allow;
use crate::error::{Failure, Fault, Refusal};
use crate::event::{Degraded, Event};
use crate::http::{Incoming, Response};
use crate::limit::Limit;
use crate::session::{IndexMetadata, SessionHash, SessionRecord, SessionToken, index_key, index_prefix, indexed_session, record_key};
use crate::signin::{AllowRecord, BODY_BYTES_MAX, Challenge, StartRequest, VerifyRequest, allow_key, open, signed_in, started, surplus};
use crate::wallet::Wallet;
use crate::{ChallengeStore, Ports, SessionStore, StoreError};

impl Broker {
    /// `POST /v1/auth/wallet/start`.
    pub(super) async fn start_signin<P: Ports>(
        &self,
        request: &impl Incoming,
        outside: &Outside<'_, P>,
        event: &mut Event,
    ) -> Result<Response, Failure> {
        outside.within(Limit::SigninClient, &format!("start {}", client(request)), event).await?;
        // 1. parse
        let body = body(request, BODY_BYTES_MAX).await?;
        let asked = StartRequest::parse(&self.config.signin, &body, request.header("content-type").as_deref())?;
        event.wallet = Some(asked.wallet.clone());
        outside.within(Limit::SigninWallet, &format!("start {}", asked.wallet), event).await?;
        // 2. make the challenge
        let challenge = Challenge::new(&self.config, asked, &outside.random()?, outside.now)?;
        // 3. store it
        let stored = outside.challenges.put(&challenge.request_id, &challenge.to_json(), challenge.expires_at).await;
        stored.map_err(|_| Fault::Challenges)?;
        // 4. answer
        Ok(started(&challenge)?)
    }

    /// `POST /v1/auth/wallet/verify`.
    pub(super) async fn verify_signin<P: Ports>(
        &self,
        request: &impl Incoming,
        outside: &Outside<'_, P>,
        event: &mut Event,
    ) -> Result<Response, Failure> {
        outside.within(Limit::SigninClient, &format!("verify {}", client(request)), event).await?;
        // 1. parse
        let body = body(request, BODY_BYTES_MAX).await?;
        let asked = VerifyRequest::parse(&body, request.header("content-type").as_deref())?;
        // 2. consume the challenge
        let stored = outside.challenges.take(&asked.request_id).await.map_err(|_| Fault::Challenges)?;
        // 3. decide
        let challenge = Challenge::consumed(stored.as_deref(), &asked.request_id, outside.now).map_err(Refusal::SigninFailed)?;
        event.wallet = Some(challenge.wallet.clone());
        let wallet = challenge.signed_by(&asked.signature).map_err(Refusal::SigninFailed)?;
        outside.within(Limit::SigninWallet, &format!("verify {wallet}"), event).await?;
        // 4. where only some may sign in: whether this wallet may
        if self.config.signin.allow == Allow::Listed {
            let listed = outside.store.get(&allow_key(&wallet)).await.map_err(|_| Fault::SigninStore)?;
            if !AllowRecord::admits(listed.as_deref(), &wallet) {
                return Err(Refusal::WalletNotListed.into());
            }
        }
        // 5. open a session
        let token = SessionToken::from_random(&outside.random()?);
        let hash = token.hash();
        event.of_session(&hash);
        let session = open(&self.config, wallet, outside.now)?;
        store(&hash, &session, outside).await?;
        match self.make_room(&session.wallet, &hash, outside).await {
            Ok(ended) => event.ended = (ended > 0).then_some(ended),
            Err(StoreError) => event.degraded = Some(Degraded::Surplus),
        }
        // 6. answer
        Ok(signed_in(&token, &session))
    }

    /// Ends a wallet's oldest sessions beyond the limit, and says how many. The limit is a soft one: where the store does not
    /// answer, the next sign-in ends them.
    async fn make_room<P: Ports>(&self, wallet: &Wallet, new: &SessionHash, outside: &Outside<'_, P>) -> Result<usize, StoreError> {
        let listed = outside.store.list(&index_prefix(wallet)).await?;
        let sessions = listed.into_iter().filter_map(|(key, metadata)| {
            let metadata = metadata.and_then(|text| IndexMetadata::parse(&text));
            indexed_session(wallet, &key).map(|session| (session, metadata))
        });
        let surplus = surplus(sessions.collect(), new, self.config.signin.sessions_per_wallet, outside.now);
        for hash in &surplus {
            outside.store.delete(&record_key(hash)).await?;
            outside.store.delete(&index_key(wallet, hash)).await?;
        }
        Ok(surplus.len())
    }
}

/// Stores a session: first its index entry, so that a session is never there unlisted, then its record.
async fn store<P: Ports>(hash: &SessionHash, session: &SessionRecord, outside: &Outside<'_, P>) -> Result<(), Fault> {
    let record = session.to_json().map_err(|_| Fault::Internal)?;
    let metadata = IndexMetadata::from(session).to_json();
    let index = index_key(&session.wallet, hash);
    outside.store.put(&index, "", Some(&metadata), session.expires_at).await.map_err(|_| Fault::SigninStore)?;
    outside.store.put(&record_key(hash), &record, None, session.expires_at).await.map_err(|_| Fault::SigninStore)
}
