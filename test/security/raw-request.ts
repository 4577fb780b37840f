import { connect } from "node:net";

export interface RawAnswer {
  /** 0 when the connection was closed without an answer. */
  status: number;
  /** Names in lower case, each with its last value. */
  headers: Record<string, string>;
  body: string;
  /** All that came, as it came. */
  text: string;
}

/**
 * Sends bytes that no library would, and resolves with what comes back until the peer closes; ends
 * it itself after a while.
 */
export function sendRaw(
  url: string,
  request: string | Buffer | (string | Buffer)[],
  timeoutMs = 3000,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname);
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    socket.on("connect", () => [request].flat().forEach((part) => socket.write(part)));
    socket.on("data", (chunk) => chunks.push(chunk));
    // A refusal may come before all was sent: the rest then meets a closed door.
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(parse(Buffer.concat(chunks).toString("latin1")));
    });
  });
}

/** A request's head, with `connection: close`, so that the end of the answer is seen. */
export function head(line: string, headers: string[] = []): string {
  return [`${line} HTTP/1.1`, "host: 127.0.0.1", "connection: close", ...headers, "", ""].join(
    "\r\n",
  );
}

function parse(text: string): RawAnswer {
  const [top = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = top.split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]),
  );
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0),
    headers,
    body: rest.join("\r\n\r\n"),
    text,
  };
}
