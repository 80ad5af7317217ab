#!/usr/bin/env python3
"""Do flags find wrong translations? A trial on runs whose truth is known.

    evidence-trial.py TORSOR OUT TRIAL

OUT is what `torsor reproduce S0-C11-trained` wrote; TRIAL is a new folder for what this makes: the experiment's held-out
images of A as they are, with noise and with a blue cast, models with calibrations, their translations with evidence. Prints
a table: how many outputs are wrong (see evidence-table.py) among those that are flagged and those that are not, of one
model alone and with a second one beside it. Needs NumPy and Pillow.
"""
import argparse
import importlib.util
import pathlib
import shutil
import subprocess

import numpy
from PIL import Image

NOISE, CAST = 25, (0, 0, 70)  # grey levels of 8 bits
TRIALS = (("right", "identity", "kept"), ("different answers", "none", "kept"), ("wrong, and agreed", "identity", "turned"))


def table_module():
    path = pathlib.Path(__file__).with_name("evidence-table.py")
    spec = importlib.util.spec_from_file_location("evidence_table", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def save(pixels, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(numpy.clip(pixels, 0, 255).round().astype("uint8")).save(path)


def make_inputs(data, trial):
    """TRIAL/inputs, and the right translations under the same names in TRIAL/truth-WORLD."""
    random = numpy.random.default_rng(0)
    for path in sorted((data / "world-kept/pairsA").glob("*.png")):
        pixels = numpy.asarray(Image.open(path).convert("RGB"), dtype=float)
        for kind, changed in (("clean", pixels), ("noisy", pixels + random.normal(0, NOISE, pixels.shape)),
                              ("cast", pixels + numpy.array(CAST))):
            name = f"{path.stem}-{kind}.png"
            save(changed, trial / "inputs" / name)
            for world in ("kept", "turned"):
                truth = trial / f"truth-{world}" / name
                truth.parent.mkdir(exist_ok=True)
                shutil.copy(data / f"world-{world}/pairsB/{path.name}", truth)


def row(table, title, models, out, truth):
    rows = table.rows_of(out, truth)
    wrong = [error > 0.1 for error, _ in rows]
    flagged = [bool(flags) for _, flags in rows]
    def part(chosen):
        of = [w for w, f in zip(wrong, flagged) if f in chosen]
        return f"{sum(of)} of {len(of)}"
    print(f"| {title} | {models} | {part((True, False))} | {part((True,))} | {part((False,))} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("torsor", "out", "trial"):
        parser.add_argument(name, type=pathlib.Path)
    given = parser.parse_args()
    if given.trial.exists():
        parser.error(f"{given.trial}: is there already; name a new folder")
    table, trial = table_module(), given.trial
    make_inputs(given.out / "data", trial)

    def torsor(*words):
        subprocess.run([given.torsor, *words, "--quiet"], check=True, stderr=subprocess.DEVNULL)

    tests = given.out / "data/images-colour"
    print("| The runs are | Models | Wrong | Of the flagged | Of the others |\n| --- | --- | --- | --- | --- |")
    for arm in ("identity", "none"):
        for seed in (0, 1):
            torsor("calibrate", given.out / f"runs/kept-{arm}-seed{seed}", "--a", tests / "testA", "--b", tests / "testB",
                   "--out", trial / f"{arm}-{seed}.safetensors")
        models = [trial / f"{arm}-{seed}.safetensors" for seed in (0, 1)]
        torsor("translate", models[0], trial / "inputs", trial / f"{arm}-one", "--evidence")
        torsor("translate", models[0], trial / "inputs", trial / f"{arm}-two", "--evidence", "--also", models[1])
    for title, arm, world in TRIALS:
        row(table, title, "one", trial / f"{arm}-one", trial / f"truth-{world}")
        row(table, title, "two", trial / f"{arm}-two", trial / f"truth-{world}")


if __name__ == "__main__":
    main()
