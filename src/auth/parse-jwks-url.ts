/**
 * The address of a JWKS document: https, or http on this machine. Throws an Error with one sentence
 * that does not quote it.
 */
export function parseJwksUrl(text: string): URL {
  if (!URL.canParse(text)) throw new Error("The JWKS address is not a URL.");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new Error("The JWKS address must not hold a user name or password.");
  const allowed =
    url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
  if (!allowed)
    throw new Error("The JWKS address must begin with https:// (http:// on this machine only).");
  return url;
}

// The URL parser has already written every spelling of an IPv4 address (127.1, 0x7f000001) as four
// numbers.
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
