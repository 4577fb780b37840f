import { get } from "node:http";
import { EmbeddedError } from "../../embedded/embedded-error.js";
import { waitUntil } from "../../embedded/processes/wait-until.js";
import { developmentSignIn } from "../create-verifier.js";
import { type CompleteConfig, version } from "../read-config.js";
import type { ServiceFile } from "./service-file.js";

const READY_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 20;
const ANSWER_TIMEOUT_MS = 2000;

/** Describes the started service; with a token if the development key is accepted. */
export async function describeService(config: CompleteConfig): Promise<ServiceFile> {
  const { host, port, workerPort, dataFolder, databaseUrl, redisUrl } = config;
  const url = addressOf(host, port);
  const token = (await developmentSignIn(config)?.()) ?? null;
  return {
    pid: process.pid,
    version,
    url,
    graphql: `${url}/graphql`,
    subscriptions: `${url.replace(/^http/, "ws")}/graphql`,
    console: token === null ? `${url}/` : `${url}/#token=${token}`,
    explorer: config.explorer ? `${url}/explorer/` : null,
    queues: config.adminPassword === null ? null : `${url}/admin/queues`,
    health: `${url}/health/ready`,
    workerHealth: `${addressOf(host, workerPort)}/health/ready`,
    token,
    dataFolder,
    databaseUrl,
    redisUrl,
    startedAt: new Date().toISOString(),
  };
}

function addressOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * Resolves when all processes `listen` and every address answers 200. Throws after a minute, or
 * when `closing` is aborted.
 */
export async function waitUntilReady(
  urls: string[],
  { listen, closing }: { listen: () => boolean; closing: AbortSignal },
): Promise<void> {
  const areReady = async () => listen() && (await Promise.all(urls.map(answers))).every(Boolean);
  if (
    await waitUntil(areReady, {
      deadlineMs: READY_TIMEOUT_MS,
      everyMs: POLL_INTERVAL_MS,
      signal: closing,
    })
  )
    return;
  throw new EmbeddedError(
    `The service was started but is not ready after ${READY_TIMEOUT_MS / 1000} s: run ` +
      "LOG_LEVEL=info npm start to see why.",
  );
}

/** fetch() is not used, because loading it takes longer than these requests. */
function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: ANSWER_TIMEOUT_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once("timeout", () => request.destroy(new Error("no answer")));
    request.once("error", () => resolve(false));
  });
}

/**
 * A short aligned list for people. It shows the admin password if it was generated here, and uses
 * colours if `depth` allows.
 */
export function renderService(
  service: ServiceFile,
  { newPassword, depth }: { newPassword: string | null; depth: number },
): string {
  const style = (code: number, text: string): string =>
    depth > 1 ? `\u001b[${code}m${text}\u001b[0m` : text;
  const rows = [
    ["Sign in", style(36, service.console)],
    ["API", `${style(36, service.graphql)}   (subscriptions: ${service.subscriptions})`],
    ...(service.explorer === null ? [] : [["Explorer", style(36, service.explorer)]]),
    ["Schema", `${service.graphql}/schema.graphql`],
    ...(service.queues === null
      ? []
      : [
          [
            "Queues",
            `${service.queues}   (user admin, password ${newPassword ?? "as in ADMIN_PASSWORD"})`,
          ],
        ]),
    ["Health", service.health],
    ["Data", service.dataFolder],
    ["Try first", style(1, "npm run demo -- photo.jpg")],
    ["Stop", "Ctrl-C; the data is kept"],
  ];
  const title = style(1, `The Photo Service ${service.version} is ready.`);
  const lines = rows.map(([name = "", value]) => `  ${style(2, name.padEnd(10))} ${value}`);
  return `\n${title}\n\n${lines.join("\n")}\n\n`;
}
