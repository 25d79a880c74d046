// An HTTP server of a test, on a port the system picks; it ends with the test.

import http from 'node:http';
import https from 'node:https';
import { once } from 'node:events';

/** Listens with `handle(request, body, response)`; with `tls`, over TLS. Returns the URL. */
export async function serve(t, handle, tls) {
  const listener = async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    try {
      await handle(request, Buffer.concat(chunks), response);
    } catch (error) {
      response.writeHead(599).end(String(error?.stack));
    }
  };
  const server = tls ? https.createServer({ key: tls.key, cert: tls.cert }, listener) : http.createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
}
