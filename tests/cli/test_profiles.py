"""ICC profiles: what a network sees is sRGB, what is written says what it is."""
import io

import pytest

import icc
from cli_support import (FAILURE, SOURCE, USAGE, each, equal_weights, flags, load, picture, refused, run, save, succeeded,
                         train, translate)

numpy = pytest.importorskip("numpy")
image = pytest.importorskip("PIL.Image")
cms = pytest.importorskip("PIL.ImageCms")

EXACT = 0x0100  # littlecms' NOOPTIMIZE
BLACK_POINT = 0x2000


def opened(profile):
    return cms.ImageCmsProfile(io.BytesIO(profile))


def as_srgb(pixels, profile):
    """What Pillow's littlecms makes of 8-bit pixels."""
    made = cms.profileToProfile(image.fromarray(pixels), opened(profile), cms.createProfile("sRGB"),
                                renderingIntent=cms.Intent.RELATIVE_COLORIMETRIC, flags=EXACT | BLACK_POINT,
                                outputMode="RGB")
    return numpy.asarray(made).astype(int)


def profile_of(path):
    with image.open(path) as file:
        return file.info.get("icc_profile")


def is_srgb(path):
    """Whether the file says so, by a profile or PNG's chunk."""
    with image.open(path) as file:
        if file.info.get("srgb") is not None:
            return True
        description = cms.getProfileDescription(opened(file.info["icc_profile"]))
        return "sRGB" in description or file.mode == "L"


def difference(a, b):
    return numpy.abs(numpy.asarray(a).astype(int) - numpy.asarray(b).astype(int)).max()


def test_pixels_become_srgb_and_the_output_says_so(tmp_path):
    pixels = picture(60, 50)
    options = {"png": {}, "tif": {}, "webp": {"lossless": True}, "jpg": {"quality": 100, "subsampling": 0}}
    for name, profile in (("adobe", icc.adobe_rgb()), ("p3", icc.display_p3()), ("linear", icc.profile("l", icc.SRGB, 1))):
        for ending, how in options.items():
            save(tmp_path / "in" / f"{name}.{ending}", pixels, icc_profile=profile, **how)
    done = succeeded(translate("identity", tmp_path / "in", tmp_path / "out", quality=100))
    assert "converted from the ICC profile Adobe-like to sRGB" in done.stderr
    for source in (tmp_path / "in").iterdir():
        out = tmp_path / "out" / source.name
        expected = as_srgb(load(source).astype("uint8"), profile_of(source))
        with image.open(out) as file:
            mean = numpy.abs(numpy.asarray(file).astype(int) - expected).mean()
        assert difference(load(out), expected) <= (6 if source.suffix == ".jpg" else 1), source.name
        assert mean < 0.5, source.name
        assert is_srgb(out), source.name


def test_grey_and_sixteen_bits(tmp_path):
    save(tmp_path / "in" / "grey.png", picture(30, 20, 1), icc_profile=icc.grey())
    save(tmp_path / "in" / "deep.png", picture(30, 20, 1, dtype="uint16"), icc_profile=icc.grey())
    succeeded(translate("identity", tmp_path / "in", tmp_path / "out"))
    expected = as_srgb(picture(30, 20, 1), icc.grey())[:, :, 0]
    assert difference(load(tmp_path / "out" / "grey.png"), expected) <= 1
    linear = (load(tmp_path / "in" / "deep.png") / 65535) ** (round(1.8 * 256) / 256)
    coded = numpy.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert numpy.abs(load(tmp_path / "out" / "deep.png") - 65535 * coded).max() <= 3


def test_a_kept_profile_is_embedded_and_the_output_looks_the_same(tmp_path):
    pixels = (100 + picture(60, 50).astype(int) // 5).astype("uint8")  # muted colours, which sRGB has
    for ending, how in {"png": {}, "tif": {}, "webp": {"lossless": True}}.items():
        save(tmp_path / "in" / f"a.{ending}", pixels, icc_profile=icc.adobe_rgb(), **how)
    save(tmp_path / "in" / "grey.png", picture(30, 20, 1), icc_profile=icc.grey())
    save(tmp_path / "in" / "none.png", pixels)
    succeeded(translate("identity", tmp_path / "in", tmp_path / "out", keep_profile=True, quality=100))
    for source in (tmp_path / "in").iterdir():
        out = tmp_path / "out" / source.name
        assert profile_of(out) == profile_of(source), source.name
        assert difference(load(out), load(source)) <= 1, source.name


def test_without_a_profile_nothing_is_added(tmp_path):
    plain = image_files(tmp_path / "plain", {})
    tagged = image_files(tmp_path / "tagged", {"icc_profile": cms.ImageCmsProfile(cms.createProfile("sRGB")).tobytes()})
    succeeded(translate("identity", plain, tmp_path / "a", quality=90))
    done = succeeded(translate("identity", tagged, tmp_path / "b", quality=90))
    assert "profile" not in done.stderr
    for file in plain.iterdir():
        one, other = tmp_path / "a" / file.name, tmp_path / "b" / file.name
        assert b"ICC" not in one.read_bytes() and b"sRGB" not in one.read_bytes()
        assert (load(one) == load(other)).all() and is_srgb(other), file.name


def image_files(folder, how):
    for ending in ("png", "jpg", "tif", "webp"):
        save(folder / f"a.{ending}", picture(), **how, **({"lossless": True} if ending == "webp" else {}))
    return folder


def test_what_cannot_be_kept_is_refused_by_name(tmp_path):
    adobe = save(tmp_path / "a.png", picture(), icc_profile=icc.adobe_rgb())
    grey = save(tmp_path / "g.png", picture(channels=1), icc_profile=icc.grey())
    broken = save(tmp_path / "b.png", picture(), icc_profile=icc.adobe_rgb()[:200])

    def check(source, target, code, parts, options):
        refused(translate("identity", source, tmp_path / target, keep_profile=True, **options), code, *parts)
        assert not (tmp_path / target).exists()

    each(check, [(adobe, "out.bmp", FAILURE, ("out.bmp", "--keep-profile", "PNG"), {}),
                 (adobe, "out", USAGE, ("--keep-profile", "--format ppm"), {"format": "ppm"}),
                 (grey, "out.webp", FAILURE, ("out.webp", "grey"), {}),
                 (adobe, "out.png", USAGE, ("--keep-profile", "--as-reference"), {"as_reference": True})])
    done = succeeded(translate("identity", broken, tmp_path / "ok.png", keep_profile=True))
    assert "b.png" in done.stderr and "is not valid" in done.stderr and "taken for sRGB" in done.stderr
    assert (load(tmp_path / "ok.png") == load(broken)).all() and profile_of(tmp_path / "ok.png") is None


def test_as_the_reference_stored_samples_are_translated(tmp_path):
    source = save(tmp_path / "a.png", picture(), icc_profile=icc.adobe_rgb())
    done = succeeded(translate("identity", source, tmp_path / "out.png", as_reference=True, preprocess="none"))
    assert "is not applied" in done.stderr
    assert profile_of(tmp_path / "out.png") is None and not is_tagged(tmp_path / "out.png")


def is_tagged(path):
    with image.open(path) as file:
        return file.info.get("srgb") is not None


def test_training_sees_srgb(tmp_path):
    """The networks of a run on tagged images are those of a run on the converted ones."""
    for side in ("a", "b"):
        for i in range(2):
            pixels = picture(seed=i + (10 if side == "b" else 0))
            save(tmp_path / "tagged" / side / f"{i}.png", pixels, icc_profile=icc.adobe_rgb())
    succeeded(translate("identity", tmp_path / "tagged", tmp_path / "srgb"))
    done = [succeeded(train(tmp_path / f"run-{kind}", a=tmp_path / kind / "a", b=tmp_path / kind / "b", steps=1))
            for kind in ("tagged", "srgb")]
    assert "2 of 2 images: colours are converted from the ICC profile Adobe-like" in done[0].stderr
    assert "colours" not in done[1].stderr
    assert equal_weights(*(tmp_path / f"run-{kind}" / "model.safetensors" for kind in ("tagged", "srgb")))


def test_an_evaluation_says_it_once_of_each_folder(tmp_path, model):
    for side in ("a", "b"):
        for i in range(6):
            save(tmp_path / side / f"{i}.png", picture(32, 32, seed=i + 10 * (side == "b")), icc_profile=icc.adobe_rgb())
    done = succeeded(run("evaluate", model, *flags({"a": tmp_path / "a", "b": tmp_path / "b", "features": "pixels",
                                                    "metrics": "kid", "resamples": 50, "threads": 1,
                                                    "out": tmp_path / "out"})))
    said = [line for line in done.stderr.splitlines() if "colours are converted" in line]
    assert [line.split(": ")[0] for line in said] == [str(tmp_path / "a"), str(tmp_path / "b")], done.stderr


def test_a_photo_of_a_phone(tmp_path):
    source = SOURCE.parent / "shared" / "cases" / "icc-profile-dropped" / "display-p3.jpg"
    if not source.exists():
        pytest.skip(f"{source} is absent")
    succeeded(translate("identity", source, tmp_path / "out.png"))
    with image.open(source) as file:
        expected = as_srgb(numpy.asarray(file.convert("RGB")), file.info["icc_profile"])
    assert difference(load(tmp_path / "out.png"), expected) <= 1
