import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { renderService } from "../../../src/app/local-service/started-service.js";

const service = {
  pid: 1,
  version: "1.2.3",
  url: "http://h",
  graphql: "http://h/graphql",
  subscriptions: "ws://h/graphql",
  console: "http://h/",
  queues: "http://h/admin/queues",
  explorer: "http://h/explorer/",
  health: "http://h/health/ready",
  workerHealth: "",
  token: null,
  dataFolder: "/d",
  databaseUrl: "",
  redisUrl: "",
  startedAt: "",
};

describe("the output of npm start", () => {
  it("is an aligned list, without control characters when colours are off", () => {
    const plain = renderService(service, { newPassword: "secret", depth: 1 });
    assert.ok([...plain].every((character) => character === "\n" || character >= " "));
    const rows = plain.split("\n").filter((line) => line.startsWith("  "));
    assert.ok(rows.length > 5 && rows.every((row) => row[12] === " " && row[13] !== " "), plain);
    assert.match(plain, /^ {2}Explorer +http:\/\/h\/explorer\/$/m);
  });

  it("is the same list with colours, and names no explorer when it is off", () => {
    assert.equal(
      stripVTControlCharacters(renderService(service, { newPassword: "secret", depth: 4 })),
      renderService(service, { newPassword: "secret", depth: 1 }),
    );
    assert.doesNotMatch(
      renderService({ ...service, explorer: null, queues: null }, { newPassword: null, depth: 1 }),
      /xplorer|ueues/,
    );
  });
});
