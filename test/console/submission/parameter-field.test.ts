import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import {
  faultsAt,
  faultsElsewhere,
  optionInWords,
  parameterFields,
  readField,
  type ParameterField,
} from "../../../src/console/submission/parameter-field.js";
import type { Job } from "../../../src/console/types.js";
import { catalogue } from "../../../src/tasks/catalogue.js";

const fieldsOf = (name: string): ParameterField[] => {
  const parameterSchema = z.toJSONSchema(catalogue.get(name)?.parameters ?? z.never(), {
    io: "input",
  }) as Job["parameterSchema"];
  return parameterFields({ parameterSchema });
};
const kindsOf = (name: string) =>
  Object.fromEntries(fieldsOf(name).map((field) => [field.name, field.kind]));

describe("the form of a Job", () => {
  it("has a control for every parameter of every Job; only echo's message is JSON", () => {
    const asJson = [...catalogue.keys()].flatMap((job) =>
      fieldsOf(job)
        .filter(({ kind }) => kind === "json")
        .map(({ name }) => `${job}.${name}`),
    );
    assert.deepEqual(asJson, ["echo.message"]);
  });

  it("has a control of the right kind for each parameter", () => {
    assert.deepEqual(kindsOf("thumbnail"), { widths: "list", format: "choice", quality: "number" });
    assert.deepEqual(kindsOf("watermark"), {
      text: "text",
      gravity: "choice",
      opacity: "number",
      scale: "number",
    });
    assert.deepEqual(kindsOf("scrub"), { keepIcc: "flag", keepCopyright: "flag" });
    assert.deepEqual(kindsOf("prepare"), {});
  });

  it("gives each field its label, its default and whether it is required", () => {
    const [format, , lossless] = fieldsOf("convert");
    assert.deepEqual(
      [format?.label, format?.required, format?.fallback, format?.options.includes("avif")],
      ["Format", true, "", true],
    );
    assert.deepEqual([lossless?.required, lossless?.fallback], [false, "false"]);
    assert.deepEqual(
      fieldsOf("thumbnail").map(({ fallback }) => fallback),
      ["320, 1024", "webp", ""],
    );
    assert.equal(fieldsOf("convert").at(-1)?.label, "Keep metadata");
  });

  it("names positions as people do", () => {
    const gravity = fieldsOf("watermark").find(({ name }) => name === "gravity");
    assert.equal(gravity?.label, "Position");
    assert.deepEqual(
      gravity.options.map(optionInWords).join(", "),
      "top left, top, top right, left, center, right, bottom left, bottom, bottom right",
    );
    assert.equal(optionInWords("attention"), "attention");
  });

  it("offers the options of an enum as text, and reads a choice as its original type", () => {
    const parameters = z.strictObject({
      degrees: z.literal([90, 180, 270]).default(90),
      side: z.literal(["left", 2, null]),
    });
    const [degrees, side] = parameterFields({
      parameterSchema: z.toJSONSchema(parameters, { io: "input" }) as Job["parameterSchema"],
    });
    assert.ok(degrees && side);
    assert.deepEqual(
      [degrees.kind, degrees.options, degrees.fallback],
      ["choice", ["90", "180", "270"], "90"],
    );
    assert.deepEqual(
      [side.kind, side.options, side.required],
      ["choice", ["left", "2", "null"], true],
    );
    assert.deepEqual(
      ["180", "", undefined].map((text) => readField(degrees, text)),
      [180, undefined, undefined],
    );
    assert.deepEqual(
      ["left", "2", "null"].map((text) => readField(side, text)),
      ["left", 2, null],
    );
  });

  const read: [job: string, parameter: string, text: string | undefined, value: unknown][] = [
    ["thumbnail", "quality", "80", 80],
    ["thumbnail", "quality", "", undefined],
    ["thumbnail", "quality", undefined, undefined],
    ["thumbnail", "quality", "very", "very"],
    ["thumbnail", "quality", " ", undefined],
    ["thumbnail", "widths", " 320,1024 , ", [320, 1024]],
    ["thumbnail", "widths", "320, wide", [320, "wide"]],
    ["crop", "ratios", "1:1, 16:9", ["1:1", "16:9"]],
    ["watermark", "text", " 12 ", " 12 "],
    ["watermark", "opacity", "0.5", 0.5],
    ["scrub", "keepIcc", "false", false],
    ["echo", "message", '{"a":[1]}', { a: [1] }],
    ["echo", "message", "hello", "hello"],
  ];
  for (const [job, parameter, text, value] of read) {
    it(`reads ${JSON.stringify(text)} as ${parameter} of ${job}: ${JSON.stringify(value)}`, () => {
      const field = fieldsOf(job).find(({ name }) => name === parameter);
      assert.ok(field);
      assert.deepEqual(readField(field, text), value);
    });
  }
});

describe("faults that the service reports", () => {
  const issues = [
    { path: ["parameters", "widths", 1], message: "must be 16 or more" },
    {
      path: ["parameters", "lossless"],
      message: "JPEG cannot be lossless: choose WebP, AVIF or PNG",
    },
    { path: ["parameters", "text"], message: "is required" },
    { path: ["jobs", 3, "parameters", "quality"], message: "must be 100 or less" },
    { path: ["jobs", 4, "parameters", "quality"], message: "must be 100 or less" },
    { path: ["parameters", "else"], message: "is not a parameter of this Job" },
    { path: ["photoIds", 2], message: "is not a photo of yours" },
    {
      path: ["priority"],
      message:
        'Variable "$input" got invalid value 1.5 at "input.priority"; Int cannot ' +
        "represent non-integer value: 1.5",
    },
    { path: ["jobs", 4, "priority"], message: "must be 0 to 100" },
    { path: ["jobs", 4, "photoIds", 0], message: "is not a photo of yours" },
  ];

  it("appear at their field as sentences, with the list entry, once for a whole group", () => {
    assert.deepEqual(faultsAt(issues, ["parameters", "widths"]), ["Entry 2: must be 16 or more."]);
    assert.deepEqual(faultsAt(issues, ["parameters", "lossless"]), [
      "JPEG cannot be lossless: choose WebP, AVIF or PNG.",
    ]);
    assert.deepEqual(faultsAt(issues, ["parameters", "text"]), ["This is required."]);
    assert.deepEqual(faultsAt(issues, ["parameters", "quality"]), ["Must be 100 or less."]);
    assert.deepEqual(faultsAt(issues, ["priority"]), [
      "Must be a whole number.",
      "Must be 0 to 100.",
    ]);
  });

  it("appear below the form, with their place, when the form has no field for them", () => {
    assert.deepEqual(
      faultsElsewhere(issues, [
        ["parameters", "widths"],
        ["parameters", "lossless"],
        ["parameters", "text"],
        ["parameters", "quality"],
        ["priority"],
      ]),
      [
        "Else: is not a parameter of this Job.",
        "Photo 3: is not a photo of yours.",
        "Photo 5: is not a photo of yours.",
      ],
    );
  });
});
