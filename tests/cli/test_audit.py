"""torsor audit by the real program: its files, verdicts, exit codes and messages."""
import json

import pytest

from browser import CHROMIUM, check_reads_well
from cli_support import FAILURE, USAGE, each, flags, image_folder, refused, run, save, picture, succeeded, train

QUICK = {"features": "pixels", "resamples": 100, "threads": 1, "symmetries": "hflip"}


def audit(*arguments, **options):
    return run("audit", *arguments, *flags({**QUICK, **options}))


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Held-out folders a and b of 12 images."""
    root = tmp_path_factory.mktemp("held")
    for i in range(12):
        save(root / "a" / f"{i}.png", picture(width=32, height=32, seed=i))
        save(root / "b" / f"{i}.png", 255 - picture(width=32, height=32, seed=100 + i) // 3)
    return root


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        succeeded(train(root / f"seed{seed}", seed=seed, init_gain=0.3, max_dataset_size=15))
    return [root / "seed0", root / "seed1"]


@pytest.fixture(scope="module")
def audited(two_runs, sets, tmp_path_factory):
    out = tmp_path_factory.mktemp("audited") / "deep" / "out"
    done = succeeded(audit(*two_runs, a=sets / "a", b=sets / "b", out=out))
    return out, done


def test_what_is_not_trained_is_no_solution(audited):
    out, done = audited
    found = json.loads((out / "audit.json").read_text())
    assert found["verdict"] == "cannot_tell" and "verdict: cannot tell" in done.stdout
    assert found["because"] in done.stdout and found["needed"]
    assert [run["name"] for run in found["runs"]] == ["seed0", "seed1"]
    gates = [f for f in found["findings"] if f["role"] == "gate"]
    assert {g["verdict"] for g in gates} <= {"cannot_tell", "green"} and gates
    for finding in found["findings"]:
        for file in finding["files"]:
            assert (out / file).stat().st_size > 0
    assert found["parts"]["seeds"]["pairs"] and "null-task" not in found["parts"]
    assert "null-task" in found["not_measured"] and "anchors" in found["not_measured"]


def test_the_page_is_one_file_with_the_verdict(audited):
    page = (audited[0] / "index.html").read_text()
    assert "cannot tell" in page.lower() and "data:image/png" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page


@pytest.mark.skipif(not CHROMIUM, reason="no chromium")
def test_the_page_reads_well_in_a_browser(audited, tmp_path):
    check_reads_well(tmp_path, {"audit": (audited[0] / "index.html").read_text()}, phone=360)


def test_the_same_command_measures_nothing_again(two_runs, sets, audited):
    out, _ = audited
    part = out / "parts" / "seeds.json"
    stored = json.loads(part.read_text())
    stored["measured"]["names"] = ["kept", "kept too"]
    part.write_text(json.dumps(stored))
    refused(audit(*two_runs, a=sets / "a", b=sets / "b", out=out), FAILURE, out, "--overwrite")
    succeeded(audit(*two_runs, "--overwrite", a=sets / "a", b=sets / "b", out=out))
    assert json.loads((out / "audit.json").read_text())["parts"]["seeds"]["names"] == ["kept", "kept too"]
    succeeded(audit(*two_runs, "--overwrite", a=sets / "a", b=sets / "b", out=out, audit_seed=1))
    assert json.loads((out / "audit.json").read_text())["parts"]["seeds"]["names"] == ["seed0", "seed1"]


def test_a_verdict_can_fail_the_command(two_runs, sets, tmp_path):
    done = audit(two_runs[0], "--json", a=sets / "a", b=sets / "b", out=tmp_path / "out", fail_on="amber")
    assert done.returncode == 3 and json.loads(done.stdout)["verdict"] == "cannot_tell"
    assert audit(two_runs[0], a=sets / "a", b=sets / "b", out=tmp_path / "red", fail_on="red").returncode == 0


def test_drawn_data_bring_their_own_pairs(two_runs, tmp_path):
    out = tmp_path / "out"
    done = succeeded(audit(two_runs[0], data="generated:solid-striped", out=out, max_images=12))
    found = json.loads((out / "audit.json").read_text())
    assert found["images"]["a"]["count"] == 12 and found["images"]["pairs"]["count"] == 12
    assert "test pairs" in done.stdout + done.stderr and "anchors" in found["parts"]


def test_pairs_that_training_saw_are_no_evidence(sets, tmp_path):
    run_folder = tmp_path / "run"
    succeeded(train(run_folder, a=sets / "a", b=sets / "b"))
    held = {"a": sets / "a", "b": sets / "b", "out": tmp_path / "out"}
    refused(audit(run_folder, "--quiet", pairs_a=sets / "a", pairs_b=sets / "b", **held), FAILURE, "12 pairs", "never saw")
    for side in ("a", "b"):
        for i in range(12):
            image = sets / side / f"{i}.png"
            target = tmp_path / "pairs" / side / f"{i}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            if i < 3:
                target.write_bytes(image.read_bytes())
            else:
                save(target, picture(width=32, height=32, seed=500 + i + 50 * (side == "b")))
    done = succeeded(audit(run_folder, pairs_a=tmp_path / "pairs" / "a", pairs_b=tmp_path / "pairs" / "b", **held))
    assert "3 of 12 pairs" in done.stderr
    assert json.loads((tmp_path / "out" / "audit.json").read_text())["images"]["pairs"]["count"] == 9


def test_what_cannot_be_audited_is_refused(two_runs, sets, tmp_path):
    out = tmp_path / "out"
    held = {"a": sets / "a", "b": sets / "b"}
    image_folder(tmp_path / "one", count=1, width=32, height=32)
    grey = tmp_path / "grey"
    succeeded(train(grey, channels_a=1, channels_b=1, max_dataset_size=15))

    def check(code, arguments, options, *parts):
        refused(audit(*arguments, out=out, **options), code, *parts)

    each(check, [
        (USAGE, [two_runs[0]], {"a": sets / "a"}, "--b"),
        (USAGE, [two_runs[0]], {**held, "pairs_a": sets / "a"}, "--pairs-b"),
        (USAGE, [two_runs[0]], {**held, "data": "mnist"}, "--data"),
        (USAGE, [two_runs[0]], {**held, "symmetries": "hflop"}, "hflop", "hflip"),
        (FAILURE, [two_runs[0]], {**held, "a": tmp_path / "none"}, tmp_path / "none"),
        (FAILURE, [two_runs[0], two_runs[0]], held, "same weights"),
        (FAILURE, [two_runs[0], grey], held, "channels"),
        (FAILURE, [tmp_path / "norun"], held, "norun"),
        (FAILURE, [two_runs[0]], {**held, "a": tmp_path / "one"}, "one"),
        (FAILURE, [two_runs[0]], {**held, "pairs_a": sets / "a", "pairs_b": tmp_path / "one"}, "one"),
        (USAGE, [two_runs[0]], {**held, "fail_on": "green"}, "--fail-on"),
        (USAGE, [two_runs[0]], {**held, "groups": "("}, "--groups"),
    ])
    assert not (out / "audit.json").exists()
