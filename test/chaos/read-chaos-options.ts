import { readCommandLine } from "../../src/runtime/command-line.js";
import { readSeed } from "../support/runner/read-seed.js";
import { NO_PGBOUNCER } from "../support/stores/pgbouncer.js";
import { ENGINES, type Engine } from "./engines/chaos-redis.js";
import { STORAGE_KINDS, type StorageKind } from "./stored-files.js";

export interface ChaosOptions {
  minutes: number;
  seed: number;
  /** Text that the names of injected faults must contain. */
  only: string;
  /** Logged events per second, for all users together. */
  events: number;
  /** Retention of finished QueuedJobs and events in seconds; null for the service's default. */
  ttlSeconds: number | null;
  storage: StorageKind;
  engines: readonly Engine[];
  /** True to submit groups beside single jobs. */
  pipelines: boolean;
}

export function readChaosOptions(): ChaosOptions {
  return readCommandLine(
    {
      name: "npm run chaos",
      about:
        "Run the service on private stores under load, with a hostile user and injected faults. " +
        "Print which events were lost, repeated or out of order, and the latencies of others.",
      options: {
        minutes: {
          type: "string",
          value: "<number>",
          default: "1",
          about: "Length of the run, above 0.",
        },
        seed: { type: "string", value: "<number>", about: "Repeats the faults of an earlier run." },
        only: {
          type: "string",
          value: "<words>",
          default: "",
          about: "Inject only faults whose name contains this.",
        },
        events: {
          type: "string",
          value: "<number>",
          about: "Logged events per second; 40 if not given, with --pipelines 160.",
        },
        ttl: {
          type: "string",
          value: "<seconds>",
          about: "Retention of finished jobs and events, from 30.",
        },
        storage: {
          type: "string",
          value: "<kind>",
          default: "file",
          about: "file: a folder. s3: a private S3 server, with faults on the way to it.",
        },
        engines: {
          type: "string",
          value: "<list>",
          default: "",
          about: "Run behind pgbouncer, or on sentinel or cluster, with faults of their own.",
        },
        pipelines: { type: "boolean", about: "Submit groups of random graphs beside single jobs." },
      },
      examples: [
        "--minutes 5 --seed 42",
        "--minutes 10 --events 100 --ttl 60",
        "--pipelines --minutes 20",
        "--minutes 2 --storage s3",
        "--minutes 10 --engines pgbouncer,sentinel",
      ],
    },
    toOptions,
  );
}

interface Values {
  minutes: string;
  seed: string | undefined;
  only: string;
  events: string | undefined;
  ttl: string | undefined;
  storage: string;
  engines: string;
  pipelines: boolean;
}

/** Throws an Error whose message names the wrong option. */
function toOptions({ only, pipelines, ...values }: Values): ChaosOptions {
  const minutes = Number(values.minutes);
  const events = Number(values.events ?? (pipelines ? 160 : 40));
  const ttlSeconds = values.ttl === undefined ? null : Number(values.ttl);
  if (!(minutes > 0 && minutes <= 24 * 60))
    throw new Error("--minutes must be a number above 0, at most 1440");
  if (!(events > 0 && events <= 1000))
    throw new Error("--events must be a number above 0, at most 1000");
  if (ttlSeconds !== null && !(Number.isSafeInteger(ttlSeconds) && ttlSeconds >= 30))
    throw new Error("--ttl must be a whole number of seconds from 30");
  const storage = STORAGE_KINDS.find((kind) => kind === values.storage);
  if (!storage) throw new Error(`--storage must be one of ${STORAGE_KINDS.join(", ")}`);
  const engines = readEngines(values.engines);
  return {
    minutes,
    seed: readSeed(values.seed),
    only,
    events,
    ttlSeconds,
    storage,
    engines,
    pipelines,
  };
}

function readEngines(list: string): Engine[] {
  const names = list.split(",").filter((name) => name !== "");
  const engines = ENGINES.filter((engine) => names.includes(engine));
  if (engines.length < names.length || (names.includes("sentinel") && names.includes("cluster")))
    throw new Error(`--engines must be of ${ENGINES.join(", ")}; sentinel or cluster, not both`);
  if (names.includes("pgbouncer") && NO_PGBOUNCER) throw new Error(NO_PGBOUNCER);
  return engines;
}
