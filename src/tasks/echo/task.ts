import { z } from "zod";
import { defineTask } from "../define-task.js";

const parameters = z.strictObject({
  message: z.json().optional().describe("Any JSON; comes back as it is."),
  durationMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(0)
    .describe("How long it takes, in milliseconds."),
  steps: z
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .describe("Progress steps, spread evenly over the duration."),
  failAttempts: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe("How many attempts fail before one succeeds."),
  failPermanently: z.boolean().default(false).describe("Fail for good at the first attempt."),
});

export type EchoParameters = z.output<typeof parameters>;

const result = z.object({
  message: z.json().describe("The message that came in; null when there was none."),
  attempt: z.int().min(1).describe("The attempt that succeeded."),
});

export const echo = defineTask({
  name: "echo",
  title: "Echo",
  description:
    "Gives back what it is given, as slowly and with as many failures as asked for. For " +
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
