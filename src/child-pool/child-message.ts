// The messages between a parent and its child: plain JSON over the IPC channel. They carry paths
// and parameters, never the bytes of a photo. The parent checks every message, because a child
// decodes untrusted bytes. A child loads no schemas: it imports only types from here.
import { z } from "zod";
import type { SerializedError } from "./serialized-error.js";

export type ParentMessage =
  | { type: "run"; id: number; request: unknown }
  | { type: "abort"; id: number }
  /** The parent's response to an `ask` message. */
  | { type: "answer"; question: number; outcome: { result: unknown } | { error: SerializedError } };

const id = z.int().positive();
/** Cut instead of rejected, because messages of libraries may be long. */
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
  /** The child has received the request: if it dies from now on, this task is the reason. */
  z.object({ type: z.literal("begun"), id }),
  z.object({ type: z.literal("progress"), id, fraction: z.number(), message: text.optional() }),
  /** A request from the task to its parent; the child numbers the questions. */
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
