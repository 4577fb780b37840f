// The reconciler while a part of its work fails.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { eventually } from "../../support/runner/eventually.js";
import { createReconcilerScene, type ReconcilerScene } from "./reconciler-scene.js";

describe("the reconciler", () => {
  let scene: ReconcilerScene;
  before(async () => {
    scene = await createReconcilerScene();
  });
  beforeEach(() => scene.core.database.sql`delete from duties`);
  afterEach(() => scene.closeReconcilers());
  after(() => scene.close());

  it("restores hints although attempts cannot be taken over, and the other way round", async () => {
    const lines: { msg: string }[] = [];
    const log = createLoggerTo({
      write: (line) => void lines.push(JSON.parse(line) as { msg: string }),
    });
    const calls = { lapsed: 0, due: 0 };
    const reconciler = scene.open(
      "w",
      {
        takeOverLapsed: async () =>
          calls.lapsed++ === 0 ? Promise.reject(new Error("a poisoned row")) : 0,
        async hintDue(sweep) {
          if (calls.due++ === 1) throw new Error("another one");
          sweep.pass([], 1);
          return 0;
        },
      },
      600_000,
      log,
    );
    await eventually("both were tried", () => calls.due >= 1);
    reconciler.hurry();
    await eventually("both were tried again", () => calls.due >= 2);
    reconciler.hurry();
    await eventually("and once more", () => calls.lapsed === 3);
    await reconciler.close();
    assert.deepEqual(
      [calls.lapsed, lines.map(({ msg }) => msg)],
      [3, ["the reconciler failed", "the reconciler failed"]],
    );
  });

  it("logs once, after three failures in a row, that it keeps trying", async () => {
    const lines: { level: number; msg: string }[] = [];
    const log = createLoggerTo({
      write: (line) => void lines.push(JSON.parse(line) as { level: number; msg: string }),
    });
    let tries = 0;
    const reconciler = scene.open(
      "w",
      {
        takeOverLapsed: async () => 0,
        async hintDue(sweep) {
          if (++tries < 6) throw new ServiceUnavailableError("The database does not answer.");
          sweep.pass([], 1);
          return 0;
        },
      },
      5,
      log,
    );
    await eventually("it has tried often", () => tries > 8);
    await reconciler.close();
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [[50, "the reconciler failed 3 times in a row; it keeps trying"]],
    );
  });

  it("logs a fault and continues, and retries soon after an outage", async () => {
    const lines: { level: number; msg: string }[] = [];
    const log = createLoggerTo({
      write: (line) => void lines.push(JSON.parse(line) as { level: number; msg: string }),
    });
    const faults = [new TypeError("a bug"), new ServiceUnavailableError("Redis is away.")];
    let passes = 0;
    const reconciler = scene.open(
      "w",
      {
        takeOverLapsed: async () => {
          const fault = faults[passes++];
          if (fault) throw fault;
          return 0;
        },
      },
      600_000,
      log,
    );
    await eventually("the fault is logged", () => lines.length === 1);
    reconciler.hurry();
    await eventually("it runs again by itself", () => passes === 3);
    await reconciler.close();
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [[50, "the reconciler failed"]],
    );
  });
});
