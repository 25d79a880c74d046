// One server for a file of tests, and conversations with it that are judged before anybody looks at them.
import assert from "node:assert/strict";
import { after, before } from "node:test";

import { judged } from "./judge.mjs";
import { HOST, marker } from "./routes.mjs";
import { startServer } from "./server.mjs";
import { bytes, talk } from "./wire.mjs";

/** Starts a server for the file or the suite that calls this, and ends it. `health` is where it says that it is well. */
export function world(settings, health = "/healthz") {
  const it = {};
  before(async () => {
    it.server = await startServer(settings);
    it.token = await it.server.session();
  });
  after(async () => {
    // A test that waits for an answer that never comes may be the reason to stop.
    const alive = it.server?.alive();
    await it.server?.stop();
    assert.ok(alive, `workerd ended: ${it.server?.log()}`);
  });
  return Object.assign(it, {
    /** Sends parts, judges every answer, and shows that the next request works. */
    async say(parts, { methods = [], sent = [], ...options } = {}) {
      const spoken = await talk(it.server.origin, parts, { methods, ...options });
      const answers = judged(spoken, methods, [it.token, ...sent]);
      await it.works();
      return Object.assign(answers, { closed: spoken.closed, interim: spoken.answers.length - answers.length });
    },
    /** A request with a text in it that nobody else sends. */
    async ask(method, target, { version = "HTTP/1.1", lines = [HOST], body = "", ...options } = {}) {
      const mark = marker();
      return it.say(bytes(`${method} ${target} ${version}`, [...lines, `X-Marker: ${mark}`], body), { methods: [method], sent: [mark], ...options });
    },
    /** A plain request works. */
    async works() {
      const { answers } = await talk(it.server.origin, bytes(`GET ${health} HTTP/1.1`, [HOST]));
      assert.deepEqual(answers.map(({ status, body }) => [status, body]), [[200, "ok"]], "the next request");
    },
  });
}
