#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes a C file that holds the bytes of a file. Usage: embed.py FILE NAME OUTPUT"""

import sys


def main():
    source, name, output = sys.argv[1:4]
    with open(source, "rb") as file:
        data = file.read()
    with open(output, "w", encoding="ascii") as out:
        out.write(f'#include "core/admin/api_internal.h"\n\nconst char {name}[] = {{\n')
        for start in range(0, len(data), 16):
            numbers = (str(byte if byte < 128 else byte - 256) for byte in data[start:start + 16])
            out.write("\t" + ", ".join(numbers) + ",\n")
        out.write(f"}};\nconst size_t {name}_length = {len(data)};\n")


main()
