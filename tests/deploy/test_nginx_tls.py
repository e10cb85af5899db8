"""nginx's TLS, its redirect, and the headers of what it answers itself."""

import ssl
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.deploy.proxy import DOMAIN, Proxy
from tests.support.service import Service

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
}


@pytest.fixture(scope="module")
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """One service and one nginx for the whole module."""
    folder = tmp_path_factory.mktemp("service")
    database = request.getfixturevalue("fresh_database")(folder)
    service = Service(folder, trusted_proxies=["127.0.0.1"], **database)
    one = Proxy(tmp_path_factory.mktemp("nginx"), f"127.0.0.1:{service.port}")
    try:
        service.start()
        one.start()
        yield one
    finally:
        one.end()
        service.end()


def handshake(front: Proxy, version: ssl.TLSVersion, name: str = DOMAIN) -> str | None:
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=front.authority)
    # A client as old as can be: what keeps it out is the server.
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with front.connect(context, name) as secured:
        return secured.version()


def test_the_configuration_is_valid(front: Proxy) -> None:
    checked = front.check()
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("version", "told"), [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")]
)
def test_tls_1_2_and_1_3_are_spoken(front: Proxy, version: ssl.TLSVersion, told: str) -> None:
    assert handshake(front, version) == told


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"])
def test_older_tls_is_not(front: Proxy, version: ssl.TLSVersion) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol version|internal error"):
        handshake(front, version)


def test_a_weak_cipher_of_tls_1_2_is_not_taken(front: Proxy) -> None:
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match=r"(?i)handshake failure"):
        front.connect(context)


def test_a_name_that_is_not_ours_gets_no_certificate(front: Proxy) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized name"):
        handshake(front, ssl.TLSVersion.TLSv1_3, "other.example.com")


def test_plain_http_leads_to_https_and_keeps_method_and_body(front: Proxy) -> None:
    answer = httpx.post(f"http://{DOMAIN}:{front.http_port}/query?a=b", json={})
    assert (answer.status_code, answer.headers["Location"]) == (308, f"https://{DOMAIN}/query?a=b")


def test_a_host_that_is_not_ours_gets_no_answer(front: Proxy) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://127.0.0.1:{front.http_port}/", headers={"Host": "other.example.com"})


@pytest.mark.parametrize(
    ("path", "status"), [("/health", 200), ("/no-such-path", 404), ("/metrics", 404)], ids=["service", "404", "nginx"]
)
def test_every_answer_has_each_header_for_browsers_once(front: Proxy, path: str, status: int) -> None:
    with front.client() as client:
        answer = client.get(path)
    assert answer.status_code == status
    counted = Counter(name.lower() for name, _ in answer.headers.multi_items())
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert [name for name, number in counted.items() if number > 1] == []
    assert answer.headers["X-Request-ID"]
    assert "X-XSS-Protection" not in answer.headers
    assert answer.headers["Server"] == "nginx"


def test_http_2_is_offered(front: Proxy) -> None:
    context = ssl.create_default_context(cadata=front.authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with front.connect(context) as secured:
        assert secured.selected_alpn_protocol() == "h2"


def test_the_admin_is_told_that_it_is_served_over_tls(front: Proxy) -> None:
    with front.client() as client:
        answer = client.get("/admin/login/")
    assert answer.status_code == 200
    assert all("Secure" in cookie for cookie in answer.headers.get_list("Set-Cookie"))
    assert answer.headers.get_list("Set-Cookie")


def test_the_admin_is_closed_to_other_networks(front: Proxy) -> None:
    with front.client(address="127.0.0.9") as client:
        answers = [client.get(path) for path in ("/admin/login/", "/admin", "/keys")]
        own = client.get("/keys/me")
    assert [(answer.status_code, answer.headers["Content-Type"]) for answer in answers] == [
        (403, "application/problem+json")
    ] * 3
    # The service says that a key is missing: the question reached it.
    assert own.status_code == 401
