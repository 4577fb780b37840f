import { memoryByThird, type AttackStatistics, type Round } from "./attack-in-rounds.js";
import { quantile } from "./good-client.js";

const MEBIBYTE = 1024 * 1024;

/** Renders the cases, the good client's latencies and the memory of the service as a table. */
export function renderRounds(statistics: AttackStatistics, seconds: number): string {
  const { cases, rounds } = statistics;
  const mib = (bytes: number) => Math.round(bytes / MEBIBYTE);
  const total = Object.values(cases).reduce((sum, count) => sum + count, 0);
  return [
    ...Object.entries(cases).map(
      ([name, count]) => `${name.padEnd(18)} ${String(count).padStart(7)} cases`,
    ),
    `${"together".padEnd(18)} ${String(total).padStart(7)} in ${seconds} s`,
    "",
    "a good client       p50 quiet  attacked   ratio    p99 quiet  attacked   ratio",
    ...rounds.map(
      (round, i) =>
        `  round ${String(i + 1).padEnd(10)} ${columns(round, 0.5)}   ${columns(round, 0.99)}`,
    ),
    `  median of ratios${" ".repeat(20)} × ` +
      `${medianRatio(rounds, 0.5).toFixed(2)}${" ".repeat(26)} × ` +
      `${medianRatio(rounds, 0.99).toFixed(2)}`,
    "",
    `memory: ${mib(rounds[0]?.quiet.memory.at(-1) ?? 0)} MiB before, ` +
      `${memoryByThird(statistics).map(mib).join(", ")} in the thirds of the attack`,
  ].join("\n");
}

function columns(round: Round, share: number): string {
  const ms = (value: number) => `${value.toFixed(1)} ms`.padStart(9);
  return (
    `${ms(quantile(round.quiet.latencies, share))} ` +
    `${ms(quantile(round.attacked.latencies, share))} ` +
    `${`× ${ratio(round, share).toFixed(2)}`.padStart(9)}`
  );
}

function ratio({ quiet, attacked }: Round, share: number): number {
  return quantile(attacked.latencies, share) / quantile(quiet.latencies, share);
}

function medianRatio(rounds: Round[], share: number): number {
  return quantile(
    rounds.map((round) => ratio(round, share)).toSorted((a, b) => a - b),
    0.5,
  );
}
