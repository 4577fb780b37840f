import { slope } from "../report/statistics.js";
import type { Sample } from "./take-sample.js";

/** One measured value: at rest before and after the load, and during it. */
export interface JudgedValue {
  name: string;
  start: number;
  end: number;
  most: number;
  /** Slope of the line through the samples under load. */
  perHour: number;
  verdict: "returned" | "KEPT RISING" | "DID NOT RETURN" | "TOO LATE";
}

export interface TimedSample {
  minutes: number;
  sample: Sample;
}

/**
 * Allowed growth, for filled caches, compiled code, memory that the allocator keeps, and additional
 * connections of a pool.
 */
const ALLOWED = {
  heap: { share: 0.15, more: 6 },
  memory: { share: 0.3, more: 30 },
  number: { share: 0.15, more: 8 },
  rows: { share: 0.15, more: 500 },
  late: { share: 0, more: 60 },
};
/** Seconds after which an expired row must be gone. */
const LATEST_SECONDS = 60;

function kindOf(name: string): keyof typeof ALLOWED {
  if (name.startsWith("rows: ")) return "rows";
  if (name.startsWith("late, s: ")) return "late";
  if (!name.endsWith("MB")) return "number";
  return name.includes("memory") ? "memory" : "heap";
}

export function judgeSoak({
  start,
  end,
  underLoad,
}: {
  start: Sample;
  end: Sample;
  underLoad: readonly TimedSample[];
}): JudgedValue[] {
  return Object.entries(start).map(([name, before]) => {
    const after = end[name] ?? Number.NaN;
    const points = underLoad.map(({ minutes, sample }) => ({
      x: minutes,
      y: sample[name] ?? Number.NaN,
    }));
    // Only the second half counts, because caches fill in the first half. Counts of sockets and
    // timers vary under load, so only their values at rest count.
    const late = points.slice(points.length >> 1);
    const perMinute = slope(late);
    const rise = perMinute * ((late.at(-1)?.x ?? 0) - (late[0]?.x ?? 0));
    const kind = kindOf(name);
    const { share, more } = ALLOWED[kind];
    const allowed = before * share + more;
    const most = Math.max(...points.map(({ y }) => y));
    // Tables have many rows under load, so their rise is compared with their maximum.
    const mayRise = kind === "rows" ? most * share + more : allowed;
    const verdict = verdictOf({
      kind,
      late: most > LATEST_SECONDS,
      returned: after <= before + allowed,
      rose: rise > mayRise,
    });
    return { name, start: before, end: after, most, perHour: perMinute * 60, verdict };
  });
}

function verdictOf({
  kind,
  late,
  returned,
  rose,
}: {
  kind: keyof typeof ALLOWED;
  late: boolean;
  returned: boolean;
  rose: boolean;
}): JudgedValue["verdict"] {
  if (kind === "late") return late ? "TOO LATE" : "returned";
  if (!returned) return "DID NOT RETURN";
  return rose && (kind === "heap" || kind === "rows") ? "KEPT RISING" : "returned";
}
