import type { JobName } from "../generated/jobs.js";
import type { Reference } from "../queued-jobs.js";
import type { GroupJob } from "./types.js";

type Sources = "photos" | "photosFrom" | "after";

/** A job that each photo takes, or one for the pictures of all photos. */
export type PipelineStep = {
  [Name in JobName]: Omit<GroupJob<Name>, Sources> & {
    /** True for one job that takes the pictures of all photos, such as `archive`. */
    joins?: boolean | undefined;
  };
}[JobName];

interface Branch {
  prefix: string;
  from: { photos: Reference[]; photosFrom: string[] };
}

/**
 * The jobs of a group in which each photo takes all steps in turn, each on the pictures of the step
 * before. Their keys are number of the photo and Job, such as `1-scrub`; a step that joins has the
 * name of its Job as key.
 */
export function pipeline(
  photos: readonly Reference[],
  steps: readonly PipelineStep[],
): Record<string, GroupJob> {
  const jobs: Record<string, GroupJob> = {};
  let branches = photos.map((photo, i): Branch => ({
    prefix: `${i + 1}-`,
    from: { photos: [photo], photosFrom: [] },
  }));
  for (const { joins = false, ...step } of steps) {
    if (joins) branches = [joined(branches)];
    branches = branches.map(({ prefix, from }) => {
      const key = freeKey(jobs, prefix + step.job);
      jobs[key] = { ...step, ...from };
      return { prefix, from: { photos: [], photosFrom: [key] } };
    });
  }
  return jobs;
}

function joined(branches: readonly Branch[]): Branch {
  const photos = branches.flatMap(({ from }) => from.photos);
  const photosFrom = branches.flatMap(({ from }) => from.photosFrom);
  return { prefix: "", from: { photos, photosFrom } };
}

/** The second step with the same Job has the key `1-scrub-2`. */
function freeKey(jobs: Record<string, GroupJob>, name: string): string {
  let key = name;
  for (let i = 2; key in jobs; i++) key = `${name}-${i}`;
  return key;
}
