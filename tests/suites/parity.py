"""Compares the public API of the two facades, member by member with its parameters.

  parity.py

Prints what one has and the other lacks, then how many members were compared and how many
are missing, as JSON. What is one platform's by its nature stands in ONLY, with the reason.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
KOTLIN = [ROOT / "target/generated/kotlin/org/homeline/Facade.kt", ROOT / "bindings/kotlin/src/main/kotlin/org/homeline/Homeline.kt"]
SWIFT = [ROOT / "target/generated/swift/Facade.swift", ROOT / "bindings/swift/Sources/HomelineKit/Homeline.swift"]
# The types that both generated files declare: records, enums, errors, host traits.
TYPES = (ROOT / "target/generated/kotlin/org/homeline/homeline.kt", ROOT / "target/generated/swift/HomelineKit.swift")

ONLY = {
    "Homeline.close()": "Kotlin: an object there does not end by itself; in Swift it does",
}

# What each platform owns, and the two names of the adapter for it.
ADAPTERS = [
    ("KeystoreVault", "KeychainVault"),
    ("SyncJob", "BackgroundSync"),
    ("LocationSource", "LocationSource"),
    ("SmsSender", "MessageComposer"),
    ("ConnectivityHints", "ConnectivityHints"),
    ("HomelineStorage", "FileProtection"),
]


def parameters(text):
    """The names of the parameters of a declaration, without their types."""
    names, depth, start = [], 0, True
    for token in re.findall(r"[<\[({>\])}]|->|[\w`]+|[^\w\s]", text):
        if token in "<[({":
            depth += 1
        elif token in ">])}":
            depth -= 1
        elif depth == 0 and token == ",":
            start = True
        elif depth == 0 and start and token not in ("_", "vararg"):
            names.append(token.strip("`"))
            start = False
    return names


def balanced(text, begin):
    """The text inside the parenthesis that opens at `begin`."""
    depth = 0
    for at in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return text[begin + 1 : at]
    raise ValueError("a parenthesis that does not close")


def members(files, classes, functions, properties):
    """`Class.name(parameters)` and `Class.property` of the public declarations."""
    found = set()
    for file in files:
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", file.read_text(), flags=re.S)
        heads = list(re.finditer(classes, text, re.M))
        for head, following in zip(heads, heads[1:] + [None]):
            owner = head["name"].replace("HomelineCalls", "Homeline")
            body = text[head.end() : following.start() if following else len(text)]
            for call in re.finditer(functions, body):
                names = parameters(balanced(body, call.end() - 1))
                found.add(f"{owner}.{call['name'].strip('`')}({', '.join(names)})")
            found.update(f"{owner}.{it['name']}" for it in re.finditer(properties, body))
    return found


def types(file, pattern):
    ours = re.findall(pattern, file.read_text(), re.M)
    return {re.sub("(Exception|Error)$", "", name) for name in ours if not re.match("Uniffi|Ffi|RustBuffer|Internal|NoHandle|Disposable|.*Impl$", name)}


def main():
    kotlin = members(KOTLIN, r"^public (?:abstract )?class (?P<name>\w+)", r"(?:public|override) (?:suspend )?fun (?P<name>\w+)\(", r"public val (?P<name>\w+)")
    swift = members(SWIFT, r"^(?:public final class|extension) (?P<name>\w+)", r"public (?:static )?func (?P<name>`?\w+`?)\(", r"public let (?P<name>\w+)")
    kinds = types(TYPES[0], r"^(?:public )?(?:data |sealed |enum |open )?(?:class|interface) (\w+)"), types(TYPES[1], r"^(?:public |open )?\n?(?:struct|enum|protocol|(?:final )?class) (\w+)")
    # Kotlin's interfaces of the blocking objects, and Swift's protocols of them.
    kinds = tuple({re.sub("(Interface|Protocol)$", "", name) for name in names} for names in kinds)
    kotlin |= {f"type {name}" for name in kinds[0]}
    swift |= {f"type {name}" for name in kinds[1]}
    for ours, theirs in ADAPTERS:
        both = [("Kotlin", kotlin, ROOT / "bindings/kotlin/src/main/kotlin/org/homeline/android", rf"\b(?:class|object) {ours}\b"), ("Swift", swift, ROOT / "bindings/swift/Sources/HomelineKit", rf"\b(?:class|struct|enum|actor) {theirs}\b")]
        for _, side, folder, pattern in both:
            if any(re.search(pattern, file.read_text()) for file in folder.rglob("*.*") if file.suffix in (".kt", ".swift")):
                side.add(f"adapter {ours} or {theirs}")
    missing = 0
    for side, has, lacks in (("Swift", kotlin, swift), ("Kotlin", swift, kotlin)):
        for member in sorted(has - lacks):
            if member in ONLY:
                print(f"only there: {member}: {ONLY[member]}")
            else:
                print(f"MISSING in {side}: {member}")
                missing += 1
    calls = sum("(" in member for member in kotlin & swift)
    print(json.dumps({"api_parity_missing": missing, "calls": calls, "compared": len(kotlin | swift)}))
    # A comparison of nothing would find nothing.
    sys.exit(0 if missing == 0 and calls >= 120 and len(kinds[0] & kinds[1]) >= 150 else 1)


main()
