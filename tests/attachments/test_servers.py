"""Files through each web server: what they add to its memory, and what is too large."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.files import HTML, picture
from tests.servers import NO_PROC, Browser, on_each_server, serving, site

MB = 1024 * 1024
BOUNDARY = "turntable"


class Site(NamedTuple):
    """A running server, its owner's browser, and the path of a conversation."""

    reader: Browser
    address: str

    @property
    def token(self) -> str:
        return next(
            part for part in self.reader.cookie.split("; ") if part.startswith("csrftoken=")
        ).partition("=")[2]

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, bytes]:
        own = {"Cookie": self.reader.cookie, "X-CSRFToken": self.token}
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)) as connection:
            connection.request(method, path, body, own)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def attach(self, name: str, size: int, *, is_chunked: bool = False, data: bytes = b"") -> tuple[int, Any]:
        """The status of the answer to a file, and its JSON."""
        parts = form(name, data or b"x" * size)
        body: Any = iter(parts) if is_chunked else b"".join(parts)
        path = f"{urlsplit(self.address).path}attachments/"
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        status, _, answer = self.request("POST", path, body, Content_Type=kind)
        return status, json.loads(answer)


def form(name: str, data: bytes) -> Iterator[bytes]:
    yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    yield from (data[at : at + MB] for at in range(0, len(data), MB))
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


@NO_PROC
@on_each_server
def test_a_file_costs_a_server_little_memory_and_one_too_large_less(tmp_path: Path, kind: str) -> None:
    with serving(site(tmp_path), kind=kind) as server:
        reader = Browser()
        visit = Site(reader, reader.open(server.url + server.path).url)
        assert visit.attach("photo.png", 0, data=picture())[0] == 201
        before = server.peak
        assert visit.attach("large.txt", 25 * MB)[0] == 201
        assert server.peak - before < 60
        for is_chunked in (False, True):
            status, answer = visit.attach("huge.txt", 40 * MB, is_chunked=is_chunked)
            assert (status, answer["error"]["code"]) == (413, "too_large")
        assert server.peak - before < 60


@on_each_server
def test_a_hostile_file_goes_out_as_a_download_alone(tmp_path: Path, kind: str) -> None:
    with serving(site(tmp_path), kind=kind) as server:
        reader = Browser()
        visit = Site(reader, reader.open(server.url + server.path).url)
        for name, data in (("page.html", HTML), ("photo.png", picture() + HTML), ("a.txt", HTML)):
            status, facts = visit.attach(name, 0, data=data)
            assert status == 201
            path = f"/attachments/{facts['id']}/"
            status, headers, body = visit.request("GET", path)
            assert (status, body) == (200, data)
            assert headers["Content-Disposition"] == f'attachment; filename="{name}"'
            assert headers.get_all("Content-Security-Policy") == ["sandbox; default-src 'none'"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert Browser().open(server.url + path).url.startswith(f"{server.url}/accounts/login/")
            assert visit.request("DELETE", path)[0] == 204
            assert visit.request("GET", path)[0] == 404
