import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { faultInWords } from "../../../../src/services/queued-jobs/check-submission.js";
import { catalogue } from "../../../../src/tasks/catalogue.js";

/** Returns the message of the first fault. */
function said(job: string, parameters: object): string {
  return (
    catalogue.get(job)?.parameters.safeParse(parameters, { error: faultInWords }).error?.issues[0]
      ?.message ?? "nothing"
  );
}

describe("the message about a parameter", () => {
  const faults: [job: string, parameters: object, fault: string][] = [
    ["watermark", {}, "is required"],
    ["convert", {}, "is required"],
    ["convert", { format: "gif" }, "must be one of jpeg, webp, avif, png"],
    ["convert", { format: 7 }, "must be one of jpeg, webp, avif, png"],
    ["convert", { format: "webp", quality: 101 }, "must be 100 or less"],
    ["convert", { format: "webp", lossless: "yes" }, "must be true or false"],
    [
      "convert",
      { format: "jpeg", lossless: true },
      "JPEG cannot be lossless: choose WebP, AVIF or PNG",
    ],
    ["watermark", { text: 7 }, "must be text"],
    ["watermark", { text: "" }, "has no visible characters"],
    ["watermark", { text: "a", opacity: "half" }, "must be a number"],
    ["watermark", { text: "a", opacity: 0 }, "must be 0.01 or more"],
    ["palette", { colors: 2.5 }, "must be a whole number"],
    ["palette", { colors: null }, "must be a number"],
    ["thumbnail", { widths: 320 }, "must be a list"],
    ["thumbnail", { widths: [] }, "must have 1 entry or more"],
    [
      "thumbnail",
      { widths: Array.from({ length: 11 }, (_, i) => 100 + i) },
      "must have 10 entries or less",
    ],
    ["thumbnail", { widths: [320, "wide"] }, "must be a number"],
    ["thumbnail", { widths: [320, 320] }, "contains a width twice"],
    ["crop", { ratios: ["1".repeat(21) + ":1"] }, "must have 21 characters or less"],
    ["crop", { ratios: ["wide"] }, "is not a ratio of width to height such as 16:9"],
  ];
  for (const [job, parameters, fault] of faults) {
    it(`of ${job} ${JSON.stringify(parameters)} is: ${fault}`, () =>
      assert.equal(said(job, parameters), fault));
  }

  it("contains no wording of the library for any rule of any Job", () => {
    for (const { name, parameters } of catalogue.values()) {
      const properties = Object.entries(
        z.toJSONSchema(parameters, { io: "input" }).properties ?? {},
      );
      for (const [key] of properties) {
        for (const value of [
          null,
          "",
          "x",
          "x".repeat(1000),
          -1,
          0.5,
          1e9,
          1e300,
          true,
          [],
          [""],
          [-1],
          [null],
          {},
        ]) {
          const fault =
            parameters
              .safeParse({ [key]: value }, { error: faultInWords })
              .error?.issues.find(({ path }) => path[0] === key)?.message ?? "";
          assert.doesNotMatch(
            fault,
            /expected|received|invalid|undefined|parameterSchema/i,
            `${name} ${key} ${JSON.stringify(value)}`,
          );
        }
      }
    }
  });
});
