import { normalizeIP } from "@fastify/rate-limit";

/**
 * Whose guesses and requests are counted together: an IPv4 address, or of IPv6 the first 64 bits,
 * since whoever has one address there has all of them. What a trusted proxy says may be anything,
 * and of a peer that has gone already there is no address, whatever the types say.
 */
export function networkOf(address: string | undefined): string {
  return normalizeIP(address ?? "gone").slice(0, 64);
}
