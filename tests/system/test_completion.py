#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Shell completion: the scripts of `bellhop completion`, sourced by the shells they are for. bash is
always here; zsh and fish are asked where they are installed ($BELLHOP_ZSH, $BELLHOP_FISH name them
otherwise)."""

import os
import pty
import select
import shutil
import signal
import subprocess

from house import BUILD, PATIENCE_S, Bellhopd, Skip, free_port, main

MAC = "00908f602aac"
OTHER = "001565123456"


class Server(Bellhopd):
    """One with two devices, a profile and a file."""

    def __init__(self):
        super().__init__("[sip]\nlisten = 127.0.0.1:0\ngroup =\n[http]\nlisten = 127.0.0.1:"
                         f"{free_port()}\n[https]\nlisten =\n[tftp]\nlisten =\n"
                         .replace("127.0.0.1:0", f"127.0.0.1:{free_port()}"))

    def __enter__(self):
        super().__enter__()
        self.cli("profile", "set", "office", "--set", "ntp_ip=192.0.2.1")
        self.cli("device", "claim", MAC, "--vendor", "audiocodes", "--model", "440HD", "--label",
                 "Front desk; $(touch /tmp/no)", "--set", "timezone=UTC")
        self.cli("device", "claim", OTHER, "--vendor", "yealink", "--model", "T 4(6)")
        self.cli("file", "add", __file__, "--name", "rings/a.wav")
        return self


def environment(server):
    """bellhop by its name, and the server it asks."""
    return {"PATH": f"{BUILD}:/usr/bin:/bin", "HOME": "/nonexistent", "TERM": "dumb",
            "BELLHOP_SOCKET": str(server.socket) if server else "/nonexistent/admin.sock"}


# What bash itself does with a line at a TAB is done by hand: words and breaks as readline cuts them.
BASH = r"""
set -u
compopt() { printf 'compopt %s\n' "$*"; }
source <(bellhop completion bash)
COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
_bellhop
printf '%s\n' "${COMPREPLY[@]}"
"""


def cut(line):
    """The words of a line as readline gives them: blanks part words, and = and : are words."""
    words, word = [], ""
    for sign in line:
        if sign in " =:":
            if word:
                words.append(word)
            if sign != " ":
                words.append(sign)
            word = ""
        else:
            word += sign
    return words + ([word] if word or line[-1] == " " else [])


def bash(line, server=None, folder=None):
    done = subprocess.run(["bash", "-c", BASH, "bash", line, *cut(line)], capture_output=True,
                          text=True, timeout=PATIENCE_S, check=False, env=environment(server),
                          cwd=folder)
    assert done.returncode == 0 and not done.stderr, done.stderr
    bash.has_nospace = "compopt -o nospace" in done.stdout
    return [text for text in done.stdout.splitlines() if text and not text.startswith("compopt ")]


def test_bash_knows_the_tables_without_a_server():
    groups = bash("bellhop ")
    assert {"device", "profile", "file", "events", "status", "help", "completion"} <= set(groups)
    assert len(groups) == len(set(groups)), groups
    assert bash("bellhop dev") == ["device"]
    assert {"list", "show", "claim", "remove"} <= set(bash("bellhop device "))
    assert bash("bellhop device un") == ["unblock", "unidentified"]
    assert bash("bellhop help device un") == ["unblock", "unidentified"]
    assert bash("bellhop help set") == ["settings"]
    assert bash("bellhop completion ") == ["bash", "zsh", "fish"]
    assert {"--set", "--vendor", "--socket"} <= set(bash("bellhop device set x --"))
    assert "--state" not in bash("bellhop device set x --")
    assert "--json" not in bash("bellhop device show --json --")
    assert bash("bellhop device list --sta") == ["--state"]
    assert bash("bellhop device list --state ") == ["new", "claimed", "notified", "fetched",
                                                     "stale", "blocked"]
    # bash replaces what comes after the '=' alone.
    assert bash("bellhop device list --state=cl") == ["claimed"]
    assert bash("bellhop --socket /x device list --state cl") == ["claimed"]
    assert bash("bellhop device set x --form ") == ["default", "rfc", "print"]
    assert "lo" in bash("bellhop device set x --interface ")
    assert bash("bellhop device set x -- --") == []


def test_bash_completes_settings():
    assert bash("bellhop device set x --set sip_lines.12.pass") == ["sip_lines.12.password="]
    assert bash.has_nospace
    assert "sip_lines.1.username=" in bash("bellhop device set x --set sip_lines.")
    assert bash("bellhop device set x --set sip_transport=u") == ["udp"]
    assert bash("bellhop device set x --set=sip_transport=u") == ["udp"]
    assert bash("bellhop profile set p --unset ntp_i") == ["ntp_ip"]


def test_without_a_server_nothing_is_said():
    for line in ("bellhop device show ", "bellhop profile show ", "bellhop file remove ",
                 "bellhop device list --vendor ", "bellhop device list --model ",
                 "bellhop device preview 00908f602aac "):
        assert bash(line) == [], line


def test_bash_asks_the_server():
    with Server() as s:
        assert sorted(bash("bellhop device show ", s)) == [OTHER, MAC]
        assert bash("bellhop device show 0090", s) == [MAC]
        assert bash(f"bellhop device block {OTHER} 0090", s) == [MAC]
        assert bash("bellhop events --device 0015", s) == [OTHER]
        # Spelt on as it was begun, behind the last break of a word.
        assert bash("bellhop device show 00:90:8F:6", s) == ["60:2a:ac"]
        assert bash(f"bellhop --socket {s.socket} device show 0090") == [MAC]
        assert sorted(bash("bellhop profile show ", s)) == ["default", "office"]
        assert bash("bellhop pack show audio", s) == ["audiocodes"]
        assert bash("bellhop device set x --profile off", s) == ["office"]
        assert bash("bellhop device list --vendor audio", s) == ["audiocodes"]
        assert bash("bellhop device list --model 44", s) == ["440HD"]
        # What the shell would take apart is quoted.
        assert bash("bellhop device list --model T", s) == [r"T\ 4\(6\)"]
        assert bash("bellhop file remove ", s) == ["rings/a.wav"]
        assert bash(f"bellhop device preview {MAC} ", s) == [f"{MAC}.cfg"] or bash(
            f"bellhop device preview {MAC} ", s) == [f"{MAC.upper()}.cfg"]
        assert bash(f"bellhop device set {MAC} --unset ", s) == ["timezone"]
        assert bash("bellhop profile set office --unset ", s) == ["ntp_ip"]


def test_bash_completes_files():
    with Server() as s:
        for name in ("440HD.img", "two words"):
            (s.folder / name).write_text("x")
        assert bash("bellhop file add 44", s, s.folder) == ["440HD.img"]
        assert bash("bellhop file add tw", s, s.folder) == ["two words"]
        assert bash("bellhop --token-file=44", s, s.folder) == ["440HD.img"]


def shell_program(name):
    path = os.environ.get(f"BELLHOP_{name.upper()}") or shutil.which(name)
    if not path:
        raise Skip(f"{name} is not here")
    return path


# zsh completes in its line editor alone: one on a pseudo-terminal is typed to. Ctrl-X shows the line.
ZSH = r"""
PS1= ; unsetopt zle_bracketed_paste
autoload -Uz compinit && compinit -u -D && source <(bellhop completion zsh)
told() { print -r -- $'\n'"GOT<$BUFFER>"; BUFFER= }
zle -N told; bindkey '^X' told; bindkey '^I' complete-word
print READY$((40 + 2))
"""


def zsh(line, server):
    program = shell_program("zsh")
    variables = {**os.environ, **environment(server)}
    setup = server.folder / "setup.zsh"
    setup.write_text(ZSH)
    child, terminal = pty.fork()
    if child == 0:
        os.execve(program, ["zsh", "-f", "-i"], variables)
    told = b""

    def read_until(mark):
        nonlocal told
        while mark not in told:
            assert select.select([terminal], [], [], PATIENCE_S)[0], told
            told += os.read(terminal, 65536)

    try:
        os.write(terminal, f"source {setup}\n".encode())
        read_until(b"READY42")
        os.write(terminal, line.encode() + b"\t\x18")
        read_until(b">\r\n")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)
    return told.rpartition(b"GOT<")[2].partition(b">")[0].decode()


def test_zsh_completes():
    with Server() as s:
        assert zsh("bellhop dev", s).rstrip() == "bellhop device"
        assert zsh("bellhop device unb", s).rstrip() == "bellhop device unblock"
        assert zsh("bellhop device show 0090", s).rstrip() == f"bellhop device show {MAC}"
        assert zsh("bellhop device set x --set sip_lines.2.pass", s) == (
            "bellhop device set x --set sip_lines.2.password=")
        assert zsh("bellhop device list --state=cl", s).rstrip() == (
            "bellhop device list --state=claimed")


def fish(line, server):
    done = subprocess.run([shell_program("fish"), "--no-config", "-c",
                           "bellhop completion fish | source; complete -C $argv[1]", line],
                          capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                          env={**os.environ, **environment(server), "HOME": str(server.folder)})
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.splitlines()


def test_fish_completes():
    with Server() as s:
        assert [line.split("\t")[0] for line in fish("bellhop dev", s)] == ["device"]
        assert fish("bellhop device unb", s) == ["unblock\tundo a block"]
        assert fish("bellhop device show 0090", s) == [f"{MAC}\tFront desk; $(touch /tmp/no)"]
        assert fish("bellhop device list --state=cl", s) == ["--state=claimed"]
        assert "--vendor" in [line.split("\t")[0] for line in fish("bellhop device list --v", s)]


main(globals())
