import { channel } from "node:diagnostics_channel";

/** `full`: too many waited already. `waited`: it had waited for too long. */
export interface Refusal {
  what: "statement" | "batch";
  why: "full" | "waited";
}

const refusals = channel("photo-service:refusals");

export function reportRefusal(refusal: Refusal): void {
  refusals.publish(refusal);
}

/** Calls back for each refusal of this process. */
export function onRefusal(listener: (refusal: Refusal) => void): void {
  refusals.subscribe((message) => listener(message as Refusal));
}
