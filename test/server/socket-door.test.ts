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

  it("refuses who found no place in two seconds, when nobody was let in; while the line moves, in eight", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1e12 });
    const door = createSocketDoor(1);
    const leaves = [door.enter()];
    const answers: string[] = [];
    for (const name of ["a", "b", "c", "d", "e", "f"]) {
      door.knock((mayOpen) => {
        answers.push(`${name} ${mayOpen}`);
        if (mayOpen) leaves.push(door.enter());
      });
    }
    for (const _ of ["a", "b", "c", "d"]) {
      t.mock.timers.tick(1900);
      leaves.pop()?.();
    }
    assert.deepEqual(answers, ["a true", "b true", "c true", "d true"]);
    t.mock.timers.tick(399);
    assert.equal(answers.length, 4);
    t.mock.timers.tick(1);
    assert.deepEqual(answers.slice(4), ["e false", "f false"], "eight seconds are the most");
    door.knock((mayOpen) => answers.push(`g ${mayOpen}`));
    t.mock.timers.tick(1999);
    assert.equal(answers.length, 6);
    t.mock.timers.tick(1);
    assert.deepEqual(answers.slice(6), ["g false"], "nobody was let in for two seconds");
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
