// The case browser of an evaluation: image, reasoning parts, answer, confidence and truth (the paper's Figure 7).
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const { models, parts, cases } = JSON.parse(document.getElementById("data").textContent);
  const SURE = 0.8;

  const outcomes = {
    "": () => true,
    right: (p) => p.correct,
    wrong: (p) => !p.correct,
    sure: (p) => !p.correct && p.confidence !== null && p.confidence >= SURE,
    unsure: (p) => p.correct && p.confidence !== null && p.confidence <= 1 - SURE,
    unread: (p) => p.error === null && p.answer === null,
    unstated: (p) => p.error === null && p.confidence === null,
    failed: (p) => p.error !== null,
  };

  function matches(sample, { model, task, outcome, least, most, text }) {
    const from = Number(least.value), to = Number(most.value), sought = text.value.toLowerCase();
    if (task.value && sample.task !== task.value) return false;
    if (outcome.value === "differ" && new Set(sample.predictions.map((p) => p.answer)).size < 2) return false;
    return sample.predictions.some((p) =>
      (!model.value || models[p.model] === model.value) &&
      (outcomes[outcome.value] || outcomes[""])(p) &&
      ((from === 0 && to === 1) || (p.confidence !== null && p.confidence >= from && p.confidence <= to)) &&
      (!sought || [sample.id, sample.question, p.response || ""].some((part) => part.toLowerCase().includes(sought))));
  }

  function badges(prediction) {
    return [prediction.error !== null ? "failed inference" : "",
      prediction.error === null && prediction.answer === null ? "answer unread" : "",
      prediction.confidence_problem && prediction.error === null ? `confidence ${prediction.confidence_problem.replaceAll("_", " ")}` : "",
      prediction.error === null && !prediction.well_formed ? "malformed" : ""].filter(Boolean);
  }

  function reasoning(prediction) {
    const made = element("dl", "parts");
    for (const [name, title] of parts) {
      if (name in prediction.parts) made.append(element("dt", "", title), element("dd", "", prediction.parts[name]));
    }
    return made;
  }

  function verdict(prediction) {
    const made = element("div", prediction.correct ? "prediction right" : "prediction wrong"), head = element("p", "verdict");
    head.append(element("span", "model", models[prediction.model]));
    const answer = prediction.answer === null ? prediction.written === null ? "no answer" : prediction.written : prediction.answer;
    head.append(element("b", "answer", answer), confidenceBar(prediction.confidence, prediction.correct));
    for (const badge of badges(prediction)) head.append(element("span", "badge", badge));
    made.append(head);
    if (prediction.error !== null) made.append(element("p", "response", prediction.error));
    else if (Object.keys(prediction.parts).length) {
      const raw = element("details");
      raw.append(element("summary", "", "whole response"), element("p", "response", prediction.response));
      made.append(reasoning(prediction), raw);
    } else made.append(element("p", "response", prediction.response));
    return made;
  }

  function card(sample) {
    const made = element("div", "sample"), side = element("div"), main = element("div"), truth = element("p", "label", "Truth ");
    side.append(picture(sample.image, `image of ${sample.id}`), element("p", "where", `${sample.task} · ${sample.id}`));
    truth.append(element("b", "", sample.label));
    main.append(element("p", "question", sample.question), truth, ...sample.predictions.map(verdict));
    made.append(side, main);
    return made;
  }

  function drawn({ elements }) {
    document.getElementById("range").textContent = `${Number(elements.least.value).toFixed(2)} – ${Number(elements.most.value).toFixed(2)}`;
  }

  fill(form.elements.model, models);
  fill(form.elements.task, cases.map((sample) => sample.task).sort());
  browse({ items: cases, noun: "cases", page: 12, matches, card, drawn });
})();
