#!/usr/bin/env node
// A double of `wrangler kv` for the namespace of a broker under test: it hands each command on to the URL in KV_URL, which
// lib/kv.mjs serves. What the tool stores is then what the broker reads.

import { readFileSync } from 'node:fs';

const [, , kind, ...rest] = process.argv;
const command = [kind, ...rest.slice(0, 2)].join(' ');
const content = kind === 'kv' && rest[0] === 'bulk' ? JSON.parse(readFileSync(rest[2], 'utf8')) : undefined;
const prefix = rest.find((argument) => argument.startsWith('--prefix='))?.slice('--prefix='.length);
const answer = await fetch(process.env.KV_URL, { method: 'POST', body: JSON.stringify({ command, content, prefix }) });
if (!answer.ok) process.exit(1);
process.stdout.write(await answer.text());
