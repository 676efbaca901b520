"use strict";
const at = (id) => document.getElementById(id);
const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
let api, made = 0;
const here = location.href.split(/[?#]/)[0].replace(/[^/]*$/, "");
const resolve = (schema) => schema && schema.$ref ? resolve(api.components.schemas[decodeURIComponent(schema.$ref.split("/").pop())]) : schema || {};
const quote = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

function typeOf(schema) {
  const types = [].concat(schema.type || []);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.slice(0, 12).map((value) => JSON.stringify(value)).join(" | ") + (schema.enum.length > 12 ? " | …" : "");
  if (types[0] === "array" && schema.items && !schema.items.$ref && !schema.items.properties) return "list of " + typeOf(schema.items);
  return types.join(" or ") || (schema.oneOf ? "one of" : schema.anyOf ? "any of" : "anything");
}

// A schema as nested lists, unfolded on demand so that large documents cost nothing.
function tree(given, depth = 0) {
  const schema = resolve(given);
  const list = make("ul", { className: "types" });
  const line = (name, child, needed) => {
    const inner = resolve(child);
    const text = [make("b", {}, name), ` ${typeOf(inner)}${needed ? "" : ", optional"}`, inner.description ? ` – ${inner.description}` : ""];
    const nested = inner.properties || inner.oneOf || inner.anyOf || inner.prefixItems || (inner.items && resolve(inner.items).type !== undefined && (inner.items.$ref || inner.items.properties || inner.items.anyOf));
    if (!nested || depth > 8) return list.append(make("li", {}, ...text));
    const box = make("details", {}, make("summary", {}, ...text));
    box.addEventListener("toggle", () => { if (box.open && box.children.length < 2) box.append(tree(inner, depth + 1)); });
    list.append(make("li", {}, box));
  };
  for (const [name, child] of Object.entries(schema.properties || {})) line(name, child, (schema.required || []).includes(name));
  (schema.oneOf || schema.anyOf || []).forEach((child, i) => line(resolve(child).title || "form " + (i + 1), child, true));
  (schema.prefixItems || []).forEach((child, i) => line("[" + i + "]", child, true));
  if (schema.items && (schema.items.$ref || schema.items.properties || schema.items.anyOf)) line("each", schema.items, true);
  if (!list.children.length) list.append(make("li", {}, typeOf(schema)));
  return list;
}

function labelled(text, input) {
  input.id = "input-" + ++made;
  return make("p", {}, make("label", { htmlFor: input.id }, text), input);
}

function operation(path, method, about) {
  const box = make("details", { className: "card", id: about.operationId },
    make("summary", {}, make("span", { className: "method" }, method.toUpperCase()), make("code", {}, path), make("span", { className: "soft" }, " " + about.summary)));
  box.addEventListener("toggle", () => { if (box.open && box.children.length < 2) box.append(...parts(path, method, about)); });
  return box;
}

function parts(path, method, about) {
  const shown = [], content = about.requestBody ? about.requestBody.content : null;
  if (about.description) shown.push(make("p", {}, about.description));
  const values = (about.parameters || []).map((parameter) => {
    const allowed = parameter.schema.enum;
    const input = allowed ? make("select", {}, ...allowed.map((value) => make("option", {}, value))) : make("input", { autocomplete: "off" });
    shown.push(labelled(parameter.name, input));
    return { parameter, input };
  });
  let media = null, body = null;
  if (content) {
    media = make("select", {}, ...Object.keys(content).map((type) => make("option", {}, type)));
    body = make("textarea", { spellcheck: false, rows: 8 });
    const example = () => {
      const sample = content[media.value].example;
      body.value = sample === undefined ? "" : typeof sample === "string" ? sample : JSON.stringify(sample, null, 1);
    };
    media.addEventListener("change", () => { example(); curl(); });
    example();
    shown.push(labelled("Content type", media), labelled("Body", body));
    const schema = make("details", {}, make("summary", {}, "What the body may be"));
    schema.addEventListener("toggle", () => { if (schema.open && schema.children.length < 2) schema.append(tree(content[media.value].schema)); });
    shown.push(schema);
  }
  const line = make("pre", { tabIndex: 0, role: "region", ariaLabel: "Command line" });
  const url = () => here + values.reduce((text, { parameter, input }) => text.replace(`{${parameter.name}}`, encodeURIComponent(input.value)), path).slice(1);
  const flat = () => { try { return media.value === "application/json" ? JSON.stringify(JSON.parse(body.value)) : body.value; } catch { return body.value; } };
  const curl = () => {
    line.textContent = `curl -s ${method === "get" ? "" : `-X ${method.toUpperCase()} `}${quote(url())}` + (media ? ` \\\n  -H 'content-type: ${media.value}' \\\n  --data-binary ${quote(flat())}` : "");
  };
  const send = make("button", { type: "button", className: "main" }, "Send");
  const copy = make("button", { type: "button" }, "Copy the command");
  const result = make("div", { role: "status", ariaLive: "polite" });
  send.addEventListener("click", () => run(method, url(), media && media.value, body && body.value, result, send));
  copy.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(line.textContent); copy.textContent = "Copied"; } catch { getSelection().selectAllChildren(line); }
  });
  for (const { input } of values) input.addEventListener("input", curl);
  if (body) body.addEventListener("input", curl);
  curl();
  shown.push(line, make("div", { className: "buttons" }, send, copy), result);
  const answers = make("details", {}, make("summary", {}, "Answers"), make("dl", { className: "facts" },
    ...Object.entries(about.responses).flatMap(([status, answer]) => [make("dt", {}, status), make("dd", {}, answer.description)])));
  const success = about.responses["200"] && about.responses["200"].content && about.responses["200"].content["application/json"];
  if (success) answers.append(tree(success.schema));
  shown.push(answers);
  return shown;
}

async function run(method, url, type, body, result, button) {
  button.disabled = true;
  const headers = type ? { "content-type": type } : {};
  if (at("key").value) headers.authorization = "Bearer " + at("key").value;
  const begin = performance.now();
  try {
    const response = await fetch(url, { method: method.toUpperCase(), headers, body: type ? body : undefined });
    const took = (performance.now() - begin).toFixed(1);
    let text = await response.text();
    try { text = JSON.stringify(JSON.parse(text), null, 1); } catch { /* not JSON: as it is */ }
    if (response.status === 401 || response.status === 403) at("secret").hidden = false;
    result.replaceChildren(make("p", { className: response.ok ? "proof" : "bad" }, `${response.status} ${response.statusText}, ${took} ms`),
      make("pre", { tabIndex: 0, role: "region", ariaLabel: "Answer" }, text.length > 100000 ? text.slice(0, 100000) + "\n…" : text));
  } catch {
    result.replaceChildren(make("p", { className: "bad" }, "the server does not answer"));
  } finally {
    button.disabled = false;
  }
}

async function load() {
  const headers = at("key").value ? { authorization: "Bearer " + at("key").value } : {};
  const response = await fetch("openapi.json", { headers });
  if (response.status === 401 || response.status === 403) {
    at("secret").hidden = false;
    at("key").addEventListener("change", load, { once: true });
  }
  if (!response.ok) throw new Error(`openapi.json answers ${response.status}`);
  api = await response.json();
  document.title = `API of ${api.info.title} · wherry`;
  at("title").textContent = `API of ${api.info.title}`;
  at("about").textContent = api.info.description;
  at("secret").hidden = !api.components.securitySchemes;
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, about] of Object.entries(methods)) {
      const tag = about.tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(path, method, about));
    }
  const predicts = ([, operations]) => operations.some((one) => /^POST.*Predict$/.test(one.textContent));
  const ordered = [...groups].sort((a, b) => predicts(b) - predicts(a));
  at("list").removeAttribute("aria-live");
  at("list").removeAttribute("role");
  at("list").replaceChildren(...ordered.map(([tag, operations]) => make("section", { ariaLabel: tag }, make("h2", {}, tag), ...operations)));
  if (location.hash && at(location.hash.slice(1))) at(location.hash.slice(1)).open = true;
}

load().catch((problem) => at("list").replaceChildren(make("p", { className: "bad" }, problem.message)));
