
"use strict";
(() => {
const root = document.documentElement, tip = document.getElementById("tip"), said = document.getElementById("said");
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const say = text => { said.textContent = text; };
root.classList.add("js");

// Light or dark: what the system says until the button is pressed.
document.getElementById("theme").addEventListener("click", () => {
	const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
	root.dataset.theme = dark ? "light" : "dark";
	say(dark ? "Light" : "Dark");
});

// Tabs, by the pattern of the WAI-ARIA authoring practices. The address keeps the one that is open.
const tabs = all("[role=tab]");
const open = (tab, focus) => {
	for (const t of tabs) {
		const on = t === tab;
		t.setAttribute("aria-selected", on);
		t.tabIndex = on ? 0 : -1;
		document.getElementById(t.getAttribute("aria-controls")).hidden = !on;
	}
	tab.scrollIntoView({block: "nearest", inline: "nearest"});
	if (focus) tab.focus();
};
const choose = (tab, focus) => {
	open(tab, focus);
	try { history.replaceState(null, "", tab.id.replace("tab-", "#")); } catch { /* a page without an address */ }
};
if (tabs.length) {
	const fromAddress = () => tabs.find(t => t.id.replace("tab-", "#") === location.hash);
	for (const [i, tab] of tabs.entries()) {
		const panel = document.getElementById(tab.getAttribute("aria-controls"));
		panel.setAttribute("role", "tabpanel");
		tab.addEventListener("click", () => choose(tab));
		tab.addEventListener("keydown", e => {
			const to = {ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: tabs.length - 1}[e.key];
			if (to === undefined) return;
			e.preventDefault();
			choose(tabs[(to + tabs.length) % tabs.length], true);
		});
	}
	addEventListener("hashchange", () => { const t = fromAddress(); if (t) open(t); });
	open(fromAddress() || tabs[0]);
}

// Tips. Texts become nodes, never markup.
const element = (name, text, className) => {
	const e = document.createElement(name);
	e.textContent = text;
	if (className) e.className = className;
	return e;
};
const show = (mark, x, y) => {
	const [head, ...lines] = mark.dataset.tip.split("\n");
	tip.replaceChildren(element("b", head));
	for (const line of lines) {
		const [color, name, value] = line.split("\t"), row = element("div", ""), label = element("span", "");
		if (color) label.append(element("i", "", color));
		label.append(name);
		row.append(label, element("span", value));
		tip.append(row);
	}
	tip.hidden = false;
	const box = tip.getBoundingClientRect();
	tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 6)) + "px";
	tip.style.top = (y + 18 + box.height > innerHeight ? Math.max(4, y - box.height - 12) : y + 18) + "px";
};
const hide = () => { tip.hidden = true; };
for (const chart of all(".chart")) {
	const marks = all("[data-tip]", chart);
	let at = -1;
	const unmark = () => { if (at >= 0) marks[at].classList.remove("on"); };
	chart.addEventListener("pointermove", e => {
		const mark = e.target.closest("[data-tip]");
		mark ? show(mark, e.clientX, e.clientY) : hide();
	});
	chart.addEventListener("pointerdown", e => { const mark = e.target.closest("[data-tip]"); if (mark) show(mark, e.clientX, e.clientY); });
	chart.addEventListener("pointerleave", hide);
	chart.addEventListener("blur", () => { unmark(); at = -1; hide(); });
	chart.addEventListener("keydown", e => {
		const last = marks.length - 1, step = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1}[e.key];
		let to = step ? Math.max(0, Math.min(last, at + step)) : {Home: 0, End: last}[e.key];
		if (e.key === "Escape") hide();
		if (to === undefined || last < 0) return;
		e.preventDefault();
		unmark();
		at = to;
		marks[at].classList.add("on");
		const box = marks[at].getBoundingClientRect();
		show(marks[at], box.left + Math.min(box.width, 200) / 2, box.top + Math.min(box.height, 40) / 2);
		say(marks[at].dataset.tip.split("\n").map(l => l.replace(/^[^\t]*\t/, "").replace("\t", " ")).join(", "));
	});
}
addEventListener("scroll", hide, {passive: true, capture: true});

// Tables.
const value = cell => cell.dataset.v ?? cell.textContent;
const number = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/;
const compare = (a, b) => {
	if (a === "" || b === "") return a === b ? 0 : a === "" ? 2 : -2; // what is missing comes last either way
	if (number.test(a) && number.test(b)) {
		if (/^-?\d{16,}$/.test(a) || /^-?\d{16,}$/.test(b)) {
			try { const x = BigInt(a), y = BigInt(b); return x < y ? -1 : x > y ? 1 : 0; } catch { /* one has a fraction */ }
		}
		return Math.sign(a - b);
	}
	return a < b ? -1 : a > b ? 1 : 0;
};
const sort = (table, column) => {
	const heads = all("thead th", table), head = heads[column], body = table.tBodies[0];
	const up = head.getAttribute("aria-sort") === "descending" || head.getAttribute("aria-sort") === "none" && !head.classList.contains("num");
	const rows = [...body.rows].map(row => [value(row.cells[column]), row]);
	rows.sort((a, b) => { const c = compare(a[0], b[0]); return Math.abs(c) === 2 || up ? c : -c; });
	body.append(...rows.map(r => r[1]));
	for (const h of heads) h.setAttribute("aria-sort", h === head ? up ? "ascending" : "descending" : "none");
	say("Sorted by " + head.dataset.name + (up ? ", ascending" : ", descending"));
};
// What a spreadsheet would compute gets a quote in front, as in flowlog's csv. Numbers are numbers.
const inert = text => /^[=+\-@\t\r\n]/.test(text) && text !== "-" && !number.test(text) ? "'" + text : text;
const rowsOf = table => [
	all("thead th", table).map(h => inert(h.dataset.name)),
	...[...table.tBodies[0].rows].map(row => [...row.cells].map(c => inert(value(c)))),
];
const quoted = text => /[",\r\n]|^ | $/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
const copy = async (text, button) => {
	let done = true;
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		const area = document.createElement("textarea");
		area.value = text;
		area.className = "unseen";
		document.body.append(area);
		area.select();
		done = document.execCommand("copy");
		area.remove();
		button.focus();
	}
	const was = button.textContent;
	button.textContent = done ? "Copied" : "Not allowed";
	say(button.textContent);
	setTimeout(() => { button.textContent = was; }, 1500);
};
for (const details of all("details.data")) {
	const table = details.querySelector("table");
	for (const [i, head] of all("thead th", table).entries()) {
		const button = element("button", "");
		button.type = "button";
		button.append(...head.childNodes);
		button.addEventListener("click", () => sort(table, i));
		head.append(button);
	}
	const copier = details.querySelector(".copy"), saver = details.querySelector(".csv");
	copier.addEventListener("click", () => copy(rowsOf(table).map(r => r.join("\t")).join("\n") + "\n", copier));
	saver.addEventListener("click", () => {
		const link = document.createElement("a");
		link.href = URL.createObjectURL(new Blob([rowsOf(table).map(r => r.map(quoted).join(",")).join("\n") + "\n"], {type: "text/csv"}));
		link.download = saver.dataset.name.replace(/[^A-Za-z0-9_-]/g, "_") + ".csv";
		link.click();
		setTimeout(() => URL.revokeObjectURL(link.href), 1000);
	});
}
for (const button of all(".command .copy")) button.addEventListener("click", () => copy(button.previousElementSibling.textContent, button));

// On paper there is no tab to choose and nothing to open.
let closed = [];
addEventListener("beforeprint", () => { closed = all("details.data:not([open])"); for (const d of closed) d.open = true; });
addEventListener("afterprint", () => { for (const d of closed) d.open = false; });
})();
