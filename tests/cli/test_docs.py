"""The documentation says what the program does."""
import re

import pytest

from cli_support import SOURCE, run, succeeded


def pages():
    """The Markdown files of the repository; what was built or installed is not ours."""
    found = sorted([*SOURCE.glob("*.md"), *SOURCE.glob("docs/**/*.md"), *SOURCE.glob(".ci/**/*.md"),
                    *SOURCE.glob("bench/**/*.md"), *SOURCE.glob("tests/**/*.md")])
    assert found
    return found


@pytest.fixture(scope="module")
def reference():
    return succeeded(run("docs")).stdout


def commands_of(reference):
    """{command: its flags} from the generated page."""
    parts = re.split(r"^## torsor (\w+).*$", reference, flags=re.M)[1:]
    return {name: {"--help", "--help-all", *re.findall(r"`(--[\w-]+)`", text)} for name, text in zip(parts[::2], parts[1::2])}


def test_the_list_of_options_is_up_to_date(reference):
    written = (SOURCE / "docs" / "cli.md").read_text()
    assert written == reference, "docs/cli.md is stale; run: build/torsor docs > docs/cli.md"


def test_the_table_of_the_references_flags_is_up_to_date(reference):
    printed = succeeded(run("docs", "from-the-reference")).stdout
    written = (SOURCE / "docs" / "from-the-reference.md").read_text()
    assert written == printed, "it is stale; run: build/torsor docs from-the-reference > docs/from-the-reference.md"
    known = set().union(*commands_of(reference).values())
    known |= {"--no-" + flag[2:] for flag in known}
    rows = re.findall(r"^\| `(--\w+)`.* \| (-|`--[\w-]+`) \| (.*) \|$", printed, re.M)
    assert len(rows) > 60
    for flag, ours, advice in rows:
        assert ours != "-" or advice, f"{flag} has neither a flag nor advice"
        assert ours == "-" or ours.strip("`") in known, (flag, ours)


def test_the_list_holds_every_command_and_flag_of_the_help(reference):
    listed = commands_of(reference)
    overview = succeeded(run("--help")).stdout
    assert set(re.findall(r"^  torsor (\w+)", overview, re.M)) == set(listed)
    assert len(listed) >= 4 and "--data" in listed["train"]
    for name, flags in listed.items():
        help_text = succeeded(run(name, "--help-all")).stdout
        # The options of train depend on the model, and its help has those of one.
        others = set(re.findall(r"^### \w+ of (--model \w+)", reference, re.M)) if name == "train" else []
        help_text += "".join(succeeded(run(name, *model.split(), "--help-all")).stdout for model in others)
        helped = re.findall(r"^  (?:-h, )?(--[\w-]+)(?:, (--[\w-]+))?", help_text, re.M)
        assert {flag for pair in helped for flag in pair if flag} - {"--help-all"} == flags - {"--help-all"}, name


def without_code(text):
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.M | re.S)


def anchors(text):
    """GitHub's: lower case, punctuation dropped, blanks to hyphens."""
    heads = re.findall(r"^#+ +(.+?) *$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def broken_links(page, text):
    broken = []
    for target in re.findall(r"\]\(<?([^)\s>]+)>?[^)]*\)", without_code(text)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = page.parent / file if file else page
        missing = not path.exists() or not path.resolve().is_relative_to(SOURCE.resolve())
        if missing or anchor and anchor not in anchors(text if path == page else path.read_text()):
            broken.append(target)
    return broken


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(SOURCE)))
def test_links_lead_somewhere(page):
    assert broken_links(page, page.read_text()) == []


def test_the_link_check_itself_sees_broken_ones():
    text = "# A head, here\n[x](absent.md) ![p](absent.png) [h](#a-head-here) [no](#nowhere) [web](https://x.org/a)\n" \
           "`[code](gone.md)` [ok](LICENSE)"
    assert broken_links(SOURCE / "CONTRIBUTING.md", text) == ["absent.md", "absent.png", "#nowhere"]


def wrong_flags(text, commands):
    """Flags after `torsor COMMAND` that it lacks, and other flags in code that belong to no program we name."""
    wrong = []
    joined = text.replace("\\\n", " ")
    for name, rest in re.findall(r"\btorsor (\w+)\b([^`\n|#;&]*)", joined):
        if name in commands:
            wrong += [f"{name} {flag}" for flag in re.findall(r"(?<![\w-])(--[a-z][\w-]*)", rest)
                      if flag not in commands[name]]
    return wrong


# Flags of other programs: cmake, pkg-config, git, ctest, pip, apt, pytest, the benchmark and the scripts have their own.
OTHERS = re.compile(r"\b(build/tests|build/bench|cmake|pkg-config|ctest|docker|git|pip|apt|apt-get|pytest|python|python3|run\.py|demo-seeds\.py|clang-format|tensorboard(?= --logdir))\b|\.(?:py|sh)\b")


def stray_flags(text, commands):
    known = set().union(*commands.values()) | {"--version"}
    out = []
    for code in re.findall(r"`([^`\n]+)`|^    (.+)$", re.sub(r"^```.*$", "", text, flags=re.M), re.M):
        words = "".join(code)
        if not OTHERS.search(words):
            out += [flag for flag in re.findall(r"(?<![\w-])(--[a-z][\w-]*)", words) if flag not in known]
    return out


# Quoted options of the reference's programs, which are named as such in the text.
REFERENCE_FLAGS = re.compile(r"--(netG|netD|no_dropout|load_size|crop_size|continue_train|epoch_count|norm|model)\b")


@pytest.mark.parametrize("page", [p for p in pages() if p.name not in ("cli.md", "from-the-reference.md")],
                         ids=lambda page: str(page.relative_to(SOURCE)))
def test_options_in_the_text_exist(page, reference):
    commands = commands_of(reference)
    text = page.read_text()
    assert wrong_flags(text, commands) == []
    assert [flag for flag in stray_flags(text, commands) if not REFERENCE_FLAGS.match(flag)] == []


def test_the_option_check_itself_sees_wrong_ones(reference):
    commands = commands_of(reference)
    assert wrong_flags("`torsor train --data x --overwrite` and torsor translate m a b --overwrite", commands) == \
        ["train --overwrite"]
    assert wrong_flags("    build/torsor train --a x \\\n        --nosuch y", commands) == ["train --nosuch"]
    assert stray_flags("use `--nosuch` or `cmake --build build`, `--lr`", commands) == ["--nosuch"]
