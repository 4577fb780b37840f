// How far a sweep for lost hints goes, and when it begins again.
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

  it(
    "comes at once while hints are missing, and in the next beat goes on where its sweep " +
      "stood when its time was up",
    async () => {
      const sweeps: DueSweep[] = [];
      const reconciler = scene.open(
        "w",
        {
          takeOverLapsed: async () => 0,
          async hintDue(sweep) {
            sweeps.push(sweep);
            sweep.pass([], sweeps.length === 4 ? 1 : 0);
            return sweeps.length < 3 ? 1 : 0;
          },
        },
        600_000,
        silentLog,
        0,
      );
      // Each page takes all the time there is.
      for (const pages of [3, 4, 5]) {
        await eventually(`${pages} pages are passed`, () => sweeps.length === pages, 5000);
        reconciler.hurry();
      }
      await reconciler.close();
      assert.deepEqual(sweeps.map((sweep) => sweeps.indexOf(sweep)).slice(0, 5), [0, 0, 0, 0, 4]);
    },
  );

  it("begins its sweep again when Redis forgets", async () => {
    const pages: { sweep: DueSweep; page: number }[] = [];
    let go: () => void = () => {};
    const reconciler = scene.open(
      "w",
      {
        takeOverLapsed: async () => 0,
        async hintDue(sweep) {
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
    const before_ = scene.redis.looks;
    await eventually("it has noticed", () => scene.redis.looks > before_);
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
