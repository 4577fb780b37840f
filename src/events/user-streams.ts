import type { PhotoEvent } from "../domain/photo-event.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";
import { Channel, type ReadLog } from "./channel.js";
import type { Notification } from "./event-bus.js";

/**
 * The two streams of one user: events of QueuedJobs and of photos, in one numbering. Each has its
 * own channel, for which the numbers of the other are gaps. A channel is created for its first
 * subscriber.
 */
export class UserStreams {
  readonly #readJobs: ReadLog<QueuedJobEvent>;
  readonly #readPhotos: ReadLog<PhotoEvent>;
  #queuedJobs: Channel | null = null;
  #photos: Channel<PhotoEvent> | null = null;

  constructor(read: { queuedJobs: ReadLog<QueuedJobEvent>; photos: ReadLog<PhotoEvent> }) {
    this.#readJobs = read.queuedJobs;
    this.#readPhotos = read.photos;
  }

  get queuedJobs(): Channel {
    return (this.#queuedJobs ??= new Channel(this.#readJobs));
  }

  get photos(): Channel<PhotoEvent> {
    return (this.#photos ??= new Channel(this.#readPhotos));
  }

  receive({ head, events, photos = [] }: Notification): void {
    this.#queuedJobs?.receive({ head, events, others: photos.map(({ seq }) => seq) });
    // A notification with PROGRESS alone does not concern photos.
    if (head !== null)
      this.#photos?.receive({
        head,
        events: photos,
        others: events.filter(({ type }) => type !== "PROGRESS").map(({ seq }) => seq),
      });
  }

  /** Takes the newest number in the log, which may be news to a channel. */
  advance(head: number): void {
    for (const channel of this.#channels())
      if (head > channel.head) channel.receive({ head, events: [] });
  }

  forget(): void {
    for (const channel of this.#channels()) channel.forget();
  }

  expire(): void {
    for (const channel of this.#channels()) channel.expire();
  }

  #channels() {
    return [this.#queuedJobs, this.#photos].filter((channel) => channel !== null);
  }
}
