export const OPERATOR_PASSWORD = "a-password-for-tests";

export interface Scrape {
  /** The sum of all samples of this name whose labels hold these; NaN when there is none. */
  value(name: string, labels?: Record<string, string>): number;
  /** Every name, `_bucket`, `_sum` and `_count` cut off. */
  names: Set<string>;
  /** Every value of this label that occurs. */
  values(label: string): Set<string>;
  text: string;
}

/**
 * What an operator is told at `/metrics`, read by a reader of the text format that knows nothing of
 * the library.
 */
export async function scrape(url: string): Promise<Scrape> {
  const response = await fetch(`${url}/metrics`, {
    headers: {
      authorization: `Basic ${Buffer.from(`admin:${OPERATOR_PASSWORD}`).toString("base64")}`,
    },
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
  const samples = [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(
    ([, name = "", labels = "", value]) => ({
      name,
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = "", word = ""]) => [
          key,
          word,
        ]),
      ),
      value: Number(value),
    }),
  );
  return {
    text,
    names: new Set([...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name = ""]) => name)),
    value(name, labels = {}) {
      const found = samples.filter(
        (sample) =>
          sample.name === name &&
          Object.entries(labels).every(([key, word]) => sample.labels[key] === word),
      );
      return found.length === 0 ? Number.NaN : found.reduce((sum, sample) => sum + sample.value, 0);
    },
    values: (label) => new Set(samples.flatMap((sample) => sample.labels[label] ?? [])),
  };
}
