// From samples to numbers: medians, and ratios to the jose peer.
//
// A ratio is taken within each round, between loads that ran seconds apart, and the median of those ratios is reported with
// its range. A machine that gets slower or faster over the run moves both sides of a ratio alike.

import { ROUTES } from "./routes.mjs";

export function median(values) {
  if (values.length === 0) throw new Error("no values, so no median");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const METRICS = ["requestsPerSecond", "cpuMicrosecondsPerRequest", "p50", "p99"];
const YARDSTICK = "jose";

/**
 * `samples`: `{ round, route, contender, requestsPerSecond, cpuMicrosecondsPerRequest, p50, p99 }`. Answers one row for each
 * route and contender, in the order of `ROUTES` and `order`; a broker's row has `ratio` to the yardstick where that ran too.
 */
export function summarise(samples, order) {
  const rows = [];
  for (const route of Object.keys(ROUTES)) {
    for (const contender of order) {
      const own = samples.filter((sample) => sample.route === route && sample.contender === contender);
      if (own.length === 0) continue;
      const row = { route, contender, rounds: own.length };
      for (const metric of METRICS) row[metric] = median(own.map((sample) => sample[metric]));
      if (contender === "broker") row.ratio = ratios(own, samples.filter((sample) => sample.route === route && sample.contender === YARDSTICK));
      rows.push(row);
    }
  }
  return rows;
}

function ratios(own, yardstick) {
  const pairs = own.flatMap((sample) => {
    const other = yardstick.find(({ round }) => round === sample.round);
    return other === undefined ? [] : [[sample, other]];
  });
  if (pairs.length === 0) return undefined;
  const of = (metric) => {
    const values = pairs.map(([one, other]) => one[metric] / other[metric]);
    return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
  };
  return { requestsPerSecond: of("requestsPerSecond"), cpuMicrosecondsPerRequest: of("cpuMicrosecondsPerRequest") };
}
