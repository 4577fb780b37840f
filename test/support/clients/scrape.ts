export const OPERATOR_PASSWORD = "a-password-for-tests";

export interface Scrape {
  /** Sum of all samples with this name and these labels; NaN if none exists. */
  value(name: string, labels?: Record<string, string>): number;
  /** All metric names, without `_bucket`, `_sum` and `_count`. */
  names: Set<string>;
  /** All values of this label. */
  values(label: string): Set<string>;
  text: string;
}

/** Reads `/metrics` as an operator, with a parser that is independent of the metrics library. */
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
      const matches = samples.filter(
        (sample) =>
          sample.name === name &&
          Object.entries(labels).every(([key, word]) => sample.labels[key] === word),
      );
      return matches.length === 0
        ? Number.NaN
        : matches.reduce((sum, sample) => sum + sample.value, 0);
    },
    values: (label) => new Set(samples.flatMap((sample) => sample.labels[label] ?? [])),
  };
}
