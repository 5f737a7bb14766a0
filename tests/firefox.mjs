// Opens the one file in Debian's Firefox, every host out of reach, and lets a function work in it.
//
// node tests/firefox.mjs PUPPETEER FILE < {"of": "(asked) => …", "asked": …} > {"told": …, "wrong": […]}
import {readFileSync} from "node:fs";
import {pathToFileURL} from "node:url";

const [puppeteer, file] = process.argv.slice(2);
const {of, asked} = JSON.parse(readFileSync(0, "utf8"));
const {launch} = await import(pathToFileURL(puppeteer));
const nowhere = {
  "network.proxy.type": 1, "network.proxy.http": "127.0.0.1", "network.proxy.http_port": 9,
  "network.proxy.ssl": "127.0.0.1", "network.proxy.ssl_port": 9,
};
const browser = await launch({
  browser: "firefox", executablePath: "/usr/bin/firefox-esr", headless: true,
  extraPrefsFirefox: nowhere, protocolTimeout: 600000,
});
const page = await browser.newPage(), wrong = [];
page.on("pageerror", (error) => wrong.push(String(error)));
page.on("console", (said) => { if (said.type() === "error") wrong.push(said.text()); });
page.on("request", (request) => { if (!/^(file|blob|data):/.test(request.url())) wrong.push(request.url()); });
await page.goto(pathToFileURL(file).href);
await page.waitForFunction("!document.querySelector('#bench-go').disabled", {timeout: 120000});
const told = await page.evaluate(`(${of})(${JSON.stringify(asked)})`);
console.log(JSON.stringify({told, wrong}));
await browser.close();
