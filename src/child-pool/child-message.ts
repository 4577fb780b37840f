// What a parent and its child say to each other: plain JSON over the IPC channel. Paths and
// parameters travel, never the bytes of a photo. The parent checks all that a child says, since a
// child decodes strangers' bytes. A child loads no schemas: it imports only types from here.
import { z } from "zod";
import type { SerializedError } from "./serialized-error.js";

export type ParentMessage =
  | { type: "run"; id: number; request: unknown }
  | { type: "abort"; id: number }
  /** What came of a question of the child's. */
  | { type: "answer"; question: number; outcome: { result: unknown } | { error: SerializedError } };

const id = z.int().positive();
/** Cut, not refused: messages of libraries may be long. */
const text = z.string().transform((whole) => whole.slice(0, 10_000));
const rssBytes = z.number().nonnegative();
const kinds = [
  "PhotoUnreadableError",
  "PhotoTooLargeError",
  "PermanentTaskError",
  "TaskFailedError",
  "ServiceUnavailableError",
  "Error",
] as const satisfies SerializedError["kind"][];
const error = z.object({
  kind: z.enum(kinds),
  code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/)
    .nullable(),
  message: text,
  stack: text.nullable(),
});

export const childMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  /** The child has the request in hand: from here on a death is this task's. */
  z.object({ type: z.literal("begun"), id }),
  z.object({ type: z.literal("progress"), id, fraction: z.number(), message: text.optional() }),
  /** The task wants to know something of its parent; questions are numbered by the child. */
  z.object({
    type: z.literal("ask"),
    id,
    question: z.int(),
    name: text,
    argument: z.unknown().optional(),
  }),
  /** `rssBytes`: resident memory of the child when it had finished. */
  z.object({ type: z.literal("done"), id, rssBytes, result: z.unknown().optional() }),
  z.object({ type: z.literal("failed"), id, rssBytes, error }),
]);

export type ChildMessage = z.infer<typeof childMessage>;
