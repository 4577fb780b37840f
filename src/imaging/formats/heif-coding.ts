import { boxesIn, type Box } from "./heif-boxes.js";

/**
 * How the primary picture of a HEIF file is coded, or what it is put together from; null when that
 * cannot be told. By the type of the items (ISO/IEC 14496-12, 8.11; 23008-12, annex B; AV1 Image
 * File Format, 2.2.1), because a brand such as mif1 says nothing.
 */
export function heifCoding(file: Buffer): "hevc" | "av1" | null {
  const meta = boxesIn(file, 0, file.length).find(({ type }) => type === "meta");
  if (meta === undefined || meta.end > file.length) return null;
  const boxes = boxesIn(file, meta.start + 4, meta.end);
  const find = (type: string) => boxes.find((box) => box.type === type);
  const [primary, list] = [find("pitm"), find("iinf")];
  if (primary === undefined || list === undefined) return null;
  const items = itemsIn(file, list);
  const own = items.find(({ id }) => id === readId(file, primary))?.type;
  const type = [own, ...items.map((item) => item.type)].find(
    (candidate) => candidate !== undefined && candidate in CODINGS,
  );
  return CODINGS[type ?? ""] ?? null;
}

const CODINGS: Record<string, "hevc" | "av1"> = { hvc1: "hevc", av01: "av1" };

interface Item {
  id: number;
  type: string;
}

function itemsIn(file: Buffer, list: Box): Item[] {
  const first = list.start + (file[list.start] === 0 ? 6 : 8);
  return boxesIn(file, first, list.end).flatMap((box) => {
    const typeAt = box.start + (file[box.start] === 2 ? 8 : 10);
    return box.type === "infe"
      ? [{ id: readId(file, box), type: file.toString("latin1", typeAt, typeAt + 4) }]
      : [];
  });
}

/** Of two bytes in older versions of both boxes, else of four. */
function readId(file: Buffer, { type, start }: Box): number {
  const short = type === "pitm" ? 0 : 2;
  const size = file[start] === short ? 2 : 4;
  return start + 4 + size > file.length ? -1 : file.readUIntBE(start + 4, size);
}
