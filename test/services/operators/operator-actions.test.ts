import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  purgeOperatorActions,
  readOperatorActions,
  recordOperatorAction,
} from "../../../src/services/operators/operator-actions.js";
import { createTestDatabase, type TestDatabase } from "../../support/stores/test-database.js";

const DAY_MS = 24 * 3600 * 1000;

describe("the audit of operators", () => {
  let store: TestDatabase;
  before(async () => {
    store = await createTestDatabase();
  });
  after(() => store.close());

  it("returns actions newest first, page by page, and keeps them for 400 days", async () => {
    const { database } = store;
    for (const name of ["echo", "hash", "crop"])
      await recordOperatorAction(database, {
        actor: "admin (127.0.0.1)",
        requestId: "r",
        action: "pause Job",
        target: { job: name },
        count: 1,
      });
    const [first, second] = await readOperatorActions(database, { beforeId: null, first: 2 });
    assert.deepEqual([first?.target, second?.target], [{ job: "crop" }, { job: "hash" }]);
    const rest = await readOperatorActions(database, { beforeId: second?.id ?? null, first: 2 });
    assert.deepEqual(
      rest.map(({ target, action, count }) => [target, action, count]),
      [[{ job: "echo" }, "pause Job", 1]],
    );
    assert.equal(await purgeOperatorActions(database, () => Date.now() + 399 * DAY_MS), 0);
    assert.equal(await purgeOperatorActions(database, () => Date.now() + 401 * DAY_MS), 3);
  });
});
