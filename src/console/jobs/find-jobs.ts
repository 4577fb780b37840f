import type { JobList } from "./job-list.js";

/** The rows of the list, in which each group takes the place of its newest job. */
export function foldGroups(list: Pick<JobList, "row">, ids: readonly string[]): readonly string[] {
  return [...new Set(ids.map((id) => list.row(id)?.peek().group?.id ?? id))];
}

/** The rows whose title, message or photo names contain the text, among those that were read. */
export function findJobs(
  list: Pick<JobList, "row">,
  ids: readonly string[],
  text: string,
): readonly string[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return ids;
  return ids.filter((id) => {
    const row = list.row(id)?.value;
    if (!row) return false;
    const { job, error, photos } = row;
    return [id, job.title, error?.message ?? "", ...photos.map(({ filename }) => filename)].some(
      (part) => part.toLowerCase().includes(wanted),
    );
  });
}
