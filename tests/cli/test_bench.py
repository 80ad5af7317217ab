"""The benchmark runs end to end on tiny networks; what it measures decides nothing here."""
import importlib
import json
import os
import pathlib
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(os.environ.get("TORSOR_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
PROGRAM = pathlib.Path(os.environ.get("TORSOR_BIN", SOURCE / "build" / "torsor")).parent / "bench" / "torsor_bench"


def run(*arguments):
    return subprocess.run([sys.executable, str(SOURCE / "bench" / "run.py"), *map(str, arguments)], text=True,
                          capture_output=True, timeout=300)


@pytest.fixture
def program():
    pytest.importorskip("torch", reason="the peer needs a Python torch", exc_type=ImportError)
    pytest.importorskip("safetensors")
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} was not built (TORSOR_BENCH is off)")
    return PROGRAM


def test_compares_both_programs(program, tmp_path):
    out = tmp_path / "new" / "bench.json"
    done = run("--quick", "--repeat", 2, "--threads", 1, "--program", program, "--out", out)
    assert done.returncode == 0, done.stderr
    written = json.loads(out.read_text())
    assert written["machine"]["threads"] == 1 and written["machine"]["cpu"]
    for one, peers in zip(written["results"], (["eager"], ["eager", "onnxruntime"]), strict=True):
        assert f"{one['case']['task']} 32x32, 1 blocks" in done.stdout
        sides = one["sides"]
        assert list(sides) == ["torsor", *peers] and sides["torsor"]["isa"] in ("plain", "avx2", "avx512")
        for side in sides.values():
            assert len(side["seconds"]) == 2
            assert 0 < side["min_s"] <= side["median_s"]
            assert side["peak_bytes"] > 2 ** 20
            assert side["version"]
        for peer in peers:
            for key in ("min_s", "median_s"):
                assert sides[peer]["ratio"][key] == pytest.approx(sides[peer][key] / sides["torsor"][key])
            memory = sides["torsor"]["peak_bytes"] / sides[peer]["peak_bytes"]
            assert sides[peer]["ratio"]["peak_bytes"] == pytest.approx(memory)


def test_one_peer_may_be_chosen(program, tmp_path):
    out = tmp_path / "bench.json"
    done = run("--quick", "--only", "translate", "--peer", "onnxruntime", "--repeat", 1, "--program", program, "--out", out)
    assert done.returncode == 0, done.stderr
    assert [list(one["sides"]) for one in json.loads(out.read_text())["results"]] == [["torsor", "onnxruntime"]]


def test_a_program_that_computes_something_else_is_noticed(program, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text(f"#!/bin/sh\n'{program}' \"$@\" | sed -u 's/\"cycle_a\":[0-9]/\"cycle_a\":99/'\n")
    wrong.chmod(0o755)
    done = run("--quick", "--repeat", 1, "--program", wrong, "--out", tmp_path / "bench.json")
    assert done.returncode != 0
    assert "torsor and eager do not compute the same: cycle_a" in done.stderr
    assert not (tmp_path / "bench.json").exists()


def test_compares_models(program):
    command = [sys.executable, SOURCE / "bench" / "models.py", "--size", 32, "--blocks", 5, "--ngf", 4, "--repeat", 2, "--program",
               program]
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines()[2:]]
    assert [row[0].strip("| ") for row in rows] == ["cyclegan", "fastcut", "cut"]
    assert rows[0][2] == "1.00" and all(float(row[2]) > 0 for row in rows)
    unknown = subprocess.run([*map(str, command), "--models", "cyclegan", "cutt"], text=True, capture_output=True, timeout=300)
    assert unknown.returncode != 0 and "cutt" in unknown.stderr


@pytest.fixture
def convergence(monkeypatch):
    monkeypatch.syspath_prepend(str(SOURCE / "bench"))
    return importlib.import_module("convergence")


def test_convergence_tells_like_curves_from_unlike_ones(convergence):
    def band(offset):
        return convergence.bands([[(step, 10 / step + seed + offset) for step in range(1, 11)] for seed in (0, 1, 2)])

    assert convergence.compare(band(0), band(0)) == (1, 0, 2)
    share, apart, spread = convergence.compare(band(0), band(1.5))
    assert share == 1 and apart == pytest.approx(1.5) and spread == pytest.approx(2)
    assert convergence.compare(band(0), band(3))[0] == 0
    log = "\n".join(json.dumps({"step": step, "cycle_a": step, "cycle_b": 1.0}) for step in range(1, 101))
    curve = convergence.curve(type("Log", (), {"read_text": lambda self: log})(), ("cycle_a", "cycle_b"))
    assert len(curve) == convergence.POINTS and curve[0] == (3, 3.5)


def test_convergence_trains_and_compares(convergence, tmp_path):
    pytest.importorskip("matplotlib")
    torsor = PROGRAM.parent.parent / "torsor"
    command = [sys.executable, SOURCE / "bench" / "convergence.py", "--lesson-steps", 2, "--seeds", 0, 1, "--out",
               tmp_path / "runs", "--plot", tmp_path / "plot.svg", "--program", torsor]
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("trained: ") == 8 and done.stdout.count("| fast |") == 6, done.stdout
    assert "<svg" in (tmp_path / "plot.svg").read_text()
    some = subprocess.run([*map(str, command), "--tasks", "circles-squares-identity"], text=True, capture_output=True, timeout=300)
    assert some.returncode == 0, some.stderr
    assert "trained: " not in some.stdout and some.stdout.count("| circles and squares | ") == 3, some.stdout
    assert "solid and striped" not in some.stdout


def test_convergence_says_what_is_missing(tmp_path):
    command = [sys.executable, SOURCE / "bench" / "convergence.py", "--tasks", "images", "--out", tmp_path / "runs"]
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, timeout=60)
    assert done.returncode == 2 and "--tasks images needs --data" in done.stderr
    command = [*command[:2], "--tasks", "circles-squares-identity", "--seeds", 0, 1, "--ways", "torch", "--out", tmp_path]
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, timeout=60)
    assert done.returncode == 2 and "need two at the least" in done.stderr


def test_a_missing_program_is_named(tmp_path):
    done = run("--quick", "--program", tmp_path / "absent")
    assert done.returncode == 2
    assert "absent: not there; run make build first" in done.stderr
