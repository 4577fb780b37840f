import type { Socket } from "node:net";
import { parseDatabaseUrl } from "../runtime/store-urls.js";
import { WritableHost } from "./writable-host.js";

/** Options that the driver does not read from a URL. */
interface Place {
  /** The folder of a Unix socket. */
  host?: string;
  /** Opens the connection to one of several hosts. */
  socket?: () => Promise<Socket>;
}

/**
 * Returns the driver's arguments for a database. As in libpq, a URL names a Unix socket by its
 * folder: `postgres://user@/name?host=/run/postgresql`, or an encoded folder as the host. With
 * `target_session_attrs`, connections lead to the host that accepts writes.
 */
export function driverArguments<Options extends object>(
  databaseUrl: string,
  options: Options & Place,
): [url: string, options: Options & Place] {
  const { needsPrimary, ...place } = parseDatabaseUrl(databaseUrl);
  if (needsPrimary) {
    const { connect: socket } = new WritableHost({ needsPrimary, ...place });
    return [place.url, { socket, ...options }];
  }
  const url = new URL(place.url);
  const host = url.searchParams.get("host") ?? decodeURIComponent(url.hostname);
  if (!host.startsWith("/")) return [place.url, options];
  const port = url.searchParams.get("port") ?? url.port;
  // The driver would send the remaining ones to the server as settings.
  for (const name of ["host", "port"]) url.searchParams.delete(name);
  const user = url.username + (url.password && `:${url.password}`);
  const address = `${user && `${user}@`}localhost${port && `:${port}`}`;
  return [`postgres://${address}${url.pathname}${url.search}`, { ...options, host }];
}
