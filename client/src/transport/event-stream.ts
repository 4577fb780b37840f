import { throwFirst, UnreachableError, type SentError } from "../errors.js";
import type { Subscribe, Subscription } from "./event-socket.js";
import { reasonOf, send } from "./requests.js";
import { withToken, type Token } from "./token.js";
import { withSignal } from "./with-signal.js";

/**
 * The service sends a comment at once, and then every 12 seconds; a longer silence means a lost
 * connection.
 */
const SILENCE_MS = 20_000;

/** Subscribes over Server-Sent Events, where WebSockets are blocked or do not exist. */
export function createEventStream({ url, token }: { url: string; token: Token }): Subscribe {
  return (subscription) =>
    withToken(token, (current) =>
      withSignal(
        subscription.signal,
        (signal, renew) =>
          readStream(
            () => send(`${url}/graphql/stream`, { token: current, body: subscription, signal }),
            subscription,
            renew,
          ).catch((error: unknown) => Promise.reject(reasonOf(error, signal))),
        { timeoutMs: SILENCE_MS },
      ),
    );
}

async function readStream(
  request: () => Promise<Response>,
  subscription: Subscription,
  onBytes: () => void,
): Promise<void> {
  const response = await request();
  const { body, headers } = response;
  if (!body || !headers.get("content-type")?.startsWith("text/event-stream")) {
    const { errors } = (await response.json()) as { errors?: SentError[] };
    throwFirst(errors);
    throw new UnreachableError();
  }
  subscription.onOpen();
  await readFrames(body.getReader(), subscription, onBytes);
}

/** Resolves after the frame `complete`; rejects when the stream ends without it. */
async function readFrames(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { onData }: Subscription,
  onBytes: () => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new UnreachableError();
      onBytes();
      const frames = (text + decoder.decode(value, { stream: true })).split("\n\n");
      text = frames.pop() ?? "";
      for (const frame of frames) if (readFrame(frame, onData)) return;
    }
  } finally {
    // Closes the connection when the stream did not end by itself.
    reader.cancel().catch(() => {});
  }
}

/** Returns true for the last frame. Throws the errors that a frame contains. */
function readFrame(frame: string, onData: (data: unknown) => void): boolean {
  const [, json] = /^data: (.+)$/m.exec(frame) ?? [];
  if (json) {
    const { data, errors } = JSON.parse(json) as { data?: unknown; errors?: SentError[] };
    throwFirst(errors);
    onData(data);
  }
  return frame.startsWith("event: complete");
}
