import type { Answer } from "../../test/chaos/people/api-client.js";

/** Counts of the service's responses. */
export interface Tally {
  answers: number;
  /** Responses that ask to try again, because the machine is too busy. */
  unavailable: number;
  uploads: number;
  events: number;
  connections: number;
  /** Number of unexpected outcomes, by sentence. */
  wrong: Map<string, number>;
  count(answer: Answer<unknown>): void;
  expectRefusal(answer: Answer<unknown>): void;
  /** Counts a failed upload. */
  countFailure(error: string): void;
  complain(sentence: string): void;
}

export function createTally(): Tally {
  const tally: Tally = {
    answers: 0,
    unavailable: 0,
    uploads: 0,
    events: 0,
    connections: 0,
    wrong: new Map(),
    count(answer) {
      tally.answers++;
      if (answer.kind === "refused")
        tally.complain(`refused with ${answer.code}: ${answer.message}`);
      if (answer.kind === "unknown") tally.unavailable++;
    },
    expectRefusal(answer) {
      tally.answers++;
      if (answer.kind === "unknown") tally.unavailable++;
      else if (answer.kind === "data") tally.complain("an invalid request succeeded");
    },
    countFailure(error) {
      if (error.includes("SERVICE_UNAVAILABLE")) tally.unavailable++;
      else tally.complain(error);
    },
    complain: (sentence) => void tally.wrong.set(sentence, (tally.wrong.get(sentence) ?? 0) + 1),
  };
  return tally;
}
