/** Where tests may make a process crash, hang or fail: right behind what the name says. */
export type FailpointName =
  | "accept: before the statement"
  | "accept: after the commit"
  | "step: after the commit"
  | "work: after the claim"
  | "work: after the outputs are stored"
  | "work: before the outcome is recorded"
  | "work: after the outcome is recorded"
  | "delete: before the files go"
  | "upload: before the row"
  | "reconcile: before the hints"
  | "clean-up: between the batches";

type Handler = (name: FailpointName) => Promise<void>;

let handler: Handler | null = null;

/** Called by tests alone; nothing in the service arms a failpoint. */
export function armFailpoints(armed: Handler): void {
  handler = armed;
}

/** Does nothing, unless a test has armed it. */
export async function failpoint(name: FailpointName): Promise<void> {
  if (handler) await handler(name);
}
