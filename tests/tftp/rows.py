#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every row of the table "TFTP, row by row" in doc/standards.md has a test named by its id, in the
file that the row names, and every such test has its row. Prints TAP, one test a row. Usage: rows.py
SOURCE_ROOT."""

import re
import sys
from pathlib import Path

ROW = re.compile(r"^\| R-TFTP-(\d+) \| .* \| (\S.*?) \|$", re.MULTILINE)
RUN = re.compile(r"\bRUN\((r_tftp_(\d+)_\w+)\);")
COUNT = 40  # of the requirements; those without a test say so


def main():
    root = Path(sys.argv[1])
    rows = {int(number): files for number, files in
            ROW.findall((root / "doc/standards.md").read_text(encoding="utf-8"))}
    tests = {}
    for path in sorted((root / "tests").rglob("test_*.c")):
        for _, number in RUN.findall(path.read_text(encoding="utf-8")):
            tests.setdefault(int(number), set()).add(path.relative_to(root / "tests").as_posix())
    failed = 0
    print(f"1..{COUNT}")
    for number in range(1, COUNT + 1):
        named = set(rows.get(number, "no row").split(", ")) - {"-"}
        is_right = named == tests.get(number, set())
        if not is_right:
            failed += 1
            print(f"# the table says {sorted(named)}, the tests {sorted(tests.get(number, set()))}")
        print(f"{'ok' if is_right else 'not ok'} {number} - R-TFTP-{number}")
    sys.exit(1 if failed else 0)


main()
