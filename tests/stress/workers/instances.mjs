// The instances of the worker's wasm, seen from outside. In place before the worker's own modules are evaluated.

let memory;
let count = 0;
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(...parameters) {
    super(...parameters);
    count += 1;
    ({ memory } = this.exports);
  }
};

/** How many instances there were, and the size of the last one's memory in bytes. */
export const wasm = () => ({ instances: count, memory: memory.buffer.byteLength });

/** Fills the memory of the running instance with what is no state of a program: its next step traps. */
export function breakMemory() {
  new Uint8Array(memory.buffer).fill(0xff);
}
