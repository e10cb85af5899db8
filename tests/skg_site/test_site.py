"""The site door: the documentation, the way into the admin, and what protects a browser there."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings
from structlog.typing import EventDict

from skg_site.site_views import DOCS_RATE, LOGIN_RATE
from tests.conftest import StartService
from tests.support.facts import store

PAGES = ["/", "/docs", "/redoc", "/openapi.json", "/explorer", "/admin/login/", "/admin/"]
ALLOWED_ATTEMPTS = int(LOGIN_RATE.partition("/")[0])
ALLOWED_READS = int(DOCS_RATE.partition("/")[0])


@pytest.fixture
def browser(database: None) -> Client:
    return Client()


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit's window that does not end in the middle of a test."""
    now = time.time()
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: now))


class TestDoors:
    @pytest.mark.parametrize(
        ("path", "target"),
        [("/admin", "/admin/"), ("/admin/", "/admin/login/?next=/admin/")],
    )
    async def test_short_ways_lead_on(self, anonymous: httpx.AsyncClient, path: str, target: str) -> None:
        answer = await anonymous.get(path)
        assert (answer.status_code, answer.headers["location"]) == (302, target)

    @pytest.mark.parametrize(
        ("path", "media_type"),
        [
            ("/", "text/html; charset=utf-8"),
            ("/docs", "text/html; charset=utf-8"),
            ("/redoc", "text/html; charset=utf-8"),
            ("/openapi.json", "application/json"),
            ("/admin/login/", "text/html; charset=utf-8"),
        ],
    )
    async def test_the_pages_are_there(self, anonymous: httpx.AsyncClient, path: str, media_type: str) -> None:
        answer = await anonymous.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)

    @pytest.mark.parametrize("path", ["/docs/", "/redoc/", "/openapi.json/", "/docs/x", "/adminx", "/static"])
    async def test_a_path_beside_them_is_the_apis_404(self, anonymous: httpx.AsyncClient, path: str) -> None:
        answer = await anonymous.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")

    @pytest.mark.parametrize(
        "path",
        [
            "/static/admin/css/base.css",
            "/static/skg_site/admin.css",
            "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js",
            "/static/drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js",
        ],
    )
    async def test_static_files_come_from_here_without_collecting_them(
        self, anonymous: httpx.AsyncClient, path: str
    ) -> None:
        answer = await anonymous.get(path)
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"

    @pytest.mark.parametrize("path", ["/static/nothing.css", "/static/../manage.py", "/static/%2e%2e/manage.py"])
    async def test_no_other_file_is_static(self, anonymous: httpx.AsyncClient, path: str) -> None:
        assert (await anonymous.get(path)).status_code == 404

    @pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/openapi.json"])
    def test_the_documentation_is_only_read(self, browser: Client, path: str) -> None:
        assert browser.post(path).status_code == 405
        assert browser.head(path).status_code in {200, 302}

    def test_a_host_that_is_not_served_is_refused(self, browser: Client) -> None:
        assert browser.get("/docs", headers={"host": "evil.example"}).status_code == 400

    def test_without_documentation_the_site_leads_to_the_admin(self, service: StartService) -> None:
        with service(enable_docs=False).client() as client:
            assert client.get("/").headers["location"] == "/admin/"
            for path in ("/docs", "/redoc", "/openapi.json"):
                answer = client.get(path)
                assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
            assert "API documentation" not in client.get("/admin/login/").text


class TestHeaders:
    @pytest.mark.parametrize("path", PAGES)
    def test_a_page_may_load_from_here_alone_and_stand_in_no_frame(self, browser: Client, path: str) -> None:
        headers = browser.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'self'"
        assert "script-src" not in policy
        assert "'unsafe-inline'" not in policy["default-src"]
        assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        # Not "no-referrer": Django wants to see that a form sent over HTTPS comes from its own pages.
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Permissions-Policy"] == "camera=(), geolocation=(), microphone=()"

    @pytest.mark.parametrize("path", PAGES)
    def test_what_came_encrypted_is_to_stay_so(self, browser: Client, path: str) -> None:
        secure = browser.get(path, secure=True).headers
        assert secure["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
        assert "Strict-Transport-Security" not in browser.get(path).headers

    @pytest.mark.parametrize("path", ["/docs", "/redoc", "/admin/login/"])
    def test_no_page_names_another_host_or_holds_a_script(self, browser: Client, path: str) -> None:
        page = browser.get(path).content.decode()
        assert "//" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert "<script>" not in page
        assert " onclick=" not in page

    def test_cookies_that_came_encrypted_are_not_sent_otherwise(self, browser: Client) -> None:
        assert browser.get("/admin/login/", secure=True).cookies["csrftoken"]["secure"]
        assert not browser.get("/admin/login/").cookies["csrftoken"]["secure"]

    def test_pages_of_the_admin_are_kept_by_no_cache(self, browser: Client) -> None:
        assert "no-store" in browser.get("/admin/login/").headers["Cache-Control"]


@pytest.mark.usefixtures("stopped_clock")
class TestLimits:
    @pytest.fixture(autouse=True)
    def quick_passwords(self, settings: Settings) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    def test_passwords_cannot_be_tried_out_in_numbers(self, browser: Client) -> None:
        User.objects.create_superuser("somebody", password="the right one")
        for _ in range(ALLOWED_ATTEMPTS):
            assert self.log_in(browser, "a wrong one") == 200
        assert self.log_in(browser, "the right one") == 429
        assert self.log_in(browser, "the right one", address="192.0.2.7") == 302

    def test_looking_at_the_login_is_no_attempt(self, browser: Client) -> None:
        for _ in range(ALLOWED_ATTEMPTS + 1):
            assert browser.get("/admin/login/").status_code == 200

    def test_the_answer_says_when_to_come_back(self, browser: Client) -> None:
        for _ in range(ALLOWED_ATTEMPTS):
            self.log_in(browser, "a wrong one")
        answer = browser.post("/admin/login/", {"username": "x", "password": "y"})
        assert answer.status_code == 429
        assert answer["Retry-After"] == "60"
        assert "Too many requests" in answer.content.decode()
        assert "default-src 'self'" in answer["Content-Security-Policy"]

    def test_the_pages_of_the_documentation_share_a_limit(self, browser: Client) -> None:
        for path in ("/docs", "/redoc", "/openapi.json"):
            for _ in range(ALLOWED_READS // 3):
                assert browser.get(path).status_code == 200
        assert {browser.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {429}
        assert browser.get("/docs", REMOTE_ADDR="192.0.2.7").status_code == 200
        cache.clear()
        assert browser.get("/docs").status_code == 200

    def log_in(self, browser: Client, password: str, address: str = "127.0.0.1") -> int:
        form = {"username": "somebody", "password": password}
        status: int = browser.post("/admin/login/", form, REMOTE_ADDR=address).status_code
        return status


class TestFailures:
    @pytest.fixture(autouse=True)
    def answers_instead_of_exceptions(self, browser: Client) -> None:
        browser.raise_request_exception = False

    def test_a_database_that_is_busy_is_no_failure_of_the_page(
        self, browser: Client, monkeypatch: pytest.MonkeyPatch, log: list[EventDict]
    ) -> None:
        monkeypatch.setattr(
            "django.contrib.admin.sites.AdminSite.login", raiser(OperationalError("database is locked"))
        )
        answer = browser.get("/admin/login/")
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")
        assert b"try again" in answer.content
        assert b"locked" not in answer.content
        assert [line["error"] for line in log if line["event"] == "database_unavailable"] == ["OperationalError"]

    def test_any_other_failure_shows_nothing_of_itself(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("django.contrib.admin.sites.AdminSite.login", raiser(RuntimeError("secret")))
        answer = browser.get("/admin/login/")
        assert answer.status_code == 500
        assert b"secret" not in answer.content


def raiser(error: Exception) -> Callable[..., NoReturn]:
    def fail(*_arguments: object, **_named: object) -> NoReturn:
        raise error

    return fail


class TestErrorPages:
    """They look like the site, and lead on."""

    @pytest.fixture(autouse=True)
    def answers_instead_of_exceptions(self, browser: Client) -> None:
        browser.raise_request_exception = False

    def check(self, answer: Any, status: int, heading: str) -> None:
        page = answer.content.decode()
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert f"<h1>{heading}</h1>" in page
        assert "/static/skg_site/docs.css" in page
        assert 'href="/admin/"' in page
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]

    def test_an_unknown_page(self, browser: Client) -> None:
        browser.force_login(User.objects.create_superuser("somebody"))
        self.check(browser.get("/admin/nothing/"), 404, "There is nothing here")

    def test_a_page_that_one_may_not_see(self, browser: Client) -> None:
        browser.force_login(User.objects.create_user("other", is_staff=True))
        self.check(browser.get("/admin/auth/user/"), 403, "You may not do this")

    def test_a_form_without_its_token(self, database: None) -> None:
        browser = Client(enforce_csrf_checks=True)
        self.check(browser.post("/admin/login/", {"username": "x"}), 403, "This form is out of date")

    def test_a_form_with_too_many_fields(self, browser: Client) -> None:
        form = {f"field{number}": "" for number in range(1001)}
        self.check(browser.post("/admin/login/", form), 400, "This request cannot be read")

    @pytest.mark.parametrize(
        ("error", "status", "heading"),
        [
            (RuntimeError("secret"), 500, "Something went wrong"),
            (OperationalError("database is locked"), 503, "The service cannot answer now"),
        ],
    )
    def test_a_failure(
        self, browser: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, heading: str
    ) -> None:
        monkeypatch.setattr("django.contrib.admin.sites.AdminSite.login", raiser(error))
        self.check(browser.get("/admin/login/"), status, heading)

    async def test_a_browser_gets_the_apis_problem_from_the_api(self, anonymous: httpx.AsyncClient) -> None:
        answer = await anonymous.get("/nothing", headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


class TestStart:
    def test_it_names_the_address_that_was_asked(self, browser: Client) -> None:
        page = browser.get("/", headers={"host": "testserver"}).content.decode()
        assert "curl -X POST http://testserver/query" in page
        assert "https://testserver/query" in browser.get("/", secure=True).content.decode()


class TestOverview:
    def test_it_shows_the_graph_in_numbers(self, browser: Client) -> None:
        store(("a", "is", "b"), ("a", "has", "c"), ("b", "is", "c"))
        browser.force_login(User.objects.create_superuser("somebody"))
        page = " ".join(browser.get(reverse("admin:index")).content.decode().split())
        assert 'Facts</span> <span class="overview-value"><a href="/admin/triples/triple/">3</a></span>' in page
        assert "2 subjects, 2 predicates" in page
        assert "<title>Overview | SKG API</title>" in page
        assert '<a href="/docs">API documentation</a>' in page

    def test_numbers_are_for_those_who_may_see_the_graph(self, browser: Client) -> None:
        browser.force_login(User.objects.create_user("other", is_staff=True))
        assert "overview-name" not in browser.get(reverse("admin:index")).content.decode()
