"""The schema route, against a server on the loopback interface."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from defs.sources import Found, Limits, SourceError, read

MODULE = Path(__file__).resolve().parents[3] / "vectors" / "modules" / "arena_classic.wasm"
SCHEMA = b'{"sections":[]}'
SCHEMA_PATH = "/v1/database/arena/schema?version=10"
LIMITS = Limits(http_seconds=5, input_bytes=1 << 20)

Answer = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A body that never ends and never stalls."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.02)


def flood(handler: BaseHTTPRequestHandler) -> None:
    """A body without a declared length that is larger than the limit."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(64):
        handler.wfile.write(b"\x02" * (1 << 16))


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def echo_headers(handler: BaseHTTPRequestHandler) -> None:
    text = f'{{"path":"{handler.path}","accept":"{handler.headers["Accept"]}","method":"{handler.command}"}}'
    answer(200, text.encode())(handler)


ROUTES: dict[str, Answer] = {
    SCHEMA_PATH: answer(200, SCHEMA),
    "/v1/database/arena/schema": answer(400, b"Failed to deserialize query string: missing field `version`\n\x1b[31m"),
    "/v1/database/arena/schema?version=11": answer(400, b"unknown version"),
    "/old?version=10": answer(400),
    "/bom": answer(200, b"\xef\xbb\xbf" + SCHEMA),
    "/module": answer(200, MODULE.read_bytes()),
    "/hex": answer(200, b"0200000000"),
    "/empty": answer(200),
    "/html": answer(200, b"<!DOCTYPE html>"),
    "/gzip": answer(200, gzip.compress(SCHEMA), Content_Encoding="gzip"),
    "/missing": answer(404, b"<html>no</html>"),
    "/private": answer(401),
    "/broken": answer(500, b"oops"),
    "/moved": answer(302, Location=SCHEMA_PATH),
    "/moved307": answer(307, Location=SCHEMA_PATH),
    "/moved308": answer(308, Location=SCHEMA_PATH),
    "/loop": answer(302, Location="/loop"),
    "/to-file": answer(302, Location="file:///etc/hostname"),
    "/to-ftp": answer(301, Location="ftp://127.0.0.1/x"),
    "/to-data": answer(303, Location="data:text/plain,02"),
    "/to-nowhere": answer(302),
    "/declared": answer(200, b"", Content_Length=str(1 << 30)),
    "/short": answer(200, SCHEMA, Content_Length="100"),
    "/flood": flood,
    "/drip": drip,
    "/stall": lambda handler: time.sleep(1.5),
    "/hang-up": hang_up,
    "/echo": echo_headers,
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with contextlib.suppress(OSError):
            ROUTES.get(self.path, answer(404))(self)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def failure(url: str, limits: Limits = LIMITS) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(url, limits=limits)
    error = caught.value
    assert str(error).isprintable()
    assert error.__cause__ is None
    return error


def test_schema(server: str) -> None:
    url = server + SCHEMA_PATH
    assert read(url) == Found("json", url, SCHEMA)
    assert read("HTTP" + url[4:]).data == SCHEMA
    assert read(server + "/bom").data == SCHEMA


def test_what_is_asked(server: str) -> None:
    assert read(server + "/echo").data == b'{"path":"/echo","accept":"application/json","method":"GET"}'


def test_content_decides(server: str) -> None:
    assert read(server + "/hex") == Found("hex", server + "/hex", b"\x02\0\0\0\0")
    found = read(server + "/module")
    assert (found.kind, found.data) == ("wasm", read(MODULE).data)
    assert failure(server + "/html").kind == "UnknownContent"
    assert failure(server + "/gzip").kind == "UnknownContent"
    empty = failure(server + "/empty")
    assert (empty.kind, empty.origin, empty.unreadable) == ("Empty", server + "/empty", False)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (
            "/v1/database/arena/schema",
            ("400", "missing field `version`", "add ?version=10", "?version=9", r"\x1b[31m"),
        ),
        ("/v1/database/arena/schema?version=11", ("400", "unknown version", "10 and 9")),
        ("/old?version=10", ("400", "before 2.0.4")),
        ("/missing", ("404 Not Found", "no such database")),
        ("/private", ("401", "login")),
        ("/broken", ("500", "oops")),
    ],
)
def test_status(server: str, path: str, says: tuple[str, ...]) -> None:
    error = failure(server + path)
    assert (error.kind, error.unreadable, error.origin) == ("HttpStatus", True, server + path)
    for words in says:
        assert words in error.message, error.message
    assert "<html>" not in error.message


@pytest.mark.parametrize("path", ["/moved", "/moved307", "/moved308"])
def test_redirect_is_followed(server: str, path: str) -> None:
    assert read(server + path).data == SCHEMA


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/to-file", "file:///etc/hostname"),
        ("/to-ftp", "ftp://"),
        ("/to-data", "data:"),
        ("/loop", "keeps redirecting"),
        ("/to-nowhere", "302"),
    ],
)
def test_redirect_is_refused(server: str, path: str, says: str) -> None:
    error = failure(server + path)
    assert (error.kind, error.unreadable) == ("HttpRedirect", True)
    assert says in error.message


@pytest.mark.parametrize("path", ["/declared", "/flood"])
def test_size_limit(server: str, path: str) -> None:
    error = failure(server + path)
    assert (error.kind, error.unreadable) == ("TooLarge", True)


def test_connection_lost(server: str) -> None:
    short = failure(server + "/short")
    assert (short.kind, short.message) == (
        "HttpFailed",
        "the connection ended after 15 bytes of 100 bytes; try again",
    )
    assert failure(server + "/hang-up").kind == "HttpFailed"


@pytest.mark.parametrize("path", ["/drip", "/stall"])
def test_time_limit(server: str, path: str) -> None:
    began = time.monotonic()
    error = failure(server + path, replace(LIMITS, http_seconds=0.3))
    assert time.monotonic() - began < 1.2
    assert (error.kind, error.unreadable) == ("HttpTimeout", True)


def test_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        error = failure(f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
    assert (error.kind, error.unreadable) == ("HttpRefused", True)
    assert "refused" in error.message


def test_not_https(server: str) -> None:
    error = failure(server.replace("http:", "https:") + SCHEMA_PATH)
    assert error.kind == "HttpFailed"
    assert "http rather than https" in error.message


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///schema",
        "http://[::1/x",
        "http://host:99999/x",
        "http://host:x/",
        "http://a b/x",
        "http://host/\r\nX: y",
        "http://host/\u00e9",
    ],
)
def test_not_a_url(url: str) -> None:
    error = failure(url)
    assert (error.kind, error.unreadable) == ("HttpUrl", True)


@pytest.mark.parametrize("login", ["user:secret@", "secret@", ":secret@"])
def test_login_is_refused_and_not_shown(server: str, login: str) -> None:
    error = failure(server.replace("http://", "http://" + login) + SCHEMA_PATH)
    assert error.kind == "HttpUrl"
    assert "secret" not in str(error)
    assert error.origin == server + SCHEMA_PATH
