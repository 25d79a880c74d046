// The namespace of a broker under test, for the tool's `--wrangler`.

import { fileURLToPath } from 'node:url';

import { serve } from './server.mjs';

const PROGRAM = fileURLToPath(new URL('kv-wrangler.mjs', import.meta.url));

/** Serves the broker's namespace as `wrangler kv` shows it; the variables that make the tool use it. */
export async function kvOf(t, broker) {
  const url = await serve(t, async (request, body, response) => {
    const { command, content, prefix } = JSON.parse(body.toString());
    const namespace = await broker.sessions();
    const json = (value) => void response.end(JSON.stringify(value));
    switch (command) {
      case 'kv bulk put':
        for (const { key, value, expiration, metadata } of content) await namespace.put(key, value, { expiration, metadata });
        return json('Success!');
      case 'kv bulk get':
        return json(Object.fromEntries(await Promise.all(content.map(async (key) => [key, { value: await namespace.get(key) }]))));
      case 'kv bulk delete':
        for (const key of content) await namespace.delete(key);
        return json('Success!');
      case 'kv key list':
        return json((await namespace.list({ prefix })).keys);
      default:
        return void response.writeHead(404).end();
    }
  });
  return { KV_URL: url, EDGE_BROKER_WRANGLER: PROGRAM };
}
