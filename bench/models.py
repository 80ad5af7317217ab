"""The training step of one type of model compared with another's, interleaved: CycleGAN, FastCUT and CUT at the sizes of
--preset laptop unless told otherwise, on noise.

All programs stay alive and sleep while another one is measured. The time is that of the CPU, of one thread unless told
otherwise, which other load of the machine disturbs less than the clock on the wall. Prints a table; ratios are to the first
model: medians of the ratios of steps that were measured next to each other.
"""
import argparse
import os
import statistics
import sys

from run import Side, WARM_UP

MODELS = ("cyclegan", "fastcut", "cut")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS,
                        help="--model of torsor train, with further options as in 'cyclegan {\"lambda_transport\": 1}'; ratios "
                             "are to the first one")
    parser.add_argument("--size", type=int, default=128, help="side of the images")
    parser.add_argument("--blocks", type=int, default=6, help="residual blocks of generators")
    parser.add_argument("--ngf", type=int, default=32, help="width of all networks")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=30, help="measured steps of each")
    parser.add_argument("--program", default="build/bench/torsor_bench")
    options = parser.parse_args()
    if options.repeat < 1:
        parser.error("--repeat must be at least 1")
    if not os.access(options.program, os.X_OK):
        parser.error(f"--program {options.program}: not there; run make build first")
    return options


def started(model, options):
    flags = ("size", "blocks", "ngf", "batch", "precision", "threads")
    name, _, further = model.partition(" ")
    command = [options.program, "train", "--model", name, "--options", further or "{}"]
    side = Side(model, command + [word for key in flags for word in ("--" + key, str(getattr(options, key)))], options.threads)
    for _ in range(WARM_UP):
        side.repeat()
    return side


def main():
    options = parse_options()
    sides = [started(model, options) for model in options.models]
    seconds = {side.name: [] for side in sides}
    for turn in range(options.repeat):
        shift = turn % len(sides)
        for side in sides[shift:] + sides[:shift]:
            seconds[side.name].append(side.repeat()["cpu_seconds"])
    first = seconds[sides[0].name]
    print("| model | CPU time of a step | ratio | fastest | ratio | peak memory |\n|---|---|---|---|---|---|")
    for side in sides:
        own = seconds[side.name]
        ratio = statistics.median(one / other for one, other in zip(own, first))
        print(f"| {side.name} | {statistics.median(own) * 1e3:.0f} ms | {ratio:.2f} | {min(own) * 1e3:.0f} ms | "
              f"{min(own) / min(first):.2f} | {side.peak_bytes() / 2 ** 20:.0f} MiB |", flush=True)
        side.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
