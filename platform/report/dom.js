"use strict";
// What the browsers of samples share. Every text from a model or a dataset enters a page through textContent.

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// An embedded image, or a place that says there is none; no other source is ever loaded.
function picture(source, alt) {
  if (!source.startsWith("data:image/")) return element("div", "noimage", "no image");
  const made = element("img");
  made.src = source;
  made.alt = alt;
  return made;
}

// A bar of a stated confidence and its number, or a dash.
function confidenceBar(confidence, correct) {
  const made = element("span");
  if (confidence !== null) {
    const bar = element("span", correct ? "bar" : "bar wrongbar"), filled = element("i");
    filled.style.width = `${confidence * 100}%`;
    bar.append(filled);
    made.append(bar);
  }
  made.append(confidence === null ? "–" : confidence.toFixed(2));
  return made;
}

function fill(select, values) {
  select.append(new Option("all", ""), ...[...new Set(values)].map((value) => new Option(value, value)));
}

// Shows the items that `matches` lets through, `page` at a time, and again whenever the filters change. A filter can
// also be set by the address: #task=FI-8&outcome=wrong.
function browse({ items, noun, page, matches, card, drawn = () => {} }) {
  const form = document.getElementById("filters"), list = document.getElementById("groups");
  const count = document.getElementById("count"), more = document.getElementById("more");
  let shown = page;

  function draw() {
    const found = items.filter((item) => matches(item, form.elements));
    list.replaceChildren(...found.slice(0, shown).map(card));
    count.textContent = `${found.length} of ${items.length} ${noun}`;
    more.hidden = found.length <= shown;
    drawn(form);
  }

  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    const field = form.elements.namedItem(name);
    if (field) field.value = value;
  }
  form.addEventListener("input", () => { shown = page; draw(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => { shown += page; draw(); });
  draw();
}
