// What the runtime knows of a request, and where its event goes.

/** The data centre and Cloudflare's id of a request, with a blank between them; either may be empty. */
export function trace(request) {
  return `${request.cf?.colo ?? ""} ${request.headers.get("cf-ray") ?? ""}`;
}

/**
 * Logs an event's line, and writes it as a data point of Workers Analytics Engine where that is bound: index1 is the wallet,
 * blob1 to blob9 are event, outcome, reason, wallet, audience, kid, colo, session and degraded, double1 is ms.
 */
export function record(line, dataset) {
  console.log(line);
  if (dataset === undefined) return;
  const { event, outcome, reason = "", wallet = "", audience = "", kid = "", colo = "", session = "", degraded = "", ms = 0 } = JSON.parse(line);
  try {
    dataset.writeDataPoint({
      indexes: [wallet],
      blobs: [event, outcome, reason, wallet, audience, kid, colo, session, degraded],
      doubles: [ms],
    });
  } catch {
    // The line is logged; a request does not fail for its statistics.
  }
}
