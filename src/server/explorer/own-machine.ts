import type { IncomingMessage } from "node:http";

/** What a proxy adds: behind one, everybody seems to sit at this machine. */
const TRACES_OF_A_PROXY = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
];
const LOOPBACK_PEER = /^(127(\.\d+){3}|::1|::ffff:127(\.\d+){3})$/;
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const OWN_PAGES = ["same-origin", "none"];

/**
 * Whether it is a browser on this machine that opened this address itself: only then may its page
 * hold a development token. The Host counts as well as the peer, for a name of somebody else's can
 * be made to lead here (DNS rebinding); and no page of another origin may read it, though outside
 * production those of this machine may call the API.
 */
export function isOwnMachine({
  headers,
  socket,
}: Pick<IncomingMessage, "headers"> & { socket: { remoteAddress?: string | undefined } }): boolean {
  const site = headers["sec-fetch-site"];
  return (
    LOOPBACK_PEER.test(socket.remoteAddress ?? "") &&
    LOOPBACK_HOST.test(headers.host ?? "") &&
    headers.origin === undefined &&
    (site === undefined || (typeof site === "string" && OWN_PAGES.includes(site))) &&
    !TRACES_OF_A_PROXY.some((name) => name in headers)
  );
}
