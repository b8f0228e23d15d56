#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An arrow only ever points down (doc/architecture.md). Reads every #include of the tree; prints
TAP, one test a room. Usage: floors.py SOURCE_ROOT."""

import re
import sys
from pathlib import Path

# What each room may use besides itself.
CODECS = {"core/sip", "core/http", "core/tftp", "core/jinja", "core/dhcp"}
ROOMS = {
    "core/base": set(),
    **{codec: {"core/base"} for codec in CODECS},
    "core/fleet": {"core/base", "core/jinja"},
    "core/phone": {"core/base", "core/sip"},
    "core/provision": {"core/base", "core/fleet", "core/sip", "core/tftp", "core/http"},
    "core/admin": {"core/base", "core/fleet", "core/http"},
    "io": CODECS | {"core/base", "core/fleet", "core/provision", "core/admin"},
    "programs": CODECS | {"core/base", "core/fleet", "core/provision", "core/admin", "core/phone",
                          "io"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def room_of(path):
    return next((room for room in ROOMS if path == room or path.startswith(room + "/")), None)


def main():
    root = Path(sys.argv[1])
    failed = 0
    for number, (room, allowed) in enumerate(ROOMS.items(), 1):
        faults = []
        for path in sorted((root / room).rglob("*.[ch]")):
            for include in INCLUDE.findall(path.read_text(encoding="utf-8")):
                there = room_of(include)
                if there != room and there not in allowed:
                    faults.append(f"{path.relative_to(root)} includes {include}")
        for fault in faults:
            print("#", fault)
        failed += bool(faults)
        print("not ok" if faults else "ok", number, "-", room, "uses only what is below it")
    print(f"1..{len(ROOMS)}")
    return 1 if failed else 0


sys.exit(main())
