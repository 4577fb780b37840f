// Sign-in with Google: with its ID token as it is, and with a token of the example's own key.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { createTestClient } from "../support/clients/test-client.js";
import {
  CLIENT_ID,
  startIdentityProvider,
  type IdentityProvider,
} from "../support/service/identity-provider.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

const SERVER = fileURLToPath(new URL("../../examples/sign-in/server.js", import.meta.url));
const OURS = { JWT_ISSUER: "https://app.example.com", JWT_AUDIENCE: "photo-service" };
const ME = "{ me { id email name picture } }";

let provider: IdentityProvider;
let keysUrl: string;
before(async () => {
  provider = await startIdentityProvider();
  const discovery = (await (await fetch(provider.discoveryUrl)).json()) as { jwks_uri: string };
  keysUrl = discovery.jwks_uri;
});
after(() => provider.close());

const folder = temporaryFolder();
function makeKey() {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    pem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    path: folder.write(privateKey.export({ type: "pkcs8", format: "pem" }), "key.pem"),
  };
}

/** Answers `me` with this token: the user, or the code of the error. */
async function whoIs(service: TestService, token: string) {
  const { data, code } = await createTestClient(service.url, token).ask(ME);
  return code ?? data.me;
}

describe("Google's ID token", () => {
  it("is accepted as it is, in both spellings of the issuer, for one user", async (t) => {
    const service = await startTestService({
      workers: 0,
      env: {
        JWT_PUBLIC_KEY: "",
        JWT_JWKS_URL: keysUrl,
        JWT_ISSUER: "https://accounts.google.com",
        JWT_AUDIENCE: CLIENT_ID,
      },
    });
    t.after(() => service.close());
    const { id, ...user } = await whoIs(service, await provider.idToken());
    assert.deepEqual(user, {
      email: "ann@example.com",
      name: "Ann Example",
      picture: "https://lh3.googleusercontent.com/a/ann=s96-c",
    });
    const short = await provider.idToken({ iss: "accounts.google.com" });
    assert.equal((await whoIs(service, short)).id, id);
    for (const claims of [{ aud: "another-app" }, { iss: "https://accounts.example.com" }])
      assert.equal(await whoIs(service, await provider.idToken(claims)), "UNAUTHENTICATED");
  });
});

describe("the example for signing in", () => {
  const stops: (() => void)[] = [];
  after(() => stops.forEach((stop) => stop()));

  /** Starts the example with this signing key, and returns its address. */
  async function startExample({ path }: { path: string }): Promise<string> {
    const child = spawn(process.execPath, [SERVER], {
      env: {
        ...process.env,
        ...OURS,
        GOOGLE_CLIENT_ID: CLIENT_ID,
        GOOGLE_KEYS_URL: keysUrl,
        SIGNING_KEY_FILE: path,
        SERVICE_URL: "http://127.0.0.1:4000/",
        PORT: "0",
      },
      stdio: ["ignore", "pipe", "ignore"],
    });
    stops.push(() => child.kill());
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    return /http:\S+/.exec(line.toString())?.[0] ?? assert.fail(line.toString());
  }

  /** Opens the page like a browser; the button sends the page's nonce to Google. */
  async function openPage(url: string) {
    const response = await fetch(url);
    const html = await response.text();
    const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
    const nonce = /data-nonce="([^"]+)"/.exec(html)?.[1] ?? assert.fail(html);
    return { response, html, cookie, nonce };
  }

  async function exchange(url: string, credential: string, cookie: string) {
    const response = await fetch(`${url}/session`, {
      method: "POST",
      headers: { "content-type": "application/json", cookie },
      body: JSON.stringify({ credential }),
    });
    const body = (await response.json()) as { token?: string; message?: string };
    return { status: response.status, ...body };
  }

  async function signIn(url: string): Promise<string> {
    const { cookie, nonce } = await openPage(url);
    const { token } = await exchange(url, await provider.idToken({ nonce }), cookie);
    return token ?? assert.fail("no token");
  }

  it("gives the user a token of ours, and the key can be replaced without signing out", async (t) => {
    const [old, next] = [makeKey(), makeKey()];
    const both = await startTestService({
      workers: 0,
      env: { ...OURS, JWT_PUBLIC_KEY: `${old.pem}${next.pem}` },
    });
    t.after(() => both.close());
    const oldToken = await signIn(await startExample(old));
    const { id, ...user } = await whoIs(both, oldToken);
    assert.deepEqual(user, {
      email: "ann@example.com",
      name: "Ann Example",
      picture: "https://lh3.googleusercontent.com/a/ann=s96-c",
    });
    const newToken = await signIn(await startExample(next));
    assert.equal((await whoIs(both, newToken)).id, id);

    const rotated = await startTestService({
      workers: 0,
      env: { ...OURS, JWT_PUBLIC_KEY: next.pem },
    });
    t.after(() => rotated.close());
    assert.equal(await whoIs(rotated, oldToken), "UNAUTHENTICATED");
    assert.equal((await whoIs(rotated, newToken)).email, "ann@example.com");
  });

  it("refuses other ID tokens, and one that was made for another page", async () => {
    const url = await startExample(makeKey());
    const { cookie, nonce } = await openPage(url);
    const refused = {
      status: 401,
      message: "The sign-in has failed: reload the page and try again.",
    };
    for (const claims of [
      { nonce: "another" },
      { aud: "another-app" },
      { iss: "https://accounts.example.com" },
      { email: undefined },
    ])
      assert.deepEqual(
        await exchange(url, await provider.idToken({ nonce, ...claims }), cookie),
        refused,
        JSON.stringify(claims),
      );
    assert.deepEqual(await exchange(url, await provider.idToken({ nonce }), ""), refused);
    assert.deepEqual(await exchange(url, "none", cookie), refused);
    assert.equal((await exchange(url, "a".repeat(20_000), cookie)).status, 413);
    assert.equal((await exchange(url, await provider.idToken({ nonce }), cookie)).status, 200);
  });

  it("shows Google's button on a page that allows no other script", async () => {
    const { response, html } = await openPage(await startExample(makeKey()));
    assert.match(html, new RegExp(`data-client_id="${CLIENT_ID}"`));
    assert.match(html, /"http:\/\/127\.0\.0\.1:4000" \+ "\/#token="/);
    assert.match(response.headers.get("set-cookie") ?? "", /; HttpOnly; SameSite=Strict/);
    const policy = response.headers.get("content-security-policy") ?? "";
    assert.match(
      policy,
      /script-src 'nonce-[\w-]{22}' https:\/\/accounts\.google\.com\/gsi\/client/,
    );
  });
});
