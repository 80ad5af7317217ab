"""Evidence beside each output: calibration, percentiles, several models, and outputs that are withheld."""
import json

import pytest

from cli_support import FAILURE, USAGE, image_folder, load, picture, refused, run, save, snapshot, succeeded, train, translate

numpy = pytest.importorskip("numpy")
pytest.importorskip("PIL.Image")
WITHHELD = 3


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory, model):
    """A model with its calibration, and the folder of images that it is calibrated with."""
    root = tmp_path_factory.mktemp("calibrated")
    images = image_folder(root / "held out", count=20, width=32, height=32)
    done = succeeded(calibrate(model, images, root / "model.safetensors"))
    assert "a_to_b: 20 images" in done.stdout and "b_to_a: 20 images" in done.stdout
    return root


def calibrate(model, images, out, *arguments, b=None):
    return run("calibrate", model, "--a", images, "--b", b or images, "--out", out, "--threads", 1, *arguments)


def evidence_of(path):
    return json.loads((path.parent / (path.name + ".evidence.json")).read_text())


def description(path):
    return json.loads(succeeded(run("inspect", path, "--json")).stdout)


def planted(source, target, **changes):
    """A copy of a model whose calibration has other quantiles: {measure: value of all of them}."""
    safetensors = pytest.importorskip("safetensors")
    numpy_io = pytest.importorskip("safetensors.numpy")
    with safetensors.safe_open(source, "numpy") as opened:
        metadata = {key: value for key, value in opened.metadata().items() if not key.startswith("xxh3")}
    about = json.loads(metadata["torsor.model"])
    for measure, value in changes.items():
        about["calibration"]["a_to_b"][measure]["values"] = [value] * 20
    metadata["torsor.model"] = json.dumps(about)
    numpy_io.save_file(numpy_io.load_file(source), target, metadata)
    return target


def test_a_calibration_is_kept_in_a_copy_of_the_model(calibrated, model):
    kept = description(calibrated / "model.safetensors")["calibration"]
    assert list(kept) == ["a_to_b", "b_to_a"]
    for part in kept.values():
        assert part["images"] == 20 and part["formats"] == ["png"] and part["resize"] is None
        for measure in ("cycle_error", "worst_patch", "discriminator"):
            values = part[measure]["values"]
            assert part[measure]["count"] == 20 and values == sorted(values) and len(set(values)) > 10
    assert "calibration" not in description(model)
    image = calibrated / "held out" / "3.png"
    for name, weights in (("plain.png", model), ("calibrated.png", calibrated / "model.safetensors")):
        succeeded(translate(weights, image, calibrated / name))
    assert (calibrated / "plain.png").read_bytes() == (calibrated / "calibrated.png").read_bytes()


def test_a_calibration_of_too_few_images_is_refused(tmp_path, model, calibrated):
    few = image_folder(tmp_path / "few", count=19)
    out = tmp_path / "m.safetensors"
    refused(calibrate(model, few, out), FAILURE, few, "19 images", "20 or more")
    refused(run("calibrate", model, "--a", few, "--out", out), USAGE, "--b is missing")
    succeeded(run("export", model, tmp_path / "net.pth"))
    refused(calibrate(tmp_path / "net.pth", few, out), FAILURE, "net.pth", "between which domains")
    refused(calibrate(model, few, tmp_path / "m.pth"), USAGE, ".safetensors")
    refused(calibrate(model, few, calibrated / "model.safetensors"), FAILURE, "exists already")
    assert not out.exists()


def test_each_output_has_its_evidence(tmp_path, calibrated):
    source = image_folder(tmp_path / "in", count=3, width=32, height=32)
    weights = calibrated / "model.safetensors"
    done = succeeded(translate(weights, source, tmp_path / "out", evidence=True))
    assert "3 images written" in done.stdout and "warning" not in done.stderr
    succeeded(translate(weights, source, tmp_path / "plain"))
    for i in range(3):
        path = tmp_path / "out" / f"{i}.png"
        found = evidence_of(path)
        assert path.read_bytes() == (tmp_path / "plain" / path.name).read_bytes()
        assert found["input"]["file"] == str(source / path.name) and found["output"]["file"] == path.name
        assert found["model"]["direction"] == "a_to_b" and len(found["model"]["hash"]) == 32
        assert found["output"]["delivered"] is True and found["calibration"] == {"images": 20, "formats": ["png"]}
        # These images are among those of the calibration: each has a rank of its own.
        for measure in ("cycle_error", "worst_patch", "discriminator"):
            assert found[measure]["percentile"] % 5 == pytest.approx(2.5, abs=0.01), found[measure]
        assert found["doubtful"] is False and found["flags"] == [] and found["audit"] is None
        assert found["ensemble"] is None and found["input_distance"]["likeness"] is None
        # The delivered file, brought back as anybody would; the noise is all it lacks.
        succeeded(translate(weights, path, tmp_path / "back" / path.name, direction="b_to_a"))
        error = numpy.abs(load(tmp_path / "back" / path.name) - load(source / path.name)).mean() / 255
        assert found["cycle_error"]["value"] == pytest.approx(error, abs=0.02)


def test_what_is_worse_than_the_calibration_is_withheld(tmp_path, calibrated):
    source = image_folder(tmp_path / "in", count=3, width=32, height=32)
    strict = planted(calibrated / "model.safetensors", tmp_path / "strict.safetensors", cycle_error=0.0)
    flagged = succeeded(translate(strict, source, tmp_path / "flagged", evidence=True))
    assert "3 of 3 images are doubtful; the evidence" in flagged.stderr and (tmp_path / "flagged" / "2.png").exists()
    found = evidence_of(tmp_path / "flagged" / "2.png")
    assert found["doubtful"] and found["cycle_error"]["percentile"] == 100
    assert len(found["flags"]) == 1 and "higher than that of all of the 20 calibration images" in found["flags"][0]

    done = translate(strict, source, tmp_path / "out", evidence=True, refuse="doubtful", json_progress=True)
    assert done.returncode == WITHHELD and "3 of 3 images are doubtful and withheld" in done.stderr
    assert sorted(snapshot(tmp_path / "out")) == [f"{i}.png.evidence.json" for i in range(3)]
    assert evidence_of(tmp_path / "out" / "0.png")["output"]["delivered"] is False
    end = json.loads(done.stdout.splitlines()[-1])
    assert (end["written"], end["doubtful"], end["withheld"]) == (0, 3, 3)
    # Going on looks at what was withheld again; an earlier output of the name does not outlive it.
    for out, existing in (("out", "skip_existing"), ("flagged", "overwrite")):
        done = translate(strict, source, tmp_path / out, evidence=True, refuse="doubtful", **{existing: True})
        assert done.returncode == WITHHELD, existing
    assert sorted(snapshot(tmp_path / "flagged")) == [f"{i}.png.evidence.json" for i in range(3)]

    lax = planted(calibrated / "model.safetensors", tmp_path / "lax.safetensors", cycle_error=9.0, worst_patch=9.0,
                  discriminator=-9.0)
    done = succeeded(translate(lax, source, tmp_path / "lax", evidence=True, refuse="doubtful"))
    assert "3 images written" in done.stdout and "doubtful" not in done.stderr


def test_a_calibration_of_other_weights_counts_for_nothing(tmp_path, calibrated, model):
    other = planted(calibrated / "model.safetensors", tmp_path / "other.safetensors")
    safetensors, numpy_io = pytest.importorskip("safetensors"), pytest.importorskip("safetensors.numpy")
    with safetensors.safe_open(other, "numpy") as opened:
        metadata = opened.metadata()
    tensors = numpy_io.load_file(other)
    key = next(key for key in tensors if key.startswith("net/g_b_to_a/") and key.endswith("weight"))
    tensors[key] = tensors[key] * numpy.float32(1.5)
    numpy_io.save_file(tensors, other, metadata)
    image = save(tmp_path / "x.png", picture(32, 32))
    done = succeeded(translate(other, image, tmp_path / "y.png", evidence=True))
    assert "other weights" in done.stderr
    found = evidence_of(tmp_path / "y.png")
    assert found["cycle_error"]["percentile"] is None and "other weights" in found["cycle_error"]["because"]
    assert found["calibration"] is None and found["cycle_error"]["value"] > 0
    refused(translate(other, image, tmp_path / "z.png", evidence=True, refuse="doubtful"), FAILURE, "--refuse doubtful",
            "other weights")
    assert not (tmp_path / "z.png").exists()


def test_the_lossy_format_is_measured(tmp_path, calibrated):
    noise = numpy.random.default_rng(1).integers(0, 256, (32, 32, 3)).astype("uint8")
    image = save(tmp_path / "x.png", noise)
    weights = calibrated / "model.safetensors"
    values = {}
    for name, options in (("y.png", {}), ("y.jpg", {"quality": 5})):
        succeeded(translate(weights, image, tmp_path / name, evidence=True, **options))
        found = evidence_of(tmp_path / name)
        values[name] = found["cycle_error"]["value"]
        assert any("unlike losses" in note for note in found["notes"]) == name.endswith("jpg")
    assert values["y.png"] != pytest.approx(values["y.jpg"], abs=1e-4)


def test_several_models_give_a_spread(tmp_path, calibrated, model):
    second = tmp_path / "second run"
    succeeded(train(second, init_gain=0.3, max_dataset_size=15, seed=5))
    source = image_folder(tmp_path / "in", count=2, width=32, height=32)
    weights = calibrated / "model.safetensors"
    done = succeeded(translate(weights, source, tmp_path / "mean", evidence=True, also=second, ensemble="mean",
                               doubt_spread=1, bit_depth=16))
    assert "2 images written" in done.stdout
    succeeded(translate(weights, source, tmp_path / "one", bit_depth=16))
    succeeded(translate(second, source, tmp_path / "two", bit_depth=16))
    one, two, mean = (load_deep(tmp_path / name / "1.png") for name in ("one", "two", "mean"))
    assert numpy.abs((one + two) / 2 - mean).max() <= 1.01
    found = evidence_of(tmp_path / "mean" / "1.png")
    about = found["ensemble"]
    assert len(about["models"]) == 2 and about["output"] == "mean" and "bounds no error" in about["sentence"]
    spread = numpy.abs(one - two).mean(2) / numpy.sqrt(2) / 65535
    assert about["spread"] == pytest.approx(spread.mean(), abs=1e-4) and about["worst_patch"] >= about["spread"]
    assert about["spread_map"] == "1.png.spread.png" and about["spread_map_white"] == 65535
    stored = load(tmp_path / "mean" / "1.png.spread.png")
    assert numpy.abs(stored - spread * 65535).max() <= 2 and stored.max() > 255
    assert found["cycle_error"]["percentile"] is None and "mean of 2 models" in found["cycle_error"]["because"]

    done = translate(weights, source, tmp_path / "strict", evidence=True, also=second, doubt_spread=0, refuse="doubtful",
                     doubt_percentile=100)
    assert done.returncode == WITHHELD and not (tmp_path / "strict" / "0.png").exists()
    assert "The 2 models differ by" in evidence_of(tmp_path / "strict" / "0.png")["flags"][0]
    refused(translate(weights, source, tmp_path / "same", evidence=True, also=model), FAILURE, model, "the same weights as",
            weights)


def load_deep(path):
    """RGB of 16 bits, which Pillow would read as 8."""
    png = path.read_bytes()
    import struct
    import zlib
    width, height, data, at = 0, 0, b"", 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        chunk = png[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", chunk[:10])
            assert (depth, colour) == (16, 2)
        data += chunk if kind == b"IDAT" else b""
        at += 12 + size
    raw, stride = zlib.decompress(data), width * 6
    rows, above = [], bytearray(stride)
    for y in range(height):
        how, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride):
            left, up, corner = (row[i - 6] if i >= 6 else 0), above[i], (above[i - 6] if i >= 6 else 0)
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda v: abs(guess - v))
            row[i] = (row[i] + (0, left, up, (left + up) // 2, paeth)[how]) % 256
        rows.append(row)
        above = row
    return numpy.frombuffer(b"".join(map(bytes, rows)), ">u2").reshape(height, width, 3).astype(float)


def test_an_output_without_evidence_is_not_there_yet(tmp_path, calibrated):
    source = image_folder(tmp_path / "in", count=3, width=32, height=32)
    weights = calibrated / "model.safetensors"
    succeeded(translate(weights, source, tmp_path / "out", evidence=True))
    before = snapshot(tmp_path / "out")
    refused(translate(weights, source, tmp_path / "out", evidence=True), FAILURE, "exists already")
    (tmp_path / "out" / "1.png.evidence.json").unlink()
    (tmp_path / "out" / "2.png").unlink()
    refused(translate(weights, source / "2.png", tmp_path / "out" / "2.png", evidence=True), FAILURE,
            "2.png.evidence.json", "exists already")
    done = succeeded(translate(weights, source, tmp_path / "out", evidence=True, skip_existing=True))
    assert "2 images written" in done.stdout and "1 kept" in done.stdout
    assert snapshot(tmp_path / "out") == before


def test_the_last_audit_of_these_weights_is_in_the_evidence(tmp_path, calibrated):
    weights = tmp_path / "model.safetensors"
    weights.write_bytes((calibrated / "model.safetensors").read_bytes())
    image = save(tmp_path / "x.png", picture(32, 32))
    succeeded(translate(weights, image, tmp_path / "y.png", evidence=True))
    generators = evidence_of(tmp_path / "y.png")["model"]["hash"]
    for hash, verdict in ((generators, "red"), ("0" * 32, None)):
        (tmp_path / "audit").mkdir(exist_ok=True)
        audit = {"verdict": "red", "because": "Runs differ.", "runs": [{"name": "run", "hash": hash}]}
        (tmp_path / "audit" / "audit.json").write_text(json.dumps(audit))
        succeeded(translate(weights, image, tmp_path / "y.png", evidence=True, overwrite=True))
        found = evidence_of(tmp_path / "y.png")
        assert (found["audit"] or {}).get("verdict") == verdict
        assert any("other weights" in note for note in found["notes"]) == (verdict is None)


def test_an_odd_input_is_flagged(tmp_path):
    draw = numpy.random.default_rng(2)

    def folder(name, level):
        for i in range(20):
            pixels = numpy.clip(level + draw.normal(0, 4) + draw.normal(0, 6, (32, 32, 3)), 0, 255).astype("uint8")
            save(tmp_path / name / f"{i:02}.png", pixels)
        return tmp_path / name

    dark, bright = folder("dark", 60), folder("bright", 190)
    succeeded(train(tmp_path / "run", a=dark, b=bright, steps=1))
    source = tmp_path / "in"
    for name, image in (("own", dark / "03.png"), ("other", bright / "03.png")):
        save(source / f"{name}.png", load(image).astype("uint8"))
    save(source / "neither.png", draw.integers(0, 256, (32, 32, 3)).astype("uint8"))
    done = translate(tmp_path / "run", source, tmp_path / "out", evidence=True, refuse="doubtful")
    assert done.returncode == WITHHELD
    found = {name: evidence_of(tmp_path / "out" / f"{name}.png") for name in ("own", "other", "neither")}
    assert {name: one["input_distance"]["likeness"] for name, one in found.items()} == {name: name for name in found}
    assert (tmp_path / "out" / "own.png").exists() and not (tmp_path / "out" / "other.png").exists()
    assert found["own"]["input_distance"]["value"] <= found["own"]["input_distance"]["limit"]
    assert found["neither"]["input_distance"]["value"] > found["neither"]["input_distance"]["limit"]


def test_a_model_without_a_way_back_says_so(tmp_path):
    succeeded(train(tmp_path / "run", model="cut"))
    image = save(tmp_path / "x.png", picture(32, 32))
    succeeded(translate(tmp_path / "run", image, tmp_path / "y.png", evidence=True))
    found = evidence_of(tmp_path / "y.png")
    assert found["cycle_error"]["value"] is None and "no generator b_to_a" in found["cycle_error"]["because"]
    assert found["discriminator"]["value"] is not None
    images = image_folder(tmp_path / "a", count=20, width=32, height=32)
    refused(calibrate(tmp_path / "run", images, tmp_path / "m.safetensors"), USAGE, "--b", "no generator b_to_a")
    succeeded(run("calibrate", tmp_path / "run", "--a", images, "--out", tmp_path / "m.safetensors"))
    assert description(tmp_path / "m.safetensors")["calibration"]["a_to_b"]["cycle_error"] is None
    succeeded(translate(tmp_path / "m.safetensors", image, tmp_path / "z.png", evidence=True))
    assert evidence_of(tmp_path / "z.png")["discriminator"]["percentile"] is not None


def test_what_cannot_have_evidence_is_refused(tmp_path, model, calibrated):
    image = save(tmp_path / "x.png", picture(32, 32))
    out = tmp_path / "y.png"
    refused(translate(model, image, "-", evidence=True), USAGE, "--evidence", "standard output")
    refused(translate(model, image, out, evidence=True, as_reference=True), USAGE, "--as-reference")
    refused(translate(model, image, out, also=model), USAGE, "--also", "--evidence")
    refused(translate(model, image, out, refuse="doubtful"), USAGE, "--refuse", "--evidence")
    refused(translate(model, image, out, evidence=True, ensemble="mean"), USAGE, "--ensemble", "--also")
    refused(run("translate", model, image, "--in-place", "--evidence", "--refuse", "doubtful"), USAGE, "--in-place")
    refused(translate(model, image, out, evidence=True, refuse="doubtful"), FAILURE, "--refuse doubtful", "torsor calibrate")
    pages = [pytest.importorskip("PIL.Image").fromarray(picture(32, 32, seed=i)) for i in range(2)]
    pages[0].save(tmp_path / "p.tif", save_all=True, append_images=pages[1:])
    refused(translate(calibrated / "model.safetensors", tmp_path / "p.tif", tmp_path / "q.tif", evidence=True), FAILURE,
            "p.tif", "2 pages")
    assert not out.exists() and not (tmp_path / "q.tif").exists()
