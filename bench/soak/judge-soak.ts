import { slope } from "../report/statistics.js";
import type { Sample } from "./take-sample.js";

/** What one figure did: at rest before, at rest afterwards, and in between. */
export interface JudgedFigure {
  name: string;
  start: number;
  end: number;
  most: number;
  /** By the line through the samples under load. */
  perHour: number;
  verdict: "returned" | "KEPT RISING" | "DID NOT RETURN" | "TOO LATE";
}

export interface TimedSample {
  minutes: number;
  sample: Sample;
}

/**
 * What may be more at the end: caches that filled, code that was compiled, what an allocator keeps,
 * connections of a pool that had not been needed before.
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
}): JudgedFigure[] {
  return Object.entries(start).map(([name, before]) => {
    const after = end[name] ?? Number.NaN;
    const points = underLoad.map(({ minutes, sample }) => ({
      x: minutes,
      y: sample[name] ?? Number.NaN,
    }));
    // By the second half: in the first one caches fill. Numbers go up and down with who is
    // connected, and only rest shows.
    const late = points.slice(points.length >> 1);
    const perMinute = slope(late);
    const rise = perMinute * ((late.at(-1)?.x ?? 0) - (late[0]?.x ?? 0));
    const kind = kindOf(name);
    const { share, more } = ALLOWED[kind];
    const allowed = before * share + more;
    const most = Math.max(...points.map(({ y }) => y));
    // Rows are many while there is load, so their rise is held against how many there are then.
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
}): JudgedFigure["verdict"] {
  if (kind === "late") return late ? "TOO LATE" : "returned";
  if (!returned) return "DID NOT RETURN";
  return rose && (kind === "heap" || kind === "rows") ? "KEPT RISING" : "returned";
}
