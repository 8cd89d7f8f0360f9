"""An OpenID provider on this machine: the part of the Hub that a Space with ``hf_oauth`` lets people log in at.

Authorization code flow with the addresses that the Hub has (https://huggingface.co/docs/hub/oauth): the account is chosen on a page,
for there are no passwords here; codes are good once, for the client and the address that they were made for.
"""

import base64
import json
import secrets
import time
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pytest_httpserver import HTTPServer
from werkzeug import Response

CLIENT, SECRET, SCOPES = "studio-client", "studio-secret", "openid profile"
ACCOUNTS = {"ana": "64f0a", "bob": "64f0b"}  # name: the account's own number


class Provider:
    """What the provider knows: its key, and the codes and tokens that it gave out."""

    def __init__(self, url):
        self.url = url
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.codes, self.tokens, self.asked = {}, {}, []

    def configuration(self):
        """Give what /.well-known/openid-configuration holds."""
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "userinfo_endpoint": "userinfo",
                  "jwks_uri": "jwks"}  # fmt: skip
        return {
            "issuer": self.url, **{name: f"{self.url}/oauth/{path}" for name, path in places.items()},
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "scopes_supported": SCOPES.split(), "id_token_signing_alg_values_supported": ["RS256"],
        }  # fmt: skip

    def keys(self):
        """Give the public key, as JWKS."""
        numbers = self.key.public_key().public_numbers()
        parts = {"n": numbers.n.to_bytes(256, "big"), "e": numbers.e.to_bytes(3, "big")}
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one",
                          **{name: _encoded(value) for name, value in parts.items()}}]}  # fmt: skip

    def account(self, name):
        """Give what is told about an account."""
        return {"sub": ACCOUNTS[name], "name": name.title(), "preferred_username": name,
                "profile": f"{self.url}/{name}", "picture": f"{self.url}/{name}.png"}  # fmt: skip

    def told(self, authorization):
        """Give what is told to whoever has a token; None for any other."""
        name = self.tokens.get(authorization.removeprefix("Bearer "))
        return self.account(name) if name else None

    def choices(self, query):
        """Write the page on which somebody says who they are; each link goes back with a code."""
        assert (query["client_id"], query["response_type"]) == (CLIENT, "code"), query
        self.asked.append(set(query["scope"].split()))
        links = []
        for name in ACCOUNTS:
            code = secrets.token_urlsafe(16)
            self.codes[code] = {"name": name, "nonce": query.get("nonce"), "redirect_uri": query["redirect_uri"]}
            back = urlsplit(query["redirect_uri"])
            answer = urlencode([*parse_qsl(back.query), ("code", code), ("state", query["state"])])
            links.append(f'<a href="{back._replace(query=answer).geturl().replace("&", "&amp;")}">{name}</a>')
        return "<h1>Who are you?</h1>" + " ".join(links)

    def exchange(self, form, authorization):
        """Give tokens for a code; None where it is not good."""
        told = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        known = self.codes.pop(form["code"], None)
        if told != f"{CLIENT}:{SECRET}" or known is None or known["redirect_uri"] != form["redirect_uri"]:
            return None
        token, now = f"hf_oauth_{secrets.token_hex(8)}", int(time.time())
        self.tokens[token] = known["name"]
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 3600, "nonce": known["nonce"],
                  **self.account(known["name"])}  # fmt: skip
        return {"access_token": token, "token_type": "bearer", "expires_in": 3600, "scope": SCOPES,
                "id_token": self._signed(claims)}  # fmt: skip

    def _signed(self, claims):
        parts = {"alg": "RS256", "typ": "JWT", "kid": "one"}, claims
        text = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
        return f"{text}.{_encoded(self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _encoded(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def space(provider):
    """Give the environment of a Space whose people log in at a provider."""
    return {"SYSTEM": "spaces", "SPACE_ID": "author/studio", "SPACE_AUTHOR_NAME": "author",
            "OAUTH_CLIENT_ID": CLIENT, "OAUTH_CLIENT_SECRET": SECRET,
            "OAUTH_SCOPES": SCOPES, "OPENID_PROVIDER_URL": provider.url}  # fmt: skip


@contextmanager
def serving():
    """The provider, until the block ends."""
    with HTTPServer("127.0.0.1", threaded=True) as server:
        provider = Provider(server.url_for("").rstrip("/"))
        for path, answer in {
            "/.well-known/openid-configuration": lambda request: provider.configuration(),
            "/oauth/jwks": lambda request: provider.keys(),
            "/oauth/authorize": lambda request: provider.choices(request.args),
            "/oauth/token": lambda request: provider.exchange(request.form, request.headers.get("Authorization", "")),
            "/oauth/userinfo": lambda request: provider.told(request.headers.get("Authorization", "")),
        }.items():
            server.expect_request(path).respond_with_handler(lambda request, answer=answer: _response(answer(request)))
        yield provider


def _response(content):
    if isinstance(content, str):
        return Response(content, mimetype="text/html")
    return Response(json.dumps(content), status=401 if content is None else 200, mimetype="application/json")
