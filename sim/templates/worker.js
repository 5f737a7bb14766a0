let python, stopped, busy;

// A page opened from a disk may start no module as a worker. Pyodide imports itself as a module, which
// any worker can, but takes one that has importScripts for one that cannot.
self.importScripts = function () { throw new TypeError("modules alone"); };

async function opened(packed) {
  const raw = Uint8Array.from(atob(packed), function (letter) { return letter.charCodeAt(0); });
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function imported(packed) {
  const script = new Blob([await opened(packed)], {type: "text/javascript"});
  return import(URL.createObjectURL(script));
}

async function begin({parts, seed, language}) {
  const wasm = await opened(parts["pyodide.asm.wasm"]);
  const library = await opened(parts["python_stdlib.zip"]);
  // Whatever Pyodide asks for is here; everything else is refused, so that no network is asked.
  self.fetch = async function (address) {
    const asked = String(address.url ?? address);
    if (asked.endsWith(".wasm")) return new Response(wasm, {headers: {"Content-Type": "application/wasm"}});
    if (asked.endsWith(".zip")) return new Response(library);
    throw new TypeError("not packed: " + asked);
  };
  const {loadPyodide} = await imported(parts["pyodide.mjs"]);
  const made = await imported(parts["pyodide.asm.mjs"]);
  python = await loadPyodide({
    indexURL: "https://packed.invalid/",
    packageBaseUrl: "https://packed.invalid/",
    createPyodideModule: made.default,
    lockFileContents: new TextDecoder().decode(await opened(parts["pyodide-lock.json"])),
  });
  python.unpackArchive(await opened(parts["core.whl"]), "wheel");
  python.FS.mkdirTree("/app");
  python.unpackArchive(await opened(parts["app.zip"]), "zip", {extractDir: "/app"});
  python.globals.set("asked", JSON.stringify([seed, language]));
  python.runPython(`
import gc, json, sys
from pathlib import Path
sys.path.insert(0, "/app")
from sim.browser.bench import Bench
bench = Bench(Path("/app/scenario.yaml"), *json.loads(asked))
gc.freeze()
gc.set_threshold(50_000)
`);
  postMessage({kind: "ready"});
  // Until something is asked, what will be needed of the plan is simulated.
  while (!busy && python.runPython("bench.ahead()")) {
    await new Promise(function (heard) { setTimeout(heard); });
  }
}

function change(overrides, text) {
  python.globals.set("asked", JSON.stringify([overrides, text]));
  return JSON.parse(python.runPython("json.dumps(bench.change(*json.loads(asked)))"));
}

async function simulate({overrides, text, replications, batch}) {
  busy = true;
  const problems = change(overrides, text);
  if (problems.length) {
    postMessage({kind: "problems", problems: problems});
    return;
  }
  stopped = false;
  for (let done = 0; done < replications && !stopped; done += batch) {
    const number = Math.min(batch, replications - done);
    postMessage({kind: "found", found: JSON.parse(python.runPython(`bench.told(${number})`))});
    // A message that says stop is heard only between batches.
    await new Promise(function (heard) { setTimeout(heard); });
  }
  postMessage({kind: "done", stopped: stopped});
}

self.onmessage = async function (event) {
  const asked = event.data;
  try {
    if (asked.kind === "begin") await begin(asked);
    if (asked.kind === "run") await simulate(asked);
    if (asked.kind === "stop") stopped = true;
  } catch (problem) {
    postMessage({kind: "failed", problem: String(problem.message ?? problem).trim().split("\n").pop()});
  }
};
