import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  createLiveGroup,
  finishedGroup,
  pipeline,
  runGroup,
  type GroupMember,
  type PipelineStep,
} from "../../client/src/groups/index.js";
import { createPhotoService, type PhotoService } from "../../client/src/index.js";
import type { DemoPhoto } from "./run-demo.js";
import { createGroupTree, type GroupTree } from "./group-tree.js";

interface PipelineOptions {
  url: string;
  token: string;
  photos: readonly DemoPhoto[];
  /** Folder for the results; each run creates a folder in it. */
  folder: string;
  out: NodeJS.WriteStream;
}

const STEPS: readonly PipelineStep[] = [
  { job: "scrub" },
  { job: "watermark", parameters: { text: "Photo Service" } },
  { job: "thumbnail", parameters: { widths: [640] } },
  { job: "archive", joins: true },
];

/**
 * Uploads photos, runs all steps on them as one group, shows its jobs as a tree, and downloads the
 * archive. Returns true when all jobs succeeded.
 */
export async function runPipeline(options: PipelineOptions): Promise<boolean> {
  const { url, token, photos, folder, out } = options;
  const service = createPhotoService({ url, token });
  try {
    const uploaded = await Promise.all(
      photos.map(({ bytes, filename }) => service.upload(new Blob([bytes]), { filename })),
    );
    const names = photos.map(({ filename }) => filename);
    out.write(
      `Uploaded ${names.length} photos. Submitting one group: ` +
        `${STEPS.map(({ job }) => job).join(" → ")}.\n\n`,
    );
    const group = await runGroup(service, pipeline(uploaded, STEPS), { name: "pipeline" });
    const { status, jobs } = await showGroup(service, group.id, createGroupTree(out, names));
    const paths = await saveArchive(jobs["archive"], resolve(folder, group.id));
    if (paths.length > 0)
      out.write(`\nThe results:\n${paths.map((path) => `  ${path}`).join("\n")}\n`);
    return status === "SUCCESS";
  } finally {
    service.close();
  }
}

/** Shows each change until the group has finished. */
async function showGroup(service: PhotoService, id: string, tree: GroupTree) {
  const live = createLiveGroup(service, id);
  const stop = live.subscribe(() => tree.show(live.getSnapshot()));
  try {
    const { group, jobs } = await finishedGroup(service, id);
    tree.show({ group, jobs: Object.values(jobs), error: null });
    return { status: group.status, jobs };
  } finally {
    stop();
    tree.close();
  }
}

/** Saves the files of a job; returns their paths. */
async function saveArchive(job: GroupMember | undefined, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  return Promise.all(
    (job?.outputs ?? []).map(async ({ name, url }) => {
      const path = join(folder, name);
      await writeFile(path, Buffer.from(await (await fetch(url)).arrayBuffer()));
      return path;
    }),
  );
}
