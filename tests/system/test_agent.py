#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bellhop-agent against a server of a hundred lines, on loopback. Usage:
$BELLHOP_BUILD names the build folder; arguments are names of tests."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_server import Files, FtpServer, SipServer  # noqa: E402

AGENT = os.path.abspath(os.path.join(os.environ.get("BELLHOP_BUILD", "build"), "bellhop-agent"))
MAC, NAME = "0011223344ab", "0011223344AB.cfg"
CONFIG = b"system/type=440HD\r\n; a comment\r\nvoip/line/0/id=100\r\nvoip/line/0/auth_password=s3cret\r\n"
IMAGE = b"\0\1HW_TYPE=440HD\nSWVERSION=2.2.8\n" + bytes(range(256)) * 20


class Run:
    def __init__(self, *arguments, settings=None, folder=None, timeout=60, address="127.0.77.2"):
        self.folder = folder or tempfile.mkdtemp(prefix="bellhop-agent-")
        self.path = os.path.join(self.folder, "phone.cfg")
        if settings is not None:
            with open(self.path, "w", encoding="utf-8") as file:
                file.write(settings)
        command = [AGENT, "-c", self.path, "--mac", MAC, "--address", address, "--port", "0",
                   "--once", "--json", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        self.status, self.stderr, self.stdout = done.returncode, done.stderr, done.stdout
        self.events = [json.loads(line) for line in done.stdout.splitlines()]

    def kinds(self):
        return [event["event"] for event in self.events]

    def one(self, kind):
        return next(event for event in self.events if event["event"] == kind)

    def all(self, kind):
        return [event for event in self.events if event["event"] == kind]

    def settings(self):
        with open(self.path, encoding="utf-8") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file)


def equal(expected, actual):
    assert expected == actual, f"expected {expected!r}, got {actual!r}"


def configured(run):
    assert run.status == 0, f"left with {run.status}: {run.stderr}{run.stdout}"
    equal("100", run.settings()["voip/line/0/id"])


def refused(run, reason):
    equal(1, run.status)
    equal(reason, run.one("failed")["reason"])
    equal(1, len(run.stderr.strip().splitlines()))
    assert run.stderr.startswith("bellhop-agent: not configured: "), run.stderr


def is_configured_over_http_in_rfc_form():
    files = Files({NAME: CONFIG})
    server = SipServer(lambda r, n: [r.response(), r.notify_rfc(files.http_url)])
    run = Run("--server", server.address, settings="provisioning/method=Dynamic\n")
    configured(run)
    equal(["subscribe_sent", "response", "notify", "download", "firmware", "download", "config",
           "applied"], run.kinds())
    equal("rfc", run.one("notify")["form"])
    equal(["440HD.img", NAME], files.names())
    equal({"127.0.77.2"}, {source for _, _, source, _ in files.asked})
    equal("AUDC-IPPhone/2.2.2 (440HD; 0011223344AB)", files.asked[0][3])
    equal("absent", run.one("firmware")["reason"])
    equal("Dynamic", run.settings()["provisioning/method"])
    equal(0o600, os.stat(run.path).st_mode & 0o777)
    equal(["phone.cfg"], os.listdir(run.folder))
    assert server.answers[0].startswith("SIP/2.0 200 OK\r\n"), server.answers
    assert "CSeq: 1 NOTIFY\r\n" in server.answers[0]
    assert "s3cret" not in run.stdout + run.stderr


def is_configured_over_tftp_in_the_printed_form():
    files = Files({NAME: CONFIG, "440HD.img": None})
    server = SipServer(lambda r, n: [r.response(to_tag=""), r.notify_print(files.tftp_url)])
    run = Run("--server", server.address)
    configured(run)
    equal("print", run.one("notify")["form"])
    equal([("tftp", "440HD.img"), ("tftp", NAME)], [asked[:2] for asked in files.asked])
    equal({"127.0.77.2"}, {source for _, _, source, _ in files.asked})
    assert re.search(r"\r\nTo: <[^>]*>;tag=", server.answers[0]), server.answers


def is_configured_over_multicast():
    files = Files({NAME: CONFIG})
    try:
        server = SipServer(lambda r, n: [r.response(), r.notify_rfc(files.http_url)],
                           multicast_for="127.0.77.3")
    except OSError as error:
        return f"SKIP the group cannot be joined on lo: {error}"
    run = Run("--interface", "lo", address="127.0.77.3")
    configured(run)
    equal("224.0.1.75:5060", run.one("subscribe_sent")["peer"])
    text = server.subscribes[0].decode()
    assert text.startswith("SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0\r\nFrom: <sip:00000001@127.0.77.3:")
    order = [line.split(":")[0] for line in text.split("\r\n")[1:] if line]
    equal(["From", "To", "Call-ID", "CSeq", "Via", "Expires", "Event", "Max-Forwards", "Supported",
           "Accept", "Contact", "User-Agent", "Content-Length"], order)
    return None


def goes_on_when_first_tries_are_lost():
    files = Files({NAME: CONFIG + b"; " + b"x" * 1200 + b"\n"},
                  lose=[("rrq", "440HD.img"), ("data", NAME, 1)])
    server = SipServer(lambda r, n: [] if n < 3 else [r.notify_rfc(files.tftp_url)])
    run = Run("--server", server.address)
    configured(run)
    equal([1, 2, 3], [event["attempt"] for event in run.all("subscribe_sent")])
    equal(1, len(set(server.subscribes)))
    assert files.names().count("440HD.img") >= 2, files.asked


def takes_the_notify_before_the_response():
    files = Files({NAME: CONFIG})
    server = SipServer(lambda r, n: [r.notify_rfc(files.http_url), r.response()])
    configured(Run("--server", server.address))


def fails_when_nobody_answers():
    server = SipServer(lambda r, n: [])
    run = Run("--server", server.address)
    refused(run, "no_answer")
    equal(4, len(server.subscribes))


def does_not_take_wrong_answers():
    files = Files({NAME: CONFIG})

    def plan(request, count):
        wrong = request.notify_rfc("http://127.0.0.1:1", branch="z9hG4bKw%d" % count)
        if count < 2:
            return ["rubbish", wrong.replace("Event: ua-profile", "Event: check-sync"),
                    wrong.replace("z9hG4bKw", "z9hG4bKv").replace("Call-ID: ", "Call-ID: x"),
                    request.response().replace("branch=z9hG4bK", "branch=z9hG4bKx")]
        return [request.response("202 Accepted"), request.notify_rfc(files.http_url)]

    server = SipServer(plan)
    configured(Run("--server", server.address))
    equal(["489", "481", "200"], [answer.split(" ")[1] for answer in server.answers[:3]])


def says_who_refused():
    server = SipServer(lambda r, n: [r.response("403 Forbidden")])
    run = Run("--server", server.address)
    refused(run, "refused")
    equal(403, run.one("response")["status"])


def listens_to_the_allowed_alone():
    server = SipServer(lambda r, n: [r.response(), r.notify_rfc("http://127.0.0.1:1")])
    run = Run("--server", server.address, "--allow", "127.9.0.0/16")
    refused(run, "no_answer")
    equal([], server.answers)


def takes_dhcp_before_sip():
    files = Files({"d/x.cfg": CONFIG, "d/fw.img": None})
    server = SipServer(lambda r, n: [])
    run = Run("--server", server.address, "--dhcp-option", "66=tftp://127.0.0.1:1",
              "--dhcp-option", f"160={files.http_url}/d/fw.img;d/x.cfg")
    configured(run)
    equal([], server.subscribes)
    equal(["d/fw.img", "d/x.cfg"], files.names())
    files = Files({"x.cfg": CONFIG})
    configured(Run("--dhcp-option", f"66={files.tftp_url}", "--dhcp-option", "67=a.img;x.cfg"))
    equal(["a.img", "x.cfg"], files.names())


def honours_the_method():
    files = Files({"c/" + NAME: CONFIG})
    run = Run("--dhcp-option", "160=http://127.0.0.1:1",
              settings=f"provisioning/method=STATIC\nprovisioning/configuration/url={files.http_url}/c/\n")
    configured(run)
    refused(Run(settings="provisioning/method=Disable\n"), "disabled")


def replaces_settings_whole_or_not_at_all():
    files = Files({NAME: b"system/type=420HD\nvoip/line/0/id=666\n"})
    before = "; mine\nvoip/line/0/id=7\n"
    option = f"160={files.http_url}"
    for body, reason in ((files.files[NAME], "other_model"), (b"<html>\n", "config_refused"),
                         (b"", "config_refused"), (None, "config_absent"),
                         (b"x=" + b"y" * 300000, "download_failed"),
                         (b"include http://127.0.0.9/x.cfg\n", "include_refused")):
        files.files[NAME] = body
        run = Run("--dhcp-option", option, settings=before)
        refused(run, reason)
        with open(run.path, encoding="utf-8") as file:
            equal(before, file.read())
        equal(["phone.cfg"], os.listdir(run.folder))
    files.files[NAME] = CONFIG
    run = Run("--dhcp-option", option, settings=before)
    inode = os.stat(run.path).st_ino
    configured(run)
    again = Run("--dhcp-option", option, folder=run.folder)
    configured(again)
    equal(0, again.one("applied")["changed"])
    equal(inode, os.stat(run.path).st_ino)  # nothing changed, nothing written


def replaces_by_rename():
    """A reader that has the old file open keeps reading the old file."""
    files = Files({NAME: CONFIG})
    folder = tempfile.mkdtemp(prefix="bellhop-agent-")
    path = os.path.join(folder, "phone.cfg")
    with open(path, "w+", encoding="utf-8") as old:
        old.write("voip/line/0/id=7\n")
        old.flush()
        configured(Run("--dhcp-option", f"160={files.http_url}", folder=folder))
        old.seek(0)
        equal("voip/line/0/id=7\n", old.read())


def follows_includes():
    files = Files({"d/x.cfg": b"include common.cfg\nvoip/line/0/id=100\n",
                   "d/common.cfg": b"voip/line/0/id=1\nvoip/line/1/id=2\n"})
    run = Run("--dhcp-option", f"160={files.http_url}/d/fw.img;d/x.cfg")
    configured(run)
    equal("2", run.settings()["voip/line/1/id"])


def takes_new_firmware_once():
    for door in ("http", "tftp"):
        files = Files({"440HD.img": IMAGE, NAME: CONFIG})
        url = files.http_url if door == "http" else files.tftp_url
        folder = tempfile.mkdtemp(prefix="bellhop-agent-")
        log = os.path.join(folder, "log")
        arguments = ("--dhcp-option", f"160={url}", "--on-firmware",
                     f"echo firmware $BELLHOP_VERSION >>{log}; cmp {folder}/firmware.img",
                     "--on-config", f"echo config $BELLHOP_REBOOT $BELLHOP_MAC >>{log}; cat >/dev/null")
        run = Run(*arguments, folder=folder)
        configured(run)
        equal(["new", "burnt"], [event["reason"] for event in run.all("firmware")])
        equal("2.2.8", run.all("firmware")[1]["version"])
        with open(os.path.join(folder, "firmware.img"), "rb") as image:
            assert image.read() == IMAGE
        with open(log, encoding="utf-8") as lines:
            equal(["firmware 2.2.8", f"config 1 {MAC}"], lines.read().splitlines())
        run = Run(*arguments, folder=folder)
        configured(run)
        equal(["same"], [event["reason"] for event in run.all("firmware")])
        # told that another version runs, it still knows the image it burnt
        configured(Run("--version", "9.9.9", *arguments, folder=folder))
        with open(log, encoding="utf-8") as lines:
            equal(2, len(lines.read().splitlines()))


def says_when_a_command_fails():
    files = Files({"440HD.img": IMAGE, NAME: CONFIG})
    run = Run("--dhcp-option", f"160={files.http_url}", "--on-firmware", "exit 3;")
    configured(run)
    equal(["new", "refused"], [event["reason"] for event in run.all("firmware")])
    run = Run("--dhcp-option", f"160={files.http_url}", "--on-config", "exit 3;")
    refused(run, "store_failed")
    assert "--on-config failed" in run.stderr, run.stderr
    assert not os.path.exists(run.path)  # what the command did not take is not in force
    run = Run("--dhcp-option", f"160={files.http_url}", "--on-config", "grep -q id=100",
              folder=run.folder)
    configured(run)
    run = Run("--dhcp-option", f"160={files.http_url}", "--on-config", "exit 3;", settings="a=1\n")
    with open(run.path, encoding="utf-8") as file:
        equal("a=1\n", file.read())


def follows_a_redirect_over_http_alone():
    files = Files({NAME: CONFIG})
    files.files["r/" + NAME] = f"{files.http_url}/{NAME}"
    configured(Run("--dhcp-option", f"160={files.http_url}/r/"))
    for target in ("file:///etc/passwd", files.tftp_url + "/" + NAME):
        files.files["r/" + NAME] = target
        refused(Run("--dhcp-option", f"160={files.http_url}/r/"), "download_failed")


def verifies_the_certificate():
    if not shutil.which("openssl"):
        return "SKIP no openssl to make a certificate with"
    folder = tempfile.mkdtemp(prefix="bellhop-agent-")
    certificate = os.path.join(folder, "both.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=fake",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", certificate,
                    "-out", certificate + ".crt"], check=True, capture_output=True)
    with open(certificate + ".crt", encoding="ascii") as source, \
            open(certificate, "a", encoding="ascii") as target:
        target.write(source.read())
    files = Files({NAME: CONFIG}, certificate=certificate)
    option = "160=" + files.http_url.replace("http:", "https:")
    run = Run("--dhcp-option", option)
    refused(run, "download_failed")
    equal(["certificate"] * 2, [event["reason"] for event in run.all("download")])
    equal([], files.asked)
    configured(Run("--dhcp-option", option, "--ca", certificate + ".crt"))
    configured(Run("--dhcp-option", option, "--insecure"))
    files.files[NAME] = Files({NAME: CONFIG}).http_url + "/" + NAME  # from https to http: never
    refused(Run("--dhcp-option", option, "--insecure"), "download_failed")
    return None


def fetches_over_ftp_and_keeps_the_password_to_itself():
    server = FtpServer({NAME: CONFIG, "440HD.img": IMAGE}, ("joe", "geheim"))
    run = Run("--dhcp-option", f"160=ftp://joe:geheim@{server.place}")
    configured(run)
    equal(["new", "burnt"], [event["reason"] for event in run.all("firmware")])
    assert "geheim" not in run.stdout + run.stderr
    equal(f"ftp://***@{server.place}/{NAME}", run.all("download")[-1]["url"])
    with open(os.path.join(run.folder, "firmware.img"), "rb") as image:
        assert image.read() == IMAGE
    run = Run("--dhcp-option", f"160=ftp://joe:falsch@{server.place}")
    refused(run, "download_failed")
    assert "falsch" not in run.stdout + run.stderr
    server.files.clear()
    refused(Run("--dhcp-option", f"160=ftp://joe:geheim@{server.place}"), "config_absent")


def stays_up_and_checks_at_its_period():
    files = Files({NAME: CONFIG + b"provisioning/period/type=hourly\n"})
    folder = tempfile.mkdtemp(prefix="bellhop-agent-")
    path = os.path.join(folder, "phone.cfg")
    with open(path, "w", encoding="utf-8") as file:
        file.write("provisioning/random_provisioning_time=0\nsystem/type=440HD\n")
    agent = subprocess.Popen([AGENT, "-c", path, "--mac", MAC, "--address", "127.0.77.2", "--port",
                              "0", "--json", "--dhcp-option", f"160={files.http_url}"],
                             stdout=subprocess.PIPE, text=True)
    try:
        event = {}
        while event.get("event") != "next_check":
            line = agent.stdout.readline()
            assert line, "ended before its next check"
            event = json.loads(line)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", event["at"]), event
        agent.send_signal(signal.SIGTERM)
        equal(0, agent.wait(timeout=20))
    finally:
        agent.kill()


def says_what_is_wrong_with_its_command_line():
    for arguments, status, text in (
            (["--dhcp-option", "x"], 2, "--dhcp-option x: wanted N=VALUE"),
            (["--mac", "1"], 2, "--mac 1: wanted 12 hexadecimal digits"),
            (["--server", "host"], 2, "--server host: wanted"),
            (["surplus"], 2, "argument surplus"),
            (["--interface", "nothere0"], 1, "no such interface"),
            (["--model", "a\nb", "--mac", MAC, "--address", "127.0.77.2", "--port", "0"], 1,
             "--model"),
            (["-c", "/proc/nothing/phone.cfg", "--mac", MAC], 1, "--state /proc/nothing")):
        folder = tempfile.mkdtemp(prefix="bellhop-agent-")
        done = subprocess.run([AGENT, "--once", *arguments], capture_output=True, text=True,
                              timeout=30, check=False, cwd=folder)
        equal(status, done.returncode)
        assert text in done.stderr, done.stderr
        equal(1, len(done.stderr.strip().splitlines()))
    run = Run(settings="a=1\nnonsense\n")
    equal(1, run.status)
    assert "phone.cfg:2: wanted name=value" in run.stderr, run.stderr


def shows_the_messages_of_the_exchange():
    files = Files({NAME: CONFIG})
    server = SipServer(lambda r, n: [r.response(), r.notify_rfc(files.http_url)])
    run = Run("--server", server.address, "--show-messages")
    configured(run)
    headings = re.findall(r"^---- (\S+) -> (\S+), \d+ bytes ----\n(\S+)", run.stderr, re.M)
    equal(["SUBSCRIBE", "SIP/2.0", "NOTIFY", "SIP/2.0"], [start for _, _, start in headings])
    equal(server.address, headings[0][1])


TESTS = [
    is_configured_over_http_in_rfc_form, is_configured_over_tftp_in_the_printed_form,
    is_configured_over_multicast, goes_on_when_first_tries_are_lost,
    takes_the_notify_before_the_response, fails_when_nobody_answers, does_not_take_wrong_answers,
    says_who_refused, listens_to_the_allowed_alone, takes_dhcp_before_sip, honours_the_method,
    replaces_settings_whole_or_not_at_all, replaces_by_rename, follows_includes,
    takes_new_firmware_once, says_when_a_command_fails, follows_a_redirect_over_http_alone,
    verifies_the_certificate, fetches_over_ftp_and_keeps_the_password_to_itself,
    stays_up_and_checks_at_its_period, says_what_is_wrong_with_its_command_line,
    shows_the_messages_of_the_exchange,
]


def main():
    wanted = sys.argv[1:]
    failed = 0
    tests = [test for test in TESTS if not wanted or test.__name__ in wanted]
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        try:
            skip = test()
            print(f"ok {number} - {test.__name__}" + (f" # {skip}" if skip else ""), flush=True)
        except Exception:  # every fault of a test is a failed test
            failed += 1
            print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()) +
                  f"not ok {number} - {test.__name__}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
