"""Opens pages in a headless browser and tells what a reader would find wrong with them."""
import html
import json
import re
import shutil
import subprocess

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE, SCREEN = 375, 1280  # CSS pixels

# Runs in the page of frames, once all have loaded.
SCRIPT = r"""
function scrollsByItself(element, view) {
  for (var e = element.parentElement; e; e = e.parentElement)
    if (view.getComputedStyle(e).overflowX === "auto") return true;
  return false;
}
function nameOf(e) { return e.tagName.toLowerCase() + (e.className ? "." + e.className : "") + ": " + e.textContent.slice(0, 40); }
function outside(doc, view, width) {  // elements that reach beyond the page
  return Array.from(doc.body.querySelectorAll("*")).filter(function (e) {
    var box = e.getBoundingClientRect();
    return box.width > 0 && (box.right > width + 0.5 || box.left < -0.5) && !scrollsByItself(e, view);
  }).map(nameOf);
}
function smallTexts(doc, view) {
  return Array.from(doc.body.querySelectorAll("*")).filter(function (e) {
    var own = Array.from(e.childNodes).some(function (n) { return n.nodeType === 3 && n.textContent.trim(); });
    return own && e.clientHeight > 0 && parseFloat(view.getComputedStyle(e).fontSize) < 11.5;
  }).map(nameOf);
}
function smallTargets(doc) {
  return Array.from(doc.querySelectorAll("button, input")).filter(function (e) {
    return e.clientHeight > 0 && e.clientHeight < 40;
  }).map(nameOf);
}
function painted(canvas) {
  var c = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  for (var i = 0; i < c.length; i += 4) if (c[i + 3] > 100 && Math.max(c[i], c[i + 1], c[i + 2]) - Math.min(c[i], c[i + 1], c[i + 2]) > 60) return true;
  return false;
}
function played(box) {  // forwards by the button, and by the keys that a slider has
  var label = box.querySelector("output"), slider = box.querySelector("input"), opened = label.textContent;
  var canvases = Array.from(box.querySelectorAll("canvas")).map(painted);
  slider.value = Number(slider.value) + 1;
  slider.dispatchEvent(new Event("input"));
  var moved = label.textContent;
  box.querySelector("button").click();
  var button = box.querySelector("button").textContent;
  box.querySelector("button").click();
  return {opened: opened, moved: moved, button: button, frames: Number(slider.max) + 1, painted: canvases};
}
function slid(box) {
  var label = box.querySelector("output"), slider = box.querySelector("input"), last = label.textContent;
  var frames = Array.from(box.querySelectorAll(".frames img"));
  slider.value = 0;
  slider.dispatchEvent(new Event("input"));
  return {first: label.textContent, last: last, shown: frames.filter(function (i) { return i.clientWidth > 0; }).length,
    loaded: frames.every(function (i) { return i.naturalWidth > 0; })};
}
function compared(box) {
  var slider = box.querySelector("input"), after = box.querySelector("[data-show=after]"), opened = after.src;
  slider.value = 25;
  slider.dispatchEvent(new Event("input"));
  box.querySelectorAll(".choice button")[1].click();
  return {part: box.querySelector(".over").style.getPropertyValue("--part"), opened: opened, other: after.src,
    loaded: Array.from(box.querySelectorAll(".still img, .choice img")).every(function (i) { return i.naturalWidth > 0; })};
}
function told(box) {  // the values at the end, one step before, and at the left edge
  var plot = box.querySelector(".plot"), readout = box.querySelector(".readout"), opened = readout.textContent;
  plot.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft"}));
  var keyed = readout.textContent;
  plot.dispatchEvent(new PointerEvent("pointermove", {clientX: plot.getBoundingClientRect().left + 1}));
  return {opened: opened, keyed: keyed, pointed: readout.textContent};
}
function copied(box, view) {  // with a clipboard, then without
  var button = box.querySelector("button"), told = box.querySelector("output"), wrote = null;
  function clipboard(value) { Object.defineProperty(view.navigator, "clipboard", {value: value, configurable: true}); }
  clipboard({writeText: function (text) { wrote = text; return {then: function (done) { done(); }}; }});
  button.click();
  var said = told.textContent;
  view.getSelection().removeAllRanges();
  clipboard(undefined);
  button.click();
  return {text: box.querySelector("pre").textContent, wrote: wrote, said: said, selected: view.getSelection().toString(),
    said_without: told.textContent, by_keyboard: button.tabIndex === 0};
}
function shownRows(figure) {
  return Array.from(figure.querySelectorAll(":scope > div")).map(function (row) {
    var shown = Array.from(row.querySelectorAll("img")).map(function (i) { return i.getBoundingClientRect(); })
      .filter(function (b) { return b.width > 0; });
    return {label: row.querySelector("p").textContent, images: shown.length, side: Math.min.apply(null, shown.map(function (b) { return b.width; })),
      right: Math.max.apply(null, shown.map(function (b) { return b.right; }))};
  });
}
function seen(frame) {
  var doc = frame.contentDocument, view = frame.contentWindow, width = view.innerWidth;
  var lead = doc.querySelector("h1").nextElementSibling;
  return {
    width: width,
    scroll: doc.scrollingElement.scrollWidth,
    outside: outside(doc, view, width),
    small_texts: smallTexts(doc, view),
    small_targets: smallTargets(doc),
    errors: view.errors,
    fetched: view.performance.getEntriesByType("resource").map(function (r) { return r.name; })
      .filter(function (n) { return !n.startsWith("data:"); }),
    lead: lead && lead.className === "lead" ? lead.textContent : "",
    first: doc.querySelector("main").firstElementChild.textContent,
    drawings: Array.from(doc.querySelectorAll("img.drawing")).filter(function (i) { return i.clientWidth > 0; })
      .map(function (i) { return [i.clientWidth - 8, i.naturalWidth]; }),
    animations: Array.from(doc.querySelectorAll(".animation")).map(played),
    commands: Array.from(doc.querySelectorAll(".command")).map(function (c) { return copied(c, view); }),
    rows: Array.from(doc.querySelectorAll(".rows")).map(shownRows),
    scrolling: Array.from(doc.querySelectorAll(".scroll")).filter(function (s) { return s.scrollWidth > s.clientWidth; }).map(nameOf),
    slides: Array.from(doc.querySelectorAll(".slides.playing")).map(slid),
    comparisons: Array.from(doc.querySelectorAll(".comparison")).map(compared),
    charts: Array.from(doc.querySelectorAll(".chart")).map(told)
  };
}
function touches(a, b) { return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom; }
function faultsOf(text) {  // of one drawing
  var holder = document.getElementById("drawing");
  holder.innerHTML = text.slice(text.indexOf("<svg"));
  var svg = holder.firstElementChild, box = svg.getBoundingClientRect();
  var glyphs = Array.from(svg.querySelectorAll("use")).map(function (u) { return u.getBoundingClientRect(); })
    .filter(function (b) { return b.width > 0; });
  var paths = Array.from(svg.querySelectorAll("path")).filter(function (p) { return !p.closest("defs, symbol"); });
  var points = paths.filter(function (p) { return p.getAttribute("fill") !== "none" && !/stroke:/.test(p.getAttribute("style") || ""); })
    .map(function (p) { return p.getBoundingClientRect(); }).filter(function (b) { return b.width < 9 && b.height < 9; });
  var lines = paths.filter(function (p) { return /fill:none/.test(p.getAttribute("style") || "") || p.getAttribute("fill") === "none"; });
  var faults = {glyphs: glyphs.length, cut: 0, on_points: 0, on_lines: 0};
  glyphs.forEach(function (g) {
    if (g.left < box.left || g.right > box.right || g.top < box.top || g.bottom > box.bottom) ++faults.cut;
    if (points.some(function (p) { return touches(g, p); })) ++faults.on_points;
    if (lines.some(function (line) {
      var middle = new DOMPoint((g.left + g.right) / 2, (g.top + g.bottom) / 2).matrixTransform(line.getScreenCTM().inverse());
      return line.isPointInStroke(middle);
    })) ++faults.on_lines;
  });
  return faults;
}
window.onload = function () {
  var found = {pages: {}, drawings: drawings.map(faultsOf)};
  Array.from(document.querySelectorAll("iframe")).forEach(function (frame) {
    found.pages[frame.title + " " + frame.width] = seen(frame);
  });
  document.body.innerHTML = "";
  document.body.textContent = "FOUND" + JSON.stringify(found) + "END";
};
"""


def drawings_of(page):
    """The SVG documents that a page holds, each once."""
    import base64
    found = dict.fromkeys(re.findall(r"data:image/svg\+xml;base64,([^\"']*)", page))
    return [base64.b64decode(code).decode() for code in found]


def look(folder, pages, widths=(PHONE, SCREEN)):
    """What is seen on each page of {name: HTML} at these widths, of a phone and of a screen: ({name: {width: what}},
    [faults of a drawing]). The frames have the page's origin, so that a script of the test can look into them."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: install the package chromium to see the pages as a reader does")
    watch = "<head><script>window.errors = []; addEventListener('error', function (e) { errors.push(String(e.message)); }, true);</script>"
    frames = "".join(
        f'<iframe title="{html.escape(name)}" width="{width}" height="900" style="border: 0" '
        f'srcdoc="{html.escape(page.replace("<head>", watch, 1))}"></iframe>'
        for name, page in pages.items() for width in widths)
    drawings = json.dumps([svg for page in pages.values() for svg in drawings_of(page)]).replace("</", "<\\/")
    harness = folder / "harness.html"
    harness.write_text(f"<!DOCTYPE html><html><head><meta charset='utf-8'></head><body><div id='drawing'></div>{frames}"
                       f"<script>var drawings = {drawings};{SCRIPT}</script></body></html>")
    done = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom",
                           f"--user-data-dir={folder / 'profile'}", "--window-size=1400,900", harness.as_uri()],
                          text=True, capture_output=True, timeout=300)
    answer = re.search(r"FOUND(.*)END", done.stdout, re.S)
    assert answer, (done.stdout[-500:], done.stderr[-2000:])
    found = json.loads(html.unescape(answer.group(1)))
    seen = {name: {width: found["pages"][f"{name} {width}"] for width in widths} for name in pages}
    return seen, found["drawings"]


def check_reads_well(folder, pages, phone=PHONE):
    """Fails naming what does not read on a phone or a screen; returns what was seen."""
    seen, drawings = look(folder, pages, (phone, SCREEN))
    for name, by_width in seen.items():
        for width, page in by_width.items():
            where = f"{name} at {width} px"
            assert page["width"] == width and page["scroll"] <= width, where
            for fault in ("outside", "small_texts", "small_targets", "errors", "fetched"):
                assert not page[fault], (where, fault, page[fault])
            assert page["lead"], f"{where}: no sentence for a stranger first"
            for command in page["commands"]:
                assert command["wrote"] == command["selected"] == command["text"] and command["by_keyboard"], (where, command)
                assert command["said"] == "copied" and command["said_without"], (where, command)
            for shown, natural in page["drawings"]:
                assert shown >= 0.85 * natural, f"{where}: a drawing is shown at {shown} px of {natural}"
    for faults in drawings:
        assert faults["glyphs"] > 0 and not (faults["cut"] or faults["on_points"] or faults["on_lines"]), faults
    return seen
