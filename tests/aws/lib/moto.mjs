// A local stand-in for AWS (moto) that lives as long as the test, on a port the system picks, and a client for it.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

import { root, runnable } from './run.mjs';

const bin = join(root, '.tools/aws-tests/bin');
export const python = join(bin, 'python');
export const awsCli = join(bin, 'aws');

/** Why tests that need what `setup` installs are skipped, or false. */
export const noTools = runnable(python) && runnable(awsCli) ? false : 'tools from PyPI are not installed: run tests/aws/setup';

// Serves, and makes calls with AWS's own Python client: a line of JSON in, a line of JSON out. It ends with its standard
// input, so a test that is killed leaves nothing behind.
const SERVER = `
import json, logging, sys
import boto3, botocore.exceptions
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
url = "http://%s:%d" % server.get_host_and_port()
print(json.dumps(url), flush=True)
session = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")
for line in sys.stdin:
    service, operation, arguments = json.loads(line)
    try:
        answer = {"ok": getattr(session.client(service, endpoint_url=url), operation)(**arguments)}
    except botocore.exceptions.ClientError as error:
        answer = {"error": error.response["Error"]["Code"]}
    print(json.dumps(answer, default=str), flush=True)
`;

/**
 * Starts the server; it ends with the test `t`. Returns `environment`, which points AWS clients at it, and
 * `call(service, operation, arguments)` with boto3's names; what AWS refuses is an error whose message is the code.
 */
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

  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`moto has ended\n${errors}`);
    return JSON.parse(value);
  };
  const url = await answer();
  return {
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: 'testing',
      AWS_SECRET_ACCESS_KEY: 'testing',
      AWS_DEFAULT_REGION: 'us-east-1',
    },
    async call(service, operation, args = {}) {
      child.stdin.write(`${JSON.stringify([service, operation, args])}\n`);
      const { ok, error } = await answer();
      if (error) throw new Error(error);
      return ok;
    },
  };
}
