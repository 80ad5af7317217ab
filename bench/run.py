"""Training step and translation of torsor compared with its peers, interleaved: the same networks in Python torch, eager
and compiled, and the exported generator in onnxruntime and OpenVINO (bench/peer).

All programs of a comparison stay alive through it and sleep while another one is measured; they start from the same weights
and images, and their first results must agree. Prints a table and writes the numbers as JSON. Ratios of times are theirs divided
by torsor's (above 1: torsor is faster), that of memory is torsor's divided by theirs.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent
TORCH, RUNTIMES = ("eager", "compile"), ("onnxruntime", "openvino")
TOLERANCE = {"fp32": 1e-3, "bf16": 5e-2}  # relative, of the first results: rounding differs
WARM_UP = 2  # repetitions that are not measured, with compilation
HEADROOM = 1.3  # memory that must be free for a case, as a multiple of its expected memory


def case(task, size, blocks, peers, ngf=64, batch=1, precision="fp32", threads=None):
    return {"task": task, "size": size, "blocks": blocks, "ngf": ngf, "batch": batch, "precision": precision,
            "threads": threads, "peers": list(peers)}


MAIN = [case("train", 256, 9, TORCH), case("train", 128, 6, ("eager",)), case("translate", 128, 6, TORCH + RUNTIMES),
        case("translate", 256, 9, TORCH + RUNTIMES), case("translate", 1024, 9, TORCH + RUNTIMES),
        case("train", 256, 9, ("eager",), precision="bf16"),
        case("translate", 256, 9, ("eager", "openvino"), precision="bf16")]
GROWTH = ([case("translate", size, 9, ("eager",)) for size in (128, 256, 512, 1024)] +
          [case("train", size, 9, ("eager",)) for size in (128, 256, 512)] +
          [case(task, 256, 9, ("eager",), threads=1) for task in ("translate", "train")] +
          [case(task, size, 9, ("eager",), batch=batch)
           for task, size in (("translate", 256), ("train", 128)) for batch in (2, 4)])
QUICK = [case("train", 32, 1, TORCH[:1], ngf=4), case("translate", 32, 1, TORCH[:1] + RUNTIMES[:1], ngf=4, batch=2)]


class Side:
    """One of the programs, asleep until it is measured."""

    def __init__(self, name, command, threads):
        self.name, self.seconds = name, []
        # Passive wait policy: spinning threads would take CPUs from the other sides.
        environment = dict(os.environ, OMP_WAIT_POLICY="passive", OMP_NUM_THREADS=str(threads))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)
        self.about = self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"bench: {self.name} ended with {self.process.wait()}; its message is above")
        return json.loads(line)

    def repeat(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.read()

    def measure(self):
        self.seconds.append(self.repeat()["seconds"])

    def peak_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def result(self):
        return {"min_s": min(self.seconds), "median_s": statistics.median(self.seconds), "seconds": self.seconds,
                "peak_bytes": self.peak_bytes(), **self.about}


def check_same(ours, theirs, name, tolerance):
    for key, value in theirs.items():
        if not abs(ours[key] - value) <= tolerance * max(abs(value), tolerance):
            sys.exit(f"bench: torsor and {name} do not compute the same: {key} is {ours[key]} and {value}")


def started(case, peers, folder, options):
    arguments = [case["task"], "--start", os.path.join(folder, "start.safetensors")]
    for key in ("size", "blocks", "ngf", "batch", "precision", "threads"):
        arguments += ["--" + key, str(case[key])]
    # In a process of its own, so that writing the start and the ONNX model does not count as torsor's memory.
    if subprocess.run([options.program, *arguments, "--prepare"]).returncode:
        sys.exit("bench: torsor could not write what the peers start from; its message is above")
    sides = [Side("torsor", [options.program, *arguments], case["threads"])]
    peer = [sys.executable, str(SOURCE / "peer" / "peer.py"), *arguments]
    return sides + [Side(name, [*peer, "--by", name], case["threads"]) for name in peers]


def compare(case, peers, options):
    """Runs one task on all sides, interleaved, and returns the measurements."""
    with tempfile.TemporaryDirectory() as folder:
        sides = started(case, peers, folder, options)
        first = [side.repeat()["values"] for side in sides]
        for side, values in zip(sides[1:], first[1:]):
            check_same(first[0], values, side.name, TOLERANCE[case["precision"]])
        for side in sides * (WARM_UP - 1):
            side.repeat()
        for turn in range(options.repeat):
            shift = turn % len(sides)
            for side in sides[shift:] + sides[:shift]:
                side.measure()
        result = {side.name: side.result() for side in sides}
        for side in sides:
            side.close()
    ours = result["torsor"]
    for name in peers:
        result[name]["ratio"] = {key: result[name][key] / ours[key] for key in ("min_s", "median_s")}
        result[name]["ratio"]["peak_bytes"] = ours["peak_bytes"] / result[name]["peak_bytes"]
    return result


def missing(peer):
    module = "torch" if peer in TORCH else peer
    return None if importlib.util.find_spec(module) else f"{module} is not installed"


def cpu_line(key):
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(key):
            return line.split(":", 1)[1].strip()
    return ""


def available_bytes():
    lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def expected_bytes(case, peers):
    """About the memory of eager torch, measured at 256 pixels, 9 blocks, 64 filters; torsor needs less."""
    activations = {"train": 2.9e9, "translate": 0.15e9}[case["task"]] * case["batch"] * (case["size"] / 256) ** 2
    return (1 + len(peers)) * (activations * case["ngf"] / 64 + 0.6e9)


def reason_to_skip(case, peers):
    if case["precision"] == "bf16" and "amx_bf16" not in cpu_line("flags").split():
        return "this CPU lacks AMX-BF16"
    expected = expected_bytes(case, peers)
    if expected * HEADROOM > available_bytes():
        return f"it needs about {expected / 2 ** 30:.0f} GiB of free memory"
    return None


def title(case):
    return (f"{case['task']} {case['size']}x{case['size']}, {case['blocks']} blocks, batch {case['batch']}, "
            f"{case['threads']} threads, {case['precision']}")


def print_result(result, peers):
    for name in ["torsor", *peers]:
        side = result[name]
        line = f"  {name:<12} {side['min_s']:>9.4f} {side['median_s']:>9.4f} {side['peak_bytes'] / 2 ** 20:>10.0f}"
        if name != "torsor":
            line += "".join(f" {side['ratio'][key]:>9.2f}" for key in ("min_s", "median_s", "peak_bytes"))
        print(line, flush=True)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("train", "translate"), help="one task instead of both")
    parser.add_argument("--precision", choices=tuple(TOLERANCE), help="one precision instead of both")
    parser.add_argument("--size", type=int, action="append", help="only cases of this size; may be repeated")
    parser.add_argument("--growth", action="store_true", help="scaling with size, threads and batch, compared with eager torch")
    parser.add_argument("--peer", action="append", choices=TORCH + RUNTIMES, help="only this peer; may be repeated")
    parser.add_argument("--repeat", type=int, default=7, help="measured repetitions of each (default 7)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores")
    parser.add_argument("--quick", action="store_true", help="tiny networks: shows that it works, measures nothing")
    parser.add_argument("--out", default="build/bench.json", help="file to write (default build/bench.json)")
    parser.add_argument("--program", default="build/bench/torsor_bench", help="torsor's side")
    options = parser.parse_args()
    if options.repeat < 1 or options.threads < 1:
        parser.error("--repeat and --threads must be at least 1")
    if not os.access(options.program, os.X_OK):
        parser.error(f"--program {options.program}: not there; run make build first")
    return options


def chosen(options):
    cases = QUICK if options.quick else GROWTH if options.growth else MAIN
    return [{**c, "threads": c["threads"] or options.threads} for c in cases
            if options.only in (None, c["task"]) and options.precision in (None, c["precision"])
            and (not options.size or c["size"] in options.size)]


def main():
    options = parse_options()
    machine = {"cpu": cpu_line("model name") or platform.machine(), "cores": os.cpu_count(),
               "threads": options.threads, "system": platform.platform(), "python": platform.python_version()}
    print(f"{machine['cpu']}, {options.repeat} repetitions, interleaved; ratios: time, theirs / torsor's; memory, torsor's / "
          f"theirs\n{'':<14} {'fastest s':>9} {'median s':>9} {'peak MiB':>10} {'ratio':>9} {'of median':>9} {'memory':>9}")
    results = []
    for one in chosen(options):
        peers = [peer for peer in one["peers"] if not options.peer or peer in options.peer]
        print(title(one), flush=True)
        for peer in [p for p in peers if missing(p)]:
            print(f"  {peer:<12} skipped: {missing(peer)}")
            peers.remove(peer)
        reason = reason_to_skip(one, peers)
        if reason:
            print(f"  skipped: {reason}")
            continue
        result = compare(one, peers, options)
        print_result(result, peers)
        results.append({"case": one, "sides": result})
    out = pathlib.Path(options.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": machine, "repeat": options.repeat, "results": results}, indent=1) + "\n")
    print(f"written to {out}")


if __name__ == "__main__":
    main()
