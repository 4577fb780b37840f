import { createChannel, type Channel } from "../channel.js";
import type { PhotoService } from "../photo-service.js";

const CHANNELS = new WeakMap<PhotoService, Channel<string>>();

/** Ids of groups that this client has retried, for the live parts that show them. */
export function changesOf(service: PhotoService): Channel<string> {
  const channel = CHANNELS.get(service) ?? createChannel<string>();
  CHANNELS.set(service, channel);
  return channel;
}
