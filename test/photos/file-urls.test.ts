import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import { createFileUrls } from "../../src/photos/file-urls.js";

const signingKey = "a-key-0123456789abcdef0123456789abcdef";
const ID = "0198f3a0-0000-7000-8000-000000000000";
/** A storage without URLs, whose files the service serves. */
const servedStorage = { presign: async () => null };
const NOON = Date.UTC(2026, 10, 24, 12, 0, 0);

function split(url: string): { path: string; expiry: string; signature: string } {
  const { pathname, searchParams } = new URL(url, "http://api.test");
  return {
    path: pathname,
    expiry: searchParams.get("exp") ?? "",
    signature: searchParams.get("sig") ?? "",
  };
}

describe("file URLs", () => {
  let now = NOON;
  const urls = createFileUrls({
    signingKey,
    publicUrl: null,
    storage: servedStorage,
    now: () => now,
  });

  it("are verified by the key that signed them only", () => {
    const { path, expiry, signature } = split(urls.sign("photos", ID, "a.png"));
    assert.equal(path, `/files/photos/${ID}/a.png`);
    assert.equal(urls.verify(path, expiry, signature), true);
    assert.equal(
      createFileUrls({
        signingKey: `${signingKey}x`,
        publicUrl: null,
        storage: servedStorage,
        now: () => now,
      }).verify(path, expiry, signature),
      false,
    );
  });

  it("are signed with the first of several keys and verified by every key", () => {
    const [old, young, foreign] = [
      `${signingKey}-old`,
      `${signingKey}-new`,
      `${signingKey}-foreign`,
    ];
    const urlsOf = (key: string) =>
      createFileUrls({ signingKey: key, publicUrl: null, storage: servedStorage, now: () => now });
    const [before, rotated, after] = [urlsOf(old), urlsOf(`${young}, ${old}`), urlsOf(young)];
    const isGood = (url: string, by: typeof urls) => {
      const { path, expiry, signature } = split(url);
      return by.verify(path, expiry, signature);
    };
    const url = (by: typeof urls) => by.sign("photos", ID, "a.png");
    assert.equal(url(rotated), url(after), "the first key signs");
    assert.equal(url(rotated), url(urlsOf(`${young},${old},`)), "however the list is spelled");
    for (const signer of [before, rotated, after]) assert.ok(isGood(url(signer), rotated));
    assert.ok(!isGood(url(before), after));
    assert.ok(!isGood(url(rotated), before));
    assert.ok(!isGood(url(urlsOf(foreign)), rotated));
    const { path, expiry } = split(url(rotated));
    const empty = createHmac("sha256", "").update(`v1\n${path}\n${expiry}`).digest("base64url");
    assert.ok(
      !urlsOf(`${young},,${old}`).verify(path, expiry, empty),
      "an empty text is not a key",
    );
    assert.throws(() => urlsOf(" , "), { message: "There is no key to sign file URLs with" });
  });

  it("are refused if any part was changed", () => {
    const { path, expiry, signature } = split(urls.sign("photos", ID, "a.png"));
    const swapped = signature.startsWith("A") ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
    for (const [p, e, s] of [
      [`${path}x`, expiry, signature],
      [path.replace("photos", "outputs"), expiry, signature],
      [path, String(Number(expiry) + 1), signature],
      [path, `+${expiry}`, signature],
      [path, "", signature],
      [path, expiry, swapped],
      [path, expiry, ""],
      [path, expiry, `${signature}=`],
      [path, expiry, signature.slice(1)],
      [path, expiry, ` ${signature}`],
    ] as const) {
      assert.equal(urls.verify(p, e, s), false, `${p} ${e} ${s}`);
    }
  });

  it("are refused if the expiry is not a number of seconds, even correctly signed", () => {
    const { path } = split(urls.sign("photos", ID, "a.png"));
    for (const expiry of [
      "9e99",
      "Infinity",
      "0x7fffffff0",
      " 9999999999",
      "9999999999.5",
      "-1",
      "9".repeat(13),
    ]) {
      const signature = createHmac("sha256", signingKey)
        .update(`v1\n${path}\n${expiry}`)
        .digest("base64url");
      assert.equal(urls.verify(path, expiry, signature), false, expiry);
    }
  });

  it("stay the same for 15 minutes and are valid for 60 to 75 minutes", () => {
    const first = urls.sign("previews", ID, "p");
    const { path, expiry, signature } = split(first);
    for (const [minutes, same] of [
      [0, true],
      [-14.9, true],
      [0.1, false],
    ] as const) {
      now = NOON + minutes * 60_000;
      assert.equal(urls.sign("previews", ID, "p") === first, same, `${minutes} minutes`);
      const life = Number(split(urls.sign("previews", ID, "p")).expiry) - now / 1000;
      assert.ok(life >= 3600 && life <= 4500, `lives ${life} s`);
    }
    assert.equal(
      urls.expiry().getTime() / 1000,
      Number(split(urls.sign("outputs", ID, "o")).expiry),
    );
    const earlier = new Date(Number(expiry) * 1000);
    assert.equal(urls.sign("previews", ID, "p", earlier), first, "two URLs expire together");
    now = Number(expiry) * 1000 - 1;
    assert.equal(urls.verify(path, expiry, signature), true);
    now = Number(expiry) * 1000;
    assert.equal(urls.verify(path, expiry, signature), false);
    now = NOON;
  });

  it("of images stay the same for 12 hours and are valid for 24 to 36 hours", () => {
    const spans = ["000000000000", "00000000a8bf"].map((end) => {
      const id = `0198f3a0-0000-7000-8000-${end}`;
      now = NOON;
      const first = urls.sign("images", id, "64.webp");
      const life = Number(split(first).expiry) - now / 1000;
      assert.ok(life >= 86_400 && life <= 129_600, `lives ${life} s`);
      const left = life - 86_400;
      now = NOON + left * 1000;
      assert.equal(urls.sign("images", id, "64.webp"), first);
      now += 1000;
      const second = urls.sign("images", id, "64.webp");
      assert.equal(Number(split(second).expiry) - Number(split(first).expiry), 43_200);
      return left;
    });
    now = NOON;
    assert.notEqual(spans[0], spans[1], "all photos change their URLs at the same time");
  });

  it("encode a name as one segment of the path", () => {
    const { path } = split(urls.sign("outputs", ID, "a/b ü?#%.png"));
    assert.equal(path, `/files/outputs/${ID}/a%2Fb%20%C3%BC%3F%23%25.png`);
  });

  it("are absolute if the public address is set", () => {
    for (const publicUrl of ["https://photos.example.test", "https://photos.example.test/"]) {
      assert.match(
        createFileUrls({ signingKey, publicUrl, storage: servedStorage }).sign("photos", ID, "a"),
        /^https:\/\/photos\.example\.test\/files\/photos\//,
      );
    }
    assert.match(urls.sign("photos", ID, "a"), /^\/files\/photos\//);
  });

  it("are the storage's own URLs if it has some", async () => {
    const calls: unknown[] = [];
    const expiresAt = new Date(NOON);
    const presign = async (...args: unknown[]) => (calls.push(args), "https://s3.test/key?signed");
    const file = {
      kind: "outputs",
      id: ID,
      name: "a.webp",
      storageKey: "outputs/a",
      mimeType: "image/webp",
    } as const;
    assert.equal(
      await createFileUrls({
        signingKey,
        publicUrl: "https://photos.example.test",
        storage: { presign },
      }).urlOf(file, expiresAt),
      "https://s3.test/key?signed",
    );
    assert.deepEqual(calls, [
      ["outputs/a", { mimeType: "image/webp", filename: "a.webp" }, expiresAt],
    ]);
    assert.equal(await urls.urlOf(file), urls.sign("outputs", ID, "a.webp"));
    const signed = urls.sign("outputs", ID, "a.webp", expiresAt);
    assert.equal(await urls.urlOf(file, expiresAt), signed);
    assert.equal(split(signed).expiry, String(NOON / 1000));
  });
});
