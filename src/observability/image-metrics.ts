import { Counter, Histogram } from "prom-client";
import { gauge, PREFIX, type MetricsPage } from "./metrics-page.js";

const OUTCOMES = ["made", "stored", "unreadable", "refused", "failed"] as const;
type Outcome = (typeof OUTCOMES)[number];

const SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Metrics of the images of photos that an API makes and serves. */
export interface ImageMetrics {
  /** Records how a request for an image ended; concurrent requests for one image count once. */
  onAnswer(outcome: Outcome): void;
  /** Records the time in which a child made an image. */
  onMade(seconds: number): void;
  /** Reports the number of images that wait for a child. */
  watch(waiting: () => number): void;
}

export function createImageMetrics({ registry }: MetricsPage): ImageMetrics {
  const images = new Counter({
    name: `${PREFIX}images_total`,
    help: "Images of photos that were requested, by outcome",
    labelNames: ["outcome"],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: `${PREFIX}image_duration_seconds`,
    help: "Time in which a child process made an image, without the wait",
    buckets: SECONDS,
    registers: [registry],
  });
  for (const outcome of OUTCOMES) images.inc({ outcome }, 0);
  return {
    onAnswer: (outcome) => images.inc({ outcome }),
    onMade: (time) => seconds.observe(time),
    watch(waiting) {
      gauge(registry, {
        name: "images_waiting",
        help: "Images that wait for a child process of this API",
        collect() {
          this.set(waiting());
        },
      });
    },
  };
}
