"""torsor train --seeds: one configuration, a run for each seed."""
import json
import signal
import subprocess
import time

from cli_support import FAILURE, GENERATED, PROGRAM, TINY, UNSEEN, USAGE, each, equal_weights, flags, refused, snapshot, \
    succeeded, train

# One thread each, as two at a time on two processors have: other numbers of threads round differently.
RUN = {"threads": 1, "max_dataset_size": 6}
INTERRUPTED = 130


def events(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_seed_is_the_run_that_it_would_be_alone(tmp_path):
    done = succeeded(train(tmp_path / "set", seeds="0,2", eval_every=3, eval_features="pixels", **RUN))
    for seed in (0, 2):
        succeeded(train(tmp_path / f"{seed}", seed=seed, **RUN))
        assert equal_weights(tmp_path / "set" / f"seed-{seed}" / "model.safetensors",
                             tmp_path / f"{seed}" / "model.safetensors")
    assert not (tmp_path / "set" / "seed-1").exists()
    assert not equal_weights(tmp_path / "0" / "model.safetensors", tmp_path / "2" / "model.safetensors")
    assert "kid_a_to_b: mean" in done.stdout and "of 2 runs" in done.stdout
    assert f"torsor report {tmp_path}/set/seed-0 {tmp_path}/set/seed-2" in done.stdout


def test_the_same_command_goes_on(tmp_path):
    options = {"seeds": "0-1", "steps": 4, **RUN}
    succeeded(train(tmp_path / "whole", **options))
    succeeded(train(tmp_path / "set", **{**options, "seeds": "0"}))
    finished = snapshot(tmp_path / "set" / "seed-0")
    done = succeeded(train(tmp_path / "set", **options))
    assert "seed 0: was finished before" in done.stderr
    assert snapshot(tmp_path / "set" / "seed-0") == finished, "a finished run stays as it is"
    assert equal_weights(tmp_path / "whole" / "seed-1" / "model.safetensors",
                         tmp_path / "set" / "seed-1" / "model.safetensors")


def test_a_stopped_set_goes_on(tmp_path):
    options = {**GENERATED, **TINY, **UNSEEN, **RUN, "seeds": "0-2", "steps": 30, "checkpoint_every": 5}
    command = [PROGRAM, "train", *flags({**options, "out": tmp_path / "set"})]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = tmp_path / "set" / "seed-0" / "checkpoints"
    for _ in range(2400):
        if first.is_dir() and any(first.iterdir()):
            break
        time.sleep(0.025)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == INTERRUPTED
    assert "to go on, give the same command again" in out
    succeeded(subprocess.run(command, text=True, capture_output=True, timeout=300))
    succeeded(train(tmp_path / "whole", **{**options, "seeds": "0-2"}))
    for seed in range(3):
        model = f"seed-{seed}/model.safetensors"
        assert equal_weights(tmp_path / "set" / model, tmp_path / "whole" / model), seed


def test_a_run_that_diverges_leaves_the_others(tmp_path):
    done = train(tmp_path / "set", "--json-progress", seeds="0-2", lr=1e30, optimizer="sgd", **RUN)
    assert done.returncode == FAILURE
    end = events(done)[-1]
    assert end["event"] == "end" and [run["ending"] for run in end["runs"]] == ["diverged"] * 3
    assert done.stderr.count("torsor: seed ") == 3


def test_what_cannot_be_is_refused(tmp_path):
    taken = tmp_path / "run"
    succeeded(train(taken, steps=1))
    succeeded(train(tmp_path / "set", seeds="3", steps=1, **RUN))
    before = snapshot(tmp_path)

    def refuse(out, options, code, parts):
        refused(train(out, **{**RUN, **options}), code, *parts)

    each(refuse, [
        (tmp_path / "new", {"seeds": "2-0"}, USAGE, ["--seeds", "0-2"]),
        (tmp_path / "new", {"seeds": "one"}, USAGE, ["--seeds", "0-4"]),
        (tmp_path / "new", {"seeds": "0-1", "seed": 3}, USAGE, ["--seeds", "--seed"]),
        (tmp_path / "new", {"seeds": "0-1", "time_budget": "1h"}, USAGE, ["--time-budget", "--epochs"]),
        (tmp_path / "new", {"seeds": "0-1", "restart": True}, USAGE, ["--restart"]),
        (tmp_path / "new", {"seeds": "0-1", "resume": taken}, USAGE, ["--resume"]),
        (taken, {"seeds": "0-1"}, FAILURE, [taken, "another folder"]),
        (tmp_path / "set", {"seeds": "2-3", "steps": 1, "ngf": 6}, FAILURE, ["seed-3", "other settings"]),
    ])
    assert snapshot(tmp_path) == before
