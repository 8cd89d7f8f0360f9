"""A proxy on this machine that ends TLS in front of the app, with a certificate of its own, as nginx and the Hub do."""

import datetime
import threading
from contextlib import contextmanager

import httpx
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from job_helpers import wait_for
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse
from starlette.routing import Route

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}


def write_certificate(folder, name):
    """Write a certificate for a name that nobody has confirmed, and its key; return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))  # fmt: skip
    return paths


class Proxy:
    """What the proxy passes on: the client's Host, or that of ``url`` with the client's as X-Forwarded-Host."""

    def __init__(self, url, keeps_host, address):
        self._keeps_host = keeps_host
        transport = httpx.AsyncHTTPTransport(local_address=address)
        self._client = httpx.AsyncClient(base_url=url, transport=transport, timeout=None)

    def _headers(self, request):
        skipped = HOP_BY_HOP | {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
        passed = [(name, value) for name, value in request.headers.items() if name not in skipped]
        said = [("x-forwarded-for", request.client.host), ("x-forwarded-proto", "https")]
        if not self._keeps_host:
            passed = [(name, value) for name, value in passed if name != "host"]
            said.append(("x-forwarded-host", request.headers["host"]))
        return passed + said

    async def pass_on(self, request):
        """Ask the app and pass its answer on, piece by piece."""
        url = httpx.URL(path=request.url.path, query=request.url.query.encode())
        asked = self._client.build_request(
            request.method, url, headers=self._headers(request), content=request.stream()
        )
        answer = await self._client.send(asked, stream=True)
        response = StreamingResponse(answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose))
        response.raw_headers = [(name, value) for name, value in answer.headers.raw
                                if name.decode().lower() not in HOP_BY_HOP]  # fmt: skip
        return response


@contextmanager
def serving(url, folder, name, keeps_host=True, address="127.0.0.1"):
    """Answer over HTTPS for the app at ``url``, which is asked from ``address``, until the block ends; yield the port."""
    certificate, key = write_certificate(folder, name)
    methods = ["GET", "HEAD", "POST", "OPTIONS"]
    app = Starlette(routes=[Route("/{path:path}", Proxy(url, keeps_host, address).pass_on, methods=methods)])
    server = uvicorn.Server(uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", ssl_certfile=certificate, ssl_keyfile=key,
        timeout_graceful_shutdown=1,
    ))  # fmt: skip
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started, "the proxy to answer")
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=30)
