import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv6, SocketAddress } from "node:net";

export interface Proxies {
  /**
   * Whether what this one says of where a request comes from is believed; `hop` 0 is the one that
   * is connected to us.
   */
  trusts(address: string, hop: number): boolean;
  /**
   * Where a request comes from: the last one on its way whom nobody trusted vouches for, so that
   * nobody can make it up.
   */
  addressOf(
    request: Pick<IncomingMessage, "headers"> & { socket: { remoteAddress?: string | undefined } },
  ): string;
}

/**
 * `trusted`: how many proxies are in front, or their addresses and networks (`10.0.0.0/8`). 0 and
 * none: `x-forwarded-for` is not looked at.
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
 * Whose guesses and requests are counted together: an IPv4 address, or of IPv6 the first 64 bits,
 * since whoever has one address there has all of them. What a trusted proxy says may be anything,
 * and of a peer that has gone already there is no address, whatever the types say.
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
