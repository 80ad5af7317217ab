// How pages look, on a large screen, a phone and paper, by day and by night.
#pragma once

namespace torsor {

inline constexpr const char* kPageStyle = R"css(
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --page: #fbfbfa; --card: #ffffff;
  --line: #e1e4e8; --shade: rgba(28, 36, 48, 0.18); --pass: #1a7f4b; --fail: #b3352b; --note: #2f62b0;
  --warning: #9a6200; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e7ec; --soft: #9aa5b3; --page: #14181d; --card: #1c2127;
  --line: #313841; --shade: rgba(255, 255, 255, 0.22); --pass: #4cc38a; --fail: #f0857c; --note: #82aef2;
  --warning: #e0a948; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; padding: 3rem 1.25rem 5rem; max-width: 60rem; background: var(--page); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  overflow-wrap: break-word; }
header { margin-bottom: 2rem; border-bottom: 1px solid var(--line); padding-bottom: 1.25rem; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0; }
header .lead { font-size: 1.2rem; line-height: 1.5; margin: 0.9rem 0 0; }
header .details { color: var(--soft); font-size: 0.9rem; margin: 0.75rem 0 0; }
h2 { font-size: 1.4rem; line-height: 1.3; letter-spacing: -0.01em; margin: 2.75rem 0 0.75rem; }
h3 { font-size: 1.1rem; margin: 2rem 0 0.5rem; }
p, ul { max-width: 44rem; margin: 0.75rem 0; }
figure { margin: 1.25rem 0; min-width: 0; }
figcaption { color: var(--soft); font-size: 0.9rem; max-width: 44rem; padding: 0.4rem 0; }
.scroll { overflow-x: auto; background: linear-gradient(90deg, var(--page) 30%, transparent) 0 0 / 2.5rem 100% local,
    linear-gradient(270deg, var(--page) 30%, transparent) 100% 0 / 2.5rem 100% local,
    linear-gradient(90deg, var(--shade), transparent) 0 0 / 0.7rem 100% scroll,
    linear-gradient(270deg, var(--shade), transparent) 100% 0 / 0.7rem 100% scroll; background-repeat: no-repeat; }
table { border-collapse: collapse; font-size: 0.95rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: 0.4rem 1rem 0.4rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; border-bottom-width: 2px; }
.long { min-width: 11rem; } .whole { white-space: nowrap; }
.number { text-align: right; }
.beside { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 1.25rem; margin: 1.25rem 0; }
.beside figure { margin: 0; flex: 1 1 16rem; }
img, canvas { display: block; max-width: 100%; height: auto; border-radius: 4px; }
img.small { image-rendering: pixelated; }
img.drawing { width: 100%; background: #fff; padding: 4px; }
img[hidden] { display: none; }
@media (prefers-color-scheme: dark) { img.drawing { filter: invert(0.89) hue-rotate(180deg); } }
.rows > div { display: grid; grid-template-columns: 7rem minmax(0, 1fr); align-items: center; gap: 0.75rem; margin-top: 4px; }
.rows p { margin: 0; font-size: 0.95rem; line-height: 1.35; }
.row { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, var(--cell)); gap: 4px; }
.row img { width: 100%; border-radius: 2px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.25rem; }
.charts figure { margin: 0; }
.plot { position: relative; cursor: crosshair; touch-action: pan-y; border-radius: 4px; }
.cursor { position: absolute; width: 1px; background: var(--note); pointer-events: none; visibility: hidden; }
.cursor.on { visibility: visible; }
.readout { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: 0.3rem 4px 0; font-size: 0.85rem; line-height: 1.5;
  font-variant-numeric: tabular-nums; }
.readout i { display: inline-block; width: 0.65em; height: 0.65em; border-radius: 50%; margin-right: 0.4em; }
.trio { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 14rem), 1fr)); gap: 1rem 1.25rem; }
.trio p { display: flex; justify-content: space-between; color: var(--soft); margin: 0 0 0.3rem; font-size: 0.95rem; }
.trio img { width: 100%; }
.over { position: relative; touch-action: pan-y; cursor: ew-resize; user-select: none; }
.over img { pointer-events: none; }
.over img + img { position: absolute; inset: 0; clip-path: inset(0 calc(100% - var(--part)) 0 0); }
.over i { position: absolute; top: 0; bottom: 0; left: calc(var(--part) - 1px); width: 2px; background: #fff;
  box-shadow: 0 0 2px #000; pointer-events: none; }
.choice { display: flex; flex-wrap: wrap; gap: 0.5rem; margin-top: 0.5rem; }
.choice[hidden] { display: none; }
.choice button { padding: 3px; background: none; border: 2px solid var(--line); border-radius: 6px; cursor: pointer; }
.choice button[aria-pressed=true] { border-color: var(--note); }
.choice img { width: 4rem; height: auto; }
:focus-visible { outline: 2px solid var(--note); outline-offset: 2px; }
.slides .controls { display: none; position: sticky; top: 0; background: var(--page); margin: 0; }
.slides.playing .controls { display: flex; }
.slides .frames img { width: 100%; }
.player, .playing .still { display: none; }
.playing .player { display: block; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.2rem 1.25rem; padding: 0; margin: 0 0 0.5rem;
  font-size: 0.95rem; }
.legend i { display: inline-block; width: 0.7em; height: 0.7em; border-radius: 50%; margin-right: 0.5em; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); gap: 1rem; }
.panels div { display: flex; flex-direction: column; justify-content: flex-end; min-width: 0; }
.panels p { margin: 0 0 0.3rem; font-size: 0.95rem; line-height: 1.4; }
.panels canvas { width: 100%; aspect-ratio: 1; background: #fff; border: 1px solid var(--line); }
.controls { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 1rem; margin: 0.5rem 0; }
.controls button, .command button { font: inherit; color: inherit; min-width: 6rem; min-height: 2.75rem; padding: 0 1rem; cursor: pointer;
  background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
.controls input { flex: 1 1 10rem; min-width: 0; height: 2.75rem; margin: 0; accent-color: var(--note);
  touch-action: pan-y; cursor: pointer; }
.controls output { flex: 0 1 16rem; font-variant-numeric: tabular-nums; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.8rem 1rem;
  white-space: pre-wrap; overflow-wrap: anywhere;
  font: 0.9rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.command { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; margin: 1rem 0; }
.command pre { flex: 1 1 20rem; min-width: 0; margin: 0; }
.command span { display: inline-block; max-width: 100%; }
.command div { display: flex; flex-flow: column; flex: 0 0 9rem; gap: 0.4rem; }
.command output { color: var(--soft); font-size: 0.9rem; line-height: 1.4; }
aside { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--tone); border-radius: 6px;
  padding: 0.8rem 1.1rem; margin: 1.25rem 0; max-width: 46rem; }
aside strong span { color: var(--tone); margin-right: 0.6em; text-transform: uppercase; font-size: 0.8rem;
  letter-spacing: 0.06em; }
aside p { margin: 0.25rem 0 0; }
.verdict { border-radius: 8px; padding: 1rem 1.4rem 1.2rem; margin: 0 0 1.5rem; -webkit-print-color-adjust: exact;
  print-color-adjust: exact; }
.verdict p { margin: 0; }
.verdict .word { display: flex; align-items: center; gap: 0.6rem; font-weight: 700; text-transform: uppercase;
  letter-spacing: 0.08em; }
.verdict .word span { display: inline-grid; place-items: center; width: 1.7em; height: 1.7em; border: 2px solid;
  border-radius: 50%; letter-spacing: 0; line-height: 1; }
.verdict h2 { font-size: 1.8rem; line-height: 1.2; margin: 0.4rem 0 0.5rem; }
.verdict.good { background: #17693f; color: #fff; } .verdict.caution { background: #f4b63f; color: #241a00; }
.verdict.bad { background: #a32018; color: #fff; } .verdict.unknown { background: #46505e; color: #fff; }
nav { display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin: 1rem 0; }
nav a { color: var(--note); padding: 0.6rem 0; }
.pass, .agrees { --tone: var(--pass); } .fail, .disagrees { --tone: var(--fail); } .note { --tone: var(--note); }
.warning { --tone: var(--warning); }
@media (max-width: 640px) { body { padding-top: 1.5rem; font-size: 1rem; } h1 { font-size: 1.5rem; }
  header .lead { font-size: 1.1rem; } h2 { font-size: 1.25rem; margin-top: 2.25rem; } ul { padding-left: 1.2rem; }
  .verdict { padding: 0.8rem 1rem 1rem; } .verdict h2 { font-size: 1.45rem; }
  .drawn { max-width: 26rem !important; }
  .legend { padding: 0; }
  .rows > div { display: block; margin-top: 0.5rem; } .rows p { margin-bottom: 0.2rem; }
  .row img:nth-child(n + 4) { display: none; }
  .command div { flex: 1 1 100%; flex-flow: row; align-items: center; gap: 0.75rem; }
  .sheet { overflow-x: auto; } .sheet figure { width: max-content; } .sheet img { max-width: none; width: var(--narrow); }
  .sheet figcaption { position: sticky; left: 0; max-width: calc(100vw - 2.5rem); }
  .wide { overflow-x: auto; } .wide img { max-width: none; height: 24rem; width: auto; }
  .prose, .prose tbody, .prose tr, .prose td { display: block; } .prose thead { display: none; }
  .prose tr { border-bottom: 1px solid var(--line); padding: 0.5rem 0; }
  .prose td { border: 0; padding: 0.1rem 0; min-width: 0; } .prose td:first-child { font-weight: 600; }
  .prose td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); } }
@media print { .playing .still { display: block; } .playing .player, .command div { display: none; }
  body { max-width: none; padding: 0; } aside, figure, tr { break-inside: avoid; } }
)css";

}  // namespace torsor
