// Tests errors as clients receive them, from the function, and over HTTP, sockets and uploads.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { GraphQLError } from "graphql";
import * as errors from "../../src/domain/errors.js";
import { formatError, isInternal } from "../../src/graphql/format-error.js";
import { openRawSocket, type RawSocket } from "../support/clients/raw-socket.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

const INTERNAL = {
  message: "Internal server error",
  extensions: { code: "INTERNAL_SERVER_ERROR" },
};

describe("formatError", () => {
  const SERVICE_ERRORS: [errors.ServiceError, object][] = [
    [new errors.UnauthenticatedError("Sign in."), { code: "UNAUTHENTICATED" }],
    [new errors.ForbiddenError("No."), { code: "FORBIDDEN" }],
    [new errors.NotFoundError("None."), { code: "NOT_FOUND" }],
    [new errors.ConflictError("Busy."), { code: "CONFLICT" }],
    [new errors.IdempotencyConflictError("Other."), { code: "IDEMPOTENCY_CONFLICT" }],
    [new errors.CursorExpiredError("Old."), { code: "CURSOR_EXPIRED" }],
    [new errors.ServiceUnavailableError("Away."), { code: "SERVICE_UNAVAILABLE" }],
    [new errors.QuotaExceededError("Full.", 1234), { code: "QUOTA_EXCEEDED", retryAfterMs: 1234 }],
    [
      errors.InvalidInputError.at(["parameters", "steps"], "is odd"),
      { code: "BAD_USER_INPUT", issues: [{ path: ["parameters", "steps"], message: "is odd" }] },
    ],
  ];
  for (const [error, extensions] of SERVICE_ERRORS) {
    it(`returns the code and message of a ${error.name}, also when it is wrapped`, () => {
      const wrapped = new GraphQLError("outer", {
        path: ["me"],
        originalError: new GraphQLError("inner", { originalError: error }),
      });
      assert.deepEqual(formatError(error), { message: error.message, extensions });
      assert.deepEqual(formatError(wrapped), { message: error.message, path: ["me"], extensions });
      assert.equal(isInternal(wrapped), false);
    });
  }

  const FRAMEWORK = {
    GRAPHQL_PARSE_FAILED: "GRAPHQL_PARSE_FAILED",
    GRAPHQL_VALIDATION_FAILED: "GRAPHQL_VALIDATION_FAILED",
    OPERATION_RESOLUTION_FAILURE: "GRAPHQL_VALIDATION_FAILED",
    BAD_REQUEST: "BAD_REQUEST",
    PERSISTED_QUERY_NOT_FOUND: "BAD_REQUEST",
    PERSISTED_QUERY_NOT_SUPPORTED: "BAD_REQUEST",
  };
  for (const [theirs, ours] of Object.entries(FRAMEWORK)) {
    it(`maps a framework's ${theirs} to ${ours}`, () => {
      const error = new GraphQLError("What is wrong.", {
        extensions: { code: theirs, stacktrace: ["secret"], http: { status: 400 } },
      });
      assert.deepEqual(formatError(error), {
        message: "What is wrong.",
        extensions: { code: ours },
      });
      assert.equal(isInternal(error), false);
    });
  }

  it("masks an unexpected error", () => {
    const unexpected = [
      new Error("secret"),
      "secret",
      null,
      undefined,
      { message: "secret" },
      new GraphQLError("secret", { path: ["me"] }),
      new GraphQLError("secret", { extensions: { code: "SECRET" } }),
      new GraphQLError("secret", { path: ["me"], originalError: new TypeError("secret") }),
    ];
    for (const error of unexpected) {
      const { path: _, ...formatted } = formatError(error);
      assert.deepEqual(formatted, INTERNAL);
      assert.equal(isInternal(error), true);
    }
  });

  const MISFITS: [string, (string | number)[]][] = [
    [
      'Variable "$input" got invalid value "x" at "input.priority"; Int cannot represent',
      ["priority"],
    ],
    [
      'Variable "$inputs" got invalid value null at "inputs[3].photoIds[12]"; Expected',
      [3, "photoIds", 12],
    ],
    ['Variable "$first" got invalid value "x"; Int cannot represent', []],
    [
      'Variable "$input" got invalid value "\\" at \\"input.no\\"" at "input.job"; String cannot',
      ["job"],
    ],
  ];
  for (const [message, path] of MISFITS) {
    it(`finds the path in: ${message}`, () => {
      assert.deepEqual(
        formatError(new GraphQLError(message, { extensions: { code: "BAD_USER_INPUT" } }))
          .extensions,
        { code: "BAD_USER_INPUT", issues: [{ path, message }] },
      );
      // On a socket, the error has no code.
      assert.deepEqual(formatError(new GraphQLError(message)).extensions, {
        code: "BAD_USER_INPUT",
        issues: [{ path, message }],
      });
    });
  }

  it("names the exceeded limit", () => {
    assert.deepEqual(
      formatError(
        new GraphQLError("Too deep.", {
          extensions: { code: "GRAPHQL_VALIDATION_FAILED", limit: "depth" },
        }),
      ),
      { message: "Too deep.", extensions: { code: "GRAPHQL_VALIDATION_FAILED", limit: "depth" } },
    );
    const tooLong = new GraphQLError(
      "Syntax Error: Document contains more that 2000 tokens. Parsing aborted.",
      { extensions: { code: "GRAPHQL_PARSE_FAILED" } },
    );
    assert.deepEqual(formatError(tooLong), {
      message: "The document has more than 2000 tokens.",
      extensions: { code: "GRAPHQL_VALIDATION_FAILED", limit: "tokens" },
    });
  });

  it("truncates a message that quotes a long request", () => {
    assert.equal(
      formatError(new GraphQLError("x".repeat(10_000), { extensions: { code: "BAD_USER_INPUT" } }))
        .message.length,
      500,
    );
  });
});

describe("a secret in an error", () => {
  const SECRET = "the-secret-of-the-house";
  let service: TestService;
  let socket: RawSocket;
  before(async () => {
    service = await startTestService({ workers: 0 });
    const { sql } = service.database;
    await sql.unsafe(
      "create function betray() returns trigger language plpgsql as $$ begin raise " +
        `exception '${SECRET}'; end $$`,
    );
    await sql.unsafe(
      "create trigger betray before insert on queued_jobs for each row execute function betray()",
    );
    await sql.unsafe(
      "create trigger betray before insert on photos for each row execute function betray()",
    );
  });
  after(async () => {
    socket?.close();
    await service.close();
  });

  const wasLogged = () =>
    service.logged.filter((line) => line["level"] === 50 && JSON.stringify(line).includes(SECRET));

  it("is in the log with the request id, and not in the HTTP answer", async () => {
    const person = await service.person();
    const query = 'mutation { enqueueJob(input: { job: "echo" }) { id } }';
    const response = await fetch(`${service.url}/graphql`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${person.token}`,
        "content-type": "application/json",
        "x-request-id": "req-http",
      },
      body: JSON.stringify({ query }),
    });
    const text = await response.text();
    assert.deepEqual(JSON.parse(text).errors, [
      { ...INTERNAL, path: ["enqueueJob"], locations: [{ line: 1, column: 12 }] },
    ]);
    assert.ok(!(text + JSON.stringify([...response.headers])).includes(SECRET));
    assert.ok(
      wasLogged().some((line) => line["requestId"] === "req-http"),
      "it was not logged with the request id",
    );
  });

  it("is in the log, and not on the socket, for a mutation and a stream", async () => {
    const person = await service.person();
    socket = openRawSocket(service.url);
    await socket.init(person.token);
    socket.send({
      type: "subscribe",
      id: "1",
      payload: { query: 'mutation { enqueueJob(input: { job: "echo" }) { id } }' },
    });
    const answer = await socket.next("the answer to the mutation", ({ id }) => id === "1");
    assert.deepEqual(answer.payload, {
      data: null,
      errors: [{ ...INTERNAL, path: ["enqueueJob"], locations: [{ line: 1, column: 12 }] }],
    });

    await service.database.sql.unsafe("alter table queued_job_events rename to hidden_events");
    const seen = service.logged.length;
    socket.send({
      type: "subscribe",
      id: "2",
      payload: {
        query:
          "subscription { queuedJobEvents(queuedJobId: " +
          '"0198f3a0-0000-7000-8000-000000000000") { type } }',
      },
    });
    const refusal = await socket.next("the refusal of the stream", ({ id }) => id === "2");
    await service.database.sql.unsafe("alter table hidden_events rename to queued_job_events");
    assert.deepEqual(refusal.payload, {
      errors: [{ ...INTERNAL, path: ["queuedJobEvents"], locations: [{ line: 1, column: 16 }] }],
    });
    assert.ok(
      service.logged
        .slice(seen)
        .some((line) => line["level"] === 50 && JSON.stringify(line).includes("queued_job_events")),
      "it was not logged",
    );
    assert.doesNotMatch(JSON.stringify(socket.messages), /the-secret|queued_job_events/);
  });

  it("is in the log, and not in the answer to an upload", async () => {
    const { status, json } = await (
      await service.person()
    ).upload(smallPhoto(), { type: "image/png" });
    assert.deepEqual(
      [status, json],
      [500, { code: "INTERNAL_SERVER_ERROR", message: "Internal server error" }],
    );
    assert.ok(wasLogged().some((line) => line["msg"] === "a request failed"));
  });
});
