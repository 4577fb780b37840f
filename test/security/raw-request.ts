import { connect } from "node:net";

export interface RawAnswer {
  /** HTTP status; 0 if the connection was closed without a response. */
  status: number;
  /** Last value of each header, by name in lower case. */
  headers: Record<string, string>;
  body: string;
  /** The unparsed response. */
  text: string;
}

/**
 * Sends raw bytes without an HTTP library. Resolves with the response when the connection closes,
 * at the latest after the timeout.
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
    // The server may refuse and close before everything is sent.
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(parse(Buffer.concat(chunks).toString("latin1")));
    });
  });
}

/** A request's head. It has `connection: close`, so that the response ends with the connection. */
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
