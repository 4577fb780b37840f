import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultsOf } from "../faults-of.js";

describe("the configuration of the storage", () => {
  it("requires an S3 key and region only if the command uses S3 storage", () => {
    const key = {
      STORAGE_URL: "s3://bucket",
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "secret",
    };
    const wrong = [
      "AWS_ACCESS_KEY_ID is not set: the storage is S3",
      "AWS_SECRET_ACCESS_KEY is not set: the storage is S3",
      "AWS_REGION is not set: it is the Amazon region of the bucket in STORAGE_URL; " +
        "for another server set AWS_ENDPOINT_URL",
    ];
    assert.deepEqual(faultsOf({ STORAGE_URL: "s3://bucket" }, ["storage"]), wrong);
    assert.deepEqual(faultsOf(key, ["storage"]), wrong.slice(2));
    for (const [env, needs] of [
      [{ ...key, AWS_REGION: "eu-west-1" }, ["storage"]],
      [{ ...key, AWS_ENDPOINT_URL: "http://minio:9000" }, ["storage"]],
      [{ STORAGE_URL: "s3://bucket" }, ["database"]],
      [{}, ["storage"]],
    ] as const)
      assert.deepEqual(faultsOf({ DATABASE_URL: "postgres://db", ...env }, needs), []);
  });
});
