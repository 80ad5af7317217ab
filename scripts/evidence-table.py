#!/usr/bin/env python3
"""Do the flags of `torsor translate --evidence` find wrong translations? A table, for images whose truth is known.

    evidence-table.py OUT TRUTH [--wrong 0.1]

OUT is a folder that was translated with --evidence and without --refuse; TRUTH holds the right image of each output under
the output's name, or its name with another ending. An output's error is the mean absolute difference from the truth as a
share of the samples' range; it is wrong where that exceeds --wrong. Needs NumPy and Pillow; 8 bits a sample.
"""
import argparse
import json
import pathlib
import sys

import numpy
from PIL import Image

ENDING = ".evidence.json"


def read(path):
    with Image.open(path) as opened:
        return numpy.asarray(opened.convert("RGB"), dtype=float) / 255


def truth_of(path, out, truth):
    place = truth / path.relative_to(out)
    found = [place] if place.is_file() else sorted(place.parent.glob(place.stem + ".*"))
    if len(found) != 1:
        sys.exit(f"{place}: expected one image of this name as the truth of {path}, found {len(found)}")
    return found[0]


def rows_of(out, truth):
    """(error, flags) of each output."""
    rows = []
    for file in sorted(out.rglob("*" + ENDING)):
        evidence = json.loads(file.read_text())
        if not evidence["output"]["delivered"]:
            sys.exit(f"{file}: its output was withheld; translate without --refuse")
        path = file.with_name(file.name[:-len(ENDING)])
        one, two = read(path), read(truth_of(path, out, truth))
        if one.shape != two.shape:
            sys.exit(f"{path}: is {one.shape[1]}x{one.shape[0]} pixels, its truth {two.shape[1]}x{two.shape[0]}")
        rows.append((numpy.abs(one - two).mean(), evidence["flags"]))
    if not rows:
        sys.exit(f"{out}: holds no {ENDING}; translate with --evidence")
    return rows


def line(name, errors, wrong):
    if not errors:
        return f"| {name} | 0 | - | - |"
    share = sum(error > wrong for error in errors) / len(errors)
    return f"| {name} | {len(errors)} | {numpy.mean(errors):.3f} | {100 * share:.0f} % |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("truth", type=pathlib.Path)
    parser.add_argument("--wrong", type=float, default=0.1)
    given = parser.parse_args()
    rows = rows_of(given.out, given.truth)
    print("| Outputs | Images | Mean error | Wrong |\n| --- | --- | --- | --- |")
    print(line("all", [error for error, _ in rows], given.wrong))
    print(line("flagged", [error for error, flags in rows if flags], given.wrong))
    print(line("not flagged", [error for error, flags in rows if not flags], given.wrong))
    for reason, words in (("cycle error", "Its cycle error"), ("discriminator", "Its discriminator"),
                          ("input", "Its input"), ("spread", "models differ")):
        print(line(f"flagged: {reason}", [e for e, flags in rows if any(words in flag for flag in flags)], given.wrong))


if __name__ == "__main__":
    main()
