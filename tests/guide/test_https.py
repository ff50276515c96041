"""The guide's distributions redirect to https; a certificate of the machine's own authority answers there."""

import pytest

from clients import curl
from website import behavior, make_website


@pytest.fixture(scope="module")
def secure(machine):
    website = make_website(machine, default=lambda origin: behavior(origin, policy="redirect-to-https"))
    website.put("index.html", "page", CacheControl="max-age=60")
    website.put("assets/app.a1b2c3d4.js", "app", CacheControl="max-age=31536000, immutable")
    return website


def over_https(website, path, *options):
    host, port = website.host, website.machine.port("edge_https")
    return curl(
        website.machine, *options, "--cacert", website.machine.ready["ca"],
        "--resolve", f"{host}:{port}:127.0.0.1", f"https://{host}:{port}{path}",
    )  # fmt: skip


def test_http_is_redirected_to_the_https_listener(secure):
    answer = secure.get("/index.html?q=1")
    assert answer.status == 301
    port = secure.machine.port("edge_https")
    assert answer.headers["location"] == f"https://{secure.host}:{port}/index.html?q=1"
    assert answer.x_cache == "Redirect from cloudfront"


def test_https_serves_the_page(secure):
    assert over_https(secure, "/index.html").stdout == b"page"


def test_curl_follows_the_redirect(secure):
    host, http, https = secure.host, secure.machine.port("edge"), secure.machine.port("edge_https")
    printed = curl(
        secure.machine, "-L", "--cacert", secure.machine.ready["ca"], "--resolve", f"{host}:{http}:127.0.0.1",
        "--resolve", f"{host}:{https}:127.0.0.1", f"http://{host}:{http}/index.html",
    )  # fmt: skip
    assert printed.stdout == b"page"


def test_a_head_request_over_https_shows_miss_then_hit(secure):
    def x_cache():
        lines = over_https(secure, "/assets/app.a1b2c3d4.js", "-I").stdout.decode().lower().splitlines()
        return next(line for line in lines if line.startswith("x-cache"))

    assert x_cache() == "x-cache: miss from cloudfront"
    assert x_cache() == "x-cache: hit from cloudfront"


def test_without_the_authority_the_certificate_is_not_trusted(secure):
    host, port = secure.host, secure.machine.port("edge_https")
    refused = curl(
        secure.machine, "--resolve", f"{host}:{port}:127.0.0.1", f"https://{host}:{port}/index.html", check=False
    )
    assert refused.returncode == 60, "curl's status for a certificate that nobody it trusts has signed"


def test_https_only_refuses_http(machine):
    website = make_website(machine, default=lambda origin: behavior(origin, policy="https-only"))
    website.put("index.html", "page")
    assert website.get("/index.html").status == 403
    assert over_https(website, "/index.html").stdout == b"page"
