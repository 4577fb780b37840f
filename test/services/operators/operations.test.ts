import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { readOperatorActions } from "../../../src/services/operators/operator-actions.js";
import { ANY_JOB } from "../../../src/services/reads/operator-search.js";
import type { User } from "../../../src/services/users/users.js";
import { createOperationScene, OPERATOR, type OperationScene } from "./operation-scene.js";

describe("the operations", () => {
  let scene: OperationScene;
  let user: User;
  before(async () => {
    scene = await createOperationScene();
    user = await scene.services.newUser();
    await scene.failed(user, 3);
    await scene.services.submitMany(user, [{}, {}]);
  });
  after(() => scene.close());

  it("count the rows to which an action applies", async () => {
    const { count } = scene.operations;
    assert.equal(await count("RETRY", ANY_JOB), 3);
    assert.equal(await count("CANCEL", ANY_JOB), 2);
    assert.equal(await count("DELETE", { ...ANY_JOB, userIds: [user.id] }), 3);
    assert.equal(await count("RETRY", { ...ANY_JOB, status: "PENDING" }), 0);
    assert.equal(await count("RETRY", { ...ANY_JOB, errorCode: "TIMEOUT" }), 0);
  });

  it("are recorded together with an audit line, which shows what they did", async () => {
    const id = await scene.start("RETRY", { status: "FAILED" });
    const { database } = scene.services;
    const query = { beforeId: null, first: 10 };
    const [action, ...others] = await readOperatorActions(database, query);
    const { actor, requestId } = OPERATOR;
    assert.deepEqual(
      [action?.actor, action?.requestId, action?.action, action?.target["operation"], others],
      [actor, requestId, "retry jobs", id, []],
    );
    await scene.carryOut(id);
    assert.equal((await readOperatorActions(database, query))[0]?.count, 3);
    const ended = await scene.find(id);
    assert.deepEqual([ended.state, ended.filter.status], ["FINISHED", "FAILED"]);
  });

  it("are refused above 20 that run", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) ids.push(await scene.start("DELETE", { jobName: "none" }));
    await assert.rejects(scene.start("DELETE", { jobName: "none" }), {
      code: "CONFLICT",
      message: "At most 20 operations run at once: stop one, or wait until one has finished.",
    });
    assert.equal((await scene.operations.readProgress()).running, 20);
    for (const id of ids) await scene.operations.stop(id, OPERATOR);
    assert.deepEqual(await scene.operations.readProgress(), { running: 0, idleSeconds: 0 });
    const page = await scene.operations.page({ beforeId: ids[1] ?? null, first: 50 });
    assert.equal(page[0]?.id, ids[0]);
  });
});
