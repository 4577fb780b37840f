/** A perceptual hash of 16 hex digits as the signed 64-bit number that its column holds. */
export function signedHash(hex: string | null): bigint | null {
  return hex === null ? null : BigInt.asIntN(64, BigInt(`0x${hex}`));
}

/** And back. */
export function hashText(signed: bigint | null): string | null {
  return signed === null ? null : BigInt.asUintN(64, signed).toString(16).padStart(16, "0");
}
