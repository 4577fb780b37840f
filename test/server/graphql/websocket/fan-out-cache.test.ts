import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import {
  GraphQLError,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  parse,
  type ExecutionArgs,
} from "graphql";
import type { DeliveredEvent } from "../../../../src/events/subscription.js";
import { createOperationCompiler } from "../../../../src/server/graphql/operation-compiler.js";
import { createFanOutCache } from "../../../../src/server/graphql/websocket/fan-out-cache.js";
import { bareEvent } from "../../../support/asserts/bare-event.js";

const published = (seq: number, cursorSeq = seq): DeliveredEvent => ({
  event: bareEvent(seq),
  cursorSeq,
  epoch: "e",
});

describe("a shared result", () => {
  let executed = 0;
  const field = {
    type: new GraphQLNonNull(GraphQLString),
    args: { after: { type: GraphQLString } },
    resolve: ({ cursorSeq }: DeliveredEvent) => (
      executed++,
      cursorSeq === 13 ? assert.fail("unlucky") : String(cursorSeq)
    ),
  };
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: "Query", fields: { step: { type: GraphQLString } } }),
    subscription: new GraphQLObjectType({ name: "Subscription", fields: { step: field } }),
  });
  const document = parse(
    "subscription S($after: String, $x: Boolean = true) { step(after: $after) @include(if: $x) }",
  );
  const masked: (readonly GraphQLError[])[] = [];
  const results = createFanOutCache(
    createOperationCompiler(schema),
    (errors) => (masked.push(errors), [{ message: "masked" }]),
  );
  const join = (variableValues: Record<string, unknown> = {}, more: Partial<ExecutionArgs> = {}) =>
    results.join({
      schema,
      document,
      variableValues,
      contextValue: { user: { id: "ann" } },
      ...more,
    });

  it("is created once for equal subscriptions, wherever they started", async () => {
    const [one, two] = [join({ after: "a" }), join({ after: "b" })];
    const event = published(1);
    executed = 0;
    assert.equal(one.textOf(event), two.textOf({ ...event }));
    assert.deepEqual([String(await one.textOf(event)), executed], ['{"data":{"step":"1"}}', 1]);
    assert.equal(String(await two.textOf({ ...event, cursorSeq: 2 })), '{"data":{"step":"2"}}');
    [one, two].forEach((result) => result.leave());
  });

  for (const [what, variables, more] of [
    ["the value of a variable differs", { x: false }, {}],
    ["a variable is null instead of omitted", { x: null }, {}],
    ["the owner differs", {}, { contextValue: { user: { id: "bob" } } }],
    ["the owner has changed", {}, { contextValue: { user: { id: "ann", name: "Ann" } } }],
    ["the document differs", {}, { document: parse("subscription { step }") }],
  ] as [string, Record<string, unknown>, Partial<ExecutionArgs>][]) {
    it(`is not shared when ${what}`, () => {
      const [one, other] = [
        [join(), join()],
        [join(variables, more), join(variables, more)],
      ];
      const event = published(1);
      assert.notEqual(one[0]?.textOf(event), other[0]?.textOf(event));
      [...one, ...other].forEach((result) => result.leave());
    });
  }

  it("is created again after one second", () => {
    mock.timers.enable({ apis: ["Date"] });
    const event = published(1);
    const members = [join(), join()];
    const first = members[0]?.textOf(event);
    mock.timers.tick(999);
    assert.equal(members[1]?.textOf(event), first);
    mock.timers.tick(1);
    assert.notEqual(members[1]?.textOf(event), first);
    mock.timers.reset();
    members.forEach((result) => result.leave());
  });

  it("is kept for other members and new ones when one leaves, also repeatedly", () => {
    mock.timers.enable({ apis: ["Date"] });
    const event = published(1);
    const [one, two, three] = [join(), join(), join()];
    const first = one.textOf(event);
    one.leave();
    one.leave();
    const late = join();
    assert.deepEqual(
      [two, three, late].map((result) => result.textOf(event) === first),
      [true, true, true],
    );
    mock.timers.reset();
    [two, three, late].forEach((result) => result.leave());
  });

  it("is removed when its last member leaves", () => {
    mock.timers.enable({ apis: ["Date"] });
    const event = published(1);
    const members = [join(), join()];
    const first = members[0]?.textOf(event);
    members.forEach((result) => result.leave());
    const others = [join(), join()];
    assert.notEqual(others[0]?.textOf(event), first);
    mock.timers.reset();
    others.forEach((result) => result.leave());
  });

  it("has masked errors, also when it cannot be executed", async () => {
    masked.length = 0;
    const [one, broken] = [
      join(),
      join({}, { schema: {} as GraphQLSchema, document: parse("subscription { step }") }),
    ];
    assert.equal(
      String(await one.textOf(published(13))),
      '{"errors":[{"message":"masked"}],"data":null}',
    );
    assert.equal(String(await broken.textOf(published(1))), '{"errors":[{"message":"masked"}]}');
    assert.deepEqual(
      masked.map(([error]) => error instanceof GraphQLError),
      [true, true],
    );
    [one, broken].forEach((result) => result.leave());
  });
});
