/** The counts of a group, as the API shows them. */
export interface Counts {
  total: number;
  pending: number;
  started: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  finishedAt: string | null;
}

/** For comparisons, and for messages. */
export function countsText(group: Counts): string {
  const { total, pending, started, succeeded, failed, cancelled, finishedAt } = group;
  const counts = [total, pending, started, succeeded, failed, cancelled];
  return `${counts.join(" ")} ${finishedAt !== null}`;
}
