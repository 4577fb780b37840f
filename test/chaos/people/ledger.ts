import type { GroupJob } from "./make-group.js";

/** An accepted submission, as its owner knows it. */
export interface Accepted {
  id: string;
  key: string;
  job: "echo" | "thumbnail";
  parameters: { message?: string; failAttempts?: number; failPermanently?: boolean };
  /** True without `runAt`: the job may start at once. */
  immediate: boolean;
  acceptedAt: number;
  /** "asked": a request to delete it may have had an effect. */
  deletion: "none" | "asked" | "answered";
}

/** An accepted group, as its owner knows it. */
export interface AcceptedGroup {
  id: string;
  jobs: GroupJob[];
  /** Ids of its QueuedJobs. */
  members: string[];
  acceptedAt: number;
  /** True if its owner has tried to cancel, retry or delete something of it. */
  touched: boolean;
  deletion: Accepted["deletion"];
}

/** Everything that the service has confirmed to a user. */
export interface Ledger {
  accepted: Map<string, Accepted>;
  groups: Map<string, AcceptedGroup>;
  /** Versions in responses. Each must be in the log, unless its QueuedJob is deleted. */
  shown: { id: string; version: number; status: string; by: string }[];
  /** Duration of each submission, including repeated requests. */
  accepts: { at: number; ms: number }[];
  /** Number of requests with an unknown outcome. */
  repeats: number;
}

export const createLedger = (): Ledger => ({
  accepted: new Map(),
  groups: new Map(),
  shown: [],
  accepts: [],
  repeats: 0,
});
