#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""HTTPS through a whole bellhopd: curl, wget and openssl s_client as foreign judges, certificates
made by openssl when the test runs, and bellhop-agent as the phone."""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

from house import BUILD, PATIENCE_S, Bellhopd, free_port, main, program, wait_for

PHONE = "00908f123456"  # bound to 127.0.0.2
PASSWORD = "wohl-geheim-8731"
BIG = os.urandom(1 << 20) * 60
VERSIONS = {"TLSv1.2": ("--tls-max", "1.2"), "TLSv1.3": ("--tlsv1.3",)}


def openssl(*arguments, stdin="", check=True):
    return subprocess.run([program("openssl"), *map(str, arguments)], input=stdin, check=check,
                          capture_output=True, text=True, timeout=PATIENCE_S)


class Certificates:
    """An authority, and what it signed, in files of one folder."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        for name in ("authority", "stranger"):
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key(name), "-out",
                    self.certificate(name))

    def certificate(self, name):
        return self.folder / f"{name}.crt"

    def key(self, name):
        return self.folder / f"{name}.key"

    def make(self, name, subject, issuer="authority", kind=("ec", "-pkeyopt",
                                                            "ec_paramgen_curve:P-256")):
        request = self.folder / f"{name}.csr"
        openssl("req", "-new", "-newkey", *kind, "-nodes", "-subj", subject, "-keyout",
                self.key(name), "-out", request)
        extensions = self.folder / "extensions"
        extensions.write_text("subjectAltName=IP:127.0.0.1\n", encoding="ascii")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate(issuer), "-CAkey",
                self.key(issuer), "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out",
                self.certificate(name))

    def serial(self, name):
        return openssl("x509", "-in", self.certificate(name), "-noout", "-serial").stdout.strip()


class Server:
    """A bellhopd with HTTPS on a free port, and our phone in it. `https` goes into [https]; with
    {folder}."""

    def __init__(self, https="certificate = {folder}/server.crt\nkey = {folder}/server.key\n",
                 more=""):
        self.certificates = Certificates()
        # RSA, as phones want it.
        self.certificates.make("server", "/CN=bellhop", kind=("rsa:2048",))
        self.sip = free_port(socket.SOCK_DGRAM)
        self.http = free_port()
        self.https = free_port()
        self.more = more
        self.bellhopd = Bellhopd(self.config(https))
        self.key = ""

    def config(self, https):
        scheme = "https" if "certificate" in https else "http"
        return (f"[sip]\nlisten = 127.0.0.1:{self.sip}\ngroup =\n"
                f"[http]\nlisten = 127.0.0.1:{self.http}\n[tftp]\nlisten =\n"
                f"[https]\nlisten = 127.0.0.1:{self.https}\n"
                f"{https.format(folder=self.certificates.folder)}{self.more}"
                f"[log]\nlevel = debug\n"
                f"[provisioning]\nurl = {scheme}://%{{address}}:%{{port}}/p/%{{key}}/\n")

    def __enter__(self):
        self.bellhopd.__enter__()
        self.bellhopd.cli("device", "claim", PHONE, "--model", "440HD", "--address", "127.0.0.2",
                          "--set", "sip_lines.1.password=-", "--set", "sip_lines.1.username=101",
                          stdin=PASSWORD)
        self.key = self.bellhopd.device(PHONE)["key"]
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                told = self.bellhopd.log_text() + self.bellhopd.events()
                private = self.certificates.key("server").read_text(encoding="ascii").split("\n")[1]
                for secret in (self.key, PASSWORD, private):
                    assert secret not in told, [line for line in told.splitlines() if secret in line]
        finally:
            self.bellhopd.__exit__(kind, value, trace)
            self.certificates.temporary.cleanup()

    def add(self, name, content):
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            self.bellhopd.cli("file", "add", file.name, "--name", name)

    def url(self, path):
        return f"https://127.0.0.1:{self.https}{path}"

    def curl(self, *arguments, source="127.0.0.2"):
        done = subprocess.run(
            [program("curl"), "-sS", "--max-time", str(PATIENCE_S), "--interface", source, "--cacert",
             self.certificates.certificate("authority"), *map(str, arguments)],
            capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def connect(self, version=None, source="127.0.0.2", identity=None):
        """A Python client; `version`: an ssl.TLSVersion, `identity`: a name of our certificates."""
        context = ssl.create_default_context(cafile=self.certificates.certificate("authority"))
        if version:
            context.minimum_version = context.maximum_version = version
        if identity:
            context.load_cert_chain(self.certificates.certificate(identity),
                                    self.certificates.key(identity))
        return context.wrap_socket(
            socket.create_connection(("127.0.0.1", self.https), PATIENCE_S, (source, 0)),
            server_hostname="127.0.0.1")

    def s_client(self, *arguments, stdin=""):
        done = openssl("s_client", "-connect", f"127.0.0.1:{self.https}", "-CAfile",
                       self.certificates.certificate("authority"), *arguments, stdin=stdin,
                       check=False)
        return done.stdout + done.stderr

    def counter(self, reason, group="tls"):
        return self.bellhopd.json("status")["counters"][group][reason]

    def hangup(self, wanted):
        """SIGHUP, until the log has one more `wanted`."""
        count = self.bellhopd.log_text().count(wanted)
        self.bellhopd.process.send_signal(signal.SIGHUP)
        wait_for(wanted, lambda: self.bellhopd.log_text().count(wanted) > count)


def read_all(client):
    answer = bytearray()  # bytes would be copied with every piece
    while piece := client.recv(65536):
        answer += piece
    return bytes(answer)


REQUEST = "GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


# Files.

def test_curl_fetches_with_every_version():
    with Server() as s:
        s.add("big.bin", BIG)
        expected = s.bellhopd.cli("device", "preview", PHONE, f"{PHONE}.cfg").stdout.encode()
        assert PASSWORD.encode() in expected
        for number, (version, options) in enumerate(VERSIONS.items(), 1):
            assert s.curl(*options, s.url(f"/p/{s.key}/{PHONE}.cfg"), source="127.0.0.5") == expected
            assert s.curl(*options, s.url("/big.bin")) == BIG
            head = s.curl(*options, "-I", s.url("/big.bin")).decode()
            assert head.startswith("HTTP/1.1 200 ") and f"Content-Length: {len(BIG)}" in head
            told = s.curl(*options, "-o", "/dev/null", "-w", "%{http_version} %{ssl_verify_result}",
                          s.url(f"/{PHONE}.cfg"))
            assert told == b"1.1 0", told
            assert s.counter("tls_1_2") == 4, (number, version)
        assert s.counter("handshakes") == 8 and s.counter("no_forward_secrecy") == 0
        told = [line for line in s.bellhopd.events().splitlines() if "file_served" in line]
        assert any(f'https served "{PHONE}.cfg", {len(expected)} bytes, ' in line and
                   line.endswith("; identified by key") for line in told), told
        assert 'https served "big.bin", 62914560 bytes' in s.bellhopd.log_text()
        wait_for("the state", lambda: s.bellhopd.device(PHONE)["state"] == "fetched")


def test_connections_persist_and_conditions_hold():
    with Server() as s:
        s.add("ring.wav", b"ring")
        url = s.url("/ring.wav")
        told = s.curl(url, url, url, "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null", "-w",
                      "%{http_code} %{num_connects}\n").decode().split("\n")
        assert told == ["200 1", "200 0", "200 0", ""], told
        etag = re.search(r"ETag: (.*)\r", s.curl("-I", url).decode()).group(1)
        assert s.curl("-w", "%{http_code}", "-H", f"If-None-Match: {etag}", url) == b"304"
        assert s.counter("handshakes") == 3


def test_pipelined_requests_are_answered_in_order():
    names = [f"file{i}.bin" for i in range(20)]
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with Server() as s, s.connect(version) as client:
            for name in names:
                s.add(name, name.encode() * 3000)
            client.sendall(b"".join(f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                                    for name in names) + REQUEST.format("last").encode())
            answer = read_all(client)
            places = [answer.index(name.encode() * 3000) for name in names]
            assert places == sorted(places) and answer.count(b"HTTP/1.1 200 OK") == len(names)
            assert answer.count(b"HTTP/1.1 404 ") == 1


def test_wget_fetches():
    with Server() as s:
        s.add("440HD.img", BIG[:3_000_017])
        local = s.bellhopd.folder / "got"
        done = subprocess.run([program("wget"), "-q", "--bind-address=127.0.0.2", "--tries=1",
                               f"--ca-certificate={s.certificates.certificate('authority')}", "-O",
                               local, s.url("/440HD.img")], capture_output=True, check=False,
                              timeout=PATIENCE_S)
        assert done.returncode == 0 and local.read_bytes() == BIG[:3_000_017], done


def test_every_refusal_is_that_of_http():
    with Server() as s:
        wrong = "0123456789abcdef0123456789abcdef"
        answers = set()
        for path in ("nothing", f"p/{wrong}/{PHONE}.cfg", f"p/{s.key}/", "../bellhop.db"):
            for client in (s.connect(source="127.0.0.9"),
                           socket.create_connection(("127.0.0.1", s.http), PATIENCE_S)):
                with client:
                    client.sendall(REQUEST.format(path).encode())
                    answers.add(re.sub(rb"Date: [^\r]*\r\n", b"", read_all(client)))
        assert len(answers) == 1 and answers.pop().startswith(b"HTTP/1.1 404 ")
        assert "https request for" in s.bellhopd.log_text()


# Handshakes.

def test_s_client_sees_what_we_promise():
    with Server() as s:
        told = s.s_client("-alpn", "h2,http/1.1", stdin="Q\n")
        assert "ALPN protocol: http/1.1" in told and "Verify return code: 0 (ok)" in told, told
        assert "Compression: NONE" in told and "Secure Renegotiation IS" in told
        assert "Acceptable client certificate CA names" not in told
        assert "No ALPN negotiated" in s.s_client(stdin="Q\n")
        assert "alert no application protocol" in s.s_client("-alpn", "h2", stdin="Q\n")
        for old in ("-tls1", "-tls1_1"):
            told = s.s_client(old, "-cipher", "ALL:@SECLEVEL=0", stdin="Q\n")
            assert "alert protocol version" in told, told
        assert s.counter("old_version") == 2 and s.counter("no_shared_protocol") == 1
        # R: s_client asks for a new handshake within the connection.
        told = s.s_client("-tls1_2", stdin="R\n")
        assert "RENEGOTIATING" in told and "no renegotiation" in told, told
        assert s.counter("handshakes") == 3


def resume(s, version, session):
    """Connects with the session of the file, if there is one, and keeps the next. True if resumed."""
    more = ("-sess_in", session) if session.exists() else ()
    fresh = session.with_suffix(".next")
    told = s.s_client(version, "-ign_eof", "-sess_out", fresh, *more, stdin=REQUEST.format("x"))
    assert "HTTP/1.1 404" in told, told
    if fresh.exists():  # TLS 1.2 goes on with the ticket that it has
        os.replace(fresh, session)
    return "Reused, TLSv1" in told


def test_tickets_resume_before_and_after_a_reload():
    with Server() as s:
        for count, version in enumerate(("-tls1_2", "-tls1_3"), 1):
            session = s.bellhopd.folder / f"session{version}"
            assert not resume(s, version, session)
            assert resume(s, version, session) and resume(s, version, session)
            s.certificates.make("server", "/CN=bellhop", kind=("rsa:2048",))
            s.hangup(" reloaded: ")
            assert resume(s, version, session) and resume(s, version, session)
            assert s.counter("resumed") == 4 * count


# Phones' certificates.

def test_a_client_certificate_is_told_and_never_required():
    with Server("certificate = {folder}/server.crt\nkey = {folder}/server.key\n"
                "client_ca = {folder}/authority.crt\n") as s:
        s.certificates.make("phone", f"/CN={PHONE}/O=Maker, Inc.")
        s.certificates.make("other", f"/CN={PHONE}", issuer="stranger")
        assert "CN = authority" in s.s_client("-tls1_2", stdin="Q\n")
        url = s.url(f"/{PHONE}.cfg")
        rows = ((), ""), (("phone",), f"client certificate O=Maker\\, Inc.,CN={PHONE}, verified"), \
            (("other",), f"client certificate CN={PHONE}, not verified: unable to get local issuer "
                         "certificate")
        for identity, expected in rows:
            for options in VERSIONS.values():
                before = s.bellhopd.log_text().count("file_served")
                more = [part for name in identity for part in (
                    "--cert", s.certificates.certificate(name), "--key", s.certificates.key(name))]
                assert PASSWORD.encode() in s.curl(*options, *more, url)
                wait_for("the line", lambda: s.bellhopd.log_text().count("file_served") > before)
                line = [row for row in s.bellhopd.log_text().splitlines() if "file_served" in row][-1]
                assert line.endswith("identified by address" + ("; " + expected if expected else "")), \
                    line
        events = s.bellhopd.events().splitlines()
        for _, expected in rows[1:]:
            assert sum("client_certificate" in line and expected in line
                       for line in events) == 2, events
        assert s.counter("client_certificates") == 4 and s.counter("client_verified") == 2
        # The others' authority comes, ours goes.
        s.bellhopd.write_config(s.config("certificate = {folder}/server.crt\n"
                                         "key = {folder}/server.key\n"
                                         "client_ca = {folder}/stranger.crt\n"))
        s.hangup(" reloaded: ")
        s.curl("--cert", s.certificates.certificate("other"), "--key", s.certificates.key("other"),
               url)
        wait_for("the line", lambda: f"client certificate CN={PHONE}, verified" in
                 s.bellhopd.log_text().splitlines()[-1])


# Reload and mistakes.

def test_a_certificate_is_replaced_while_a_file_is_under_way():
    with Server() as s:
        s.add("big.bin", BIG)
        before = s.certificates.serial("server")
        with s.connect() as old:
            old.sendall(REQUEST.format("big.bin").encode())
            answer = old.recv(1000)
            s.certificates.make("server", "/CN=bellhop", kind=("rsa:2048",))
            s.hangup(" reloaded: ")
            assert s.certificates.serial("server") != before
            shown = ssl.get_server_certificate(("127.0.0.1", s.https))
            assert openssl("x509", "-noout", "-serial", stdin=shown).stdout.strip() == \
                s.certificates.serial("server")
            answer += read_all(old)
        assert answer.partition(b"\r\n\r\n")[2] == BIG
        assert s.curl(s.url("/big.bin")) == BIG


def test_a_broken_certificate_is_refused_by_a_reload():
    with Server() as s:
        good = s.certificates.certificate("server").read_text(encoding="ascii")
        other = s.certificates.certificate("stranger").read_text(encoding="ascii")
        for text, sentence in (
                ("nonsense", "[https] certificate: {} holds no certificate"),
                (other, "[https] key: {key} does not belong to the first certificate in {}")):
            path = s.certificates.certificate("server")
            path.write_text(text, encoding="ascii")
            lines = len(s.bellhopd.log_text().splitlines())
            s.hangup("reload_refused")
            told = s.bellhopd.log_text().splitlines()[lines:]
            assert len(told) == 1, told
            wanted = sentence.format(path, key=s.certificates.key("server"))
            assert re.search(re.escape(str(s.bellhopd.config_path)) + r":\d+: " + re.escape(wanted),
                             told[0]), told
            assert "the running configuration stays" in told[0]
            assert s.curl("-w", "%{http_code}", "-o", "/dev/null", s.url("/x")) == b"404"
        s.certificates.certificate("server").write_text(good, encoding="ascii")
        s.hangup(" reloaded: ")


def run(*arguments):
    return subprocess.run([BUILD / "bellhopd", *map(str, arguments)], capture_output=True,
                          text=True, timeout=PATIENCE_S, check=False)


def test_a_mistake_ends_the_start_and_the_check_with_line_key_and_remedy():
    certificates = Certificates()
    with certificates.temporary as folder:
        certificates.make("server", "/CN=bellhop")
        certificates.make("other", "/CN=other")
        os.chmod(certificates.key("other"), 0o644)
        rows = (
            ("certificate = {0}/none.crt\nkey = {0}/server.key\n", 4,
             "[https] certificate: {0}/none.crt cannot be read: No such file or directory"),
            ("certificate = {0}/server.crt\nkey = {0}/other.key\n", 5,
             "[https] key: {0}/other.key does not belong to the first certificate in "
             "{0}/server.crt, which must be the server's own"),
            ("certificate = {0}/server.crt\n", 4,
             "[https] certificate needs a key; name its PEM file in [https] key"),
            ("certificate = {0}/server.crt\nkey = {0}/server.key\nclient_ca = {0}/other.key\n", 6,
             "[https] client_ca: {0}/other.key holds no certificate"))
        config = Path(folder) / "bellhop.conf"
        for text, line, sentence in rows:
            config.write_text(f"[server]\ndata = {folder}/data\n[https]\n{text.format(folder)}",
                              encoding="utf-8")
            wanted = f"{config}:{line}: {sentence.format(folder)}"
            for more in (("--check",), ()):
                done = run("-c", config, *more)
                assert done.returncode == 1 and wanted in done.stderr, (wanted, done.stderr)
        config.write_text(f"[https]\ncertificate = {folder}/other.crt\nkey = {folder}/other.key\n",
                          encoding="utf-8")
        done = run("-c", config, "--check")
        assert done.returncode == 0 and "https_key" in done.stderr and "0644" in done.stderr, done


def test_without_a_certificate_the_door_is_shut_and_opens_with_one():
    with Server("") as s:
        told = [line for line in s.bellhopd.log_text().splitlines() if "https" in line]
        assert len([line for line in told if " info https_shut: https is shut: " in line]) == 1, told
        doors = [row["door"] for row in s.bellhopd.json("status")["listeners"]]
        assert "https" not in doors and "tls" not in s.bellhopd.json("status")["counters"]
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", s.https)) != 0
        s.bellhopd.write_config(s.config("certificate = {folder}/server.crt\n"
                                         "key = {folder}/server.key\n"))
        s.hangup(" reloaded: ")
        assert PASSWORD.encode() in s.curl(s.url(f"/{PHONE}.cfg"))
        assert {"door": "https", "address": f"127.0.0.1:{s.https}"} in \
            s.bellhopd.json("status")["listeners"]
        # It stays open without one, and says when that ends.
        s.bellhopd.write_config(s.config(""))
        s.hangup("take effect at the next start")
        assert PASSWORD.encode() in s.curl(s.url(f"/{PHONE}.cfg"))
        assert "https" in [row["door"] for row in s.bellhopd.json("status")["listeners"]]


def test_a_door_that_could_not_open_is_shut_and_the_next_reload_tries_again():
    with Server("") as s:
        with socket.create_server(("127.0.0.1", s.https)):
            s.bellhopd.write_config(s.config("certificate = {folder}/server.crt\n"
                                             "key = {folder}/server.key\n"))
            s.hangup(" reloaded: ")
            told = [line for line in s.bellhopd.log_text().splitlines() if "https_not_open" in line]
            assert len(told) == 1 and str(s.https) in told[0], told
            assert "https" not in [row["door"] for row in s.bellhopd.json("status")["listeners"]]
        s.hangup(" reloaded: ")
        assert PASSWORD.encode() in s.curl(s.url(f"/{PHONE}.cfg"))
        assert "https" in [row["door"] for row in s.bellhopd.json("status")["listeners"]]


# Strangers.

def test_what_is_no_tls_is_counted_told_and_harmless():
    with Server() as s, contextlib.ExitStack() as stack:
        half = stack.enter_context(socket.create_connection(("127.0.0.1", s.https)))
        half.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        for octets, reason in ((b"GET / HTTP/1.1\r\n\r\n", "plain_http"),
                               (b"\0" * 64, "no_tls"), (os.urandom(64).replace(b"\x16", b"\x17"), ""),
                               (b"\x16\x03\x01\xff\xff" + b"x" * 70000, "malformed")):
            before = s.counter(reason) if reason else 0
            with socket.create_connection(("127.0.0.1", s.https), PATIENCE_S) as client, \
                    contextlib.suppress(OSError):
                client.sendall(octets)
                client.shutdown(socket.SHUT_WR)
                read_all(client)
            if reason:
                wait_for(reason, lambda: s.counter(reason) == before + 1)
        with socket.create_connection(("127.0.0.1", s.https)):
            pass  # whoever looks whether the port is open
        wait_for("it to be counted", lambda: s.counter("left") == 1)
        assert "https handshake failed: plain HTTP came in place of TLS" in s.bellhopd.events()
        assert "without a word" not in s.bellhopd.log_text()
        assert s.curl("-w", "%{http_code}", "-o", "/dev/null", s.url("/x")) == b"404"


def test_a_flood_of_bad_handshakes_fills_neither_log_nor_events():
    with Server() as s:
        begin = time.monotonic()
        for _ in range(600):
            with socket.create_connection(("127.0.0.1", s.https), PATIENCE_S) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                with contextlib.suppress(OSError):
                    client.recv(100)
        wait_for("all", lambda: s.counter("plain_http") == 600)
        may_be_told = 200 + 10 * (time.monotonic() - begin) + 1
        assert 0 < s.bellhopd.log_text().count("tls_failed") <= may_be_told
        assert s.counter("left_out", "log") > 0


def test_a_url_of_a_door_that_is_shut_is_a_mistake():
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("[provisioning]\nurl = https://%{address}:%{port}/\n")
        file.flush()
        done = run("--check", "-c", file.name)
    assert done.returncode == 1 and f"{file.name}:2: [provisioning] url" in done.stderr, done
    assert "which is shut: [https] needs listen, certificate and key" in done.stderr, done


def test_openssl_s_own_configuration_is_not_read():
    """One that would have no TLS 1.2, and one that would have nothing at all."""
    with Server() as s:
        config = s.bellhopd.folder / "openssl.cnf"
        variables = {"OPENSSL_CONF": str(config)}
        s.bellhopd.stop()
        config.write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
                          "MinProtocol = TLSv1.3\n", encoding="ascii")
        s.bellhopd.variables = variables
        s.bellhopd.start()
        assert b"404" == s.curl(*VERSIONS["TLSv1.2"], "-w", "%{http_code}", "-o", "/dev/null",
                                s.url("/x"))
        config.write_text("config_diagnostics = 1\nopenssl_conf = nothing\n", encoding="ascii")
        done = subprocess.run([BUILD / "bellhopd", "-c", s.bellhopd.config_path, "--check"],
                              env={**os.environ, **variables}, capture_output=True, text=True,
                              check=False, timeout=PATIENCE_S)
        assert done.returncode == 0, done


def test_limits_count_handshakes():
    with Server(more="[limits]\nhttp_connections_per_source = 2\n") as s, \
            contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(socket.create_connection(("127.0.0.1", s.https)))
        wait_for("both", lambda: s.counter("connections", "http") == 2)
        with socket.create_connection(("127.0.0.1", s.https), PATIENCE_S) as third, \
                contextlib.suppress(OSError):
            assert third.recv(100) == b""
        assert s.counter("refused_source", "http") == 1
        assert "https refused: too_many_from_source" in s.bellhopd.events()
        assert s.curl("-w", "%{http_code}", "-o", "/dev/null", s.url("/x"),
                      source="127.0.0.3") == b"404"


# The phone.

def agent(s, state, *more):
    done = subprocess.run(
        [BUILD / "bellhop-agent", "--once", "--json", "--state", state, "--mac", PHONE, "--address",
         "127.0.0.2", "--port", str(free_port(socket.SOCK_DGRAM, "127.0.0.2")), "--server",
         f"127.0.0.1:{s.sip}", *map(str, more)],
        capture_output=True, text=True, timeout=4 * PATIENCE_S, check=False)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_phone_is_put_into_service_by_https():
    with Server("certificate = {folder}/server.crt\nkey = {folder}/server.key\n"
                "client_ca = {folder}/authority.crt\n") as s:
        s.add("440HD.img", b"HW_TYPE=440HD\nSWVERSION=2.2.2\n" + bytes(70000))
        authority = s.certificates.certificate("authority")
        done, events = agent(s, s.bellhopd.folder / "phone", "--ca", authority)
        assert done.returncode == 0, done
        urls = [event["url"] for event in events if event["event"] == "download"]
        assert urls and all(url.startswith(f"https://127.0.0.1:{s.https}/") for url in urls), urls
        kept = (s.bellhopd.folder / "phone" / "phone.cfg").read_text(encoding="utf-8")
        assert PASSWORD in kept
        wait_for("the state", lambda: s.bellhopd.device(PHONE)["state"] == "fetched")
        assert 'https served "' in s.bellhopd.events()
        # A phone that does not know our authority takes nothing.
        s.bellhopd.cli("device", "set", PHONE, "--label", "again")
        done, events = agent(s, s.bellhopd.folder / "stranger", "--ca",
                             s.certificates.certificate("stranger"))
        assert done.returncode != 0
        assert "certificate" in [event.get("reason") for event in events
                                 if event["event"] == "download"], events
        assert s.counter("distrusted") > 0
        assert "the client does not accept our certificate" in s.bellhopd.events()


main(globals())
