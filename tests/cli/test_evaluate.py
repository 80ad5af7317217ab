"""Scores of folders and of models by the real program, and metrics during training."""
import csv
import json
import subprocess
import time

import pytest

from cli_support import (FAILURE, GENERATED, PROGRAM, SOURCE, TINY, USAGE, each, equal_weights, flags, image_folder,
                         picture, refused, run, save, succeeded, translate)

METRICS = SOURCE.parent / "shared" / "golden-metrics"
PIXELS = {"features": "pixels", "resamples": 50, "threads": 1}
SMALL = {**TINY, "load_size": 20, "crop_size": 16, "max_dataset_size": 5, "net_d": "n_layers", "n_layers_d": 1}
WATCHED = {"eval_every": 1, "eval_images": 6, "eval_features": "pixels"}


def evaluate(*arguments, **options):
    return run("evaluate", *arguments, *flags({**PIXELS, **options}))


def numbers(done):
    return json.loads(succeeded(done).stdout)


def log_of(run_directory, *names):
    lines = [json.loads(line) for line in (run_directory / "log.jsonl").read_text().splitlines()]
    return [{name: line[name] for name in ("step", *names)} for line in lines]


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Folders a, the same images again, and eight others."""
    root = tmp_path_factory.mktemp("sets")
    image_folder(root / "a", count=8, width=32, height=32)
    image_folder(root / "same", count=8, width=32, height=32)
    for i in range(8):
        save(root / "b" / f"{i}.png", picture(width=32, height=32, seed=100 + i) // 2)
    return root


@pytest.fixture(scope="module")
def scored(model, sets, tmp_path_factory):
    """The model's evaluation."""
    out = tmp_path_factory.mktemp("scored") / "out"
    done = succeeded(evaluate(model, a=sets / "a", b=sets / "b", metrics="kid,recall", out=out))
    return out, done


def test_folders_of_the_same_images(sets, tmp_path):
    out = tmp_path / "deep" / "out"
    done = numbers(evaluate("--json", real=sets / "a", fake=sets / "same", pairing="aligned", out=out,
                            metrics="psnr,ssim,ssim_gauss,mae,kid,fid"))
    metrics = done["metrics"]
    assert metrics["psnr"]["value"] == "inf" and metrics["mae"]["value"] == 0 and metrics["ssim"]["value"] == 1
    # Unbiased: of two samples of one distribution it is 0 on average, and of one sample twice a little less.
    assert -0.3 < metrics["kid"]["value"] <= 0 and abs(metrics["fid"]["value"]) < 1e-6
    assert metrics["psnr"]["interval"] is None and metrics["psnr"]["no_interval"]
    assert done == json.loads((out / "evaluation.json").read_text())
    rows = list(csv.DictReader((out / "images.csv").read_text().splitlines()))
    assert len(rows) == 8 and rows[3]["image"] == "3.png" and rows[3]["psnr"] == "inf"
    page = (out / "index.html").read_text()
    assert "3.png" in page and "torsor evaluate --real" in page and "http" not in page


@pytest.mark.skipif(not METRICS.is_dir(), reason="the recorded metrics are not there: ../shared/golden-metrics")
def test_recorded_pairs_have_the_recorded_values():
    expected = json.loads((METRICS / "expected.json").read_text())
    folders = {"real": METRICS / "a", "fake": METRICS / "b", "pairing": "aligned"}
    coloured = numbers(evaluate("--json", **folders, metrics="psnr,ssim,ssim_gauss,mae,rmse"))["metrics"]
    grey = numbers(evaluate("--json", **folders, metrics="ssim,ssim_gauss,mae", channels="grey"))["metrics"]
    means = expected["means"]
    found = {"mae": coloured["mae"]["value"], "rmse": coloured["rmse"]["value"],
             "ssim_gauss_rgb": coloured["ssim_gauss"]["value"], "ssim_uniform_rgb": coloured["ssim"]["value"],
             "ssim_gauss_gray": grey["ssim_gauss"]["value"], "ssim_uniform_gray": grey["ssim"]["value"],
             "mae_gray": grey["mae"]["value"], "psnr_over_finite": coloured["psnr"]["value"],
             "psnr_pooled": coloured["psnr"]["pooled"], "rmse_pooled": coloured["rmse"]["pooled"]}
    for name, value in found.items():
        assert value == pytest.approx(means[name], rel=1e-9), name
    assert len(expected["pairs"]) - coloured["psnr"]["infinite"] == means["n_finite_psnr"]


def test_a_model_is_scored_in_both_directions(model, sets, scored, tmp_path):
    out, done = scored
    written = json.loads((out / "evaluation.json").read_text())
    assert set(written["directions"]) == {"a_to_b", "b_to_a"} and written["model"]["step"] == 3
    for part in written["directions"].values():
        kid = part["metrics"]["kid"]
        low, high = kid["interval"]
        assert low <= kid["value"] <= high and kid["copying"]["interval"]
        assert part["protocol"]["real"]["images"] == 8
    assert "copying the inputs:" in done.stdout and written["protocol"]["extractor"]["name"] == "pixels"

    # The same numbers as by hand: translate, then compare folders.
    succeeded(translate(model, sets / "a", tmp_path / "made", format="png"))
    kept = out / "translations" / "a_to_b"
    assert all((kept / p.name).read_bytes() == p.read_bytes() for p in (tmp_path / "made").iterdir())
    by_hand = numbers(evaluate("--json", real=sets / "b", fake=kept, inputs=sets / "a", metrics="kid,recall"))
    assert by_hand["metrics"] == written["directions"]["a_to_b"]["metrics"]


def test_an_evaluation_is_not_overwritten_but_goes_on(model, sets, scored):
    out, _ = scored
    again = {"a": sets / "a", "b": sets / "b", "metrics": "kid,recall", "out": out}
    refused(evaluate(model, **again), FAILURE, "evaluation.json: exists already", "--overwrite")
    before = (out / "evaluation.json").read_bytes()
    times = {p: p.stat().st_mtime_ns for folder in ("translations", "features") for p in (out / folder).rglob("*.*")}
    succeeded(evaluate(model, "--overwrite", **again))
    assert (out / "evaluation.json").read_bytes() == before
    assert {p: p.stat().st_mtime_ns for p in times} == times, "nothing is translated or looked at twice"


def test_the_copy_of_the_inputs_scores_as_copying(sets, tmp_path):
    done = numbers(evaluate("identity", "--json", a=sets / "a", b=sets / "b", metrics="kid", out=tmp_path / "out"))
    for part in done["directions"].values():
        assert part["metrics"]["kid"]["value"] == part["metrics"]["kid"]["copying"]["value"]


def test_two_evaluations_are_compared(sets, scored, tmp_path):
    first = scored[0] / "evaluation.json"
    done = succeeded(run("evaluate", "--compare", first, first))
    assert "a_to_b kid: " in done.stdout and "no larger than its interval" in done.stdout
    other = tmp_path / "other"
    succeeded(evaluate(real=sets / "b", fake=sets / "a", metrics="kid", out=other, seed=3))
    once_more = json.loads((other / "evaluation.json").read_text())
    once_more["metrics"]["kid"]["value"] -= 100
    once_more["metrics"]["kid"]["interval"] = [v - 100 for v in once_more["metrics"]["kid"]["interval"]]
    (tmp_path / "better.json").write_text(json.dumps(once_more))
    better = numbers(run("evaluate", "--compare", "--json", other / "evaluation.json", tmp_path / "better.json"))
    assert better["changes"][0]["change"] == "better" and better["changes"][0]["difference"] == pytest.approx(-100)
    once_more["protocol"]["seed"] = 4
    (tmp_path / "seed.json").write_text(json.dumps(once_more))
    refused(run("evaluate", "--compare", other / "evaluation.json", tmp_path / "seed.json"), FAILURE,
            "cannot be compared", "seed is 3 and 4")


def test_what_cannot_be_scored_is_refused(model, sets, tmp_path):
    image_folder(tmp_path / "one", count=1)
    (tmp_path / "weights.pth").write_bytes(b"no weights")
    real = {"real": sets / "a"}
    cases = [
        ((), real, USAGE, ("--fake is missing",)),
        ((model,), {"a": sets / "a", "out": tmp_path / "x"}, USAGE, ("--b is missing",)),
        ((), {**real, "fake": tmp_path / "one", "metrics": "kid"}, FAILURE, ("2 images",)),
        ((), {**real, "fake": tmp_path / "one", "pairing": "aligned"}, FAILURE,
         ("7 of 8 images", "1.png, 2.png, 3.png", "--skip-bad")),
        ((), {**real, "fake": sets / "b", "features": tmp_path / "weights.pth"}, FAILURE, ("weights.pth",)),
        (("--compare", tmp_path / "weights.pth", tmp_path / "weights.pth"), {}, FAILURE, ("not JSON",)),
    ]
    each(lambda words, options, code, parts: refused(evaluate(*words, **options), code, *parts), cases)


def test_the_best_model_and_the_early_end_survive_a_kill(tmp_path):
    options = {**GENERATED, **SMALL, **WATCHED, "keep_best": "kid_a_to_b", "early_stop": "kid_a_to_b:2", "steps": 12,
               "lr": 0.005, "log_every": 1, "checkpoint_every": 1, "sample_every": 0, "epochs": 100, "epochs_decay": 0}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done = succeeded(run("train", *flags({**options, "out": whole})))
    assert "would give kid_a_to_b" in done.stderr and "best kid_a_to_b:" in done.stderr
    process = subprocess.Popen([PROGRAM, "train", *flags({**options, "out": killed})], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    while process.poll() is None and not list((killed / "checkpoints").glob("*2.safetensors")):
        time.sleep(0.01)
    process.kill()
    process.wait()
    succeeded(run("train", "--resume", killed))
    names = ("kid_a_to_b", "kid_b_to_a")
    log = log_of(whole, *names)
    assert log_of(killed, *names) == log
    assert equal_weights(killed / "best.safetensors", whole / "best.safetensors")
    if len(log) < 12:
        assert "--early-stop: 2 evaluations have not improved kid_a_to_b" in done.stderr
        best = min(line["kid_a_to_b"] for line in log[:-2])
        assert all(line["kid_a_to_b"] >= best for line in log[-2:])
