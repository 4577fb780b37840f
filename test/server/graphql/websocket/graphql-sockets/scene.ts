import {
  openRawSocket,
  type Message,
  type RawSocket,
} from "../../../../support/clients/raw-socket.js";
import { OPERATOR_PASSWORD } from "../../../../support/clients/scrape.js";
import { startTestService, type TestService } from "../../../../support/service/test-service.js";

export const subscribe = (id: string, query: string, more: object = {}) => ({
  type: "subscribe",
  id,
  payload: { query, ...more },
});

export const of =
  (wanted: string) =>
  ({ id }: Message) =>
    id === wanted;

/** A service with low limits for sockets, and the sockets that a test opens. */
export class SocketScene {
  readonly service: TestService;
  readonly #open: RawSocket[] = [];

  private constructor(service: TestService) {
    this.service = service;
  }

  static async start(): Promise<SocketScene> {
    return new SocketScene(
      await startTestService({
        workers: 0,
        env: {
          MAX_SOCKETS_PER_USER: "2",
          MAX_SUBSCRIPTIONS_PER_SOCKET: "2",
          MAX_OPENING_SOCKETS: "4",
          ALLOWED_ORIGINS: "https://app.example.test",
          ADMIN_PASSWORD: OPERATOR_PASSWORD,
        },
      }),
    );
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.close();
    await this.service.close();
  }

  opened(options: Parameters<typeof openRawSocket>[1] = {}, url = this.service.url): RawSocket {
    const socket = openRawSocket(url, options);
    this.#open.push(socket);
    return socket;
  }

  async signedIn(token?: string): Promise<RawSocket> {
    const socket = this.opened();
    await socket.init(token ?? (await this.service.token()));
    return socket;
  }
}

export async function answered(
  socket: RawSocket,
  id: string,
  query: string,
  more: object = {},
): Promise<Message> {
  socket.send(subscribe(id, query, more));
  return socket.next(`${id} is answered`, of(id));
}

export async function staysOpen(socket: RawSocket): Promise<void> {
  const countBefore = socket.messages.length;
  socket.send({ type: "ping" });
  await socket.next(
    "a ping is answered",
    (message) => message.type === "pong" && socket.messages.indexOf(message) >= countBefore,
  );
}
