// An attack runs one case. It resolves with a sentence if the service misbehaved, else with null.
import type { SeededRandom } from "../../support/runner/seeded-random.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { HOSTILE_DOCUMENTS } from "../documents/hostile-documents.js";
import { head, sendRaw } from "../raw-request.js";
import { frame, openRawWebSocket } from "../raw-websocket.js";
import { judge } from "./judge.js";
import { mutateBytes, mutateText } from "./mutate.js";
import { nestLists } from "./nested-lists.js";

export interface Target {
  url: string;
  token: string;
  /** Path and query of a URL for a photo of the attacker. */
  fileUrl: string;
}

export type Attack = (random: SeededRandom, target: Target) => Promise<string | null>;

const DOCUMENTS = [
  "{ me { id email limits { unfinished storedBytes } queuedJobs(first: 5) { totalCount " +
    "nodes { id status history { type } } } } }",
  "query ($id: ID!, $n: Int = 3) { node(id: $id) { __typename ... on User { name } ... " +
    "on Photo { url queuedJobs(first: $n) { eventCursor } } } queuedJob(id: $id) { ...F } " +
    "} fragment F on QueuedJob { id photos { id } outputs { url } }",
  "query ($f: QueuedJobFilter) { queuedJobs(first: 10, filter: $f) { edges { cursor node " +
    "{ job { name parameterSchema } error { code } } } pageInfo { hasNextPage endCursor } " +
    "} }",
  "mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { id version status " +
    "queuePosition } }",
  "mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }",
  "query ($n: Int, $c: String) { photos(last: $n, before: $c) { nodes { id } pageInfo { " +
    "hasPreviousPage startCursor } } me { queuedJobs(last: 4) { pageInfo { hasNextPage } } } }",
  '{ jobs(first: 2, after: "x") { nodes @include(if: true) { name } } a: photos(first: ' +
    "1) { nodes { id } } }",
  ...HOSTILE_DOCUMENTS.filter(({ query }) => query.length < 3000).map(({ query }) => query),
];
const VARIABLES = [
  '{"id":"0198f3a0-0000-7000-8000-000000000000","n":3,"c":"AwAAAAAAAQAwMTk4",' +
    '"f":{"status":["SUCCESS"],"job":["echo"]},"input":{"job":"echo",' +
    '"parameters":{"message":[1,{"a":"b"}],"durationMs":0},"priority":5}}',
  '{"id":"echo","n":100,"f":{},' +
    '"input":{"job":"thumbnail","photoIds":["0198f3a0-0000-7000-8000-000000000000"],' +
    '"parameters":{"widths":[16,32]},"runAt":"2026-01-01T00:00:00Z",' +
    '"idempotencyKey":"k","fresh":true}}',
];

const STREAMED = [
  "subscription { queuedJobEvents { cursor type at queuedJob { id status progress result } } }",
  "subscription ($id: ID, $a: String) { queuedJobEvents(queuedJobId: $id, after: $a, " +
    "includeProgress: false) { type queuedJob { history { type } photos { url } } } }",
  ...DOCUMENTS.slice(0, 3),
];

async function post(url: string, token: string, body: string): Promise<string | null> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body,
  });
  return judge(response.status, await response.text());
}

/** Mutates a valid or hostile document, often its variables, and sometimes the JSON around them. */
const fuzzDocuments: Attack = (random, { url, token }) => {
  const query = mutateText(random, random.pick(DOCUMENTS));
  const variables = random.below(2)
    ? random.pick(VARIABLES)
    : mutateText(random, random.pick(VARIABLES));
  const body = `{"query":${JSON.stringify(query)},"variables":${variables}}`;
  return post(url, token, random.below(10) === 0 ? mutateText(random, body) : body);
};

/** Short documents with long responses. */
const fuzzNestedLists: Attack = (random, { url, token }) =>
  post(url, token, JSON.stringify({ query: nestLists(random) }));

/** Mutates bits, parts and claims of a valid token. None of these tokens may be accepted. */
const fuzzTokens: Attack = async (random, { url, token }) => {
  const parts = token.split(".");
  const at = random.below(3);
  const decoded = Buffer.from(parts[at] ?? "", "base64url");
  const changes = [
    () => parts.with(at, mutateBytes(random, decoded).toString("base64url")).join("."),
    () =>
      parts
        .with(at, Buffer.from(mutateText(random, decoded.toString("latin1"))).toString("base64url"))
        .join("."),
    () => mutateText(random, token).replaceAll(/[^\x21-\x7e]/g, ""),
    () => parts.with(at, parts[random.below(3)] ?? "").join("."),
  ];
  const forged = random.pick(changes)();
  if (forged === token) return null;
  const { status, body } = await sendRaw(url, [
    head("POST /graphql", [
      `authorization: Bearer ${forged}`,
      "content-type: application/json",
      "content-length: 21",
    ]),
    '{"query":"{me{email}}"',
  ]);
  if (status === 200 || body.includes("@example.test"))
    return `a forged token was accepted: ${forged}`;
  return judge(status, body);
};

const FORM = (boundary: string, photo: Buffer) =>
  Buffer.concat([
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; ` +
        `filename="a.png"\r\ncontent-type: image/png\r\n\r\n`,
    ),
    photo,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);

/** Mutates a photo or a form with a photo: bytes, boundaries, lengths and headers. */
const fuzzUploads: Attack = async (random, { url, token }) => {
  const isForm = random.below(3) > 0;
  const sound = isForm ? FORM("x", smallPhoto()) : smallPhoto();
  const body =
    isForm && random.below(2)
      ? Buffer.from(mutateText(random, sound.toString("latin1")), "latin1")
      : mutateBytes(random, sound);
  const boundary = random.below(4)
    ? "x"
    : mutateText(random, "x")
        .replaceAll(/[^\x21-\x7e]/g, "")
        .slice(0, 100);
  const type = isForm ? `multipart/form-data; boundary=${boundary}` : "image/png";
  const length = random.below(8) ? body.length : random.below(body.length * 2 + 1);
  const name = encodeURIComponent(mutateText(random, "../photo name.png").toWellFormed()).slice(
    0,
    2000,
  );
  const answer = await sendRaw(
    url,
    [
      head("POST /photos", [
        `authorization: Bearer ${token}`,
        `content-type: ${type}`,
        `content-length: ${length}`,
        `x-filename: ${name}`,
      ]),
      body,
    ],
    500,
  );
  return judge(answer.status, answer.body);
};

/** Mutates the frames of a valid conversation: opcodes, lengths, masks, fragments and bytes. */
const fuzzFrames: Attack = async (random, { url, token }) => {
  const raw = await openRawWebSocket(url);
  const messages = [
    { type: "connection_init", payload: { authorization: `Bearer ${token}` } },
    ...[1, 2].map((id) => ({
      type: "subscribe",
      id: `${id}`,
      payload: { query: random.pick(DOCUMENTS) },
    })),
    { type: "ping" },
    { type: "complete", id: "1" },
  ].map((message) => JSON.stringify(message));
  const bytes = messages.map((message, i) => {
    const text = i > 0 && random.below(3) === 0 ? mutateText(random, message) : message;
    const shape = random.below(4)
      ? {}
      : {
          opcode: random.below(16),
          fin: random.below(4) > 0,
          reserved: random.below(8) ? 0 : random.below(8),
          masked: random.below(8) > 0,
          ...(random.below(4) === 0 && { length: random.below(300_000) }),
        };
    return i === 0 ? frame(text) : frame(text, shape);
  });
  const all = Buffer.concat(bytes);
  raw.write(random.below(3) ? all : mutateBytes(random, all));
  await new Promise((resolve) => setTimeout(resolve, random.below(40)));
  if (random.below(2)) raw.socket.resetAndDestroy();
  else raw.socket.destroy();
  return judge(raw.status === 101 ? 200 : raw.status, raw.received);
};

/** Sends the same documents to event streams; half of the readers leave before the end. */
const fuzzStreams: Attack = async (random, { url, token }) => {
  const query = random.below(3)
    ? mutateText(random, random.pick(STREAMED))
    : random.pick(DOCUMENTS);
  const body = Buffer.from(
    `{"query":${JSON.stringify(query)},"variables":${random.pick(VARIABLES)}}`,
  );
  const accept = random.below(8)
    ? "text/event-stream"
    : mutateText(random, "text/event-stream").replaceAll(/[^\x21-\x7e]/g, "");
  const { status, body: text } = await sendRaw(
    url,
    [
      head("POST /graphql/stream", [
        `authorization: Bearer ${token}`,
        "content-type: application/json",
        `accept: ${accept}`,
        `content-length: ${body.length}`,
      ]),
      body,
    ],
    random.below(2) ? 30 : 300,
  );
  return judge(status, text);
};

/** Mutates path, expiry and signature of a signed URL. None of these URLs may return a file. */
const fuzzFileUrls: Attack = async (random, { url, fileUrl }) => {
  const forged = mutateText(random, fileUrl)
    .replaceAll(/[^\x21-\x7e]|#/g, "")
    .slice(0, 8000);
  const { status, body } = await sendRaw(
    url,
    head(`GET ${forged.startsWith("/") ? forged : `/${forged}`}`),
    500,
  );
  // Additional query parameters do not make a URL invalid.
  const isValid = rightOf(forged) === rightOf(fileUrl);
  if (body.includes("PNG") && !isValid) return `a forged URL returned the file: ${forged}`;
  return judge(status, body);
};

/** The parts of a file's URL that the signature covers, and the signature. */
function rightOf(url: string): string {
  const [path, query = ""] = url.split(/\?(.*)/s);
  const parameters = new URLSearchParams(query);
  return JSON.stringify([path, parameters.getAll("exp"), parameters.getAll("sig")]);
}

export const ATTACKS: Record<string, Attack> = {
  "GraphQL documents": fuzzDocuments,
  "nested lists": fuzzNestedLists,
  tokens: fuzzTokens,
  uploads: fuzzUploads,
  "WebSocket frames": fuzzFrames,
  "event streams": fuzzStreams,
  "signed URLs": fuzzFileUrls,
};
