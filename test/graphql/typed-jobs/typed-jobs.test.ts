import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildSchema, printType, type GraphQLSchema } from "graphql";
import { z } from "zod";
import { createTypedJobs, type TypedJobs } from "../../../src/graphql/typed-jobs/typed-jobs.js";
import { defineTask, type Task } from "../../../src/tasks/define-task.js";

const BASE =
  "scalar JSON scalar JSONObject type Query { job: QueuedJob } type QueuedJob { id: ID } " +
  "input EnqueueJobInput { job: String } input GroupJobInput { job: String }\n";

const taskOf = (name: string, parameters: z.ZodType, result: z.ZodType): Task =>
  defineTask({
    name,
    title: "Title",
    description: "For tests.",
    parameters,
    result,
    minPhotos: 0,
    maxPhotos: 0,
    maxAttempts: 1,
    timeoutMs: 1000,
    runsIn: "worker",
    load: () => Promise.reject(new Error("The task does not run in tests")),
  });

const inner = z.object({ words: z.array(z.string()).max(7).describe("Words.") });
const TASKS = [
  taskOf(
    "big-one",
    z.strictObject({
      size: z.int().min(1).max(10).default(3).describe("The size."),
      huge: z.int().max(2 ** 40),
      share: z.number().optional(),
      mode: z.enum(["soft", "hard"]).describe("The mode."),
      ratios: z.array(z.string()).default(["1:1"]),
      kind: z.enum(["a/b", "c"]).nullable(),
      anything: z.json().optional(),
      nested: z.strictObject({ on: z.boolean().optional() }).optional(),
    }),
    z.object({
      boxes: z.array(z.object({ left: z.int() })).describe("The boxes."),
      mode: z.enum(["soft", "hard"]),
      sure: z.literal(true),
      tags: z.record(z.string(), z.number()),
      place: z.object({ x: z.number() }).nullable(),
      small: inner.describe("Result of another Job."),
    }),
  ),
  taskOf("small", z.strictObject({}), inner),
  taskOf("odd", z.record(z.string(), z.int()), z.array(z.int())),
];

describe("typed Jobs", () => {
  const typed: TypedJobs = createTypedJobs(TASKS);
  const schema: GraphQLSchema = buildSchema(BASE + typed.sdl);
  const print = (name: string): string => {
    const type = schema.getType(name);
    assert.ok(type, `${name} is missing`);
    return printType(type)
      .replace(/^ *".*"\n/gm, "")
      .replace(/\s+/g, " ");
  };

  it("makes an input type of a Job's parameters, with defaults as optional fields", () =>
    assert.equal(
      print("BigOneParameters"),
      "input BigOneParameters { size: Int huge: Float! share: Float mode: ModeOption! " +
        "ratios: [String!] kind: String anything: JSON nested: BigOneParametersNested }",
    ));

  it("makes an object type of a Job's result, and its nested objects and lists", () => {
    assert.equal(
      print("BigOneResult"),
      "type BigOneResult { boxes: [BigOneResultBox!]! mode: ModeOption! sure: Boolean! " +
        "tags: JSON! place: BigOneResultPlace small: SmallResult! }",
    );
    assert.equal(print("BigOneResultBox"), "type BigOneResultBox { left: Int! }");
  });

  it("uses one enum for equal choices, so that a query can select them in several results", () =>
    assert.equal(print("ModeOption"), "enum ModeOption { soft hard }"));

  it("names another choice of the same field after its Job", () => {
    const other = taskOf("other", z.strictObject({ mode: z.enum(["slow"]) }), z.object({}));
    const { sdl } = createTypedJobs([...TASKS, other]);
    assert.match(sdl, /enum (Other|BigOne)ModeOption \{/);
  });

  it("gives a Job without parameters one field that accepts null only", () =>
    assert.equal(print("SmallParameters"), "input SmallParameters { _: Boolean }"));

  it("uses JSON for parameters and results that are not objects with named fields", () => {
    assert.match(print("JobInput"), / odd: JSONObject /);
    assert.equal(print("OddResult"), "type OddResult { value: JSON }");
    assert.deepEqual(
      { ...typed.toTyped("odd", [1, 2]) },
      { value: [1, 2], __typename: "OddResult" },
    );
  });

  it("lists all Jobs by name in the union and in the input", () => {
    assert.equal(print("JobResult"), "union JobResult = BigOneResult | OddResult | SmallResult");
    assert.equal(
      print("JobInput"),
      "input JobInput @oneOf { bigOne: BigOneParameters odd: JSONObject small: SmallParameters }",
    );
  });

  it("states the default of a parameter in its description", () =>
    assert.match(typed.sdl, /"The size. Default: 3."\n {2}size: Int/));

  it("declares the maximum length of each list in a result", () =>
    assert.deepEqual(Object.fromEntries(typed.listSizes), {
      "SmallResult.words": 7,
      "BigOneResult.boxes": 100,
    }));

  it("reads parameters without the nulls that mean an absent value", () => {
    const given = { size: null, kind: null, anything: null, nested: { on: null }, mode: "soft" };
    assert.deepEqual(typed.read("bigOne", given), {
      job: "big-one",
      parameters: { kind: null, anything: null, nested: {}, mode: "soft" },
    });
    assert.deepEqual(typed.read("small", { _: null }), { job: "small", parameters: {} });
  });

  it("keeps a value for the placeholder field, so that the Job rejects it", () =>
    assert.deepEqual(typed.read("small", { _: true })?.parameters, { _: true }));

  it("returns null for an unknown field, an unknown Job, and a result of another shape", () => {
    assert.equal(typed.read("nope", {}), null);
    assert.equal(typed.toTyped("nope", {}), null);
    assert.equal(typed.toTyped("small", { words: [1] }), null);
  });

  it("renames no type of a field when a later task has an equal result", () => {
    const copy = taskOf("twin", z.strictObject({}), z.object(inner.shape));
    const { sdl } = createTypedJobs([...TASKS, copy]);
    assert.match(sdl, /small: SmallResult!/);
  });

  it("rejects two tasks that need a type of the same name", () => {
    const [task] = TASKS.filter(({ name }) => name === "small");
    assert.ok(task);
    assert.throws(
      () => createTypedJobs([task, { ...task }]),
      new Error("needs the GraphQL type SmallParameters, which exists already"),
    );
  });
});
