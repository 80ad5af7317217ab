"""Rules about the sources that a compiler does not check. Each check is tried on an offence of its own first."""
import re

import pytest

from cli_support import SOURCE

LONGEST_FILE = 400
APP = "app"
PUBLIC = "torsor"  # what include/ holds; installed for other programs
# Printing and ending the program are for the program alone.
FORBIDDEN = {
    "a console or command-line header": re.compile(r'#\s*include\s*[<"](iostream|CLI/)'),
    "printing": re.compile(r"\bstd::(cout|cerr|clog|printf|puts|fprintf)\b|(?<![\w:.>])(printf|fprintf|puts)\s*\(|fmt::print\b"),
    "ending the program": re.compile(r"(?<![\w.>])(?:std::)?(exit|_Exit|quick_exit|abort)\s*\("),
}


def layers():
    """Their order in CMakeLists.txt, lowest first, and what each links."""
    text = (SOURCE / "CMakeLists.txt").read_text()
    found = re.findall(r"^torsor_layer\((\w+)\s+(?:TORCH\s+|SEPARATE\s+)?LINK\s+PUBLIC\s+([^)]*)\)", text, re.M)
    return {name: re.findall(r"\btorsor_(\w+)", links) for name, links in found}


def reachable(name, links):
    """The layers that `name` links, directly or through another."""
    out, waiting = set(), [name]
    while waiting:
        for other in links.get(waiting.pop(), []):
            if other not in out:
                out.add(other)
                waiting.append(other)
    return out


def sources():
    return sorted(p for folder in ("src", "include") for p in (SOURCE / folder).rglob("*") if p.suffix in (".h", ".cpp"))


def without_comments(text):
    """Comments and the insides of literals become blanks, so that words in them do not count; includes stay."""
    kept = r'#\s*include[^\n]*|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*(?:.|\n)*?\*/'
    return re.sub(kept, lambda m: m[0] if m[0].startswith("#") else re.sub(r"[^\n]", " ", m[0]), text)


def includes(text):
    return re.findall(r'^\s*#\s*include\s+"(\w+)/', text, re.M)


def parts(folders):
    """Files with what they include, a header and its source as one: {"data/loader": {"data/dataset"}}."""
    out = {}
    for folder in folders:
        for path in sorted((SOURCE / "src" / folder).glob("*")):
            name = f"{folder}/{path.stem}"
            found = re.findall(r'^\s*#\s*include\s+"([\w/]+)\.h"', path.read_text(), re.M)
            out.setdefault(name, set()).update(other for other in found if other != name)
    return out


def on_a_circle(links):
    """The parts that can be reached from themselves."""
    return sorted(name for name in links if name in reachable(name, links))


def offences(text):
    code = without_comments(text)
    return [name for name, pattern in FORBIDDEN.items() if pattern.search(code)]


def test_every_folder_is_a_layer_and_the_other_way_round():
    assert {p.name for p in (SOURCE / "src").iterdir() if p.is_dir()} == set(layers())
    assert list(layers())[0] == "core" and list(layers())[-1] == APP


def test_layers_link_only_lower_ones():
    order = list(layers())
    for name, links in layers().items():
        for other in set(links) & set(order):
            assert order.index(other) < order.index(name), f"{name} links {other}, which stands below it in the list"


def test_no_file_includes_a_higher_layer():
    links = layers()
    links["app"] = [*links["app"], *(name for name in links if name != APP)]  # it links all through torsor_all
    checked = 0
    for path in sources():
        layer = path.parent.name
        for included in includes(path.read_text()):
            checked += 1
            if included == PUBLIC:
                assert layer in (PUBLIC, "api") or path.name == "error.h", f"{path}: only api serves other programs"
                continue
            assert included in links, f"{path}: includes {included}/, which is no layer"
            assert included == layer or included in reachable(layer, links), \
                f"{path}: {layer} may not include {included}"
    assert checked > 100


def test_sampling_models_and_training_have_no_circles():
    links = parts(["data", "loss", "model", "interchange", "train", "infer"])
    assert "data/loader" in links["train/trainer"] and on_a_circle(links) == []


def test_io_and_loss_need_no_networks():
    assert not {"nn", "kernels"} & (reachable("io", layers()) | reachable("loss", layers()))


def test_the_library_neither_prints_nor_ends_the_program():
    for path in sources():
        if path.parent.name != APP:
            assert not offences(path.read_text()), path


@pytest.mark.parametrize("text, expected", [
    ("#include <iostream>", 1), ('#include "CLI/CLI.hpp"', 1), ('std::cout << "x";', 1), ('printf("x");', 1),
    ('fmt::print("x");', 1), ("std::exit(1);", 1), ("  exit(1);", 1), ("abort();", 1),
    ('// printf("x")', 0), ('fail("exit(1)");', 0), ("/* std::cout */ int x;", 0), ("log.exit(1);", 0),
    ("snprintf(buffer, 3, x);", 0), ("on_exit(1);", 0), ("#include <iosfwd>", 0), ("set_exit(1)", 0),
])
def test_the_check_itself_sees_offences(text, expected):
    assert len(offences(text)) == expected


def test_the_layer_check_itself_sees_an_include():
    assert includes('#include "app/cli.h"\n#include <core/x.h>\n  #include "nn/network.h"\n') == ["app", "nn"]
    assert reachable("c", {"a": [], "b": ["a"], "c": ["b"]}) == {"a", "b"}
    assert "train" not in reachable("model", layers()) and "core" in reachable("train", layers())


def test_the_circle_check_itself_sees_one():
    assert on_a_circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b", "c"]


def test_files_are_short():
    lengths = {path: path.read_text().count("\n") for path in sources()}
    assert len(lengths) > 50
    assert [f"{path}: {length} lines" for path, length in lengths.items() if length > LONGEST_FILE] == []


def test_no_absolute_paths_of_a_machine():
    pattern = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/\w")
    places = [SOURCE / name for name in ("src", "include", "examples", "tests", "bench", "cmake", "scripts", "docs")]
    texts = [p for place in places for p in place.rglob("*") if p.suffix in (".h", ".cpp", ".py", ".md", ".sh", ".cmake")]
    assert pattern.search("see /home/someone/x") and not pattern.search("https://x.org/home/someone")
    assert [str(p) for p in texts if p.name != "test_layers.py" and pattern.search(p.read_text())] == []
