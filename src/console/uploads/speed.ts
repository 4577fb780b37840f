/** Time over which the speed is measured. */
const WINDOW_MS = 5000;

/** Measures bytes per second over the last seconds. */
export function createSpeed(clock: () => number = Date.now) {
  let samples: { at: number; bytes: number }[] = [];
  return {
    add(bytes: number): void {
      samples.push({ at: clock(), bytes });
    },
    now(): number {
      const since = clock() - WINDOW_MS;
      samples = samples.filter(({ at }) => at >= since);
      const [first] = samples;
      if (!first) return 0;
      const sum = samples.reduce((total, { bytes }) => total + bytes, 0);
      return sum / (Math.max(500, clock() - first.at) / 1000);
    },
  };
}
