#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""All threads at once: phones that subscribe and fetch, edits, removals and reloads, and a SIGTERM
into the midst of it. A build with -Db_sanitize=thread or =address is what this test is for; in any
other it shows that the server stays up and leaves with 0. And a start that fails half-way, at
every step that a descriptor can be missing for: one sentence, 1, nothing left open or lost."""

import re
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

from house import BUILD, PATIENCE_S, Bellhopd, free_port, main, wait_for

ROUNDS = 12


def configuration(sip, http, tftp, more=""):
    return (f"[sip]\nlisten = 127.0.0.1:{sip}\ngroup = 224.0.1.75:{sip}\ninterfaces = lo\n"
            f"[http]\nlisten = 127.0.0.1:{http}\n[tftp]\nlisten = 127.0.0.1:{tftp}\n"
            f"[https]\nlisten =\n"
            f"[provisioning]\nurl = http://%{{address}}:{http}/p/%{{key}}/\n{more}")


def subscribe(call, host, port):
    here = f"{host}:{port}"
    return (f"SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0\r\nVia: SIP/2.0/UDP {here};rport;"
            f"branch=z9hG4bK{call}\r\nFrom: <sip:1@{here}>;tag={call}\r\n"
            f"To: <sip:224.0.1.75:5060>\r\nCall-ID: {call}\r\nCSeq: 1 SUBSCRIBE\r\nExpires: 0\r\n"
            f'Event: ua-profile;profile-type="application";model="440HD"\r\nMax-Forwards: 70\r\n'
            f"Accept: application/url\r\nContact: <sip:1@{here}>\r\nContent-Length: 0\r\n\r\n"
            ).encode()


def phone(server, number, sip, is_over):
    """Subscribes and fetches what it was told, until it is over; a refusal is an answer too."""
    host = f"127.0.0.{number}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.bind((host, 0))
        here.settimeout(0.2)
        for turn in range(100000):
            if is_over.is_set():
                return
            here.sendto(subscribe(f"{number}x{turn}", host, here.getsockname()[1]),
                        ("127.0.0.1", sip))
            try:
                for _ in range(2):
                    _, _, body = here.recv(65535).partition(b"\r\n\r\n")
                    if body.startswith(b"http:"):
                        url = body.decode().partition(";")[0].rpartition("/")[0]
                        path = body.decode().partition(";")[2]
                        path = path.replace("<MAC>", f"00908F0000{number:02X}")
                        urllib.request.urlopen(f"{url}/{path}", timeout=PATIENCE_S).read()
            except (TimeoutError, OSError, urllib.error.URLError):
                pass


def test_phones_edits_reloads_and_the_end_at_once():
    sip, http, tftp = (free_port(socket.SOCK_DGRAM), free_port(), free_port(socket.SOCK_DGRAM))
    config = configuration(sip, http, tftp)
    is_over = threading.Event()
    with Bellhopd(config) as server:
        for number in range(2, 6):
            server.cli("device", "claim", f"00908f0000{number:02x}", "--model", "440HD",
                       "--address", f"127.0.0.{number}")
        phones = [threading.Thread(target=phone, args=(server, number, sip, is_over))
                  for number in range(2, 6)]
        for thread in phones:
            thread.start()
        try:
            for turn in range(ROUNDS):
                server.cli("profile", "set", "default", "--set", f"ntp_ip=192.0.2.{turn + 1}")
                server.cli("device", "set", "00908f000002", "--label", f"turn {turn}")
                server.cli("device", "block", "00908f000003")
                server.reload(config + f"url.audiocodes = http://%{{address}}:{http}/p/%{{key}}/\n"
                              f"unknown = {'list' if turn % 2 else 'ignore'}\n")
                server.cli("device", "unblock", "00908f000003")
                server.cli("status")
                server.cli("device", "list", "--effective")
            wait_for("a phone that has all", lambda: any(
                device["state"] == "fetched" for device in server.json("device", "list")))
            assert server.stop() == 0
        finally:
            is_over.set()
            for thread in phones:
                thread.join()
        complaints = re.findall(".*(?:Sanitizer|runtime error).*", server.log_text())
        assert not complaints, complaints[:20]


def start_with(descriptors, config_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    return subprocess.Popen([BUILD / "bellhopd", "-c", config_path], preexec_fn=limit,
                            stderr=subprocess.PIPE, text=True)


def test_a_start_that_fails_half_way_says_why_and_leaves_with_1():
    """With ever more descriptors a later step is the one that fails (below 7 libuv or the leak
    checker end the program themselves)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conf"
        path.write_text(f"[server]\ndata = {folder}/data\n" + configuration(
            free_port(socket.SOCK_DGRAM), free_port(), free_port(socket.SOCK_DGRAM)))
        sentences = set()
        for descriptors in range(7, 80):
            process = start_with(descriptors, path)
            line = ""
            for line in process.stderr:
                if "started" in line:
                    break
            if "not_started" not in line and " started" in line:
                process.send_signal(signal.SIGTERM)
            _, rest = process.communicate(timeout=PATIENCE_S)
            if process.returncode == 0:
                break
            assert process.returncode == 1, (descriptors, process.returncode, line, rest)
            assert "not_started: " in line and len(line.split("not_started: ")[1]) > 20, line
            assert "Sanitizer" not in rest, rest
            sentences.add(line.split("not_started: ")[1])
        else:
            raise AssertionError("it never started")
        assert len(sentences) >= 4, sentences


main(globals())
