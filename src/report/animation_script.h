// What plays an animation in the browser.
#pragma once

namespace torsor {

/// Begins a call, to be completed by "DATA);". Until it has run, and on paper, the still is shown.
inline constexpr const char* kAnimationScript = R"js(
(function (box, data) {
  var canvases = box.querySelectorAll("canvas"), slider = box.querySelector("input");
  var button = box.querySelector("button"), label = box.querySelector("output");
  var timer = null, shown = data.poster, last = data.frames.length - 1;
  function clear(canvas, lines) {
    var side = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1)), c = canvas.getContext("2d");
    canvas.width = canvas.height = side;
    c.strokeStyle = data.ground;
    c.lineWidth = side / 200;
    lines.forEach(function (line) {
      c.beginPath();
      line.forEach(function (p) { c.lineTo(p[0] * side, p[1] * side); });
      c.stroke();
    });
  }
  function draw() {
    var p = data.frames[shown].points;
    canvases.forEach(function (canvas, k) { clear(canvas, data.guides[k]); });
    for (var i = 0; i < p.length; i += 4) {
      var canvas = canvases[p[i]], side = canvas.width, c = canvas.getContext("2d");
      c.fillStyle = data.colours[p[i + 3]];
      c.beginPath();
      c.arc(p[i + 1] * side, p[i + 2] * side, data.dot * side, 0, 7);
      c.fill();
    }
  }
  function show(index) {
    shown = index;
    slider.value = index;
    label.textContent = data.frames[index].label;
    slider.setAttribute("aria-valuetext", label.textContent);
    draw();
  }
  function stop() { clearInterval(timer); timer = null; button.textContent = "Play"; }
  function play() {
    if (shown === last || !box.dataset.played) show(0);
    box.dataset.played = "yes";
    button.textContent = "Pause";
    timer = setInterval(function () { if (shown === last) stop(); else show(shown + 1); }, 90);
  }
  button.onclick = function () { if (timer) stop(); else play(); };
  slider.oninput = function () { stop(); box.dataset.played = "yes"; show(Number(slider.value)); };
  slider.max = last;
  box.classList.add("playing");
  show(shown);
  window.addEventListener("resize", draw);
})(document.currentScript.parentNode, )js";

}  // namespace torsor
