import type { Jobs } from "../../../client/src/index.js";
import type { Job } from "../types.js";

/**
 * Choices beside the Jobs: several Jobs in turn, each on the pictures of the one before, as one
 * group. A recipe has the parameters of one of its Jobs.
 */
export function recipesOf(jobs: readonly Job[]): Job[] {
  const watermark = jobs.find(({ name }) => name === "watermark");
  const isOffered = ["scrub", "thumbnail", "archive"].every((needed) =>
    jobs.some(({ name }) => name === needed),
  );
  if (!watermark || !isOffered) return [];
  const webSet: Job = {
    ...watermark,
    name: "web-set",
    title: "Web set",
    description:
      "Scrub → Watermark → Thumbnail → Archive: removes personal data from each photo, draws a " +
      "line of text on it, makes a copy of 1,600 pixels, and puts all copies into one ZIP file.",
    steps: (parameters) => [
      { job: "scrub" },
      { job: "watermark", parameters: parameters as Jobs["watermark"]["parameters"] },
      { job: "thumbnail", parameters: { widths: [1600], format: "jpeg" } },
      { job: "archive", joins: true },
    ],
  };
  return [webSet];
}
