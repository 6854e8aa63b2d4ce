// A run's browser of sampled groups.
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const groups = JSON.parse(document.getElementById("data").textContent);

  function number(value, digits = 2) {
    return value === null || value === undefined ? "–" : value.toFixed(digits);
  }
  function signed(value) {
    return value === null ? "–" : (value > 0 ? "+" : "") + value.toFixed(2);
  }

  const answers = {
    "": () => true,
    some: (responses) => responses.some((r) => r.correct) && responses.some((r) => !r.correct),
    right: (responses) => responses.every((r) => r.correct),
    wrong: (responses) => responses.every((r) => !r.correct),
    overconfident: (responses) => responses.some((r) => !r.correct && r.confidence !== null && r.confidence > 0.8),
    invalid: (responses) => responses.some((r) => !r.well_formed || r.confidence === null),
  };

  function matches(group, { step, task, correct, confidence }) {
    const least = Number(confidence.value);
    return (!step.value || String(group.step) === step.value) &&
      (!task.value || group.task === task.value) &&
      answers[correct.value](group.responses) &&
      (least === 0 || group.responses.some((r) => r.confidence !== null && r.confidence >= least));
  }

  function confidenceCell(response) {
    const cell = element("td", "n");
    cell.append(confidenceBar(response.confidence, response.correct));
    return cell;
  }

  function responseRows(response, terms) {
    const row = element("tr", response.masked ? "row masked" : "row");
    const answer = element("td", response.correct ? "right" : "wrong", response.answer === null ? "no answer" : response.answer);
    const sign = response.advantage > 0 ? "positive" : response.advantage < 0 ? "negative" : "";
    const own = response.confidence_advantage === null ? "" : ` (confidence ${signed(response.confidence_advantage)})`;
    const state = [response.well_formed ? "" : "malformed", response.finish_reason === "length" ? "truncated" : "",
      response.masked ? `masked: ${response.masked}` : ""].filter(Boolean).join(", ");
    row.append(answer, confidenceCell(response), ...terms.map((term) => element("td", "n", number(response.terms[term]))),
      element("td", "n", number(response.total)), element("td", `n ${sign}`, signed(response.advantage) + own),
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
    side.append(picture(group.image, `image of ${group.sample_id}`));
    side.append(element("p", "where", `step ${group.step} · ${group.task} · ${group.sample_id} · weights ${group.weight_version}`));
    const label = element("p", "label", "Label ");
    label.append(element("b", "", group.label));
    main.append(element("p", "question", group.question), label, table(group));
    made.append(side, main);
    return made;
  }

  function drawn(filters) {
    filters.querySelector("output").textContent = Number(filters.elements.confidence.value).toFixed(2);
  }

  fill(form.elements.step, groups.map((group) => group.step));
  fill(form.elements.task, groups.map((group) => group.task).sort());
  const steps = form.elements.step.options;
  steps[steps.length - 1].selected = true;
  browse({ items: groups, noun: "groups", page: 12, matches, card, drawn });
})();
