"""The fingerprint of the training images, computed a second time in Python from its description, and its warnings."""
import json

import pytest

from cli_support import run, save, succeeded, train, translate

numpy = pytest.importorskip("numpy")
STEP = 1 / 255
FLOORS = numpy.array([0.02] * 6 + [0.1] * 4 + [0.02] * 3 + [0.1] + [0.02] * 5)


def pictures(kind, count, seed):
    """Waves on a coloured ground: the two kinds differ in colour and in the length of the waves."""
    draw = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:40, 0:48]
    ground, length = {"warm": ((200, 120, 60), 25), "cold": ((70, 120, 190), 6)}[kind]
    for _ in range(count):
        wave = numpy.sin((x * draw.normal(1, 0.2) + y * draw.normal(0.3, 0.2)) / length * 6.3 + draw.uniform(0, 6))
        noise = draw.normal(0, 6, (40, 48, 3))
        yield numpy.clip(numpy.array(ground) + draw.normal(0, 15, 3) + 35 * wave[..., None] + noise, 0, 255).astype("uint8")


def folder(path, kind, count, seed):
    for i, image in enumerate(pictures(kind, count, seed)):
        save(path / f"{i:03}.png", image)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("fingerprint")
    a, b = folder(root / "warm", "warm", 40, 1), folder(root / "cold", "cold", 50, 2)
    succeeded(train(root / "run", a=a, b=b, steps=1, note="a note", licence="CC0"))
    return root


def halved(y):
    h, w = y.shape[0] // 2, y.shape[1] // 2
    return y[:2 * h, :2 * w].reshape(h, 2, w, 2).mean((1, 3))


def features(image):
    r, g, b = (image[..., c] / 255 for c in range(3))
    y, p, q = (r + g + b) / 3, r - g, (r + g) / 2 - b
    detail, skew, scaled = [], [], y
    lean = {}
    for scale in (1, 2, 4, 8):
        across, down = numpy.abs(numpy.diff(scaled, axis=1)), numpy.abs(numpy.diff(scaled, axis=0))
        lean[scale] = (across.mean() - down.mean()) / (across.mean() + down.mean() + 2 * STEP)
        if scale == 1:
            flat = (numpy.sum(across < 2.5 * STEP) + numpy.sum(down < 2.5 * STEP)) / (across.size + down.size)
        around = sum(scaled[i:scaled.shape[0] - 2 + i, j:scaled.shape[1] - 2 + j] for i in range(3) for j in range(3)) / 9
        rest = scaled[1:-1, 1:-1] - around
        detail.append(numpy.log(numpy.sqrt((rest ** 2).mean()) + STEP))
        skew.append((rest * numpy.abs(rest)).mean() / ((rest ** 2).mean() + STEP ** 2))
        scaled = halved(scaled)
    edges = numpy.mean([numpy.abs(numpy.diff(plane, axis=axis)).mean() for plane in (p, q) for axis in (0, 1)])
    h, w = y.shape
    return numpy.array([y.mean(), y.std(), p.mean(), p.std(), q.mean(), q.std(), *detail, lean[1], lean[4], flat,
                        numpy.log(edges + STEP), *skew[:3], y[:h // 2].mean() - y[h - h // 2:].mean(),
                        y[h // 4:h - h // 4, w // 4:w - w // 4].mean() - y.mean()])


def gaussian(x):
    n, p = x.shape
    covariance = numpy.cov(x.T)
    sd = numpy.sqrt(numpy.diag(covariance) + FLOORS ** 2)
    correlation = covariance / numpy.outer(sd, sd) * n / (n + p)
    numpy.fill_diagonal(correlation, 1)
    return x.mean(0), sd, correlation


def distances(shape, x):
    mean, sd, correlation = shape
    z = (x - mean) / sd
    return numpy.sqrt(numpy.einsum("ij,jk,ik->i", z, numpy.linalg.inv(correlation), z))


def upper_limit(v):
    n, middle = len(v), numpy.median(v)
    deviation = 1.4826 * numpy.median(numpy.abs(v - middle))
    limit = max(middle + (2.33 + 4.9 / numpy.sqrt(n)) * deviation, numpy.sort(v)[int(numpy.ceil(0.98 * n)) - 1])
    return min(limit, v.max()) if n >= 100 else limit


def held_out(x):
    """d[k][j]: the images of domain k from domain j."""
    d = [[numpy.zeros(len(x[k])) for _ in range(2)] for k in range(2)]
    for fold in range(4):
        held = [numpy.arange(len(of)) * 4 // len(of) == fold for of in x]
        for j in range(2):
            shape = gaussian(x[j][~held[j]])
            for k in range(2):
                d[k][j][held[k]] = distances(shape, x[k][held[k]])
    return d


def test_it_is_what_the_documentation_says(trained):
    domains = json.loads(succeeded(run("inspect", "--json", trained / "run")).stdout)["domains"]
    images = [list(pictures("warm", 40, 1)), list(pictures("cold", 50, 2))]
    x = [numpy.array([features(image) for image in of]) for of in images]
    d = held_out(x)
    limits = [max(19 ** 0.5, numpy.exp(upper_limit(numpy.log(d[k][k])))) for k in range(2)]
    for k, letter in enumerate("ab"):
        found = domains[letter]["fingerprint"]
        assert found["images"] == len(images[k])
        samples = numpy.array(images[k]).reshape(-1, 3)
        for c in range(3):
            channel = found["channels"][c]
            assert channel["mean"] == pytest.approx(samples[:, c].mean(), abs=1e-5)
            assert channel["std"] == pytest.approx(samples[:, c].std(), abs=1e-5)
            assert channel["histogram"] == numpy.histogram(samples[:, c], 32, (0, 256))[0].tolist()
        mean, sd, correlation = gaussian(x[k])
        known = found["recognition"]
        assert known["images"] == len(images[k]) and len(known["features"]) == 19
        assert known["mean"] == pytest.approx(mean, abs=2e-6)
        assert known["sd"] == pytest.approx(sd, abs=2e-6)
        assert known["correlation"] == pytest.approx(correlation[numpy.tril_indices(19, -1)], abs=2e-6)
        other = max(0, upper_limit(d[k][k] - d[k][1 - k]))
        told = (d[1 - k][k] - d[1 - k][1 - k] > other) & (d[1 - k][1 - k] <= limits[1 - k])
        assert known["limit"] == pytest.approx(limits[k], abs=1e-4)
        assert known["other_limit"] == pytest.approx(other, abs=1e-4)
        assert known["other_power"] == pytest.approx(told.mean(), abs=1e-6)


def test_train_keeps_the_users_note_and_licence(trained):
    found = json.loads(succeeded(run("inspect", "--json", trained / "run")).stdout)
    assert (found["note"], found["licence"]) == ("a note", "CC0")
    text = succeeded(run("inspect", trained / "run")).stdout
    assert "a note" in text and "in all; --json shows them]" in text
    assert max(map(len, text.splitlines())) < 400


def warned(trained, source, name, **options):
    return succeeded(translate(trained / "run", source, trained / name, **options)).stderr


def test_images_of_the_right_domain_pass(trained):
    assert warned(trained, folder(trained / "warm2", "warm", 20, 3), "out1") == ""
    assert warned(trained, folder(trained / "cold2", "cold", 20, 4), "out2", direction="b_to_a") == ""


def test_images_of_the_other_domain_are_named(trained):
    cold = folder(trained / "cold3", "cold", 12, 5)
    said = warned(trained, cold, "out3")
    assert said.startswith("warning: ") and said.count("\n") == 1
    for part in ("of 12 images look like domain b (cold)", "a_to_b translates domain a (warm)", str(cold / "000.png"),
                 "is --direction b_to_a meant?"):
        assert part in said
    said = warned(trained, cold / "001.png", "one.png")
    assert f"warning: {cold / '001.png'} looks like domain b (cold)" in said


def test_images_of_neither_domain_are_doubted(trained):
    noise = numpy.random.default_rng(1).integers(0, 256, (40, 48, 3)).astype("uint8")
    said = warned(trained, save(trained / "noise.png", noise), "two.png")
    assert said.count("\n") == 1 and "noise.png is unlike the images that this generator was trained on, domain a (warm)" in said


def test_a_mixed_folder_is_described_by_what_prevails(trained):
    mixed = folder(trained / "mixed", "cold", 2, 6)
    for i in range(5):
        save(mixed / f"noise{i}.png", numpy.random.default_rng(i).integers(0, 256, (40, 48, 3)).astype("uint8"))
    said = warned(trained, mixed, "out4")
    assert "7 of 7 images are unlike" in said and "check their translations" in said and "--direction" not in said


def test_a_continued_run_keeps_it(trained, tmp_path):
    before = json.loads(succeeded(run("inspect", "--json", trained / "run")).stdout)["domains"]
    succeeded(run("train", "--resume", trained / "run", "--steps", 2, "--note", "another"))
    after = json.loads(succeeded(run("inspect", "--json", trained / "run")).stdout)
    assert after["domains"] == before and after["note"] == "another"


def test_a_damaged_fingerprint_is_an_error(trained, tmp_path):
    """Changed and sealed anew, as no accident does it."""
    safetensors = pytest.importorskip("safetensors")
    numpy_files = pytest.importorskip("safetensors.numpy")
    with safetensors.safe_open(trained / "run" / "model.safetensors", "numpy") as file:
        metadata = file.metadata()
    model = json.loads(metadata["torsor.model"])
    model["domains"]["a"]["fingerprint"]["recognition"]["mean"] = [1, 2]
    tensors = numpy_files.load_file(trained / "run" / "model.safetensors")
    numpy_files.save_file(tensors, tmp_path / "m.safetensors", {"torsor.model": json.dumps(model), "torsor.format": "2"})
    save(tmp_path / "in.png", next(pictures("warm", 1, 9)))
    done = translate(tmp_path / "m.safetensors", tmp_path / "in.png", tmp_path / "out.png")
    assert done.returncode == 1 and "m.safetensors: the fingerprint of its training images is damaged" in done.stderr
    assert not (tmp_path / "out.png").exists()
