// The search of the page as the API's input.
import type { PhotoFilter } from "../../../client/src/index.js";
import type { PhotoSearch } from "./address.js";

/** Half of the side of the square around a place, in degrees of latitude. */
const AROUND = 0.1;

export function toPhotoFilter(search: PhotoSearch): PhotoFilter {
  const { text, from, to, camera, kind, like, near } = search;
  return {
    ...(text.trim() && { filename: text.trim() }),
    ...(from && { takenAfter: startOf(from) }),
    ...(to && { takenBefore: startOf(dayAfter(to)) }),
    ...(camera && { camera: [camera] }),
    ...((kind === "uploads" || kind === "kept") && { kept: kind === "kept" }),
    ...(kind === "damaged" && { damaged: true }),
    ...(like && { similarTo: like }),
    ...(near && { within: boxAround(near) }),
  };
}

/** Narrows a filter to whole days, of which the first is the newest. */
export function withinDays(filter: PhotoFilter, newest: string, oldest: string): PhotoFilter {
  return { ...filter, takenAfter: startOf(oldest), takenBefore: startOf(dayAfter(newest)) };
}

const startOf = (day: string): string => `${day}T00:00:00`;

function dayAfter(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 1);
  return date.toISOString().slice(0, 10);
}

function boxAround(near: string): NonNullable<PhotoFilter["within"]> {
  const [latitude = 0, longitude = 0] = near.split(",").map(Number);
  // A degree of longitude is shorter the farther it is from the equator.
  const beside = AROUND / Math.max(0.05, Math.cos((latitude * Math.PI) / 180));
  return {
    south: Math.max(-90, latitude - AROUND),
    north: Math.min(90, latitude + AROUND),
    west: wrapped(longitude - beside),
    east: wrapped(longitude + beside),
  };
}

const wrapped = (longitude: number): number => ((((longitude + 180) % 360) + 360) % 360) - 180;
