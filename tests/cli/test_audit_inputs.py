"""What a user gives torsor audit beside images: labels, a classifier, groups, own programs. Each with what is wrong."""
import json
import struct

import pytest

from classifier_file import classifier
from cli_support import FAILURE, PROGRAM, USAGE, each, flags, image_folder, picture, refused, run, save, succeeded, train

QUICK = {"features": "pixels", "resamples": 100, "threads": 1, "symmetries": "hflip", "resize": 32}
COUNT = 12  # images of each domain: three of each patient, every second one dark


def audit(*arguments, **options):
    return run("audit", *arguments, *flags({**QUICK, **options}))


def result(out):
    return json.loads((out / "audit.json").read_text())


def findings(out):
    return {finding["id"]: finding for finding in result(out)["findings"]}


def image_name(i):
    return f"patient{i // 3}_{i}.png"


def table(rows, missing=()):
    """Rows of a table of labels; those of `missing` are left out."""
    lines = [f"{image_name(i)},{'dark' if i % 2 else 'bright'}" for i in range(rows) if i not in missing]
    return "\n".join(["name,label", *lines]) + "\n"


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    root = tmp_path_factory.mktemp("held")
    for domain, first in (("a", 0), ("b", 100)):
        for i in range(COUNT):
            pixels = picture(width=32, height=32, seed=first + i) // 3 + (0 if i % 2 else 160)
            save(root / domain / image_name(i), pixels.astype("uint8"))
        (root / f"{domain}.csv").write_text(table(COUNT))
    return root


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that has learnt nothing: its translations are noise."""
    out = tmp_path_factory.mktemp("runs") / "run"
    succeeded(train(out, init_gain=0.3, max_dataset_size=15))
    return out


def domains(held):
    return {"a": held / "a", "b": held / "b"}


def labels(held, **other):
    return {"labels_a": held / "a.csv", "labels_b": held / "b.csv", **other}


def program(folder, name, script):
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o700)
    return file


def test_labels_say_whether_translations_keep_their_class(held, trained, tmp_path):
    """Of images that stay what they are, all do; of noise, those of one class do at most. Missing labels are counted."""
    (tmp_path / "few.csv").write_text(table(COUNT, missing=(3,)) + "another.png,dark\n")
    each(lambda model, out, more: succeeded(audit(model, out=tmp_path / out, **domains(held), **labels(held, **more))),
         [("identity", "kept", {}), (trained, "noise", {})])
    done = succeeded(audit("identity", out=tmp_path / "few", **domains(held),
                           **labels(held, labels_a=tmp_path / "few.csv")))
    assert "few.csv: 1 of 12 images have no label" in done.stderr
    assert "few.csv: 1 rows name no image of the folder, first in line 13" in done.stderr

    kept, noise, few = (findings(tmp_path / name) for name in ("kept", "noise", "few"))
    for direction in ("a_to_b", "b_to_a"):
        assert kept[f"classes-{direction}"]["value"] == 1
        assert noise[f"classes-{direction}"]["value"] <= 0.5
        assert kept[f"labels-{direction}"]["role"] == "evidence"
        assert "12 labelled images" in kept[f"labels-{direction}"]["text"]
    assert "11 labelled images" in few["labels-a_to_b"]["text"]
    given = result(tmp_path / "few")["images"]["labels"]
    assert given["classes"] == ["bright", "dark"]
    assert (given["without_label_a"], given["without_label_b"]) == (1, 0)
    counts = result(tmp_path / "few")["parts"]["prevalence"]["directions"]["a_to_b"]["labels"]["matrix"]
    assert counts == [[6, 0], [0, 5]]
    assert len({finding["id"] for finding in result(tmp_path / "kept")["findings"]}) == len(result(tmp_path / "kept")["findings"])


def test_a_classifier_stands_in_for_tables(held, tmp_path):
    file = classifier(tmp_path / "c.safetensors")
    succeeded(audit("identity", out=tmp_path / "out", **domains(held), classifier=file))
    given = result(tmp_path / "out")["images"]["labels"]
    assert given["classes"] == ["0", "1"] and "of unknown accuracy" in given["source"]
    assert findings(tmp_path / "out")["classes-a_to_b"]["value"] == 1


def test_labels_and_classifiers_that_are_not_right(held, model, tmp_path):
    whole = classifier(tmp_path / "c.safetensors").read_bytes()
    (tmp_path / "short.safetensors").write_bytes(whole[:-100])
    (tmp_path / "odd.safetensors").write_bytes(whole[:20] + bytes(3) + whole[23:])
    classifier(tmp_path / "many.safetensors", classes=17)
    classifier(tmp_path / "five.safetensors", channels=5)
    (tmp_path / "one.csv").write_text(table(COUNT).replace("dark", "bright"))
    (tmp_path / "third.csv").write_text(table(COUNT).replace("dark", "black"))
    (tmp_path / "else.csv").write_text("x.png,dark\n")
    a = held / "a.csv"

    def check(code, options, *parts):
        refused(audit("identity", out=tmp_path / "out", **domains(held), **options), code, *parts)

    each(check, [
        (USAGE, {"labels_a": a}, "--labels-b is missing"),
        (USAGE, labels(held, classifier=tmp_path / "c.safetensors"), "--classifier"),
        (FAILURE, labels(held, labels_a=tmp_path / "none.csv"), "none.csv"),
        (FAILURE, labels(held, labels_b=tmp_path / "one.csv"), "one.csv:2", "'bright'", "two classes"),
        (FAILURE, labels(held, labels_b=tmp_path / "third.csv"), "'black'", "has no image in"),
        (FAILURE, labels(held, labels_a=tmp_path / "else.csv"), "else.csv:1", "patient0_0.png"),
        (FAILURE, {"classifier": tmp_path / "none.safetensors"}, "none.safetensors"),
        (FAILURE, {"classifier": tmp_path / "short.safetensors"}, "short.safetensors", "truncated"),
        (FAILURE, {"classifier": tmp_path / "odd.safetensors"}, "odd.safetensors"),
        (FAILURE, {"classifier": model / "model.safetensors"}, "model.safetensors", "no classifier"),
        (FAILURE, {"classifier": tmp_path / "many.safetensors"}, "many.safetensors", "17 classes", "at most 16"),
        (FAILURE, {"classifier": tmp_path / "five.safetensors"}, "five.safetensors", "5 channels"),
    ])
    assert not (tmp_path / "out" / "audit.json").exists()


def test_groups_count_patients(held, tmp_path):
    succeeded(audit("identity", out=tmp_path / "out", **domains(held), groups="patient[0-9]+"))
    assert [result(tmp_path / "out")["images"][side]["groups"] for side in "ab"] == [4, 4]
    done = audit("identity", out=tmp_path / "none", **domains(held), groups="scan[0-9]+")
    refused(done, FAILURE, "patient0_0.png", "--groups", "scan[0-9]+")


def test_own_programs_are_symmetries(held, tmp_path):
    """Without a way back only what needs none is measured; both ways measure all."""
    mirror = program(tmp_path, "mirror me.sh", 'cp "$1"/*.png "$2"')
    each(lambda out, more: succeeded(audit("identity", out=tmp_path / out, **domains(held), symmetries="own",
                                           symmetry_forward=mirror, **more)),
         [("there", {}), ("both", {"symmetry_back": mirror})])
    there, both = ({rival["domain"]: rival for rival in result(tmp_path / name)["parts"]["symmetries"]["rivals"]}
                   for name in ("there", "both"))
    assert set(both) == {"a", "b"}
    assert all(set(rival["displacements"]) == {"a_to_b", "b_to_a"} for rival in both.values())
    # A changed before A to B, or B after it, needs no way back; the other direction does.
    assert set(there["a"]["displacements"]) == {"a_to_b"} and set(there["b"]["displacements"]) == {"a_to_b"}
    assert both["a"]["loss"] is not None or both["a"]["loss_change"] is None
    assert there["a"]["loss_change"] is None
    assert not [name for name in (tmp_path / "both").iterdir() if name.name.startswith("torsor-symmetry")]


def test_own_programs_that_fail(held, tmp_path):
    image_folder(tmp_path / "small", count=1, width=16, height=16)
    wrong = program(tmp_path, "wrong.sh", f'for f in "$1"/*.png; do cp "{tmp_path}/small/0.png" "$2/$(basename "$f")"; done')
    breaks = program(tmp_path, "breaks.sh", "echo no licence >&2; exit 3")
    forgets = program(tmp_path, "forgets.sh", 'cp "$1"/000000.png "$2"')
    plain = tmp_path / "plain.sh"
    plain.write_text("#!/bin/sh\n")

    def check(code, options, *parts):
        refused(audit("identity", "--quiet", out=tmp_path / f"out-{parts[0]}", **domains(held), **options), code, *parts)

    own = {"symmetries": "own"}
    each(check, [
        (FAILURE, {**own, "symmetry_forward": wrong}, "wrong.sh", "is 16x16 with 3 channels, expected 32x32"),
        (FAILURE, {**own, "symmetry_forward": breaks}, "breaks.sh", "exit code 3", "it said: no licence"),
        (FAILURE, {**own, "symmetry_forward": forgets}, "forgets.sh", "made no image 000001.png"),
        (FAILURE, {**own, "symmetry_forward": tmp_path / "none.sh"}, "none.sh", "no such program"),
        (FAILURE, {**own, "symmetry_forward": plain}, "plain.sh", "chmod +x"),
        (FAILURE, {**own, "symmetry_forward": "no-such-mirror"}, "no-such-mirror", "PATH"),
        (USAGE, {"symmetry_back": breaks}, "--symmetry-back", "--symmetry-forward"),
        (USAGE, own, "--symmetries own", "--symmetry-forward"),
    ])


def measured_runs(out):
    return result(out)["parts"]["solution"]["runs"][0]["name"]


def plant(out, part, change):
    """Changes what is kept of a part."""
    file = out / "parts" / f"{part}.json"
    stored = json.loads(file.read_text())
    change(stored)
    file.write_text(json.dumps(stored))


def test_another_build_or_other_inputs_measure_again(held, tmp_path):
    out = tmp_path / "out"
    (tmp_path / "l.csv").write_text(table(COUNT))
    mirror = program(tmp_path, "mirror.sh", 'cp "$1"/*.png "$2"')
    options = {**domains(held), **labels(held, labels_a=tmp_path / "l.csv"), "symmetries": "own",
               "symmetry_forward": mirror, "out": out}
    succeeded(audit("identity", **options))
    build = json.loads((out / "parts" / "solution.json").read_text())["identity"]["build"]
    note = struct.pack("<III", 4, 20, 3) + b"GNU\0" + bytes.fromhex(build)  # the linker's, NT_GNU_BUILD_ID
    with open(PROGRAM, "rb") as file:
        assert note in file.read()

    def rename(stored):
        stored["measured"]["runs"][0]["name"] = "kept"

    def again(**more):
        plant(out, "solution", rename)
        succeeded(audit("identity", "--overwrite", **{**options, **more}))
        return measured_runs(out)

    assert again(cycle_share=0.4) == "kept"  # solutions are judged by this line, not measured
    plant(out, "solution", lambda stored: stored["identity"].update(build="0" * 40))
    assert again() == "identity"
    (tmp_path / "l.csv").write_text(table(COUNT) + "\n")
    assert again() == "identity"
    program(tmp_path, "mirror.sh", '# changed\ncp "$1"/*.png "$2"')
    assert again() == "identity"


def test_parts_that_measure_by_lines_measure_again_by_others(held, tmp_path):
    options = {**domains(held), "out": tmp_path / "out"}
    succeeded(audit("identity", **options))
    plant(tmp_path / "out", "symmetries", lambda stored: stored["measured"].update(scale="kept"))
    succeeded(audit("identity", "--overwrite", **options))
    assert result(tmp_path / "out")["parts"]["symmetries"]["scale"] == "kept"
    succeeded(audit("identity", "--overwrite", automorphism=0.6, **options))
    assert result(tmp_path / "out")["parts"]["symmetries"]["scale"] == "quick"
