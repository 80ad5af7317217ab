"""The demonstration end to end, too short to learn anything: the page must then say that it failed."""
import json
import os
import pathlib
import re
import subprocess

import pytest
from browser import check_reads_well

SOURCE = pathlib.Path(os.environ.get("TORSOR_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
PROGRAM = os.environ.get("TORSOR_BIN", str(SOURCE / "build" / "torsor"))
LESSONS = ["solid-striped", "circles-squares", "circles-squares-identity"]


def demo(out, *arguments):
    return subprocess.run([PROGRAM, "demo", "--out", str(out), "--steps", "2", "--images", "8", *map(str, arguments)],
                          text=True, capture_output=True, timeout=300)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "pages"
    done = demo(out)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_prints_each_score_and_where_the_page_is(made):
    out, printed = made
    for lesson in LESSONS:
        assert re.search(rf"^{lesson}: a_to_b \d+ % right.* b_to_a \d+ % right.*: FAILED$", printed, re.M)
    assert str(out / "index.html") in printed


def test_the_page_says_that_the_runs_failed_and_loads_nothing_from_elsewhere(made):
    out, _ = made
    page = (out / "index.html").read_text()
    assert page.count("This run failed") == 3
    assert "As expected" not in page
    assert ">This run failed, without an identity term<" in page and ">This run failed, with an identity term<" in page
    sources = re.findall(r"(?:src|href)\s*=\s*[\"']([^\"']*)", page)
    assert len(sources) >= 6 and all(s.startswith(("data:", "#")) for s in sources)
    assert "<script" not in page and "@import" not in page and "url(" not in page.replace("url(data:", "")


def test_the_page_reads_on_a_phone_and_on_a_screen(made, tmp_path):
    check_reads_well(tmp_path, {"demo": (made[0] / "index.html").read_text()})


def test_writes_the_scores_and_a_picture_of_each_direction(made):
    image = pytest.importorskip("PIL.Image")
    out, _ = made
    scores = json.loads((out / "scores.json").read_text())
    assert [lesson["name"] for lesson in scores["lessons"]] == LESSONS
    for lesson in scores["lessons"]:
        assert lesson["steps"] == 2 and not lesson["passed"]
        for direction in lesson["directions"]:
            assert direction["images"] == 8 and direction["pass"] < 0.9
            with image.open(out / f"{lesson['name']}-{direction['direction']}.png") as picture:
                assert min(picture.size) >= 3 * 64
        assert (out / "runs" / lesson["name"] / "model.safetensors").exists()


def test_the_printed_command_trains_the_same_model(made, tmp_path):
    out, _ = made
    page = (out / "index.html").read_text()
    command = next(line for line in re.findall(r"torsor train [^<]*", page) if "circles-squares" in line)
    arguments = command.split()[1:]
    arguments[arguments.index("RUN")] = str(tmp_path / "again")
    done = subprocess.run([PROGRAM, *arguments], text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    load = pytest.importorskip("safetensors.numpy").load_file
    first = load(out / "runs" / "circles-squares" / "model.safetensors")
    again = load(tmp_path / "again" / "model.safetensors")
    assert first.keys() == again.keys()
    assert all((first[key] == again[key]).all() for key in first)


def test_an_earlier_demonstration_is_kept_unless_told(made):
    out, _ = made
    before = (out / "index.html").read_bytes()
    done = demo(out)
    assert done.returncode == 2
    assert "--overwrite" in done.stderr and done.stderr.count("\n") == 1
    assert (out / "index.html").read_bytes() == before
    done = demo(out, "--overwrite", "--lesson", "solid-striped", "--seed", 1)
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "scores.json").read_text())["seed"] == 1


def test_usage(tmp_path):
    done = demo(tmp_path, "--lesson", "circle-squares")
    assert done.returncode == 2 and "circles-squares" in done.stderr
    file = tmp_path / "file"
    file.write_text("kept")
    done = demo(file)
    assert done.returncode == 2 and "is a file" in done.stderr and file.read_text() == "kept"
