import { readFile } from "node:fs/promises";
import { UsageError } from "./command-line.js";

export interface ServiceAddress {
  url: string;
  token: string;
}

/** The file that `npm start` writes, below the folder in which the command runs. */
const SERVICE_FILE = ".data/service.json";

/**
 * The service's address and token: from the flags, else from the environment, else of the service
 * that runs from this folder. The token of the local service is sent to no other address.
 */
export async function findService(
  flags: { url?: string | undefined; token?: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): Promise<ServiceAddress> {
  const local = await readLocal();
  const url = flags.url ?? env["PHOTO_SERVICE_URL"] ?? local?.url;
  if (url === undefined)
    throw new UsageError(
      "Which service? Pass --url, set PHOTO_SERVICE_URL, or run npm start in this folder.",
    );
  if (!URL.canParse(url))
    throw new UsageError(`"${url}" is not a URL such as https://example.com.`);
  const token =
    flags.token ??
    env["PHOTO_SERVICE_TOKEN"] ??
    (local?.url !== undefined && isSameOrigin(local.url, url) ? local.token : undefined);
  if (!token)
    throw new UsageError(`A token for ${url} is missing: pass --token or set PHOTO_SERVICE_TOKEN.`);
  return { url, token };
}

function isSameOrigin(one: string, other: string): boolean {
  return URL.canParse(one) && new URL(one).origin === new URL(other).origin;
}

async function readLocal(): Promise<Partial<ServiceAddress> | null> {
  try {
    const { url, token } = JSON.parse(await readFile(SERVICE_FILE, "utf8")) as {
      url?: string;
      token?: string | null;
    };
    return { ...(url && { url }), ...(token && { token }) };
  } catch {
    return null;
  }
}
