// What a parent and its child say to each other: plain JSON over the IPC channel. Paths and parameters travel, never
// the bytes of a photo.

import type { CarriedError } from "./carried-error.js";

export type ParentMessage =
  | { type: "run"; id: number; request: unknown }
  | { type: "abort"; id: number }
  /** What came of a question of the child's. */
  | { type: "answer"; question: number; outcome: { result: unknown } | { error: CarriedError } };

export type ChildMessage =
  | { type: "ready" }
  /** The child has the request in hand: from here on a death is this task's. */
  | { type: "begun"; id: number }
  | { type: "progress"; id: number; fraction: number; message?: string }
  /** The task wants to know something of its parent; questions are numbered by the child. */
  | { type: "ask"; id: number; question: number; name: string; argument: unknown }
  /** `rssBytes`: resident memory of the child when it had finished. */
  | { type: "done"; id: number; rssBytes: number; result: unknown }
  | { type: "failed"; id: number; rssBytes: number; error: CarriedError };
