// The places of the release wasm that can panic: every one passes a `core::panic::Location` to the panic handler, and the
// locations are constants in the data of the module (file, its length, line, column: four little-endian words).
import { readFileSync } from "node:fs";

/** The built wasm, before wrangler gives it another name. */
const WASM = new URL("../../../build/wasm/broker_bg.wasm", import.meta.url);

/** Every place, as `{ file, line, column }`, without repetitions. */
export function panicSites(bytes = readFileSync(WASM)) {
  const segments = dataSegments(bytes);
  const text = (address, length) => {
    const segment = segments.find(({ start, data }) => start <= address && address + length <= start + data.length);
    return segment?.data.subarray(address - segment.start, address - segment.start + length).toString("latin1");
  };
  const sites = new Map();
  for (const { start, data } of segments) {
    // Locations are aligned to words in memory.
    for (let at = (4 - (start % 4)) % 4; at + 16 <= data.length; at += 4) {
      const [address, length, line, column] = [0, 4, 8, 12].map((word) => data.readUInt32LE(at + word));
      if (length < 4 || length > 200 || line === 0 || line > 100_000 || column === 0 || column > 1_000) continue;
      const file = text(address, length);
      if (file !== undefined && /^[\x21-\x7e]+\.rs$/.test(file)) sites.set(`${file}:${line}:${column}`, { file, line, column });
    }
  }
  return [...sites.values()];
}

/** The active data segments of a module (WebAssembly core, §5.5.14), with their addresses. */
function dataSegments(bytes) {
  let at = 8;
  const unsigned = () => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
      shift += 7;
    }
  };
  const segments = [];
  while (at < bytes.length) {
    const section = bytes[at++];
    const end = unsigned() + at;
    if (section === 11) {
      for (let count = unsigned(); count > 0; count -= 1) {
        const kind = unsigned();
        if (kind === 2) unsigned(); // the memory's index
        let start;
        if (kind !== 1) {
          if (bytes[at++] !== 0x41) throw new Error("a data segment whose address is no constant");
          start = unsigned();
          if (bytes[at++] !== 0x0b) throw new Error("a data segment whose address is no constant");
        }
        const length = unsigned();
        if (start !== undefined) segments.push({ start, data: bytes.subarray(at, at + length) });
        at += length;
      }
    }
    at = end;
  }
  return segments;
}
