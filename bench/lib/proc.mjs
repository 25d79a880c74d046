// The operating system's account of one process: CPU time and peak memory, from Linux's /proc (proc(5)).

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const TICK_MICROSECONDS = 1e6 / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** User and system time that `pid` and all its threads have used so far, in microseconds (10 ms steps on most systems). */
export function cpuMicroseconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is a name in parentheses that may hold anything; the third starts after the last ")".
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [utime, stime] = [fields[11], fields[12]];
  return (Number(utime) + Number(stime)) * TICK_MICROSECONDS;
}

/** The most memory that `pid` has had resident so far, in bytes. */
export const peakResidentBytes = (pid) => status(pid, "VmHWM");

/** The memory that `pid` has resident now, in bytes. */
export const residentBytes = (pid) => status(pid, "VmRSS");

function status(pid, name) {
  const [, kibibytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  if (kibibytes === undefined) throw new Error(`this system's /proc has no ${name}; this needs Linux`);
  return Number(kibibytes) * 1024;
}
