#!/usr/bin/env python3
"""Writes ../first/numbers.tsv: local emergency numbers by country and service.

Two independent sources have to agree. Android's table (ecc.txt beside this file)
says which service answers a number; Google's libphonenumber says whether a number
is an emergency number of the region. A number is written only where both have it:
a wrong number is worse than none. A territory that Android does not list is served
by the row of the state whose numbering it shares, and libphonenumber's own pattern
of the territory still has to agree. For a few countries a third source (third.txt)
takes Android's place.

  python3 -m venv venv
  venv/bin/pip install --require-hashes -r requirements.txt
  venv/bin/python numbers.py
"""

import pathlib
import re

import phonenumbers
from phonenumbers import PhoneMetadata

HERE = pathlib.Path(__file__).resolve().parent
CHECKED = "2026-11-25"
# What one number for all of police, ambulance and fire is called.
ALL = "PAF"
# Letters of the table: general, police, ambulance, fire, coast guard, mountain rescue.
LETTERS = {"P": "P", "A": "A", "F": "F", "M": "C", "R": "M"}
ORDER = "GPAFCM"
# A territory, and the state whose emergency services answer there.
SHARED = {
    "AX": "FI", "BL": "GP", "CC": "AU", "CX": "AU", "EH": "MA", "GG": "GB", "IM": "GB",
    "JE": "GB", "MF": "GP", "MQ": "FR", "NF": "AU", "SJ": "NO", "YT": "FR",
}


def table(name):
    rows = {}
    for line in (HERE / name).read_text().splitlines():
        if not line.startswith("#"):
            country, *entries = line.split()
            rows[country] = entries
    return rows


def is_emergency(country, number):
    """Whether libphonenumber has it as an emergency number of the region."""
    metadata = PhoneMetadata.short_metadata_for_region(country)
    pattern = metadata and metadata.emergency and metadata.emergency.national_number_pattern
    return bool(pattern and re.fullmatch(pattern, number))


def third(country, entries, theirs):
    """What a third source adds: only entries that are confirmed."""
    for entry in entries:
        letter, number = entry.lstrip("=")[0], entry.lstrip("=")[1:]
        confirmed = entry[1:] in theirs if entry.startswith("=") else is_emergency(country, number)
        if confirmed:
            yield letter, number


def numbers(country, entries, more):
    """The agreed numbers of a country as (letter, number), in the order of the table."""
    agreed, general = [], None
    for entry in entries:
        services, number = re.fullmatch(r"([PAFMR]*|/)(\d+)", entry).groups()
        if not is_emergency(country, number):
            continue
        if services == ALL:
            # A second number for everything says nothing new.
            if general is None:
                general = number
                agreed.append(("G", number))
        elif services == "/":
            # Android dials it without a SIM, and the region answers it.
            if number not in [one for _, one in agreed]:
                agreed.append(("G", number))
        else:
            agreed += [(LETTERS[service], number) for service in services]
    agreed += third(country, more, entries)
    return sorted(set(agreed), key=lambda one: (ORDER.index(one[0]), agreed.index(one)))


def codes():
    """ISO 3166-1 alpha-2, from the list that the core checks countries with."""
    text = (HERE / "../../registration/countries.rs").read_text()
    return re.findall(r"\b[A-Z]{2}\b", re.search(r'CODES: &str = "(.*?)";', text, re.S)[1])


def main():
    rows, more = table("ecc.txt"), table("third.txt")
    out = [
        f"# source: Android's ecc/input/eccdata.txt (AOSP, revision 2) and libphonenumber {phonenumbers.__version__} agree",
        f"# checked: {CHECKED}",
    ]
    none = []
    for country in codes():
        shared = SHARED.get(country)
        agreed = numbers(
            country, rows.get(country) or rows.get(shared, []), more.get(country) or more.get(shared, [])
        )
        if agreed:
            out.append(f"{country}\t" + " ".join(letter + number for letter, number in agreed))
        else:
            none.append(country)
    (HERE / "../first/numbers.tsv").write_text("\n".join(out) + "\n")
    print(f"{len(out) - 2} countries; without an agreed number: {' '.join(none)}")


if __name__ == "__main__":
    main()
