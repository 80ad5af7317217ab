"""The report of a run and the plots of several: made from short runs, and opened in a browser."""
import json
import re
import shlex
import shutil

import pytest

from browser import check_reads_well
from cli_support import FAILURE, SHOWN, USAGE, each, equal_weights, refused, run, snapshot, succeeded, train

SMALL_PHONE = 360


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two short runs that differ in one setting, the first with several sample grids."""
    folder = tmp_path_factory.mktemp("runs")
    first = succeeded(train(folder / "first", log_every=1, sample_every=2, sample_count=2, steps=6, name_a="solid <b>",
                            **SHOWN))
    succeeded(train(folder / "second", log_every=1, sample_every=1, lambda_cycle_a=3, **SHOWN))
    assert f"  report   {folder / 'first' / 'report.html'}" in first.stdout.splitlines()
    return folder


def page_of(path):
    page = path.read_text()
    sources = re.findall(r"(?:src|href)\s*=\s*[\"']([^\"']*)", page)
    assert all(s.startswith("data:") for s in sources)
    return page


def works(seen):
    """Sliders, choices and readouts do what they say."""
    for page in seen.values():
        for slides in page["slides"]:
            assert slides["first"] != slides["last"] and slides["shown"] == 1 and slides["loaded"], slides
        for pair in page["comparisons"]:
            assert pair["part"] == "25%" and pair["loaded"] and pair["other"] != pair["opened"], pair
        for chart in page["charts"]:
            assert chart["keyed"] != chart["opened"] and chart["pointed"] != chart["keyed"], chart
            assert chart["pointed"].startswith("step 1") and chart["opened"].startswith("step "), chart


def test_pages_read_well_and_their_figures_answer(runs, tmp_path):
    both = tmp_path / "both.html"
    done = succeeded(run("report", runs / "first", runs / "second", "--out", both))
    assert done.stdout == f"{both}\n"
    pages = {"one run": page_of(runs / "first" / "report.html"), "two runs": page_of(both)}
    seen = check_reads_well(tmp_path, pages, phone=SMALL_PHONE)
    for name, by_width in seen.items():
        works(by_width)
        page = by_width[SMALL_PHONE]
        assert len(page["slides"]) == (1 if name == "one run" else 2) and page["comparisons"] and page["charts"]
    assert "solid &lt;b&gt; → striped" in pages["one run"] and "<b>" not in pages["one run"].split("<script>")[0]
    assert "lambda_cycle_a" in pages["two runs"] and "6 of 6 steps" in pages["one run"]


def test_the_printed_command_trains_the_same_model(runs, tmp_path):
    page = (runs / "second" / "report.html").read_text()
    command = shlex.split(re.search(r"<pre>(torsor train [^<]*)</pre>", page)[1].replace("&#39;", "'"))
    command[command.index("--out") + 1] = str(tmp_path / "again")
    succeeded(run(*command[1:], "--no-report"))
    assert equal_weights(runs / "second" / "model.safetensors", tmp_path / "again" / "model.safetensors")
    assert not (tmp_path / "again" / "report.html").exists()


def test_a_report_of_what_is_there(runs, tmp_path):
    """A run in progress, whose last line is half-written; one of an older version; one that has only begun."""
    old = tmp_path / "old"
    shutil.copytree(runs / "first", old)
    for name in ("samples.json", "sessions.jsonl", "model.safetensors", "report.html"):
        (old / name).unlink()
    log = (old / "log.jsonl").read_text().splitlines()
    spoilt = json.dumps({**json.loads(log[3]), "cycle_a": None})
    (old / "log.jsonl").write_text("\n".join([*log[:3], spoilt, log[4][:30]]))
    (old / "notices.jsonl").write_text('{"step": 2, "level": "warning", "text": "colours are inverted"}\n')
    before = snapshot(old)
    done = succeeded(run("report", old))
    page = page_of(old / "report.html")
    assert done.stdout == f"{old / 'report.html'}\n"
    for words in ("colours are inverted", "cycle_a was not finite at 1 of 4 logged steps, first at step 4",
                  "does not say what the cells", "1 line of log.jsonl could not be read", "at step 2"):
        assert words in page, words
    begun = tmp_path / "begun"
    begun.mkdir()
    shutil.copy(old / "config.json", begun)
    succeeded(run("report", begun))
    assert "Nothing is logged yet" in page_of(begun / "report.html")
    assert {k: v for k, v in snapshot(old).items() if k != "report.html"} == before, "reading changes nothing"


def test_plots_are_svg_or_png(runs, tmp_path):
    image = pytest.importorskip("PIL.Image")
    succeeded(run("plot", runs / "first"))
    assert (runs / "first" / "losses.svg").read_text().startswith("<?xml")
    for name, arguments in {"over": [], "beside": ["--layout", "beside", "--scalars", "cycle_*,d_a"]}.items():
        out = tmp_path / f"{name}.png"
        succeeded(run("plot", runs / "first", runs / "second", "--out", out, *arguments))
        with image.open(out) as picture:
            colours = len(picture.convert("RGB").getcolors(1 << 24))
            assert picture.size[0] == 1800 and picture.size[1] > 800 and colours > 50


def test_refuses_in_one_line(runs, tmp_path):
    first, second, none = runs / "first", runs / "second", tmp_path / "none"
    none.mkdir()
    each(lambda code, words, expected: refused(run(*words), code, expected), [
        (FAILURE, ["report", none], "not a run directory"),
        (USAGE, ["report"], "RUN is missing"),
        (USAGE, ["report", first, second], "--out is missing"),
        (USAGE, ["report", first, "--out", "page.txt"], ".html"),
        (USAGE, ["plot", first, first, "--out", "x.svg"], "given twice"),
        (USAGE, ["plot", first, "--out", "x.pdf"], ".svg or .png"),
        (USAGE, ["plot", first, "--scalars", "cycle_c"], "did you mean 'cycle_a'"),
        (FAILURE, ["plot", first, "--out", "/nowhere/x.svg"], "/nowhere"),
    ])
