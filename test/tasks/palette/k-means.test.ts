import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { kMeans, type Weighted } from "../../../src/tasks/palette/k-means.js";
import { seededRandom } from "../../support/runner/seeded-random.js";

/** Grey points with lightness and weight. */
const greys = (...points: [lightness: number, weight: number][]): Weighted[] =>
  points.map(([lightness, weight]) => ({ color: [lightness, 0, 0], weight }));
const weightsOf = (clusters: Weighted[]) => clusters.map(({ weight }) => weight);

describe("clusters of colours", () => {
  it("start in large areas, not at a distant speck", () => {
    assert.deepEqual(weightsOf(kMeans(greys([0, 20], [0.4, 10], [1, 0.1]), 2)), [20, 10.1]);
  });

  it("are fewer than requested when colours look the same", () => {
    assert.deepEqual(weightsOf(kMeans(greys([0.5, 3], [0.51, 2], [0.52, 1]), 3)), [6]);
    assert.deepEqual(weightsOf(kMeans(greys([0.5, 3], [0.54, 2]), 3)), [3, 2]);
    assert.deepEqual(kMeans([], 3), []);
  });

  it("contain each colour in the nearest cluster, and are the mean of their colours", () => {
    const chance = seededRandom(5);
    const random = () => chance.below(1000) / 1000;
    const points = Array.from({ length: 400 }, (): Weighted => ({
      color: [random(), random() / 2, random() / 2],
      weight: random(),
    }));
    const clusters = kMeans(points, 6);
    const totals = clusters.map(() => ({ weight: 0, lightness: 0 }));
    for (const { color, weight } of points) {
      const distances = clusters.map((cluster) =>
        Math.hypot(...color.map((value, axis) => value - (cluster.color[axis] ?? 0))),
      );
      const nearest = totals[distances.indexOf(Math.min(...distances))] ?? assert.fail("none");
      nearest.weight += weight;
      nearest.lightness += weight * color[0];
    }
    for (const [at, { weight, lightness }] of totals.entries()) {
      assert(
        Math.abs(weight - (clusters[at]?.weight ?? 0)) < 1e-9,
        `cluster ${at} has ${clusters[at]?.weight}, not ${weight}`,
      );
      assert(Math.abs(lightness / weight - (clusters[at]?.color[0] ?? 0)) < 1e-9);
    }
  });
});
