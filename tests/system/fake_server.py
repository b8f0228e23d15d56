# SPDX-License-Identifier: MIT
"""A provisioning server for tests of the phone's side, on loopback and with nothing but Python: it
answers SUBSCRIBE in either form of the NOTIFY, and serves files over HTTP and TFTP. What it does
wrong on purpose is said by its attributes."""

import http.server
import re
import socket
import socketserver
import ssl
import struct
import threading

GROUP, SIP_PORT = "224.0.1.75", 5060


class SipServer(threading.Thread):
    """`plan` is called with each SUBSCRIBE (Request) and its count; it returns what to send back."""

    def __init__(self, plan, multicast_for=None):
        super().__init__(daemon=True)
        self.plan = plan
        self.multicast_for = multicast_for  # the phone's address: others share the group
        self.subscribes, self.answers = [], []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.listen = self.socket
        if multicast_for:
            self.listen = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.listen.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listen.bind((GROUP, SIP_PORT))
            loopback = socket.if_nametoindex("lo")
            self.listen.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                                   struct.pack("4s4si", socket.inet_aton(GROUP), b"\0" * 4,
                                               loopback))
            threading.Thread(target=self.collect, daemon=True).start()
        self.start()

    @property
    def address(self):
        return "127.0.0.1:%d" % self.socket.getsockname()[1]

    def take(self, data, source):
        text = data.decode("latin-1")
        if text.startswith("SUBSCRIBE "):
            request = Request(text, source, self.address)
            self.subscribes.append(data)
            for message in self.plan(request, len(self.subscribes)):
                self.socket.sendto(message.encode("latin-1"), source)
        elif text.startswith("SIP/2.0 "):
            self.answers.append(text)

    def collect(self):
        while True:
            data, source = self.socket.recvfrom(65536)
            self.take(data, source)

    def run(self):
        while True:
            data, source = self.listen.recvfrom(65536)
            if not self.multicast_for or source[0] == self.multicast_for:
                self.take(data, source)


class Request:
    def __init__(self, text, source, server):
        self.source, self.server = source, server
        head = text.split("\r\n\r\n")[0].split("\r\n")
        self.uri = head[0].split(" ")[1]
        self.fields = dict(line.split(": ", 1) for line in head[1:])

    def response(self, status="200 OK", to_tag=";tag=srv", more=""):
        f = self.fields
        return (f"SIP/2.0 {status}\r\nVia: {f['Via']}\r\nFrom: {f['From']}\r\n"
                f"To: {f['To']}{to_tag}\r\nCall-ID: {f['Call-ID']}\r\nCSeq: {f['CSeq']}\r\n"
                f"Contact: <sip:{self.server}>\r\nExpires: 0\r\n{more}Content-Length: 0\r\n\r\n")

    def notify_rfc(self, url, branch="z9hG4bKfake"):
        f = self.fields
        contact = f["Contact"].strip("<>")
        return (f"NOTIFY {contact} SIP/2.0\r\nVia: SIP/2.0/UDP {self.server};branch={branch};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: {f['To']};tag=srv\r\nTo: {f['From']}\r\n"
                f"Call-ID: {f['Call-ID']}\r\nCSeq: 1 NOTIFY\r\nContact: <sip:{self.server}>\r\n"
                "Event: ua-profile;effective-by=0\r\n"
                "Subscription-State: terminated;reason=timeout\r\n"
                f"Content-Type: application/url\r\nContent-Length: {len(url)}\r\n\r\n{url}")

    def notify_print(self, url):
        f = self.fields
        host = re.search(r"@([^>]*)>", f["Contact"]).group(1)
        return (f"NOTIFY sip:{host} SIP/2.0\r\nVia: {f['Via']}\r\nMax-Forwards: 20\r\n"
                f"Contact: <sip:{self.server}>\r\nTo: {f['To']}\r\nFrom: {f['From']}\r\n"
                f"Call-ID: {f['Call-ID']}\r\nCSeq: 1 NOTIFY\r\nContent-Type: application/url\r\n"
                f"Subscription-State: terminated;reason=timeout\r\nEvent: {f['Event']}\r\n"
                f"Content-Length: {len(url)}\r\n\r\n{url}")


class Files:
    """HTTP (or HTTPS) and TFTP over the same files; `asked` lists (door, name, source address)."""

    def __init__(self, files, lose=(), certificate=None):
        self.files, self.lose, self.asked = dict(files), set(lose), []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                name = self.path.lstrip("/")
                outer.asked.append(("http", name, self.client_address[0],
                                    self.headers.get("User-Agent")))
                body = outer.files.get(name)
                if isinstance(body, str):  # a redirect
                    self.send_response(302)
                    self.send_header("Location", body)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(404 if body is None else 200)
                body = b"<html>no</html>" if body is None else body
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *_: None  # the agent ends a connection when it has enough
        if certificate:  # a file with the key and the certificate
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.tftp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tftp.bind(("127.0.0.1", 0))
        threading.Thread(target=self.serve_tftp, daemon=True).start()

    @property
    def http_url(self):
        return "http://127.0.0.1:%d" % self.http.server_address[1]

    @property
    def tftp_url(self):
        return "tftp://127.0.0.1:%d" % self.tftp.getsockname()[1]

    def names(self):
        return [name for _, name, *_ in self.asked]

    def serve_tftp(self):
        while True:
            data, source = self.tftp.recvfrom(2048)
            if data[:2] == b"\0\1":
                name = data[2:].split(b"\0")[0].decode()
                self.asked.append(("tftp", name, source[0], None))
                if ("rrq", name) in self.lose:
                    self.lose.discard(("rrq", name))
                    continue
                threading.Thread(target=self.send_tftp, args=(name, source), daemon=True).start()

    def send_tftp(self, name, target):
        """RFC 1350, no options."""
        transfer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        transfer.bind(("127.0.0.1", 0))
        transfer.settimeout(1)
        body = self.files.get(name)
        if body is None:
            transfer.sendto(b"\0\5\0\1not here\0", target)
            return
        for block in range(len(body) // 512 + 1):
            packet = struct.pack(">HH", 3, block + 1) + body[block * 512:block * 512 + 512]
            for _ in range(8):
                if ("data", name, block) in self.lose:
                    self.lose.discard(("data", name, block))
                else:
                    transfer.sendto(packet, target)
                try:
                    reply, _ = transfer.recvfrom(2048)
                except socket.timeout:
                    continue
                if reply[:2] == b"\0\5":
                    return
                if reply[:4] == struct.pack(">HH", 4, block + 1):
                    break
            else:
                return


class FtpServer:
    """RFC 959 and EPSV of RFC 2428, as far as a download goes; needs `login` (user, password)."""

    def __init__(self, files, login):
        outer = self
        self.files, self.login, self.asked = files, login, []

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write((text + "\r\n").encode())

            def retrieve(self, name):
                outer.asked.append(name)
                body = outer.files.get(name)
                if body is None:
                    self.say("550 not here")
                    return
                self.say("150 here it comes")
                data, _ = self.passive.accept()
                data.sendall(body)
                data.close()
                self.say("226 done")

            def answer(self, verb, argument):
                if verb == "USER":
                    self.user = argument
                    self.say("331 and the password")
                elif verb == "PASS":
                    good = (self.user, argument) == outer.login
                    self.say("230 come in" if good else "530 no")
                elif verb == "EPSV":
                    self.passive = socket.create_server(("127.0.0.1", 0))
                    self.say(f"229 Entering (|||{self.passive.getsockname()[1]}|)")
                elif verb == "SIZE":
                    body = outer.files.get(argument)
                    self.say("550 not here" if body is None else f"213 {len(body)}")
                elif verb == "RETR":
                    self.retrieve(argument)
                elif verb in ("PWD", "CWD", "TYPE"):
                    self.say('257 "/"' if verb == "PWD" else "200 fine")
                else:
                    self.say("500 what?")

            def handle(self):
                self.say("220 hello")
                for line in self.rfile:
                    verb, _, argument = line.decode().strip().partition(" ")
                    if verb == "QUIT":
                        return
                    self.answer(verb, argument)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def place(self):
        return "127.0.0.1:%d" % self.server.server_address[1]
