import type { Pixels } from "./pixels.js";

/**
 * The mean of the sRGB values as `#rrggbb`, each pixel weighing as much as it is opaque; black for
 * a picture that is all transparent. Not in linear light: it stands for the picture where browsers
 * blur it, and they mix sRGB values.
 */
export function averageColorOf({ data, channels }: Pixels): string {
  const sums: [number, number, number] = [0, 0, 0];
  let weights = 0;
  for (let at = 0; at < data.length; at += channels) {
    const weight = channels === 4 ? byte(data, at + 3) / 255 : 1;
    weights += weight;
    for (const channel of [0, 1, 2] as const) sums[channel] += weight * byte(data, at + channel);
  }
  const hex = sums.map((sum) =>
    Math.round(weights === 0 ? 0 : sum / weights)
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${hex.join("")}`;
}

function byte(data: Buffer, at: number): number {
  return data[at] ?? 0;
}
