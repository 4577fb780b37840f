import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import type { QueuedJobEvent } from "../../../client/src/index.js";
import { createEventDisplay } from "../../../src/demo/run-demo.js";

function eventOf(type: string, queuedJob: object): QueuedJobEvent {
  const base = { id: "1", progress: 0, progressMessage: null, error: null };
  const job = { name: "thumbnail" };
  return { type, queuedJob: { ...base, job, ...queuedJob } } as QueuedJobEvent;
}

describe("the event display", () => {
  it("writes a line per event without a terminal, and no control characters", () => {
    const out = new PassThrough();
    const display = createEventDisplay(out as unknown as NodeJS.WriteStream);
    display.show(eventOf("QUEUED", {}));
    display.show(eventOf("PROGRESS", { progress: 0.333, progressMessage: "320 of 1024 pixels" }));
    display.show(eventOf("RETRYING", { progress: 0.5, error: { message: "It failed once." } }));
    display.show(eventOf("SUCCEEDED", { progress: 1, job: { name: "metadata" } }));
    display.close();
    const lines = String(out.read()).split("\n");
    assert.deepEqual(lines, [
      "  thumbnail    QUEUED       0 %",
      "  thumbnail    PROGRESS    33 %  320 of 1024 pixels",
      "  thumbnail    RETRYING    50 %  It failed once.",
      "  metadata     SUCCEEDED  100 %",
      "",
    ]);
  });

  it("shows a bar per job on a terminal, below the steps, including the last one", () => {
    const out = Object.assign(new PassThrough(), {
      isTTY: true,
      columns: 100,
      rows: 30,
      cursorTo: () => true,
      moveCursor: () => true,
      clearScreenDown: () => true,
      clearLine: () => true,
    });
    const display = createEventDisplay(out as unknown as NodeJS.WriteStream);
    for (const name of ["thumbnail", "metadata"])
      display.show(eventOf("SUCCEEDED", { id: name, progress: 1, job: { name } }));
    display.close();
    const text = String(out.read());
    for (const name of ["thumbnail", "metadata"]) {
      assert.match(text, new RegExp(`  ${name} +SUCCEEDED +100 %\\n`));
      assert.match(text, new RegExp(`  ${name} +█+ 100 %  done`));
    }
  });
});
