"""torsor doctor: planted faults in small folders, its exit codes, and the oddities of real data."""
import json
import shutil

import pytest

from browser import CHROMIUM, check_reads_well
from cli_support import FAILURE, SOURCE, USAGE, each, picture, refused, run, save, succeeded

DATA = SOURCE.parent / "shared" / "data"
WARNED = 3  # the exit code of --fail-on warning


def doctor(*arguments):
    return run("doctor", "--presets", "none", *arguments)


def found(done):
    """The JSON, and {(id, level): [texts]}."""
    report = json.loads(succeeded(done).stdout)
    texts = {}
    for finding in report["findings"]:
        texts.setdefault((finding["id"], finding["level"]), []).append(finding["text"])
    return report, texts


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    root = tmp_path_factory.mktemp("healthy")
    for domain, first in (("trainA", 0), ("trainB", 50)):
        for i in range(8):
            save(root / domain / f"{first + i}.png", picture(64, 64, seed=first + i))
    return root


@pytest.fixture(scope="module")
def faulty(healthy, tmp_path_factory):
    root = tmp_path_factory.mktemp("faulty") / "data"
    shutil.copytree(healthy, root)
    a, b = root / "trainA", root / "trainB"
    shutil.copy(a / "1.png", a / "copy.png")
    save(a / "near.jpg", picture(64, 64, seed=2), quality=60)
    save(a / "flat.png", picture(64, 64) * 0 + 7)
    save(b / "tiny.png", picture(20, 18, seed=90))
    save(b / "grey.png", picture(64, 64, channels=1, seed=91))
    save(b / "deep.png", picture(64, 64, channels=1, seed=92, dtype="uint16"))
    (b / "broken.png").write_bytes((a / "1.png").read_bytes()[:200])
    return root


def test_healthy_images_have_no_warning(healthy):
    report, _ = found(doctor(healthy, "--json", "--fail-on", "warning"))
    assert report["warnings"] == 0
    assert [(s["title"], s["images"], s["broken"]) for s in report["sets"]] == [("trainA", 8, 0), ("trainB", 8, 0)]
    assert report["command"].startswith(f"torsor train --data {healthy}")


def test_each_planted_fault_is_found(faulty, tmp_path):
    out = tmp_path / "out"
    report, texts = found(doctor(faulty, "--json", "--out", out))
    expected = {"exact_duplicates": ("trainA", "1.png = copy.png"), "near_duplicates": ("2.png = near.jpg",),
                "constant_images": ("flat.png",), "small_images": ("tiny.png",), "channels": ("deep.png, grey.png",),
                "depth": ("8-bit",), "broken_files": ("broken.png", "--skip-bad")}
    assert {name for name, level in texts if level == "warning"} == set(expected)
    for name, parts in expected.items():
        text = " ".join(texts[name, "warning"])
        assert all(part in text for part in parts), text
    assert report == json.loads((out / "doctor.json").read_text())
    assert {"torsor", "warnings", "sets", "findings", "comparison", "presets", "command"} == set(report)
    assert {"level", "id", "text", "files"} == set(report["findings"][0])
    page = (out / "index.html").read_text()
    assert "copy.png" in page and "http" not in page
    assert "--skip-bad" in report["command"]
    refused(doctor(faulty, "--out", out), FAILURE, "doctor.json: exists already", "--overwrite")
    if CHROMIUM:
        check_reads_well(tmp_path, {"doctor": page}, phone=360)


def test_exit_codes_and_what_is_refused(healthy, faulty, tmp_path):
    a = healthy / "trainA"
    assert doctor(faulty, "--fail-on", "warning", "--quiet").returncode == WARNED
    each(lambda words, code, *parts: refused(doctor(*words), code, *parts), [
        ((tmp_path / "none",), FAILURE, "no such folder"),
        (("--a", a), USAGE, "--b is missing"),
        ((), USAGE, "DIR is missing"),
    ])
    refused(run("doctor", a, "--presets", "lptop"), USAGE, "did you mean 'laptop'")


def test_presets_are_timed(healthy):
    done = succeeded(run("doctor", "--a", healthy / "trainA", "--b", healthy / "trainB", "--presets", "laptop"))
    assert "preset laptop (128 pixels): " in done.stdout and "iB" in done.stdout
    assert "suggested:\n  torsor train --a " in done.stdout


@pytest.mark.skipif(not (DATA / "horse2zebra" / "trainB").is_dir(), reason="no ../shared/data/horse2zebra")
def test_the_oddities_of_horse2zebra_are_found():
    _, texts = found(doctor(DATA / "horse2zebra" / "trainB", "--json"))
    double = " ".join(texts["exact_duplicates", "warning"])
    assert "2 groups of identical images in trainB among 4 images" in double
    assert "n02391049_357.jpg = n02391049_6546.jpg" in double or "n02391049_6546.jpg = n02391049_357.jpg" in double
    assert any("7 of 300 images in trainB with one channel" in text for text in texts["channels", "warning"])


@pytest.mark.skipif(not (DATA / "brain" / "slices_mni").is_dir(), reason="no ../shared/data/brain")
def test_the_oddities_of_the_brain_slices_are_found():
    train = DATA / "brain" / "slices_mni" / "train"
    _, texts = found(doctor("--a", train / "T1", "--b", train / "T2", "--json"))
    assert any("in A" in text for text in texts["near_duplicates", "warning"])
    assert any("black" in text for text in texts["background", "info"])
    assert any("199 images of A have partners" in text for text in texts["pairs", "info"])


@pytest.mark.skipif(not (DATA / "facades").is_dir(), reason="no ../shared/data/facades")
def test_pairs_side_by_side_are_told():
    report, texts = found(doctor(DATA / "facades", "--max-images", 12, "--json"))
    assert any("--pairing aligned" in text for text in texts["pairs", "info"])
    assert "--model pix2pix" in report["command"]
