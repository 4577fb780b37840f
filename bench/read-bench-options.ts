import { readCommandLine, type ValuesOf } from "../src/runtime/command-line.js";
import { FULL, QUICK, type Scale } from "./scale.js";
import type { Load } from "./simulate/plan.js";

export const WORKLOADS = [
  "W1",
  "W2",
  "W3",
  "W4",
  "W5",
  "W6",
  "W7",
  "W8",
  "W9",
  "start",
  "memory",
] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

/** Left out of a quick run unless selected, because their preparation takes too long. */
const NOT_QUICK: readonly WorkloadName[] = ["W5", "W9", "start"];

export interface BenchOptions {
  scale: Scale;
  only: ReadonlySet<WorkloadName>;
  /** File for the measurements of every round; null for none. */
  json: string | null;
  /** Folder for V8's profiles of the service; null for none. */
  profile: string | null;
  /** True to append the table to the results of the releases. */
  record: boolean;
  /** `check` compares the ratios with the accepted ones, `accept` replaces those. */
  thresholds: "check" | "accept" | null;
  /** Compare with peers, measure more processes, or only compute. */
  kind: "compare" | "scale" | "simulate";
  /** Loads to compute. */
  loads: Load[];
}

const OPTIONS = {
  quick: { type: "boolean", about: "Take under a minute; without W5, W9 and start." },
  rounds: { type: "string", value: "<number>", about: "Rounds of every workload." },
  only: { type: "string", value: "<names>", about: `Some of ${WORKLOADS.join(",")}.` },
  json: { type: "string", value: "<file>", about: "Write all measurements to this file." },
  profile: {
    type: "string",
    value: "<folder>",
    about: "Write CPU profiles of the service to this folder.",
  },
  record: { type: "boolean", about: "Append the table to bench/RESULTS.md." },
  check: {
    type: "boolean",
    about: "Fail if a ratio is more than 25 % worse than in bench/thresholds.json.",
  },
  accept: {
    type: "boolean",
    about: "Write the ratios to bench/thresholds.json; with --scale, the costs for --simulate.",
  },
  scale: { type: "boolean", about: "Measure W7 with 1, 2 and 4 API processes and workers." },
  simulate: { type: "boolean", about: "Print how many of what a load needs, by the model." },
  "jobs-per-second": { type: "string", value: "<number>", about: "The load of --simulate." },
  sockets: { type: "string", value: "<number>", about: "Open sockets; 10 per job/s by default." },
  "work-ms": { type: "string", value: "<number>", about: "CPU time of a job's own work; 0." },
} as const;

type Values = ValuesOf<typeof OPTIONS>;

export function readBenchOptions(): BenchOptions {
  return readCommandLine(
    {
      name: "npm run bench",
      about:
        "Measure the service and its peers on private stores, and print a table of ratios " +
        "with their goals.",
      options: OPTIONS,
      examples: [
        "--quick --rounds 3 --check",
        "--rounds 3 --only W1,W4",
        "--simulate --jobs-per-second 1000 --sockets 10000 --work-ms 100",
      ],
    },
    (values) => {
      const scale = values.quick ? QUICK : FULL;
      const rounds = values.rounds === undefined ? scale.rounds : Number(values.rounds);
      if (!Number.isInteger(rounds) || rounds < 1)
        throw new Error("--rounds must be a whole number from 1");
      if (values.check && values.accept) throw new Error("Give --check or --accept, not both");
      const thresholds = values.check ? "check" : null;
      return {
        scale: { ...scale, rounds },
        only: parseWorkloads(values.only, values.quick),
        json: values.json ?? null,
        profile: values.profile ?? null,
        record: values.record ?? false,
        thresholds: values.accept ? "accept" : thresholds,
        kind: parseKind(values),
        loads: parseLoads(values),
      };
    },
  );
}

function parseKind({ scale, simulate }: Values): BenchOptions["kind"] {
  if (scale && simulate) throw new Error("Give --scale or --simulate, not both");
  const other = simulate ? "simulate" : "compare";
  return scale ? "scale" : other;
}

/** Without a load, the table has four. */
function parseLoads(values: Values): Load[] {
  const numberOf = (name: "jobs-per-second" | "sockets" | "work-ms"): number | null => {
    const text = values[name];
    if (text === undefined) return null;
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || value < 0)
      throw new Error(`--${name} must be a number from 0`);
    return value;
  };
  const [rate, sockets, workMs] = [
    numberOf("jobs-per-second"),
    numberOf("sockets"),
    numberOf("work-ms") ?? 0,
  ];
  const rates = rate === null ? [100, 1000, 10_000, 100_000] : [rate];
  return rates.map((jobsPerSecond) => ({
    jobsPerSecond,
    sockets: sockets ?? 10 * jobsPerSecond,
    workMs,
  }));
}

function parseWorkloads(text: string | undefined, quick: boolean): ReadonlySet<WorkloadName> {
  const names =
    text?.split(",").map((name) => name.trim()) ??
    WORKLOADS.filter((name) => !quick || !NOT_QUICK.includes(name));
  const unknown = names.find((name) => !(WORKLOADS as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new Error(`--only takes names of ${WORKLOADS.join(", ")}; ${unknown} is unknown`);
  return new Set(names as WorkloadName[]);
}
