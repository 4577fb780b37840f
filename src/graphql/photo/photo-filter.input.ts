import { createHash } from "node:crypto";
import { Field, Float, ID, InputType, registerEnumType } from "type-graphql";
import { InvalidInputError } from "../../domain/errors.js";
import { parseId } from "../../services/reads/ids.js";
import type { GeoBox, PhotoFilter, PhotoOrder } from "../../services/reads/photo-filter.js";
import type { Context } from "../context.js";
import { LocalDateTime } from "../scalars.js";

export const PhotoOrderEnum = { UPLOADED: "UPLOADED", TAKEN: "TAKEN" } as const;

registerEnumType(PhotoOrderEnum, {
  name: "PhotoOrder",
  description: "The order of a list of photos.",
  valuesConfig: {
    UPLOADED: { description: "Newest upload first." },
    TAKEN: {
      description:
        "Newest first by `takenAt`, those without one last; equal times by upload, newest first.",
    },
  },
});

@InputType("GeoBoxInput", { description: "A box on the map, in degrees, its edges included." })
class GeoBoxInput implements GeoBox {
  @Field(() => Float, { description: "Lowest latitude, -90 to 90." })
  south!: number;

  @Field(() => Float, { description: "Western edge, -180 to 180." })
  west!: number;

  @Field(() => Float, { description: "Highest latitude, -90 to 90." })
  north!: number;

  @Field(() => Float, {
    description: "Eastern edge, -180 to 180; less than `west` if the box crosses the date line.",
  })
  east!: number;
}

@InputType("PhotoFilter", {
  description: "Conditions on photos, all of which must hold. An omitted condition matches all.",
})
export class PhotoFilterInput {
  @Field(() => LocalDateTime, { nullable: true, description: "Taken at this time or later." })
  takenAfter?: string | null;

  @Field(() => LocalDateTime, { nullable: true, description: "Taken before this time." })
  takenBefore?: string | null;

  @Field(() => GeoBoxInput, { nullable: true, description: "Taken within this box." })
  within?: GeoBoxInput | null;

  @Field(() => [String], {
    nullable: true,
    description: "Taken with one of these cameras, as in `Photo.camera`; at most 100.",
  })
  camera?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description: "Part of the file name, in upper or lower case; at most 200 characters.",
  })
  filename?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: "Only photos whose picture could not be decoded (true), or could be (false).",
  })
  damaged?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: "Only kept outputs (true), or only uploads (false).",
  })
  kept?: boolean | null;

  @Field(() => ID, {
    nullable: true,
    description: "Near-duplicates of this photo of yours, as the `hash` Job finds them.",
  })
  similarTo?: string | null;
}

const MAX_CAMERAS = 100;
const MAX_CHARACTERS = 200;
const LIMITS = { south: 90, north: 90, west: 180, east: 180 } as const;

/** Throws InvalidInputError for values out of range, and for `similarTo` of another user. */
export async function parsePhotoFilter(
  input: PhotoFilterInput | null | undefined,
  { user, photos }: Pick<Context, "user" | "photos">,
): Promise<PhotoFilter> {
  const { within = null, camera = null, filename = null, similarTo = null } = input ?? {};
  for (const [name, limit] of Object.entries(LIMITS))
    if (within && Math.abs(within[name as keyof GeoBox]) > limit)
      refuse(["within", name], `must be -${limit} to ${limit}`);
  if (camera && camera.length > MAX_CAMERAS)
    refuse(["camera"], `must have at most ${MAX_CAMERAS} entries`);
  const length = filename?.length ?? 1;
  if (length < 1 || length > MAX_CHARACTERS)
    refuse(["filename"], `must have 1 to ${MAX_CHARACTERS} characters`);
  const path = ["filter", "similarTo"];
  const similar = similarTo === null ? null : await photos.find(user, parseId(similarTo, path));
  if (similarTo !== null && similar?.userId !== user.id)
    refuse(["similarTo"], "is not one of your photos");
  return {
    takenAfter: input?.takenAfter ?? null,
    takenBefore: input?.takenBefore ?? null,
    within,
    cameras: camera,
    filename,
    damaged: input?.damaged ?? null,
    kept: input?.kept ?? null,
    similarTo: similar && { id: similar.id, phash: similar.phash },
  };
}

function refuse(path: string[], message: string): never {
  throw InvalidInputError.at(["filter", ...path], message);
}

/**
 * Identifies a list in its cursors. It is empty for the list without order and filter, whose
 * cursors are those of earlier releases.
 */
export function listTag(order: PhotoOrder, filter: PhotoFilter): string {
  const { similarTo, ...others } = filter;
  const isPlain =
    order === "UPLOADED" && Object.values(filter).every((condition) => condition === null);
  const list = [order, others, similarTo?.id ?? null];
  return isPlain
    ? ""
    : `${createHash("sha256").update(JSON.stringify(list)).digest("hex").slice(0, 16)} `;
}
