/** How much of everything is measured. */
export interface Scale {
  rounds: number;
  throughput: { submitters: number; seconds: number; warmUpJobs: number };
  latency: { perSecond: number; seconds: number };
  fanOut: { sockets: readonly number[]; seconds: number };
  page: { connections: number; seconds: number };
  history: { few: number; many: number; seconds: number };
  thumbnails: { photos: number };
  /** How long a process is left alone before its memory is read. */
  idleSeconds: number;
}

export const FULL: Scale = {
  rounds: 3,
  throughput: { submitters: 64, seconds: 10, warmUpJobs: 4000 },
  latency: { perSecond: 50, seconds: 10 },
  fanOut: { sockets: [1000, 5000], seconds: 5 },
  page: { connections: 32, seconds: 6 },
  history: { few: 1000, many: 1_000_000, seconds: 5 },
  thumbnails: { photos: 40 },
  idleSeconds: 5,
};

/** Under a minute on two idle cores; its history is short, so its W5 shows little. */
export const QUICK: Scale = {
  rounds: 1,
  throughput: { submitters: 64, seconds: 3, warmUpJobs: 600 },
  latency: { perSecond: 50, seconds: 2 },
  fanOut: { sockets: [1000], seconds: 1 },
  page: { connections: 32, seconds: 2 },
  history: { few: 1000, many: 20_000, seconds: 1 },
  thumbnails: { photos: 8 },
  idleSeconds: 1,
};
