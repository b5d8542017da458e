# SPDX-License-Identifier: GPL-2.0-or-later
"""Archives of jobs that are named by a URL."""

import contextlib
import gzip
import io
import json
import re
import tarfile
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from avocado_migdowntime.basics import artifact
from avocado_migdowntime.basics.archive import unpacked
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.verdict.judge import judge

from ..support.jobs import entry
from ..support.pages import page_of
from ..support.recorded import STOPPED, WRONG

TRACES = {"1-a": WRONG, "2-b": STOPPED}


@cache
def archive():
    packed = io.BytesIO()
    found = entry(1, "migdowntime:expected-downtime", fields(judge(read(str(WRONG)))))
    files = {"results.json": json.dumps({"tests": [found]}).encode()}
    for name, trace in TRACES.items():
        files[f"test-results/{name}/data/trace.jsonl"] = gzip.decompress(trace.read_bytes())
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"job/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def answers():
    """The status, the headers and the body of each path; made where a test asks, not wherever this is imported."""
    return {
        "/jobs.tar.gz": (200, {}, archive()),
        "/download?job=7": (200, {}, archive()),
        "/moved": (302, {"Location": "/jobs.tar.gz"}, b""),
        "/away": (302, {"Location": "file:///etc/passwd"}, b""),
        "/round": (302, {"Location": "/round"}, b""),
        "/page": (200, {}, b"<html>log in</html>"),
        "/short": (200, {"Content-Length": "100000"}, archive()[:200]),
    }


ENDLESS = {
    "/continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "/body": (b"HTTP/1.1 200 OK\r\n\r\n", bytes(1000)),
    "/moved-at-length": (b"HTTP/1.1 302 Found\r\nLocation: /jobs.tar.gz\r\n\r\n", bytes(1000)),
    "/trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"name: value\r\n"),
}
"""What such a path is answered with, first and then without end."""


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path in ENDLESS:
            first, repeated = ENDLESS[self.path]
            with contextlib.suppress(OSError):
                self.wfile.write(first)
                while True:
                    self.wfile.write(repeated)
            return
        status, headers, body = answers().get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.parametrize("path", ["/jobs.tar.gz", "/download?job=7", "/moved"])
def test_a_report_is_made_of_a_url(server, tmp_path, path):
    page = page_of(tmp_path, f"{server}{path}")
    assert '<a href="#test-1">1-a</a>' in page and "QEMU said 980 ms" in page


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/none", r"cannot be fetched \(404 Not Found\); give the URL of a .tar.gz"),
        ("/away", r"cannot be fetched \(.*file:///etc/passwd"),
        ("/round", r"cannot be fetched \(.*"),
        ("/page", r"is no .tar.gz, but perhaps a web page or a .zip; give the URL of the file itself, where no login"),
        ("/short", r"is not a complete archive \("),
    ],
)
def test_what_is_no_archive_is_refused_in_a_sentence_with_its_url(server, path, says):
    with pytest.raises(UsageError, match=f"^{re.escape(server + path)} {says}"), unpacked([f"{server}{path}"]):
        pass


@pytest.mark.parametrize("user", ["me:secret@", "secret@", "me@home:secret@"])
def test_a_password_in_a_url_is_never_shown(user, tmp_path):
    with pytest.raises(UsageError) as caught:
        artifact.fetch(f"https://{user}ci.invalid:1/a@b/jobs.tar.gz", tmp_path / "file")
    assert str(caught.value) == (
        "the URL of ci.invalid:1 holds a user or a password, which messages would show; download it, and give the file"
    )
    assert not (tmp_path / "file").exists()


def test_nobody_who_answers_is_a_sentence_too():
    says = r"^http://127.0.0.1:1/a.tar.gz cannot be fetched \(Connection refused\); give"
    with pytest.raises(UsageError, match=says):
        unpacked(["http://127.0.0.1:1/a.tar.gz"]).__enter__()


def test_no_more_is_fetched_than_the_limit(server, tmp_path, monkeypatch):
    monkeypatch.setattr(artifact, "MOST_BYTES", 1000)
    with pytest.raises(UsageError, match="holds more than 0 MiB"):
        artifact.fetch(f"{server}/jobs.tar.gz", tmp_path / "file")
    monkeypatch.undo()
    monkeypatch.setattr(artifact, "LONGEST_S", -1.0)
    with pytest.raises(UsageError, match="takes longer than"):
        artifact.fetch(f"{server}/jobs.tar.gz", tmp_path / "other")


@pytest.mark.parametrize("path", ["/continue", "/body", "/trailers"])
@pytest.mark.parametrize(
    ("name", "value", "says"), [("MOST_BYTES", 10_000, "holds more"), ("LONGEST_S", 0.1, "takes longer")]
)
def test_a_server_is_not_listened_to_without_end(server, tmp_path, monkeypatch, path, name, value, says):
    monkeypatch.setattr(artifact, name, value)
    with pytest.raises(UsageError, match=says):
        artifact.fetch(f"{server}{path}", tmp_path / "file")


def test_what_comes_with_a_redirect_is_not_read(server, tmp_path):
    artifact.fetch(f"{server}/moved-at-length", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == archive()


def test_an_encrypted_place_leads_to_no_other(monkeypatch):
    handler, request = artifact._NeverLessSafe(), artifact.urllib.request.Request("https://a/x.tar.gz")
    assert handler.redirect_request(request, io.BytesIO(), 302, "", {}, "https://b/x").full_url == "https://b/x"
    with pytest.raises(ValueError, match="it redirects to http://b/x, which is less safe"):
        handler.redirect_request(request, None, 302, "", {}, "http://b/x")


@pytest.mark.parametrize(
    ("place", "url"), [("HTTPS://a/b", True), ("http://a", True), ("ftp://a", False), ("a.tar.gz", False)]
)
def test_what_a_url_is(place, url):
    assert artifact.is_url(place) == url
