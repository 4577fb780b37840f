import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSocketDoor } from "../../src/server/socket-door.js";

describe("the door of the sockets", () => {
  it("lets in as many as may open at a time, and the others in their turn", () => {
    const door = createSocketDoor(2);
    const entered: number[] = [];
    const leave = new Map<number, () => void>();
    for (const n of [1, 2, 3, 4]) {
      door.knock((mayOpen) => {
        assert.ok(mayOpen);
        entered.push(n);
        leave.set(n, door.enter());
      });
    }
    assert.deepEqual(entered, [1, 2]);
    leave.get(2)?.();
    leave.get(2)?.();
    assert.deepEqual(entered, [1, 2, 3], "who leaves twice makes room for one");
    leave.get(1)?.();
    assert.deepEqual(entered, [1, 2, 3, 4]);
  });

  it("gives the turn of one that had gone to the next", () => {
    const door = createSocketDoor(1);
    const leave = door.enter();
    const answers: string[] = [];
    door.knock(() => answers.push("gone, and so does not enter"));
    door.knock(() => answers.push("next"));
    leave();
    assert.deepEqual(answers, ["gone, and so does not enter", "next"]);
  });

  it("refuses who found no place in time", async () => {
    const door = createSocketDoor(1);
    door.enter();
    assert.equal(await new Promise((answer) => door.knock(answer)), false);
  });

  it("refuses those who wait, and everybody after them, when it closes", async () => {
    const door = createSocketDoor(1);
    door.enter();
    const waiting = new Promise((answer) => door.knock(answer));
    door.close();
    assert.equal(await waiting, false);
    assert.equal(await new Promise((answer) => door.knock(answer)), false);
  });
});
