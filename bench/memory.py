"""The estimates of memory and time that `torsor train` prints, compared with measurements: the process's peak resident set
(VmHWM), and the median of its steps. Prints a table."""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent


def case(size, blocks, ngf, batch=1, engine="auto", **more):
    return {"crop_size": size, "net_g": f"resnet_{blocks}blocks", "ngf": ngf, "ndf": ngf, "batch_size": batch,
            "engine": engine, **more}


CASES = [case(64, 6, 32), case(128, 6, 32), case(128, 6, 32, batch=4), case(128, 6, 64), case(192, 9, 64),
         case(256, 9, 64), case(256, 9, 32, batch=2), case(128, 6, 32, engine="torch"),
         case(128, 6, 32, batch=4, engine="torch"), case(256, 6, 32, engine="torch"),
         case(256, 0, 32, net_g="unet_256"), case(128, 6, 32, norm="batch"), case(128, 6, 32, sample_count=16)]


def measure(program, settings, steps):
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        options = {"data": "generated:circles-squares", "max_dataset_size": 40, "steps": steps, "log_every": 1, "out": run,
                   "pool_size": steps - 1,  # so that the history is full when the run ends
                   **settings}
        command = [program, "train"] + [str(word) for key, value in options.items()
                                        for word in ("--" + key.replace("_", "-"), value)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        said = re.search(r"estimate: (\S+) s a step.*?([\d,]+) MiB of memory", output)
        if status or not said:
            sys.exit(f"memory: {' '.join(command)} did not run to its end")
        times = [json.loads(line)["seconds"] for line in (run / "log.jsonl").read_text().splitlines()]
    a_step = statistics.median(after - before for before, after in zip(times, times[1:]))
    return float(said[1]), a_step, int(said[2].replace(",", "")), usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=str(SOURCE.parent / "build" / "torsor"))
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of cases")
    options = parser.parse_args()
    print("| run | memory: estimate | measured | ratio | a step: estimate | measured |\n|---|---|---|---|---|---|")
    for number, settings in enumerate(CASES):
        if options.only is not None and number not in options.only:
            continue
        guessed, took, expected, peak = measure(options.program, settings, options.steps)
        more = ", ".join(f"{key} {value}" for key, value in settings.items()
                         if key in ("norm", "sample_count", "engine") and value != "auto")
        name = f"{settings['crop_size']}x{settings['crop_size']}, {settings['net_g']}, ngf {settings['ngf']}, batch {settings['batch_size']}"
        print(f"| {name}{', ' + more if more else ''} | {expected} MiB | {peak:.0f} MiB | {expected / peak:.2f} | "
              f"{guessed:.2g} s | {took:.2g} s |", flush=True)


if __name__ == "__main__":
    main()
