import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestKey } from "./make-token.js";

export interface KeyServer {
  url: string;
  requests: number;
  answer: RequestListener;
  close(): Promise<void>;
}

/** Starts a real key server on this machine; tests may replace `answer` at any time. */
export async function startKeyServer(answer: RequestListener): Promise<KeyServer> {
  const http = createServer((request, response) => {
    server.requests += 1;
    server.answer(request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const server: KeyServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/jwks.json`,
    requests: 0,
    answer,
    close,
  };
  async function close(): Promise<void> {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  }
  return server;
}

export function answerJson(document: unknown, status = 200): RequestListener {
  return (_, response) =>
    void response
      .writeHead(status, { "content-type": "application/json" })
      .end(JSON.stringify(document));
}

/** Answers with a JWKS document of keys by their kid. */
export function answerKeys(keys: Record<string, TestKey>): RequestListener {
  return answerJson({ keys: Object.entries(keys).map(([kid, key]) => jwk(key, { kid })) });
}

export function jwk(key: TestKey, members: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...key.publicKey.export({ format: "jwk" }), ...members };
}
