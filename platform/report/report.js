
"use strict";
// The sample browser. Every text from the model or the data enters the page through textContent.
(() => {
  const groups = JSON.parse(document.getElementById("data").textContent);
  const form = document.getElementById("filters");
  if (!form) return;
  const list = document.getElementById("groups"), count = document.getElementById("count"), more = document.getElementById("more");
  const PAGE = 12;
  let shown = PAGE;

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function number(value, digits = 2) {
    return value === null || value === undefined ? "–" : value.toFixed(digits);
  }
  function signed(value) {
    return value === null ? "–" : (value > 0 ? "+" : "") + value.toFixed(2);
  }
  function fill(select, values) {
    select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
  }

  const matches = {
    "": () => true,
    some: (responses) => responses.some((r) => r.correct) && responses.some((r) => !r.correct),
    right: (responses) => responses.every((r) => r.correct),
    wrong: (responses) => responses.every((r) => !r.correct),
    overconfident: (responses) => responses.some((r) => !r.correct && r.confidence !== null && r.confidence > 0.8),
    invalid: (responses) => responses.some((r) => !r.well_formed || r.confidence === null),
  };

  function selected() {
    const { step, task, correct, confidence } = form.elements;
    const least = Number(confidence.value);
    return groups.filter((group) =>
      (!step.value || String(group.step) === step.value) &&
      (!task.value || group.task === task.value) &&
      matches[correct.value](group.responses) &&
      (least === 0 || group.responses.some((r) => r.confidence !== null && r.confidence >= least)));
  }

  function confidenceCell(response) {
    const cell = element("td", "n");
    if (response.confidence !== null) {
      const bar = element("span", response.correct ? "bar" : "bar wrongbar"), filled = element("i");
      filled.style.width = `${response.confidence * 100}%`;
      bar.append(filled);
      cell.append(bar);
    }
    cell.append(number(response.confidence));
    return cell;
  }

  function responseRows(response, terms) {
    const row = element("tr", response.masked ? "row masked" : "row");
    const answer = element("td", response.correct ? "right" : "wrong", response.answer === null ? "no answer" : response.answer);
    const sign = response.advantage > 0 ? "positive" : response.advantage < 0 ? "negative" : "";
    const state = [response.well_formed ? "" : "malformed", response.finish_reason === "length" ? "truncated" : "",
      response.masked ? `masked: ${response.masked}` : ""].filter(Boolean).join(", ");
    row.append(answer, confidenceCell(response), ...terms.map((term) => element("td", "n", number(response.terms[term]))),
      element("td", "n", number(response.total)), element("td", `n ${sign}`, signed(response.advantage)),
      element("td", "n", response.num_tokens), element("td", "", state));
    const text = element("tr", "text"), cell = element("td", "", response.text);
    cell.colSpan = terms.length + 6;
    text.hidden = true;
    text.append(cell);
    row.title = "Show the response";
    row.addEventListener("click", () => { text.hidden = !text.hidden; });
    return [row, text];
  }

  function table(group) {
    const terms = Object.keys(group.responses[0].terms);
    const made = element("table", "responses"), head = element("tr"), body = element("tbody");
    for (const [title, right] of [["Answer", 0], ["Confidence", 1], ...terms.map((term) => [`R ${term}`, 1]), ["Reward", 1],
      ["Advantage", 1], ["Tokens", 1], ["", 0]]) head.append(element("th", right ? "n" : "", title));
    const thead = element("thead");
    thead.append(head);
    for (const response of group.responses) body.append(...responseRows(response, terms));
    made.append(thead, body);
    return made;
  }

  function card(group) {
    const made = element("div", "sample"), side = element("div"), main = element("div");
    if (group.image.startsWith("data:image/")) {
      const image = element("img");
      image.src = group.image;
      image.alt = `image of ${group.sample_id}`;
      side.append(image);
    } else side.append(element("div", "noimage", "no image"));
    side.append(element("p", "where", `step ${group.step} · ${group.task} · ${group.sample_id} · weights ${group.weight_version}`));
    const label = element("p", "label", "Label ");
    label.append(element("b", "", group.label));
    main.append(element("p", "question", group.question), label, table(group));
    made.append(side, main);
    return made;
  }

  function draw() {
    const found = selected();
    list.replaceChildren(...found.slice(0, shown).map(card));
    count.textContent = `${found.length} of ${groups.length} groups`;
    more.hidden = found.length <= shown;
    form.querySelector("output").textContent = Number(form.elements.confidence.value).toFixed(2);
  }

  fill(form.elements.step, [...new Set(groups.map((group) => group.step))]);
  fill(form.elements.task, [...new Set(groups.map((group) => group.task))].sort());
  const steps = form.elements.step.options;
  steps[steps.length - 1].selected = true;
  form.addEventListener("input", () => { shown = PAGE; draw(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => { shown += PAGE; draw(); });
  draw();
})();
