// No route confusion: what is not exactly a route's path is 404 or the runtime's own refusal, however it is spelt, and what
// RFC 9112 §3.2 calls the same target is the route.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { DISCOVERY, HOST, MINT, ROUTES, SESSION, marker, requestOf } from "./support/routes.mjs";
import { OTHER, REFUSED, SAME } from "./support/spellings.mjs";
import { world } from "./support/world.mjs";

const it = world();

/** What is answered to a route's own request when it is sent to another target. */
async function sent(route, target, lines) {
  const token = route.ends ? await it.server.session() : it.token;
  const [answer, ...others] = await it.say(requestOf(route, token, { target, lines }), { methods: [route.method], sent: [token] });
  assert.deepEqual(others, []);
  return answer;
}

const isRoute = (route, answer) => answer.status === route.status && route.known.test(answer.body) && answer.giver !== "runtime";

describe("each route answers its own path", () => {
  for (const route of ROUTES) {
    test(`${route.method} ${route.path}`, async () => assert.ok(isRoute(route, await sent(route, route.path))));
  }
});

describe("the same target in other words is the route", () => {
  for (const [name, spell] of Object.entries(SAME)) {
    test(name, async () => {
      for (const route of ROUTES) {
        const answer = await sent(route, spell(route.path));
        assert.ok(isRoute(route, answer), `${route.method} ${spell(route.path)}: ${answer.status} ${answer.body}`);
      }
    });
  }
});

describe("another path is 404, and never kept by a cache", () => {
  for (const [name, spell] of Object.entries(OTHER)) {
    test(name, async () => {
      const spelt = ROUTES.filter(({ path }) => spell(path) !== path);
      assert.ok(spelt.length > 0);
      for (const route of spelt) {
        const target = spell(route.path);
        const { status, giver, header } = await sent(route, target);
        assert.deepEqual([status, giver, header("cache-control")], [404, "broker", "no-store"], `${route.method} ${target}`);
      }
    });
  }
});

describe("what is no target is refused by the runtime", () => {
  for (const [name, spell] of Object.entries(REFUSED)) {
    test(name, async () => {
      for (const route of ROUTES.filter(({ path }) => spell(path) !== path)) {
        const { status, giver } = await sent(route, spell(route.path));
        assert.deepEqual([status, giver], [400, "runtime"], `${route.method} ${JSON.stringify(spell(route.path))}`);
      }
    });
  }
});

test("a path without its first slash is no route", async () => {
  for (const route of ROUTES) {
    const { status, giver } = await sent(route, route.path.slice(1));
    assert.ok((status === 400 && giver === "runtime") || (status === 404 && giver === "broker"), `${route.method} ${route.path.slice(1)}: ${status}`);
  }
});

test("a target that is a star, an authority, or nothing is no route", async () => {
  for (const [method, target] of [["GET", "*"], ["OPTIONS", "*"], ["GET", "issuer.test:443"], ["GET", "issuer.test"], ["GET", "javascript:x"], ["GET", "http://issuer.test"], ["GET", "http://issuer.test?x"]]) {
    const [{ status, giver }] = await it.ask(method, target);
    assert.deepEqual([status, giver], [404, "broker"], target);
  }
  for (const target of ["", "?x", "#x", "http://", "://"]) {
    const [{ status, giver }] = await it.ask("GET", target);
    assert.deepEqual([status, giver], [400, "runtime"], target);
  }
});

test("what is asked for is not repeated, in path, query or fragment", async () => {
  for (const spell of [(mark) => `/${mark}`, (mark) => `${DISCOVERY}?${mark}=1`, (mark) => `${DISCOVERY}#${mark}`, (mark) => `${SESSION}/${mark}`, (mark) => `http://${mark}.example/x`]) {
    const mark = marker();
    await it.ask("GET", spell(mark), { sent: [mark] });
  }
});

test("the document is the configured issuer's, whatever the target and the Host say", async () => {
  const [plain] = await it.ask("GET", DISCOVERY);
  for (const target of [DISCOVERY, `http://other.example${DISCOVERY}`, `https://user:password@other.example:1${DISCOVERY}`]) {
    for (const host of ["other.example", "issuer.test:1", "[::1]", "*", "a,b", "user:password@other.example", "..", "%2f"]) {
      const [answer] = await it.ask("GET", target, { lines: [`Host: ${host}`, "X-Forwarded-Host: other.example", "Forwarded: host=other.example"] });
      assert.deepEqual([answer.status, answer.body], [200, plain.body], `${target} ${host}`);
    }
  }
});

describe("the Host", () => {
  test("is asked for: without one, or with an empty one, the runtime refuses", async () => {
    for (const lines of [[], ["Host:"], ["Host:  "], ["Host: \xff"]]) {
      for (const version of ["HTTP/1.1", "HTTP/1.0"]) {
        const [{ status, giver }] = await it.ask("GET", DISCOVERY, { lines, version });
        assert.deepEqual([status, giver], [400, "runtime"], JSON.stringify(lines));
      }
    }
  });

  // The runtime writes Host and target into one URL, and a Host with a slash takes the place of the path.
  test("is no path: one with a slash reaches no route", async () => {
    for (const route of ROUTES) {
      for (const host of [`a${route.path}?`, `a${route.path}#`, `a?${route.path}#`, `user@a${route.path}?`]) {
        const answer = await sent(route, "/nothing", [`Host: ${host}`]);
        assert.ok(!isRoute(route, answer), `${route.method} /nothing with Host: ${host}`);
      }
    }
  });
  test("is no path: one with a slash and a part of the route reaches no route", async () => {
    const mint = ROUTES.find(({ path }) => path === MINT);
    assert.ok(!isRoute(mint, await sent(mint, "/mint-oidc-jwt", ["Host: a/v1"])));
  });
  test("is no path beside an absolute form either", async () => {
    for (const route of ROUTES) {
      const answer = await sent(route, "http://issuer.test/nothing", [`Host: a${route.path}?`]);
      assert.ok(!isRoute(route, answer), `${route.method} http://issuer.test/nothing with Host: a${route.path}?`);
    }
  });
  test("with a slash in it is no host: not even a right path reaches its route", async () => {
    for (const route of ROUTES) {
      const answer = await sent(route, route.path, ["Host: a/b"]);
      assert.ok(!isRoute(route, answer), `${route.method} ${route.path}`);
    }
  });
});

describe("an issuer with a path", () => {
  const blue = world({ vars: { ISSUER: "https://issuer.test/tenants/blue" } }, "/tenants/blue/healthz");
  test("has its routes under that path in one spelling, and nowhere else", async () => {
    for (const route of ROUTES.filter(({ ends }) => !ends)) {
      const at = async (target) => (await blue.say(requestOf(route, blue.token, { target, lines: [HOST] }), { methods: [route.method] }))[0];
      assert.ok(isRoute(route, await at(`/tenants/blue${route.path}`)), route.path);
      for (const target of [
        route.path,
        `/tenants${route.path}`,
        `/tenants/blue/${route.path}`,
        `/tenants//blue${route.path}`,
        `/tenants/blue/.${route.path}`,
        `/tenants/red/../blue${route.path}`,
        `/tenants/blue/..${route.path}`,
        `/tenants/blue/tenants/blue${route.path}`,
        `/tenants%2fblue${route.path}`,
        `/tenants/blue%2f${route.path.slice(1)}`,
        `/Tenants/blue${route.path}`,
        `/tenants/blue;x${route.path}`,
        `/tenants/bluegreen${route.path}`,
      ]) {
        assert.equal((await at(target)).status, 404, target);
      }
    }
  });
});
