import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  decodePageCursor,
  decodeStreamCursor,
  encodePageCursor,
  encodeStreamCursor,
} from "../../src/domain/cursors.js";
import { InvalidInputError } from "../../src/domain/errors.js";

const ANN = "01930000-0000-7000-8000-0123456789ab";
const BOB = "01930000-0000-7000-8000-ba9876543210";
const EPOCH = "00ff10e2a7b3c4d5";
const KEY = "01930000-1111-7000-8000-000000000001";
const LISTS = ["queuedJobs", "photos", "users", "jobs"] as const;
const decodePhotos = (text: string, userId: string) =>
  decodePageCursor(text, { userId, list: "photos" }, "after");
const KINDS = [
  {
    kind: "stream",
    valid: encodeStreamCursor({ epoch: EPOCH, userId: ANN, seq: 42 }),
    decode: decodeStreamCursor,
  },
  {
    kind: "page",
    valid: encodePageCursor({
      userId: ANN,
      list: "photos",
      key: KEY,
      stream: { epoch: EPOCH, seq: 42 },
    }),
    decode: decodePhotos,
  },
];

/** True for the error that a malformed cursor causes. */
function isRefusal(error: unknown): boolean {
  assert.ok(error instanceof InvalidInputError, String(error));
  assert.equal(error.code, "BAD_USER_INPUT");
  assert.equal(
    error.message,
    "after: is not one of your cursors; pass a cursor from an earlier response or event",
  );
  assert.deepEqual(
    error.issues.map(({ path }) => path),
    [["after"]],
  );
  return true;
}

const bytesOf = (text: string) => Buffer.from(text, "base64url");
const respelled = (text: string, change: (bytes: Buffer) => void) => {
  const bytes = bytesOf(text);
  change(bytes);
  return bytes.toString("base64url");
};

describe("a cursor of a stream", () => {
  it("decodes to the values that were encoded", () => {
    for (const seq of [0, 1, 255, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      assert.deepEqual(
        decodeStreamCursor(encodeStreamCursor({ epoch: EPOCH, userId: ANN, seq }), ANN),
        { epoch: EPOCH, seq },
      );
    }
  });

  it("is refused when its number is not a safe integer", () => {
    const huge = respelled(encodeStreamCursor({ epoch: EPOCH, userId: ANN, seq: 1 }), (bytes) =>
      bytes.writeBigUInt64BE(2n ** 53n, 9),
    );
    assert.throws(() => decodeStreamCursor(huge, ANN), isRefusal);
  });
});

describe("a cursor of a page", () => {
  it("decodes to the encoded values, with or without the stream's position", () => {
    for (const key of [KEY, "thumbnail", "ü/💡"]) {
      for (const stream of [
        null,
        { epoch: EPOCH, seq: 0 },
        { epoch: EPOCH, seq: Number.MAX_SAFE_INTEGER },
      ]) {
        for (const list of LISTS)
          assert.deepEqual(
            decodePageCursor(
              encodePageCursor({ userId: ANN, list, key, stream }),
              { userId: ANN, list },
              "before",
            ),
            { key, stream },
          );
      }
    }
  });

  it("is valid for one list and refused by every other list", () => {
    for (const list of LISTS)
      for (const other of LISTS) {
        const cursor = encodePageCursor({ userId: ANN, list, key: KEY, stream: null });
        if (other !== list)
          assert.throws(
            () => decodePageCursor(cursor, { userId: ANN, list: other }, "after"),
            isRefusal,
            `${list}, ${other}`,
          );
      }
  });

  it("is refused when its key is empty or its position is truncated", () => {
    const noKey = encodePageCursor({ userId: ANN, list: "photos", key: "", stream: null });
    const cutPosition = bytesOf(
      encodePageCursor({ userId: ANN, list: "photos", key: "", stream: { epoch: EPOCH, seq: 1 } }),
    )
      .subarray(0, 20)
      .toString("base64url");
    const oddLength = respelled(
      encodePageCursor({ userId: ANN, list: "photos", key: KEY, stream: null }),
      (bytes) => bytes.writeUInt8(5, 7),
    );
    for (const text of [noKey, cutPosition, oddLength])
      assert.throws(() => decodePhotos(text, ANN), isRefusal);
  });
});

for (const { kind, valid, decode } of KINDS) {
  describe(`a ${kind} cursor from a client`, () => {
    it("is valid for its owner only", () => {
      assert.doesNotThrow(() => decode(valid, ANN));
      assert.throws(() => decode(valid, BOB), isRefusal);
    });

    it("is refused when it is of the other kind", () => {
      for (const other of KINDS)
        if (other.kind !== kind) assert.throws(() => decode(other.valid, ANN), isRefusal);
      for (const byte of [0, 1, 2, 3, 4, 5, 6, 255])
        if (byte !== bytesOf(valid)[0])
          assert.throws(
            () =>
              decode(
                respelled(valid, (bytes) => bytes.writeUInt8(byte)),
                ANN,
              ),
            isRefusal,
            String(byte),
          );
    });

    it("has exactly one valid spelling", () => {
      const spellings = [
        `${valid}=`,
        `${valid}==`,
        ` ${valid}`,
        `${valid} `,
        `${valid}\n`,
        bytesOf(valid).toString("base64").replace(/=*$/, "=="),
        bytesOf(valid).toString("hex"),
        `${valid}*`,
      ];
      for (const spelling of spellings)
        if (spelling !== valid) assert.throws(() => decode(spelling, ANN), isRefusal, spelling);
    });

    it("is refused when it is malformed", () => {
      const malformed = [
        "",
        "A",
        "AQ",
        "0",
        "null",
        "\0",
        "💡",
        "a".repeat(10_000),
        valid.slice(4),
        valid.slice(0, 8),
        ...(kind === "stream" ? [valid.slice(0, -1), `${valid}AAAA`] : []),
      ];
      for (const text of malformed)
        assert.throws(() => decode(text, ANN), isRefusal, JSON.stringify(text));
    });
  });
}
