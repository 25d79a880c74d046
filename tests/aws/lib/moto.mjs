// A local stand-in for AWS (moto) that lives as long as the test, on a port the system picks.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

import { root, runnable } from './run.mjs';

const bin = join(root, '.tools/aws-tests/bin');
export const python = join(bin, 'python');
export const awsCli = join(bin, 'aws');

/** Why tests that need what `setup` installs are skipped, or false. */
export const noTools = runnable(python) && runnable(awsCli) ? false : 'tools from PyPI are not installed: run tests/aws/setup';

// It ends with its standard input, so a test that is killed leaves nothing behind.
const SERVER = `
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()
`;

/** Starts the server; it ends with the test `t`. Returns the environment that points AWS clients at it. */
export async function startMoto(t) {
  const child = spawn(python, ['-c', SERVER], { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const ended = new Promise((resolve) => child.on('close', resolve));
  t.after(async () => {
    child.stdin.end();
    child.kill();
    await ended;
  });
  const url = await Promise.race([
    createInterface({ input: child.stdout })[Symbol.asyncIterator]().next().then(({ value }) => value),
    ended.then(() => undefined),
  ]);
  if (!url) throw new Error(`moto did not start\n${errors}`);
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'testing',
    AWS_SECRET_ACCESS_KEY: 'testing',
    AWS_DEFAULT_REGION: 'us-east-1',
  };
}
