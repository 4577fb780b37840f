import { channel } from "node:diagnostics_channel";

/** `full`: too many were waiting already. `waited`: it had waited too long. */
export interface Refusal {
  what: "statement" | "batch";
  why: "full" | "waited";
}

const refusals = channel("photo-service:refusals");

export function reportRefusal(refusal: Refusal): void {
  refusals.publish(refusal);
}

/** Calls `listener` for each refusal in this process. */
export function onRefusal(listener: (refusal: Refusal) => void): void {
  refusals.subscribe((message) => listener(message as Refusal));
}
