# SPDX-License-Identifier: MIT
"""Simulated phones: a small user agent that asks as its maker does (dialects.md A), takes the first
final answer for the end of its search, answers the NOTIFY, and fetches what the URL means to that
maker. Each lives in a network namespace and has a socket of its own."""

import contextlib
import http.client
import random
import socket
import xml.etree.ElementTree
from urllib.parse import urlsplit

from house import PATIENCE_S, answer_notify, headers, socket_in

GROUP = ("224.0.1.75", 5060)

# {mac}, {ip}, {port}, {n} are filled in; the line ends become CRLF.
SUBSCRIBES = {
    "audiocodes": """SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0
From: <sip:00000001@{ip}:{port}>;tag={n}
To: <sip:224.0.1.75:5060>
Call-ID: {n}-386d4398
CSeq: 1 SUBSCRIBE
Via: SIP/2.0/UDP {ip}:{port};rport;branch=z9hG4bK-{n}
Expires: 0
Event: ua-profile;profile-type="application";model="440HD";version="2.2.2"
Max-Forwards: 70
Supported: replaces,100rel
Accept: application/url
Contact: <sip:00000001@{ip}:{port}>
User-Agent: AUDC-IPPhone/2.2.2
Content-Length: 0

""",
    "snom": """SUBSCRIBE sip:MAC%3a{MAC}@intern.example SIP/2.0
Via: SIP/2.0/UDP {ip}:{port};rport
From: <sip:MAC%3a{MAC}@intern.example>;tag={n}
To: <sip:MAC%3a{MAC}@intern.example>
Call-ID: {n}@{ip}
CSeq: 1 SUBSCRIBE
Event: ua-profile;profile-type="device";vendor="snom";model="snomD120";version="10.1.39.11"
Expires: 0
Accept: application/url
Contact: <sip:{ip}:{port}>
User-Agent: snomD120/10.1.39.11
Content-Length: 0

""",
    "yealink": """SUBSCRIBE sip:MAC{mac}@224.0.1.75 SIP/2.0
Via: SIP/2.0/UDP {ip}:{port};branch=z9hG4bK{n}
From: <sip:MAC{mac}@224.0.1.75>;tag={n}
To: <sip:MAC{mac}@224.0.1.75>
Call-ID: {n}@{ip}
CSeq: 1 SUBSCRIBE
Contact: <sip:MAC{mac}@{ip}:{port}>
Max-Forwards: 70
User-Agent: Yealink SIP-T21P 34.72.14.6
Expires: 0
Event: ua-profile;profile-type="device";vendor="Yealink";model="T21D";version="34.72.14.6"
Accept: application/url
Content-Length: 0

""",
    "grandstream": """SUBSCRIBE sip:MAC%3A{MAC}@224.0.1.75 SIP/2.0
Via: SIP/2.0/UDP {ip}:{port};branch=z9hG4bK{n};rport
From: <sip:MAC%3A{MAC}@224.0.1.75>;tag={n}
To: <sip:MAC%3A{MAC}@224.0.1.75>
Call-ID: {n}-5080-1@BJC.BGI.IG.DA
CSeq: 20000 SUBSCRIBE
Contact: <sip:{ip}:{port}>
Max-Forwards: 70
User-Agent: Grandstream GRP2612W 1.0.5.67
Expires: 0
Supported: replaces, path
Event: ua-profile;profile-type="device";vendor="Grandstream";model="GRP2612W";version="1.0.5.67"
Accept: application/url
Allow: INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, UPDATE, MESSAGE
Content-Length: 0

""",
    "fanvil": """SUBSCRIBE sip:MAC={mac}@224.0.1.75 SIP/2.0
Via: SIP/2.0/UDP {ip}:{port};branch=z9hG4bK{n}
From: <sip:MAC={mac}@224.0.1.75>
To: <sip:MAC={mac}@224.0.1.75>
Call-ID: {n}@{ip}
CSeq: 1 SUBSCRIBE
Contact: <sip:{ip}:{port}>
Max-Forwards: 70
User-Agent: Fanvil X4U 2.4.2 {mac}
Expires: 0
Event:ua-profile;profile-type="device";vendor="Fanvil";model="VOIP PHONE";version="2.4.2"
Accept: application/url
Content-Length: 0

""",
}
PORTS = {"yealink": 5059, "grandstream": 5080}
AGENTS = {
    "audiocodes": "AUDC-IPPhone/2.2.2 (440HD-Rev0; {MAC})",
    "snom": "Mozilla/4.0 (compatible; snomD120-SIP 10.1.39.11 1.1.5)",
    "yealink": "Yealink SIP-T21P 34.72.14.6 {colons}",
    "grandstream": "Grandstream Model HW GRP2612W SW 1.0.5.67 DevId {mac}",
    "fanvil": "Fanvil X4U 2.4.2 {mac}",
    "cisco": "Cisco-CP-7832-3PCC/11.0.1 ({mac})",
}
# What `device show` says in the end; (model, firmware).
MODELS = {
    "audiocodes": ("440HD", "2.2.2"),
    "snom": ("D120", "10.1.39.11"),
    "yealink": ("T21P", "34.72.14.6"),
    "grandstream": ("GRP2612W", "1.0.5.67"),
    "fanvil": ("X4U", "2.4.2"),
    "cisco": ("7832", "11.0.1"),
}
REGISTRAR = "192.0.2.10"
EXTENSION = "201"


def claim(server, mac, password, *more, extension=EXTENSION):
    """With one line, as the packs that come with Bellhop need it."""
    server.cli("device", "claim", mac, *more, "--set", f"sip_lines.1.username={extension}",
               "--set", f"sip_registrar_ip={REGISTRAR}", "--set", f"sip_proxy_ip={REGISTRAR}",
               "--set", "sip_lines.1.password=-", stdin=password)


def values_in(maker, text):
    """All values of a configuration, read as that maker's phone reads it: XML must be well formed,
    and in lines each is all of its own."""
    if maker in ("snom", "grandstream", "cisco"):
        return {value.strip() for node in xml.etree.ElementTree.fromstring(text.encode()).iter()
                for value in (node.text or "", *node.attrib.values())}
    mark = ":" if maker == "fanvil" else "="
    return {line.partition(mark)[2].strip() for line in text.splitlines()}


def check_configuration(maker, text, password, extension=EXTENSION):
    """That it is what its format says, and holds the account as it was given."""
    values = values_in(maker, text)
    assert {extension, password} <= values, (maker, extension, password, text)
    assert any(value.startswith(REGISTRAR) for value in values), (maker, text)


class Phone:
    """One phone, with its address in the namespace. `claims`: the MAC that it names, when it lies;
    `scope`: index of the interface that a link-local address is of."""

    def __init__(self, namespace, maker, ip, mac, claims=None, scope=0):
        self.namespace, self.maker, self.ip, self.scope = namespace, maker, ip, scope
        self.mac = (claims or mac).replace(":", "").lower()
        self.port = PORTS.get(maker, 5060)
        self.heard = []  # (message, source) of everything that came
        self.body = b""  # of the last NOTIFY, as it came
        self.got = {}
        self.host = f"[{ip}]" if ":" in ip else ip
        self.socket = socket_in(namespace,
                                family=socket.AF_INET6 if ":" in ip else socket.AF_INET)
        self.socket.bind((ip, self.port, 0, scope) if ":" in ip else (ip, self.port))
        if ":" not in ip:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                                   socket.inet_aton(ip))
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        self.socket.settimeout(PATIENCE_S)

    def _fill(self, text):
        pairs = [self.mac[i:i + 2] for i in range(0, 12, 2)]
        return text.replace("{mac}", self.mac).replace("{MAC}", self.mac.upper()).replace(
            "{colons}", ":".join(pairs))

    def subscribe(self):
        """The bytes of a fresh SUBSCRIBE."""
        text = self._fill(SUBSCRIBES[self.maker])
        for name, value in (("{ip}", self.host), ("{port}", str(self.port)),
                            ("{n}", str(random.randrange(10**8, 10**9)))):
            text = text.replace(name, value)
        return text.replace("\n", "\r\n").encode()

    def receive(self):
        message, source = self.socket.recvfrom(65535)
        self.heard.append((message, source))
        return message, source

    def _hear(self, resend):
        """What comes, for as long as a phone has patience; `resend` in each second of silence."""
        self.socket.settimeout(1)
        try:
            for _ in range(PATIENCE_S):
                with contextlib.suppress(TimeoutError):
                    while True:
                        yield self.receive()
                resend()
        finally:
            self.socket.settimeout(PATIENCE_S)
        raise AssertionError(f"nobody answers {self.maker} {self.mac}")

    def ask(self, message=None, to=GROUP):
        self.socket.sendto(message or self.subscribe(), to)

    def search(self, to=GROUP):
        """Asks until somebody answers, with copies each second: (200, URL, who), or (status, None,
        who) when a refusal ends it."""
        request = self.subscribe()
        self.ask(request, to)
        for message, source in self._hear(lambda: self.ask(request, to)):
            start, _, body = headers(message)
            if start.startswith(b"SIP/2.0 ") and int(start[8:11]) >= 300:
                return int(start[8:11]), None, source
            if start.startswith(b"NOTIFY "):
                self.body = body
                self.socket.sendto(answer_notify(message), source)
                return 200, body.decode().strip(), source

    def flush(self, server):
        """Everything that was on its way here is heard by the time that an OPTIONS is answered."""
        number = random.randrange(10**9)
        self.socket.sendto(
            (f"OPTIONS sip:{server[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {self.host}:{self.port};"
             f"branch=z9hG4bKflush{number};rport\r\nFrom: <sip:x@{self.host}>;tag=1\r\n"
             f"To: <sip:{server[0]}>\r\nCall-ID: flush{number}\r\nCSeq: 1 OPTIONS\r\n"
             "Content-Length: 0\r\n\r\n").encode(), server)
        while f"Call-ID: flush{number}".encode() not in self.receive()[0]:
            pass
        return self.heard[:-1]

    def files_of(self, url):
        """The URLs that this maker asks for when it is told `url`, its own configuration last: of a
        folder its files, else the one that it names, with what the phone fills in."""
        if self.maker == "audiocodes":  # ORIGIN[firmware];path of the configuration
            firmware, _, config = url.partition(";")
            origin = "/".join(firmware.split("/")[:3])
            own = f"{origin}/{config.replace('<MAC>', self.mac.upper())}"
            return ([firmware] if firmware.endswith(".img") else []) + [own]
        if not url.endswith("/"):
            macro = {"snom": ("{mac}", self.mac.upper()), "fanvil": ("$mac", self.mac)}
            return [url.replace(*macro.get(self.maker, ("{mac}", self.mac)))]
        names = {"yealink": ("y000000000000.boot", "y000000000034.cfg", f"{self.mac}.cfg"),
                 "grandstream": (f"cfg{self.mac}", f"cfg{self.mac}.xml")}
        return [url + name for name in names.get(self.maker, ())]

    def host_of(self, url):
        parts = urlsplit(self.files_of(url)[-1])
        return parts.hostname, parts.port

    def fetch(self, url):
        """(status, text) of its own configuration; it asks for all of its files, and `got` has them
        by name: (status, text)."""
        self.got = {}
        for one in self.files_of(url):
            self.got[one.rpartition("/")[2]] = answer = self.get(one)
        return answer

    def get(self, url):
        """(status, text) of one file."""
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with contextlib.closing(socket_in(self.namespace, socket.SOCK_STREAM, family)) as stream:
            stream.settimeout(PATIENCE_S)
            stream.connect((host, port, 0, self.scope) if ":" in host else (host, port))
            connection = http.client.HTTPConnection(host, port)
            connection.sock = stream
            connection.request("GET", parts.path,
                               headers={"User-Agent": self._fill(AGENTS[self.maker])})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()
