import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { developmentSignIn } from "../../src/app/create-verifier.js";

describe("signing in the person at this machine", () => {
  it("is offered by no service in production, and by none with keys of its own", () => {
    const own = { production: false, jwtPublicKey: null, jwtJwksUrl: null, dataFolder: "nowhere" };
    assert.equal(typeof developmentSignIn(own), "function");
    for (const other of [
      { production: true },
      { jwtPublicKey: "key" },
      { jwtJwksUrl: "https://keys.example.test/" },
    ])
      assert.equal(developmentSignIn({ ...own, ...other }), null);
  });
});
