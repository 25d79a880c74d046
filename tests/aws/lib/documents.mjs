// Reads the code blocks of a Markdown page, YAML, and CEL expressions. The last two through Python: see requirements.in.

import { python } from './moto.mjs';
import { run } from './run.mjs';

/** The page's code blocks: `{ language, name, code }`; what follows the language on the fence's line is the name. */
export function codeBlocks(page) {
  return [...page.matchAll(/^( *)```(\w+)(?: +(\S+))?\n(.*?)^\1```$/gms)].map(([, indent, language, name, code]) => ({
    language,
    name,
    code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

const YAML = `
import json, sys, yaml
json.dump(list(yaml.safe_load_all(sys.stdin)), sys.stdout)
`;

/** Every document of a YAML text. */
export async function parseYaml(text) {
  const { stdout } = await run(python, ['-c', YAML], { input: text, check: true });
  return JSON.parse(stdout);
}

const CEL = `
import json, sys
import celpy, celpy.adapter, celpy.celtypes
environment = celpy.Environment()
answers = []
for expression, variables in json.load(sys.stdin):
    try:
        program = environment.program(environment.compile(expression))
        activation = {name: celpy.adapter.json_to_cel(value) for name, value in variables.items()}
        answers.append({"value": json.loads(json.dumps(program.evaluate(activation), cls=celpy.adapter.CELJSONEncoder))})
    except (celpy.CELParseError, celpy.CELEvalError) as error:
        answers.append({"error": type(error).__name__})
json.dump(answers, sys.stdout)
`;

/** Evaluates `[expression, variables]` pairs: for each its value, or `{ error }` where it does not parse or evaluate. */
export async function evaluateCel(pairs) {
  const { stdout } = await run(python, ['-c', CEL], { input: JSON.stringify(pairs), check: true });
  return JSON.parse(stdout).map(({ error, value }) => (error ? { error } : value));
}
