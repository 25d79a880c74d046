// The text of a workerd configuration: plain JavaScript values in, Cap'n Proto text out.
//
// Only the shapes that workerd.capnp needs: structs (objects), lists (arrays), text, numbers, booleans, and `embed(file)` for
// a module's content. Text may hold anything (a private JWK, a URL), so it is escaped here and nowhere else.

class Embed {
  constructor(file) {
    this.file = file;
  }
}

/** The content of `file`, named relative to the configuration's own folder. */
export const embed = (file) => new Embed(file);

/** A Cap'n Proto text literal. `JSON.stringify` will not do: Cap'n Proto has no `\u`. */
export function text(value) {
  const escaped = value.replace(/[\\"\u0000-\u001f\u007f]/g, (c) =>
    c === "\\" || c === '"' ? `\\${c}` : `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `"${escaped}"`;
}

/** One value as Cap'n Proto text. A member that is `undefined` is left out. */
export function literal(value) {
  if (value instanceof Embed) return `embed ${text(value.file)}`;
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  switch (typeof value) {
    case "string": return text(value);
    case "number":
    case "boolean": return String(value);
    case "object": {
      const members = Object.entries(value).filter(([, member]) => member !== undefined);
      return `(${members.map(([name, member]) => `${name} = ${literal(member)}`).join(", ")})`;
    }
    default: throw new TypeError(`no Cap'n Proto form for a ${typeof value}`);
  }
}

/** A whole configuration file with the one constant `config`. */
export const configFile = (config) =>
  `using Workerd = import "/workerd/workerd.capnp";\nconst config :Workerd.Config = ${literal(config)};\n`;
