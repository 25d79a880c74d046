// run.mjs SCHEME PORT TOOL: starts the worker, shows that it works, and stays until Ctrl-C.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { SECRETS, TLS, TOKEN_FILE } from "./files.mjs";

const [scheme, port, tool] = process.argv.slice(2);
const issuer = `${scheme}://localhost:${port}`;
const WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const START_LIMIT_MS = 120_000;

const say = (text) => console.error(`\x1b[1m${text}\x1b[0m`);
const die = (text) => {
  console.error(`error: ${text}`);
  process.exitCode = 1;
  stop();
};

// 1. start the worker; what wrangler says is kept until the banner, then passed on
say(`Starting the worker on ${issuer}`);
const tls = scheme === "https" ? TLS : undefined;
const argv = ["dev", "--ip", "127.0.0.1", "--port", port, "--local-protocol", scheme, "--env-file", SECRETS, "--var", `ISSUER:${issuer}`, "--show-interactive-dev-session=false"];
if (tls) argv.push("--https-key-path", tls.key, "--https-cert-path", tls.cert);
const worker = spawn("wrangler", argv, { stdio: ["ignore", "pipe", "pipe"], detached: true });
let held = "";
let passOn = false;
for (const stream of [worker.stdout, worker.stderr]) {
  stream.on("data", (chunk) => (passOn ? process.stderr.write(chunk) : (held += chunk)));
}
let ended = false;
worker.on("exit", () => {
  ended = true;
  if (!passOn) console.error(held);
  process.exit(process.exitCode ?? (passOn ? 0 : 1));
});
function stop() {
  if (!ended) process.kill(-worker.pid, "SIGINT");
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);

async function ready() {
  const until = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      const response = await fetch(`${issuer}/readyz`);
      const report = await response.json();
      if (report.ready) return true;
      const wrong = report.checks.filter((check) => !check.ok).map((check) => `  ${check.name ?? check.check}: ${check.message}`);
      return die(`the worker runs and is not ready:\n${wrong.join("\n")}`);
    } catch (error) {
      if (ended || Date.now() > until) return die(`the worker did not start within ${START_LIMIT_MS / 1000} s (${error.cause?.code ?? error.message})`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

// 2. a demo session in local KV, kept until it ends
async function session() {
  if (existsSync(TOKEN_FILE)) {
    const token = readFileSync(TOKEN_FILE, "utf8").trim();
    const response = await fetch(`${issuer}/v1/session`, { headers: { authorization: `Bearer ${token}` } });
    if (response.ok) return token;
  }
  say("Making a demo session in local KV: .dev/session-token");
  const issued = spawnSync(tool, ["session", "issue", WALLET, "--ttl", "30d", "--label", "demo", "--json"], { encoding: "utf8" });
  if (issued.status !== 0) return die(`the demo session could not be made\n${issued.stderr ?? ""}`);
  const { token } = JSON.parse(issued.stdout);
  writeFileSync(TOKEN_FILE, `${token}\n`, { mode: 0o600 });
  return token;
}

// 3. mint a token and verify it as a relying party does: by the issuer's own documents
async function mint(token) {
  const response = await fetch(`${issuer}/v1/mint-oidc-jwt`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) return die(`the mint answered ${response.status}: ${(await response.json()).message}`);
  const { jwt } = await response.json();
  const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
  await jwtVerify(jwt, keys, { issuer, audience: "sts.amazonaws.com", algorithms: metadata.id_token_signing_alg_values_supported });
  return jwt;
}

if (await ready()) {
  const token = await session();
  const jwt = token && (await mint(token));
  if (jwt) {
    const ca = tls ? ` --cacert ${tls.ca}` : "";
    console.log(`
A token was minted and verified against ${issuer}/.well-known/jwks.json:

${JSON.stringify(decodeProtectedHeader(jwt))}
${JSON.stringify(decodeJwt(jwt), null, 2)}
${tls ? `\nThe certificate's CA file: ${tls.ca}\n` : ""}
Calls to paste, from this folder:

  curl -s${ca} ${issuer}/.well-known/openid-configuration
  curl -s${ca} ${issuer}/.well-known/jwks.json
  curl -s${ca} -X POST -H "Authorization: Bearer $(cat ${TOKEN_FILE})" ${issuer}/v1/mint-oidc-jwt
  curl -s${ca} -H "Content-Type: application/json" -d '{"address":"${WALLET}","chain_id":1}' ${issuer}/v1/auth/wallet/start

The issuer runs on ${issuer}. Ctrl-C ends it.
`);
    passOn = true;
  }
}
