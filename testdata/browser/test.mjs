// Looks at the pages that flowlog writes, in a real browser: see README.md.
//
//	npm ci && node test.mjs [--shots]
//
// It builds flowlog, writes a dashboard of the sample logs and of hostile ones, and checks what only a browser knows:
// that nothing is logged or asked for, that every tab draws its charts, that numbers are those of -o json and of the
// command on each card, that keyboard, sorting, copying, saving, theme, paper and small screens work, and what axe
// says of all that. Without a browser it says so and ends well. --shots leaves pictures of every tab in out/.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const here = import.meta.dirname, root = path.resolve(here, "../..");
const browsers = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = browsers.find(p => p && fs.existsSync(p));
if (!executablePath) {
	console.log("skipped: there is no browser; apt-get install chromium, or name one in $CHROMIUM");
	process.exit(0);
}
const {chromium} = await import("playwright-core");
const axe = fs.readFileSync(path.join(here, "node_modules/axe-core/axe.min.js"), "utf8");
const shots = process.argv.includes("--shots");
const tmp = fs.mkdtempSync(path.join(os.tmpdir(), "flowlog-browser-"));
const bin = path.join(tmp, "flowlog"), env = {...process.env, PATH: tmp + ":" + process.env.PATH};
execFileSync("go", ["build", "-o", bin, "."], {cwd: root, stdio: "inherit"});
const flowlog = (...args) => execFileSync(bin, ["report", ...args, "-q"], {cwd: root, env, maxBuffer: 1 << 28}).toString();

const browser = await chromium.launch({executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
	"--disable-background-networking", "--disable-component-update", "--disable-sync"]});
const problems = [];
let checks = 0;
const check = (ok, what) => { checks++; if (!ok) { problems.push(what); console.log("FAIL", what); } };

// load opens a page and watches it. Whatever it logs or asks for is a problem.
const load = async (file, options = {}) => {
	const context = await browser.newContext({viewport: {width: 1400, height: 900}, ...options});
	const page = await context.newPage();
	const name = path.basename(file);
	page.on("console", m => check(false, `${name}: console: ${m.text()}`));
	page.on("pageerror", e => check(false, `${name}: error: ${e.message}`));
	page.on("dialog", d => { check(false, `${name}: dialog: ${d.message()}`); d.dismiss(); });
	page.on("request", r => check(r.url().startsWith("file://" + file) || r.url().startsWith("blob:") || r.url() === "data:,", `${name}: asks for ${r.url()}`));
	await page.goto("file://" + file);
	return page;
};

const accessible = async (page, what) => {
	if (!await page.evaluate("!!window.axe")) await page.evaluate(axe);
	const result = await page.evaluate(() => window.axe.run(document, {resultTypes: ["violations"]}));
	check(result.violations.length === 0, `${what}: axe: ${result.violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.target + " " + n.any.map(a => a.message)).join("; ")}`).join(" | ")}`);
};

// everyTab opens each tab, and checks that its charts are drawn and that nothing is wider than the screen.
const everyTab = async (page, what, width, axeToo) => {
	for (const tab of await page.$$eval("[role=tab]", tabs => tabs.map(t => t.id))) {
		await page.click("#" + tab);
		const seen = await page.evaluate(() => ({
			panels: [...document.querySelectorAll("[role=tabpanel]")].filter(p => !p.hidden).length,
			width: document.documentElement.scrollWidth,
			cards: document.querySelectorAll(".tab:not([hidden]) .card").length,
			charts: [...document.querySelectorAll(".tab:not([hidden]) .chart")].map(chart => {
				const svg = chart.querySelector("svg.plot"), box = svg.getBoundingClientRect();
				const cardBox = chart.closest(".card").getBoundingClientRect();
				const out = [...svg.querySelectorAll("text")].filter(t => {
					const b = t.getBoundingClientRect();
					return b.width && (b.left < cardBox.left || b.right > cardBox.right + 1);
				});
				return {name: chart.getAttribute("aria-label"), width: box.width, height: box.height, out: out.map(t => t.textContent),
					marks: svg.querySelectorAll("[data-tip]").length, title: svg.querySelector("title")?.textContent, desc: svg.querySelector("desc")?.textContent};
			}),
		}));
		const where = `${what}, ${tab}`;
		check(seen.panels === 1, `${where}: ${seen.panels} panels are open`);
		check(seen.width <= width, `${where}: ${seen.width} wide`);
		check(seen.cards > 0, `${where}: no cards`);
		for (const c of seen.charts) {
			check(c.width > 100 && c.height > 20, `${where}: ${c.name}: ${c.width} by ${c.height}`);
			check(c.marks > 0 && c.title && c.desc, `${where}: ${c.name}: ${c.marks} marks, ${c.title}, ${c.desc}`);
			check(c.out.length === 0, `${where}: ${c.name}: outside of the card: ${c.out}`);
		}
		if (axeToo) await accessible(page, where);
		if (shots) await page.screenshot({path: path.join(here, "out", `${what}-${tab.slice(4)}.png`.replaceAll(" ", "-")), fullPage: true});
	}
};

// cardsOf reads all cards of a page as a person who opens each table would.
const cardsOf = page => page.$$eval(".card", cards => cards.map(card => {
	const value = cell => cell.dataset.v ?? cell.textContent;
	const table = card.querySelector("table"), facts = card.querySelector(".facts");
	return {
		title: card.querySelector("h3")?.textContent, command: card.querySelector(".command code")?.textContent, lacks: !!card.querySelector(".lacks"),
		names: table && [...table.querySelectorAll("thead th")].map(h => h.dataset.name),
		rows: table && [...table.tBodies[0].rows].map(row => [...row.cells].map(value)),
		totals: table?.tFoot && [...table.tFoot.rows].at(-1) && [...[...table.tFoot.rows].at(-1).cells].map(value),
		facts: facts && [...facts.querySelectorAll("dd")].map(value),
	};
}));

const text = v => v === undefined || v === null ? "" : typeof v === "string" ? v : String(v);
const same = (cell, v) => cell === text(v) || typeof v === "number" && cell !== "" && Number(cell) === v;

// equalsJSON compares all numbers of a dashboard with those of -o json.
const equalsJSON = async (page, json, what) => {
	const cards = await cardsOf(page), reports = JSON.parse(json).reports;
	check(cards.length === reports.length, `${what}: ${cards.length} cards of ${reports.length} reports`);
	for (const report of reports) {
		const card = cards.find(c => c.title === report.title);
		if (!card) { check(false, `${what}: no card ${report.title}`); continue; }
		check(card.command === report.command, `${what}: ${report.title}: ${card.command}`);
		check(card.lacks === (!!report.lacks || report.rows.length === 0), `${what}: ${report.title}: lacks`);
		if (report.lacks || report.rows.length === 0) continue;
		if (card.facts) {
			check(card.facts.every((f, i) => same(f, Object.values(report.rows[0])[i])), `${what}: ${report.title}: ${card.facts}`);
			continue;
		}
		check(card.rows.length === Math.min(report.rows.length, 500), `${what}: ${report.title}: ${card.rows.length} of ${report.rows.length} rows`);
		const wrong = card.rows.findIndex((row, r) => !row.every((cell, i) => same(cell, report.rows[r][card.names[i]])));
		check(wrong < 0, `${what}: ${report.title}: row ${wrong}: ${card.rows[wrong]} is not ${JSON.stringify(report.rows[wrong])}`);
		if (card.totals) check(card.totals.slice(1).every((cell, i) => same(cell, report.totals[card.names[i + 1]])), `${what}: ${report.title}: totals ${card.totals}`);
	}
};

// equalsCommands saves every table as CSV and runs the command on its card, which must print the same. What would be
// saved is caught on the way, as browsers refuse a page that saves many files; one real file is saved further below.
const equalsCommands = async page => {
	await page.evaluate(() => {
		HTMLAnchorElement.prototype.click = function() { window.savedAs = this.download; };
		URL.createObjectURL = blob => { window.saved = blob.text(); return ""; };
	});
	for (const card of await page.$$(".card")) {
		const [title, command, rows] = await card.evaluate(c => [c.querySelector("h3").textContent, c.querySelector(".command code").textContent, c.querySelector("tbody")?.rows.length]);
		if (!rows || rows >= 500) continue;
		const [saved, name] = await card.evaluate(async c => { c.querySelector(".csv").click(); return [await window.saved, window.savedAs]; });
		const printed = execFileSync("sh", ["-c", command + " -q -o csv"], {cwd: root, env}).toString();
		check(saved === printed, `${title}: the page saves\n${saved.slice(0, 300)}\nand ${command} prints\n${printed.slice(0, 300)}`);
		check(/^[a-z-]+\.csv$/.test(name), `${title}: saved as ${name}`);
	}
};

const logs = ["--city-db", "testdata/geo/city.mmdb", "--asn-db", "testdata/geo/asn.mmdb", "testdata/logs"];
const file = name => path.join(tmp, name);
if (shots) fs.mkdirSync(path.join(here, "out"), {recursive: true});

console.log("dashboard");
flowlog("dashboard", "-o", "html", "-O", file("dashboard.html"), ...logs);
const json = flowlog("dashboard", "-o", "json", ...logs);
let page = await load(file("dashboard.html"));
await equalsJSON(page, json, "dashboard");
await everyTab(page, "wide light", 1400, true);
const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const light = await background();
await page.click("#theme");
check(await background() !== light, "the theme does not change");
await everyTab(page, "wide dark", 1400, true);
await page.click("#theme");
check(await background() === light, "the theme does not change back");

console.log("keyboard");
const selected = () => page.$eval("[aria-selected=true]", t => t.textContent);
await page.focus("[role=tab][aria-selected=true]");
await page.keyboard.press("Home");
check(await selected() === "Overview", "Home");
await page.keyboard.press("ArrowLeft");
check(await selected() === "Quality", "ArrowLeft goes around");
await page.keyboard.press("ArrowRight");
await page.keyboard.press("ArrowRight");
check(await selected() === "Top talkers", "ArrowRight");
check(await page.evaluate(() => document.activeElement.getAttribute("aria-selected")) === "true", "the focus does not follow");
const chart = page.locator(".tab:not([hidden]) .chart").first();
await chart.focus();
await page.keyboard.press("ArrowDown");
const first = JSON.parse(json).reports.find(r => r.title === "Sources by bytes").rows[0];
const tip = await page.textContent("#tip");
check(tip.includes(first.srcaddr) && tip.includes(first.bytes.toLocaleString("en-US")), `the tip says ${tip}`);
check((await page.textContent("#said")).includes(first.srcaddr), "a screen reader hears nothing of the mark");
await page.keyboard.press("Escape");
check(await page.isHidden("#tip"), "Escape leaves the tip");
await chart.locator("[data-tip]").nth(1).hover();
check(await page.isVisible("#tip"), "no tip under the pointer");

console.log("tables");
const details = page.locator(".tab:not([hidden]) details.data").first();
await details.locator("summary").click();
const column = name => details.evaluate((d, name) => {
	const i = [...d.querySelectorAll("thead th")].findIndex(h => h.dataset.name === name);
	return [...d.querySelector("tbody").rows].map(r => r.cells[i].dataset.v ?? r.cells[i].textContent);
}, name);
for (const [name, numeric] of [["flows", true], ["bytes", true], ["srcaddr", false]]) {
	const head = details.locator(`th[data-name=${name}]`);
	for (const _ of [1, 2]) {
		await head.locator("button").click();
		const values = await column(name), sort = await head.getAttribute("aria-sort");
		const ordered = values.toSorted((a, b) => (numeric ? a - b : a < b ? -1 : 1) * (sort === "ascending" ? 1 : -1));
		assert.ok(sort !== "none");
		check(JSON.stringify(values) === JSON.stringify(ordered), `${name} is not ${sort}: ${values}`);
	}
}
await page.reload();
check(await selected() === "Top talkers", "the address does not keep the tab");

await page.context().close();

console.log("commands");
page = await load(file("dashboard.html"));
await equalsCommands(page);
await page.context().close();

console.log("clipboard"); // in a page of its own: to grant it takes all other permissions away
page = await load(file("dashboard.html"), {permissions: ["clipboard-read", "clipboard-write"]});
await page.click("#tab-top-talkers");
await page.locator(".tab:not([hidden]) summary").first().click();
await page.locator(".tab:not([hidden]) details .copy").first().click();
await page.waitForFunction(() => document.querySelector("#said").textContent === "Copied");
const copied = await page.evaluate(() => navigator.clipboard.readText());
check(copied.split("\n").length === 22 && copied.startsWith("srcaddr\t"), `copied ${copied.slice(0, 100)}`);
await page.context().close();

console.log("telephone");
page = await load(file("dashboard.html"), {viewport: {width: 390, height: 800}, colorScheme: "dark", hasTouch: true, isMobile: true});
await everyTab(page, "small dark", 390, true);
await page.context().close();
page = await load(file("dashboard.html"), {viewport: {width: 390, height: 800}});
await everyTab(page, "small light", 390, false);
await page.context().close();

console.log("paper, and no script");
page = await load(file("dashboard.html"), {colorScheme: "dark"});
await page.emulateMedia({media: "print"});
check(await page.$$eval(".tab", tabs => tabs.every(t => t.offsetHeight > 0)), "paper has not all tabs");
check(await page.evaluate(() => getComputedStyle(document.body).backgroundColor) === "rgb(255, 255, 255)", "paper is not white");
check(await page.isHidden("#tabs"), "paper has buttons");
await page.context().close();
page = await load(file("dashboard.html"), {javaScriptEnabled: false});
check(await page.locator(".card").count() > 50 && await page.locator("#theme").isHidden(), "without script");
await page.context().close();

console.log("without databases, and single reports");
flowlog("dashboard", "-o", "html", "-O", file("plain.html"), "testdata/logs/headerless.log");
page = await load(file("plain.html"));
await equalsJSON(page, flowlog("dashboard", "-o", "json", "testdata/logs/headerless.log"), "plain");
await everyTab(page, "plain", 1400, true);
await page.context().close();
for (const report of ["summary", "timeline", "protocol-timeline", "heatmap", "talkers", "actions", "src-geo", "pairs"]) {
	flowlog(report, "-o", "html", "-O", file(report + ".html"), ...logs);
	page = await load(file(report + ".html"));
	await accessible(page, report);
	if (shots) await page.screenshot({path: path.join(here, "out", report + ".png"), fullPage: true});
	await page.context().close();
}

console.log("hostile text");
const payloads = ["</script><script>window.hit=1</script>", "</style><style>body{display:none}</style>", "\"><img src=x onerror=window.hit=1>", "' onmouseover='window.hit=1",
	"javascript:window.hit=1", "<svg onload=window.hit=1>", "</title></svg><a href=https://example.com>x</a>", "=HYPERLINK(\"https://example.com\")", "+1+1", "-1+1", "@SUM(A1)", "\u202egnp.exe",
	"\u0000\u001b[31m", "a\tb\nc\td", "&lt;b&gt;", "{{constructor}}", "__proto__", "%3Cscript%3E"];
const records = payloads.map((p, i) => JSON.stringify({interface_id: p, vpc_id: p, subnet_id: p, instance_id: p, az_id: p, pkt_src_aws_service: p, pkt_dst_aws_service: p,
	flow_direction: p, action: i % 2 ? "REJECT" : p, reject_reason: p, account_id: p, region: p, tgw_attachment_id: p, srcaddr: "10.0.0." + i, dstaddr: "10.0.1.1", srcport: 1, dstport: 22, protocol: 6,
	packets: 1, bytes: 100 + i, start: 1710720000 + 60 * i, end: 1710720060 + 60 * i, log_status: i % 3 ? "OK" : "OK"}));
fs.writeFileSync(file("hostile.json"), records.join("\n") + "\n");
flowlog("dashboard", "-o", "html", "-O", file("hostile.html"), file("hostile.json"));
page = await load(file("hostile.html"));
await everyTab(page, "hostile", 1400, false);
for (const mark of await page.$$(".tab:not([hidden]) [data-tip]")) await mark.hover({force: true});
const found = await page.evaluate(() => ({hit: window.hit, scripts: document.scripts.length, styles: document.styleSheets.length,
	foreign: document.querySelectorAll("img, a, iframe, object, embed, form, base").length, on: [...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => /^on|^style$/.test(a.name) && e.id !== "tip")).length}));
assert.deepEqual(found, {hit: undefined, scripts: 1, styles: 1, foreign: 0, on: 0});
const [save] = await Promise.all([page.waitForEvent("download"), page.evaluate(() => document.querySelector(".csv[data-name=interfaces]").click())]);
const csv = fs.readFileSync(await save.path(), "utf8");
check(!/(^|[\n,]"?)[=+@]/.test(csv) && !/(^|[\n,]"?)-1\+/.test(csv), `a spreadsheet computes ${csv}`);
check(csv.includes(`"'=HYPERLINK(""https://example.com"")"`), `the payload is not in ${csv}`);
await page.context().close();

await browser.close();
fs.rmSync(tmp, {recursive: true});
console.log(`${checks} checks, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);
