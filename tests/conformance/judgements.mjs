// What the conditions have in common: each function makes a judgement that throws where its condition is not met.
import assert from "node:assert/strict";

/** The member is a list of texts, of which at least so many are these. */
export const listHas = (member, wanted, atLeast = wanted.length, same = (a, b) => a === b) => ({ server }) => {
  const values = server[member];
  assert.ok(Array.isArray(values), `${member} is not a list`);
  assert.ok(values.every((value) => typeof value === "string"), `${member} has what is no text`);
  const found = wanted.filter((one) => values.some((value) => same(one, value)));
  assert.ok(found.length >= atLeast, `${member} has ${found.length} of ${wanted.join(", ")}, and ${atLeast} are wanted`);
};

/** Response types are the same in any order of their words. */
export const sameWords = (a, b) => a.split(" ").sort().join(" ") === b.split(" ").sort().join(" ");

/** The member is a URL with the scheme https. */
export const isHttps = (member) => ({ server }) => {
  const value = server[member];
  assert.equal(typeof value, "string", `${member} is no text`);
  assert.ok(URL.canParse(value), `${member} is no URL`);
  assert.equal(new URL(value).protocol, "https:", `${member} is not https`);
};

/** The flag is true; one that is left out is what the specification says. */
export const isTrue = (member, byDefault) => ({ server }) => {
  const { [member]: value = byDefault } = server;
  assert.equal(value, true, `${member} is not true`);
};

/** The members are texts that are URLs. */
export const areUrls = (...members) => ({ server }) => {
  for (const member of members) assert.ok(typeof server[member] === "string" && URL.canParse(server[member]), `${member} is no URL`);
};

/** The context with other members in the discovery document; `undefined` leaves one out. */
export const saying = (members) => (context) => ({
  ...context,
  server: JSON.parse(JSON.stringify({ ...context.server, ...members })),
});

/** The context with another answer from the discovery endpoint. */
export const answering = (changed) => (context) => ({ ...context, response: { ...context.response, ...changed } });

/** The context with another first key in the key set; `undefined` leaves a member out. */
export const publishing = (members) => (context) => {
  const [first, ...others] = context.jwks.keys;
  return { ...context, jwks: JSON.parse(JSON.stringify({ keys: [{ ...first, ...members }, ...others] })) };
};
