/** Places where tests can make a process crash, hang or fail, directly after the named step. */
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
  | "clean-up: between the batches"
  | "operation: before the position"
  | "group: before the next wave";

type Handler = (name: FailpointName) => Promise<void>;

let handler: Handler | null = null;

/** Only tests call this. */
export function armFailpoints(armed: Handler): void {
  handler = armed;
}

export async function failpoint(name: FailpointName): Promise<void> {
  if (handler) await handler(name);
}
