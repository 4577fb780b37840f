/** What its owner knows of a QueuedJob whose submission was answered. */
export interface Accepted {
  id: string;
  key: string;
  job: "echo" | "thumbnail";
  parameters: { message?: string; failAttempts?: number; failPermanently?: boolean };
  /** Without `runAt`: it may begin at once. */
  immediate: boolean;
  acceptedAt: number;
  /** Asked: some request to delete it may have had its effect. */
  deletion: "none" | "asked" | "answered";
}

/** Everything that the service has said yes to. */
export interface Ledger {
  accepted: Map<string, Accepted>;
  /** Versions that an answer has shown: each must stand in the log, or its QueuedJob be deleted. */
  shown: { id: string; version: number; status: string; by: string }[];
  /** How long submissions took until they were answered, their repeats included. */
  accepts: { at: number; ms: number }[];
  /** Requests that were sent more than once. */
  repeats: number;
}

export const createLedger = (): Ledger => ({
  accepted: new Map(),
  shown: [],
  accepts: [],
  repeats: 0,
});
