import { z } from "zod";
import { defineTask } from "../define-task.js";

const parameters = z.strictObject({
  message: z.json().optional().describe("Any JSON value; it is returned unchanged."),
  durationMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(0)
    .describe("Duration of the job in milliseconds."),
  steps: z
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .describe("Number of progress steps, evenly spread over the duration."),
  failAttempts: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe("Number of attempts that fail before one succeeds."),
  failPermanently: z
    .boolean()
    .default(false)
    .describe("Fail at the first attempt, without a retry."),
});

export type EchoParameters = z.output<typeof parameters>;

const result = z.object({
  message: z.json().describe("The message from the parameters; null when it was absent."),
  attempt: z.int().min(1).describe("Number of the attempt that succeeded."),
});

export const echo = defineTask({
  name: "echo",
  title: "Echo",
  description:
    "Returns its message after the requested duration and number of failures. For " +
    "checks, demos and benchmarks.",
  parameters,
  result,
  minPhotos: 0,
  maxPhotos: 0,
  maxAttempts: 3,
  timeoutMs: 660_000,
  runsIn: "worker",
  load: () => import("./run.js"),
});
