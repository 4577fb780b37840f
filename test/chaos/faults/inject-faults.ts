import { setTimeout as pause } from "node:timers/promises";
import type { Component, Fault } from "./faults.js";
import type { SeededRandom } from "../../support/runner/seeded-random.js";
import type { Violations } from "../checks/violations.js";

export interface Injected {
  kind: string;
  beganAt: number;
  /** Time at which the component was available again. */
  endedAt: number;
}

const PAUSE_MS = [1000, 4000] as const;

/**
 * Injects one fault at a time, with pauses, until the signal. The components take turns, each with
 * its faults in random order, so that even a short run covers all components.
 */
export async function injectFaults(options: {
  faults: Fault[];
  random: SeededRandom;
  violations: Violations;
  stop: AbortSignal;
  onFault: (fault: Injected) => void;
}): Promise<void> {
  const { faults, random, violations, stop, onFault } = options;
  const decks = new Map<Component, Fault[]>();
  let turn: Component[] = [];

  function next(): Fault {
    if (turn.length === 0)
      turn = random.shuffled([...new Set(faults.map(({ component }) => component))]);
    const component = turn.pop() as Component;
    const deck = decks.get(component) ?? [];
    if (deck.length === 0)
      deck.push(...random.shuffled(faults.filter((fault) => fault.component === component)));
    decks.set(component, deck);
    return deck.pop() as Fault;
  }

  if (faults.length === 0) return untilAborted(stop);
  while (!stop.aborted) {
    await pause(random.int(...PAUSE_MS), undefined, { signal: stop }).catch(() => {});
    if (stop.aborted) return;
    const { kind, inject } = next();
    const beganAt = Date.now();
    await inject().catch((error: unknown) =>
      violations.add("other", `"${kind}" could not be injected: ${String(error)}`),
    );
    onFault({ kind, beganAt, endedAt: Date.now() });
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
