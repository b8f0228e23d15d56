#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Foreign judges over a bad link: curl, wget, tftp-hpa, atftp and busybox fetch what a bellhopd has,
with every option they know, through loss, copies, reordering and delay; the files arrive whole, and
tshark finds nothing malformed in what we send. Then phones are put into service over such a link.

All judges of a link work at the same time, so that it takes as long as its slowest transfer; each
test waits for one of them."""

import concurrent.futures
import functools
import itertools
import re
import subprocess
import tempfile
from pathlib import Path

from bad_link import BadLink
from house import BUILD, Bellhopd, Network, Skip, in_namespace, main, program, wait_for
from stage import CONFIG, FEW_BLOCKS, FIRMWARE, MANY_BLOCKS, SERVER, Stage

# Each way. "bad": a round trip of 200 ms and more, of which one in ten goes wrong.
LINKS = {
    "bad": {"loss": "5%", "duplicate": "2%", "reorder": "5%", "delay": "100ms", "jitter": "10ms",
            "hold": "30ms"},
    "mild": {"loss": "1%", "duplicate": "1%", "reorder": "2%", "delay": "10ms", "hold": "5ms"},
}
IMAGE = f"{FIRMWARE}.bin"
CURL_TOO_SLOW, CURL_ILLEGAL = 28, 71
ATFTP_ATTEMPTS = 8


# TFTP.

def curl_tftp(stage):
    curl = program("curl")

    def fetch(name, *options):
        local = stage.place() / "got"
        command = (curl, "-sS", *options, "-o", local, stage.url(name, "tftp"))
        if stage.files[name] or "--tftp-no-options" in options:
            stage.fetch(name, local, *command)
            return
        # curl holds a tsize of 0 for illegal, which it is not (R-TFTP-24).
        done = stage.run(*command)
        assert done.returncode in (0, CURL_ILLEGAL), done

    stage.all([(fetch, name, *options) for size, options in (
        (512, ()), (512, ("--tftp-no-options",)), (8, ("--tftp-blksize", "8")),
        (1428, ("--tftp-blksize", "1428")), (1428, ("--tftp-blksize", "65464")))
        for name in stage.names_by_blocks(size)])


def tftp_hpa(stage):
    tftp = program("tftp")

    def fetch(name, *options):
        local = stage.place() / "got"
        stage.fetch(name, local, tftp, *options, SERVER, "-c", "get", stage.path(name), local)

    stage.all([(fetch, name, *options) for options in (
        ("-m", "octet"), ("-m", "netascii"), ("-4", "-l", "-v", "-R", "40000:40999", "-m", "binary"),
        ("-l", "-m", "ascii")) for name in stage.names_by_blocks(512)])


def tftp_hpa_in_one_session(stage):
    """Several files by one socket, over commands."""
    tftp, place = program("tftp"), stage.place()
    names = [f"{FEW_BLOCKS}.bin", CONFIG, f"{FEW_BLOCKS}.bin"]
    commands = ["verbose", "trace", "rexmt 2", "timeout 60", "mode octet", "status"]
    commands += [f"get {stage.path(name)} {place / str(i)}" for i, name in enumerate(names)]
    done = stage.run(tftp, SERVER, input="\n".join([*commands, "quit", ""]))
    for i, name in enumerate(names):
        stage.check(name, place / str(i), done)


def fetch_by_atftp(stage, name, *options):
    """atftp gives up when an OACK comes twice, and so it does when the link has doubled it or has
    lost the answer to it (R-TFTP-19): then it is sent again."""
    local = stage.place() / "got"
    for _ in range(ATFTP_ATTEMPTS):
        done = stage.run(program("atftp"), *options, "--get", "-r", stage.path(name), "-l", local,
                         SERVER)
        if "unexpected OACK" not in done.stderr:
            break
    assert done.returncode == 0, (name, done)
    stage.check(name, local, done)


def atftp(stage):
    """Each option alone and with all others: R-TFTP-15 to -18."""
    program("atftp")
    options = (("--option", "blksize 1428"), ("--option", "tsize 0"), ("--option", "timeout 2"),
               ("--option", "windowsize 8"), ("--prevent-sas",))
    others = (("--option", "multicast", "--verbose", "--trace", "--tftp-timeout", "2"),
              ("--no-source-port-checking",), ("--password", "x"), ("--mtftp", "client-port 3001"))
    subsets = itertools.chain.from_iterable(
        itertools.combinations(options, count) for count in range(len(options) + 1))
    stage.all([(fetch_by_atftp, stage, name, *itertools.chain(*subset)) for subset in subsets
               for name in ("513.bin", CONFIG)] +
              [(fetch_by_atftp, stage, name, *option) for option in (*options, *others)
               for name in stage.names_by_blocks(512)] +
              [(fetch_by_atftp, stage, name, "--option", "blksize 8")
               for name in stage.names_by_blocks(8)])


def atftp_by_windows(stage):
    """R-TFTP-26 to -29: larger files, when more than one block is under way."""
    program("atftp")
    stage.all([(fetch_by_atftp, stage, name, "--option", f"blksize {size}", "--option",
                f"windowsize {window}") for name, size, windows in (
                    (f"{MANY_BLOCKS}.bin", 512, (8, 16, 64)), (f"{MANY_BLOCKS}.bin", 1428, (4, 8)),
                    (IMAGE, 1428, (16, 64))) for window in windows])


def busybox_tftp(stage):
    """It asks again after 100 ms, while the first answer is under way: R-TFTP-6, R-TFTP-13."""
    busybox = program("busybox")

    def fetch(name, *options):
        local = stage.place() / "got"
        stage.fetch(name, local, busybox, "tftp", "-g", *options, "-l", local, "-r",
                    stage.path(name), SERVER)

    stage.all([(fetch, name, *options) for size, options in (
        (512, ()), (128, ("-b", "128")), (512, ("-b", "512")), (1428, ("-b", "1428")),
        (1428, ("-b", "65464"))) for name in stage.names_by_blocks(size)])


# HTTP and HTTPS.

def needs_https(stage):
    if "https" not in stage.doors():
        raise Skip("this bellhopd has no https listener")


def needs_ranges(stage):
    if not stage.has_ranges():
        raise Skip("this bellhopd says no Accept-Ranges")


def trusting(stage, scheme):
    return ("--cacert", stage.certificate) if scheme == "https" else ()


def curl_files(stage, scheme, *options):
    """Whole files, by one connection each and by one for all, and conditional ones."""
    curl = (program("curl"), "-sS", *trusting(stage, scheme), *options)

    def fetch(name, *more):
        local = stage.place() / "got"
        stage.fetch(name, local, *curl, *more, "-o", local, stage.url(name, scheme))

    def head(name):
        told = stage.run(*curl, "-I", stage.url(name, scheme)).stdout.lower()
        assert re.match(r"http/1\.1 200 ", told), told
        assert f"content-length: {len(stage.files[name])}\r\n" in told.replace("\n", "\r\n"), told

    def by_one_connection(*more):
        place = stage.place()
        parts = [part for name in stage.files for part in ("-o", place / name,
                                                           stage.url(name, scheme))]
        done = stage.run(*curl, *more, "-w", "%{num_connects}\n", *parts)
        for name in stage.files:
            stage.check(name, place / name, done)
        if not more:
            assert done.stdout.split() == ["1"] + ["0"] * (len(stage.files) - 1), done

    def conditional(name):
        place = stage.place()
        url, status = stage.url(name, scheme), ("-w", "%{http_code}")
        done = stage.run(*curl, *status, "-R", "--etag-save", place / "etag", "-o", place / "got", url)
        assert done.stdout == "200", done
        stage.check(name, place / "got", done)
        done = stage.run(*curl, *status, "--etag-compare", place / "etag", "-o", place / "no", url)
        assert done.stdout == "304", done
        if name != CONFIG:  # which has no date
            done = stage.run(*curl, *status, "-z", place / "got", "-o", place / "no", url)
            assert done.stdout == "304", done
        assert not (place / "no").exists() or not (place / "no").read_bytes()

    def refused(path):
        done = stage.run(*curl, "-w", "%{http_code}", "-o", stage.place() / "got",
                         stage.url(path, scheme))
        assert done.stdout == "404", done

    stage.all([(fetch, name, *more) for name in stage.files for more in ((), ("--http1.0",))] +
              [(head, name) for name in stage.files] + [(by_one_connection,),
                                                        (by_one_connection, "--parallel")] +
              [(conditional, name) for name in stage.files] + [(refused, "nothing")])


def curl_http(stage):
    curl_files(stage, "http")


def curl_https(stage):
    needs_https(stage)
    for version in ("1.2", "1.3"):
        curl_files(stage, "https", f"--tlsv{version}", "--tls-max", version)


def parts_of(octets, content_type):
    """{(first, last): octets} of a multipart/byteranges (R-HTTP-17)."""
    boundary = re.fullmatch(r'multipart/byteranges; *boundary="?([^"]+)"?', content_type)[1]
    pieces = octets.split(b"--" + boundary.encode())
    assert pieces[0].strip() == b"" and pieces[-1].strip() == b"--", octets[:200]
    found = {}
    for piece in pieces[1:-1]:
        head, _, body = piece.partition(b"\r\n\r\n")
        first, last = re.search(rb"(?i)content-range: bytes (\d+)-(\d+)/", head).groups()
        found[int(first), int(last)] = body.removesuffix(b"\r\n")
    return found


def curl_some(stage, scheme):
    """R-HTTP-16 to -18."""
    needs_ranges(stage)
    whole = stage.files[IMAGE]
    curl = (program("curl"), "-sS", *trusting(stage, scheme), "-w",
            "%{http_code} %{content_type}")

    def some(ranges, status, *expected):
        local = stage.place() / "got"
        done = stage.run(*curl, "-r", ranges, "-o", local, stage.url(IMAGE, scheme))
        got_status, _, content_type = done.stdout.partition(" ")
        assert got_status == status, (ranges, done)
        if len(expected) == 1:
            assert local.read_bytes() == whole[slice(*expected[0])], ranges
        elif expected:
            assert parts_of(local.read_bytes(), content_type) == {
                (first, past - 1): whole[first:past] for first, past in expected}, (ranges, done)

    end = len(whole)
    stage.all([(some, "0-99", "206", (0, 100)), (some, "-5", "206", (end - 5, end)),
               (some, "299000-", "206", (299000, end)), (some, "5-400000", "206", (5, end)),
               (some, "0-0", "206", (0, 1)), (some, f"{end}-", "416"),
               (some, "0-99,1000-1099,-5", "206", (0, 100), (1000, 1100), (end - 5, end))])


def curl_some_by_http(stage):
    curl_some(stage, "http")


def curl_some_by_https(stage):
    needs_https(stage)
    curl_some(stage, "https")


def has_begun(local, size=4000):
    wait_for(f"{size} octets of {local}", lambda: local.exists() and local.stat().st_size >= size)


def curl_goes_on(stage, scheme):
    """A fetch that was cut goes on where it stood."""
    needs_ranges(stage)
    local = stage.place() / "got"
    curl = (program("curl"), "-sS", *trusting(stage, scheme), "-o", local)
    with stage.popen(*curl, "--limit-rate", "60k", stage.url(IMAGE, scheme)) as process:
        has_begun(local, 100_000)
        process.kill()
    assert local.stat().st_size < FIRMWARE
    done = stage.fetch(IMAGE, local, *curl, "-C", "-", "-w", "%{http_code} %{size_download}",
                       stage.url(IMAGE, scheme))
    status, size = done.stdout.split()
    assert status == "206" and int(size) < FIRMWARE, done


def curl_goes_on_by_http(stage):
    curl_goes_on(stage, "http")


def curl_goes_on_by_https(stage):
    needs_https(stage)
    curl_goes_on(stage, "https")


def wget_files(stage, scheme):
    wget = (program("wget"), "-nv", *(("--ca-certificate", stage.certificate)
                                      if scheme == "https" else ()))

    def fetch(name):
        local = stage.place() / "got"
        stage.fetch(name, local, *wget, "-O", local, stage.url(name, scheme))

    def by_time(name):
        """-N: the second time it is not fetched."""
        place = stage.place()
        for word in ("200 OK", "304 Not Modified"):
            done = stage.run(*wget, "-S", "-N", "-P", place, stage.url(name, scheme))
            assert done.returncode == 0 and f"HTTP/1.1 {word}" in done.stderr, done
            stage.check(name, place / name, done)

    def by_one_connection():
        place = stage.place()
        done = stage.run(*wget, "-P", place, *(stage.url(name, scheme) for name in stage.files))
        for name in stage.files:
            stage.check(name, place / name, done)

    stage.all([(fetch, name) for name in stage.files] +
              [(by_time, name) for name in stage.files if name != CONFIG] + [(by_one_connection,)])


def wget_http(stage):
    wget_files(stage, "http")


def wget_https(stage):
    needs_https(stage)
    wget_files(stage, "https")


def wget_goes_on(stage):
    needs_ranges(stage)
    wget = (program("wget"), "-nv", "-S")

    def goes_on(size):
        local = stage.place() / "got"
        local.write_bytes(stage.files[IMAGE][:size])
        done = stage.run(*wget, "-c", "-O", local, stage.url(IMAGE))
        assert ("HTTP/1.1 206 " if size < FIRMWARE else "HTTP/1.1 416 ") in done.stderr, done
        stage.check(IMAGE, local, done)

    def some():
        local = stage.place() / "got"
        done = stage.run(*wget, "--header", "Range: bytes=0-99", "-O", local, stage.url(IMAGE))
        assert "HTTP/1.1 206 " in done.stderr, done
        assert local.read_bytes() == stage.files[IMAGE][:100], done

    stage.all([(goes_on, size) for size in (1, 100_000, FIRMWARE - 1, FIRMWARE)] + [(some,)])


# The longest first: they begin first.
JUDGES = (atftp, curl_tftp, tftp_hpa, tftp_hpa_in_one_session, busybox_tftp, atftp_by_windows,
          curl_http, curl_some_by_http, curl_goes_on_by_http, wget_http, wget_goes_on, curl_https,
          curl_some_by_https, curl_goes_on_by_https, wget_https)
stages = {}


def stage_of(link):
    if link not in stages:
        stages[link] = Stage(link == "bad", {**LINKS[link], "seed": 1}, JUDGES)
    return stages[link]


def outcome(link, judge):
    stage = stage_of(link)
    try:
        stage.outcomes[judge].result()
    except AssertionError:
        print("# the server's log:\n#", stage.server.log_text()[-6000:].replace("\n", "\n# "))
        raise


def verdict(link):
    """The last of a link: nothing of ours was malformed, and the link was what it says."""
    stage = stage_of(link)
    try:
        concurrent.futures.wait(stage.outcomes.values())
        from_server, _ = stage.link.check()
        assert from_server["lost"] > 0 and from_server["doubled"] > 0 and from_server["held"] > 0
        tshark_finds_nothing_malformed(stage)
        assert stage.server.stop() == 0
    finally:
        stages.pop(link).close()


def tshark_finds_nothing_malformed(stage):
    tshark = program("tshark")
    if not stage.capture:
        raise Skip("dumpcap is not here (./dev test unpacks it)")
    stage.capture.terminate()
    stage.capture.wait()

    def frames(expression):
        # A client may come from port 57000, which is IRC's unless it is said what 8443 is.
        done = subprocess.run(
            [tshark, "-n", "-r", stage.folder / "captured", "-d", "tcp.port==8443,tls", "-o",
             "tcp.reassemble_out_of_order:TRUE", "-o", "tcp.check_checksum:TRUE", "-o",
             "udp.check_checksum:TRUE", "-Y", f"ip.src == {SERVER} and ({expression})", "-T", "fields",
             "-e", "frame.number", "-e", "_ws.col.Info", "-e", "_ws.expert.message"],
            capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.splitlines()

    seen = {name: len(frames(name)) for name in ("tftp.opcode == 3", "tftp.opcode == 6",
                                                 "http.response")}
    print("#", seen)
    assert all(seen.values()), seen
    malformed = frames("_ws.malformed or _ws.expert.severity >= 0x00800000")
    assert not malformed, malformed[:10]
    # The kernel writes a checksum of 0 as ffff at times, which is the same number (RFC 1624 3).
    wrong = frames("udp.checksum.status == Bad or ip.checksum.status == Bad or "
                   "(tcp.checksum.status == Bad and not tcp.checksum.ffff)")
    assert not wrong, wrong[:10]


def test_transfers_go_on_after_a_cut_of_the_link():
    """TFTP of itself, and HTTP by a client that asks for the rest."""
    many = f"{MANY_BLOCKS}.bin"
    with Stage(False, {**LINKS["mild"], "seed": 2}) as stage:
        place = stage.place()
        curl = (program("curl"), "-sS", "-o", place / "by-http", stage.url(IMAGE))
        atftp_get = (program("atftp"), "--get", "-r", stage.path(many), "-l", place / "by-tftp",
                     SERVER)
        with stage.popen(*curl, "--limit-rate", "20k", "--speed-limit", "1", "--speed-time", "3",
                         stderr=subprocess.DEVNULL) as http:
            has_begun(place / "by-http")
            with stage.popen(*atftp_get, stderr=subprocess.DEVNULL) as tftp:
                has_begun(place / "by-tftp")
                stage.link.cut()
                assert http.wait() == CURL_TOO_SLOW
                assert tftp.poll() is None
                stage.link.mend()
                assert tftp.wait() == 0
        stage.check(many, place / "by-tftp", None)
        if stage.has_ranges():
            stage.fetch(IMAGE, place / "by-http", *curl, "-C", "-")
        stage.link.check()


# Phones.

PHONES = {name: (f"10.13.2.{40 + i}/16", f"00:90:8f:00:00:{i:02x}")
          for i, name in enumerate(("b", "c", "d", "e"))}


def provisioning(url):
    return f"[sip]\ninterfaces = eth0\n[provisioning]\nurl = {url}\n"


def test_phones_are_put_into_service_over_a_bad_link():
    urls = ("http://%{address}:8080/p/%{key}/", "tftp://%{address}/p/%{key}/")
    hosts = {"server": (f"{SERVER}/16", "02:00:00:00:00:01"), **PHONES}
    macs = {name: mac.replace(":", "") for name, (_, mac) in PHONES.items()}
    with Network(hosts) as network, BadLink(network, "server", seed=0, **LINKS["bad"]) as link, \
            tempfile.TemporaryDirectory() as folder, \
            Bellhopd(provisioning(urls[0]), network.namespace("server")) as server:
        for name, mac in macs.items():
            server.cli("device", "claim", mac, "--model", "440HD", "--set",
                       f"sip_lines.1.username={name}01")

        def phone(name, state):
            return subprocess.run(
                in_namespace(network.namespace(name), BUILD / "bellhop-agent", "--once", "--state",
                             state, "--interface", "eth0", "--mac", PHONES[name][1], "--model",
                             "440HD", "--version", "2.2.2"),
                capture_output=True, text=True, timeout=120, check=False)

        for seed in range(1, 4):
            link.check()
            link.start(seed=seed, **LINKS["bad"])
            server.reload(provisioning(urls[seed % 2]))
            states = {name: Path(folder) / f"{name}{seed}" for name in PHONES}
            with concurrent.futures.ThreadPoolExecutor(len(PHONES)) as pool:
                for name, done in zip(PHONES, pool.map(phone, PHONES, states.values())):
                    assert done.returncode == 0, (seed, name, done)
                    text = (states[name] / "phone.cfg").read_text()
                    assert f"voip/line/0/id={name}01" in text, (seed, name, text)
        link.check()


def tests():
    found = {}
    for link in LINKS:
        for judge in JUDGES:
            found[f"test_{judge.__name__}_over_the_{link}_link"] = functools.partial(
                outcome, link, judge)
        found[f"test_tshark_finds_nothing_malformed_over_the_{link}_link"] = functools.partial(
            verdict, link)
    found.update({name: value for name, value in globals().items() if name.startswith("test_")})
    return found


try:
    main(tests())
finally:
    for left in stages.values():
        left.close()
