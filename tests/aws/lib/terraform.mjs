// Terraform as the tests run it: no configuration of the user's, no credentials, the AWS provider from a mirror on this
// machine where there is one (linked, not copied), else from the registry.

import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { onPath, root, run } from './run.mjs';

const PROVIDER = 'registry.terraform.io/hashicorp/aws';
export const PROVIDER_VERSION = '5.100.0';

/** The program, or undefined. TERRAFORM names another one than PATH's. */
export const terraform = process.env.TERRAFORM ?? onPath('terraform');

/** Why tests that only need the program are skipped, or false. */
export const noTerraform = terraform ? false : 'terraform is not installed: put version 1.9 or newer on PATH';

/**
 * A directory laid out as `terraform providers mirror` does, that has the provider; or undefined. EDGE_BROKER_TF_MIRROR
 * names one; otherwise the usual places are looked at, Terraform's implied mirrors among them.
 */
export function providerMirror() {
  const has = (dir) => {
    const provider = join(dir, PROVIDER);
    return existsSync(join(provider, PROVIDER_VERSION)) || existsSync(join(provider, 'index.json'));
  };
  const named = process.env.EDGE_BROKER_TF_MIRROR;
  if (named) {
    if (has(named)) return named;
    throw new Error(`EDGE_BROKER_TF_MIRROR: ${named} has no ${PROVIDER} ${PROVIDER_VERSION}`);
  }
  const data = process.env.XDG_DATA_HOME || join(homedir(), '.local/share');
  return [
    '/opt/tf-plugins',
    join(homedir(), '.terraform.d/plugins'),
    join(data, 'terraform/plugins'),
    '/usr/local/share/terraform/plugins',
    '/usr/share/terraform/plugins',
  ].find(has);
}

/** The environment: what the user has set for Terraform or AWS does not count, nothing phones home. */
export function terraformEnvironment(dir, extra = {}) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(TF_|AWS_)/.test(name)));
  const mirror = providerMirror();
  const config = join(dir, 'terraform.rc');
  const installation = mirror
    ? `  filesystem_mirror {\n    path    = ${JSON.stringify(mirror)}\n    include = ["${PROVIDER}"]\n  }\n`
    : '  direct {}\n';
  writeFileSync(config, `disable_checkpoint = true\nprovider_installation {\n${installation}}\n`);
  return {
    ...env,
    NO_COLOR: '1',
    TF_CLI_CONFIG_FILE: config,
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    AWS_CONFIG_FILE: join(dir, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: join(dir, 'none'),
    AWS_EC2_METADATA_DISABLED: 'true',
    ...extra,
  };
}

/**
 * A copy of `aws/` (or of another workspace, with what is installed there) to work in. Returns `dir`, the copy, and
 * `tf(folder, ...args)`, which runs Terraform in that folder of it.
 */
export function workspace(dir, extraEnvironment, from = join(root, 'aws')) {
  const copy = join(dir, 'aws');
  mkdirSync(dir, { recursive: true });
  const installed = from !== join(root, 'aws');
  cpSync(from, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => installed || !/\/\.terraform|\.tfstate/.test(path) });
  const env = terraformEnvironment(dir, extraEnvironment);
  const tf = (folder, ...args) => run(terraform, args, { cwd: join(copy, folder), env });
  return { dir: copy, tf };
}

/**
 * `terraform init` with the provider. Undefined if that worked; where neither mirror nor registry has the provider, the
 * reason to skip. With a mirror there is no excuse: then a failure is an error.
 */
export async function installProvider({ tf }, folder) {
  const { code, stdout, stderr } = await tf(folder, 'init', '-input=false', '-no-color');
  if (code === 0) return undefined;
  if (!providerMirror() && /(could not (connect|query)|Failed to (query|install)|Client\.Timeout|no such host)/i.test(stderr)) {
    return (
      `the AWS provider ${PROVIDER_VERSION} is on no mirror here and the registry does not answer: ` +
      'set EDGE_BROKER_TF_MIRROR to a directory made by `terraform providers mirror`'
    );
  }
  throw new Error(`terraform init failed in ${folder}\n${stdout}\n${stderr}`);
}

let files = 0;

/** Writes values for `-var-file` beside the copy in `work` and returns the argument. Null is Terraform's null there. */
export function varFile(work, values) {
  const file = join(work.dir, '..', `values-${(files += 1)}.tfvars.json`);
  writeFileSync(file, JSON.stringify(values));
  return `-var-file=${file}`;
}
