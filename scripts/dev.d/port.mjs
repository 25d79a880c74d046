// port.mjs PORT: fails with a remedy where something listens there already.
import net from "node:net";

const port = Number(process.argv[2]);

const inUse = (host) =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", (error) => resolve(error.code === "EADDRINUSE" || error.code === "EACCES" ? error.code : undefined));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });

for (const host of ["127.0.0.1", "::1"]) {
  const code = await inUse(host);
  if (code) {
    const why = code === "EACCES" ? `port ${port} is not allowed to this user` : `port ${port} is in use`;
    console.error(`error: ${why}: end what uses it, or choose another: scripts/dev --port ${port === 8788 ? 8789 : 8788}`);
    process.exit(1);
  }
}
