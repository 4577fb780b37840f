// The range of a sweep for lost hints, and its restart.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { DueSweep } from "../../../src/services/queued-jobs/maintenance.js";
import { eventually } from "../../support/runner/eventually.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createReconcilerScene, type ReconcilerScene } from "./reconciler-scene.js";

describe("the reconciler", () => {
  let scene: ReconcilerScene;
  before(async () => {
    scene = await createReconcilerScene();
  });
  beforeEach(() => scene.core.database.sql`delete from duties`);
  afterEach(() => scene.closeReconcilers());
  after(() => scene.close());

  const recent: DueSweep[] = [];
  /** Ends a sweep of the recent rows. */
  function isRecent(sweep: DueSweep): boolean {
    if (sweep.sinceMs === null) return false;
    recent.push(sweep);
    sweep.pass([], 1);
    return true;
  }

  it("runs again at once while hints are missing, else continues its sweep", async () => {
    const sweeps: DueSweep[] = [];
    const reconciler = scene.open(
      "w",
      {
        takeOverLapsed: async () => 0,
        async hintDue(sweep) {
          if (isRecent(sweep)) return 0;
          sweeps.push(sweep);
          sweep.pass([], sweeps.length === 4 ? 1 : 0);
          return sweeps.length < 3 ? 1 : 0;
        },
      },
      600_000,
      silentLog,
      0,
    );
    // Each page takes the whole time of a pass.
    for (const pages of [3, 4, 5]) {
      await eventually(`${pages} pages are passed`, () => sweeps.length === pages, 5000);
      reconciler.hurry();
    }
    await reconciler.close();
    assert.deepEqual(sweeps.map((sweep) => sweeps.indexOf(sweep)).slice(0, 5), [0, 0, 0, 0, 4]);
    assert.ok(recent.length >= 3, "recent rows are checked in each of these passes");
  });

  it("runs again at once while hints of recent rows are missing", async () => {
    let pages = 0;
    const reconciler = scene.open(
      "w",
      {
        takeOverLapsed: async () => 0,
        async hintDue(sweep) {
          if (sweep.sinceMs === null) return 0;
          sweep.pass([], ++pages < 3 ? 0 : 1);
          return 1;
        },
      },
      600_000,
      silentLog,
      0,
    );
    await eventually("the sweep has ended", () => pages === 3, 5000);
    await reconciler.close();
  });

  it("restarts its sweep when Redis loses its data", async () => {
    const pages: { sweep: DueSweep; page: number }[] = [];
    let go: () => void = () => {};
    const reconciler = scene.open(
      "w",
      {
        takeOverLapsed: async () => 0,
        async hintDue(sweep) {
          if (isRecent(sweep)) return 0;
          const page = pages.filter((one) => one.sweep === sweep).length;
          pages.push({ sweep, page });
          if (pages.length === 4) await new Promise<void>((resolve) => (go = resolve));
          sweep.pass([], page === 5 ? 1 : 0);
          return 1;
        },
      },
      600_000,
    );
    await eventually("it is within its first sweep", () => pages.length === 4);
    assert.equal(pages[0]?.sweep.patient, true);
    scene.redis.forgotten = true;
    const before_ = scene.redis.checks;
    await eventually("it has noticed", () => scene.redis.checks > before_);
    scene.redis.forgotten = false;
    go();
    await eventually("it ends", () => pages.at(-1)?.page === 5);
    await reconciler.close();
    assert.deepEqual(
      pages.map(({ page }) => page),
      [0, 1, 2, 3, 0, 1, 2, 3, 4, 5],
    );
    assert.equal(pages.at(-1)?.sweep.patient, false);
  });
});
