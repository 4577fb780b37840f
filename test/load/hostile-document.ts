// What readers get while another user asks over a socket for as many photos as a document may.
//   node dist/test/load/hostile-document.js [--readers 48] [--reads 5000]
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openRawSocket } from "../support/clients/raw-socket.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { say, withLoadService } from "./load-service.js";

interface Page {
  data?: {
    me: { id: string };
    queuedJobs: { totalCount: number; edges: { cursor: string; node: { id: string } }[] };
  } | null;
  errors?: { extensions: { code: string } }[];
}

const { values } = parseArgs({
  options: {
    readers: { type: "string", default: "48" },
    reads: { type: "string", default: "5000" },
  },
});
const PAGE = "{ me { id } queuedJobs(first: 20) { totalCount edges { cursor node { id } } } }";
const SUBMIT = "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }";
const ALIASES = 7;
const SHEETS = 700;
const SHEETS_PER_REQUEST = 50;
const PHOTOS_PER_SHEET = 100;

await withLoadService({ DISABLED_JOBS: "" }, async ({ port, user }) => {
  const url = `http://127.0.0.1:${port}`;
  async function ask(token: string, query: string, variables: object = {}): Promise<Page> {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as Page;
  }

  const { token: hostile } = await user("hostile");
  const runAt = new Date(Date.now() + 3_600_000);
  const uploaded = await fetch(`${url}/photos`, {
    method: "POST",
    headers: { authorization: `Bearer ${hostile}`, "content-type": "image/png" },
    body: smallPhoto(),
  });
  const { id: photoId } = (await uploaded.json()) as { id: string };
  const sheet = {
    job: "contact-sheet",
    photoIds: Array.from({ length: PHOTOS_PER_SHEET }, () => photoId),
    runAt,
  };
  for (let sent = 0; sent < SHEETS; sent += SHEETS_PER_REQUEST)
    await ask(hostile, SUBMIT, { inputs: Array.from({ length: SHEETS_PER_REQUEST }, () => sheet) });

  const readers = await Promise.all(
    Array.from({ length: Number(values.readers) }, async (_, i) => {
      const { token } = await user(`reader-${i}`);
      await ask(token, SUBMIT, {
        inputs: [
          { job: "echo", runAt },
          { job: "echo", runAt },
          { job: "echo", runAt },
        ],
      });
      return { token, expected: JSON.stringify((await ask(token, PAGE)).data) };
    }),
  );

  const list = "(first: 100) { nodes { photos { id } } }";
  const query = `{
    ${Array.from({ length: ALIASES }, (_, i) => `a${i}: queuedJobs${list}`).join(" ")} }`;
  let over = false;
  const documents: Record<string, number> = {};
  async function attack(): Promise<void> {
    const socket = openRawSocket(url);
    await socket.init(hostile);
    for (let id = 1; !over; id++) {
      socket.send({ type: "subscribe", id: `${id}`, payload: { query } });
      const { type, payload } = await socket.next(
        "it is answered",
        (message) => message.id === `${id}`,
      );
      const errors = Array.isArray(payload) ? payload : payload?.errors;
      const outcome = errors?.[0]?.extensions?.code ?? errors?.[0]?.message ?? type;
      documents[outcome] = (documents[outcome] ?? 0) + 1;
      socket.messages.length = 0;
    }
    socket.close();
  }

  const told: Record<string, number> = { right: 0, wrong: 0 };
  let left = Number(values.reads);
  async function read({ token, expected }: { token: string; expected: string }): Promise<void> {
    while (left-- > 0) {
      const { data, errors } = await ask(token, PAGE).catch((error: Error): Page => ({
        errors: [{ extensions: { code: String(error.cause ?? error) } }],
      }));
      const outcome =
        errors?.[0]?.extensions.code ?? (JSON.stringify(data) === expected ? "right" : "wrong");
      told[outcome] = (told[outcome] ?? 0) + 1;
    }
  }
  const attacking = attack();
  await pause(500);
  await Promise.all(readers.map(read));
  over = true;
  await attacking;
  say(`reads: ${JSON.stringify(told)}; hostile documents: ${JSON.stringify(documents)}`);
});
