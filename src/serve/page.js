
"use strict";
const model = JSON.parse(document.getElementById("model").textContent);
const at = (id) => document.getElementById(id);
const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const manyFields = model.columns.length > model.most_fields;
let example = 0;

function show(value) {
  if (value === null) return "missing";
  return typeof value === "string" ? value : JSON.stringify(value);
}

// A row of such a model is the record or text itself.
const only = model.columns.length === 1 && !model.has_names ? model.columns[0].type : "";

// What a field says, as the cell the model takes. An empty field is a missing value, or the empty text.
function cell(column, text) {
  if (text === "") return only === "text" ? text : null;
  if (column.type === "record") return JSON.parse(text);
  if (column.type === "text") return text;
  if (column.type === "bool" && /^(true|false)$/i.test(text)) return /^true$/i.test(text);
  const number = Number(text);
  return text.trim() === "" || Number.isNaN(number) ? text : number;
}

function row() {
  if (manyFields) return JSON.parse(at("field-row").value);
  return model.columns.map((column, i) => cell(column, at("field-" + i).value));
}

function body(method) {
  const data = [row()];
  const request = model.has_names
    ? { dataframe_split: { columns: model.columns.map((column) => column.name), data } }
    : { instances: only === "record" ? data[0] : data };
  if (method) request.params = { predict_method: method };
  return JSON.stringify(request);
}

function field(column, i) {
  const values = [...new Set(model.examples.map((cells) => cells[i]).filter((value) => typeof value === "string"))];
  const long = values.some((value) => value.length > 60);
  const input = make(long ? "textarea" : "input", { id: "field-" + i, autocomplete: "off" });
  input.spellcheck = false;
  const label = make("label", { htmlFor: input.id }, column.name + " ",
    make("span", { className: "soft" }, column.type === "any" ? "" : column.type));
  const box = make("div", {}, label, input);
  if (!long && values.length > 1) {
    const list = make("datalist", { id: "list-" + i }, ...values.sort().map((value) => make("option", { value })));
    input.setAttribute("list", list.id);
    box.append(list);
  }
  if (column.type === "number" || column.type === "integer") input.inputMode = "decimal";
  return box;
}

function fill() {
  const cells = model.examples[example] || model.columns.map(() => null);
  if (manyFields) {
    at("field-row").value = JSON.stringify(cells);
  } else {
    cells.forEach((value, i) => { at("field-" + i).value = value === null ? "" : String(value); });
  }
  showCurl();
}

function showCurl() {
  let data;
  try { data = body(); } catch { data = "{}"; }
  const word = "'" + data.replaceAll("'", "'\\''") + "'";
  at("curl").textContent = `curl -s ${new URL("invocations", location.href)} -H 'content-type: application/json' -d ${word}`;
}

async function ask(method) {
  const response = await fetch("invocations", {
    method: "POST", headers: { "content-type": "application/json" }, body: body(method) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error || response.statusText);
  return answer.predictions[0];
}

function bars(labels, numbers) {
  const rows = numbers.map((number, i) => ({ label: labels[i] ?? String(i), number }))
    .sort((a, b) => b.number - a.number);
  const shown = rows.slice(0, 20).map(({ label, number }) => make("tr", {},
    make("th", { scope: "row" }, label),
    make("td", { className: "bar" }, make("meter", { min: 0, max: 1, value: number, ariaLabel: label })),
    make("td", { className: "number" }, number.toFixed(4))));
  const table = make("table", {}, ...shown);
  return rows.length > 20 ? make("div", {}, table, make("p", { className: "soft" }, `and ${rows.length - 20} more`)) : table;
}

function render(name, value, results) {
  const output = model.outputs.find((candidate) => candidate.name === name);
  if (name === model.default_output) return make("p", { className: "answer" }, show(value));
  if (name === "predict_proba" && Array.isArray(value) && value.every((number) => typeof number === "number"))
    return bars(output.labels, value);
  return make("details", { open: results === 1 }, make("summary", {}, name), make("pre", {}, JSON.stringify(value)));
}

async function predict(event) {
  event.preventDefault();
  at("predict").disabled = true;
  try {
    const names = [model.default_output,
      ...model.outputs.map((output) => output.name).filter((name) => name !== model.default_output)];
    const answers = [];
    for (const name of names) answers.push(render(name, await ask(name), names.length));
    at("result").replaceChildren(...answers);
  } catch (problem) {
    at("result").replaceChildren(make("p", { className: "bad" }, problem.message));
  } finally {
    at("predict").disabled = false;
  }
}

function describe() {
  at("name").textContent = model.name;
  at("made").textContent = `${model.framework} ${model.framework_version}`;
  const golden = make("span", { className: model.golden.source === "framework" ? "proof" : "guard" },
    model.golden.source === "framework" ? "Proof: " : model.golden.source === "wherry" ? "Guard only: " : "None: ");
  const meaning = model.golden.source === "wherry"
    ? " They were recorded by wherry at import and guard against later change, but do not prove equality with the framework."
    : "";
  at("golden").append(golden, model.golden.summary + "." + meaning);
  at("outputs").textContent = model.outputs.map((output) =>
    output.labels.length > 0 && output.labels.length <= 12 ? `${output.name} (${output.labels.join(", ")})` : output.name).join("; ");
  at("digest").textContent = model.digest;
  at("server").textContent = "wherry " + model.server_version;
  at("metadata").href = "v2/models/" + encodeURIComponent(model.name);
  at("column-count").textContent = model.columns.length;
  at("columns").append(...model.columns.slice(0, 1000).map((column) => make("tr", {},
    make("th", { scope: "row" }, column.name),
    make("td", {}, (column.type === "any" ? "number or text" : column.type) + (column.required ? "" : ", not used")))));
}

describe();
if (manyFields) {
  at("fields").append(make("div", {}, make("label", { htmlFor: "field-row" }, `one row of ${model.columns.length} values, as JSON`),
    make("textarea", { id: "field-row" })));
} else {
  at("fields").append(...model.columns.map(field));
}
at("another").hidden = model.examples.length < 2;
at("another").addEventListener("click", () => { example = (example + 1) % model.examples.length; fill(); });
at("form").addEventListener("input", showCurl);
at("form").addEventListener("submit", predict);
fill();
