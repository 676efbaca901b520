"use strict";
const at = (id) => document.getElementById(id);
const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const soft = (text) => make("span", { className: "soft" }, text);
const copyOf = (cells) => JSON.parse(JSON.stringify(cells));
let model, address, manyFields;
let only = "";  // the type of the only column, where a row is that record or text itself
let rows = [], current = 0, example = 0, language = "curl", answers = [];

const show = (value) => value === null || value === undefined ? "missing" : typeof value === "string" ? value : JSON.stringify(value);
const brief = (number) => Number.isInteger(number) ? String(number) : String(Number(number.toPrecision(6)));

// What a field says, as the cell the model takes. An empty field is a missing value, or the empty text of a text model.
function cell(column, text) {
  if (text === "") return only === "text" ? text : null;
  if (column.type === "record") return JSON.parse(text);
  if (column.type === "text") return text;
  if (column.categories && column.type === "any" && column.categories.includes(text)) return text;
  if (column.type === "bool" && /^(true|false)$/i.test(text)) return /^true$/i.test(text);
  const number = Number(text);
  return text.trim() === "" || Number.isNaN(number) ? text : number;
}

// A tensor model has one text area per input; an empty one stands for zeros, dynamic lengths being 1.
const takesTensors = () => model.tensors.length > 0;
function zeros(shape, datatype) {
  if (!shape.length) return datatype === "BYTES" ? "" : datatype === "BOOL" ? false : 0;
  return Array.from({ length: shape[0] < 0 ? 1 : shape[0] }, () => zeros(shape.slice(1), datatype));
}

function readTensor(tensor, i) {
  const text = at("field-" + i).value.trim();
  try {
    return text === "" ? zeros(tensor.shape, tensor.datatype) : JSON.parse(text);
  } catch (problem) {
    throw new Error(`input '${tensor.name}': ${problem.message}`);
  }
}

function tensorField(tensor, i) {
  const hint = make("span", { className: "hint", id: "hint-" + i }, `${tensor.datatype} ${tensor.shape_text}, as lists in lists; empty: zeros`);
  const area = make("textarea", { id: "field-" + i, spellcheck: false });
  area.setAttribute("aria-describedby", hint.id);
  return make("div", { className: "wide" }, make("label", { htmlFor: area.id }, tensor.name), area, hint);
}

function readRow() {
  if (takesTensors()) return model.tensors.map(readTensor);
  if (manyFields) return JSON.parse(at("field-row").value);
  return model.columns.map((column, i) => cell(column, at("field-" + i).value));
}

function instance(cells) {
  if (only === "record" || only === "text") return cells[0];
  if (!model.has_names) return cells;
  return Object.fromEntries(model.columns.map((column, i) => [column.name, cells[i]]));
}

const request = (outputs) => takesTensors() ? {
  inputs: Object.fromEntries(model.tensors.map((tensor, i) => [tensor.name, rows[current][i]])) } : ({
  instances: rows.map(instance),
  ...(outputs ? { parameters: { predict_method: outputs } } : {}) });

function hintOf(column) {
  const parts = [];
  if (column.type !== "any" && column.type !== "text") parts.push(column.type);
  if (column.low !== undefined) parts.push(`seen ${brief(column.low)} to ${brief(column.high)}`);
  if (!column.required) parts.push("not used");
  if (only !== "text") parts.push(column.missing ? "empty: missing" : "needed");
  return parts.join(", ");
}

function inputOf(column, i) {
  const id = "field-" + i;
  const seen = [...new Set(model.examples.map((cells) => cells[i]).filter((value) => typeof value === "string"))];
  const known = column.categories || [];
  if (column.type === "bool" || (column.closed && known.length)) {
    const values = column.type === "bool" ? ["true", "false"] : known.map(String);
    const options = values.map((value) => make("option", { value }, value));
    if (column.missing) options.push(make("option", { value: "" }, "(missing)"));
    return [make("select", { id }, ...options)];
  }
  if (column.type === "record" || seen.some((value) => value.length > 60) || only === "text") return [make("textarea", { id, spellcheck: false })];
  const input = make("input", { id, autocomplete: "off", spellcheck: false, placeholder: column.missing ? "missing" : "" });
  if (column.type === "number" || column.type === "integer") input.inputMode = "decimal";
  const values = known.length ? known.map(String) : seen.length > 1 ? seen.sort() : [];
  if (!values.length) return [input];
  input.setAttribute("list", "list-" + i);
  return [input, make("datalist", { id: "list-" + i }, ...values.slice(0, 1000).map((value) => make("option", { value })))];
}

function field(column, i) {
  const parts = inputOf(column, i);
  const hint = make("span", { className: "hint", id: "hint-" + i }, hintOf(column));
  parts[0].setAttribute("aria-describedby", hint.id);
  const box = make("div", {}, make("label", { htmlFor: "field-" + i }, column.name), ...parts, hint);
  if (parts[0].tagName === "TEXTAREA") box.className = "wide";
  box.dataset.name = column.name.toLowerCase();
  return box;
}

function fill() {
  const cells = rows[current];
  if (takesTensors()) model.tensors.forEach((tensor, i) => {
    at("field-" + i).value = tensor.example === undefined ? "" : JSON.stringify(tensor.example);
  });
  else if (manyFields) at("field-row").value = JSON.stringify(cells);
  else model.columns.forEach((column, i) => {
    const value = cells[i];
    const input = at("field-" + i);
    input.value = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value)
      : column.type === "bool" && typeof value === "number" ? String(value === 1) : String(value);
    if (input.tagName === "SELECT" && input.selectedIndex < 0) input.selectedIndex = 0;
  });
  unmark();
  showRows();
  showCode();
}

function showRows() {
  at("remove").hidden = rows.length < 2;
  at("rows").hidden = rows.length < 2;
  at("rows").replaceChildren(...rows.map((cells, i) => {
    const button = make("button", { type: "button", className: "small" }, "Row " + (i + 1));
    button.setAttribute("aria-pressed", String(i === current));
    button.addEventListener("click", () => { if (keep()) { current = i; fill(); at("rows").children[i].focus(); } });
    return button;
  }));
}

// Takes the form's values into the row; false: they are not such values, and the answer says why.
function keep() {
  try {
    rows[current] = readRow();
    return true;
  } catch (problem) {
    fail("This is not JSON: " + problem.message);
    return false;
  }
}

const quote = (text) => "'" + text.replaceAll("'", "'\\''") + "'";
const member = () => takesTensors() ? "outputs" : "predictions";
const programs = {
  curl: (url, body) => `curl -s ${quote(url)} \\\n  -H 'content-type: application/json' \\\n  -d ${body.startsWith("@") ? body : quote(body)}`,
  Python: (url, body) => `import json, urllib.request\n\nbody = json.loads(${JSON.stringify(body)})\nrequest = urllib.request.Request(\n    ${JSON.stringify(url)}, json.dumps(body).encode(),\n    {"content-type": "application/json"})\nprint(json.load(urllib.request.urlopen(request))["${member()}"])`,
  JavaScript: (url, body) => `const answer = await fetch(${JSON.stringify(url)}, {\n  method: "POST",\n  headers: { "content-type": "application/json" },\n  body: JSON.stringify(${body}),\n});\nconsole.log((await answer.json()).${member()});`,
};

function showCode() {
  let body = "{}";
  try {
    const kept = rows[current];
    rows[current] = readRow();
    body = JSON.stringify(request());
    rows[current] = kept;
  } catch { /* half-typed JSON */ }
  if (body.length > 20000) {
    at("code").textContent = `The request is ${(body.length / 1000).toFixed(0)} kB of JSON: too long to be shown. From a file:\n\n` + programs.curl(new URL(address, location.href.split(/[?#]/)[0]).href, "@request.json");
    return;
  }
  at("code").textContent = programs[language](new URL(address, location.href.split(/[?#]/)[0]).href, body);
  at("copied").textContent = "";
}

function tabs() {
  const names = Object.keys(programs);
  const choose = (name, focus) => {
    language = name;
    for (const tab of at("tabs").children) {
      const chosen = tab.textContent === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen && focus) tab.focus();
    }
    at("code").setAttribute("aria-labelledby", "tab-" + name);
    showCode();
  };
  at("tabs").append(...names.map((name, i) => {
    const tab = make("button", { type: "button", className: "small", id: "tab-" + name }, name);
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", "code");
    tab.addEventListener("click", () => choose(name));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) choose(names[(i + step + names.length) % names.length], true);
    });
    return tab;
  }));
  choose("curl");
}

function headers() {
  const made = { "content-type": "application/json" };
  if (at("key").value) made.authorization = "Bearer " + at("key").value;
  return made;
}

function unmark() {
  for (const wrong of document.querySelectorAll("[aria-invalid]")) wrong.removeAttribute("aria-invalid");
}

function fail(message) {
  at("result").replaceChildren(make("p", { className: "bad" }, message));
  const column = takesTensors() ? model.tensors.findIndex((candidate) => message.includes(`input '${candidate.name}'`))
    : model.columns.findIndex((candidate) => message.includes(`column '${candidate.name}'`));
  const input = column >= 0 ? at("field-" + column) : null;
  const row = Number((/row (\d+)/.exec(message) || [])[1]);
  if (!input) return;
  if (!takesTensors() && row < rows.length && row !== current) { current = row; fill(); }
  input.setAttribute("aria-invalid", "true");
  input.focus();
}

function bars(labels, numbers) {
  const ranked = numbers.map((number, i) => ({ label: labels[i] ?? String(i), number })).sort((a, b) => b.number - a.number);
  const shown = ranked.slice(0, 20).map(({ label, number }) => make("tr", {},
    make("th", { scope: "row" }, label),
    make("td", { className: "bar" }, make("meter", { min: 0, max: 1, value: number, ariaLabel: label })),
    make("td", { className: "number" }, typeof number === "number" ? number.toFixed(4) : "missing")));
  const table = make("table", {}, make("tbody", {}, ...shown));
  return ranked.length > 20 ? make("div", {}, table, make("p", { className: "soft" }, `and ${ranked.length - 20} more`)) : table;
}

const isChances = (name, value) => name.startsWith("predict_proba") && Array.isArray(value) && value.every((number) => typeof number === "number");

// One row's answer: the default output large, probabilities as bars, the rest to unfold.
function details(answer) {
  const parts = [];
  for (const output of model.outputs)
    for (const name of output.tensors) {
      const value = answer[name];
      if (name === model.default_output) parts.unshift(make("p", { className: "answer" }, show(value)));
      else if (isChances(name, value)) {
        if (output.tensors.length > 1) parts.push(make("h3", {}, name));
        parts.push(bars(output.labels, value));
      } else parts.push(make("details", { open: model.outputs.length === 1 }, make("summary", {}, name), make("pre", {}, JSON.stringify(value))));
    }
  return parts;
}

const shapeOf = (value) => Array.isArray(value) ? [value.length, ...(value.length ? shapeOf(value[0]) : [])] : [];

// Tensors by name. The first row of what looks like probabilities or scores of classes also as bars.
function tensorDetails(outputs) {
  const byName = model.outputs.length === 1 ? { [model.outputs[0].name]: outputs } : outputs;
  return Object.entries(byName).flatMap(([name, value]) => {
    const shape = shapeOf(value), text = JSON.stringify(value);
    const labels = (model.outputs.find((output) => output.name === name) || { labels: [] }).labels;
    const row = shape.length === 2 && shape[0] === 1 ? value[0] : [];
    const chances = row.length > 1 && row.every((number) => typeof number === "number" && number >= 0 && number <= 1);
    const shown = text.length > 4000 ? text.slice(0, 4000) + " …" : text;
    return [make("h3", {}, name + " ", soft("[" + shape.join(", ") + "]")), ...(chances ? [bars(labels, row)] : []), make("pre", {}, shown)];
  });
}

function best(answer) {
  const name = Object.keys(answer).find((candidate) => isChances(candidate, answer[candidate]));
  return name ? Math.max(...answer[name]) : null;
}

function overview() {
  const chances = answers.some((answer) => best(answer) !== null);
  const lines = answers.map((answer, i) => make("tr", {},
    make("th", { scope: "row" }, "Row " + (i + 1)),
    make("td", {}, show(answer[model.default_output] ?? Object.values(answer)[0])),
    ...(chances ? [make("td", { className: "bar" }, make("meter", { min: 0, max: 1, value: best(answer) ?? 0, ariaLabel: "row " + (i + 1) })),
      make("td", { className: "number" }, (best(answer) ?? 0).toFixed(4))] : [])));
  const head = ["", "answer", ...(chances ? ["highest probability", ""] : [])].map((text) => text ? make("th", { scope: "col" }, text) : make("td", {}));
  return make("div", { className: "scroll" }, make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...lines)));
}

async function predict(event) {
  event.preventDefault();
  unmark();
  if (!keep()) return;
  at("predict").disabled = true;
  const begin = performance.now();
  try {
    const names = model.outputs.map((output) => output.name);
    const response = await fetch(address, { method: "POST", headers: headers(), body: JSON.stringify(request(names)) });
    const took = performance.now() - begin;
    if (response.status === 401 || response.status === 403) at("secret").hidden = false;
    const text = await response.text();
    let answer;
    try { answer = JSON.parse(text); } catch { throw new Error(`the server answered ${response.status} ${text.slice(0, 200)}`); }
    if (!response.ok) throw new Error(answer.error || response.statusText);
    if (takesTensors()) {
      at("result").replaceChildren(...tensorDetails(answer.outputs), make("p", { className: "soft" }, `in ${took.toFixed(1)} ms, there and back`));
      poll();
      return;
    }
    const tensors = model.outputs.flatMap((output) => output.tensors);
    answers = answer.predictions.map((one) => tensors.length === 1 ? { [tensors[0]]: one } : one);
    const shown = answers.length > 1 ? [overview()] : details(answers[0]);
    at("result").replaceChildren(...shown, make("p", { className: "soft" }, `${answers.length === 1 ? "one row" : answers.length + " rows"} in ${took.toFixed(1)} ms, there and back`));
    poll();
  } catch (problem) {
    fail(problem.message === "Failed to fetch" ? "the server does not answer" : problem.message);
  } finally {
    at("predict").disabled = false;
  }
}

// Counters of /metrics: the request duration histogram of this model, summed over its other labels.
function histogram(text) {
  const buckets = new Map();
  for (const [, labels, value] of text.matchAll(/^wherry_request_duration_seconds_bucket\{([^}]*)\} ([0-9.e+]+)/gm)) {
    const named = /(?:^|,)model="([^"]*)"/.exec(labels);
    const edge = /(?:^|,)le="([^"]*)"/.exec(labels);
    if (!edge || (named && named[1] !== model.name)) continue;
    const bound = edge[1] === "+Inf" ? Infinity : Number(edge[1]);
    buckets.set(bound, (buckets.get(bound) || 0) + Number(value));
  }
  return buckets;
}

function quantile(buckets, q) {
  const edges = [...buckets.keys()].sort((a, b) => a - b);
  const total = buckets.get(Infinity) || 0;
  if (!total) return null;
  let below = 0, least = 0;
  for (const edge of edges) {
    const count = buckets.get(edge);
    if (count >= q * total) return edge === Infinity ? least : least + (edge - least) * (q * total - below) / Math.max(1, count - below);
    below = count;
    least = edge;
  }
  return least;
}

const history = [];
let before = null, timer = 0;
const unit = (value) => value >= 1000 ? `${(value / 1000).toFixed(value < 10000 ? 1 : 0)} s` : value >= 1 ? `${value.toFixed(value < 10 ? 1 : 0)} ms` : `${(value * 1000).toFixed(0)} µs`;

function plot(id, title, lines, write) {
  const most = Math.max(...lines.flatMap((line) => line.values.filter((value) => value !== null)), 0) || 1;
  const svg = (tag, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text) element.textContent = text;
    return element;
  };
  const last = lines.map((line) => [...line.values].reverse().find((value) => value !== null));
  const words = lines.map((line, i) => `${line.name} ${last[i] === undefined ? "–" : write(last[i])}`).join(", ");
  const picture = svg("svg", { viewBox: "0 0 320 100", role: "img", "aria-label": `${title}: ${words}`, preserveAspectRatio: "none" });
  picture.append(svg("path", { class: "grid", d: "M0 10H320M0 52H320M0 94H320" }));
  for (const line of lines) {
    const points = line.values.map((value, i) => value === null ? null : `${(320 * (i + 60 - line.values.length) / 59).toFixed(1)} ${(94 - 84 * value / most).toFixed(1)}`);
    const path = points.map((point, i) => point === null ? "" : (i && points[i - 1] !== null ? "L" + point : "M" + point + "h.01")).join("");
    picture.append(svg("path", { class: line.style, d: path || "M0 94", "vector-effect": "non-scaling-stroke", "stroke-linecap": "round" }));
  }
  at(id).replaceChildren(make("figcaption", {}, make("b", {}, title + ": "), words, `; top line ${write(most)}`), picture);
}

async function poll() {
  clearTimeout(timer);
  timer = setTimeout(poll, 2000);
  if (document.hidden) return;
  try {
    const response = await fetch("metrics", { headers: headers() });
    if (!response.ok) throw new Error();
    const buckets = histogram(await response.text());
    if (!buckets.size) throw new Error();
    const now = performance.now();
    if (before) {
      const fresh = new Map([...buckets].map(([edge, count]) => [edge, count - (before.buckets.get(edge) || 0)]));
      const count = Math.max(0, fresh.get(Infinity) || 0);
      const milliseconds = (q) => { const value = quantile(fresh, q); return value === null ? null : value * 1000; };
      history.push({ rate: count / Math.max(0.05, (now - before.now) / 1000), median: milliseconds(0.5), high: milliseconds(0.99) });
      if (history.length > 60) history.shift();
      plot("latency", "Latency", [{ name: "median", style: "a", values: history.map((point) => point.median) },
        { name: "99 %", style: "b", values: history.map((point) => point.high) }], unit);
      plot("rate", "Requests per second", [{ name: "now", style: "a", values: history.map((point) => point.rate) }], (value) => String(Number(value.toPrecision(3))));
    }
    before = { buckets, now };
    at("load").hidden = history.length === 0;
  } catch {
    at("load").hidden = true;
  }
}

function describe() {
  at("name").textContent = model.name;
  document.title = model.name + " · wherry";
  at("made").textContent = `${model.framework} ${model.framework_version}`;
  at("metadata").href = "v2/models/" + encodeURIComponent(model.name);
  const golden = model.golden;
  const meaning = golden.source === "wherry" ? " Recorded by wherry at import: they guard against later change, but do not prove equality with the framework." : "";
  const facts = [
    ["Golden predictions", make("span", { className: golden.source === "framework" ? "proof" : "guard" },
      golden.source === "framework" ? "Proof: " : golden.source === "wherry" ? "Guard only: " : "None: "), golden.summary + "." + meaning],
    ["Compared with the framework", model.fidelity],
    ["Answers", model.outputs.map((output) => output.labels.length > 0 && output.labels.length <= 12
      ? `${output.name} (${output.labels.join(", ")})` : output.name).join("; ")],
    ["Versions", model.versions.join(", ")],
    ["Bundle", make("code", {}, model.digest)],
    ["Server", "wherry " + model.server_version],
  ];
  for (const note of model.notes) facts.push(["Note", note]);
  at("about").append(...facts.flatMap(([name, ...values]) => [make("dt", {}, name), make("dd", {}, ...values)]));
  at("column-count").textContent = model.columns.length;
  if (takesTensors()) {
    at("columns").closest("details").firstChild.textContent = `Inputs (${model.tensors.length})`;
    at("columns").append(...model.tensors.map((tensor) => make("tr", {},
      make("th", { scope: "row" }, tensor.name), make("td", {}, tensor.datatype), make("td", {}, tensor.shape_text))));
  }
  at("columns").append(...model.columns.slice(0, 1000).map((column) => make("tr", {},
    make("th", { scope: "row" }, column.name),
    make("td", {}, column.type === "any" ? "number or text" : column.type),
    make("td", {}, column.categories ? column.categories.slice(0, 30).map(show).join(", ") + (column.categories.length > 30 ? ", …" : "")
      : column.low !== undefined ? `seen ${brief(column.low)} to ${brief(column.high)}` : "", soft(column.required ? "" : " not used")))));
  if (model.models.length < 2) return;
  at("choice").hidden = false;
  at("models").append(...model.models.map((name) => make("option", { value: name, selected: name === model.name }, name)));
  at("models").addEventListener("change", () => { location.search = "?model=" + encodeURIComponent(at("models").value); });
}

function begin() {
  address = "v1/models/" + encodeURIComponent(model.name) + ":predict";
  manyFields = model.columns.length > model.most_fields;
  only = model.columns.length === 1 && !model.has_names ? model.columns[0].type : "";
  rows = [copyOf(model.examples[0] || (takesTensors() ? [] : model.columns.map(() => null)))];
  at("predict").disabled = false;
  at("result").replaceChildren(make("p", { className: "soft" }, "Press Predict."));
  describe();
  if (takesTensors()) {
    at("fields").append(...model.tensors.map(tensorField));
    at("add").hidden = true;
  } else if (manyFields) {
    at("fields").append(make("div", { className: "wide" }, make("label", { htmlFor: "field-row" }, `One row of ${model.columns.length} values, as JSON`),
      make("textarea", { id: "field-row", spellcheck: false })));
  } else {
    at("fields").append(...model.columns.map(field));
    at("search").hidden = model.columns.length < 20;
    at("filter").addEventListener("input", () => {
      const wanted = at("filter").value.trim().toLowerCase();
      for (const box of at("fields").children) box.hidden = !box.dataset.name.includes(wanted);
    });
  }
  at("another").hidden = model.examples.length < 2;
  at("another").addEventListener("click", () => {
    example = (example + 1) % model.examples.length;
    rows[current] = copyOf(model.examples[example]);
    fill();
  });
  at("add").addEventListener("click", () => {
    if (!keep()) return;
    rows.push(copyOf(rows[current]));
    current = rows.length - 1;
    fill();
  });
  at("remove").addEventListener("click", () => {
    rows.splice(current, 1);
    current = Math.min(current, rows.length - 1);
    fill();
  });
  at("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(at("code").textContent);
      at("copied").textContent = "copied";
    } catch {
      getSelection().selectAllChildren(at("code"));
      at("copied").textContent = "selected; press Ctrl-C";
    }
  });
  at("form").addEventListener("input", showCode);
  at("form").addEventListener("submit", predict);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });
  tabs();
  fill();
  poll();
}

async function load() {
  try {
    const response = await fetch("page.json" + location.search, { headers: headers() });
    const answer = await response.json();
    if (response.status === 401 || response.status === 403) at("secret").hidden = false;
    if (!response.ok) throw new Error(answer.error);
    model = answer;
  } catch (problem) {
    at("result").replaceChildren(make("p", { className: "bad" }, problem.message));
    at("key").addEventListener("change", load, { once: true });
    return;
  }
  begin();
}

at("form").addEventListener("submit", (event) => event.preventDefault());
load();
