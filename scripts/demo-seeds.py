#!/usr/bin/env python3
"""Runs the demonstration with several seeds and prints the table of docs/demo.md. Uses two processes of one thread."""
import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys


def run(options, seed):
    out = pathlib.Path(options.out) / f"seed-{seed}"
    scores = out / "scores.json"
    if not scores.exists():  # a table that was interrupted goes on where it stopped
        command = [options.program, "demo", "--out", out, "--overwrite", "--seed", seed, "--threads", 1]
        if options.lesson:
            command += ["--lesson", options.lesson]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    return json.loads(scores.read_text())


def cell(direction):
    text = f"{100 * direction['pass']:.0f} %"
    if direction["hue_error"] is not None:
        text += f", {direction['hue_error']:.0f}°"
    if direction["cycle_hue_error"] is not None:
        text += f" / {direction['cycle_hue_error']:.0f}°"
    return text


def outcome(lesson):
    if lesson["passed"]:
        return "passed"
    return "failed: hue" if lesson["translates"] else "failed: not learnt"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--lesson", help="one of them instead of all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", default="build/demo-seeds")
    parser.add_argument("--program", default="build/torsor")
    options = parser.parse_args()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(lambda seed: run(options, seed), range(options.first, options.first + options.seeds)))
    passed = {}
    print("| seed | lesson | a_to_b | b_to_a | |\n| --- | --- | --- | --- | --- |")
    for scores in rows:
        for lesson in scores["lessons"]:
            passed.setdefault(lesson["name"], []).append(lesson["passed"])
            cells = " | ".join(cell(d) for d in lesson["directions"])
            print(f"| {scores['seed']} | {lesson['name']} | {cells} | {outcome(lesson)} |")
    print()
    for name, results in passed.items():
        print(f"{name}: {sum(results)} of {len(results)} passed")


if __name__ == "__main__":
    sys.exit(main())
