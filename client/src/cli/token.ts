import type { CommandContext } from "./command.js";
import { parseFlags } from "./command-line.js";
import type { ServiceAddress } from "./find-service.js";

const ME = "{ me { id email name role } }";

/** `photo-service token`: prints the token that the other commands use, if the service takes it. */
export async function token(
  { args, terminal, open }: CommandContext,
  find: (flags: { url?: string; token?: string }) => Promise<ServiceAddress>,
): Promise<number> {
  const { values } = parseFlags(args, {});
  const address = await find(values as { url?: string; token?: string });
  const service = await open(values);
  const { me } = await service.query<{ me: object }>(ME, {}, { retryForMs: 0 });
  terminal.out(
    values["json"] === true
      ? `${JSON.stringify({ ...address, me }, null, 2)}\n`
      : `${address.token}\n`,
  );
  return 0;
}
