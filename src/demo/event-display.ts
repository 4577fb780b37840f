import { MultiBar, Presets } from "cli-progress";
import type { DemoEvent } from "./demo-client.js";

export interface EventDisplay {
  show(event: DemoEvent): void;
  close(): void;
}

/** A bar for each job and a line for each step; on a pipe the lines alone. */
export function createEventDisplay(out: NodeJS.WriteStream): EventDisplay {
  const bars = out.isTTY
    ? new MultiBar(
        {
          format: "  {name} {bar} {percentage} %  {message}",
          hideCursor: true,
          stream: out,
          clearOnComplete: false,
          barsize: 24,
        },
        Presets.shades_classic,
      )
    : null;
  const barOf = new Map<string, ReturnType<MultiBar["create"]>>();

  return {
    show({ type, queuedJob: { id, job, progress, progressMessage, error } }) {
      const line = `  ${job.name.padEnd(12)} ${type.padEnd(10)} ${Math.round(progress * 100)
        .toString()
        .padStart(3)} %  ${error?.message ?? progressMessage ?? ""}`.trimEnd();
      if (!bars) return void out.write(`${line}\n`);
      if (type !== "PROGRESS") bars.log(`${line}\n`);
      const bar = barOf.get(id) ?? bars.create(100, 0);
      barOf.set(id, bar);
      bar.update(Math.round(progress * 100), {
        name: job.name.padEnd(12),
        message: type === "SUCCEEDED" ? "done" : (error?.message ?? progressMessage ?? ""),
      });
    },
    close() {
      // What was said last waits for the next time the bars are drawn.
      bars?.update();
      bars?.stop();
    },
  };
}
