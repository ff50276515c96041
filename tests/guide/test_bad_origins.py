"""Origins that are down, slow, or lie: the viewer gets the documented answer and nothing wrong stays in the cache."""

import http.client
import threading

import pytest

from origins import free_port, origin
from viewer import Viewer
from website import behavior, custom_origin, make_custom_website, until

GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: max-age=60\r\nConnection: close\r\n"


def test_a_good_one_is_cached(machine):
    with origin(lambda connection, _: connection.sendall(GOOD + b"Content-Length: 4\r\n\r\ngood")) as server:
        website = make_custom_website(machine, custom_origin(server.port))
        assert website.get("/a").body == b"good"
        assert website.get("/a").hit
        assert len(server.requests) == 1


def test_an_origin_that_is_down_is_502(machine):
    website = make_custom_website(machine, custom_origin(free_port()))
    answer = website.get("/a")
    assert answer.status == 502
    assert answer.x_cache == "Error from cloudfront"


def test_an_origin_that_is_down_leaves_what_is_cached(machine):
    with origin(lambda connection, _: connection.sendall(GOOD + b"Content-Length: 4\r\n\r\ngood")) as server:
        website = make_custom_website(machine, custom_origin(server.port))
        website.warm("/a")
    assert website.get("/a").hit


def test_what_was_invalidated_is_not_served_although_the_origin_is_down(machine):
    with origin(lambda connection, _: connection.sendall(GOOD + b"Content-Length: 4\r\n\r\ngood")) as server:
        website = make_custom_website(machine, custom_origin(server.port))
        website.warm("/a")
    website.invalidate("/a")
    answer = website.get("/a")
    assert answer.status == 502 and answer.body != b"good"


def test_a_name_that_does_not_resolve_is_502(machine):
    website = make_custom_website(machine, custom_origin(80, domain="nowhere.invalid"))
    assert website.get("/a").status == 502


def test_an_origin_that_says_nothing_is_504(machine):
    def silent(_connection, server):
        server.release.wait(30)

    with origin(silent) as server:
        website = make_custom_website(machine, custom_origin(server.port, OriginReadTimeout=1))
        assert website.get("/a").status == 504


def test_an_answer_that_is_no_http_is_502(machine):
    with origin(lambda connection, _: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) as server:
        website = make_custom_website(machine, custom_origin(server.port))
        assert website.get("/a").status == 502


TOO_SHORT = {
    "length": GOOD + b"Content-Length: 1000\r\n\r\n" + b"x" * 500,
    "chunks": GOOD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1f4\r\n" + b"x" * 500 + b"\r\n",
    "inside a chunk": GOOD + b"Transfer-Encoding: chunked\r\n\r\n" + b"3e8\r\n" + b"x" * 500,
}


@pytest.mark.parametrize("how", TOO_SHORT)
def test_a_body_that_ends_too_early_is_neither_cached_nor_passed_off_as_whole(machine, how):
    with origin(lambda connection, _: connection.sendall(TOO_SHORT[how])) as server:
        website = make_custom_website(machine, custom_origin(server.port))
        for _ in range(2):
            seen = len(server.requests)
            try:
                assert website.get("/a").status == 502
            except (http.client.IncompleteRead, ConnectionError):
                pass
            website.viewer.close()
            assert len(server.requests) > seen, "the second request went to the origin again"


def test_a_body_longer_than_it_says_is_cut_where_it_says(machine):
    with origin(lambda connection, _: connection.sendall(GOOD + b"Content-Length: 4\r\n\r\ngood and more")) as server:
        website = make_custom_website(machine, custom_origin(server.port))
        for _ in range(2):
            assert website.get("/a").body in (b"good", b"")


def test_a_body_without_length_ends_where_the_connection_does(machine):
    with origin(lambda connection, _: connection.sendall(GOOD + b"\r\nwhole")) as server:
        website = make_custom_website(machine, custom_origin(server.port))
        assert website.get("/a").body == b"whole"
        assert website.get("/a").body == b"whole"


def test_a_5xx_is_cached_briefly(manual):
    failing = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy"
    with origin(lambda connection, _: connection.sendall(failing)) as server:
        website = make_custom_website(manual, custom_origin(server.port))
        assert website.get("/a").status == 503
        assert website.get("/a").status == 503
        assert len(server.requests) == 1
        manual.advance("11s")
        website.get("/a")
        assert len(server.requests) == 2


def test_an_uncached_path_always_goes_to_the_origin(machine):
    """The alternative to invalidation for what must never be stale: CachingDisabled."""
    disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    with origin(lambda connection, _: connection.sendall(GOOD + b"Content-Length: 4\r\n\r\ngood")) as server:
        made = behavior("custom", ttl=(0, 0, 0))
        made["CachePolicyId"] = disabled
        for member in ("MinTTL", "DefaultTTL", "MaxTTL"):
            del made[member]
        website = make_custom_website(machine, custom_origin(server.port), default=made)
        for number in range(3):
            assert website.get("/a").missed
            assert len(server.requests) == number + 1


def test_many_viewers_at_once_cost_the_origin_one_fetch(machine):
    """After a sweep, requests for one object wait for one fetch."""
    def held(connection, server):
        server.release.wait(30)
        connection.sendall(GOOD + b"Content-Length: 4\r\n\r\ngood")

    with origin(held) as server:
        website = make_custom_website(machine, custom_origin(server.port))
        bodies = []

        def ask():
            bodies.append(Viewer(machine, website.host).get("/a").body)

        viewers = [threading.Thread(target=ask) for _ in range(50)]
        for viewer in viewers:
            viewer.start()
        until(lambda: server.requests)
        server.release.set()
        for viewer in viewers:
            viewer.join(30)
        assert bodies == [b"good"] * 50
        assert len(server.requests) == 1
