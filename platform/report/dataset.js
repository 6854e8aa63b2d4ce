// The dataset's sample browser.
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const samples = JSON.parse(document.getElementById("data").textContent);

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
      side.append(picture(image.source, image.reference), element("p", "where", image.reference));
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

  function matches(sample, { task, label, text }) {
    const sought = text.value.toLowerCase();
    return (!task.value || sample.task === task.value) &&
      (!label.value || sample.label === label.value) &&
      (!sought || [sample.id, sample.question, sample.response || ""].some((part) => part.toLowerCase().includes(sought)));
  }

  fill(form.elements.task, samples.map((sample) => sample.task).filter(Boolean).sort());
  fill(form.elements.label, samples.map((sample) => sample.label).sort());
  browse({ items: samples, noun: "samples", page: 20, matches, card });
})();
