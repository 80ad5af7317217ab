"""Training step and translation of torsor beside the same networks in Python torch (bench/peer), by turns.

Both programs stay alive through a comparison and sleep while the other works; they start from the same weights and
images, and their first results must agree. Prints a table and writes the numbers as JSON.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent
CASES = {"128": {"size": 128, "blocks": 6, "ngf": 64}, "256": {"size": 256, "blocks": 9, "ngf": 64}}
QUICK = {"quick": {"size": 32, "blocks": 1, "ngf": 4}}
TASKS = ("train", "translate")
TOLERANCE = 1e-3  # relative, of the first results: both round in float32


class Side:
    """One of the two programs, asleep until asked."""

    def __init__(self, name, command, threads):
        self.name, self.seconds = name, []
        # Waiting threads sleep instead of spinning: the other side has the processor to itself.
        environment = dict(os.environ, OMP_WAIT_POLICY="passive", OMP_NUM_THREADS=str(threads))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)
        self.torch = self.read()["torch"]

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
                "peak_bytes": self.peak_bytes(), "torch": self.torch}


def check_same(ours, peer):
    for name, value in peer.items():
        if not abs(ours[name] - value) <= TOLERANCE * max(abs(value), TOLERANCE):
            sys.exit(f"bench: the programs do not compute the same: {name} is {ours[name]} and {value}")


def compare(task, case, options):
    """Runs one task on both sides by turns and returns what was measured."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [task, "--start", os.path.join(folder, "start.safetensors"), "--threads", str(options.threads)]
        for name, value in case.items():
            arguments += ["--" + name, str(value)]
        ours = Side("torsor", [options.program, *arguments], options.threads)  # first: it writes the start
        peer = Side("peer", [sys.executable, str(SOURCE / "peer" / "peer.py"), *arguments], options.threads)
        check_same(ours.repeat()["values"], peer.repeat()["values"])  # not counted: it warms up
        for turn in range(options.repeat):
            for side in (ours, peer) if turn % 2 == 0 else (peer, ours):
                side.measure()
        result = {"torsor": ours.result(), "peer": peer.result()}
        ours.close()
        peer.close()
    result["ratio"] = {key: result["torsor"][key] / result["peer"][key]
                       for key in ("min_s", "median_s", "peak_bytes")}
    return result


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def print_result(title, result):
    rows = (("fastest, s", "min_s", 1), ("median, s", "median_s", 1), ("peak memory, MiB", "peak_bytes", 2 ** 20))
    for label, key, unit in rows:
        ours, peer = result["torsor"][key] / unit, result["peer"][key] / unit
        print(f"{title:<18} {label:<17} {ours:>9.3f} {peer:>9.3f} {result['ratio'][key]:>7.3f}", flush=True)
        title = ""


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(CASES), help="one size instead of both")
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


def main():
    options = parse_options()
    cases = QUICK if options.quick else {k: v for k, v in CASES.items() if options.only in (None, k)}
    machine = {"cpu": cpu_model(), "cores": os.cpu_count(), "threads": options.threads, "system": platform.platform(),
               "python": platform.python_version()}
    print(f"{machine['cpu']}, {options.threads} threads, batch 1, fp32, {options.repeat} repetitions by turns")
    print(f"{'':<36} {'torsor':>9} {'peer':>9} {'ratio':>7}")
    results = {}
    for name, case in cases.items():
        results[name] = {"case": case}
        for task in TASKS:
            results[name][task] = compare(task, case, options)
            print_result(f"{case['size']}/{case['blocks']} {task}", results[name][task])
    out = pathlib.Path(options.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": machine, "repeat": options.repeat, "results": results}, indent=1) + "\n")
    print(f"written to {out}")


if __name__ == "__main__":
    main()
