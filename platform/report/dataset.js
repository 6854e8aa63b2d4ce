"use strict";
// The dataset's sample browser. Every text from the data enters the page through textContent.
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const samples = JSON.parse(document.getElementById("data").textContent);
  const list = document.getElementById("groups"), count = document.getElementById("count"), more = document.getElementById("more");
  const PAGE = 20;
  let shown = PAGE;

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function fill(select, values) {
    select.append(new Option("all", ""), ...[...new Set(values)].sort().map((value) => new Option(value, value)));
  }

  // Spans count Unicode code points, as Python does; a JavaScript string counts UTF-16 units.
  function response(sample) {
    const made = element("p", "response"), characters = Array.from(sample.response);
    let start = 0;
    const put = (end, className) => {
      if (end > start) made.append(element("span", className, characters.slice(start, end).join("")));
      start = end;
    };
    for (const [from, to] of sample.spans === null ? [[0, characters.length]] : sample.spans) {
      put(from, "noloss");
      put(to, "");
    }
    put(characters.length, "noloss");
    made.append(element("span", sample.loss_on_end ? "end" : "end noloss", "⏎"));
    return made;
  }

  function card(sample) {
    const made = element("div", "sample"), side = element("div"), main = element("div");
    for (const image of sample.images) {
      if (image.source.startsWith("data:image/")) {
        const shownImage = element("img");
        shownImage.src = image.source;
        shownImage.alt = image.reference;
        side.append(shownImage);
      } else side.append(element("div", "noimage", "no image"));
      side.append(element("p", "where", image.reference));
    }
    side.append(element("p", "where", `line ${sample.line} · ${sample.task || "no task"} · ${sample.id}`));
    const label = element("p", "label", "Label ");
    label.append(element("b", "", sample.label));
    if (sample.system) main.append(element("p", "question", sample.system));
    main.append(element("p", "question", sample.question), label);
    if (sample.response !== null) main.append(response(sample));
    made.append(side, main);
    return made;
  }

  function selected() {
    const { task, label, text } = form.elements, sought = text.value.toLowerCase();
    return samples.filter((sample) =>
      (!task.value || sample.task === task.value) &&
      (!label.value || sample.label === label.value) &&
      (!sought || [sample.id, sample.question, sample.response || ""].some((part) => part.toLowerCase().includes(sought))));
  }

  function draw() {
    const found = selected();
    list.replaceChildren(...found.slice(0, shown).map(card));
    count.textContent = `${found.length} of ${samples.length} samples`;
    more.hidden = found.length <= shown;
  }

  fill(form.elements.task, samples.map((sample) => sample.task).filter(Boolean));
  fill(form.elements.label, samples.map((sample) => sample.label));
  form.addEventListener("input", () => { shown = PAGE; draw(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => { shown += PAGE; draw(); });
  draw();
})();
