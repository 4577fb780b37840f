export interface S3Listing {
  entries: { key: string; modifiedAt: Date }[];
  /** Asks for the next page; null after the last. */
  next: string | null;
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * The answer to ListObjectsV2. Its elements have no attributes and do not nest in themselves, so
 * that no XML parser is needed.
 */
export function parseS3Listing(xml: string): S3Listing {
  const entries = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, entry = ""]) => ({
    key: textOf(entry, "Key") ?? "",
    modifiedAt: new Date(textOf(entry, "LastModified") ?? Number.NaN),
  }));
  return {
    entries,
    next: textOf(xml, "IsTruncated") === "true" ? textOf(xml, "NextContinuationToken") : null,
  };
}

function textOf(xml: string, name: string): string | null {
  const text = xml.match(new RegExp(`<${name}>(.*?)</${name}>`, "s"))?.[1];
  return text === undefined
    ? null
    : text.replaceAll(
        /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
        (whole, hex?: string, decimal?: string, entity = "") => {
          if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
          return decimal === undefined
            ? (ENTITIES[entity as string] ?? whole)
            : String.fromCodePoint(Number(decimal));
        },
      );
}
