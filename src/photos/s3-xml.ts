interface S3Listing {
  entries: { key: string; modifiedAt: Date }[];
  /** Continuation token of the next page; null after the last. */
  next: string | null;
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * Parses the response to ListObjectsV2. Its elements have no attributes and are not nested in
 * themselves, so it needs no XML parser.
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

/** Returns the text of the first element of this name; null if there is none. */
export function textOf(xml: string, name: string): string | null {
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
