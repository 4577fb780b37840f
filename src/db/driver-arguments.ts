/** Options that the driver does not read from a URL. */
interface Place {
  /** The folder of a Unix socket. */
  host?: string;
}

/**
 * Returns the driver's arguments for a database. As in libpq, a URL names a Unix socket by its
 * folder: `postgres://user@/name?host=/run/postgresql`, or an encoded folder as the host.
 */
export function driverArguments<Options extends object>(
  databaseUrl: string,
  options: Options,
): [url: string, options: Options & Place] {
  const url = new URL(databaseUrl);
  const host = url.searchParams.get("host") ?? decodeURIComponent(url.hostname);
  if (!host.startsWith("/")) return [databaseUrl, options];
  const port = url.searchParams.get("port") ?? url.port;
  // The driver would send the remaining ones to the server as settings.
  for (const name of ["host", "port"]) url.searchParams.delete(name);
  const user = url.username + (url.password && `:${url.password}`);
  const place = `${user && `${user}@`}localhost${port && `:${port}`}`;
  return [`postgres://${place}${url.pathname}${url.search}`, { ...options, host }];
}
