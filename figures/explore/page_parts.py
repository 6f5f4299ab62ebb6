"""The style sheet and the script of the page of explorers. The script looks frames up and computes nothing."""

STYLE = """
:root{color-scheme:light;--ink:#1b1f24;--soft:#57606a;--line:#d5dae0;--link:#00598c}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:78rem;margin:0 auto;padding:1rem clamp(.75rem,3vw,2rem)}
h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.25rem;margin:0 0 .5rem}
p{max-width:52rem;margin:.5rem 0}
a{color:var(--link)}nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:1rem 0}
nav a{padding:.35rem 0}
section{border-top:1px solid var(--line);padding:1.5rem 0}
.sliders{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.5rem 2rem;margin:1rem 0}
.sliders{position:sticky;top:0;z-index:2;background:#fff;padding:.25rem 0;border-bottom:1px solid var(--line)}
.slider label{display:block}.slider small{display:block;color:var(--soft)}
output{font-variant-numeric:tabular-nums;font-weight:600}
input[type=range]{width:100%;height:2rem;margin:0;accent-color:var(--link)}
input[type=range]:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:.25rem}
.words{min-height:4.5em;font-variant-numeric:tabular-nums;padding:.6rem .8rem;background:#f4f6f8;
border-left:4px solid var(--link)}
.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem}
.picture{height:25rem;min-width:0}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.15rem 1.25rem;padding:0;margin:.5rem 0;font-size:.85rem}
.legend li{display:inline-flex;align-items:center;gap:.4rem}
footer{border-top:1px solid var(--line);color:var(--soft);font-size:.85rem;overflow-wrap:anywhere}
@media (max-width:44rem){.picture{height:20rem}.words{min-height:9em}.sliders{gap:0}
.slider{display:grid;grid-template-columns:1fr 1fr;align-items:center;column-gap:.75rem}
.slider small{font-size:.72rem;line-height:1.2}}
"""

SCRIPT = """
"use strict";
for (const section of document.querySelectorAll("section")) {
  const found = JSON.parse(document.getElementById(section.id + "-data").textContent);
  const inputs = found.sliders.map(slider => document.getElementById(section.id + "-" + slider.name));
  const words = document.getElementById(section.id + "-words");
  const config = {displayModeBar: false, responsive: true, doubleClick: false, scrollZoom: false};
  let waiting = false;
  function show() {
    waiting = false;
    let place = 0;
    found.sliders.forEach((slider, k) => {
      const value = slider.values[inputs[k].valueAsNumber];
      place = place * slider.values.length + inputs[k].valueAsNumber;
      inputs[k].setAttribute("aria-valuetext", slider.label + " = " + value);
      inputs[k].labels[0].querySelector("output").value = value;
    });
    const frame = found.frames[place];
    words.textContent = found.words[frame[0]];
    frame.slice(1).forEach((panel, k) => {
      const data = [];
      for (let i = 1; i < panel.length; i += 3) {
        data.push(Object.assign({}, found.styles[panel[i]], {x: found.arrays[panel[i + 1]], y: found.arrays[panel[i + 2]]}));
      }
      Plotly.react(section.id + "-" + k, data, structuredClone(found.layouts[panel[0]]), config);
    });
    section.dataset.frame = place;
  }
  for (const input of inputs) {
    input.addEventListener("input", () => {
      if (!waiting) { waiting = true; requestAnimationFrame(show); }
    });
  }
  show();
}
"""
