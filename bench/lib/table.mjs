// The run as text: one Markdown table of the loads, one of the memory, and the sentence that answers the question.

import { ROUTES } from "./routes.mjs";

const whole = (value) => Math.round(value).toLocaleString("en-US").replaceAll(",", " ");
const ratio = (value) => value.toFixed(2);
const range = ({ median, min, max }) => `${ratio(median)} (${ratio(min)}–${ratio(max)})`;

/** A Markdown table, its columns padded; the first `texts` are text, the others numbers. */
export function markdown(texts, head, rows) {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const pad = (text, column) => (column < texts ? text.padEnd(widths[column]) : text.padStart(widths[column]));
  const line = (cells) => `| ${cells.map(pad).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (column < texts ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** The whole report of a result (see run.mjs for its shape). */
export function report({ contenders, summary, memory }) {
  const name = (id) => contenders.find((contender) => contender.id === id).name;
  const loads = markdown(
    2,
    ["load", "contender", "requests/s", "× jose", "CPU µs/request", "× jose", "p50 ms"],
    summary.map((row) => [
      ROUTES[row.route].title,
      name(row.contender),
      whole(row.requestsPerSecond),
      row.ratio ? range(row.ratio.requestsPerSecond) : "",
      whole(row.cpuMicrosecondsPerRequest),
      row.ratio ? range(row.ratio.cpuMicrosecondsPerRequest) : "",
      (row.p50 / 1000).toFixed(1),
    ]));
  const peaks = markdown(1, ["process", "peak memory, MiB"], memory.map(({ contender, peakBytes }) =>
    [name(contender), (peakBytes / 2 ** 20).toFixed(0)]));
  return [loads, "", peaks, "", verdict(summary)].join("\n");
}

/** The one line that a caller looks for. */
export function verdict(summary) {
  const mint = summary.find((row) => row.route === "mint" && row.contender === "broker");
  if (mint?.ratio === undefined) return "mint ratio: none, the run needs both the broker and the jose peer";
  const { requestsPerSecond, cpuMicrosecondsPerRequest } = mint.ratio;
  return `mint ratio: ${ratio(requestsPerSecond.median)} × the jose peer's requests per second, `
    + `${ratio(cpuMicrosecondsPerRequest.median)} × its CPU time`;
}
