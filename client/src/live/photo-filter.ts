import type { Photo } from "../types.js";

/** The order of a list of photos, newest first. */
export type PhotoOrder = "UPLOADED" | "TAKEN";

/** Conditions on photos, all of which must hold. */
export interface PhotoFilter {
  /** Inclusive wall-clock time without a zone: `2024-05-06T07:08:09`. */
  takenAfter?: string | undefined;
  /** Exclusive. */
  takenBefore?: string | undefined;
  /** A box of degrees; it crosses the date line if `east` is less than `west`. */
  within?: { south: number; west: number; north: number; east: number } | undefined;
  /** One of these cameras. */
  camera?: readonly string[] | undefined;
  /** Part of the file name, in upper or lower case. */
  filename?: string | undefined;
  damaged?: boolean | undefined;
  /** Only kept outputs, or only uploads. */
  kept?: boolean | undefined;
  /** Near-duplicates of this photo. Only the service finds them, so later ones are not added. */
  similarTo?: string | undefined;
}

/** The fields of a photo on which conditions are set. */
type Filtered = Pick<Photo, "takenAt" | "camera" | "madeBy" | "damaged" | "filename" | "location">;

/** True if the conditions hold, without `similarTo`, which only the service can check. */
export function matches(photo: Filtered, filter: PhotoFilter): boolean {
  const { takenAfter, takenBefore, within, camera, filename, damaged, kept } = filter;
  const takenAt = photo.takenAt ?? "";
  return (
    (takenAfter === undefined || takenAt >= takenAfter) &&
    (takenBefore === undefined || (takenAt !== "" && takenAt < takenBefore)) &&
    (camera === undefined || camera.includes(photo.camera ?? "")) &&
    (kept === undefined || kept === (photo.madeBy !== null)) &&
    (damaged === undefined || damaged === (photo.damaged !== null)) &&
    (filename === undefined || photo.filename.toLowerCase().includes(filename.toLowerCase())) &&
    (within === undefined || (photo.location !== null && isWithin(photo.location, within)))
  );
}

function isWithin(
  { latitude, longitude }: NonNullable<Photo["location"]>,
  { south, west, north, east }: NonNullable<PhotoFilter["within"]>,
): boolean {
  const [isEastOf, isWestOf] = [longitude >= west, longitude <= east];
  const isBetween = west <= east ? isEastOf && isWestOf : isEastOf || isWestOf;
  return latitude >= south && latitude <= north && isBetween;
}

/** Text by which photos are sorted; the greatest comes first. */
export const sortKey = (
  order: PhotoOrder,
  { id, takenAt }: Pick<Photo, "id" | "takenAt">,
): string => (order === "TAKEN" ? `${takenAt ?? ""} ${id}` : id);
