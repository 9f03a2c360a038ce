"""What takes the space in a library: bytes by section, then by crate.

usage: size_table.py LIBRARY (with its symbols)
"""

import collections
import re
import subprocess
import sys

ROWS = 16


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def crate(symbol):
    """The crate that a demangled symbol belongs to; C by the prefix it is known by."""
    name = symbol.lstrip("<&*([ ").removeprefix("dyn ").removeprefix("mut ")
    if match := re.match(r"([a-z_][a-z0-9_]*)(\[[0-9a-f]+\])?::", name):
        return match[1]
    if re.match(r"sqlcipher|sqlite|fts|rtree|vdbe|btree|pager|os_|unix|json|wal|expr|select|where", name, re.I):
        return "SQLCipher (C)"
    if name.startswith(("ring_core", "GFp", "bn_", "aes_", "sha", "chacha", "x25519", "p256", "ecp_", "gcm_")):
        return "ring (C, assembly)"
    if name.startswith(("uniffi_", "ffi_homeline", "UNIFFI_META")):
        return "uniffi (exports)"
    return "other C and data"


def table(title, sizes):
    total = sum(sizes.values())
    print(f"{title:<28} {'bytes':>9}")
    shown = sizes.most_common(ROWS)
    for name, size in shown:
        print(f"  {name:<26} {size:>9}  {100 * size / total:4.1f} %")
    rest = total - sum(size for _, size in shown)
    print(f"  {'all others':<26} {rest:>9}\n")


def main(library):
    sections = collections.Counter()
    for line in lines("size", "-A", library):
        if match := re.match(r"(\.\S+)\s+(\d+)\s+([1-9]\d*)", line):
            sections[match[1]] += int(match[2])
    table("section", sections)

    crates = collections.Counter()
    for line in lines("nm", "--demangle", "--print-size", "--defined-only", library):
        if match := re.match(r"[0-9a-f]+ ([0-9a-f]+) \w (.+)", line):
            crates[crate(match[2])] += int(match[1], 16)
    table("crate (code and named data)", crates)


main(*sys.argv[1:])
