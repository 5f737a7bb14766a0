const bench = document.getElementById("bench");
const at = function (name) { return document.getElementById("bench-" + name); };
const number = new Intl.NumberFormat(facts.language, {maximumSignificantDigits: 3});
const date = new Intl.DateTimeFormat(facts.language, {dateStyle: "medium", timeZone: "UTC"});
const BATCH = 5, DAY_MS = 86400000;
let ready = false, running = false, latest;

const script = new Blob([document.getElementById("bench-worker").textContent], {type: "text/javascript"});
const worker = new Worker(URL.createObjectURL(script));

function say(text) { at("said").textContent = text; }

function hours(set) {
  const days = {};
  set.querySelectorAll("input:checked").forEach(function (half) {
    (days[half.dataset.day] ??= []).push(half.dataset.hours);
  });
  return "{" + Object.entries(days).map(function ([day, spans]) {
    return day + ': "' + spans.join(", ") + '"';
  }).join(", ") + "}";
}

// What was changed by hand, by its path; a value is as a scenario writes it.
function changes() {
  const found = [];
  bench.querySelectorAll("[data-path]").forEach(function (control) {
    const path = control.dataset.path, kind = control.dataset.kind;
    const value = kind === "half_days" ? hours(control)
      : kind === "criterion" ? (control.checked ? control.dataset.value : "null") : control.value;
    if (value !== control.dataset.value) found.push([path, value]);
  });
  return found;
}

function overrides() {
  return changes().map(function ([path, value]) { return path + "=" + value; });
}

function edited() {
  const text = at("yaml").value;
  return text === at("yaml").defaultValue ? "" : text;
}

function enable() {
  at("go").disabled = !ready || running;
  at("stop").disabled = !running;
}

function cell(row, text, kind) {
  const made = row.appendChild(document.createElement(kind === "name" ? "th" : "td"));
  made.textContent = text;
  if (kind === "name") made.scope = "row"; else made.className = "figure";
}

function written(value, unit) {
  if (value === null) return facts.words.never;
  if (unit === "day") return date.format(Date.parse(facts.opens) + DAY_MS * Math.round(value));
  return unit === "share" ? number.format(100 * value) + "\u00a0%" : number.format(value);
}

// Differences have as many decimals as half of their interval has in two digits.
function writer(unit, half) {
  const scale = unit === "share" ? 100 : 1;
  const decimals = half > 0 ? Math.min(Math.max(1 - Math.floor(Math.log10(scale * half)), 0), 3) : 0;
  const signed = new Intl.NumberFormat(facts.language, {maximumFractionDigits: decimals, signDisplay: "exceptZero"});
  return function (value) { return signed.format(scale * value).replace("-", "−"); };
}

function show(found) {
  latest = found;
  const body = at("found").tBodies[0];
  body.replaceChildren();
  facts.names.forEach(function ([name, title, unit]) {
    const each = found.differences[name];
    if (!each) return;
    const [before, after, change, low, high] = each, named = facts.words["unit_" + unit];
    const differs = writer(unit, (high - low) / 2);
    const row = body.insertRow();
    row.className = low > 0 || high < 0 ? "clear" : "";
    cell(row, title, "name");
    cell(row, written(before, unit));
    cell(row, written(after, unit));
    cell(row, change === null ? "–" : differs(change) + (named ? " " + named : ""));
    cell(row, low === null ? "–" : differs(low) + " … " + differs(high));
  });
  at("results").hidden = false;
  draw();
}

function draw() {
  const role = at("role").value;
  const rows = latest.weeks.flatMap(function (weeks, side) {
    return (weeks[role] ?? []).map(function (value, week) {
      const day = new Date(Date.parse(facts.first_week) + 7 * DAY_MS * week);
      return {week: day.toISOString().slice(0, 10), value: value, series: facts.sides[side]};
    });
  });
  vegaEmbed("#bench-chart", {
    $schema: facts.schema,
    width: "container", height: 220, data: {values: rows}, mark: {type: "line", aria: false},
    description: facts.words.weeks,
    encoding: {
      x: {field: "week", type: "temporal", title: null},
      y: {field: "value", type: "quantitative", title: facts.words.hours},
      color: {field: "series", type: "nominal", title: null, sort: facts.sides,
        scale: {range: ["#6b7280", "#0072b2"]}, legend: {orient: "top"}},
      strokeDash: {field: "series", type: "nominal", sort: facts.sides, legend: null},
    },
  }, {renderer: "svg", actions: false, timeFormatLocale: locale});
}

worker.onmessage = function (event) {
  const told = event.data;
  if (told.kind === "ready") { ready = true; say(facts.words.ready); }
  if (told.kind === "problems") {
    at("problems").replaceChildren(...told.problems.map(function (problem) {
      const line = document.createElement("li");
      line.textContent = problem;
      return line;
    }));
    running = false;
    say(facts.words.refused);
  }
  if (told.kind === "found") {
    show(told.found);
    say(facts.words.running.replace("{}", told.found.replications));
  }
  if (told.kind === "done") {
    running = false;
    say(facts.words[told.stopped ? "stopped" : "done"].replace("{}", latest.replications));
  }
  if (told.kind === "failed") { running = false; say(told.problem); }
  enable();
};

at("form").addEventListener("submit", function (event) {
  event.preventDefault();
  at("problems").replaceChildren();
  running = true;
  enable();
  say(facts.words.running.replace("{}", 0));
  const text = edited();
  worker.postMessage({
    kind: "run", overrides: text ? [] : overrides(), text: text, batch: BATCH,
    replications: Number(at("replications").value),
  });
});
at("stop").addEventListener("click", function () { worker.postMessage({kind: "stop"}); });
at("role").addEventListener("change", function () { if (latest) draw(); });
at("save").addEventListener("click", function () {
  const nested = {};
  changes().forEach(function ([path, value]) {
    const levels = path.split("."), last = levels.pop();
    levels.reduce(function (above, level) { return above[level] ??= {}; }, nested)[last] = value;
  });
  const lines = function (entries, indent) {
    return Object.entries(entries).map(function ([key, entry]) {
      const inner = typeof entry === "object" ? "\n" + lines(entry, indent + "  ") : " " + entry;
      return indent + key + ":" + inner;
    }).join("\n");
  };
  const head = "extends: " + facts.file + "\nscenario: " + facts.scenario + "_changed\n\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([edited() || head + lines(nested, "") + "\n"], {type: "text/yaml"}));
  link.download = facts.scenario + "_changed.yaml";
  link.click();
  URL.revokeObjectURL(link.href);
  say(facts.words.saved.replace("{}", facts.file));
});
at("copy").addEventListener("click", async function () {
  const flags = overrides().map(function (each) { return " --set '" + each + "'"; });
  const words = "trialsim run " + facts.plan + flags.join("");
  await navigator.clipboard.writeText(words).catch(function () {});
  say(facts.words.copied.replace("{}", words));
});

const parts = [...document.querySelectorAll("script[data-part]")].map(function (part) {
  return [part.dataset.part, part.textContent];
});
worker.postMessage({kind: "begin", seed: facts.seed, language: facts.language, parts: Object.fromEntries(parts)});
enable();
