// A result of the bench as an SVG chart: two panels of bars, requests per second and CPU time per request.
//
// Also a program: node bench/chart.mjs bench.json bench.svg

import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { ROUTES } from "./lib/routes.mjs";

const LABELS = 112;
const PANEL = 372;
const BAR = 12;
const STEP = 15;
const GROUP_GAP = 14;
const TOP = 74;

const STYLE = `
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
  .title { font-size: 14px; font-weight: 600; }
  .quiet, .value { fill: #57606a; }
  .value { font-size: 11px; font-variant-numeric: tabular-nums; }
  .card { fill: #ffffff; }
  .axis { stroke: #d0d7de; }
  .broker { fill: #1f6feb; }
  .jose { fill: #d4860b; }
  .bare-js { fill: #afb8c1; }
  .bare-rs { fill: #7d8590; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet, .value { fill: #9198a1; }
    .card { fill: #0d1117; }
    .axis { stroke: #3d444d; }
    .broker { fill: #4493f8; }
    .jose { fill: #e3a33b; }
    .bare-js { fill: #6e7681; }
    .bare-rs { fill: #484f58; }
  }`;

const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const whole = (value) => Math.round(value).toLocaleString("en-US").replaceAll(",", " ");

/** One group for each measured broker route: its rows, and under them the bare workers' rows of the least of the same. */
function groups({ summary }) {
  const of = (route) => summary.filter((row) => row.route === route);
  const measured = Object.entries(ROUTES).filter(([name, route]) => route.kind === "broker" && of(name).length > 0);
  if (measured.length > 0) return measured.map(([name, route]) => ({ title: route.title, rows: [...of(name), ...(route.floor ? of(route.floor) : [])] }));
  return Object.keys(ROUTES).filter((name) => of(name).length > 0).map((name) => ({ title: ROUTES[name].title, rows: of(name) }));
}

function bars(placed, metric, left) {
  const largest = Math.max(...placed.flatMap(({ rows }) => rows.map(({ row }) => row[metric])));
  const width = (value) => Math.max(1, (value / largest) * (PANEL - 62));
  return placed.flatMap(({ rows }) => rows.map(({ row, y }) => {
    const length = width(row[metric]).toFixed(1);
    return `<rect class="${row.contender}" x="${left}" y="${y}" width="${length}" height="${BAR}" rx="2"/>`
      + `<text class="value" x="${(left + Number(length) + 5).toFixed(1)}" y="${y + 10}">${whole(row[metric])}</text>`;
  }));
}

/** The chart as SVG text. */
export function chart(result) {
  let y = TOP;
  const placed = groups(result).map(({ title, rows }) => {
    const group = { title, y, rows: rows.map((row, index) => ({ row, y: y + index * STEP })) };
    y += rows.length * STEP + GROUP_GAP;
    return group;
  });
  const [first, second] = [LABELS, LABELS + PANEL + 16];
  const [width, height] = [second + PANEL, y + 26];
  let x = LABELS;
  const legend = result.contenders.map(({ id, name }) => {
    const item = `<rect class="${id}" x="${x}" y="14" width="12" height="12" rx="2"/><text x="${x + 18}" y="24">${escape(name)}</text>`;
    x += 40 + name.length * 7;
    return item;
  });
  const { settings } = result;
  const note = `medians of ${settings.rounds} rounds of ${settings.seconds} s, ${settings.connections} connections; `
    + `plain workerd, KV: ${settings.kv}; grey: bare workers`;
  const axis = (left) => `<line class="axis" x1="${left - 0.5}" y1="${TOP - 6}" x2="${left - 0.5}" y2="${y - GROUP_GAP + 4}"/>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    "<title>Requests per second and CPU time per request, by route and worker</title>",
    `<style>${STYLE}\n</style>`,
    `<rect class="card" width="${width}" height="${height}" rx="6"/>`,
    ...legend,
    `<text class="title" x="${first}" y="54">Requests per second <tspan class="quiet" font-weight="400">(more is better)</tspan></text>`,
    `<text class="title" x="${second}" y="54">CPU µs per request <tspan class="quiet" font-weight="400">(less is better)</tspan></text>`,
    axis(first), axis(second),
    ...placed.map((group) => `<text x="${LABELS - 10}" y="${group.y + 10}" text-anchor="end">${escape(group.title)}</text>`),
    ...bars(placed, "requestsPerSecond", first),
    ...bars(placed, "cpuMicrosecondsPerRequest", second),
    `<text class="value" x="${LABELS}" y="${height - 12}">${escape(note)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

if (process.argv[1] === import.meta.filename) {
  const [source, target] = process.argv.slice(2);
  if (source === undefined || target === undefined) {
    console.error("usage: node bench/chart.mjs bench.json bench.svg");
    process.exit(2);
  }
  writeFileSync(target, chart(JSON.parse(readFileSync(source, "utf8"))));
}
