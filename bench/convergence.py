"""Convergence of training by libtorch, by torsor's kernels and in bfloat16: the losses of the demonstration's two
tasks, and of 500 steps on a folder of images at 128 pixels, with several seeds each.

Draws the curves (smallest to largest over the seeds, and their mean) and prints, for each task and loss, the share of the
curve where the bands overlap, and the difference of the means compared with the spread over seeds. Existing runs are not
repeated.
"""
import argparse
import concurrent.futures
import json
import pathlib
import statistics
import subprocess
import sys

WAYS = {"torch": {"engine": "torch"}, "fast": {"engine": "auto"},
        "bf16": {"engine": "auto", "precision": "bf16"}}
LESSONS = {"solid-striped": "solid and striped discs", "circles-squares-identity": "circles and squares"}
FOLDER = "images"  # the task on --data
LOSSES = {"cycle": ("cycle_a", "cycle_b"), "generator": ("g_a_to_b", "g_b_to_a"), "discriminator": ("d_a", "d_b")}
POINTS = 25  # of a curve; each the mean of the log lines around it


def flags(settings):
    return [text for key, value in settings.items() for text in ("--" + key.replace("_", "-"), str(value))]


def log_of(options, task, way, seed):
    """Trains unless the run exists; returns the path of the log."""
    out = options.out / f"{task}-{way}-{seed}"
    common = {"seed": seed, "threads": options.threads, **WAYS[way]}
    if task == FOLDER:
        command = ["train", *flags({"data": options.data, "preprocess": "resize_and_crop", "load_size": 143, "crop_size": 128,
                                    "net_g": "resnet_6blocks", "ngf": options.width, "ndf": options.width,
                                    "steps": options.steps, "log_every": 5, "sample_every": 0,
                                    "checkpoint_every": 0, "out": out, **common})]
        log = out / "log.jsonl"
    else:
        command = ["demo", *flags({"lesson": task, "out": out, "images": 20, "steps": options.lesson_steps, **common})]
        log = out / "runs" / task / "log.jsonl"
    done = out / "convergence-done"
    if not done.exists():
        if out.exists():
            sys.exit(f"convergence: {out} holds a run that did not end; remove it")
        subprocess.run([options.program, *command], check=True, stdout=subprocess.DEVNULL)
        done.touch()
        print(f"trained: {out}", flush=True)
    return log


def curve(log, names):
    """[(step, loss)] at POINTS places."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    values = [(line["step"], sum(line[name] for name in names)) for line in lines if all(n in line for n in names)]
    size = max(1, len(values) // POINTS)
    parts = [values[i:i + size] for i in range(0, len(values) - size + 1, size)]
    return [(part[len(part) // 2][0], statistics.fmean(v for _, v in part)) for part in parts]


def bands(curves):
    """Of one curve a seed: steps, means, smallest, largest."""
    columns = list(zip(*([v for _, v in one] for one in curves)))
    return ([step for step, _ in curves[0]], [statistics.fmean(c) for c in columns], [min(c) for c in columns],
            [max(c) for c in columns])


def compare(one, other):
    """Share of the curve where the bands overlap; difference of the means, and the spread, both averaged over the curve."""
    overlap = [min(a, b) >= max(c, d) for a, b, c, d in zip(one[3], other[3], one[2], other[2])]
    apart = statistics.fmean(abs(a - b) for a, b in zip(one[1], other[1]))
    spread = statistics.fmean(max(x - y for x, y in ((a, b), (c, d))) for a, b, c, d in
                              zip(one[3], one[2], other[3], other[2]))
    return sum(overlap) / len(overlap), apart, spread


def draw(found, options):
    import matplotlib
    matplotlib.use("agg")
    matplotlib.rcParams["svg.hashsalt"] = "torsor"  # the same picture each time
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(len(options.tasks), len(LOSSES), figsize=(11, 2.7 * len(options.tasks)), squeeze=False)
    for row, task in zip(axes, options.tasks):
        for axis, loss in zip(row, LOSSES):
            for way, colour in zip(options.ways, ("#444444", "#d1495b", "#2e86ab")):
                steps, mean, low, high = found[task, way, loss]
                axis.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
                axis.plot(steps, mean, color=colour, label=way, linewidth=1.3)
            axis.set_title(f"{LESSONS.get(task, options.name)}: {loss}", fontsize=9)
            axis.set_ylim(bottom=0)
            axis.tick_params(labelsize=8)
    for axis in axes[-1]:
        axis.set_xlabel("step", fontsize=8)
    axes[0][0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(options.plot, dpi=110, metadata={"Date": None} if options.plot.suffix == ".svg" else None)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with trainA and trainB; without it only the demonstration's tasks")
    parser.add_argument("--name", default="images", help="what the plot calls --data")
    parser.add_argument("--tasks", nargs="+", choices=[*LESSONS, FOLDER], help=f"some of them; {FOLDER} are those of --data")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=["torch", "fast"], help="the first is compared with")
    parser.add_argument("--steps", type=int, default=500, help="on --data")
    parser.add_argument("--width", type=int, default=64, help="on --data: filters of the first layers, ngf and ndf")
    parser.add_argument("--lesson-steps", type=int, default=0, help="of the demonstration's tasks; 0 = as many as they need")
    parser.add_argument("--threads", type=int, default=1, help="of each run; small images gain nothing from more")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/convergence"), help="folder for the runs")
    parser.add_argument("--plot", type=pathlib.Path, default=pathlib.Path("build/convergence.svg"))
    parser.add_argument("--program", default="build/torsor")
    options = parser.parse_args()
    if len(options.seeds) < 2 or len(options.ways) < 2:
        parser.error("--seeds and --ways need two at the least: there is nothing to compare otherwise")
    options.tasks = options.tasks or list(LESSONS) + ([FOLDER] if options.data else [])
    if FOLDER in options.tasks and not options.data:
        parser.error(f"--tasks {FOLDER} needs --data, the folder with trainA and trainB")
    return options


def main():
    options = parse_options()
    runs = [(task, way, seed) for task in options.tasks for way in options.ways for seed in options.seeds]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        log_by_run = dict(zip(runs, pool.map(lambda run: log_of(options, *run), runs)))
    found = {}
    for task in options.tasks:
        logs = {way: [log_by_run[task, way, seed] for seed in options.seeds] for way in options.ways}
        for loss, names in LOSSES.items():
            for way in options.ways:
                found[task, way, loss] = bands([curve(log, names) for log in logs[way]])
    first, *others = options.ways
    print(f"| task | loss | {first} and | bands overlap on | means apart | spread over seeds |\n|---|---|---|---|---|---|")
    for task in options.tasks:
        for loss in LOSSES:
            for way in others:
                share, apart, spread = compare(found[task, first, loss], found[task, way, loss])
                print(f"| {LESSONS.get(task, options.name)} | {loss} | {way} | {100 * share:.0f} % | {apart:.3f} | {spread:.3f} |")
    draw(found, options)
    print(f"drawn: {options.plot}")


if __name__ == "__main__":
    main()
