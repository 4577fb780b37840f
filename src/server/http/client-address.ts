import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv6, SocketAddress } from "node:net";

export interface Proxies {
  /**
   * True if the `x-forwarded-for` value of this address is trusted. `hop` 0 is the connected peer.
   */
  trusts(address: string, hop: number): boolean;
  /**
   * Returns the client's address: the first address, seen from this service, that is not a trusted
   * proxy. A client cannot forge it.
   */
  addressOf(
    request: Pick<IncomingMessage, "headers"> & { socket: { remoteAddress?: string | undefined } },
  ): string;
}

/**
 * `trusted` is the number of proxies in front, or the list of their addresses and networks
 * (`10.0.0.0/8`). With 0 or an empty list, `x-forwarded-for` is ignored.
 */
export function createProxies(trusted: number | readonly string[]): Proxies {
  const trusts =
    typeof trusted === "number"
      ? (_address: string, hop: number) => hop < trusted
      : isListed(trusted);
  return {
    trusts,
    addressOf({ headers, socket }) {
      const forwarded = String(headers["x-forwarded-for"] ?? "")
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean)
        .toReversed();
      const way = [socket.remoteAddress ?? "", ...forwarded];
      const last = way.findIndex((address, hop) => !trusts(address, hop));
      return way.at(last) ?? "";
    },
  };
}

function isListed(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    if (bits === undefined) list.addAddress(address, family(address));
    else list.addSubnet(address, Number(bits), family(address));
  }
  return (address) => isIP(address) !== 0 && list.check(address, family(address));
}

const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");

/**
 * Returns the network whose requests are counted together. It is an IPv4 address, or the first 64
 * bits of an IPv6 address, since one client usually owns all addresses behind them. The value of a
 * trusted proxy can be any text. A disconnected peer has no address, although its type says
 * otherwise.
 */
export function networkOf(address = "gone"): string {
  return isIPv6(address) ? networkOfIPv6(address) : address.toLowerCase().slice(0, 64);
}

function networkOfIPv6(address: string): string {
  const [withoutZone = ""] = address.split("%");
  const canonical = canonicalIPv6(withoutZone);
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(canonical) ?? [];
  if (mapped !== undefined) return mapped;
  const [head = [], tail = []] = canonical
    .split("::")
    .map((part) => part.split(":").filter(Boolean));
  const gap = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return canonicalIPv6(`${[...head, ...gap, ...tail].slice(0, 4).join(":")}::`);
}

const canonicalIPv6 = (address: string) => new SocketAddress({ address, family: "ipv6" }).address;
