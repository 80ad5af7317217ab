"""torsor transport by the real program: its files, figures and messages."""
import json
import signal
import subprocess

import pytest

from browser import CHROMIUM, check_reads_well
from cli_support import FAILURE, PROGRAM, USAGE, each, flags, image_folder, picture, refused, run, save, succeeded, train

QUICK = {"subsamples": 10, "splits": 2, "threads": 1}
FIGURES = ("own", "cost", "optimal", "random", "gap")


def transport(*arguments, **options):
    return run("transport", *arguments, *flags({**QUICK, **options}))


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Folders a of 12 images and b of 10."""
    root = tmp_path_factory.mktemp("held")
    for i in range(12):
        save(root / "a" / f"{i:02}.png", picture(width=32, height=32, seed=i))
    for i in range(10):
        save(root / "b" / f"{i:02}.png", 255 - picture(width=32, height=32, seed=100 + i) // 3)
    return root


@pytest.fixture(scope="module")
def measured(model, sets, tmp_path_factory):
    out = tmp_path_factory.mktemp("measured") / "deep" / "out"
    return out, succeeded(transport(model, a=sets / "a", b=sets / "b", out=out))


def test_every_figure_is_there_in_both_directions(measured):
    out, done = measured
    found = json.loads((out / "transport.json").read_text())
    assert set(found["directions"]) == {"a_to_b", "b_to_a"}
    for name, count in (("a_to_b", 12), ("b_to_a", 10)):
        direction = found["directions"][name]
        for figure in FIGURES:
            low, high = direction[figure]["interval"]
            assert low <= direction[figure]["value"] <= high, (name, figure)
        own = direction["own"]
        assert own["value"] >= 1 and own["shuffled"] >= 1 and own["sizes"][-1]["images"] == count
        assert own["bound"] < 1e-9 and direction["optimal"]["bound"] < 1e-9
        assert direction["optimal"]["value"] < direction["random"]["value"]
        assert direction["optimal"]["corrected"]["images"] == 5
        blocks = direction["blocks"]
        assert blocks["count"] == 1 and blocks["shares"] == [1] and blocks["normalised"]
        assert blocks["energy"]["value"] == pytest.approx(1, rel=0.01), "set by its instance norm"
        assert blocks["straightness"]["value"] == pytest.approx(1)
        assert 0 <= direction["violated"]["pairs"]["value"] <= 1
    # What is between the domains does not mind the direction.
    one, other = found["directions"].values()
    assert one["random"]["value"] == pytest.approx(other["random"]["value"], rel=1e-12)
    assert one["optimal"]["value"] == pytest.approx(other["optimal"]["value"], rel=1e-9)
    assert "no proof that translations are right" in done.stdout and "own" in done.stdout


def test_the_page_is_one_file(measured):
    page = (measured[0] / "index.html").read_text()
    assert "data:image/png" in page and "torsor transport" in page and "need not be the cheapest" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page


@pytest.mark.skipif(not CHROMIUM, reason="no chromium")
def test_the_page_reads_well_in_a_browser(measured, tmp_path):
    check_reads_well(tmp_path, {"transport": (measured[0] / "index.html").read_text()}, phone=360)


def test_the_same_command_finds_the_same(model, sets, measured, tmp_path):
    out, _ = measured
    again = {"a": sets / "a", "b": sets / "b"}
    refused(transport(model, **again, out=out), FAILURE, "transport.json: exists already", "--overwrite")
    printed = succeeded(transport(model, "--json", **again, out=tmp_path / "again"))
    assert json.loads(printed.stdout) == json.loads((out / "transport.json").read_text())


def test_costs_in_pixels_are_those_of_the_images(sets, tmp_path):
    """The generator that copies: what it costs is nothing, and between the domains what numpy says."""
    numpy = pytest.importorskip("numpy")
    from cli_support import load
    a, b = ([load(p) / 127.5 - 1 for p in sorted((sets / name).iterdir())] for name in "ab")
    pairs = numpy.array([[x - y for y in b] for x in a])
    for cost, numbers in (("squared", pairs ** 2), ("absolute", abs(pairs)), ("power", abs(pairs) ** 3)):
        out = tmp_path / cost
        done = transport("identity", "--json", a=sets / "a", b=sets / "b", out=out, cost=cost, cost_power=3, resize=32)
        for direction in json.loads(succeeded(done).stdout)["directions"].values():
            assert direction["own"]["value"] == 1 and direction["cost"]["value"] == 0
            assert direction["own"]["shuffled"] == "inf"
            assert direction["random"]["value"] == pytest.approx(numbers.mean(), rel=1e-5)
            assert direction["violated"]["pairs"]["value"] == 0
            assert "no residual blocks" in direction["blocks"]["not_measured"]


def test_the_plan_between_the_domains_is_scipys(sets, measured):
    numpy, optimize = pytest.importorskip("numpy"), pytest.importorskip("scipy.optimize")
    from cli_support import load
    a, b = ([load(p) / 127.5 - 1 for p in sorted((sets / name).iterdir())] for name in "ab")
    costs = numpy.array([[((x - y) ** 2).mean() for y in b] for x in a])
    # 12 to 10 points: each as often as the other set has points.
    spread = numpy.repeat(numpy.repeat(costs, 10, 0), 12, 1)
    expected = spread[optimize.linear_sum_assignment(spread)].mean()
    found = json.loads((measured[0] / "transport.json").read_text())
    assert found["directions"]["a_to_b"]["optimal"]["value"] == pytest.approx(expected, rel=1e-5)


def test_drawn_data_features_and_groups(model, tmp_path):
    done = succeeded(transport(model, "--json", data="generated:solid-striped", max_images=12, features="random-vgg",
                               groups="^(.)", out=tmp_path / "out"))
    found = json.loads(done.stdout)
    assert found["protocol"]["extractor"]["name"] == "random-vgg"
    assert found["about"]["a"]["count"] == 12 and found["about"]["a"]["groups"] < 12


def test_a_generator_without_residual_blocks(sets, tmp_path):
    unet = tmp_path / "unet"
    succeeded(train(unet, net_g="unet_128", load_size=128, crop_size=128, max_dataset_size=15))
    done = succeeded(transport(unet, a=sets / "a", b=sets / "b", out=tmp_path / "out", subsamples=0))
    found = json.loads((tmp_path / "out" / "transport.json").read_text())["directions"]["a_to_b"]
    assert "no residual blocks" in found["blocks"]["not_measured"] and "blocks    not measured" in done.stdout
    assert found["own"]["value"] >= 1 and found["own"]["interval"] is None and found["own"]["no_interval"]


def test_one_image_has_figures_without_intervals(model, sets, tmp_path):
    one = image_folder(tmp_path / "one", count=1, width=32, height=32)
    found = json.loads(succeeded(transport(model, "--json", a=one, b=sets / "b", out=tmp_path / "out")).stdout)
    assert found["directions"]["a_to_b"]["own"]["value"] == 1
    assert found["directions"]["a_to_b"]["optimal"]["corrected"]["value"] is None
    assert found["directions"]["a_to_b"]["cost"]["no_interval"]


def test_what_cannot_be_measured_is_refused(model, sets, tmp_path):
    out = tmp_path / "out"
    held = {"a": sets / "a", "b": sets / "b"}
    mixed = tmp_path / "mixed"
    succeeded(train(mixed, channels_b=1, lambda_identity=0, max_dataset_size=15))
    whole = tmp_path / "whole"
    succeeded(train(whole, preprocess="none", max_dataset_size=15))
    big = image_folder(tmp_path / "big", count=6, width=48, height=48)

    def check(code, arguments, options, *parts):
        refused(transport(*arguments, **{"out": out, **options}), code, *parts)

    each(check, [
        (USAGE, [model], {"a": sets / "a"}, "--b is missing"),
        (USAGE, [model], {**held, "out": None}, "--out is missing"),
        (USAGE, [model], {**held, "data": "mnist"}, "--data and --a, --b exclude each other"),
        (USAGE, [model], {**held, "cost": "cubic"}, "cost", "squared"),
        (USAGE, [model], {**held, "cost": "power", "cost_power": 1}, "--cost-power"),
        (USAGE, [model], {**held, "groups": "("}, "--groups"),
        (USAGE, [model], {**held, "features": "random-vgq"}, "random-vgq", "random-vgg"),
        (FAILURE, [model], {**held, "a": tmp_path / "none"}, tmp_path / "none"),
        (FAILURE, [tmp_path / "norun"], held, "norun"),
        (FAILURE, [whole], {**held, "b": big}, "32x32", "48x48", "--resize"),
        (FAILURE, [mixed], held, "images of A have 3 channels and those of B 1", "--features"),
    ])
    assert not out.exists() or not any(out.iterdir())
    # In features they can be compared.
    succeeded(transport(mixed, **held, out=out, features="random-vgg", subsamples=0, path_images=1))


def test_a_stop_leaves_nothing_half_written(model, sets, tmp_path):
    out = tmp_path / "out"
    words = flags({**QUICK, "a": sets / "a", "b": sets / "b", "out": out, "subsamples": 10000})
    with subprocess.Popen([PROGRAM, "transport", str(model), *words, "--json-progress"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        for line in started.stdout:
            if json.loads(line)["event"] == "progress":
                break
        started.send_signal(signal.SIGINT)
        _, errors = started.communicate(timeout=60)
    assert started.returncode == 128 + signal.SIGINT and "stopped: nothing is written" in errors
    assert not (out / "transport.json").exists()
