import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  ConnectionAdmission,
  type Place,
} from "../../../src/server/access/connection-admission.js";

const STEP_MS = 50;
const useTimers = (t: TestContext) =>
  t.mock.timers.enable({ apis: ["setInterval", "Date"], now: 1e12 });

/** Lets time pass in steps, since each check runs in the turn after its interval. */
async function pass(t: TestContext, milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= STEP_MS) {
    t.mock.timers.tick(Math.min(left, STEP_MS));
    await nextTurn();
  }
}

describe("the admission of connections", () => {
  /** Records all events in order, and the places of the open sockets. */
  function createScene(maxOpening: number) {
    const admission = new ConnectionAdmission(maxOpening);
    const log: string[] = [];
    const places = new Map<string, Place>();
    function arrive(name: string, network = "home"): void {
      admission.request(network, (mayOpen) => {
        log.push(`${name} ${mayOpen ? "enters" : "is refused"}`);
        if (mayOpen)
          places.set(
            name,
            admission.enter(network, (reason) => log.push(`${name} is ${reason}`)),
          );
      });
    }
    const leave = (name: string) => places.get(name)?.leave();
    return { admission, log, places, arrive, leave, drain: () => log.splice(0) };
  }

  it("admits the maximum number of opening sockets, and the others in their turn", () => {
    const { arrive, leave, drain, admission } = createScene(2);
    for (const name of ["a", "b", "c", "d"]) arrive(name);
    assert.deepEqual(drain(), ["a enters", "b enters"]);
    assert.equal(admission.opening, 2);
    leave("b");
    leave("b");
    assert.deepEqual(drain(), ["c enters"], "leaving twice frees one place");
    leave("a");
    assert.deepEqual(drain(), ["d enters"]);
    for (const name of ["c", "d"]) leave(name);
    assert.equal(admission.opening, 0);
    admission.close();
  });

  it("gives the turn of a disconnected peer to the next one", () => {
    const admission = new ConnectionAdmission(1);
    const { leave } = admission.enter("home", () => {});
    const answers: string[] = [];
    admission.request("home", () => answers.push("disconnected, does not enter"));
    admission.request("home", () => answers.push("next"));
    leave();
    assert.deepEqual(answers, ["disconnected, does not enter", "next"]);
    admission.close();
  });

  it("lets networks take turns, however many sockets of one network wait", () => {
    const { arrive, leave, drain, admission, places } = createScene(1);
    arrive("first", "crowded");
    places.get("first")?.onSignIn();
    for (const name of ["c1", "c2", "c3"]) arrive(name, "crowded");
    for (const name of ["h1", "h2"]) arrive(name, "home");
    arrive("o1", "office");
    for (const name of ["first", "c1", "h1", "o1", "c2", "h2"]) leave(name);
    assert.deepEqual(drain(), [
      "first enters",
      "c1 enters",
      "h1 enters",
      "o1 enters",
      "c2 enters",
      "h2 enters",
      "c3 enters",
    ]);
    admission.close();
  });

  it("gives the oldest idle places of the fullest network to another after 0.5 s", async (t) => {
    useTimers(t);
    const { arrive, drain, admission, places } = createScene(4);
    for (const name of ["c1", "c2", "c3", "c4"]) arrive(name, "crowded");
    places.get("c1")?.onSignIn();
    await pass(t, 200);
    for (const name of ["h1", "h2", "h3"]) arrive(name, "home");
    drain();
    await pass(t, 299);
    assert.deepEqual(drain(), []);
    await pass(t, 51);
    assert.deepEqual(
      drain(),
      ["c2 is crowded", "h1 enters", "c3 is crowded", "h2 enters"],
      "each network has two places now",
    );
    assert.equal(admission.opening, 4);
    admission.close();
  });

  it("takes no place for the same network, nor for one with as many places", async (t) => {
    useTimers(t);
    const { arrive, drain, admission } = createScene(2);
    arrive("a", "one");
    arrive("b", "two");
    for (const network of ["one", "two", "three"]) arrive(`${network} waits`, network);
    drain();
    await pass(t, 1900);
    assert.deepEqual(drain(), []);
    admission.close();
  });

  it("expels sockets that are idle for 2 s when others wait, unless they sign in", async (t) => {
    useTimers(t);
    const { arrive, drain, admission, places } = createScene(3);
    for (const name of ["a", "b", "c"]) arrive(name);
    places.get("b")?.onSignIn();
    await pass(t, 5000);
    assert.deepEqual(drain(), ["a enters", "b enters", "c enters"], "no socket waits");
    arrive("d");
    await pass(t, 50);
    assert.deepEqual(drain(), ["a is late", "d enters"]);
    for (const name of ["e", "f", "g"]) arrive(name);
    await pass(t, 50);
    assert.deepEqual(drain(), ["c is late", "e enters"]);
    await pass(t, 2000);
    assert.deepEqual(drain(), ["d is late", "f enters", "e is late", "g enters"]);
    admission.close();
  });

  it("refuses a socket after 8 s without a place, and reports the longest wait", async (t) => {
    useTimers(t);
    const { arrive, drain, admission, places } = createScene(1);
    arrive("a");
    places.get("a")?.onSignIn();
    assert.equal(admission.longestWaitSeconds, 0);
    arrive("b");
    await pass(t, 1000);
    arrive("c", "office");
    await pass(t, 6950);
    assert.deepEqual(drain(), ["a enters"]);
    assert.equal(admission.longestWaitSeconds, 7.95);
    await pass(t, 50);
    assert.deepEqual(drain(), ["b is refused"]);
    assert.equal(admission.longestWaitSeconds, 7);
    await pass(t, 1000);
    assert.deepEqual(drain(), ["c is refused"]);
    assert.equal(admission.longestWaitSeconds, 0);
    admission.close();
  });

  it("refuses the last one of the longest queue when 10,000 sockets wait", () => {
    const { arrive, drain, admission, places } = createScene(1);
    arrive("a", "crowded");
    places.get("a")?.onSignIn();
    for (let i = 1; i <= 10_000; i++) arrive(`c${i}`, "crowded");
    drain();
    arrive("c10001", "crowded");
    arrive("h1", "home");
    arrive("h2", "home");
    assert.deepEqual(drain(), ["c10001 is refused", "c10000 is refused", "c9999 is refused"]);
    admission.close();
    assert.equal(drain().length, 10_000);
  });

  it("refuses all waiting and all later sockets when it closes", () => {
    const { arrive, drain, admission } = createScene(1);
    for (const name of ["a", "b", "c"]) arrive(name);
    arrive("d", "office");
    admission.close();
    arrive("e");
    assert.deepEqual(drain(), [
      "a enters",
      "b is refused",
      "d is refused",
      "c is refused",
      "e is refused",
    ]);
  });
});
