// The one log line of a request, with the fields that the broker's has.

import { Refusal } from "./error.js";
import { client, within } from "./limits.js";

/** Runs a route's steps and logs how they ended. A credential that is no live session counts against its client. */
export async function logged(name, request, env, steps) {
  const begun = Date.now();
  const event = { event: name, outcome: "ok" };
  const response = await steps(event).catch((refusal) => ended(refusal, request, env, event));
  event.ms = Date.now() - begun;
  event.colo = plain(request.cf?.colo, COLO);
  event.ray = plain(request.headers.get("cf-ray"), RAY);
  console.log(JSON.stringify(event));
  return response;
}

async function ended(refusal, request, env, event) {
  if (!(refusal instanceof Refusal)) throw refusal;
  let last = refusal;
  if (refusal.ofNoSession) {
    try {
      await within(env.REFUSED_LIMIT, "refused_limit", client(request), event);
    } catch (limited) {
      last = limited;
    }
  }
  event.outcome = last.response.status < 500 ? "refused" : "failed";
  event.reason = last.reason;
  return last.response;
}

const COLO = /^[A-Za-z\d]{1,8}$/;
const RAY = /^[\da-fA-F]{1,32}$/;
const plain = (text, form) => (typeof text === "string" && form.test(text) ? text : undefined);
