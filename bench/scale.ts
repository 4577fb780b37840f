/**
 * Amounts of the measurements. Where a number stands beside the seconds, both must be reached: on a
 * busy machine, too few jobs run in that time to warm up the processes.
 */
export interface Scale {
  rounds: number;
  throughput: { submitters: number; warmUpJobs: number; seconds: number; jobs: number };
  /** Users with a feed each, who submit in turns. The warm-up ends at the number or the time. */
  crowds: {
    few: number;
    many: number;
    warmUpJobs: number;
    warmUpSeconds: number;
    seconds: number;
    jobs: number;
  };
  latency: { perSecond: number; seconds: number };
  /** Sockets stay idle for `settleSeconds` before the memory is read. */
  fanOut: { sockets: readonly number[]; seconds: number; settleSeconds: number };
  page: { connections: number; warmUpRequests: number; seconds: number; requests: number };
  history: { few: number; many: number; seconds: number };
  thumbnails: { photos: number };
  groups: { groups: number; size: number };
  /** Idle time before the memory of a process is read. */
  idleSeconds: number;
}

export const FULL: Scale = {
  rounds: 3,
  throughput: { submitters: 64, warmUpJobs: 3000, seconds: 10, jobs: 2000 },
  crowds: { few: 64, many: 2000, warmUpJobs: 3000, warmUpSeconds: 5, seconds: 8, jobs: 200 },
  latency: { perSecond: 50, seconds: 10 },
  fanOut: { sockets: [2000, 5000], seconds: 5, settleSeconds: 1.5 },
  page: { connections: 32, warmUpRequests: 1500, seconds: 6, requests: 1500 },
  history: { few: 1000, many: 1_000_000, seconds: 5 },
  thumbnails: { photos: 40 },
  groups: { groups: 20, size: 500 },
  idleSeconds: 5,
};

/** Under a minute on two idle cores. */
export const QUICK: Scale = {
  rounds: 1,
  throughput: { submitters: 64, warmUpJobs: 600, seconds: 2, jobs: 600 },
  crowds: { few: 64, many: 500, warmUpJobs: 600, warmUpSeconds: 2, seconds: 2, jobs: 100 },
  latency: { perSecond: 50, seconds: 2 },
  fanOut: { sockets: [1000], seconds: 1, settleSeconds: 0.5 },
  page: { connections: 32, warmUpRequests: 500, seconds: 1, requests: 400 },
  history: { few: 1000, many: 100_000, seconds: 2 },
  thumbnails: { photos: 8 },
  groups: { groups: 20, size: 50 },
  idleSeconds: 1,
};
