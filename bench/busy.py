"""The time of a training step on an idle machine and next to busy processes, by OpenMP's wait policy: torsor's default,
libgomp's default, passive, other spin counts, and one thread.

Settings are interleaved, so that other load affects all of them alike; the median of each setting's fastest round counts.
--alone has the scheduler favour this session's processes over all others (root; begin it with setsid).
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent
WAITING = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
WARM_UP = 3  # steps that are not measured


def settings(options):
    """{name: (environment, flags)}"""
    table = {"torsor's default": ({}, []), "libgomp's default": ({"GOMP_SPINCOUNT": "300000"}, []),
             "passive": ({"OMP_WAIT_POLICY": "passive"}, [])}
    for count in options.counts:
        table[f"GOMP_SPINCOUNT={count}"] = ({"GOMP_SPINCOUNT": str(count)}, [])
    table["one thread"] = ({}, ["--threads", "1"])
    return table


def seconds_a_step(options, environment, flags):
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        command = [options.program, "train", "--data", "generated:circles-squares", "--crop-size", options.size,
                   "--ngf", options.width, "--ndf", options.width, "--net-g", options.net_g, "--engine", options.engine,
                   "--max-dataset-size", 20, "--steps", WARM_UP + options.steps, "--log-every", 1, "--sample-every", 0,
                   "--checkpoint-every", 0, "--out", run, *flags]
        clean = {key: value for key, value in os.environ.items() if key not in WAITING}
        done = subprocess.run([str(word) for word in command], env={**clean, **environment}, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"busy: {done.stderr}")
        times = [json.loads(line)["seconds"] for line in (run / "log.jsonl").read_text().splitlines()]
    steps = [after - before for before, after in zip(times, times[1:])][WARM_UP - 1:]
    return statistics.median(steps)


def next_to(neighbours, work):
    """work() next to so many processes that never sleep."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(neighbours)]
    try:
        return work()
    finally:
        for process in busy:
            process.kill()
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=str(SOURCE.parent / "build" / "torsor"))
    parser.add_argument("--size", type=int, default=64, help="side of the images")
    parser.add_argument("--width", type=int, default=16, help="--ngf and --ndf")
    parser.add_argument("--net-g", default="resnet_6blocks")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--steps", type=int, default=25, help="measured steps of each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--neighbours", type=int, default=2, help="busy processes")
    parser.add_argument("--counts", type=int, nargs="*", default=[100, 10000], help="values of GOMP_SPINCOUNT to try")
    parser.add_argument("--alone", action="store_true", help="favour this over all else on the machine")
    options = parser.parse_args()
    if options.alone:
        pathlib.Path("/proc/self/autogroup").write_text("-20")
    table = settings(options)
    found = {name: ([], []) for name in table}
    for _ in range(options.rounds):
        for name, (environment, flags) in table.items():
            for times, neighbours in zip(found[name], (0, options.neighbours)):
                times.append(next_to(neighbours, lambda: seconds_a_step(options, environment, flags)))
                print(f"{name}, next to {neighbours}: {times[-1] * 1e3:.1f} ms a step", file=sys.stderr, flush=True)
    best = [min(min(times[i]) for times in found.values()) for i in (0, 1)]
    print(f"| wait policy | idle | of the best | next to {options.neighbours} busy processes | of the best |\n|---|---|---|---|---|")
    for name, (idle, loaded) in found.items():
        print(f"| {name} | {min(idle) * 1e3:.1f} ms | {min(idle) / best[0]:.2f} | {min(loaded) * 1e3:.1f} ms | "
              f"{min(loaded) / best[1]:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
