#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""HTTP of a whole bellhopd, row by row of R-HTTP where only the whole shows it: conditions and ranges
of stored and of rendered files, what a fetch means for the books, and the shared corpus, every answer
of which is taken apart and held against the file's octets."""

import base64
import email.utils
import os
import re
import socket
import subprocess
import time
from urllib.parse import quote

from files_house import PASSWORD, PHONE, Server, corpus
from house import PATIENCE_S, main, program, wait_for

DATA = bytes(range(250)) * 4
IMAGE = os.urandom(300_000)
PAST = "Sun, 06 Nov 1994 08:49:37 GMT"
FUTURE = "Fri, 31 Dec 2199 23:59:59 GMT"


class Answer:
    """One response, taken apart; it must be all that was said."""

    def __init__(self, octets, method="GET"):
        head, gap, self.body = octets.partition(b"\r\n\r\n")
        assert gap, octets
        start, *lines = head.decode("latin-1").split("\r\n")
        assert re.fullmatch(r"HTTP/1\.1 [1-5]\d\d [ -~]+", start), start
        self.status = int(start[9:12])
        self.fields = {}
        for line in lines:
            name, colon, value = line.partition(": ")
            assert colon and name not in self.fields, lines
            self.fields[name] = value
        self.length = int(self.fields.get("Content-Length", 0))
        if method == "HEAD" or self.status == 304:
            assert not self.body
        else:
            assert len(self.body) == self.length, (start, len(self.body), self.length)

    def parts(self):
        """[(first, last, size, octets)] of a 206, whichever way it tells them."""
        assert self.status == 206
        kind = self.fields["Content-Type"]
        if not kind.startswith("multipart/byteranges"):
            return [(*content_range(self.fields["Content-Range"]), self.body)]
        assert "Content-Range" not in self.fields  # RFC 9110 15.3.7.2
        boundary = re.fullmatch(r"multipart/byteranges; boundary=([0-9a-f]{32})", kind)[1].encode()
        first, *pieces = (b"\r\n" + self.body).split(b"\r\n--" + boundary)
        assert first == b"" and pieces.pop() == b"--\r\n", self.body[:200]
        parts = []
        for piece in pieces:
            head, _, octets = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            assert set(fields) == {"Content-Type", "Content-Range"}, fields
            parts.append((*content_range(fields["Content-Range"]), octets))
        return parts


def content_range(value):
    return tuple(map(int, re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", value).groups()))


def ask(s, path, *fields, method="GET", source="127.0.0.2"):
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *fields, "", ""]
    return Answer(s.http_raw("\r\n".join(lines).encode(), source), method)


def settled(s, name, content, date=None):
    """Puts a file in the folder, and its date back (to `date`, or to a minute ago)."""
    path = s.files / name
    path.write_bytes(content)
    when = date or int(time.time()) - 60
    os.utime(path, (when, when))
    wait_for("the file", lambda: ask(s, "/" + quote(name)).status == 200)


def key_path(s):
    return f"/p/{s.keys[PHONE]}/{PHONE}.cfg"


# Ranges.

def right_parts(content, asked, answer):
    """The parts are those asked for, in that order, and have the content's octets."""
    assert [(first, last) for first, last, _, _ in answer.parts()] == asked, answer.fields
    for first, last, size, octets in answer.parts():
        assert size == len(content) and octets == content[first:last + 1], (first, last)


def test_r_http_16_17_18_ranges_of_a_stored_and_of_a_rendered_file():
    with Server() as s:
        settled(s, "440HD.img", IMAGE)
        for path, source in (("/440HD.img", "127.0.0.2"), (key_path(s), "127.0.0.5")):
            whole = ask(s, path, source=source)
            content, size = whole.body, len(whole.body)
            assert whole.status == 200 and size > 400
            assert whole.fields["Accept-Ranges"] == "bytes"  # R-HTTP-21
            for value, asked in (
                    ("0-0", [(0, 0)]), ("10-", [(10, size - 1)]), ("-7", [(size - 7, size - 1)]),
                    (f"-{size + 1}", [(0, size - 1)]), (f"5-{size * 2}", [(5, size - 1)]),
                    ("0-9,100-109", [(0, 9), (100, 109)]), ("-5,0-4", [(size - 5, size - 1), (0, 4)]),
                    ("50-59,0-9,60-69", [(50, 69), (0, 9)]), (f"{size}-,3-4", [(3, 4)])):
                answer = ask(s, path, f"Range: bytes={value}", source=source)
                assert answer.status == 206, (value, answer.fields)
                right_parts(content, asked, answer)
                for name in ("ETag", "Cache-Control"):
                    assert answer.fields[name] == whole.fields[name]
                assert answer.fields.get("Last-Modified") == whole.fields.get("Last-Modified")
            for value in (f"{size}-", "-0", f"{size}-{size + 5},-0"):
                answer = ask(s, path, f"Range: bytes={value}", source=source)
                assert answer.status == 416 and not answer.body, value
                assert answer.fields["Content-Range"] == f"bytes */{size}"
            for line in ("Range: octets=0-9", "Range: bytes=9-0", "Range: bytes=0-9,x"):
                answer = ask(s, path, line, source=source)  # R-HTTP-15
                assert (answer.status, answer.body) == (200, content), line


def test_r_http_17_boundaries_cannot_be_guessed():
    with Server() as s:
        settled(s, "440HD.img", IMAGE)
        types = {ask(s, "/440HD.img", "Range: bytes=0-0,9-9").fields["Content-Type"]
                 for _ in range(20)}
        assert len(types) == 20
    with Server() as s:  # nor from another start of the server
        settled(s, "440HD.img", IMAGE)
        assert ask(s, "/440HD.img", "Range: bytes=0-0,9-9").fields["Content-Type"] not in types


def test_r_http_19_no_answer_is_longer_than_the_file():
    with Server() as s:
        settled(s, "440HD.img", IMAGE)
        whole = ask(s, "/440HD.img")
        for value in (",".join(["0-"] * 500), ",".join(["-300000"] * 16), "0-,1-,2-,3-",
                      ",".join(f"{i}-{i}" for i in range(0, 1200, 2)),
                      "0-149998,150000-299999", ",".join(f"{i}-" for i in range(500))):
            answer = ask(s, "/440HD.img", f"Range: bytes={value}")
            assert answer.length <= whole.length, value[:50]
            if answer.status == 200:
                assert answer.body == IMAGE
            else:
                for first, last, _, octets in answer.parts():
                    assert octets == IMAGE[first:last + 1]


def test_r_http_20_if_range():
    with Server() as s:
        settled(s, "440HD.img", IMAGE)
        whole = ask(s, "/440HD.img").fields
        for value, is_same in ((whole["ETag"], True), ('"x"', False), ("W/" + whole["ETag"], False),
                               (whole["Last-Modified"], True), (PAST, False), (FUTURE, False),
                               ("soon", False)):
            answer = ask(s, "/440HD.img", f"If-Range: {value}", "Range: bytes=5-9")
            if is_same:
                right_parts(IMAGE, [(5, 9)], answer)
                assert "Last-Modified" not in answer.fields  # RFC 9110 15.3.7
            else:
                assert (answer.status, answer.body) == (200, IMAGE), value
        rendered = ask(s, key_path(s)).fields
        assert ask(s, key_path(s), f"If-Range: {rendered['ETag']}", "Range: bytes=5-9").status == 206
        s.bellhopd.cli("device", "set", PHONE, "--set", "sip_lines.1.username=202")
        answer = ask(s, key_path(s), f"If-Range: {rendered['ETag']}", "Range: bytes=5-9")
        assert answer.status == 200 and b"202" in answer.body


def test_r_http_20_a_date_of_this_second_is_no_validator():
    """A file that was changed and asked for within one second may have changed again after it."""
    with Server() as s:
        settled(s, "440HD.img", IMAGE)
        # Dated ahead, so that Last-Modified is always of the second it is asked for in.
        os.utime(s.files / "440HD.img", (time.time() + 3600,) * 2)
        date = ask(s, "/440HD.img").fields["Last-Modified"]
        assert ask(s, "/440HD.img", f"If-Range: {date}", "Range: bytes=5-9").status == 200


def test_curl_resumes():
    with Server() as s:
        settled(s, "440HD.img", IMAGE)
        local = s.folder / "got"
        local.write_bytes(IMAGE[:123_456])
        done = subprocess.run([program("curl"), "-sS", "--max-time", str(PATIENCE_S), "-C", "-",
                               "--interface", "127.0.0.2", "-o", local, s.url("/440HD.img")],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert local.read_bytes() == IMAGE


# Validators and conditions.

def test_r_http_4_head_has_what_get_has():
    with Server() as s:
        settled(s, "440HD.img", IMAGE)
        for path in ("/440HD.img", key_path(s), "/nothing"):
            get, head = ask(s, path), ask(s, path, method="HEAD")
            ranged = ask(s, path, "Range: bytes=0-9", method="HEAD")
            for answer in (get, head, ranged):
                del answer.fields["Date"]
            assert head.fields == get.fields == ranged.fields, path
            assert head.status == get.status == ranged.status


def test_r_http_5_the_tag_changes_with_every_octet():
    with Server() as s:
        settled(s, "a.bin", b"0123456789")
        seen = [ask(s, "/a.bin").fields["ETag"]]

        def changed():
            answer = ask(s, "/a.bin")
            assert answer.fields["ETag"] not in seen, "the same tag for other octets"
            assert not answer.fields["ETag"].startswith("W/")
            assert answer.body == (s.files / "a.bin").read_bytes()
            seen.append(answer.fields["ETag"])

        date = os.stat(s.files / "a.bin").st_mtime_ns
        with open(s.files / "a.bin", "r+b") as file:  # as long, in place, and its date set back
            file.write(b"X")
        os.utime(s.files / "a.bin", ns=(date, date))
        changed()
        (s.files / ".new").write_bytes(b"Y123456789")  # as long, by another file, of that date
        os.utime(s.files / ".new", ns=(date, date))
        os.replace(s.files / ".new", s.files / "a.bin")
        changed()
        rendered = ask(s, key_path(s)).fields["ETag"]
        assert rendered == ask(s, key_path(s)).fields["ETag"]
        s.bellhopd.cli("device", "set", PHONE, "--set", "sip_lines.1.username=202")
        assert rendered != ask(s, key_path(s)).fields["ETag"]


def test_r_http_5_two_changes_within_one_tick_of_the_clock():
    """Before Linux 6.13 the kernel dates files by its tick: edits that follow closely have one date."""
    with Server() as s, socket.create_connection(("127.0.0.1", s.http), PATIENCE_S,
                                                 ("127.0.0.2", 0)) as client:
        settled(s, "a.bin", b"0123456789")
        contents = {}
        with open(s.files / "a.bin", "r+b", buffering=0) as file:
            for i in range(20):
                file.seek(0)
                file.write(b"%010d" % i)
                client.sendall(b"GET /a.bin HTTP/1.1\r\nHost: x\r\n\r\n")
                octets = b""
                while not octets.partition(b"\r\n\r\n")[2]:
                    octets += client.recv(65536)
                answer = Answer(octets)
                assert answer.body == b"%010d" % i
                assert contents.setdefault(answer.fields["ETag"], answer.body) == answer.body


def test_r_http_6_last_modified_is_never_later_than_date():
    with Server() as s:
        for when in (int(time.time()) - 60, int(time.time()) + 3600):
            settled(s, "a.bin", DATA, when)
            fields = ask(s, "/a.bin").fields
            date, modified = (email.utils.parsedate_to_datetime(fields[name])
                              for name in ("Date", "Last-Modified"))
            assert modified <= date
            assert modified.timestamp() == min(when, date.timestamp())
            assert fields["Last-Modified"].endswith(" GMT")  # R-HTTP-10: IMF-fixdate


def test_r_http_7_to_12_conditions():
    with Server() as s:
        settled(s, "a.bin", DATA, 784111777)
        tag = ask(s, "/a.bin").fields["ETag"]
        forms = (PAST, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994")
        before = "Sun, 06 Nov 1994 08:49:36 GMT"
        cases = [
            ((f"If-None-Match: {tag}",), 304), ((f"If-None-Match: W/{tag}",), 304),  # R-HTTP-7
            (("If-None-Match: *",), 304), ((f'If-None-Match: "x", {tag}',), 304),
            (('If-None-Match: "x"',), 200),
            (('If-None-Match: "x"', f"If-Modified-Since: {PAST}"), 200),  # R-HTTP-8
            *(((f"If-Modified-Since: {form}",), 304) for form in forms),  # R-HTTP-9, -10
            ((f"If-Modified-Since: {before}",), 200), (("If-Modified-Since: soon",), 200),
            ((f"If-Match: {tag}",), 200), (("If-Match: *",), 200),  # R-HTTP-11
            ((f"If-Match: W/{tag}",), 412), (('If-Match: "x"',), 412),
            *(((f"If-Unmodified-Since: {form}",), 200) for form in forms),
            ((f"If-Unmodified-Since: {before}",), 412), (("If-Unmodified-Since: soon",), 200),
            # R-HTTP-12
            (('If-Match: "x"', f"If-None-Match: {tag}", "Range: bytes=2000-"), 412),
            ((f"If-Unmodified-Since: {before}", f"If-None-Match: {tag}"), 412),
            ((f"If-None-Match: {tag}", "Range: bytes=2000-"), 304),
            (('If-Range: "x"', "Range: bytes=2000-"), 200),
            ((f"If-Range: {tag}", "Range: bytes=2000-"), 416),
            ((f"If-Match: {tag}", 'If-None-Match: "x"', f"If-Range: {tag}", "Range: bytes=0-9"), 206)]
        for fields, status in cases:
            answer = ask(s, "/a.bin", *fields)
            assert answer.status == status, (fields, answer.status)
            assert answer.body == {200: DATA, 206: DATA[:10]}.get(status, b""), fields
            head = 200 if status in (206, 416) else status
            assert ask(s, "/a.bin", *fields, method="HEAD").status == head, fields


def test_r_http_13_a_304_has_the_fields_of_its_200():
    with Server() as s:
        settled(s, "440HD.img", IMAGE)
        for path in ("/440HD.img", key_path(s)):
            whole = ask(s, path).fields
            fields = ask(s, path, f"If-None-Match: {whole['ETag']}").fields
            assert set(fields) == {"Date", "ETag", "Cache-Control"}, fields
            for name in ("ETag", "Cache-Control"):
                assert fields[name] == whole[name]


def test_r_http_3_other_methods():
    with Server() as s:
        settled(s, "a.bin", DATA)
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            answer = ask(s, "/a.bin", method=method)
            assert (answer.status, answer.fields["Allow"]) == (405, "GET, HEAD"), method
        assert ask(s, "/a.bin", method="FETCH").status == 501
        assert (s.files / "a.bin").read_bytes() == DATA


def test_r_http_31_paths_are_decoded_once():
    with Server() as s:
        settled(s, "a+b.bin", DATA)
        settled(s, "%41.bin", b"percent")
        assert ask(s, "/a+b.bin").body == ask(s, "/%61%2b%62.bin").body == DATA
        assert ask(s, "/%2541.bin").body == b"percent"
        assert ask(s, "/%2e%2e/files/a+b.bin").status == 404
        assert ask(s, "/..%2ffiles%2fa+b.bin").status == 404
        for path in ("/a%00b.bin", "/a%2", "/a%zz", "/%"):
            assert ask(s, path).status == 400, path


# The books.

def served(s, reason):
    return [line for line in s.bellhopd.log_text().splitlines() if f" {reason}" in line]


def test_r_http_30_credentials_are_neither_asked_for_nor_looked_at():
    """Digest comes with the users that it needs. Until then nothing answers 401, credentials open
    nothing and shut nothing, and they stand in no log."""
    secret = "0123456789abcdef0123456789abcdef"
    given = [f'Digest username="{PHONE}", realm="bellhop", nonce="1", uri="/", response="{secret}"',
             "Basic " + base64.b64encode(f"{PHONE}:{secret}".encode()).decode(), "Digest", "Digest ,,=\"",
             "Bearer " + secret, "\t"]
    with Server() as s:
        # The device's own source, a stranger with its MAC, and nobody's file.
        for path, source, status in ((f"/{PHONE}.cfg", "127.0.0.2", 200),
                                     (f"/{PHONE}.cfg", "127.0.0.9", 404), ("/nothing", "127.0.0.2", 404)):
            plain = ask(s, path, source=source)
            assert plain.status == status and "WWW-Authenticate" not in plain.fields
            for credentials in given:
                answer = ask(s, path, f"Authorization: {credentials}", source=source)
                assert (answer.status, answer.body) == (status, plain.body), (path, credentials)
                assert "WWW-Authenticate" not in answer.fields
        assert secret not in s.bellhopd.log_text() + s.bellhopd.events()


def test_a_resumed_file_is_fetched_and_a_part_is_not():
    with Server() as s:
        path, source = key_path(s), "127.0.0.5"
        size = ask(s, path, method="HEAD", source=source).length
        for value in ("0-9", f"0-{size - 2}", "0-9,20-29", "-9,0-9"):
            assert ask(s, path, f"Range: bytes={value}", source=source).status == 206, value
        assert ask(s, path, f"Range: bytes={size}-", source=source).status == 416
        ask(s, path, 'If-Match: "x"', source=source)
        wait_for("the lines", lambda: len(served(s, "file_served_part")) == 4)
        told = served(s, "file_served_part")
        for line, octets in zip(told, (f"bytes 0-9/{size}", f"bytes 0-{size - 2}/{size}",
                                       f"bytes 0-9/{size} and 1 more",
                                       f"bytes {size - 9}-{size - 1}/{size} and 1 more")):
            assert octets in line and f'"{PHONE}.cfg"' in line and "debug" in line, line
            assert "identified by key" in line
        assert "file_served" not in s.bellhopd.events()
        assert s.bellhopd.device(PHONE)["state"] == "claimed"
        ask(s, path, "Range: bytes=10-", source=source)
        wait_for("the state", lambda: s.bellhopd.device(PHONE)["state"] == "fetched")
        assert f"the last {size - 10} bytes" in s.bellhopd.events()


def test_a_304_counts_as_a_fetch_and_a_cut_does_not():
    with Server() as s:
        tag = ask(s, key_path(s), method="HEAD").fields["ETag"]
        settled(s, "big.bin", os.urandom(8_000_000))
        before = len(served(s, "file_served"))
        head = b"GET /big.bin HTTP/1.1\r\nHost: x\r\n"
        for fields in (b"", b"Range: bytes=10-\r\n", b"Range: bytes=0-7000000\r\n"):
            s.http_hang_up(head + fields + b"\r\n")
        wait_for("the lines", lambda: len(served(s, "transfer_abandoned")) == 3)
        for line in served(s, "transfer_abandoned"):
            assert re.search(r"http transfer of big.bin given up after [1-9]\d+ octets: the client left",
                             line) and PHONE in line.replace(":", "").lower(), line
        assert s.bellhopd.events().count("transfer_abandoned") == 3
        assert s.bellhopd.device(PHONE)["state"] == "claimed"
        assert ask(s, key_path(s), f"If-None-Match: {tag}").status == 304
        wait_for("the state", lambda: s.bellhopd.device(PHONE)["state"] == "fetched")
        assert "unchanged since it was fetched" in s.bellhopd.events()
        assert len(served(s, "file_served")) == before + 1


def test_what_is_refused_is_told_with_its_reason_and_without_the_request():
    with Server() as s:
        path = key_path(s)
        rows = ((f"GET {path} HTTP/1.1\r\n\r\n", "400 Bad Request: host"),
                (f"GET {path}%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400 Bad Request: percent_encoding"),
                (f"PUT {path} HTTP/1.1\r\nHost: x\r\n\r\n",
                 "405 Method Not Allowed: method_not_served"),
                (f"GET {path} HTTP/1.1\r\nHost: x\r\nX: {'y' * 9000}\r\n\r\n",
                 "431 Request Header Fields Too Large: head_length"))
        for request, _ in rows:
            s.http_raw(request.encode())
        wait_for("the events", lambda: s.bellhopd.events().count("http_refused") == len(rows))
        told = [line for line in s.bellhopd.events().splitlines() if "http_refused" in line]
        for line, (_, reason) in zip(told, rows):
            assert line.endswith(f"http refused with {reason}") and "127.0.0.2" in line, line


# The shared corpus.

def corpus_fault(answer, row, method):
    """None, or what is wrong with this answer by the index's word for it."""
    legal = row["pds_answer"]
    statuses = set(re.findall(r"\b[1-5]\d\d\b", re.sub(r"/\d+|200 parts", "", legal)))
    if "one range" in legal or "coalesced" in legal or "bounded" in legal:
        statuses |= {"206"}
    if str(answer.status) not in statuses:
        return f"status {answer.status}"
    if answer.status == 200 and answer.body != (b"" if method == "HEAD" else DATA):
        return "another body"
    if answer.status == 200 and answer.length != len(DATA):
        return "another Content-Length"
    if answer.status == 206:
        parts = answer.parts()
        if any(size != 1000 or octets != DATA[first:last + 1] for first, last, size, octets in parts):
            return "other octets"
        if len(parts) > 16 or answer.length > len(DATA):
            return "unbounded"
    if answer.status == 416 and answer.fields["Content-Range"] != "bytes */1000":
        return "another Content-Range"
    expected = re.search(r"Content-Range: (bytes [\d*/-]+)", legal)
    if expected and answer.fields.get("Content-Range") != expected[1]:
        return f"Content-Range {answer.fields.get('Content-Range')}"
    if "close" in legal and answer.fields.get("Connection") != "close":
        return "not closed"
    return None


def test_corpus_http_requests():
    requests = corpus("http-requests")
    with Server() as s:
        settled(s, "440HD.cfg", DATA)
        fields = ask(s, "/440HD.cfg").fields
        words = {b"{ETAG}": fields["ETag"], b"{DATE}": fields["Last-Modified"], b"{PAST}": PAST,
                 b"{FUTURE}": FUTURE}
        wrong = []
        for row, request in requests:
            for word, value in words.items():
                request = request.replace(word, value.encode())
            method = "HEAD" if request.startswith(b"HEAD ") else "GET"
            answer = s.http_raw(request)
            assert b"root:" not in answer, row["file"]
            fault = corpus_fault(Answer(answer, method), row, method)
            if fault:
                wrong.append((row["file"], row["pds_answer"], fault))
            s.alive()
        assert not wrong, wrong


def test_no_secret_is_told_by_ranges():
    """What a key opens it opens in parts too, and nothing else does."""
    with Server() as s:
        whole = ask(s, key_path(s)).body
        at = whole.index(PASSWORD.encode())
        asked = f"Range: bytes={at}-{at + len(PASSWORD) - 1}"
        answer = ask(s, key_path(s), asked, source="127.0.0.5")
        assert answer.body == PASSWORD.encode()
        assert answer.fields["Cache-Control"] == "private, no-store"
        for fields in ((asked,), ("Range: bytes=999999-",), ('If-Match: "x"',),
                       ("If-None-Match: *",)):
            refused = ask(s, f"/{PHONE}.cfg", *fields, source="127.0.0.9")
            assert (refused.status, refused.body) == (404, b"Not Found\n"), fields
            assert "Content-Range" not in refused.fields and "ETag" not in refused.fields


main(globals())
