"""The app behind proxies that end TLS: what a named proxy says of a request counts, and what another one says does not."""

from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import openid_server
import pytest
import tls_proxy
from app_process import serving
from people_app import PASSWORDS, write_people
from tiny_base import make_base

pytestmark = pytest.mark.slow

NAME = "studio.example"
NAMED, UNNAMED = "127.0.0.1", "127.0.0.2"


@contextmanager
def behind(app, folder, **proxy):
    """A client that reaches the app through a proxy, under its name."""
    with tls_proxy.serving(app.url, folder, NAME, **proxy) as port:
        yield httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=False, headers={"Host": NAME}, timeout=120)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The app with people and a named proxy."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "home").mkdir()
    settings = {"DEFTX_AUTH": str(write_people(folder / "people")), "DEFTX_PROXIES": NAMED, "DEFTX_HOSTS": NAME}
    with serving(folder / "home", make_base(folder / "base"), **settings) as app:
        yield app


def cookies(answer):
    """Return the attributes of each cookie that an answer sets."""
    found = [cookie.lower().split("; ") for cookie in answer.headers.get_list("set-cookie")]
    return [{part for part in parts if "=" not in part or part.startswith("samesite")} for parts in found]


def log_in(client):
    """Log in as ana; return the cookies' attributes. The client sends them on, though it asks for another name."""
    answer = client.post("/login", data={"username": "ana", "password": PASSWORDS["ana"]})
    client.headers["Cookie"] = "; ".join(one.split(";")[0] for one in answer.headers.get_list("set-cookie"))
    return cookies(answer)


@pytest.mark.parametrize("keeps_host", [True, False])
def test_behind_a_named_proxy_the_page_is_at_its_address_and_cookies_are_secure(app, tmp_path, keeps_host):
    with behind(app, tmp_path, keeps_host=keeps_host, address=NAMED) as client:
        assert log_in(client) == [{"httponly", "secure", "samesite=lax"}] * 2
        assert client.get("/config").json()["root"] == f"https://{NAME}"
        assert client.get("/config", headers={"Origin": f"https://{NAME}"}).status_code == 200
        assert client.get("/config", headers={"Origin": "https://evil.example"}).status_code == 403
        assert client.get("/config", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("keeps_host", [True, False])
def test_behind_another_proxy_its_headers_do_not_count(app, tmp_path, keeps_host):
    with behind(app, tmp_path, keeps_host=keeps_host, address=UNNAMED) as client:
        assert [one - {"httponly", "samesite=lax"} for one in log_in(client)] == [{"secure"}, set()]
        inner = NAME if keeps_host else urlsplit(app.url).netloc
        assert client.get("/config").json()["root"] == f"http://{inner}"
        # Without its Host, the page has another address than the app knows: its requests are those of another site.
        of_the_page = client.get("/config", headers={"Origin": f"https://{NAME}"})
        assert of_the_page.status_code == (200 if keeps_host else 403)


def test_the_way_back_from_a_login_at_the_hub_is_https(tmp_path):
    """The proxies of a Space are known without a setting."""
    (tmp_path / "home").mkdir()
    base = make_base(tmp_path / "base")
    with openid_server.serving() as provider:
        space = openid_server.space(provider) | {"DEFTX_HOSTS": NAME}
        with serving(tmp_path / "home", base, **space) as app:
            for keeps_host in (True, False):
                with behind(app, tmp_path, keeps_host=keeps_host) as client:
                    answer = client.get("/login/huggingface")
                asked = parse_qs(urlsplit(answer.headers["location"]).query)
                back = urlsplit(asked["redirect_uri"][0])
                assert (back.scheme, back.netloc, back.path) == ("https", NAME, "/login/callback")
                assert cookies(answer) == [{"httponly", "secure", "samesite=none", "partitioned"}]
