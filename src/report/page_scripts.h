// What makes the figures and commands of a page answer to pointer, finger and keyboard. Those of figures
// begin a call, to be completed by "DATA);".
#pragma once

namespace torsor {

/// Lets commands wrap between their options only, and gives each a button that copies it. Stands whole, at
/// the end of the page. What is copied is selected first: a page from a file may have no clipboard, or may
/// not use it, and then the reader copies.
inline constexpr const char* kCopyScript = R"js(
document.querySelectorAll(".command").forEach(function (box) {
  var text = box.querySelector("pre"), bar = document.createElement("div");
  var button = bar.appendChild(document.createElement("button")), told = bar.appendChild(document.createElement("output"));
  function copySelected() {
    var done = false;
    try { done = document.execCommand("copy"); } catch (error) {}
    told.textContent = done ? "copied" : "selected: copy it with Ctrl+C or \u2318C";
  }
  var parts = text.textContent.split(/(--\S+(?: (?!--)\S+)?)/);  // every other one is an option with its value
  text.textContent = "";
  parts.forEach(function (part, index) {
    if (index % 2 === 0) return text.append(part);
    text.appendChild(document.createElement("span")).textContent = part;
  });
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy this command");
  button.onclick = function () {
    window.getSelection().selectAllChildren(text);
    if (!navigator.clipboard) return copySelected();
    navigator.clipboard.writeText(text.textContent).then(function () { told.textContent = "copied"; }, copySelected);
  };
  box.appendChild(bar);
});
)js";

/// Chooses one of the pictures.
inline constexpr const char* kSlidesScript = R"js(
(function (box) {
  var frames = box.querySelectorAll(".frames img"), slider = box.querySelector("input");
  var button = box.querySelector("button"), label = box.querySelector("output"), last = frames.length - 1, timer = null;
  function show(index) {
    for (var i = 0; i <= last; ++i) frames[i].hidden = i !== index;
    slider.value = index;
    label.textContent = frames[index].alt;
    slider.setAttribute("aria-valuetext", label.textContent);
  }
  function stop() { clearInterval(timer); timer = null; button.textContent = "Play"; }
  button.onclick = function () {
    if (timer) return stop();
    if (Number(slider.value) === last) show(0);
    button.textContent = "Pause";
    timer = setInterval(function () { if (Number(slider.value) === last) stop(); else show(Number(slider.value) + 1); }, 500);
  };
  slider.oninput = function () { stop(); show(Number(slider.value)); };
  if (last > 0) box.classList.add("playing");
  show(last);
})(document.currentScript.parentNode)js";

/// Moves the line between before and after, and chooses one of the comparisons.
inline constexpr const char* kComparisonScript = R"js(
(function (box, data) {
  var over = box.querySelector(".over"), slider = box.querySelector("input"), choice = box.querySelector(".choice");
  var shown = box.querySelectorAll("[data-show]");
  function part(value) {
    slider.value = value;
    over.style.setProperty("--part", slider.value + "%");
  }
  function choose(index) {
    shown.forEach(function (image) { image.src = data[index][image.dataset.show]; });
    Array.from(choice.children).forEach(function (b, i) { b.setAttribute("aria-pressed", i === index); });
  }
  function follow(event) {
    var frame = over.getBoundingClientRect();
    part(100 * (event.clientX - frame.left) / frame.width);
  }
  over.onpointerdown = function (event) { over.setPointerCapture(event.pointerId); follow(event); };
  over.onpointermove = function (event) { if (event.buttons) follow(event); };
  slider.oninput = function () { part(slider.value); };
  data.forEach(function (each, index) {
    var b = document.createElement("button"), image = document.createElement("img");
    b.type = "button";
    image.src = each.before;
    image.alt = each.label;
    b.appendChild(image);
    b.onclick = function () { choose(index); };
    choice.appendChild(b);
  });
  choice.hidden = data.length < 2;
  box.classList.add("playing");
  part(50);
  choose(0);
})(document.currentScript.parentNode, )js";

/// Tells the values of a chart.
inline constexpr const char* kChartScript = R"js(
(function (box, data) {
  var plot = box.querySelector(".plot"), cursor = box.querySelector(".cursor"), readout = box.querySelector(".readout");
  var narrow = window.matchMedia("(max-width: 640px)"), at = null, stops = [];
  data.series.forEach(function (s) { if (s.x.length > stops.length) stops = s.x; });
  if (!stops.length) return;
  function nearest(values, x) {
    var low = 0, high = values.length - 1;
    while (low < high) { var middle = low + high >> 1; if (values[middle] < x) low = middle + 1; else high = middle; }
    return low > 0 && x - values[low - 1] < values[low] - x ? low - 1 : low;
  }
  function place(x) { return data.log ? Math.log10(x) : x; }
  function frame() {  // in pixels of the page; the picture has a border of 4
    var f = data.frames[narrow.matches ? 1 : 0], scale = (plot.clientWidth - 8) / f.width;
    return {left: 4 + f.left * scale, right: 4 + f.right * scale, top: 4 + f.top * scale, bottom: 4 + f.bottom * scale};
  }
  function add(parent, tag, text) {
    var e = document.createElement(tag);
    e.textContent = text;
    return parent.appendChild(e);
  }
  function show(index) {
    at = index;
    var x = stops[at], f = frame();
    var part = (place(x) - place(data.low)) / (place(data.high) - place(data.low));
    cursor.style.left = f.left + part * (f.right - f.left) + "px";
    cursor.style.top = f.top + "px";
    cursor.style.height = f.bottom - f.top + "px";
    readout.textContent = "";
    add(readout, "b", data.name + " " + x.toLocaleString("en"));
    data.series.forEach(function (s) {
      if (!s.x.length) return;
      var item = add(readout, "span", ""), value = s.y[nearest(s.x, x)];
      add(item, "i", "").style.background = s.colour;
      item.appendChild(document.createTextNode(s.label + " " + value));
    });
    plot.setAttribute("aria-valuenow", x);
    plot.setAttribute("aria-valuetext", readout.innerText);
  }
  function follow(event) {
    var f = frame(), part = (event.clientX - plot.getBoundingClientRect().left - f.left) / (f.right - f.left);
    var x = place(data.low) + part * (place(data.high) - place(data.low));
    show(nearest(stops, data.log ? Math.pow(10, x) : x));
    cursor.classList.add("on");
  }
  plot.onpointermove = plot.onpointerdown = follow;
  plot.onkeydown = function (event) {
    var page = Math.max(1, Math.round(stops.length / 10)), last = stops.length - 1;
    var moved = {ArrowLeft: at - 1, ArrowRight: at + 1, ArrowDown: at - 1, ArrowUp: at + 1, PageDown: at - page, PageUp: at + page,
      Home: 0, End: last}[event.key];
    if (moved === undefined) return;
    event.preventDefault();
    show(Math.min(last, Math.max(0, moved)));
    cursor.classList.add("on");
  };
  plot.tabIndex = 0;
  plot.setAttribute("role", "slider");
  plot.setAttribute("aria-label", data.name);
  plot.setAttribute("aria-valuemin", stops[0]);
  plot.setAttribute("aria-valuemax", stops[stops.length - 1]);
  show(stops.length - 1);
  window.addEventListener("resize", function () { show(at); });
})(document.currentScript.parentNode, )js";

}  // namespace torsor
