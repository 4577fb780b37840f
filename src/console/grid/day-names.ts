// The titles of the days, and of the two groups that are not days.
import { ADDED, UNDATED } from "../library/chunks.js";

const WEEKDAY = { weekday: "short", day: "numeric", month: "short" } as const;
const DATE = { day: "numeric", month: "short", year: "numeric" } as const;

/** A day as people say it: the weekday within this year, the year before it. */
export function dayName(key: string, today = new Date()): string {
  if (key === UNDATED) return "No date";
  if (key === ADDED) return "Recently added";
  const date = new Date(`${key}T12:00:00`);
  if (date.toDateString() === today.toDateString()) return "Today";
  const isThisYear = date.getFullYear() === today.getFullYear();
  return date.toLocaleDateString("en-GB", isThisYear ? WEEKDAY : DATE);
}

export function monthName(key: string): string {
  if (!/^\d/.test(key)) return dayName(key);
  const options = { month: "short", year: "numeric" } as const;
  return new Date(`${key}T12:00:00`).toLocaleDateString("en-GB", options);
}
