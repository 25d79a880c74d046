// A result as text: one line per figure, under the name of its subject.

/** The lines of a run's result. */
export function lines({ date, seed, processors, loadBefore, versions, subjects }) {
  const head = `${date}  seed ${seed}  ${processors} processors, load ${loadBefore.join(" ")}  workerd ${versions.workerd}, node ${versions.node}`;
  return [head, ...Object.entries(subjects).flatMap(([name, { held, ...figures }]) => ["", `${name}: ${held ? "held" : "NOT HELD"}`, ...flat(figures)])];
}

function flat(value, path = []) {
  if (Array.isArray(value) && value.some((item) => typeof item === "object")) {
    return value.map((item) => `  ${path.join(" ")}: ${Object.entries(item).map(([name, figure]) => `${name} ${figure}`).join(", ")}`);
  }
  if (typeof value === "object" && !Array.isArray(value)) return Object.entries(value).flatMap(([name, inner]) => flat(inner, [...path, name]));
  return [`  ${path.join(" ")}: ${Array.isArray(value) ? value.join(", ") : value}`];
}
