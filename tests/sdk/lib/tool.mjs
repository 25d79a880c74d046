// The tool itself, built once, run as its users run it.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { root } from '../../aws/lib/run.mjs';

let built;

/** The path of `edge-broker`: EDGE_BROKER_TOOL, or a build of this tree. */
export function tool() {
  built ??= process.env.EDGE_BROKER_TOOL ?? build();
  return built;
}

function build() {
  execFileSync('cargo', ['build', '--quiet', '--locked', '--package', 'edge-broker'], { cwd: root, stdio: 'inherit' });
  return join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/edge-broker');
}

/** This process's environment without what AWS clients and the tool look at, nobody logged in, and with `extra`. */
export function environment(extra = {}) {
  const own = Object.entries(process.env).filter(([name]) => !/^(AWS_|EDGE_BROKER_|XDG_|HTTPS?_PROXY|https?_proxy|ALL_PROXY|all_proxy)/.test(name));
  return { ...Object.fromEntries(own), AWS_EC2_METADATA_DISABLED: 'true', XDG_STATE_HOME: '/nowhere', ...extra };
}

/** Starts the tool: the child, with `said`, a promise of `{ code, stdout, stderr, seconds }`. */
export function start(args, env = {}) {
  const began = performance.now();
  const child = spawn(tool(), args, { env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  child.output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) child[stream].setEncoding('utf8').on('data', (text) => (child.output[stream] += text));
  child.said = once(child, 'close').then(([code]) => ({ code, ...child.output, seconds: (performance.now() - began) / 1000 }));
  return child;
}

/** Runs the tool to its end. */
export const runTool = (args, env) => start(args, env).said;

/** Waits until `condition()` is true, ten seconds at most. */
export async function until(condition, what) {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`it did not come to pass: ${what}`);
}
