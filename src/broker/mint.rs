//! The two routes that mint, by the steps of [`crate::mint`]. They differ in their wire, and in nothing else.

use serde::Serialize;

use super::credential::{live_session, session_hash};
use super::{Broker, Outside, body};
use crate::claims::TokenClaims;
use crate::encoding::lower_hex;
use crate::error::{Failure, Fault};
use crate::event::Event;
use crate::http::{Incoming, Response};
use crate::limit::Limit;
use crate::mint::{self, MintRequest, SignedToken, UnsignedToken, decide};
use crate::oauth::{self, TokenError, TokenExchange, token_answer};
use crate::session::SessionHash;
use crate::time::UnixTime;
use crate::wallet::Wallet;
use crate::{Ports, Signer};

/// A token, and what its answer says of it.
struct Minted {
    token: SignedToken,
    wallet: Wallet,
    expires_at: UnixTime,
}

impl Broker {
    /// `POST /v1/mint-oidc-jwt`.
    pub(super) async fn mint<P: Ports>(
        &self,
        request: &impl Incoming,
        outside: &Outside<'_, P>,
        event: &mut Event,
    ) -> Result<Response, Failure> {
        // 1. parse
        let hash = session_hash(request, event)?;
        let body = body(request, mint::BODY_BYTES_MAX).await?;
        let asked =
            if body.is_empty() { MintRequest::default() } else { MintRequest::parse(&body, request.header("content-type").as_deref())? };
        // 2. to 4.
        let Minted { token, wallet, expires_at } = self.token(&hash, &asked, outside, event).await?;
        // 5. answer
        Ok(Response::json(200, &MintAnswer { jwt: token.expose(), wallet: wallet.as_str(), expiration: expires_at }).no_store())
    }

    /// `POST /v1/token` (RFC 8693 §2).
    pub(super) async fn exchange<P: Ports>(
        &self,
        request: &impl Incoming,
        outside: &Outside<'_, P>,
        event: &mut Event,
    ) -> Result<Response, TokenError> {
        // 1. parse
        let body = body(request, oauth::BODY_BYTES_MAX).await?;
        let TokenExchange { subject_token, asked, token_type } = TokenExchange::parse(&body, request.header("content-type").as_deref())?;
        let hash = subject_token.hash();
        event.of_session(&hash);
        // 2. to 4.
        let minted = self.token(&hash, &asked, outside, event).await?;
        // 5. answer
        Ok(token_answer(&minted.token, token_type, minted.expires_at.since(outside.now)))
    }

    /// The steps between: look up, decide, sign.
    async fn token<P: Ports>(
        &self,
        hash: &SessionHash,
        asked: &MintRequest,
        outside: &Outside<'_, P>,
        event: &mut Event,
    ) -> Result<Minted, Failure> {
        // 2. look up, which a session that asks too often does not get to
        outside.within(Limit::Mint, hash.as_str(), event).await?;
        let session = live_session(hash, outside, event).await?;
        // 3. decide
        let decision = decide(&self.config, &session, asked, outside.now)?;
        let key = self.ring.signer(decision.alg, outside.now).ok_or(Fault::NoSigningKey)?;
        let jti = lower_hex(&outside.random::<16>()?);
        let claims = TokenClaims::new(&self.config, &session, &decision.audience, &jti)?;
        let token = UnsignedToken::new(key.public.kid(), key.public.alg(), claims, &decision)?;
        // 4. sign
        let signature = outside.signer.sign(key.public.kid(), token.signing_input()).await.map_err(|_| Fault::Signing)?;
        let token = token.sign_with(&signature)?;
        event.audience = Some(decision.audience.into());
        event.kid = Some(key.public.kid().to_owned());
        event.jti = Some(jti);
        Ok(Minted { token, wallet: session.wallet, expires_at: decision.expires_at })
    }
}

/// The answer to a mint.
#[derive(Serialize)]
struct MintAnswer<'a> {
    jwt: &'a str,
    wallet: &'a str,
    expiration: UnixTime,
}
