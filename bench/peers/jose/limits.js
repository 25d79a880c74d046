// The rate limits: what is counted, under which key, before which step.

import { LIMITER, inTime } from "./deadline.js";
import { rateLimited } from "./error.js";

/** Counts one more, and throws the refusal where that is too many. A limit that does not answer refuses nobody. */
export async function within(limit, reason, key, event) {
  let outcome;
  try {
    outcome = await inTime(limit.limit({ key }), LIMITER);
  } catch {
    event.degraded = "limiter";
    return;
  }
  if (outcome.success === false) throw rateLimited(reason);
}

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** The network that a request came from: an IPv4 address, or the /64 of an IPv6 address. */
export function client(request) {
  const address = request.headers.get("cf-connecting-ip")?.trim() ?? "";
  if (IPV4.test(address)) return address;
  const [head, tail] = address.split("::");
  const groups = head.split(":");
  if (!/^[\da-f:]+$/i.test(address) || groups.length > 8) return "unknown";
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(":").length;
  const four = [...groups, ...Array(Math.max(0, missing)).fill("0"), "0", "0", "0"].slice(0, 4);
  return `${four.map((group) => parseInt(group || "0", 16).toString(16)).join(":")}::/64`;
}
