// The URLs of the stores. They may name several hosts, which the class URL does not accept.
import type { ConnectionOptions } from "node:tls";

export interface StoreHost {
  host: string;
  port: number;
}

/** A database on one host, or on several of which one accepts writes. */
export interface DatabasePlace {
  /** The URL with one host and without `target_session_attrs`, as the driver accepts it. */
  url: string;
  hosts: StoreHost[];
  /** True if the host that accepts writes must be found. */
  needsPrimary: boolean;
}

/** Credentials and transport that all servers of a Redis have in common. */
interface RedisAccess {
  username?: string;
  password?: string;
  tls?: ConnectionOptions;
}

export type RedisPlace =
  | { kind: "single"; url: string }
  | {
      kind: "sentinel";
      access: RedisAccess & { db?: number; sentinelUsername?: string; sentinelPassword?: string };
      sentinels: StoreHost[];
      /** Name of the master that the sentinels watch. */
      name: string;
    }
  | { kind: "cluster"; access: RedisAccess; nodes: StoreHost[] };

/** The URL of a store is not accepted. The message continues a sentence about its variable. */
export class StoreUrlError extends Error {}

const PORTS = { postgres: 5432, redis: 6379, sentinel: 26_379 };
const DATABASE_FORMS = "is not a URL that begins with postgres:// or postgresql://";
const REDIS_FORMS =
  "is not a URL that begins with redis://, redis+sentinel:// or redis+cluster://, or with " +
  "rediss instead of redis for TLS";

/** Throws StoreUrlError. */
export function parseDatabaseUrl(text: string): DatabasePlace {
  const { url, hosts } = splitHosts(text, PORTS.postgres) ?? refuse(DATABASE_FORMS);
  if (!/^postgres(ql)?:$/.test(url.protocol)) refuse(DATABASE_FORMS);
  const wanted = url.searchParams.get("target_session_attrs");
  if (wanted === null && hosts.length === 1) return { url: text, hosts, needsPrimary: false };
  const attributes = wanted ?? "any";
  if (!["read-write", "primary", "any"].includes(attributes))
    refuse(`has target_session_attrs=${attributes}: allowed are read-write, primary and any`);
  if (hosts.length > 1 && attributes === "any")
    refuse("names several hosts: add target_session_attrs=read-write, so that the primary is used");
  url.searchParams.delete("target_session_attrs");
  return { url: url.href, hosts, needsPrimary: attributes !== "any" };
}

/** Throws StoreUrlError. */
export function parseRedisUrl(text: string): RedisPlace {
  const [, form] = /^rediss?(?:\+(sentinel|cluster))?:\/\//i.exec(text) ?? refuse(REDIS_FORMS);
  const isSentinel = form?.toLowerCase() === "sentinel";
  const { url, hosts } =
    splitHosts(text, isSentinel ? PORTS.sentinel : PORTS.redis) ??
    refuse("has a host that is not written as host or host:port");
  if (form === undefined) {
    if (hosts.length > 1)
      refuse("names several hosts: begin with redis+sentinel:// or redis+cluster://");
    return { kind: "single", url: text };
  }
  if (hosts.some(({ host }) => host === "")) refuse("names no host");
  const name = decodeURIComponent(url.pathname.replace(/^\//, ""));
  if (isSentinel) return sentinelPlace(url, hosts, name);
  if (name !== "" || url.search !== "")
    refuse("has more than hosts: a cluster has one database and no parameters");
  return { kind: "cluster", access: accessOf(url), nodes: hosts };
}

const SENTINEL_PARAMETERS = ["db", "sentinelUsername", "sentinelPassword"];

function sentinelPlace(url: URL, sentinels: StoreHost[], name: string): RedisPlace {
  if (name === "" || name.includes("/"))
    refuse("names no master: end with its name, as in redis+sentinel://host:26379/name");
  const unknown = [...url.searchParams.keys()].find((key) => !SENTINEL_PARAMETERS.includes(key));
  if (unknown !== undefined)
    refuse(`has the parameter ${unknown}: allowed are ${SENTINEL_PARAMETERS.join(", ")}`);
  const { db, ...logins } = Object.fromEntries(url.searchParams);
  if (db !== undefined && !/^\d{1,5}$/.test(db)) refuse("has a db that is not a whole number");
  const access = { ...accessOf(url), ...logins, ...(db !== undefined && { db: Number(db) }) };
  return { kind: "sentinel", access, sentinels, name };
}

function accessOf({ protocol, username, password }: URL): RedisAccess {
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(protocol.startsWith("rediss") && { tls: {} }),
  };
}

/** Returns the hosts, and the URL with the first of them only; null for a text without a URL. */
function splitHosts(text: string, defaultPort: number): { url: URL; hosts: StoreHost[] } | null {
  const [, start, places = "", rest = ""] =
    /^([a-z+]+:\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)$/is.exec(text) ?? [];
  if (start === undefined) return null;
  const texts = places.split(",").map((place) => `${start}${place}${rest}`);
  if (!texts.every((one) => URL.canParse(one))) return null;
  const urls = texts.map((one) => new URL(one));
  const [url] = urls;
  const hosts = urls.map(({ hostname, port }) => ({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? defaultPort : Number(port),
  }));
  return url ? { url, hosts } : null;
}

function refuse(fault: string): never {
  throw new StoreUrlError(fault);
}
