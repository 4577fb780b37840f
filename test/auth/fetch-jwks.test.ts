import assert from "node:assert/strict";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { fetchJwks, parseJwksUrl } from "../../src/auth/fetch-jwks.js";
import { answerJson, answerKeys, jwk, startKeyServer } from "./key-server.js";
import { ecKey, edKey, rsaKey } from "./make-token.js";

const rsa = rsaKey();
const ec = ecKey();
const server = await startKeyServer(answerKeys({ a: rsa }));
after(() => server.close());
const never = new AbortController().signal;
const fetchNow = () => fetchJwks(new URL(server.url), never);

test("keeps only the keys that can verify", async () => {
  const usable = [
    jwk(rsa, { kid: "a", alg: "RS256", use: "sig" }),
    jwk(ec, { kid: "b" }),
    jwk(edKey()),
  ];
  const unsafe = [
    jwk(rsaKey(1024)),
    jwk(rsa, { e: "AQ" }),
    { kty: "oct", k: "c2VjcmV0" },
    { ...ec.privateKey.export({ format: "jwk" }) },
  ];
  const others = [
    jwk(rsa, { use: "enc" }),
    jwk(rsa, { alg: "PS256" }),
    jwk(ec, { alg: "RS256" }),
    jwk(ecKey("P-384")),
    null,
    5,
    "x",
    [],
    {},
    { kty: "RSA" },
  ];
  server.answer = answerJson({ keys: [...unsafe, ...usable, ...others] });
  assert.deepEqual(await fetchNow(), usable);
});

test("refuses an answer without a usable key, or one that is not a JSON key set", async () => {
  const none =
    "The key server's answer contains no RSA, P-256 or Ed25519 public key for signatures.";
  for (const keys of [
    [],
    [null],
    [{ kty: "oct", k: "AAAA" }],
    [{ ...rsa.privateKey.export({ format: "jwk" }) }],
  ]) {
    server.answer = answerJson({ keys });
    await assert.rejects(fetchNow(), { message: none });
  }
  for (const document of [null, [], "keys", {}, { keys: {} }, { keys: null }]) {
    server.answer = answerJson(document);
    await assert.rejects(fetchNow(), {
      message: "The key server's answer is not a JSON Web Key Set.",
    });
  }
  server.answer = (_, response) => void response.end("<html>");
  await assert.rejects(fetchNow(), { message: "The key server's answer is not JSON." });
  server.answer = (_, response) => void response.end();
  await assert.rejects(fetchNow(), { message: "The key server's answer is not JSON." });
});

test("follows no redirect and accepts only status 200", async () => {
  const before = server.requests;
  server.answer = (_, response) => void response.writeHead(302, { location: "/other" }).end();
  await assert.rejects(fetchNow(), { message: "The key server answered 302 instead of 200." });
  assert.equal(server.requests, before + 1);
  for (const status of [201, 404, 500]) {
    server.answer = answerJson({ keys: [jwk(rsa)] }, status);
    await assert.rejects(fetchNow(), {
      message: `The key server answered ${status} instead of 200.`,
    });
  }
});

test("stops reading at 256 KiB, whatever the length header and compression say", async () => {
  const message = "The key server's answer is longer than 262144 bytes.";
  const text = JSON.stringify({ keys: [jwk(rsa)], padding: "x".repeat(2_000_000) });
  server.answer = (_, response) => void response.end(text);
  await assert.rejects(fetchNow(), { message });
  server.answer = (_, response) =>
    void response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(text));
  await assert.rejects(fetchNow(), { message });
  server.answer = (_, response) => void endless(response);
  await assert.rejects(fetchNow(), { message });
});

test("ends with the signal's reason before the headers and within the body", async () => {
  const beginnings = [
    () => {},
    (_: unknown, response: { write(text: string): void }) => response.write('{"keys":['),
  ];
  for (const answer of beginnings) {
    const controller = new AbortController();
    server.answer = (request, response) => {
      answer(request, response);
      setImmediate(() => controller.abort(new Error("Enough.")));
    };
    await assert.rejects(fetchJwks(new URL(server.url), controller.signal), { message: "Enough." });
  }
});

function endless(response: {
  write(text: string): boolean;
  once(event: "drain", go: () => void): void;
  destroyed: boolean;
}): void {
  while (!response.destroyed && response.write(" ".repeat(10_000)));
  if (!response.destroyed) response.once("drain", () => endless(response));
}

test("accepts https anywhere and http on this machine", () => {
  const texts = [
    "https://keys.example.com/jwks.json?x=1",
    "http://localhost:8080/jwks",
    "http://127.0.0.1/jwks",
    "http://127.1/jwks",
    "http://[::1]:1/jwks",
  ];
  for (const text of texts) assert.equal(parseJwksUrl(text).href, new URL(text).href);
});

test("refuses http to other machines and other schemes", () => {
  const message = "The JWKS address must begin with https:// (http:// on this machine only).";
  for (const text of [
    "http://example.com/jwks",
    "http://127.0.0.1.example.com/",
    "http://localhost.example.com/",
    "http://[::2]/",
    "file:///jwks.json",
    "data:,{}",
  ]) {
    assert.throws(() => parseJwksUrl(text), { message }, text);
  }
});

test("refuses a text that is not a URL or contains a password, without repeating it", () => {
  assert.throws(() => parseJwksUrl("keys.example.com"), {
    message: "The JWKS address is not a URL.",
  });
  assert.throws(() => parseJwksUrl(""), { message: "The JWKS address is not a URL." });
  assert.throws(() => parseJwksUrl("https://me:secret@example.com/"), {
    message: "The JWKS address must not contain a user name or password.",
  });
});
