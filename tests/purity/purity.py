#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""core/ decides and never acts: its objects call nothing outside allowed.txt and keep no writable
state. Usage: purity.py ALLOWED ARCHIVE...; prints TAP, one test an archive."""

import re
import subprocess
import sys


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def defined_symbols(archive):
    lines = run("nm", "--defined-only", archive).splitlines()
    return {fields[-1] for fields in map(str.split, lines) if len(fields) == 3}


def undefined_symbols(archive):
    """Pairs of the object that calls, and what it calls."""
    member = "?"
    for line in run("nm", "--undefined-only", archive).splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif line.strip():
            yield member, line.split()[-1]


def writable_objects(archive):
    """Objects in .data or .bss; .data.rel.ro holds constants that only the loader writes."""
    member = "?"
    for line in run("objdump", "-t", archive).splitlines():
        match = re.match(r"(\S+\.o):\s+file format", line)
        if match:
            member = match.group(1)
        fields = line.split()
        if len(fields) >= 4 and any(re.fullmatch(r"\.(t?data|t?bss)(\.(?!rel\.ro).*)?|\*COM\*", f)
                                    for f in fields[1:-1]):
            name, section = fields[-1], next(f for f in fields if f.startswith((".", "*")))
            if name != section:
                yield member, name


def main():
    allowed_file, archives = sys.argv[1], sys.argv[2:]
    allowed = set()
    with open(allowed_file, encoding="utf-8") as lines:
        for line in lines:
            allowed.update(line.split("#")[0].split())
    ours = set().union(*map(defined_symbols, archives))
    failed = 0
    for i, archive in enumerate(archives, 1):
        faults = [f"{member} calls {symbol}" for member, symbol in undefined_symbols(archive)
                  if symbol not in ours and symbol not in allowed]
        faults += [f"{member} keeps the writable object {name}"
                   for member, name in writable_objects(archive)]
        for fault in sorted(set(faults)):
            print("#", fault)
        failed += bool(faults)
        print("not ok" if faults else "ok", i, "-", archive.rsplit("/", 1)[-1], "is pure")
    print(f"1..{len(archives)}")
    return 1 if failed or not archives else 0


sys.exit(main())
