import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { developmentSignIn } from "../../src/app/create-verifier.js";

describe("the development sign-in", () => {
  it("is not offered in production or with configured keys", () => {
    const development = {
      production: false,
      jwtPublicKey: null,
      jwtJwksUrl: null,
      dataFolder: "nowhere",
    };
    assert.equal(typeof developmentSignIn(development), "function");
    for (const other of [
      { production: true },
      { jwtPublicKey: "key" },
      { jwtJwksUrl: "https://keys.example.test/" },
    ])
      assert.equal(developmentSignIn({ ...development, ...other }), null);
  });
});
