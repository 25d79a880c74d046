// Medians, ratios and what is shown of them.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chart } from "../chart.mjs";
import { median, summarise } from "../lib/summary.mjs";
import { report, verdict } from "../lib/table.mjs";

const sample = (round, contender, route, requestsPerSecond, cpuMicrosecondsPerRequest) =>
  ({ round, contender, route, requestsPerSecond, cpuMicrosecondsPerRequest, p50: 1000, p99: 2000 });

// The machine halves its pace after the first round: the ratio within each round stays what it is.
const SAMPLES = [
  sample(1, "jose", "mint", 4000, 200), sample(1, "broker", "mint", 5000, 150),
  sample(2, "jose", "mint", 2000, 400), sample(2, "broker", "mint", 2500, 300),
  sample(3, "jose", "mint", 2000, 400), sample(3, "broker", "mint", 2400, 300),
  sample(1, "bare-js", "calls", 9000, 100), sample(1, "bare-js", "ok", 19000, 40),
];
const ORDER = ["broker", "jose", "bare-js"];
const RESULT = {
  settings: { rounds: 3, seconds: 1, connections: 16, kv: "memory" },
  contenders: [{ id: "broker", name: "broker <Rust>" }, { id: "jose", name: "peer" }, { id: "bare-js", name: "bare" }],
  summary: summarise(SAMPLES, ORDER),
  memory: [{ contender: "broker", peakBytes: 50 * 2 ** 20 }],
};

describe("the median", () => {
  it("is the middle one", () => assert.equal(median([9, 1, 5]), 5));
  it("is between the two middle ones", () => assert.equal(median([1, 10, 2, 4]), 3));
  it("of nothing is an error", () => assert.throws(() => median([])));
});

describe("the summary", () => {
  it("takes the ratio within each round", () => {
    const [row] = RESULT.summary;
    assert.equal(row.contender, "broker");
    assert.deepEqual(row.ratio.requestsPerSecond, { median: 1.25, min: 1.2, max: 1.25 });
    assert.deepEqual(row.ratio.cpuMicrosecondsPerRequest, { median: 0.75, min: 0.75, max: 0.75 });
    assert.equal(row.requestsPerSecond, 2500);
  });
  it("has no ratio without the yardstick, and says so", () => {
    const alone = summarise(SAMPLES.filter(({ contender }) => contender !== "jose"), ORDER);
    assert.equal(alone[0].ratio, undefined);
    assert.match(verdict(alone), /none/);
  });
});

describe("the report", () => {
  it("has a row for each load and the ratio in words", () => {
    const text = report(RESULT);
    assert.match(text, /\| mint +\| broker <Rust> +\| +2 500 \| 1\.25 \(1\.20–1\.25\) \| +300 \| 0\.75 \(0\.75–0\.75\) \|/);
    assert.match(text, /mint ratio: 1\.25 × the jose peer's requests per second, 0\.75 × its CPU time/);
    assert.match(text, /broker <Rust> +\| +50 \|/);
  });
});

describe("the chart", () => {
  const svg = chart(RESULT);
  it("has two bars for each row and the floor beside the mint", () => {
    for (const id of ORDER) assert.equal(svg.split(`<rect class="${id}"`).length - 1, 3, `legend and two bars of ${id}`);
  });
  it("escapes names", () => assert.ok(svg.includes("broker &lt;Rust&gt;") && !svg.includes("<Rust>")));
  it("draws the largest value longest", () => {
    const lengths = [...svg.matchAll(/<rect class="(\S+)" x="\d+" y="(?!14")\d+" width="([\d.]+)"/g)].map(([, id, width]) => [id, Number(width)]);
    const [, longest] = lengths.reduce((a, b) => (b[1] > a[1] ? b : a));
    assert.equal(lengths.find(([id]) => id === "bare-js")[1], longest);
  });
});
