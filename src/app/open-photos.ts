import type { ChildFault } from "../child-pool/child-pool.js";
import { createPhotoInspector, type PhotoInspector } from "../imaging/inspect/photo-inspector.js";
import { createRenditionMaker } from "../imaging/renditions/rendition-maker.js";
import type { ImageMetrics } from "../observability/image-metrics.js";
import type { ClosingStack } from "../runtime/lifecycle.js";
import type { Logger } from "../runtime/logger.js";
import { createKeptOutputs, type KeptOutputs } from "../services/photos/kept-outputs.js";
import { createPhotoIntake, type PhotoIntake } from "../services/photos/photo-intake.js";
import { createRenditions, type Renditions } from "../services/photos/renditions.js";
import type { Users } from "../services/users/users.js";
import { CHILD_MEMORY_BYTES, type Core } from "./create-core.js";
import type { CompleteConfig } from "./read-config.js";

interface PhotoParts {
  inspector: PhotoInspector;
  intake: PhotoIntake;
  keptOutputs: KeptOutputs;
  renditions: Renditions;
  /** Starts the child processes before the first upload and the first image. */
  warm(): Promise<void>;
}

interface PhotoPartsDeps {
  core: Core;
  users: Users;
  metrics: { images: ImageMetrics; onChildFault(reason: ChildFault): void };
  log: Logger;
}

/** Creates what takes photos and serves them; the stack closes its child processes. */
export function openPhotos(
  config: CompleteConfig,
  { core, users, metrics, log }: PhotoPartsDeps,
  stack: ClosingStack,
): PhotoParts {
  const children = {
    log,
    maxPixels: config.maxPhotoPixels,
    memoryLimitBytes: CHILD_MEMORY_BYTES,
    onFault: metrics.onChildFault,
  };
  const inspector = createPhotoInspector({ ...children, acceptHeic: config.acceptHeic });
  stack.add("photo inspector", () => inspector.close());
  const shared = {
    ...core,
    users,
    inspector,
    maxUploadBytes: config.maxUploadBytes,
    maxStoredBytes: config.maxStoredBytesPerUser,
  };
  const renditions = createRenditions({
    ...core,
    maker: createRenditionMaker({ ...children, children: config.imageChildren }),
    concurrency: config.imageChildren,
    onAnswer: metrics.images.onAnswer,
    onMade: metrics.images.onMade,
    log,
  });
  stack.add("renditions", () => renditions.close());
  metrics.images.watch(() => renditions.waiting);
  return {
    inspector,
    intake: createPhotoIntake(shared),
    keptOutputs: createKeptOutputs(shared),
    renditions,
    warm: async () => void (await Promise.all([inspector.warm(), renditions.warm()])),
  };
}
