"""The schema route of a running server (spec: wire 5.3), over HTTP(S).

One GET, bounded in time and size. Only http and https are ever followed, also on redirects. `urllib` is
imported when the first URL is read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .deadline import Overrun, within
from .errors import SourceError, printable, size
from .files import read_bounded
from .limits import Limits

if TYPE_CHECKING:
    import urllib.error
    import urllib.request

_EXAMPLE = "http://HOST/v1/database/NAME/schema?version=10"
_SCHEMES = ("http", "https")
_BODY_SHOWN = 300
_SOCKET_SECONDS = 15.0

_STATUS_HINTS: dict[int, str] = {
    401: "the server wants a login, which is not supported here",
    403: "the server does not allow it",
    404: f"no such database, or not the schema route; expected {_EXAMPLE}",
    502: "a proxy answered for a server it cannot reach",
    503: "the server is not ready; try again",
}


def read_url(url: str, limits: Limits) -> bytes:
    """The body that `url` (http or https) answers with status 200.

    Raises `SourceError`: `HttpUrl`, `HttpStatus`, `HttpRefused`, `HttpTimeout`, `HttpRedirect`, `HttpFailed`,
    `TooLarge`.
    """
    origin = without_login(url)
    try:
        return within(limits.http_seconds, lambda: _get(url, origin, limits))
    except Overrun:
        message = f"no whole answer within {limits.http_seconds:g} s (Limits.http_seconds)"
        raise SourceError("HttpTimeout", origin, message) from None


def _get(url: str, origin: str, limits: Limits) -> bytes:
    import http.client
    import urllib.error

    try:
        seconds = min(_SOCKET_SECONDS, limits.http_seconds)
        with _opener(origin, limits).open(_request(url, origin), timeout=seconds) as answer:
            return _body(answer, origin, limits)
    except urllib.error.HTTPError as error:
        with error:
            raise _status_error(error, url, origin) from None
    except urllib.error.URLError as error:
        raise _connection_error(error.reason, origin) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _connection_error(error, origin) from None


def _request(url: str, origin: str) -> urllib.request.Request:
    import urllib.parse
    import urllib.request

    try:
        parts = urllib.parse.urlsplit(url)
        bad_port = parts.port == 0
    except ValueError as error:
        raise SourceError("HttpUrl", origin, f"not a URL: {printable(str(error))}; expected {_EXAMPLE}") from None
    if parts.username is not None or parts.password is not None:
        raise SourceError("HttpUrl", origin, "a login in the URL is not supported; leave it out")
    if not parts.hostname or bad_port or any(not " " < char < "\x7f" for char in url):
        raise SourceError("HttpUrl", origin, f"not a URL that can be asked for; expected {_EXAMPLE}")
    headers = {"Accept": "application/json", "User-Agent": "bsatn"}
    return urllib.request.Request(url, headers=headers, method="GET")


def _opener(origin: str, limits: Limits) -> urllib.request.OpenerDirector:
    """An opener that knows http and https, proxies, and redirects between the two; no files, no FTP."""
    import urllib.request

    class Redirects(urllib.request.HTTPRedirectHandler):
        max_redirections = limits.http_redirects
        max_repeats = limits.http_redirects

        def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
            target = headers.get("location") or headers.get("uri") or ""
            scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", target)
            if scheme is not None and scheme[1].lower() not in _SCHEMES:
                message = f"the server redirects to {printable(target)}; only http and https are followed"
                raise SourceError("HttpRedirect", origin, message)
            return super().http_error_302(req, fp, code, msg, headers)

        http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        Redirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _body(answer: Any, origin: str, limits: Limits) -> bytes:
    declared = answer.headers.get("Content-Length", "")
    promised = int(declared) if re.fullmatch(r"[0-9]{1,18}", declared) else None
    if promised is not None and promised > limits.input_bytes:
        message = f"the answer has {size(promised)}, the limit is {size(limits.input_bytes)} (Limits.input_bytes)"
        raise SourceError("TooLarge", origin, message)
    data = read_bounded(answer, origin, limits.input_bytes)
    if promised is not None and len(data) < promised:
        message = f"the connection ended after {size(len(data))} of {size(promised)}; try again"
        raise SourceError("HttpFailed", origin, message)
    return data


def _status_error(error: urllib.error.HTTPError, url: str, origin: str) -> SourceError:
    import http.client

    try:
        body = (error.read(_BODY_SHOWN) or b"").decode("utf-8", "replace").strip()
    except (OSError, ValueError, http.client.HTTPException):
        body = ""
    if 300 <= error.code < 400:
        message = f"the server keeps redirecting (status {error.code}); name the final address"
        return SourceError("HttpRedirect", origin, message)
    said = f": {printable(body)}" if body and not body.startswith("<") else ""
    hint = _version_hint(url) if error.code == 400 else _STATUS_HINTS.get(error.code, "")
    reason = printable(str(error.reason or ""), 80)
    status = f"{error.code} {reason}".rstrip()
    return SourceError("HttpStatus", origin, f"the server answered {status}{said}" + (f"; {hint}" if hint else ""))


def _version_hint(url: str) -> str:
    asked = re.search(r"[?&]version=([^&#]*)", url)
    if asked is None:
        return "the route needs a version: add ?version=10 (servers from 2.0.4 on) or ?version=9 (older ones)"
    if asked[1] == "10":
        return "servers before 2.0.4 know only ?version=9"
    return "the known versions are 10 and 9" if asked[1] != "9" else ""


def _connection_error(reason: Any, origin: str) -> SourceError:
    import socket
    import ssl

    if isinstance(reason, TimeoutError):
        return SourceError("HttpTimeout", origin, "the server does not answer in time; is the address right?")
    if isinstance(reason, ConnectionRefusedError):
        message = "nothing listens at this address (connection refused); is the server up?"
        return SourceError("HttpRefused", origin, message)
    if isinstance(reason, socket.gaierror):
        return SourceError("HttpFailed", origin, "there is no host of this name; check the address and the network")
    if isinstance(reason, ssl.SSLError):
        detail = printable(str(reason.reason or reason))
        return SourceError("HttpFailed", origin, f"no secure connection: {detail}; is it http rather than https?")
    detail = printable(str(reason) or type(reason).__name__)
    return SourceError("HttpFailed", origin, f"the request failed: {detail}")


def without_login(url: str) -> str:
    return re.sub(r"^(\w+://)[^/?#]*@", r"\1", url)
