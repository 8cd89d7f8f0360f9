"""An OpenID provider on this machine: the part of the Hub that a Space with ``hf_oauth`` lets people log in at.

Authorization code flow with the addresses that the Hub has (https://huggingface.co/docs/hub/oauth): the account is chosen on a page,
for there are no passwords here; codes are good once, for the client and the address that they were made for.
"""

import base64
import json
import secrets
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

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


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        place, provider = urlsplit(self.path), self.server.provider
        query = {name: values[0] for name, values in parse_qs(place.query).items()}
        name = provider.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        answers = {
            "/.well-known/openid-configuration": provider.configuration,
            "/oauth/jwks": provider.keys,
            "/oauth/authorize": lambda: provider.choices(query),
            "/oauth/userinfo": lambda: provider.account(name) if name else None,
        }
        self._answer(answers.get(place.path, lambda: None)())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self._answer(self.server.provider.exchange(form, self.headers.get("Authorization", "")))

    def _answer(self, content):
        page = isinstance(content, str)
        body = (content if page else json.dumps(content)).encode()
        self.send_response(401 if content is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8" if page else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@contextmanager
def serving():
    """The provider, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.provider = Provider(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.provider
    finally:
        server.shutdown()
        server.server_close()
