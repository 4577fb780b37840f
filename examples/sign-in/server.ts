// node dist/examples/sign-in/server.js
// A page with Google's button, and POST /session, which exchanges the ID token for a token of the
// photo service. README.md lists the variables.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { AddressInfo } from "node:net";
import { pageHeaders, signInPage } from "./page.js";
import { createSignIn, GOOGLE_KEYS } from "./sign-in.js";

const COOKIE = "sign_in_nonce";
const MAX_BODY_BYTES = 16_384;

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: see examples/sign-in/README.md.`);
  return value;
}

const { env } = process;
const clientId = required("GOOGLE_CLIENT_ID");
const serviceUrl = (env["SERVICE_URL"] ?? "http://127.0.0.1:4000").replace(/\/+$/, "");
const signIn = await createSignIn({
  clientId,
  signingKey: await readFile(required("SIGNING_KEY_FILE"), "utf8"),
  issuer: required("JWT_ISSUER"),
  audience: required("JWT_AUDIENCE"),
  keysUrl: env["GOOGLE_KEYS_URL"] ?? GOOGLE_KEYS,
});

/** The nonce is in the page and in a cookie, so that only the browser that got it can use it. */
function sendPage(response: ServerResponse): void {
  const [nonce, scriptNonce] = [random(), random()];
  response.setHeader("set-cookie", `${COOKIE}=${nonce}; HttpOnly; SameSite=Strict; Path=/`);
  response.writeHead(200, pageHeaders(scriptNonce));
  response.end(signInPage({ clientId, nonce, scriptNonce, serviceUrl }));
}

async function exchange(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const nonce = new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? "")?.[1];
  if (Number(request.headers["content-length"] ?? Infinity) > MAX_BODY_BYTES)
    return send(response, 413, { message: "The request is too large." });
  try {
    const { credential } = JSON.parse(await text(request)) as { credential: string };
    send(response, 200, await signIn.exchange(credential, nonce ?? ""));
  } catch (error) {
    process.stderr.write(`a sign-in was refused: ${String(error)}\n`);
    send(response, 401, { message: "The sign-in has failed: reload the page and try again." });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}

function random(): string {
  return randomBytes(16).toString("base64url");
}

const server = createServer((request, response) => {
  if (request.method === "GET" && request.url === "/") sendPage(response);
  else if (request.method === "POST" && request.url === "/session")
    void exchange(request, response);
  else send(response, 404, { message: "Not found." });
});
server.listen(Number(env["PORT"] ?? 8080), env["HOST"] ?? "127.0.0.1", () => {
  const { address, port } = server.address() as AddressInfo;
  process.stdout.write(`Sign in at http://${address}:${port}\n`);
});
