import type { TaskPhoto } from "./define-task.js";

/** The photo of a task that takes exactly one. */
export function onlyPhoto(photos: TaskPhoto[]): TaskPhoto {
  const [photo] = photos;
  if (photo === undefined) throw new Error("It takes one photo and got none.");
  return photo;
}
