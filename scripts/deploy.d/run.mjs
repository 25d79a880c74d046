// run.mjs ENV [--dry-run] [--ca-file FILE]: the steps of scripts/deploy, one after the other.
import { parseArgs } from "node:util";
import { Failure, read, setNamespaceId, unsetNamespace } from "./config.mjs";
import { fingerprint } from "./fingerprint.mjs";
import { Tools } from "./tools.mjs";

const KEY = "SIGNING_KEY_A";
const OUT = "build/worker";
const DOCTOR_TRIES = 6;
const DOCTOR_PAUSE_MS = Number(process.env.EDGE_BROKER_DOCTOR_PAUSE_MS ?? 10_000);

const say = (text) => console.error(`\x1b[1m${text}\x1b[0m`);

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { "dry-run": { type: "boolean" }, "ca-file": { type: "string" } },
    });
    if (positionals.length !== 1) throw new Error("name one environment");
    return { env: positionals[0], dryRun: values["dry-run"] ?? false, caFile: values["ca-file"] };
  } catch (error) {
    console.error(`error: ${error.message} (scripts/deploy --help)`);
    process.exit(2);
  }
}

const { env, dryRun, caFile } = options();
const tools = new Tools(dryRun);

try {
  const config = read(env);
  say(`1. Logged in to Cloudflare?`);
  tools.ask(["whoami", "--json"], "log in: npx wrangler login (or set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID)");

  say(`2. The KV namespace of ${env}`);
  namespace(config);

  say(`3. The signing key of ${env}`);
  signingKey();

  say(`4. The worker of ${env}`);
  deploy();

  say(`5. Is it healthy?`);
  await doctor(read(env).issuer);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`error: ${error.message}`);
  process.exit(1);
}

/** Finds the namespace by its title, or makes it, and writes its id into wrangler.toml. */
function namespace({ worker, namespaceId }) {
  if (namespaceId !== unsetNamespace) return console.error(`   wrangler.toml names ${namespaceId}`);
  const title = `${worker}-sessions`;
  const find = () => tools.json(["kv", "namespace", "list"])?.find((namespace) => namespace.title === title)?.id;
  let id = find();
  if (id === undefined) {
    tools.change(["kv", "namespace", "create", title]);
    id = find();
  }
  if (dryRun) return console.error("   then its id is written into wrangler.toml");
  if (!/^[0-9a-f]{32}$/.test(id ?? "")) throw new Failure(`the namespace ${title} was made and is not listed yet: run this again in a moment`);
  setNamespaceId(env, id);
  console.error(`   ${title} is ${id}, now in wrangler.toml`);
}

/** Makes a key where no secret holds one. It goes from one process into the other and touches no file. */
function signingKey() {
  // A worker that was never deployed has no list, and no secrets.
  const secrets = tools.json(["secret", "list", "--env", env, "--format", "json"], { orElse: [] });
  const keys = secrets?.filter(({ name }) => name.startsWith("SIGNING_KEY_")).map(({ name }) => name) ?? [];
  if (keys.length > 0) return console.error(`   there already: ${keys.join(", ")}`);
  tools.change(["secret", "put", KEY, "--env", env], { input: () => tools.keygen(), shown: "edge-broker keygen | " });
}

/** Deploys what is built, unless it is what is live. */
function deploy() {
  tools.build(["deploy", "--dry-run", "--env", env, "--outdir", OUT]);
  const tag = fingerprint(OUT, env);
  if (liveTag() === tag) return console.error(`   version ${tag} is live already`);
  tools.change(["deploy", "--env", env, "--tag", tag]);
}

/** The tag of the one version that is live; nothing where that cannot be told. */
function liveTag() {
  const status = tools.json(["deployments", "status", "--env", env, "--json"], { orElse: {} });
  const [live, ...others] = status?.versions ?? [];
  if (live === undefined || others.length > 0) return undefined;
  const version = tools.json(["versions", "view", live.version_id, "--env", env, "--json"], { orElse: {} });
  return version?.annotations?.["workers/tag"];
}

/** A fresh deployment, and more so a fresh host name, takes a moment to be seen everywhere. */
async function doctor(issuer) {
  const argv = ["doctor", issuer, ...(caFile ? ["--ca-file", caFile] : [])];
  if (dryRun) return tools.show("edge-broker", argv);
  for (let left = DOCTOR_TRIES; left > 0; left -= 1) {
    if (tools.doctor(argv)) return say(`${issuer} is live.`);
    if (left > 1) {
      console.error(`   not yet: asking again in ${DOCTOR_PAUSE_MS / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, DOCTOR_PAUSE_MS));
    }
  }
  throw new Failure(`${issuer} is deployed and not healthy: doctor says above what to do (docs/troubleshooting.md)`);
}
