"""An independent relying party: verifies a token by discovery and key set, with PyJWT.

Usage: verify.py ISSUER AUDIENCE < TOKEN

Knows nothing of the broker but its issuer URL. Prints the claims as JSON and exits 0, or prints the name of the error
and exits 1. The token comes on standard input, so that it is in no list of processes.
"""

import json
import sys
import urllib.request

import jwt

TAGS_CLAIM = "https://aws.amazon.com/tags"
REQUIRED = ["iss", "sub", "aud", "iat", "exp", "jti", "agentkeys_user_wallet", TAGS_CLAIM]


class IssuerMismatch(Exception):
    """The discovery document is another issuer's (OpenID Connect Discovery §4.3)."""


class TagsNotAdvertised(Exception):
    """Discovery does not say that tokens carry session tags."""


def discover(issuer: str) -> dict:
    with urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=5) as response:
        document = json.load(response)
    if document["issuer"] != issuer:
        raise IssuerMismatch
    if TAGS_CLAIM not in document["claims_supported"]:
        raise TagsNotAdvertised
    return document


def verify(token: str, issuer: str, audience: str) -> dict:
    document = discover(issuer)
    key = jwt.PyJWKClient(document["jwks_uri"]).get_signing_key_from_jwt(token)
    return jwt.decode(
        token,
        key,
        algorithms=document["id_token_signing_alg_values_supported"],
        issuer=issuer,
        audience=audience,
        options={"require": REQUIRED, "strict_aud": True},
    )


def main() -> int:
    issuer, audience = sys.argv[1:]
    try:
        claims = verify(sys.stdin.read().strip(), issuer, audience)
    except (jwt.PyJWTError, IssuerMismatch, TagsNotAdvertised) as error:
        print(type(error).__name__)
        return 1
    print(json.dumps(claims))
    return 0


if __name__ == "__main__":
    sys.exit(main())
