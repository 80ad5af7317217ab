"""The metrics of pairs and of sets, compared with the Python packages that people take them from, where these are
installed (scripts/requirements-peers.txt)."""
import functools
import json

import pytest

from cli_support import flags, load, picture, run, save, succeeded, weights

SIZES = {"width": 64, "height": 48}
COUNT = 12


@functools.cache
def declare_operators():
    """torchvision declares shapes for its compiled operators when it is imported. They do not load beside torch's build
    for the CPU, and no metric uses them."""
    torch = pytest.importorskip("torch")
    if torch.version.cuda is None:
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def peer(name):
    declare_operators()
    return pytest.importorskip(name)


def scored(folders, **options):
    real, fake = folders
    done = run("evaluate", "--json", *flags({"real": real, "fake": fake, "resamples": 20, "threads": 1, **options}))
    return json.loads(succeeded(done).stdout)["metrics"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Pairs: an image, and the same darker, noisy and mixed with another."""
    numpy = pytest.importorskip("numpy")
    root = tmp_path_factory.mktemp("pairs")
    draw = numpy.random.default_rng(5)
    for i in range(COUNT):
        one, other = picture(seed=i, **SIZES), picture(seed=100 + i, **SIZES)
        mixed = 0.7 * one + 0.1 * i / COUNT * other + draw.normal(0, 4 + i, one.shape)
        save(root / "real" / f"{i:02}.png", one)
        save(root / "fake" / f"{i:02}.png", numpy.clip(mixed, 0, 255).round().astype("uint8"))
    return root / "real", root / "fake"


def pairs_of(folders):
    numpy = pytest.importorskip("numpy")
    real, fake = folders
    return [tuple(load(folder / path.name).astype(numpy.uint8) for folder in folders)
            for path in sorted(real.glob("*.png"))]


def test_pairs_against_scikit_image(folders):
    metrics = pytest.importorskip("skimage.metrics")
    found = scored(folders, pairing="aligned", metrics="psnr,ssim,ssim_gauss,rmse")
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = {"psnr": [], "ssim": [], "ssim_gauss": [], "rmse": []}
    for one, other in pairs_of(folders):
        expected["psnr"].append(metrics.peak_signal_noise_ratio(one, other))
        expected["ssim"].append(metrics.structural_similarity(one, other, channel_axis=2))
        expected["ssim_gauss"].append(metrics.structural_similarity(one, other, channel_axis=2, **gaussian))
        expected["rmse"].append(metrics.mean_squared_error(one, other) ** 0.5)
    for name, values in expected.items():
        assert found[name]["value"] == pytest.approx(sum(values) / COUNT, rel=1e-10), name


@pytest.fixture(scope="module")
def sets(folders, tmp_path_factory):
    """What torsor found for two sets, and the very features that it found it with."""
    numpy = pytest.importorskip("numpy")

    def rows_of(cache):
        (file,) = cache.glob("*.safetensors")
        tensors = weights(file)
        return {key.tobytes(): row for key, row in zip(tensors["keys"], tensors["features"])}

    options = {"metrics": "kid,fid,precision,recall", "features": "random-vgg", "nearest_k": 3}
    caches = [tmp_path_factory.mktemp(name) for name in ("real", "both")]
    scored((folders[0], folders[0]), **options, features_cache=caches[0])
    found = scored(folders, **options, features_cache=caches[1])
    real, both = map(rows_of, caches)
    assert len(both) == 2 * len(real) == 2 * COUNT
    return found, [numpy.stack(list(real.values())),
                   numpy.stack([row for key, row in both.items() if key not in real])]


def test_sets_against_torch_fidelity(sets):
    torch, kid = pytest.importorskip("torch"), peer("torch_fidelity.metric_kid")
    fid, prc = peer("torch_fidelity.metric_fid"), peer("torch_fidelity.metric_prc")
    found, features = sets
    real, fake = map(torch.from_numpy, features)
    whole = kid.kid_features_to_metric(real, fake, kid_subsets=1, kid_subset_size=COUNT, rng_seed=0, verbose=False)
    assert found["kid"]["value"] == pytest.approx(whole["kernel_inception_distance_mean"], rel=1e-9)
    statistics = map(fid.fid_features_to_statistics, (real, fake))
    distance = fid.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert found["fid"]["value"] == pytest.approx(distance, rel=1e-5)
    near = prc.prc_features_to_metric(fake, real, prc_neighborhood=3, verbose=False)
    assert found["precision"]["value"] == pytest.approx(near["precision"]), near
    assert found["recall"]["value"] == pytest.approx(near["recall"]), near


def test_sets_against_pytorch_fid(sets):
    scipy = pytest.importorskip("scipy")
    if tuple(map(int, scipy.__version__.split(".")[:2])) >= (1, 18):
        pytest.skip("pytorch-fid needs the sqrtm of SciPy below 1.18")
    fid = peer("pytorch_fid.fid_score")
    numpy = pytest.importorskip("numpy")
    found, features = sets
    statistics = [part for rows in features for part in (rows.mean(0), numpy.cov(rows, rowvar=False))]
    # Fewer images than features: the package's square root of a singular matrix is good for a few digits.
    assert found["fid"]["value"] == pytest.approx(fid.calculate_frechet_distance(*statistics), rel=1e-4)


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_pairs_against_lpips(folders, net, tmp_path):
    """The package's own linear layers on a network with random weights: the trained ones are a download."""
    torch, lpips = pytest.importorskip("torch"), peer("lpips")
    torch.manual_seed(3)
    package = lpips.LPIPS(net=net, pnet_rand=True, verbose=False).eval()
    file = tmp_path / "lpips.pth"
    torch.save(package.state_dict(), file)
    as_input = [[torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1 for image in pair]
                for pair in pairs_of(folders)]
    with torch.no_grad():
        expected = sum(package(*pair).item() for pair in as_input) / COUNT
    found = scored(folders, pairing="aligned", metrics="lpips", lpips_net=net, lpips_backbone=file)
    assert found["lpips"]["value"] == pytest.approx(expected, rel=1e-5)
