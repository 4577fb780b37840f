import type { Scale } from "../scale.js";
import type { WorkloadName } from "../read-bench-options.js";
import { SHAPES, type ShapeName } from "../workloads/group-shapes.js";

/** A measure of a contestant. */
export interface Subject {
  measure: string;
  of: string;
}

/** A line of the table: the ratio of the service to a peer, or one number, with its goals. */
export interface Goal {
  workload: WorkloadName;
  title: string;
  ours: Subject;
  /** Null if the number itself is judged. */
  peer: Subject | null;
  less?: true;
  floor?: number;
  goal?: number;
  beyond?: number;
}

export const SERVICE = "the service";
export const NAIVE = "naive";
export const RAW_BULLMQ = "raw BullMQ";
export const BARE = "bare";
export const FLOWS = "BullMQ flows";
export const MUCH_HISTORY = "the service, long history";
export const LITTLE_HISTORY = "the service, short history";

export const crowdMeasure = (users: number, what: string) => `${grouped(users)} users: ${what}`;
export const groupMeasure = (shape: ShapeName | "plain") => `${shape} jobs completed/s`;

export const fanOutMeasure = (mode: "one feed" | "own feeds", sockets: number, what: string) =>
  `${mode}, ${sockets} sockets: ${what}`;

/**
 * The goals of the service. A line without numbers is only for information: CPU time is the most
 * stable measurement on a busy machine.
 */
export function goalsOf(scale: Scale): Goal[] {
  const { few, many } = scale.history;
  return [
    beside(NAIVE, "W1", "completed and delivered/s", { floor: 5, goal: 6, beyond: 10 }),
    beside(RAW_BULLMQ, "W1", "completed and delivered/s", { floor: 0.25, goal: 0.3, beyond: 0.5 }),
    beside(NAIVE, "W1", "CPU ms/job", { less: true, floor: 0.25, goal: 0.15, beyond: 0.1 }),
    beside(NAIVE, "W1", "accept p99 ms", { less: true, floor: 0.3, goal: 0.2, beyond: 0.1 }),
    beside(NAIVE, "W2", "completed p50 ms", { less: true, floor: 0.7, goal: 0.5 }),
    beside(RAW_BULLMQ, "W2", "completed p50 ms", { less: true, floor: 4, goal: 2.5, beyond: 2 }),
    beside(NAIVE, "W2", "completed p99 ms", { less: true, floor: 0.7, goal: 0.5 }),
    ...scale.fanOut.sockets.flatMap(fanOutGoals),
    ...flatCostGoals(scale.fanOut.sockets),
    beside(NAIVE, "W4", "page req/s", { floor: 2.5, goal: 4 }),
    beside(BARE, "W4", "page req/s", { floor: 0.85, goal: 0.95 }),
    beside(NAIVE, "W4", "CPU ms/req", { less: true, floor: 0.4, goal: 0.2 }),
    besideItself("W5", "page req/s", `at ${grouped(many)} / ${grouped(few)} rows`, {
      floor: 0.95,
      goal: 0.98,
    }),
    besideItself("W5", "accepted/s", `at ${grouped(many)} / ${grouped(few)} rows`, {
      floor: 0.95,
      goal: 0.98,
    }),
    besideItself("W5", "CPU ms/req", `at ${grouped(many)} / ${grouped(few)} rows`, { less: true }),
    besideItself("W5", "CPU ms/job", `at ${grouped(many)} / ${grouped(few)} rows`, { less: true }),
    beside(NAIVE, "W6", "thumbnails/s", { floor: 1.4, goal: 1.6 }),
    beside(BARE, "W6", "thumbnails/s", { floor: 0.85, goal: 0.92, beyond: 0.97 }),
    ...crowdGoals(scale.crowds),
    beside(BARE, "W8", "images/s", { floor: 0.8, goal: 0.9 }),
    ...(Object.keys(SHAPES) as ShapeName[]).flatMap(groupGoals),
    alone("start", "npm start to ready, s", { floor: 1.5, goal: 1.2 }),
    alone("memory", "API idle, MB", { floor: 130, goal: 110 }),
    alone("memory", "worker idle, MB", { floor: 110, goal: 90 }),
  ];
}

/** Many users must cost no more than one. */
function crowdGoals({ few, many }: Scale["crowds"]): Goal[] {
  const besideOne = (users: number, what: string, targets: Targets): Goal => ({
    workload: "W7",
    title: `${crowdMeasure(users, what)} / one user`,
    ours: { measure: crowdMeasure(users, what), of: SERVICE },
    peer: { measure: what, of: SERVICE },
    ...targets,
  });
  const [rate, cost] = ["completed and delivered/s", "CPU ms/job"] as const;
  // Each event costs the naive server a look at every subscriber.
  const large = many >= 2000;
  return [
    besideOne(few, rate, { floor: 0.9, goal: 1 }),
    beside(
      NAIVE,
      "W7",
      crowdMeasure(many, rate),
      large ? { floor: 40, goal: 60 } : { floor: 4, goal: 8 },
    ),
    besideOne(many, cost, { less: true, floor: 1.3, goal: 1.1 }),
  ];
}

function fanOutGoals(sockets: number): Goal[] {
  const large = sockets >= 5000;
  const [oneFeed, ownFeeds] = (["one feed", "own feeds"] as const).map(
    (mode) => (what: string) => fanOutMeasure(mode, sockets, what),
  ) as [(what: string) => string, (what: string) => string];
  return [
    beside(
      NAIVE,
      "W3",
      oneFeed("deliveries/s"),
      large ? { floor: 6, goal: 10 } : { floor: 3, goal: 5 },
    ),
    beside(BARE, "W3", oneFeed("deliveries/s"), { floor: 0.65, goal: 0.8 }),
    beside(NAIVE, "W3", oneFeed("API CPU µs/delivery"), { less: true }),
    beside(
      NAIVE,
      "W3",
      ownFeeds("deliveries/s"),
      large ? { floor: 30, goal: 50 } : { floor: 6, goal: 10 },
    ),
    alone("W3", ownFeeds("API CPU µs/delivery"), { floor: 300, goal: 150 }),
    alone("W3", ownFeeds("KB/subscription"), { floor: 30, goal: 20, beyond: 12 }),
  ];
}

/** A job of a group costs about as much as a single one. */
function groupGoals(shape: ShapeName): Goal[] {
  const measure = groupMeasure(shape);
  return [
    {
      workload: "W9",
      title: `groups: ${measure} / single jobs`,
      ours: { measure, of: SERVICE },
      peer: { measure: groupMeasure("plain"), of: SERVICE },
      floor: 0.8,
      goal: 1,
    },
    ...(shape === "mixed" ? [] : [beside(FLOWS, "W9", measure, {})]),
  ];
}

/** The cost of a delivery must not depend on the number of other users' sockets. */
function flatCostGoals(sockets: readonly number[]): Goal[] {
  const [few, many] = [Math.min(...sockets), Math.max(...sockets)];
  if (few === many) return [];
  const at = (count: number): Subject => ({
    measure: fanOutMeasure("own feeds", count, "API CPU µs/delivery"),
    of: SERVICE,
  });
  return [
    {
      workload: "W3",
      title: `own feeds: API CPU/delivery at ${grouped(many)} / ${grouped(few)} sockets`,
      ours: at(many),
      peer: at(few),
      less: true,
      floor: 1.5,
      goal: 1.1,
    },
  ];
}

type Targets = Pick<Goal, "less" | "floor" | "goal" | "beyond">;

function beside(peer: string, workload: WorkloadName, measure: string, targets: Targets): Goal {
  return {
    workload,
    title: `${measure} / ${peer}`,
    ours: { measure, of: SERVICE },
    peer: { measure, of: peer },
    ...targets,
  };
}

function besideItself(
  workload: WorkloadName,
  measure: string,
  how: string,
  targets: Targets,
): Goal {
  return {
    workload,
    title: `${measure} ${how}`,
    ours: { measure, of: MUCH_HISTORY },
    peer: { measure, of: LITTLE_HISTORY },
    ...targets,
  };
}

function alone(workload: WorkloadName, measure: string, targets: Targets): Goal {
  return {
    workload,
    title: measure,
    ours: { measure, of: SERVICE },
    peer: null,
    less: true,
    ...targets,
  };
}

function grouped(count: number): string {
  return count.toLocaleString("en");
}
