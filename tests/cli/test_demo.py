"""The demonstration end to end, too short to learn anything: the page must then say that it failed."""
import json
import os
import pathlib
import re
import subprocess

import pytest
from browser import PHONE, SCREEN, check_reads_well

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
    assert ">This run failed, without identity loss<" in page and ">This run failed, with identity loss<" in page
    sources = re.findall(r"(?:src|href)\s*=\s*[\"']([^\"']*)", page)
    assert len(sources) >= 6 and all(s.startswith(("data:", "#")) for s in sources)
    assert "@import" not in page and "url(" not in page.replace("url(data:", "")


def test_the_page_reads_on_a_phone_and_on_a_screen(made, tmp_path):
    """Nothing has to be scrolled sideways: not the numbers on the hues, nor the images of either training."""
    text = (made[0] / "index.html").read_text()
    assert text.count("hue error after cycle") == 2
    seen = check_reads_well(tmp_path, {"demo": text})["demo"]
    for width, columns in ((PHONE, 3), (SCREEN, 6)):
        page = seen[width]
        assert page["scrolling"] == [] and len(page["commands"]) == len(LESSONS) and len(page["charts"]) == 1
        assert len(page["rows"]) == 2 * len(LESSONS)
        for rows in page["rows"]:
            assert [row["label"] for row in rows] == ["input", "translation", "translated back"]
            assert all(row["images"] == columns and row["side"] == 96 and row["right"] <= width for row in rows), rows


def test_the_page_tells_the_losses_of_the_logs(made):
    """The cycle loss without its weight of 5, on the scale from -1 to 1, as a share of the range."""
    out, _ = made
    page = (out / "index.html").read_text()
    lessons = {lesson["name"]: lesson["losses"] for lesson in json.loads((out / "scores.json").read_text())["lessons"]}
    for name in LESSONS:
        last = json.loads((out / "runs" / name / "log.jsonl").read_text().splitlines()[-1])
        losses = lessons[name]
        assert losses["cycle"] == pytest.approx((last["cycle_a"] + last["cycle_b"]) / 2 / 5 / 2)
        assert losses["generators"] == pytest.approx((last["g_a_to_b"] + last["g_b_to_a"]) / 2)
        assert losses["discriminators"] == pytest.approx((last["d_a"] + last["d_b"]) / 2)
    shown = [f"{100 * lessons[name]['cycle']:.1f} %" for name in LESSONS]
    cells = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in re.findall(r"<tr><td>cycle loss</td>.*", page)]
    assert cells == [["cycle loss", shown[0]], ["cycle loss", *shown[1:]]]


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
                assert min(picture.size) >= 3 * 96
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
