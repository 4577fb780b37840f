// The image library is not used to write EXIF: it turns "Zoë 写" into "Zoe ?", drops brackets at the
// end of a text, and cannot write an altitude below the sea.

/**
 * The types of values (TIFF 6.0, section 2): the number of the type, and the bytes of one value.
 */
const TYPES = {
  byte: [1, 1],
  text: [2, 1],
  short: [3, 2],
  long: [4, 4],
  fraction: [5, 8],
  signedFraction: [10, 8],
} as const;
type Type = keyof typeof TYPES;

/**
 * EXIF 2.32, tables 4 to 15: the directory of a field, its number and its type. The fields are in
 * the order of their numbers, as the file requires.
 */
const FIELDS = {
  main: {
    ImageDescription: [0x010e, "text"],
    Make: [0x010f, "text"],
    Model: [0x0110, "text"],
    Software: [0x0131, "text"],
    DateTime: [0x0132, "text"],
    Artist: [0x013b, "text"],
    Copyright: [0x8298, "text"],
  },
  exposure: {
    ExposureTime: [0x829a, "fraction"],
    FNumber: [0x829d, "fraction"],
    ISOSpeedRatings: [0x8827, "short"],
    DateTimeOriginal: [0x9003, "text"],
    DateTimeDigitized: [0x9004, "text"],
    OffsetTime: [0x9010, "text"],
    OffsetTimeOriginal: [0x9011, "text"],
    OffsetTimeDigitized: [0x9012, "text"],
    ShutterSpeedValue: [0x9201, "signedFraction"],
    ApertureValue: [0x9202, "fraction"],
    ExposureBiasValue: [0x9204, "signedFraction"],
    FocalLength: [0x920a, "fraction"],
    SubSecTimeOriginal: [0x9291, "text"],
    FocalLengthIn35mmFilm: [0xa405, "short"],
    LensMake: [0xa433, "text"],
    LensModel: [0xa434, "text"],
  },
  gps: {
    GPSLatitudeRef: [1, "text"],
    GPSLatitude: [2, "fraction"],
    GPSLongitudeRef: [3, "text"],
    GPSLongitude: [4, "fraction"],
    GPSAltitudeRef: [5, "byte"],
    GPSAltitude: [6, "fraction"],
  },
} as const satisfies Record<string, Record<string, readonly [number, Type]>>;

/** A text, or the numbers of a field, which are converted to fractions here. */
export type ExifFields = {
  [Part in keyof typeof FIELDS]?: { [Name in keyof (typeof FIELDS)[Part]]?: string | number[] };
};

interface Entry {
  code: number;
  type: Type;
  count: number;
  bytes: Buffer;
}

/** The names of the fields of a part, either those with text or those with numbers. */
export function exifNames(part: keyof typeof FIELDS, ofText: boolean): string[] {
  return Object.entries(FIELDS[part]).flatMap(([name, [, type]]) =>
    (type === "text") === ofText ? [name] : [],
  );
}

/**
 * A TIFF structure with these fields, as JPEG's APP1 (after "Exif\0\0"), PNG's eXIf and WebP's EXIF
 * contain it. Null when there are no fields.
 */
export function writeExifBlock(fields: ExifFields): Buffer | null {
  const [main, exposure, gps] = (["main", "exposure", "gps"] as const).map((part) =>
    entriesOf(FIELDS[part], fields[part] ?? {}),
  );
  if (
    main === undefined ||
    exposure === undefined ||
    gps === undefined ||
    main.length + exposure.length + gps.length === 0
  )
    return null;
  const withPointers = (exposureAt: number, gpsAt: number) =>
    directory(
      [...main, ...pointer(0x8769, exposure, exposureAt), ...pointer(0x8825, gps, gpsAt)],
      HEADER.length,
    );
  const exposureAt = HEADER.length + withPointers(0, 0).length;
  const exposureBlock = exposure.length > 0 ? directory(exposure, exposureAt) : Buffer.alloc(0);
  const gpsAt = exposureAt + exposureBlock.length;
  return Buffer.concat([
    HEADER,
    withPointers(exposureAt, gpsAt),
    exposureBlock,
    ...(gps.length > 0 ? [directory(gps, gpsAt)] : []),
  ]);
}

/** Marks little-endian order; the first directory follows. */
const HEADER = Buffer.from([0x49, 0x49, 0x2a, 0, 8, 0, 0, 0]);

function entriesOf(
  definitions: Record<string, readonly [number, Type]>,
  values: Record<string, string | number[]>,
): Entry[] {
  return Object.entries(definitions).flatMap(([name, [code, type]]) => {
    const value = values[name];
    if (value === undefined) return [];
    const bytes =
      typeof value === "string"
        ? Buffer.from(`${value}\0`)
        : Buffer.concat(value.map((number) => numberBytes(number, type)));
    return [{ code, type, count: bytes.length / TYPES[type][1], bytes }];
  });
}

function pointer(code: number, target: Entry[], at: number): Entry[] {
  return target.length === 0
    ? []
    : [{ code, type: "long", count: 1, bytes: numberBytes(at, "long") }];
}

/** The entries, followed by the values that do not fit into four bytes. */
function directory(entries: Entry[], at: number): Buffer {
  const table = Buffer.alloc(2 + 12 * entries.length + 4);
  table.writeUInt16LE(entries.length, 0);
  const values: Buffer[] = [];
  let free = at + table.length;
  entries.forEach(({ code, type, count, bytes }, index) => {
    const place = 2 + 12 * index;
    table.writeUInt16LE(code, place);
    table.writeUInt16LE(TYPES[type][0], place + 2);
    table.writeUInt32LE(count, place + 4);
    if (bytes.length <= 4) return void bytes.copy(table, place + 8);
    table.writeUInt32LE(free, place + 8);
    // Values must begin at even offsets.
    values.push(bytes, Buffer.alloc(bytes.length % 2));
    free += bytes.length + (bytes.length % 2);
  });
  return Buffer.concat([table, ...values]);
}

function numberBytes(number: number, type: Type): Buffer {
  const bytes = Buffer.alloc(TYPES[type][1]);
  if (type === "fraction" || type === "signedFraction") {
    const [numerator, denominator] = fractionOf(number);
    if (type === "fraction") bytes.writeUInt32LE(Math.abs(numerator), 0);
    else bytes.writeInt32LE(numerator, 0);
    bytes.writeUInt32LE(denominator, 4);
  } else {
    bytes.writeUIntLE(number, 0, bytes.length);
  }
  return bytes;
}

/** Returns 1/50 instead of 20000/1000000, for numbers up to two million. Exact to a millionth. */
function fractionOf(number: number): [number, number] {
  const size = Math.abs(number);
  const inverse = Math.round(1 / size);
  if (size < 1 && Math.abs(inverse * size - 1) < 1e-6) return [Math.sign(number), inverse];
  const exact = [1, 10, 100, 1000].find(
    (denominator) => Math.abs(Math.round(number * denominator) / denominator - number) < 1e-9,
  );
  const denominator = exact ?? (size > 1000 ? 1000 : 1_000_000);
  return [Math.round(number * denominator), denominator];
}
