"""Whose X-Forwarded headers count."""

import asyncio

import pytest

from ui.access.forwarded import PROXIES_OF_A_SPACE, ForwardedMiddleware


def seen(client, proxies, **headers):
    """Send one request; return the client's address, the scheme and the headers that are left."""
    found = {}

    async def app(scope, receive, send):
        found.update(scope)

    scope = {"type": "http", "scheme": "http", "client": (client, 5),
             "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}  # fmt: skip
    asyncio.run(ForwardedMiddleware(app, proxies)(scope, None, None))
    return found["client"][0], found["scheme"], {name.decode() for name, _ in found["headers"]}


CLAIMS = {"x_forwarded_for": "203.0.113.9", "x_forwarded_proto": "https", "x_forwarded_host": "studio.example"}


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "198.51.100.7"])
def test_nobody_is_believed_unless_named(client):
    assert seen(client, (), **CLAIMS, accept="x") == (client, "http", {"accept"})


def test_a_named_proxy_says_who_asks_and_over_what():
    for proxies in (("10.0.0.2",), ("10.0.0.0/8",)):
        assert seen("10.0.0.2", proxies, **CLAIMS)[:2] == ("203.0.113.9", "https")
        assert "x-forwarded-host" in seen("10.0.0.2", proxies, **CLAIMS)[2]
        assert seen("198.51.100.7", proxies, **CLAIMS) == ("198.51.100.7", "http", set())


def test_what_a_client_writes_in_front_of_a_proxys_own_word_does_not_count():
    claims = {"x_forwarded_for": "192.0.2.66, 203.0.113.9, 10.1.1.1"}
    assert seen("10.0.0.2", PROXIES_OF_A_SPACE, **claims)[0] == "203.0.113.9"
